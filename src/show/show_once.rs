//! Codes and temporary passwords, which are shown once: in a terminal, in a new file or in JSON.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files;
use crate::files::file_trust::display_path;
use crate::files::operator_file::NewFile;
use crate::report::{Format, Record, Writable as _};

#[derive(Args, Clone, Debug)]
pub struct ShowOnceOptions {
    /// Write it to a new file (mode 0600)
    ///
    /// It is then not shown on the terminal.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Allow it in a pipe, and in JSON
    #[arg(long)]
    pub reveal_secrets: bool,
}

/// Where it will be shown. Chosen before anything changes, so that nothing is lost.
pub enum OneTimeOutput {
    Out,
    Err,
    File(NewFile),
    /// In the JSON on standard output only.
    Document,
    Nowhere,
}

impl ShowOnceOptions {
    /// Fails with `usage` where it can't be shown.
    pub fn choose_output(&self, session: &mut App<'_>) -> Result<OneTimeOutput> {
        let once = self.destination(session)?;
        if !matches!(once, OneTimeOutput::Nowhere) {
            return Ok(once);
        }
        Err(Refusal::new(ErrorCode::Usage, "it can't be shown: standard output is not a terminal")
            .hint("add --output FILE, or --reveal-secrets to allow it in the pipe")
            .into())
    }

    /// As [`ShowOnceOptions::choose_output`], for a verb that may continue without showing it in JSON or CSV.
    pub fn choose_output_or_hide(&self, session: &mut App<'_>) -> Result<OneTimeOutput> {
        if session.is_for_people() {
            self.choose_output(session)
        } else {
            self.destination(session)
        }
    }

    #[must_use]
    pub const fn has_file(&self) -> bool {
        self.output.is_some()
    }

    fn destination(&self, session: &mut App<'_>) -> Result<OneTimeOutput> {
        if let Some(path) = &self.output {
            let file = files::new_file(session, path, "--output")?;
            return Ok(OneTimeOutput::File(file));
        }
        if self.reveal_secrets && session.options.format() == Format::Csv {
            return Err(Refusal::new(ErrorCode::Usage, "CSV has no column for a secret")
                .hint("use --json, or add --output FILE")
                .into());
        }
        let has_terminal = session.env.prompt.is_some() && session.env.err.terminal.is_some();
        Ok(match (session.is_for_people(), self.reveal_secrets) {
            (false, true) => OneTimeOutput::Document,
            (false, false) if has_terminal => OneTimeOutput::Err,
            (true, reveal) if reveal || session.env.out.terminal.is_some() => OneTimeOutput::Out,
            _ => OneTimeOutput::Nowhere,
        })
    }
}

impl OneTimeOutput {
    #[must_use]
    pub const fn is_document(&self) -> bool {
        matches!(self, Self::Document)
    }

    /// Returns once everything is written and flushed. A file is returned to the caller, who keeps it
    /// only after the commit.
    pub fn show(self, session: &mut App<'_>, text: &Zeroizing<String>) -> Result<WrittenFile> {
        let stream = match self {
            Self::Document | Self::Nowhere => return Ok(WrittenFile(None)),
            Self::Out => &mut session.env.out,
            Self::Err => &mut session.env.err,
            Self::File(mut file) => {
                file.write_and_sync(text.as_bytes()).with_context(|| {
                    format!("--output: {} can't be written", display_path(file.path()))
                })?;
                return Ok(WrittenFile(Some(file)));
            }
        };
        let written = stream.writer.write_all(text.as_bytes()).and_then(|()| stream.writer.flush());
        written.context("the secret can't be written")?;
        Ok(WrittenFile(None))
    }
}

/// Writes the JSON with a secret before the commit, since a secret that can't be shown must not become
/// valid. Returns once everything is written and flushed.
pub fn write_before_commit(session: &mut App<'_>, document: &impl Record) -> Result<()> {
    let mut writer = session.writer();
    let written = document.write(&mut writer).and_then(|()| Ok(writer.out.flush()?));
    written.context("the secret can't be written; nothing was changed")
}

/// A written file, removed on drop unless it is kept.
#[must_use]
pub struct WrittenFile(Option<NewFile>);

impl WrittenFile {
    /// Call this after the commit.
    pub fn keep(self, session: &mut App<'_>) {
        if let Some(file) = self.0 {
            session.note(&format!("wrote it to {}", display_path(file.path())));
            file.keep();
        }
    }
}
