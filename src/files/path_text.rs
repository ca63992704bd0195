//! Paths in messages and in lines that show a command.

use std::path::{Path, PathBuf};

use crate::domain::text::{shell_argument, shown};

/// The parent folder of a path; `.` for a bare name.
#[must_use]
pub fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// A path in a line that shows a command.
#[must_use]
pub fn path_argument(path: &Path) -> String {
    shell_argument(&path.to_string_lossy())
}

/// A path for display, with control characters escaped.
#[must_use]
pub fn display_path(path: &Path) -> String {
    shown(&path.to_string_lossy()).into_owned()
}
