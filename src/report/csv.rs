//! CSV after RFC 4180, in which a spreadsheet finds no formula.

use std::fmt::Write as _;
use std::io::Write;

use anyhow::Result;
use csv::{ByteRecord, Terminator, WriterBuilder};

use super::Record;

/// The values of one record; reused for the next.
#[derive(Default)]
pub struct Fields {
    record: ByteRecord,
    scratch: String,
}

impl Fields {
    /// A text. One that a spreadsheet would run gets an apostrophe in front.
    pub fn text(&mut self, text: &str) {
        if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']) {
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

    /// A value that can't be taken for a formula: a number, a time.
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
    /// The values of a record in these places, or all of them.
    pub fn chosen<R: Record>(&mut self, record: &R, chosen: Option<&[usize]>) -> &ByteRecord {
        self.record.clear();
        record.fields(self);
        if let Some(chosen) = chosen {
            let whole = std::mem::take(&mut self.record);
            self.record.extend(chosen.iter().map(|n| &whole[*n]));
        }
        &self.record
    }
}

pub struct Writer<W: Write> {
    csv: csv::Writer<W>,
    fields: Fields,
    chosen: Option<Vec<usize>>,
}

impl<W: Write> Writer<W> {
    pub fn new(out: W, chosen: Option<Vec<usize>>) -> Self {
        let csv = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out);
        Self { csv, fields: Fields::default(), chosen }
    }

    pub fn header<R: Record>(&mut self) -> Result<()> {
        match &self.chosen {
            None => self.csv.write_record(R::COLUMNS),
            Some(chosen) => self.csv.write_record(chosen.iter().map(|n| R::COLUMNS[*n])),
        }
        .map_err(unwrapped)
    }

    pub fn record<R: Record>(&mut self, record: &R) -> Result<()> {
        let fields = self.fields.chosen(record, self.chosen.as_deref());
        self.csv.write_byte_record(fields).map_err(unwrapped)
    }

    pub fn finish(mut self) -> Result<()> {
        Ok(self.csv.flush()?)
    }
}

/// The stream's own error, so that a closed pipe is seen as one.
fn unwrapped(error: csv::Error) -> anyhow::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error.into(),
        other => anyhow::anyhow!("{other:?}"),
    }
}
