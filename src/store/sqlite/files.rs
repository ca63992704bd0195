//! The file of a store and the files beside it.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The file of the store, and its side files.
#[must_use]
pub fn files(path: &Path) -> Vec<PathBuf> {
    ["", "-wal", "-shm", "-journal", "-queue"].map(|suffix| with_suffix(path, suffix)).to_vec()
}

/// Device and inode of the file at a path.
pub fn file_id(path: &Path) -> Option<(u64, u64)> {
    path.symlink_metadata().ok().map(|m| (m.dev(), m.ino()))
}

pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
