//! The embedded store: one SQLite file.

mod busy_timeout;
mod driver;
mod open;
mod schema;
mod statement;
mod write_queue;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Error, Result};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode as SqliteErrorCode, TransactionBehavior};

pub use open::{create, files, is_free, migrate, open};

use crate::store::sqlite::write_queue::WriteQueue;
use driver::SqliteDriver;

use crate::domain::audit::event::Head;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::keyring::Vault;
use crate::store::read_tx::ReadTx;
use crate::store::row::{Row, Value};
use crate::store::write_tx::WriteTx;
use crate::store::{Identity, Snapshot, Store, StoreInit, Transaction, busy};

/// An open SQLite store.
pub struct Sqlite {
    connection: Connection,
    path: PathBuf,
    /// Device and inode of the file when it was opened.
    file_id: Option<(u64, u64)>,
    identity: Identity,
    queue: WriteQueue,
    /// How long to wait for other programs' locks.
    busy_timeout: Duration,
    has_written: bool,
}

impl Store for Sqlite {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn is_there(&self) -> bool {
        self.file_id.is_some() && open::file_id(&self.path) == self.file_id
    }

    fn defer_upkeep(&mut self) {
        open::defer_checkpoint(&mut self.connection, &self.path);
    }

    fn upkeep(&mut self) {
        open::checkpoint_if_long(&self.connection, &self.path);
    }

    /// Uses `BEGIN IMMEDIATE`: a deferred transaction that reads first can't be upgraded while another
    /// process writes, and would fail at once instead of waiting.
    fn begin<'a>(&'a mut self, vault: &'a Vault) -> Result<Box<dyn Transaction + 'a>> {
        Ok(Box::new(WriteTx::new(self.locked()?, vault)))
    }

    fn replace_all<'a>(
        &'a mut self,
        vault: &'a Vault,
        head: &Head,
    ) -> Result<Box<dyn StoreInit + 'a>> {
        Ok(Box::new(WriteTx::emptied(self.locked()?, vault, head)?))
    }

    fn read<'a>(&'a mut self) -> Result<Box<dyn Snapshot + 'a>> {
        busy_timeout::start(self.busy_timeout);
        let tx = self.connection.transaction().map_err(store_error)?;
        Ok(Box::new(ReadTx(SqliteDriver {
            tx,
            caches_statements: false,
            purges_wal: false,
            _turn: None,
        })))
    }
}

impl Sqlite {
    fn locked(&mut self) -> Result<SqliteDriver<'_>> {
        let turn = self.queue.wait(busy_timeout::start(self.busy_timeout)).ok_or_else(busy)?;
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(store_error)?;
        let caches_statements = std::mem::replace(&mut self.has_written, true);
        Ok(SqliteDriver { tx, caches_statements, purges_wal: false, _turn: Some(turn) })
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Text(s) => ValueRef::Text(s.as_bytes()),
            Self::Bytes(b) => ValueRef::Blob(b),
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn int(&self, column: usize) -> Result<Option<i64>> {
        match self.get_ref(column).map_err(store_error)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(n) => Ok(Some(n)),
            other => Err(wrong_type(column, &other)),
        }
    }

    fn is_null(&self, column: usize) -> Result<bool> {
        Ok(self.get_ref(column).map_err(store_error)? == ValueRef::Null)
    }

    fn is_bytes(&self, column: usize, bytes: &[u8]) -> bool {
        self.get_ref(column).is_ok_and(|value| value == ValueRef::Blob(bytes))
    }

    fn text_ref(&self, column: usize) -> Result<Option<&str>> {
        match self.get_ref(column).map_err(store_error)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(s) => std::str::from_utf8(s).map(Some).map_err(not_utf8),
            other => Err(wrong_type(column, &other)),
        }
    }

    fn bytes_ref(&self, column: usize) -> Result<Option<&[u8]>> {
        match self.get_ref(column).map_err(store_error)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(b) => Ok(Some(b)),
            other => Err(wrong_type(column, &other)),
        }
    }
}

fn wrong_type(column: usize, value: &ValueRef<'_>) -> Error {
    Error::msg(format!("column {column} holds a {}", value.data_type()))
        .context(Refusal::damaged("a value has the wrong type").hint("restore a backup"))
}

fn not_utf8(error: std::str::Utf8Error) -> Error {
    Error::new(error).context(Refusal::damaged("a text is not UTF-8").hint("restore a backup"))
}

/// Adds the refusal that an SQLite error means to the user.
fn store_error(error: rusqlite::Error) -> Error {
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
