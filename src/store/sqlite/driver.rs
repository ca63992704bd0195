//! The driver for SQLite transactions.

use std::path::{Path, PathBuf};

use anyhow::Result;
use rusqlite::config::DbConfig;
use rusqlite::{DropBehavior, params_from_iter};

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::store::access::Access;
use crate::store::driver::{Driver, Route};
use crate::store::row::{Row, Value};
use crate::store::sqlite::busy_timeout;
use crate::store::sqlite::disk::{disk_refusal, error_of};
use crate::store::sqlite::errors::store_error;
use crate::store::sqlite::statement::PreparedStatement;
use crate::store::sqlite::wal::truncate_wal;
use crate::store::sqlite::write_queue::Turn;

/// Size in KiB of the page cache for a change of many users. Ids are random, so every insert touches
/// another page of their indexes.
const BULK_CACHE: i32 = 64 * 1024;
/// The same for the users of one batch. A verifier keeps it for as long as it runs, and each commit looks through all of
/// it: a larger one made no batch faster.
const SET_CACHE: i32 = 500;

pub struct SqliteDriver<'a> {
    pub tx: rusqlite::Transaction<'a>,
    /// Cache prepared statements: this process runs each of them more than once.
    pub caches_statements: bool,
    /// Empty the write-ahead log after the commit, because it still holds erased data.
    pub purges_wal: bool,
    /// Released when the transaction has ended.
    pub _turn: Option<Turn>,
}

impl Driver for SqliteDriver<'_> {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        let mut statement = PreparedStatement::new(&self.tx, sql, self.caches_statements)?;
        let done = statement.execute(params_from_iter(values));
        Ok(done.map_err(|error| error_of(&self.tx, error))? as u64)
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Value],
        visit: &mut dyn FnMut(&dyn Row) -> Result<bool>,
    ) -> Result<()> {
        let mut statement = PreparedStatement::new(&self.tx, sql, self.caches_statements)?;
        let mut rows = statement.query(params_from_iter(values)).map_err(store_error)?;
        while let Some(row) = rows.next().map_err(|error| error_of(&self.tx, error))? {
            if !visit(row)? {
                break;
            }
        }
        Ok(())
    }

    fn clock(&mut self) -> Result<Option<Timestamp>> {
        Ok(None)
    }

    fn expect_bulk(&mut self) -> Result<()> {
        self.caches_statements = true;
        self.tx.pragma_update(None, "cache_size", -BULK_CACHE).map_err(store_error)
    }

    fn expect_set(&mut self) -> Result<()> {
        self.caches_statements = true;
        self.tx.pragma_update(None, "cache_size", -SET_CACHE).map_err(store_error)
    }

    fn route(&mut self, route: Route) -> Result<Option<String>> {
        Ok(match route {
            Route::Table => Some(" NOT INDEXED".to_owned()),
            Route::Index(name) => name.map(|name| format!(" INDEXED BY {name}")),
        })
    }

    fn check_file(&mut self) -> Result<Option<String>> {
        let mut statement = self.tx.prepare("PRAGMA integrity_check(1)").map_err(store_error)?;
        let found: String = statement.query_row((), |row| row.get(0)).map_err(store_error)?;
        Ok((found != "ok").then(|| format!("the database is damaged: {}", shown(&found))))
    }

    /// The write-ahead log still holds the old pages. It is emptied after the commit. If a reader prevents
    /// that for too long, it is emptied when the last connection closes: this setting allows that again.
    fn purge_overwritten(&mut self) -> Result<()> {
        self.purges_wal = true;
        let keep = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        self.tx.set_db_config(keep, false).map_err(store_error).map(|_| ())
    }

    fn commit(self: Box<Self>) -> Result<()> {
        let mut driver = *self;
        if !driver.purges_wal {
            let store = driver.tx.path().map(PathBuf::from);
            return driver.tx.commit().map_err(|error| unconfirmed(error, store.as_deref()));
        }
        let done = driver.tx.execute_batch("COMMIT");
        done.map_err(|error| unconfirmed(error, driver.tx.path().map(Path::new)))?;
        driver.tx.set_drop_behavior(DropBehavior::Ignore);
        // The commit may have used up the time for waiting for other programs' locks.
        busy_timeout::start(busy_timeout::limit(Access::Write));
        truncate_wal(&driver.tx);
        Ok(())
    }
}

/// When the disk fails during the commit, it is unknown whether the change was stored. When it is full, the change
/// was not: the frame that commits is written last.
fn unconfirmed(error: rusqlite::Error, store: Option<&Path>) -> anyhow::Error {
    let error = store_error(error);
    if let Some(refusal) = store.and_then(|store| disk_refusal(&error, store)) {
        return error.context(refusal);
    }
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if refusal.code == ErrorCode::Io => crate::store::errors::unconfirmed(error),
        _ => error,
    }
}
