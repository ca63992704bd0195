//! Tables for people, written in batches of rows.

use std::io::Write;

use anyhow::Result;
use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};
use unicode_width::UnicodeWidthStr as _;

use super::wrap::{longest_word, wrapped};
use super::{Fields, ForPeople, Record};

/// Rows that are written at once; the first batch sets the column widths.
const BATCH_ROWS: usize = 400;
/// Columns of timestamps, which are never wrapped.
const UNWRAPPED: &[&str] = &["TIME", "LAST CODE", "ADDED"];

/// One cell. The text must say all; the tone only adds colour.
pub struct Cell {
    pub text: String,
    pub tone: Tone,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Warning,
    Bad,
}

impl Cell {
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), tone: Tone::Plain }
    }

    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone }
    }

    fn styled(self) -> comfy_table::Cell {
        let cell = comfy_table::Cell::new_owned(self.text);
        match self.tone {
            Tone::Plain => cell,
            Tone::Good => cell.fg(comfy_table::Color::Green),
            Tone::Warning => cell.fg(comfy_table::Color::Yellow),
            Tone::Bad => cell.fg(comfy_table::Color::Red),
        }
    }
}

/// How a table looks.
pub struct Layout {
    /// The terminal's width; `None` in a pipe.
    pub columns: Option<u16>,
    pub colour: bool,
    /// Makes a cell one for people.
    pub for_people: Option<ForPeople>,
}

pub struct TableWriter<'a> {
    out: &'a mut dyn Write,
    layout: Layout,
    header: Vec<String>,
    selected: Option<Vec<usize>>,
    /// Of the columns that are not selected by name: which may go, the first first.
    less_needed: &'static [&'static str],
    left_out: Vec<&'static str>,
    /// Which columns there is room for; set by the first batch.
    kept: Option<Vec<bool>>,
    rows: Vec<Vec<Cell>>,
    /// Set by the first batch; a later batch may only widen a column.
    widths: Option<Vec<u16>>,
}

impl Layout {
    fn text(&self, text: String) -> String {
        match &self.for_people {
            Some(for_people) => for_people(&text),
            None => text,
        }
    }
}

impl<'a> TableWriter<'a> {
    pub fn new<R: Record>(
        out: &'a mut dyn Write,
        layout: Layout,
        selected: Option<Vec<usize>>,
    ) -> Self {
        let header = match &selected {
            None => R::header().iter().map(|name| (*name).to_owned()).collect(),
            Some(selected) => {
                let names = selected.iter().map(|n| R::COLUMNS[*n]);
                names.map(|name| name.replace('_', " ").to_uppercase()).collect()
            }
        };
        let less_needed = if selected.is_some() { &[] } else { R::LESS_NEEDED };
        let (left_out, rows) = (Vec::new(), Vec::new());
        Self {
            out,
            layout,
            header,
            selected,
            less_needed,
            left_out,
            kept: None,
            rows,
            widths: None,
        }
    }

    pub fn row<R: Record>(&mut self, record: &R) -> Result<()> {
        if let Some(selected) = &self.selected {
            let mut fields = Fields::default();
            let values = fields.selected(record, Some(selected)).iter();
            let cell = |value| Cell::plain(String::from_utf8_lossy(value));
            self.rows.push(values.map(cell).collect());
        } else if self.layout.columns.is_some_and(|c| c < R::MIN_WIDTH) {
            let sentence = self.layout.text(record.sentence());
            let sentence = wrapped(&sentence, self.layout.columns.unwrap_or(u16::MAX));
            return Ok(writeln!(self.out, "{sentence}")?);
        } else {
            self.rows.push(record.cells());
        }
        if self.rows.len() >= BATCH_ROWS { self.write_batch() } else { Ok(()) }
    }

    pub fn finish(mut self) -> Result<()> {
        if !self.rows.is_empty() {
            self.write_batch()?;
        }
        if !self.left_out.is_empty() {
            let names = self.left_out.join(", ");
            let words = format!("no room for: {names}; a wider terminal or --json shows all");
            writeln!(self.out, "{}", wrapped(&words, self.layout.columns.unwrap_or(u16::MAX)))?;
        }
        Ok(())
    }

    fn write_batch(&mut self) -> Result<()> {
        let rows: Vec<Vec<Cell>> = std::mem::take(&mut self.rows);
        let for_people = |cell: Cell| Cell { text: self.layout.text(cell.text), ..cell };
        let mut rows: Vec<Vec<Cell>> =
            rows.into_iter().map(|row| row.into_iter().map(for_people).collect()).collect();
        if self.kept.is_none() {
            self.leave_out(&rows);
        }
        if let Some(kept) = &self.kept {
            let is_kept = |n: usize| kept.get(n).copied().unwrap_or(true);
            for row in &mut rows {
                let mut at = 0..;
                row.retain(|_| at.next().is_some_and(is_kept));
            }
        }
        let mut table = Table::new();
        table.load_style(if self.layout.columns.is_some() { UTF8_FULL_CONDENSED } else { NOTHING });
        table.set_content_arrangement(ContentArrangement::Dynamic);
        match self.layout.columns {
            Some(columns) => table.set_width(columns),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        if self.layout.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        let bounds = self.least_widths(&rows);
        if self.widths.is_none() {
            table.set_header(&self.header);
        }
        for row in rows {
            table.add_row(row.into_iter().map(Cell::styled));
        }
        if let Some(widths) = &self.widths {
            table.set_constraints(
                widths.iter().map(|w| ColumnConstraint::LowerBoundary(Width::Fixed(*w))),
            );
        } else {
            for (n, (name, bound)) in self.header.iter().zip(bounds).enumerate() {
                let Some(column) = table.column_mut(n) else { continue };
                if UNWRAPPED.contains(&name.as_str()) {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                } else if self.layout.columns.is_some() {
                    column.set_constraint(ColumnConstraint::LowerBoundary(Width::Fixed(bound)));
                }
            }
            self.widths = Some(table.column_max_content_widths().iter().map(|w| w + 2).collect());
        }
        for line in table.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// The width of each column in which it breaks no word, with its padding. A word that is longer than half of the
    /// terminal is broken all the same.
    fn least_widths(&self, rows: &[Vec<Cell>]) -> Vec<u16> {
        let most = self.layout.columns.map_or(usize::MAX, |columns| usize::from(columns) / 2);
        let least = self.header.iter().enumerate().map(|(n, name)| {
            let is_whole = UNWRAPPED.contains(&name.as_str());
            let cells = rows.iter().filter_map(|row| row.get(n)).map(|cell| cell.text.as_str());
            let width = |text: &str| if is_whole { text.width() } else { longest_word(text) };
            let longest = cells.chain([name.as_str()]).map(width).max().unwrap_or_default();
            u16::try_from(longest.min(most) + 2).unwrap_or(u16::MAX)
        });
        least.collect()
    }

    /// Leaves out columns, the least needed first, until no word has to be broken.
    fn leave_out(&mut self, rows: &[Vec<Cell>]) {
        let Some(columns) = self.layout.columns else { return };
        let least = self.least_widths(rows);
        let mut kept = vec![true; self.header.len()];
        let room = |kept: &[bool]| {
            let widths = least.iter().zip(kept).filter(|(_, is_kept)| **is_kept);
            // A line on each side of each column.
            1 + widths.map(|(width, _)| usize::from(*width) + 1).sum::<usize>()
        };
        for name in self.less_needed {
            if room(&kept) <= usize::from(columns) {
                break;
            }
            if let Some(n) = self.header.iter().position(|header| header == name) {
                kept[n] = false;
                self.left_out.push(name);
            }
        }
        let mut at = 0..;
        self.header.retain(|_| at.next().is_some_and(|n: usize| kept[n]));
        self.kept = Some(kept);
    }
}
