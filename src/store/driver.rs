//! The interface of a database driver: run statements in a transaction, and commit.

use anyhow::{Error, Result};

use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::store::checks::one_row;
use crate::store::errors::OccupiedEvent;
use crate::store::row::{Row, USER_ROW_ID_COLUMN, Value};
use crate::store::row_write::{RowWrite, WriteKind};
use crate::store::sql;
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

    /// Runs queries one after another, in one message where the database has a server, and passes their rows, with the
    /// number of the query, to `visit` until that returns `false` for the query.
    fn query_each(
        &mut self,
        queries: &[Query<'_>],
        visit: &mut dyn FnMut(usize, &dyn Row) -> Result<bool>,
    ) -> Result<()> {
        for (n, Query { sql, values }) in queries.iter().enumerate() {
            self.query(sql, values, &mut |row| visit(n, row))?;
        }
        Ok(())
    }

    /// Reads the users with these names, of each name the first spelling that somebody has at least, and the end of the
    /// log if it is wanted. Where the database locks rows, the users are locked first, in the order of their ids. Each
    /// user comes before their devices and their newest event, and the end comes last.
    fn read_users(
        &mut self,
        names: &[UserName],
        wants_end: bool,
        visit: &mut dyn FnMut(UserPart, &dyn Row) -> Result<()>,
    ) -> Result<()> {
        for name in names {
            for spelling in name.spellings() {
                let mut keys = None;
                self.query(&sql::USER, &[Value::Text(spelling.to_owned())], &mut |row| {
                    keys = Some((row.int(USER_ROW_ID_COLUMN)?, row.bytes(0).ok().flatten()));
                    visit(UserPart::User, row).map(|()| false)
                })?;
                let Some((number, id)) = keys else { continue };
                let number = [Value::Int(number.unwrap_or_default())];
                self.query(&sql::DEVICES, &number, &mut |row| {
                    visit(UserPart::Device, row).map(|()| true)
                })?;
                if let Some(id) = id {
                    self.query(sql::NEWEST_EVENT, &[Value::Bytes(id)], &mut |row| {
                        visit(UserPart::NewestEvent, row).map(|()| false)
                    })?;
                }
                break;
            }
        }
        if wants_end {
            self.query(sql::HEAD, &[], &mut |row| visit(UserPart::EndOfLog, row).map(|()| false))?;
        }
        Ok(())
    }

    /// Writes rows; a database on a server may do so as late as with the next query or the commit, which then fails.
    fn write(&mut self, writes: Vec<RowWrite>) -> Result<()> {
        for RowWrite { kind, values } in writes {
            let written = self.execute(&kind.sql(), &values);
            let rows = written.map_err(|error| occupied(error, &kind))?;
            if kind.is_of_one_row() {
                one_row(rows)?;
            }
        }
        Ok(())
    }

    /// Locks the end of the log with the next query. Whether it may have moved since it was read without the lock.
    fn lock_end(&mut self) -> bool {
        false
    }

    /// Prepares for the same statements about several rows.
    fn expect_set(&mut self) -> Result<()> {
        Ok(())
    }

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

/// A query with its values.
#[derive(Clone, Copy)]
pub struct Query<'q> {
    pub sql: &'q str,
    pub values: &'q [Value],
}

/// What a row of [`Driver::read_users`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserPart {
    /// As [`sql::USER`].
    User,
    /// As [`sql::DEVICES`].
    Device,
    /// As [`sql::NEWEST_EVENT`].
    NewestEvent,
    /// As [`sql::HEAD`].
    EndOfLog,
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

/// Nothing but an event with the same number can keep an event out.
fn occupied(error: Error, kind: &WriteKind) -> Error {
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if *kind == WriteKind::NewEvent && refusal.code == ErrorCode::Damaged => {
            let refusal = refusal.clone();
            error.context(OccupiedEvent).context(refusal)
        }
        _ => error,
    }
}

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
