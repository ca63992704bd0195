//! Where a secret is shown. Chosen before anything changes, so that no secret is lost.

use std::path::Path;

use anyhow::{Context as _, Result};

use crate::app::App;
use crate::app::operator_files;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Stream;
use crate::files::file_trust::display_path;
use crate::files::operator_file::NewFile;

pub enum SecretOutput {
    Out,
    Err,
    File(NewFile),
    /// In the JSON on standard output only.
    Document,
    Nowhere,
}

/// A place that can be written to.
pub enum Target<'s> {
    Stream(&'s mut Stream),
    File(NewFile),
}

impl SecretOutput {
    /// `in_document`: the JSON has the secret, so that it need not be shown beside it.
    pub fn choose(
        app: &mut App<'_>,
        file: Option<&Path>,
        reveal: bool,
        in_document: bool,
    ) -> Result<Self> {
        if let Some(path) = file {
            return Ok(Self::File(operator_files::new_file(app, path, "--output")?));
        }
        let has_terminal = app.env.prompt.is_some() && app.env.err.terminal.is_some();
        Ok(match app.is_for_people() {
            true if reveal || app.env.out.terminal.is_some() => Self::Out,
            false if in_document => Self::Document,
            false if has_terminal => Self::Err,
            _ => Self::Nowhere,
        })
    }

    /// Refuses with `usage` where the secret can't be shown.
    pub fn require(self, secret: &str, file: &str) -> Result<Self> {
        if !matches!(self, Self::Nowhere) {
            return Ok(self);
        }
        let message = format!("{secret} can't be shown: standard output is not a terminal");
        Err(Refusal::new(ErrorCode::Usage, message)
            .hint(format!("add --output {file}, or --reveal-secrets to allow it in the pipe"))
            .into())
    }

    /// Whether it goes on a page of a terminal, to be wiped once it was read.
    #[must_use]
    pub fn is_for_page(&self, app: &App<'_>) -> bool {
        matches!(self, Self::Out)
            && app.env.out.terminal.is_some()
            && app.env.prompt.as_ref().is_some_and(|person| person.has_pages())
    }

    #[must_use]
    pub const fn is_document(&self) -> bool {
        matches!(self, Self::Document)
    }

    #[must_use]
    pub const fn is_nowhere(&self) -> bool {
        matches!(self, Self::Nowhere)
    }

    /// `None` where nothing is to be written.
    pub fn target<'s>(self, app: &'s mut App<'_>) -> Option<Target<'s>> {
        match self {
            Self::Out => Some(Target::Stream(&mut app.env.out)),
            Self::Err => Some(Target::Stream(&mut app.env.err)),
            Self::File(file) => Some(Target::File(file)),
            Self::Document | Self::Nowhere => None,
        }
    }
}

/// Writes the file and syncs it. The caller keeps it once the secret is valid.
pub fn write_file(mut file: NewFile, content: &[u8]) -> Result<NewFile> {
    file.write_and_sync(content)
        .with_context(|| format!("--output: {} can't be written", display_path(file.path())))?;
    Ok(file)
}
