//! Codes and temporary passwords: shown once, to a person or into a new file, and never again.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use zeroize::Zeroizing;

use crate::domain::refusal::{Code, Refusal};
use crate::report::{Format, Record, Writable as _};
use crate::session::{NewFile, Session};
use crate::store::custody::place;

/// Where they go.
#[derive(Args, Clone, Debug)]
pub struct OnceOptions {
    /// Write it to a new file (mode 0600) instead of the terminal
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Let it go to a pipe, and into JSON
    #[arg(long)]
    pub reveal_secrets: bool,
}

/// Where it will be shown; settled before anything changes.
pub enum Once {
    Out,
    Err,
    File(NewFile),
    /// In the document on standard output, and nowhere else.
    Document,
    Nowhere,
}

impl OnceOptions {
    /// Settles it.
    ///
    /// # Errors
    /// `usage` where there is nowhere to show it, `cannot_create` for the file.
    pub fn settle(&self, session: &mut Session<'_>) -> Result<Once> {
        let once = self.maybe(session)?;
        if !matches!(once, Once::Nowhere) {
            return Ok(once);
        }
        Err(Refusal::new(Code::Usage, "there is nowhere to show it: the output is no terminal")
            .hint("add --output FILE, or --reveal-secrets to let it into the pipe")
            .into())
    }

    /// The same for a verb that goes on without showing it, where a program reads its report.
    ///
    /// # Errors
    /// As [`OnceOptions::settle`].
    pub fn settle_or_hide(&self, session: &mut Session<'_>) -> Result<Once> {
        if session.for_people() { self.settle(session) } else { self.maybe(session) }
    }

    /// Was a file named?
    #[must_use]
    pub const fn has_file(&self) -> bool {
        self.output.is_some()
    }

    fn maybe(&self, session: &mut Session<'_>) -> Result<Once> {
        if let Some(path) = &self.output {
            let file = session.new_file(path, "--output")?;
            return Ok(Once::File(file));
        }
        if self.reveal_secrets && session.options.format() == Format::Csv {
            return Err(Refusal::new(Code::Usage, "CSV has no column for a secret")
                .hint("take --json, or add --output FILE")
                .into());
        }
        let is_seen = session.env.person.is_some() && session.env.err.terminal.is_some();
        Ok(match (session.for_people(), self.reveal_secrets) {
            (false, true) => Once::Document,
            (false, false) if is_seen => Once::Err,
            (true, reveal) if reveal || session.env.out.terminal.is_some() => Once::Out,
            _ => Once::Nowhere,
        })
    }
}

impl Once {
    /// Is it the document itself that has it?
    #[must_use]
    pub const fn is_document(&self) -> bool {
        matches!(self, Self::Document)
    }

    /// Shows it; returns once it has left the program whole. A file stays if what is shown came to
    /// be: it is given back to be kept.
    ///
    /// # Errors
    /// As the stream or the file has them.
    pub fn show(self, session: &mut Session<'_>, text: &Zeroizing<String>) -> Result<Kept> {
        let stream = match self {
            Self::Document | Self::Nowhere => return Ok(Kept(None)),
            Self::Out => &mut session.env.out,
            Self::Err => &mut session.env.err,
            Self::File(mut file) => {
                file.write_whole(text.as_bytes()).with_context(|| {
                    format!("--output: {} can't be written", place(file.path()))
                })?;
                return Ok(Kept(Some(file)));
            }
        };
        let written = stream.writer.write_all(text.as_bytes()).and_then(|()| stream.writer.flush());
        written.context("it can't be shown")?;
        Ok(Kept(None))
    }
}

/// Writes the document that a secret stands in before what it tells of comes to be; returns once it has
/// left the program whole.
///
/// # Errors
/// As the stream has them.
pub fn deliver(session: &mut Session<'_>, document: &impl Record) -> Result<()> {
    let mut writer = session.writer();
    let written = document.write(&mut writer).and_then(|()| Ok(writer.out.flush()?));
    written.context("it can't be written; nothing was changed")
}

/// A file that goes unless it is kept.
#[must_use]
pub struct Kept(Option<NewFile>);

impl Kept {
    /// What the file tells of has come to be.
    pub fn keep(self, session: &mut Session<'_>) {
        if let Some(file) = self.0 {
            session.say(&format!("wrote it to {}", place(file.path())));
            file.keep();
        }
    }
}
