//! What SQLite's errors mean to the user.

use anyhow::Error;
use rusqlite::ErrorCode as SqliteErrorCode;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::store::errors::busy;

/// Adds the refusal that an SQLite error means to the user.
pub fn store_error(error: rusqlite::Error) -> Error {
    let code = error.sqlite_error_code();
    let refusal = match code {
        Some(SqliteErrorCode::DatabaseBusy | SqliteErrorCode::DatabaseLocked) => busy(),
        Some(SqliteErrorCode::CannotOpen) => {
            Refusal::new(ErrorCode::StoreUnavailable, "the store can't be opened")
                .hint("check the permissions of the file and of its folder")
        }
        Some(SqliteErrorCode::NotADatabase) => Refusal::new(
            ErrorCode::Damaged,
            "the store is not an mfactl store: it is not an SQLite file",
        ),
        Some(
            SqliteErrorCode::DatabaseCorrupt
            | SqliteErrorCode::TypeMismatch
            | SqliteErrorCode::ConstraintViolation,
        ) => Refusal::new(ErrorCode::Damaged, "the store is damaged").hint("restore a backup"),
        Some(SqliteErrorCode::ReadOnly | SqliteErrorCode::PermissionDenied) => {
            Refusal::new(ErrorCode::NotPermitted, "the store is read-only")
        }
        Some(
            SqliteErrorCode::DiskFull
            | SqliteErrorCode::SystemIoFailure
            | SqliteErrorCode::FileLockingProtocolFailed,
        ) => {
            Refusal::new(ErrorCode::Io, "reading or writing the store failed; nothing was changed")
                .hint("check whether the disk is full or read-only")
        }
        Some(SqliteErrorCode::OutOfMemory) => {
            Refusal::new(ErrorCode::Io, "out of memory; nothing was changed")
        }
        _ => Refusal::new(ErrorCode::Internal, "the store failed unexpectedly"),
    };
    Error::new(error).context(refusal)
}
