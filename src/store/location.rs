//! What `--store` means.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::domain::refusal::{Code, Refusal};

/// Where a store is.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    Sqlite(PathBuf),
}

impl Location {
    /// A path; an address of a database server is refused in words, and never repeated, since a
    /// password may be in it.
    ///
    /// # Errors
    /// `usage` for what is no path.
    pub fn parse(text: &Path) -> Result<Self, Refusal> {
        let shown = text.to_string_lossy();
        if let Some((scheme, _)) = shown.split_once("://")
            && scheme.chars().all(|c| c.is_ascii_alphanumeric())
        {
            return Err(Refusal::new(
                Code::Usage,
                format!("--store: {scheme}:// is not supported"),
            )
            .hint("name the path of a file"));
        }
        if shown.is_empty() {
            return Err(
                Refusal::new(Code::Usage, "--store: is empty").hint("name the path of a file")
            );
        }
        Ok(Self::Sqlite(text.to_owned()))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => f.write_str(&crate::domain::text::shown(&path.to_string_lossy())),
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}
