//! What SQLite's errors mean to the user.

use anyhow::Error;
use rusqlite::ErrorCode as SqliteErrorCode;

use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::store::errors::busy;

/// Whether the disk had no room. `SQLite` finds that for its shared memory as a failure to set its size.
pub fn is_full(error: &rusqlite::Error) -> bool {
    let Some(failure) = error.sqlite_error() else { return false };
    failure.code == SqliteErrorCode::DiskFull
        || failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
}

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
                .hint(command("doctor").after("its file, its folder or its disk can't be written to; see: "))
        }
        _ if is_full(&error) => {
            Refusal::new(ErrorCode::Io, "the disk of the store is full; nothing was changed")
                .hint("make room there")
        }
        Some(SqliteErrorCode::SystemIoFailure | SqliteErrorCode::FileLockingProtocolFailed) => {
            Refusal::new(
                ErrorCode::Io,
                "the disk of the store failed: an input or output error, or a quota that is used up; nothing was \
                 changed",
            )
            .hint(
                command("doctor")
                    .after("look into the system's log, and at the quota of the store's owner; then run: "),
            )
        }
        Some(SqliteErrorCode::OutOfMemory) => {
            Refusal::new(ErrorCode::Io, "out of memory; nothing was changed")
        }
        _ => Refusal::new(ErrorCode::Internal, "the store failed unexpectedly"),
    };
    Error::new(error).context(refusal)
}
