//! The disk of the store, where an SQLite error is its fault: the error names the folder, and what shows more.

use std::path::Path;

use anyhow::Error;
use rusqlite::ErrorCode as SqliteErrorCode;
use rustix::fs::{StatVfsMountFlags, statvfs};

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::disk_fault::{mount_hint, room_hint};
use crate::files::file_trust::{display_path, folder_of};
use crate::store::sqlite::errors::{is_full, store_error};

/// The error with the disk named, if that is full or read-only; `None` for any other error.
pub fn disk_refusal(error: &Error, store: &Path) -> Option<Refusal> {
    let cause = error.downcast_ref::<rusqlite::Error>()?;
    let folder = folder_of(store);
    if is_full(cause) {
        let words = "the disk of the store is full; nothing was changed";
        return Some(Refusal::new(ErrorCode::Io, words).hint(room_hint(store)));
    }
    let (code, what) = match cause.sqlite_error_code()? {
        SqliteErrorCode::ReadOnly => (ErrorCode::NotPermitted, "the store is read-only"),
        SqliteErrorCode::CannotOpen => (ErrorCode::StoreUnavailable, "the store can't be opened"),
        _ => return None,
    };
    let is_read_only =
        statvfs(&folder).is_ok_and(|disk| disk.f_flag.contains(StatVfsMountFlags::RDONLY));
    is_read_only.then(|| {
        let words = format!("{what}: the disk of {} is mounted read-only", display_path(&folder));
        Refusal::new(code, words).hint(mount_hint(store))
    })
}

/// Adds to an error what the disk has to do with it.
pub fn with_disk(error: Error, store: &Path) -> Error {
    match disk_refusal(&error, store) {
        Some(refusal) => error.context(refusal),
        None => error,
    }
}

/// The refusal that an SQLite error of this connection means.
pub fn error_of(connection: &rusqlite::Connection, error: rusqlite::Error) -> Error {
    let error = store_error(error);
    match connection.path() {
        Some(path) => with_disk(error, Path::new(path)),
        None => error,
    }
}
