//! What a verb found out, and the five ways to write it: each exists once, and here.

mod csv;
mod table;

use std::io::{ErrorKind, Write};

use anyhow::{Context as _, Error, Result};
use clap::ValueEnum;
use serde::Serialize;

pub use self::csv::Fields;
pub use self::table::{Cell, Tone};

/// The form of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Sentences and tables for people
    #[default]
    Table,
    /// One JSON document
    Json,
    /// JSON lines, one a record
    Jsonl,
    /// CSV (RFC 4180) with a header, formulas disarmed
    Csv,
}

/// The answer, where the verb asked a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    #[default]
    Yes,
    No,
    /// Asked of OpenVPN only, which takes it for "wait for another answer".
    Later,
    /// What a monitoring plugin says.
    State(State),
}

/// The states of a monitoring plugin, with the exit codes that monitoring systems know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    Ok = 0,
    Warning = 1,
    Critical = 2,
    Unknown = 3,
}

/// One thing to tell, in every form.
pub trait Record: Serialize {
    /// The columns of CSV.
    const COLUMNS: &'static [&'static str];

    /// The values of [`Record::COLUMNS`].
    fn fields(&self, fields: &mut Fields);

    /// For people: one sentence, or a few lines, without a line end.
    fn sentence(&self) -> String;

    /// Columns of a terminal that the table needs: a narrower one gets a sentence a record, since a table
    /// would break words into letters.
    const NARROWEST: u16 = 60;

    /// The header of a table, where records come in numbers.
    fn header() -> &'static [&'static str] {
        &[]
    }

    /// The cells under [`Record::header`].
    fn cells(&self) -> Vec<Cell> {
        Vec::new()
    }
}

/// What a verb gives back.
#[must_use]
pub struct Report {
    pub body: Body,
    /// The answer; of a list, the answer where nobody reads it to its end.
    pub verdict: Verdict,
    /// What has to reach somebody: a secret that is shown once.
    pub must_arrive: bool,
    /// Told under `--quiet` too, where it is not good.
    pub is_alarm: bool,
}

/// What there is to write.
pub enum Body {
    /// Nothing at all.
    Silence,
    /// Text as it is, whatever the format: help, scripts, manual pages.
    Text(Vec<u8>),
    Record(Box<dyn Writable>),
    /// Records one by one from the store's cursor to the stream, in constant memory.
    List(List),
}

/// Writes records as it reads them, and says what they come to.
type List = Box<dyn FnOnce(&mut Writer<'_>) -> Result<Verdict>>;

impl Report {
    pub fn one(record: impl Record + 'static, verdict: Verdict) -> Self {
        Self::of(Body::Record(Box::new(record)), verdict)
    }

    pub fn text(text: impl Into<Vec<u8>>) -> Self {
        Self::of(Body::Text(text.into()), Verdict::Yes)
    }

    pub fn silence(verdict: Verdict) -> Self {
        Self::of(Body::Silence, verdict)
    }

    /// A list, and the answer where its reader leaves before the end.
    pub fn list(
        cut_short: Verdict,
        list: impl FnOnce(&mut Writer<'_>) -> Result<Verdict> + 'static,
    ) -> Self {
        Self::of(Body::List(Box::new(list)), cut_short)
    }

    const fn of(body: Body, verdict: Verdict) -> Self {
        Self { body, verdict, must_arrive: false, is_alarm: false }
    }

    /// A verdict that is not good is told under `--quiet` too: a cron job that says nothing has found
    /// nothing.
    pub fn alarming(mut self) -> Self {
        self.is_alarm = true;
        self
    }

    /// A closed pipe is a failure, for what could not be written is shown once.
    pub fn arriving(mut self, must_arrive: bool) -> Self {
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

/// A [`Record`] whose type is forgotten.
pub trait Writable {
    /// # Errors
    /// As the stream has them.
    fn write(&self, writer: &mut Writer<'_>) -> Result<()>;
}

impl<R: Record> Writable for R {
    fn write(&self, writer: &mut Writer<'_>) -> Result<()> {
        writer.one(self)
    }
}

/// How and where to write.
pub struct Writer<'a> {
    pub out: &'a mut dyn Write,
    pub format: Format,
    pub colour: bool,
    pub quiet: bool,
    /// Columns of the terminal; `None` in a pipe, where nothing is wrapped.
    pub columns: Option<u16>,
    /// Of the columns of a list only these, in this order.
    pub only: Option<Vec<&'static str>>,
}

impl Writer<'_> {
    /// Writes a report, and gives the verdict back. A reader who leaves early changes no verdict: who
    /// asks whether a code is right and does not listen has not been told yes.
    ///
    /// # Errors
    /// As the stream has them, or the list.
    pub fn report(&mut self, report: Report) -> Result<Verdict> {
        let (verdict, must_arrive) = (report.verdict, report.must_arrive);
        let is_good = matches!(verdict, Verdict::Yes | Verdict::State(State::Ok));
        self.quiet &= is_good || !report.is_alarm;
        match self.body(report.body, verdict) {
            Err(error) if !must_arrive && is_closed_pipe(&error) => Ok(verdict),
            written => written,
        }
    }

    fn body(&mut self, body: Body, mut verdict: Verdict) -> Result<Verdict> {
        let done = "writing the answer; what it tells of stands";
        match body {
            Body::Silence => {}
            Body::Text(text) => self.out.write_all(&text)?,
            Body::Record(record) => record.write(self).context(done)?,
            Body::List(list) => verdict = list(self)?,
        }
        self.out.flush().context(done)?;
        Ok(verdict)
    }

    fn one<R: Record>(&mut self, record: &R) -> Result<()> {
        match self.format {
            Format::Table if self.quiet => {}
            Format::Table => writeln!(self.out, "{}", record.sentence())?,
            Format::Json | Format::Jsonl => {
                serde_json::to_writer(&mut *self.out, record)?;
                self.out.write_all(b"\n")?;
            }
            Format::Csv => {
                let mut csv = csv::Writer::new(&mut *self.out, None);
                csv.header::<R>()?;
                csv.record(record)?;
                csv.finish()?;
            }
        }
        Ok(())
    }

    /// Writes records as they come. `fill` calls its argument with each, and gives back what goes
    /// after them.
    ///
    /// In JSON the records stand in an array under `name`, after `preamble` and before the tail.
    ///
    /// # Errors
    /// As the stream has them, or `fill`.
    pub fn many<R: Record, T: Serialize, P: Serialize>(
        &mut self,
        preamble: &[(&str, P)],
        name: &str,
        fill: impl FnOnce(&mut dyn FnMut(&R) -> Result<()>) -> Result<T>,
    ) -> Result<T> {
        match self.format {
            Format::Table => {
                let chosen = self.chosen::<R>();
                let mut table =
                    table::Writer::new::<R>(self.out, self.columns, self.colour, chosen);
                let tail = fill(&mut |record| table.row(record))?;
                table.finish()?;
                Ok(tail)
            }
            Format::Json => self.document(preamble, name, fill),
            Format::Jsonl => fill(&mut |record| {
                object(self.out, record, self.only.as_deref())?;
                Ok(self.out.write_all(b"\n")?)
            }),
            Format::Csv => {
                let chosen = self.chosen::<R>();
                let mut csv = csv::Writer::new(&mut *self.out, chosen);
                csv.header::<R>()?;
                let tail = fill(&mut |record| csv.record(record))?;
                csv.finish()?;
                Ok(tail)
            }
        }
    }

    /// Where the columns stand that are asked for.
    fn chosen<R: Record>(&self) -> Option<Vec<usize>> {
        let place = |name: &&str| R::COLUMNS.iter().position(|column| column == name);
        Some(self.only.as_ref()?.iter().filter_map(place).collect())
    }

    fn document<R: Record, T: Serialize, P: Serialize>(
        &mut self,
        preamble: &[(&str, P)],
        name: &str,
        fill: impl FnOnce(&mut dyn FnMut(&R) -> Result<()>) -> Result<T>,
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
        let tail = fill(&mut |record| {
            self.out.write_all(if std::mem::take(&mut first) { b"\n" } else { b",\n" })?;
            object(self.out, record, self.only.as_deref())
        })?;
        self.out.write_all(b"\n],\"summary\":")?;
        serde_json::to_writer(&mut *self.out, &tail)?;
        self.out.write_all(b"}\n")?;
        Ok(tail)
    }
}

/// A record as a JSON object, or as much of it as is asked for.
fn object<R: Record>(out: &mut dyn Write, record: &R, only: Option<&[&'static str]>) -> Result<()> {
    let Some(only) = only else { return Ok(serde_json::to_writer(out, record)?) };
    let whole = serde_json::to_value(record)?;
    for (n, name) in only.iter().enumerate() {
        write!(out, "{}\"{name}\":", if n == 0 { '{' } else { ',' })?;
        serde_json::to_writer(&mut *out, &whole[name])?;
    }
    Ok(out.write_all(b"}")?)
}
