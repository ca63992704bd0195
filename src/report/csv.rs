//! CSV (RFC 4180) that a spreadsheet does not read as formulas.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::Write;

use anyhow::Result;
use csv::{ByteRecord, Terminator, WriterBuilder};

use super::Record;

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\0'];

/// Text from our own CSV without the apostrophe that [`Fields::text`] put in front of it.
#[must_use]
pub fn disarmed(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULA_STARTS)).unwrap_or(text)
}

/// Text that a spreadsheet does not run: with an apostrophe in front of a formula.
#[must_use]
pub fn armed(text: &str) -> Cow<'_, str> {
    if text.starts_with(FORMULA_STARTS) { format!("'{text}").into() } else { text.into() }
}

/// Adds one row as RFC 4180 has it. Not written by the library, whose buffers would keep secrets.
pub fn push_csv_row<'c>(text: &mut String, cells: impl Iterator<Item = &'c str>) {
    for (n, cell) in cells.enumerate() {
        if n > 0 {
            text.push(',');
        }
        let cell = armed(cell);
        if cell.contains(['"', ',', '\r', '\n']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(&cell);
        }
    }
    text.push_str("\r\n");
}

/// The values of one record. The buffers are reused for the next record.
#[derive(Default)]
pub struct Fields {
    record: ByteRecord,
    scratch: String,
}

impl Fields {
    /// Adds an apostrophe in front of text that a spreadsheet would run as a formula.
    pub fn text(&mut self, text: &str) {
        if text.starts_with(FORMULA_STARTS) {
            self.scratch.clear();
            self.scratch.push('\'');
            self.scratch.push_str(text);
            self.record.push_field(self.scratch.as_bytes());
        } else {
            self.record.push_field(text.as_bytes());
        }
    }

    pub fn maybe_text(&mut self, text: Option<&str>) {
        self.text(text.unwrap_or_default());
    }

    pub fn flag(&mut self, flag: bool) {
        self.record.push_field(if flag { b"true" } else { b"false" });
    }

    /// A number or a time, which can't be a formula.
    pub fn value(&mut self, value: impl std::fmt::Display) {
        self.scratch.clear();
        // Writing to a string can't fail.
        let _ = write!(self.scratch, "{value}");
        self.record.push_field(self.scratch.as_bytes());
    }

    pub fn maybe_value(&mut self, value: Option<impl std::fmt::Display>) {
        match value {
            Some(value) => self.value(value),
            None => self.record.push_field(b""),
        }
    }
}

impl Fields {
    /// The selected values of a record, by position; `None` selects all.
    pub fn selected<R: Record>(&mut self, record: &R, selected: Option<&[usize]>) -> &ByteRecord {
        self.record.clear();
        record.fields(self);
        if let Some(selected) = selected {
            let all = std::mem::take(&mut self.record);
            self.record.extend(selected.iter().map(|n| &all[*n]));
        }
        &self.record
    }
}

pub struct CsvWriter<W: Write> {
    csv: csv::Writer<W>,
    fields: Fields,
    selected: Option<Vec<usize>>,
}

impl<W: Write> CsvWriter<W> {
    pub fn new(out: W, selected: Option<Vec<usize>>) -> Self {
        let csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        Self { csv, fields: Fields::default(), selected }
    }

    pub fn header<R: Record>(&mut self) -> Result<()> {
        match &self.selected {
            None => self.csv.write_record(R::COLUMNS),
            Some(selected) => self.csv.write_record(selected.iter().map(|n| R::COLUMNS[*n])),
        }
        .map_err(io_error)
    }

    pub fn record<R: Record>(&mut self, record: &R) -> Result<()> {
        let fields = self.fields.selected(record, self.selected.as_deref());
        self.csv.write_byte_record(fields).map_err(io_error)
    }

    pub fn finish(mut self) -> Result<()> {
        Ok(self.csv.flush()?)
    }
}

/// The error of the stream, so that a closed pipe is recognised.
fn io_error(error: csv::Error) -> anyhow::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        other => anyhow::anyhow!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d4_cells_are_quoted_where_csv_needs_it_and_formulas_are_disarmed() {
        let mut text = String::new();
        push_csv_row(&mut text, ["alice", "Martin, \"Al\"", "=1+1", ""].into_iter());
        assert_eq!(text, "alice,\"Martin, \"\"Al\"\"\",'=1+1,\r\n");
    }
}
