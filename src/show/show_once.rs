//! Codes and temporary passwords, which are shown once: in a terminal, in a new file or in JSON.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::display_path;
use crate::files::operator_file::NewFile;
use crate::report::{Format, Record};
use crate::show::secret_output::{SecretOutput, Target, write_file};

#[derive(Args, Clone, Debug)]
pub struct ShowOnceOptions {
    /// Write the secret to a new file (mode 0600)
    ///
    /// It is then not shown on the terminal.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Allow the secret in a pipe, and in JSON
    #[arg(long)]
    pub reveal_secrets: bool,
}

impl ShowOnceOptions {
    /// Fails with `usage` where `secret`, such as "the bypass code", can't be shown.
    pub fn choose_output(&self, app: &mut App<'_>, secret: &str) -> Result<SecretOutput> {
        self.destination(app)?.require(secret, "FILE")
    }

    /// As [`ShowOnceOptions::choose_output`], for a verb that may continue without showing it in JSON or CSV.
    pub fn choose_output_or_hide(&self, app: &mut App<'_>, secret: &str) -> Result<SecretOutput> {
        if app.is_for_people() { self.choose_output(app, secret) } else { self.destination(app) }
    }

    #[must_use]
    pub const fn has_file(&self) -> bool {
        self.output.is_some()
    }

    fn destination(&self, app: &mut App<'_>) -> Result<SecretOutput> {
        let reveal = self.reveal_secrets;
        if reveal && self.output.is_none() && app.options.format() == Format::Csv {
            return Err(Refusal::new(ErrorCode::Usage, "CSV has no column for a secret")
                .hint("use --json, or add --output FILE")
                .into());
        }
        SecretOutput::choose(app, self.output.as_deref(), reveal, reveal)
    }
}

/// Returns once everything is written and flushed. A file is returned to the caller, who keeps it only
/// after the commit.
pub fn show_text(
    app: &mut App<'_>,
    output: SecretOutput,
    text: &Zeroizing<String>,
) -> Result<WrittenFile> {
    Ok(WrittenFile(match output.target(app) {
        Some(Target::File(file)) => Some(write_file(file, text.as_bytes())?),
        Some(Target::Stream(stream)) => {
            let written = stream.writer.write_all(text.as_bytes());
            written.and_then(|()| stream.writer.flush()).context("the secret can't be written")?;
            None
        }
        None => None,
    }))
}

/// Writes the JSON with a secret before the commit, since a secret that can't be shown must not become
/// valid. Returns once everything is written and flushed.
pub fn write_before_commit(app: &mut App<'_>, document: &impl Record) -> Result<()> {
    let mut writer = app.writer();
    let written = writer.write_record(document).and_then(|()| Ok(writer.out.flush()?));
    written.context("the secret can't be written; nothing was changed")
}

/// A written file, removed on drop unless it is kept.
#[must_use]
pub struct WrittenFile(Option<NewFile>);

impl WrittenFile {
    /// Call this after the commit.
    pub fn keep(self, app: &mut App<'_>) {
        if let Some(file) = self.0 {
            app.note(&format!("wrote it to {}", display_path(file.path())));
            file.keep();
        }
    }
}
