//! Codes and temporary passwords, which are shown once: on a page of a terminal, in a new file or in JSON.

use std::path::PathBuf;

use anyhow::{Context as _, Error, Result};
use clap::Args;
use unicode_width::UnicodeWidthStr as _;
use zeroize::Zeroizing;

use crate::app::App;
use crate::app::operator_files;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::wrapped;
use crate::env::{OpenPage, Size};
use crate::files::file_trust::display_path;
use crate::files::operator_file::NewFile;
use crate::report::{Format, Record};
use crate::show::secret_output::{SecretOutput, Target, write_file};
use crate::store::is_unconfirmed;
use crate::texts::{Text, Texts};

#[derive(Args, Clone, Debug)]
pub struct ShowOnceOptions {
    /// Write the secret to a new file (mode 0600)
    ///
    /// It is then not shown on the terminal. With --from the file is CSV, with a row for each user.
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

    /// The file of `--output`, made and empty.
    pub fn new_file(&self, app: &mut App<'_>) -> Result<Option<NewFile>> {
        let path = self.output.as_deref();
        path.map(|path| operator_files::new_file(app, path, "--output")).transpose()
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

/// A secret that is shown once.
pub struct OnceText {
    /// For people: what it is, how long it is good, and what to do with it.
    pub about: String,
    /// As it stands in a file or in a pipe, where programs read it.
    pub text: Zeroizing<String>,
    /// Of whoever sits at the terminal.
    pub texts: Texts,
}

/// Returns once everything is written and flushed. A file or a page is returned to the caller, who keeps it
/// only after the commit.
pub fn show_text(app: &mut App<'_>, output: SecretOutput, mut once: OnceText) -> Result<Shown> {
    once.about = app.env.words(&once.about);
    if output.is_for_page(app) {
        let texts = once.texts;
        let page = Box::new(move |size| page_lines(&once, size));
        let page = app.person("add --output FILE")?.open_page(page);
        return Ok(Shown::Page(page.context("the secret can't be shown")?, texts));
    }
    Ok(match output.target(app) {
        Some(Target::File(file)) => Shown::File(write_file(file, once.text.as_bytes())?),
        Some(Target::Stream(stream)) => {
            let about = match stream.terminal {
                Some(size) => wrapped(&once.about, size.columns.into()).join("\n") + "\n",
                None => String::new(),
            };
            let written = stream.writer.write_all(about.as_bytes());
            written
                .and_then(|()| stream.writer.write_all(once.text.as_bytes()))
                .and_then(|()| stream.writer.flush())
                .context("the secret can't be written")?;
            Shown::Elsewhere
        }
        None => Shown::Elsewhere,
    })
}

/// The secret below what it is for; without that where there is no room, and at last as much as there is room for.
fn page_lines(once: &OnceText, size: Size) -> Vec<Zeroizing<String>> {
    let (columns, rows) = (usize::from(size.columns), usize::from(size.rows));
    let own = |line: &str| Zeroizing::new(line.to_owned());
    let text = || once.text.trim_matches('\n').lines();
    let mut lines: Vec<_> = wrapped(&once.about, columns).iter().map(|line| own(line)).collect();
    lines.push(Zeroizing::default());
    lines.extend(text().map(own));
    if lines.len() > rows || lines.iter().any(|line| line.width() > columns) {
        let lines_of = |line: &str| wrapped(line.trim_start(), columns);
        lines = text().flat_map(lines_of).map(Zeroizing::new).collect();
    }
    if lines.len() > rows {
        lines.truncate(rows.saturating_sub(1));
        let more = wrapped(once.texts.text(Text::EnlargeForRest), columns);
        lines.extend(more.into_iter().map(Zeroizing::new));
        lines.truncate(rows);
    }
    lines
}

/// Writes the JSON with a secret before the commit, since a secret that can't be shown must not become
/// valid. Returns once everything is written and flushed.
pub fn write_before_commit(app: &mut App<'_>, document: &impl Record) -> Result<()> {
    let mut writer = app.writer();
    let written = writer.write_record(document).and_then(|()| Ok(writer.out.flush()?));
    written.context("the secret can't be written; nothing was changed")
}

/// What was shown. On drop a file is removed and a page is wiped.
#[must_use]
pub enum Shown {
    File(NewFile),
    Page(OpenPage, Texts),
    Elsewhere,
}

impl Shown {
    /// Call this after a change that failed: says whether what was shown is good. `void`: it is not.
    pub fn after_failure(shown: Option<Self>, void: &'static str, error: Error) -> Error {
        match shown {
            Some(Self::File(file)) => operator_files::after_failure(file, void, error),
            _ if is_unconfirmed(&error) => error.context("what was shown may be in force"),
            _ => error.context(void),
        }
    }

    /// Call this after the commit. Waits until a page has been read.
    pub fn keep(self, app: &mut App<'_>) {
        match self {
            Self::File(file) => {
                app.note(&format!("wrote it to {}", display_path(file.path())));
                file.keep();
            }
            Self::Page(page, texts) => {
                if let Some(person) = &mut app.env.prompt {
                    person.set_interrupt_message(texts.text(Text::ShownIsInForce));
                    // A terminal that is gone shows nothing any more.
                    let _ = person.line(&texts.question(texts.text(Text::EnterWipes)));
                }
                drop(page);
            }
            Self::Elsewhere => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(columns: u16, rows: u16) -> Vec<String> {
        let text = "Codes of alice.\n\n    AAAA-BBBB-CCCC-DDDD\n    EEEE-FFFF-GGGG-HHHH\n\n";
        let about = "Each is good once, in place of a code from the phone.".to_owned();
        let text = Zeroizing::new(text.to_owned());
        let once = OnceText { about, text, texts: Texts::FOR_OPERATORS };
        let lines = page_lines(&once, Size { columns, rows });
        lines.iter().map(|line| line.to_string()).collect()
    }

    #[test]
    fn d19_a_secret_stands_below_what_it_is_for_and_goes_first_where_room_is_short() {
        let large = lines(80, 23);
        assert_eq!(large[0], "Each is good once, in place of a code from the phone.");
        assert_eq!(large.last().unwrap(), "    EEEE-FFFF-GGGG-HHHH");
        assert_eq!(lines(80, 3), ["Codes of alice.", "AAAA-BBBB-CCCC-DDDD", "EEEE-FFFF-GGGG-HHHH"]);
        assert_eq!(lines(80, 2)[1], "Enlarge the terminal to see the rest.");
        for columns in 1..60 {
            for rows in 0..20 {
                let lines = lines(columns, rows);
                assert!(lines.len() <= rows.into());
                assert!(lines.iter().all(|line| line.width() <= columns.into()), "{lines:?}");
            }
        }
    }
}
