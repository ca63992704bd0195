//! The forms of a handout: a page for a browser, a page for a printer, text.

use std::ffi::OsStr;
use std::path::Path;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::display_path;

/// What a handout is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoutForm {
    Html,
    Pdf,
    Text,
}

impl HandoutForm {
    pub const ALL: [Self; 3] = [Self::Html, Self::Pdf, Self::Text];

    /// Its word in JSON and on the command line, which is how the names of its files end.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Text => "txt",
        }
    }

    /// The form that the name of a file asks for.
    ///
    /// Fails with `usage` for any other name.
    pub fn of(path: &Path, option: &str) -> Result<Self, Refusal> {
        let extension = path.extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
        match extension.as_deref() {
            Some("html" | "htm") => Ok(Self::Html),
            Some("pdf") => Ok(Self::Pdf),
            Some("txt") => Ok(Self::Text),
            _ => {
                let problem = format!("{} does not end in .html, .pdf or .txt", display_path(path));
                Err(Refusal::new(ErrorCode::Usage, problem)
                    .field(option)
                    .hint("name a file that ends in .html, .pdf or .txt"))
            }
        }
    }
}
