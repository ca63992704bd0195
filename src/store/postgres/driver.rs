//! The driver for PostgreSQL transactions.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::LazyLock;

use anyhow::{Error, Result};
use futures_util::TryStreamExt as _;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};

use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::store::driver::{Driver, Query, Route, RowFeed, UserPart, first};
use crate::store::errors::unconfirmed;
use crate::store::lock_scope::LockScope;
use crate::store::postgres::begin::{Purpose, Schema, SearchPath};
use crate::store::postgres::connection::PgConnection;
use crate::store::postgres::errors::store_error;
use crate::store::postgres::many_rows::{Statement, statements};
use crate::store::postgres::pipeline::{Parameter, Pipeline, ServerAnswer};
use crate::store::row::{self, DEVICE_COLUMNS, Row, USER_COLUMNS, Value};
use crate::store::row_write::RowWrite;
use crate::store::sql;
use crate::store::table::{ColumnType, Table};

/// Users by their exact names, with the columns of [`sql::USER`].
static NAMED_USERS: LazyLock<String> = LazyLock::new(|| {
    let columns = USER_COLUMNS.join(", ");
    format!("SELECT {columns}, mac, n FROM users WHERE name = ANY($1::text[]) ORDER BY id")
});
/// The same, which nobody else changes from now on. All are locked before any other row, and in the order of their ids,
/// which never change: so nobody waits for a user while they hold a later one. Who has the store needs no such lock, and
/// a lock is a write.
static LOCKED_USERS: LazyLock<String> = LazyLock::new(|| format!("{} FOR UPDATE", *NAMED_USERS));
/// Their devices, with the columns of [`sql::DEVICES`].
static DEVICES_OF_NAMED: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT d.{}, d.mac, d.n, d.\"user\" FROM users u JOIN devices d ON d.\"user\" = u.n \
         WHERE u.name = ANY($1::text[]) ORDER BY d.\"user\", d.n",
        DEVICE_COLUMNS.join(", d.")
    )
});
/// The newest event about each, with the columns of [`sql::NEWEST_EVENT`].
const NEWEST_EVENTS_OF_NAMED: &str = "SELECT e.seq, e.rev, e.hash, e.mac, e.was_stamp, e.user_id FROM users u \
    CROSS JOIN LATERAL (SELECT seq, rev, hash, mac, was_stamp, user_id FROM events WHERE user_id = u.id \
    ORDER BY seq DESC LIMIT 1) e WHERE u.name = ANY($1::text[])";

/// Everybody who changes something takes this first, and holds it to the end: a login beside other logins, everybody
/// else alone. Readers go on.
const LOCK_STORE: &str = "LOCK TABLE audit_head IN EXCLUSIVE MODE";
const SHARE_STORE: &str = "LOCK TABLE audit_head IN ROW SHARE MODE";
/// The hash chain has one end. Nobody takes another lock after this.
const LOCK_END: &str = "SELECT one FROM audit_head FOR UPDATE";
const CLOCK: &str = "SELECT extract(epoch FROM clock_timestamp())::bigint";

/// So many statements wait for the next query at most, so that the memory does not grow with a list.
const MOST_QUEUED: usize = 2000;

/// A transaction; dropping it rolls it back.
pub struct PostgresDriver<'a> {
    connection: &'a PgConnection,
    pub purpose: Purpose,
    scope: LockScope,
    is_open: bool,
    /// A change of many rows, whose time limit starts again with each statement.
    is_bulk: bool,
    /// What is sent with the next query, or with the commit.
    queue: Vec<Queued>,
    /// The server's time, once the transaction has what is in its scope or somebody has asked for it.
    clock: Option<i64>,
}

/// A statement that waits for company.
enum Queued {
    Begin,
    /// Without values and without a result.
    Plain(String),
    Lock,
    Write(Statement),
}

impl<'a> PostgresDriver<'a> {
    /// A transaction for a change; `busy` when another writer holds what is in its scope for too long.
    pub fn write(connection: &'a PgConnection, scope: LockScope) -> Result<Self> {
        let mut driver = Self::begin(connection, Purpose::Change)?;
        driver.take(scope)?;
        Ok(driver)
    }

    /// Begins again within the time limit of a transaction that was rolled back; `None` when too little
    /// is left.
    pub fn write_again(connection: &'a PgConnection, scope: LockScope) -> Result<Option<Self>> {
        let Some(begin) = connection.begin_again() else { return Ok(None) };
        let mut driver = Self::new(connection, Purpose::Change);
        driver.run(&begin)?;
        driver.take(scope)?;
        Ok(Some(driver))
    }

    /// A transaction, whose first message goes with its first statement.
    pub fn begin(connection: &'a PgConnection, purpose: Purpose) -> Result<Self> {
        let mut driver = Self::new(connection, purpose);
        driver.queue.push(Queued::Begin);
        if purpose == Purpose::Migrate {
            driver.flush()?;
        }
        Ok(driver)
    }

    const fn new(connection: &'a PgConnection, purpose: Purpose) -> Self {
        let scope = LockScope::Store;
        Self {
            connection,
            purpose,
            scope,
            is_open: true,
            is_bulk: false,
            queue: Vec::new(),
            clock: None,
        }
    }

    fn take(&mut self, scope: LockScope) -> Result<()> {
        self.scope = scope;
        let lock = if scope == LockScope::Store { LOCK_STORE } else { SHARE_STORE };
        self.queue.push(Queued::Plain(lock.to_owned()));
        self.look_at_clock()
    }

    fn look_at_clock(&mut self) -> Result<()> {
        self.clock = first(self, CLOCK, &[], |row| row.int(0))?.flatten();
        Ok(())
    }

    pub const fn schema(&self) -> &'a Schema {
        &self.connection.schema
    }

    /// Where the following statements find what they name without a schema.
    pub fn search(&mut self, path: SearchPath) -> Result<()> {
        let path = self.connection.schema.search_path(path);
        self.run(&path)
    }

    /// Runs statements without values and without a result.
    fn run(&mut self, text: &str) -> Result<()> {
        self.queue.push(Queued::Plain(text.to_owned()));
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        self.exchange(&[], &mut |_, _| Ok(true)).map(|_| ())
    }

    /// Sends what is queued and these queries in one message. An error of the first ones is an error of all; each query
    /// has a result of its own.
    pub fn exchange(
        &mut self,
        queries: &[ListQuery<'_>],
        visit: &mut dyn FnMut(usize, &dyn Row) -> Result<bool>,
    ) -> Result<Vec<Result<()>>> {
        let is_write = |queued: &Queued| matches!(queued, Queued::Write(_));
        if self.queue.first().is_some_and(|first| matches!(first, Queued::Begin))
            && self.queue.iter().any(is_write)
        {
            // Without a transaction around it a write would stay, whatever comes after it.
            let rest = self.queue.split_off(1);
            self.flush()?;
            self.queue = rest;
        }
        let queued = std::mem::take(&mut self.queue);
        if queued.is_empty() && queries.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipeline = self.pipeline(&queued);
        let client = &self.connection.client;
        for (sql, values) in queries {
            pipeline.add_query(client, (*sql).to_owned(), values.to_vec());
        }
        self.connection.send(|context| pipeline.send(context))?;
        self.answered(&queued, &mut pipeline)?;
        let mut results = Vec::with_capacity(queries.len());
        for n in 0..queries.len() {
            results.push(self.read(&mut pipeline, &mut |row| visit(n, row)));
        }
        Ok(results)
    }

    fn pipeline(&self, queued: &[Queued]) -> Pipeline<'a> {
        let (client, mut pipeline) = (&self.connection.client, Pipeline::default());
        for queued in queued {
            match queued {
                Queued::Begin => {
                    pipeline.add_batch(client, self.connection.begin_message(self.purpose));
                }
                Queued::Plain(text) => pipeline.add_batch(client, text.clone()),
                Queued::Lock => pipeline.add_execute(client, LOCK_END.to_owned(), Vec::new()),
                Queued::Write((sql, values)) => {
                    pipeline.add_execute(client, sql.clone(), values.clone());
                }
            }
        }
        pipeline
    }

    /// Waits for the answers to what was queued.
    fn answered(&self, queued: &[Queued], pipeline: &mut Pipeline<'a>) -> Result<()> {
        for queued in queued {
            match queued {
                Queued::Begin => self.connection.wait_begun(self.purpose, pipeline.next())?,
                Queued::Plain(_) | Queued::Lock | Queued::Write(_) => {
                    if self.is_bulk {
                        self.connection.extend();
                    }
                    self.connection.wait(pipeline.next()).map(|_| ())?;
                }
            }
        }
        Ok(())
    }

    fn read(
        &self,
        pipeline: &mut Pipeline<'a>,
        visit: &mut dyn FnMut(&dyn Row) -> Result<bool>,
    ) -> Result<()> {
        if self.is_bulk {
            self.connection.extend();
        }
        let ServerAnswer::Rows(mut rows) = self.connection.wait(pipeline.next())? else {
            return Ok(());
        };
        while let Some(row) = self.connection.wait(rows.try_next())? {
            if !visit(&row)? {
                break;
            }
            if self.is_bulk {
                self.connection.extend();
            }
            self.connection.row_received();
        }
        Ok(())
    }
}

/// A query whose values may be arrays.
pub type ListQuery<'q> = (&'q str, &'q [Parameter]);

fn parameters(values: &[Value]) -> Vec<Parameter> {
    values.iter().cloned().map(Parameter::One).collect()
}

impl Drop for PostgresDriver<'_> {
    fn drop(&mut self) {
        let has_begun = !self.queue.iter().any(|queued| matches!(queued, Queued::Begin));
        if !self.is_open || !has_begun {
            return;
        }
        // If the server is gone, it has rolled back already.
        let client = &self.connection.client;
        if matches!(self.purpose, Purpose::Read | Purpose::Inspect) {
            // Nobody waits for what it held.
            let mut pipeline = Pipeline::default();
            pipeline.add_batch(client, "ROLLBACK".to_owned());
            let _ = self.connection.send(|context| pipeline.send(context));
        } else {
            let _ = self.connection.wait(client.batch_execute("ROLLBACK"));
        }
    }
}

impl Driver for PostgresDriver<'_> {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        self.flush()?;
        if self.is_bulk {
            self.connection.extend();
        }
        let values: Vec<_> =
            values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::UNKNOWN)).collect();
        self.connection.wait(self.connection.client.execute_typed(sql, &values))
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Value],
        visit: &mut dyn FnMut(&dyn Row) -> Result<bool>,
    ) -> Result<()> {
        let values = parameters(values);
        let results = self.exchange(&[(sql, &values)], &mut |_, row| visit(row))?;
        results.into_iter().collect()
    }

    fn query_each(
        &mut self,
        queries: &[Query<'_>],
        visit: &mut dyn FnMut(usize, &dyn Row) -> Result<bool>,
    ) -> Result<()> {
        let values: Vec<_> = queries.iter().map(|query| parameters(query.values)).collect();
        let queries: Vec<ListQuery<'_>> =
            queries.iter().zip(&values).map(|(query, values)| (query.sql, &values[..])).collect();
        self.exchange(&queries, visit)?.into_iter().collect()
    }

    /// Each statement sees what was committed before it began: the first one waits until nobody else changes the users,
    /// and the others read what belongs to them.
    fn read_users(
        &mut self,
        names: &[UserName],
        wants_end: bool,
        visit: &mut dyn FnMut(UserPart, &dyn Row) -> Result<()>,
    ) -> Result<()> {
        let spellings: BTreeSet<_> = names.iter().flat_map(UserName::spellings).collect();
        let list = spellings.into_iter().map(|spelling| Some(spelling.to_owned())).collect();
        let list = [Parameter::Texts(list)];
        let users = match self.scope {
            LockScope::Store => &NAMED_USERS,
            LockScope::Users => &LOCKED_USERS,
        };
        let parts = [
            (UserPart::User, users.as_str(), &list[..]),
            (UserPart::Device, DEVICES_OF_NAMED.as_str(), &list[..]),
            (UserPart::NewestEvent, NEWEST_EVENTS_OF_NAMED, &list[..]),
            (UserPart::EndOfLog, sql::HEAD, &[]),
        ];
        let parts = &parts[..if wants_end { 4 } else { 3 }];
        let queries: Vec<ListQuery<'_>> =
            parts.iter().map(|(_, sql, values)| (*sql, *values)).collect();
        let results =
            self.exchange(&queries, &mut |n, row| visit(parts[n].0, row).map(|()| true))?;
        results.into_iter().collect()
    }

    fn write(&mut self, writes: Vec<RowWrite>) -> Result<()> {
        self.queue.extend(statements(writes)?.into_iter().map(Queued::Write));
        if self.queue.len() > MOST_QUEUED { self.flush() } else { Ok(()) }
    }

    fn lock_end(&mut self) -> bool {
        let is_needed = self.scope == LockScope::Users;
        self.queue.extend(is_needed.then_some(Queued::Lock));
        is_needed
    }

    /// Asks the server where no lock was taken: what makes or fills a store takes none of [`LockScope`].
    fn clock(&mut self) -> Result<Option<Timestamp>> {
        if self.clock.is_none() {
            self.look_at_clock()?;
        }
        self.clock.map(|s| Ok(Timestamp::from_unix(s)?)).transpose()
    }

    fn expect_bulk(&mut self) -> Result<()> {
        self.is_bulk = true;
        self.connection.expect_bulk();
        self.queue.push(Queued::Plain("SET LOCAL statement_timeout = 0".to_owned()));
        Ok(())
    }

    /// Uses `COPY`: with one round trip a row, a store of a million users would take hours.
    fn insert_rows(&mut self, table: &Table, source: RowFeed<'_>) -> Result<()> {
        let copy = format!("COPY {}({}) FROM STDIN BINARY", table.name, table.column_list());
        let types: Vec<Type> = table
            .types()
            .map(|column_type| match column_type {
                ColumnType::Int => Type::INT8,
                ColumnType::Text => Type::TEXT,
                ColumnType::Bytes => Type::BYTEA,
            })
            .collect();
        self.flush()?;
        self.connection.extend();
        let sink = self.connection.wait(self.connection.client.copy_in(&copy))?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
        source(&mut |values| {
            self.connection.extend();
            self.connection.wait(writer.as_mut().write_raw(&values))
        })?;
        self.connection.extend();
        self.connection.wait(writer.finish()).map(|_| ())
    }

    fn reset_sequences(&mut self) -> Result<()> {
        for table in ["users", "devices", "requests"] {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'n')::regclass, \
                 coalesce(max(n), 0::bigint) + 1::bigint, false) FROM {table}"
            );
            first(self, &sql, &[], |_| Ok(()))?;
        }
        Ok(())
    }

    fn lock_exclusively(&mut self) -> Result<()> {
        self.run("LOCK TABLE audit_head IN ACCESS EXCLUSIVE MODE")
    }

    /// The planner takes another way only where there is no such one.
    fn route(&mut self, route: Route) -> Result<Option<String>> {
        let (table, index) = match route {
            Route::Table => ("on", "off"),
            Route::Index(_) => ("off", "on"),
        };
        let ways = format!(
            "SET LOCAL enable_seqscan = {table}; SET LOCAL enable_sort = {table}; \
             SET LOCAL enable_indexscan = {index}; \
             SET LOCAL enable_indexonlyscan = {index}; SET LOCAL enable_bitmapscan = off; \
             SET LOCAL max_parallel_workers_per_gather = 0"
        );
        self.run(&ways)?;
        Ok(Some(String::new()))
    }

    /// Sends what is queued together with the `COMMIT`, which is a rollback where a statement before it failed. Where
    /// one could not even be sent, no `COMMIT` follows it.
    fn commit(mut self: Box<Self>) -> Result<()> {
        if self.is_bulk {
            self.connection.start_clock(Purpose::Change);
        }
        let _ = self.connection.take_warning();
        let queued = std::mem::take(&mut self.queue);
        let (client, mut pipeline) = (&self.connection.client, self.pipeline(&queued));
        let mut is_committing = false;
        let sent = self.connection.send(|context| {
            pipeline.send(context);
            is_committing = !pipeline.has_failed();
            if is_committing {
                pipeline.add_batch(client, "COMMIT".to_owned());
                pipeline.send(context);
            }
        });
        self.is_open = !is_committing;
        let answered = sent.and_then(|()| self.answered(&queued, &mut pipeline));
        let done = answered.and_then(|()| self.connection.wait(pipeline.next()));
        if !is_committing {
            return done.and_then(|_| Err(Error::msg("a statement was not sent")));
        }
        done.map_err(|error| match error.downcast_ref::<Refusal>() {
            Some(refusal) if refusal.code == ErrorCode::StoreUnavailable => unconfirmed(error),
            _ => error,
        })?;
        // It warns where it stopped waiting for a standby, or where there was no transaction to commit.
        match self.connection.take_warning() {
            None => Ok(()),
            Some(words) => Err(unconfirmed(Error::msg(words))),
        }
    }
}

impl Row for tokio_postgres::Row {
    fn is_null(&self, column: usize) -> Result<bool> {
        match *self.columns()[column].type_() {
            Type::INT8 => Ok(self.int(column)?.is_none()),
            Type::TEXT => Ok(self.text_ref(column)?.is_none()),
            _ => Ok(self.bytes_ref(column)?.is_none()),
        }
    }

    fn is_bytes(&self, column: usize, bytes: &[u8]) -> bool {
        self.try_get::<_, Option<&[u8]>>(column).is_ok_and(|found| found == Some(bytes))
    }

    fn put_sortable(&self, column: usize, sortable: &mut Vec<u8>) -> Result<()> {
        sortable.clear();
        match *self.columns()[column].type_() {
            Type::INT8 => {
                sortable.extend(self.int(column)?.map(row::sortable).into_iter().flatten());
            }
            Type::TEXT => sortable.extend(self.text_ref(column)?.unwrap_or_default().as_bytes()),
            _ => sortable.extend(self.bytes_ref(column)?.unwrap_or_default()),
        }
        Ok(())
    }

    fn int(&self, column: usize) -> Result<Option<i64>> {
        self.try_get(column).map_err(store_error)
    }

    fn text_ref(&self, column: usize) -> Result<Option<&str>> {
        self.try_get(column).map_err(store_error)
    }

    fn bytes_ref(&self, column: usize) -> Result<Option<&[u8]>> {
        self.try_get(column).map_err(store_error)
    }
}
