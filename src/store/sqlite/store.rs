//! An open SQLite file.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use rusqlite::{Connection, TransactionBehavior};

use crate::domain::audit::event::Head;
use crate::keyring::Vault;
use crate::store::copy::emptied;
use crate::store::engine::Store;
use crate::store::errors::busy;
use crate::store::identity::Identity;
use crate::store::lock_scope::LockScope;
use crate::store::read_tx::ReadTx;
use crate::store::sqlite::busy_timeout;
use crate::store::sqlite::disk::with_disk;
use crate::store::sqlite::driver::SqliteDriver;
use crate::store::sqlite::errors::store_error;
use crate::store::sqlite::files::file_id;
use crate::store::sqlite::wal::{checkpoint_if_long, defer_checkpoint};
use crate::store::sqlite::write_queue::WriteQueue;
use crate::store::write_tx::WriteTx;

/// An open SQLite store.
pub struct Sqlite {
    pub connection: Connection,
    pub path: PathBuf,
    /// Device and inode of the file when it was opened.
    pub file_id: Option<(u64, u64)>,
    pub identity: Identity,
    pub queue: WriteQueue,
    /// How long to wait for other programs' locks.
    pub busy_timeout: Duration,
    pub has_written: bool,
}

impl Store for Sqlite {
    fn identity(&self) -> Identity {
        self.identity
    }

    fn is_there(&self) -> bool {
        self.file_id.is_some() && file_id(&self.path) == self.file_id
    }

    fn defer_upkeep(&mut self) {
        defer_checkpoint(&mut self.connection, &self.path);
    }

    fn upkeep(&mut self) {
        checkpoint_if_long(&self.connection, &self.path);
    }

    /// Uses `BEGIN IMMEDIATE`: a deferred transaction that reads first can't be upgraded while another
    /// process writes, and would fail at once instead of waiting.
    fn begin_scope<'a>(&'a mut self, vault: &'a Vault, scope: LockScope) -> Result<WriteTx<'a>> {
        Ok(WriteTx::new(Box::new(self.locked()?), vault, scope))
    }

    fn replace_all<'a>(&'a mut self, vault: &'a Vault, head: &Head) -> Result<WriteTx<'a>> {
        emptied(Box::new(self.locked()?), vault, head)
    }

    fn read(&mut self) -> Result<ReadTx<'_>> {
        busy_timeout::start(self.busy_timeout);
        let path = &self.path;
        let tx = self.connection.transaction().map_err(|e| with_disk(store_error(e), path))?;
        let driver = SqliteDriver { tx, caches_statements: false, purges_wal: false, _turn: None };
        Ok(ReadTx { driver: Box::new(driver) })
    }
}

impl Sqlite {
    fn locked(&mut self) -> Result<SqliteDriver<'_>> {
        let turn = self.queue.wait(busy_timeout::start(self.busy_timeout)).ok_or_else(busy)?;
        let path = &self.path;
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|error| with_disk(store_error(error), path))?;
        let caches_statements = std::mem::replace(&mut self.has_written, true);
        Ok(SqliteDriver { tx, caches_statements, purges_wal: false, _turn: Some(turn) })
    }
}
