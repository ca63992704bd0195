//! The report of a verb, and the only code that writes it: table, JSON, JSON lines, CSV, text.

mod csv;
mod table;
mod wrap;

use std::io::{ErrorKind, Write};
use std::rc::Rc;

use anyhow::{Error, Result};
use clap::ValueEnum;
use serde::Serialize;

pub use self::csv::{Fields, disarmed, push_csv_row};
pub use self::table::{Cell, Tone};

use self::csv::CsvWriter;
use self::table::{Layout, TableWriter};
pub use self::wrap::wrapped;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Sentences and tables for people
    #[default]
    Table,
    /// One JSON document
    Json,
    /// JSON lines, one a record
    Jsonl,
    /// CSV (RFC 4180) with a header; formulas get a leading apostrophe
    Csv,
}

/// The answer of a verb, which becomes the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    #[default]
    Yes,
    No,
    /// For OpenVPN only: a deferred answer.
    Deferred,
    /// The status of a monitoring plugin.
    PluginStatus(PluginStatus),
}

/// The status of a monitoring plugin, with the exit codes of the Nagios plugin guidelines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PluginStatus {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

/// One object that can be written in every format.
pub trait Record: Serialize {
    /// The columns of CSV.
    const COLUMNS: &'static [&'static str];

    /// The values of [`Record::COLUMNS`].
    fn fields(&self, fields: &mut Fields);

    /// For people: one sentence or a few lines, without a final line end.
    fn sentence(&self) -> String;

    /// The width in columns that the table needs; a narrower terminal gets one sentence a record, because
    /// the table would break words.
    const MIN_WIDTH: u16 = 60;

    /// Headers of the columns that a narrow terminal leaves out, the least needed first, so that no word is broken.
    const LESS_NEEDED: &'static [&'static str] = &[];

    /// The header of a table of many records.
    fn header() -> &'static [&'static str] {
        &[]
    }

    /// The cells under [`Record::header`].
    fn cells(&self) -> Vec<Cell> {
        Vec::new()
    }
}

#[must_use]
pub struct Report {
    pub body: Body,
    /// Of a list: the answer if the reader closes the pipe before its end.
    pub verdict: Verdict,
    /// A closed pipe is an error: the output holds a secret that is shown once.
    pub must_arrive: bool,
    /// A bad verdict is written under `--quiet` too.
    pub is_alarm: bool,
}

pub enum Body {
    Empty,
    /// Written unchanged in every format: help, scripts, manual pages.
    Text(Vec<u8>),
    Record(WriteRecord),
    /// Streams records from the store in constant memory.
    List(List),
}

/// Writes one record.
type WriteRecord = Box<dyn FnOnce(&mut Writer<'_>) -> Result<()>>;

/// Writes records while it reads them, and returns the verdict.
type List = Box<dyn FnOnce(&mut Writer<'_>) -> Result<Verdict>>;

impl Report {
    pub fn one(record: impl Record + 'static, verdict: Verdict) -> Self {
        let write = move |writer: &mut Writer<'_>| writer.write_record(&record);
        Self::of(Body::Record(Box::new(write)), verdict)
    }

    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::of(Body::Text(text.into()), Verdict::Yes)
    }

    pub fn empty(verdict: Verdict) -> Self {
        Self::of(Body::Empty, verdict)
    }

    /// `cut_short` is the verdict if the reader closes the pipe before the end.
    pub fn list(
        cut_short: Verdict,
        list: impl FnOnce(&mut Writer<'_>) -> Result<Verdict> + 'static,
    ) -> Self {
        Self::of(Body::List(Box::new(list)), cut_short)
    }

    const fn of(body: Body, verdict: Verdict) -> Self {
        Self { body, verdict, must_arrive: false, is_alarm: false }
    }

    /// Writes a bad verdict under `--quiet` too, so that a silent cron job means no finding.
    pub fn shown_when_quiet(mut self) -> Self {
        self.is_alarm = true;
        self
    }

    /// Makes a closed pipe an error, for a secret that is shown once.
    pub fn requires_delivery(mut self, must_arrive: bool) -> Self {
        self.must_arrive = must_arrive;
        self
    }
}

fn is_closed_pipe(error: &Error) -> bool {
    error.chain().any(|cause| {
        let serde =
            cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind);
        let kind = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind).or(serde);
        kind == Some(ErrorKind::BrokenPipe)
    })
}

/// Makes a text one for people, such as its times local ones.
type ForPeople = Rc<dyn Fn(&str) -> String>;

pub struct Writer<'a> {
    pub out: &'a mut dyn Write,
    pub format: Format,
    pub colour: bool,
    pub quiet: bool,
    /// The terminal's width; `None` in a pipe, where nothing is wrapped.
    pub columns: Option<u16>,
    /// Makes texts ones for people at a terminal.
    pub for_people: Option<ForPeople>,
    /// The selected columns of a list, in order; `None` selects all.
    pub only: Option<Vec<&'static str>>,
}

impl Writer<'_> {
    /// Writes a report and returns its verdict. A closed pipe does not change the verdict of a record:
    /// a caller that reads the exit code only still gets the true answer.
    pub fn report(&mut self, report: Report) -> Result<Verdict> {
        let (verdict, must_arrive) = (report.verdict, report.must_arrive);
        let is_good = matches!(verdict, Verdict::Yes | Verdict::PluginStatus(PluginStatus::Ok));
        self.quiet &= is_good || !report.is_alarm;
        match self.write_body(report.body, verdict) {
            Err(error) if !must_arrive && is_closed_pipe(&error) => Ok(verdict),
            written => written,
        }
    }

    fn write_body(&mut self, body: Body, mut verdict: Verdict) -> Result<Verdict> {
        match body {
            Body::Empty => {}
            Body::Text(text) => self.out.write_all(&text)?,
            Body::Record(write) => write(self)?,
            Body::List(list) => verdict = list(self)?,
        }
        self.out.flush()?;
        Ok(verdict)
    }

    pub fn write_record<R: Record>(&mut self, record: &R) -> Result<()> {
        match self.format {
            Format::Table if self.quiet => {}
            Format::Table => self.line(&record.sentence())?,
            Format::Json | Format::Jsonl => {
                serde_json::to_writer(&mut *self.out, record)?;
                self.out.write_all(b"\n")?;
            }
            Format::Csv => {
                let mut csv = CsvWriter::new(&mut *self.out, None);
                csv.header::<R>()?;
                csv.record(record)?;
                csv.finish()?;
            }
        }
        Ok(())
    }

    /// Writes lines for people, broken between words.
    pub fn line(&mut self, text: &str) -> Result<()> {
        let text = match &self.for_people {
            Some(for_people) => for_people(text),
            None => text.to_owned(),
        };
        let text = self.columns.map_or_else(|| text.clone(), |columns| wrapped(&text, columns));
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Streams records. `produce` calls its argument with each record and returns the summary.
    ///
    /// In JSON the records are in the array `name`, after `preamble` and before `summary`.
    pub fn many<R: Record, T: Serialize, P: Serialize>(
        &mut self,
        preamble: &[(&str, P)],
        name: &str,
        produce: impl FnOnce(&mut dyn FnMut(&R) -> Result<()>) -> Result<T>,
    ) -> Result<T> {
        match self.format {
            Format::Table => {
                let selected = self.selected::<R>();
                let for_people = self.for_people.clone();
                let layout = Layout { columns: self.columns, colour: self.colour, for_people };
                let mut table = TableWriter::new::<R>(self.out, layout, selected);
                let summary = produce(&mut |record| table.row(record))?;
                table.finish()?;
                Ok(summary)
            }
            Format::Json => self.write_document(preamble, name, produce),
            Format::Jsonl => produce(&mut |record| {
                write_object(self.out, record, self.only.as_deref())?;
                Ok(self.out.write_all(b"\n")?)
            }),
            Format::Csv => {
                let selected = self.selected::<R>();
                let mut csv = CsvWriter::new(&mut *self.out, selected);
                csv.header::<R>()?;
                let summary = produce(&mut |record| csv.record(record))?;
                csv.finish()?;
                Ok(summary)
            }
        }
    }

    fn selected<R: Record>(&self) -> Option<Vec<usize>> {
        let position = |name: &&str| R::COLUMNS.iter().position(|column| column == name);
        Some(self.only.as_ref()?.iter().filter_map(position).collect())
    }

    fn write_document<R: Record, T: Serialize, P: Serialize>(
        &mut self,
        preamble: &[(&str, P)],
        name: &str,
        produce: impl FnOnce(&mut dyn FnMut(&R) -> Result<()>) -> Result<T>,
    ) -> Result<T> {
        self.out.write_all(b"{")?;
        for (key, value) in preamble {
            serde_json::to_writer(&mut *self.out, key)?;
            self.out.write_all(b":")?;
            serde_json::to_writer(&mut *self.out, value)?;
            self.out.write_all(b",")?;
        }
        write!(self.out, "\"{name}\":[")?;
        let mut first = true;
        let summary = produce(&mut |record| {
            self.out.write_all(if std::mem::take(&mut first) { b"\n" } else { b",\n" })?;
            write_object(self.out, record, self.only.as_deref())
        })?;
        self.out.write_all(b"\n],\"summary\":")?;
        serde_json::to_writer(&mut *self.out, &summary)?;
        self.out.write_all(b"}\n")?;
        Ok(summary)
    }
}

/// Writes a record, or its selected columns, as a JSON object.
fn write_object<R: Record>(
    out: &mut dyn Write,
    record: &R,
    only: Option<&[&'static str]>,
) -> Result<()> {
    let Some(only) = only else { return Ok(serde_json::to_writer(out, record)?) };
    let object = serde_json::to_value(record)?;
    for (n, name) in only.iter().enumerate() {
        write!(out, "{}\"{name}\":", if n == 0 { '{' } else { ',' })?;
        serde_json::to_writer(&mut *out, &object[name])?;
    }
    Ok(out.write_all(b"}")?)
}
