//! Tables for people, written in batches of rows.

use std::io::Write;

use anyhow::Result;
use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width};

use super::{Fields, ForPeople, Record};

/// Rows that are written at once; the first batch sets the column widths.
const BATCH_ROWS: usize = 400;
/// Columns of timestamps, which are never wrapped.
const UNWRAPPED: &[&str] = &["TIME", "LAST CODE"];

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
        Self { out, layout, header, selected, rows: Vec::new(), widths: None }
    }

    pub fn row<R: Record>(&mut self, record: &R) -> Result<()> {
        if let Some(selected) = &self.selected {
            let mut fields = Fields::default();
            let values = fields.selected(record, Some(selected)).iter();
            let cell = |value| Cell::plain(String::from_utf8_lossy(value));
            self.rows.push(values.map(cell).collect());
        } else if self.layout.columns.is_some_and(|c| c < R::MIN_WIDTH) {
            let sentence = self.layout.text(record.sentence());
            return Ok(writeln!(self.out, "{sentence}")?);
        } else {
            self.rows.push(record.cells());
        }
        if self.rows.len() >= BATCH_ROWS { self.write_batch() } else { Ok(()) }
    }

    pub fn finish(mut self) -> Result<()> {
        if self.rows.is_empty() { Ok(()) } else { self.write_batch() }
    }

    fn write_batch(&mut self) -> Result<()> {
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
        if self.widths.is_none() {
            table.set_header(&self.header);
        }
        for row in self.rows.drain(..) {
            let cells =
                row.into_iter().map(|cell| Cell { text: self.layout.text(cell.text), ..cell });
            table.add_row(cells.map(Cell::styled));
        }
        if let Some(widths) = &self.widths {
            table.set_constraints(
                widths.iter().map(|w| ColumnConstraint::LowerBoundary(Width::Fixed(*w))),
            );
        } else {
            let headers = self.header.iter().enumerate();
            for (n, _) in headers.filter(|(_, name)| UNWRAPPED.contains(&name.as_str())) {
                if let Some(column) = table.column_mut(n) {
                    column.set_constraint(ColumnConstraint::ContentWidth);
                }
            }
            self.widths = Some(table.column_max_content_widths().iter().map(|w| w + 2).collect());
        }
        for line in table.lines() {
            writeln!(self.out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
