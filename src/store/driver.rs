//! What a database must be able to do for us: run a statement, and make what was run durable.

use anyhow::Result;

use super::row::{Row, Value};
use super::table::Table;
use crate::domain::time::Timestamp;

/// A transaction of one database, with the statements of [`super::sql`].
pub trait Driver {
    /// Runs a statement that gives no rows; tells how many it touched.
    ///
    /// # Errors
    /// As the database has them.
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64>;

    /// Runs a statement that gives rows, one at a time, until `visit` wants no more of them.
    ///
    /// # Errors
    /// As the database has them, and what `visit` returns.
    fn query(
        &mut self,
        sql: &str,
        values: &[Value],
        visit: &mut dyn FnMut(&dyn Row) -> Result<bool>,
    ) -> Result<()>;

    /// The database's own clock, where it has one that is not ours.
    ///
    /// # Errors
    /// As the database has them.
    fn clock(&mut self) -> Result<Option<Timestamp>>;

    /// What follows is a change of many users.
    ///
    /// # Errors
    /// As the database has them.
    fn expect_bulk(&mut self) -> Result<()> {
        Ok(())
    }

    /// Fills a table with the rows that `source` puts into it.
    ///
    /// # Errors
    /// As the database and the source have them.
    fn load(&mut self, table: &Table, source: RowFeed<'_>) -> Result<()> {
        let insert = table.insert();
        source(&mut |values| self.execute(&insert, &values).map(|_| ()))
    }

    /// RowFeed that number themselves go on after the highest number that was given to one.
    ///
    /// # Errors
    /// As the database has them.
    fn reset_sequences(&mut self) -> Result<()> {
        Ok(())
    }

    /// Nobody else may even look at what is locked: rows that others wait for are about to go.
    ///
    /// # Errors
    /// `busy` when somebody else does.
    fn lock_exclusively(&mut self) -> Result<()> {
        Ok(())
    }

    /// What was overwritten must not be readable in the database's files after the commit.
    ///
    /// # Errors
    /// As the database has them.
    fn purge_overwritten(&mut self) -> Result<()> {
        Ok(())
    }

    /// # Errors
    /// As the database has them.
    fn commit(self) -> Result<()>;
}

/// Puts rows, one at a time, into what it is given.
pub type RowFeed<'r> = &'r mut dyn FnMut(&mut dyn FnMut(Vec<Value>) -> Result<()>) -> Result<()>;

/// The first row, as `read` takes it.
pub fn first<T>(
    driver: &mut impl Driver,
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
