//! The driver for PostgreSQL transactions.

use std::error::Error as StdError;
use std::pin::pin;

use anyhow::{Error, Result};
use futures_util::TryStreamExt as _;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::store::driver::{Driver, Route, RowFeed, first};
use crate::store::errors::unconfirmed;
use crate::store::postgres::begin::{Purpose, Schema, SearchPath};
use crate::store::postgres::connection::PgConnection;
use crate::store::postgres::errors::store_error;
use crate::store::row::{self, Row, Value};
use crate::store::table::{ColumnType, Table};

/// The hash chain has one end; its row is the write lock.
const LOCK: &str = "SELECT one FROM audit_head FOR UPDATE";
const CLOCK: &str = "SELECT extract(epoch FROM clock_timestamp())::bigint";

/// A transaction; dropping it rolls it back.
pub struct PostgresDriver<'a> {
    connection: &'a PgConnection,
    is_open: bool,
    /// A change of many rows, whose time limit starts again with each statement.
    is_bulk: bool,
}

impl<'a> PostgresDriver<'a> {
    /// A transaction that holds the write lock; `busy` when another writer holds it for too long.
    pub fn write(connection: &'a PgConnection) -> Result<Self> {
        Self::begin(connection, Purpose::Change)?.locked()
    }

    /// Begins again within the time limit of a transaction that was rolled back; `None` when too little
    /// is left.
    pub fn write_again(connection: &'a PgConnection) -> Result<Option<Self>> {
        let Some(begin) = connection.begin_again() else { return Ok(None) };
        let driver = Self { connection, is_open: true, is_bulk: false };
        connection.wait(connection.client.batch_execute(&begin))?;
        driver.locked().map(Some)
    }

    fn locked(mut self) -> Result<Self> {
        if first(&mut self, LOCK, &[], |_| Ok(()))?.is_none() {
            return Err(Refusal::new(
                ErrorCode::Tampered,
                "the end of the audit log was altered outside of mfactl",
            )
            .hint("restore a backup, and find out who can write to the store")
            .into());
        }
        Ok(self)
    }

    pub fn begin(connection: &'a PgConnection, purpose: Purpose) -> Result<Self> {
        // Dropped where one of the settings fails: the transaction has begun by then.
        let driver = Self { connection, is_open: true, is_bulk: false };
        connection.begin(purpose)?;
        Ok(driver)
    }

    pub const fn schema(&self) -> &'a Schema {
        &self.connection.schema
    }

    /// Where the following statements find what they name without a schema.
    pub fn search(&mut self, path: SearchPath) -> Result<()> {
        let path = self.connection.schema.search_path(path);
        self.connection.wait(self.connection.client.batch_execute(&path))
    }
}

impl Drop for PostgresDriver<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // If the server is gone, it has rolled back already.
            let _ = self.connection.wait(self.connection.client.batch_execute("ROLLBACK"));
        }
    }
}

impl Driver for PostgresDriver<'_> {
    fn execute(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        if self.is_bulk {
            self.connection.extend();
        }
        let values = typed(values);
        self.connection.wait(self.connection.client.execute_typed(sql, &values))
    }

    fn query(
        &mut self,
        sql: &str,
        values: &[Value],
        visit: &mut dyn FnMut(&dyn Row) -> Result<bool>,
    ) -> Result<()> {
        let values = typed(values);
        let rows = self.connection.wait(self.connection.client.query_typed_raw(sql, values))?;
        let mut rows = pin!(rows);
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

    fn clock(&mut self) -> Result<Option<Timestamp>> {
        let seconds = first(self, CLOCK, &[], |row| row.int(0))?.flatten();
        seconds.map(|s| Ok(Timestamp::from_unix(s)?)).transpose()
    }

    fn expect_bulk(&mut self) -> Result<()> {
        self.is_bulk = true;
        self.connection.expect_bulk();
        self.connection
            .wait(self.connection.client.batch_execute("SET LOCAL statement_timeout = 0"))
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
        let lock = "LOCK TABLE audit_head IN ACCESS EXCLUSIVE MODE";
        self.connection.wait(self.connection.client.batch_execute(lock))
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
        self.connection.wait(self.connection.client.batch_execute(&ways))?;
        Ok(Some(String::new()))
    }

    fn commit(mut self: Box<Self>) -> Result<()> {
        self.is_open = false;
        if self.is_bulk {
            self.connection.start_clock(Purpose::Change);
        }
        let _ = self.connection.take_warning();
        self.connection.wait(self.connection.client.batch_execute("COMMIT")).map_err(|error| {
            match error.downcast_ref::<Refusal>() {
                Some(refusal) if refusal.code == ErrorCode::StoreUnavailable => {
                    error.context(unconfirmed())
                }
                _ => error,
            }
        })?;
        // It warns where it stopped waiting for a standby, or where there was no transaction to commit.
        match self.connection.take_warning() {
            None => Ok(()),
            Some(words) => Err(Error::msg(words).context(unconfirmed())),
        }
    }
}

/// Leaves the types to the server, which infers them from the statement.
fn typed(values: &[Value]) -> Vec<(&(dyn ToSql + Sync), Type)> {
    values.iter().map(|value| (value as &(dyn ToSql + Sync), Type::UNKNOWN)).collect()
}

impl ToSql for Value {
    fn to_sql(
        &self,
        _: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(n) => n.to_sql(&Type::INT8, out),
            Self::Text(s) => s.to_sql(&Type::TEXT, out),
            Self::Bytes(b) => b.to_sql(&Type::BYTEA, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
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
