//! The interface of a database driver: run statements in a transaction, and commit.

use anyhow::Result;

use crate::domain::time::Timestamp;
use crate::store::row::{Row, Value};
use crate::store::table::Table;

/// A transaction of one database, with the statements of [`crate::store::sql`].
pub trait Driver {
    /// Runs a statement without a result and returns the number of affected rows.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64>;

    /// Runs a query and passes its rows to `visit` until that returns `false`.
    fn query(
        &mut self,
        sql: &str,
        values: &[Value],
        visit: &mut dyn FnMut(&dyn Row) -> Result<bool>,
    ) -> Result<()>;

    /// The database server's current time; `None` where the database uses this machine's clock.
    fn clock(&mut self) -> Result<Option<Timestamp>>;

    /// Prepares for a change of many rows.
    fn expect_bulk(&mut self) -> Result<()> {
        Ok(())
    }

    /// Inserts the rows from `source` into a table.
    fn insert_rows(&mut self, table: &Table, source: RowFeed<'_>) -> Result<()> {
        let insert = table.insert();
        source(&mut |values| self.execute(&insert, &values).map(|_| ()))
    }

    /// Sets the sequences of row ids to continue after the highest id in use.
    fn reset_sequences(&mut self) -> Result<()> {
        Ok(())
    }

    /// Excludes readers as well as writers, because the rows that they would wait for are about to be
    /// deleted; `busy` when that takes too long.
    fn lock_exclusively(&mut self) -> Result<()> {
        Ok(())
    }

    /// Makes the next query read its table in this way. Returns what has to follow the name of the table; `None` when
    /// the database has no such index.
    fn route(&mut self, route: Route) -> Result<Option<String>>;

    /// What the database's own check finds wrong with its file; `None` when nothing is, or when it has no such
    /// check.
    fn check_file(&mut self) -> Result<Option<String>> {
        Ok(None)
    }

    /// Makes overwritten data unreadable in the database's files after the commit.
    fn purge_overwritten(&mut self) -> Result<()> {
        Ok(())
    }

    fn commit(self: Box<Self>) -> Result<()>;
}

/// How a query reads a table.
#[derive(Clone, Copy, Debug)]
pub enum Route {
    /// The table itself.
    Table,
    /// An index, by its name in SQLite, which has none for the primary key. PostgreSQL chooses it by the order of the
    /// query.
    Index(Option<&'static str>),
}

/// Calls the function that it is given with one row after another.
pub type RowFeed<'r> = &'r mut dyn FnMut(&mut dyn FnMut(Vec<Value>) -> Result<()>) -> Result<()>;

/// The first row of a query, converted by `read`.
pub fn first<T>(
    driver: &mut dyn Driver,
    sql: &str,
    values: &[Value],
    read: impl Fn(&dyn Row) -> Result<T>,
) -> Result<Option<T>> {
    let mut found = None;
    driver.query(sql, values, &mut |row| {
        found = Some(read(row)?);
        Ok(false)
    })?;
    Ok(found)
}
