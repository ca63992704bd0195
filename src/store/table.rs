//! Tables and their columns, for copying a store without interpreting it.

use std::fmt::Write as _;

use anyhow::Result;
use data_encoding::BASE64;
use serde_json::Value as Json;

use crate::store::row::{Row, Value};

/// Every column of the PostgreSQL schema. SQLite has the same, except for the schema version, which is in
/// the file header there.
const SCHEMA_COLUMNS: &str = include_str!("schema/postgres/columns.txt");

/// The tables, in an order in which no row precedes the row that it references.
const TABLE_NAMES: [&str; 7] =
    ["users", "devices", "tokens", "log_start", "events", "requests", "audit_head"];

/// A table with its columns; rows are sorted by the first one.
pub struct Table {
    pub name: &'static str,
    columns: Vec<(&'static str, ColumnType)>,
}

/// The type of a column.
#[derive(Clone, Copy)]
pub enum ColumnType {
    Int,
    Text,
    Bytes,
}

impl Table {
    /// All tables, in the order in which they are filled.
    pub fn all() -> impl DoubleEndedIterator<Item = Self> {
        TABLE_NAMES.into_iter().map(|name| {
            let columns = SCHEMA_COLUMNS.lines().filter_map(|line| {
                let (column, column_type) =
                    line.strip_prefix(name)?.strip_prefix('.')?.split_once(' ')?;
                let column_type = match column_type.split(' ').next() {
                    Some("bigint") => ColumnType::Int,
                    Some("bytea") => ColumnType::Bytes,
                    _ => ColumnType::Text,
                };
                Some((column, column_type))
            });
            Self { name, columns: columns.collect() }
        })
    }

    /// The statement that reads all rows in order.
    pub fn select(&self) -> String {
        let columns = self.column_list();
        format!("SELECT {columns} FROM {} ORDER BY {}", self.name, self.columns[0].0)
    }

    pub fn insert(&self) -> String {
        let mut values = String::new();
        for n in 1..=self.columns.len() {
            let _ = write!(values, "{}${n}", if n > 1 { ", " } else { "" });
        }
        format!("INSERT INTO {}({}) VALUES ({values})", self.name, self.column_list())
    }

    /// The values of a row of [`Table::select`]; `damaged` for a value of another type.
    pub fn values(&self, row: &dyn Row) -> Result<Vec<Value>> {
        let value = |(n, (_, column_type)): (usize, &(&str, ColumnType))| {
            Ok(match column_type {
                ColumnType::Int => row.int(n)?.map(Value::Int),
                ColumnType::Text => row.text(n)?.map(Value::Text),
                ColumnType::Bytes => row.bytes(n)?.map(Value::Bytes),
            }
            .unwrap_or(Value::Null))
        };
        self.columns.iter().enumerate().map(value).collect()
    }

    /// The names of the columns.
    pub fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|(name, _)| *name)
    }

    /// A row as JSON, with bytes in base64.
    pub fn to_json(values: Vec<Value>) -> Vec<Json> {
        let json = |value| match value {
            Value::Null => Json::Null,
            Value::Int(n) => n.into(),
            Value::Text(text) => text.into(),
            Value::Bytes(bytes) => BASE64.encode(&bytes).into(),
        };
        values.into_iter().map(json).collect()
    }

    /// The indexes of the named columns; `None` when one of them is unknown.
    pub fn positions(&self, columns: &[String]) -> Option<Vec<usize>> {
        columns.iter().map(|c| self.columns.iter().position(|(name, _)| name == c)).collect()
    }

    /// A row from JSON, with its values at these indexes and null at the others.
    pub fn values_from_json(&self, positions: &[usize], row: Vec<Json>) -> Option<Vec<Value>> {
        let mut values = vec![Value::Null; self.columns.len()];
        if row.len() != positions.len() {
            return None;
        }
        for (position, json) in positions.iter().zip(row) {
            values[*position] = match (self.columns[*position].1, json) {
                (_, Json::Null) => Value::Null,
                (ColumnType::Int, Json::Number(n)) => Value::Int(n.as_i64()?),
                (ColumnType::Text, Json::String(text)) => Value::Text(text),
                (ColumnType::Bytes, Json::String(text)) => {
                    Value::Bytes(BASE64.decode(text.as_bytes()).ok()?)
                }
                _ => return None,
            };
        }
        Some(values)
    }

    /// The hash in this row, when it is the event with number `seq`.
    pub fn event_hash<'v>(&self, values: &'v [Value], seq: u64) -> Option<&'v [u8]> {
        let is_this_event = self.name == "events" && values[0] == Value::Int(seq.cast_signed());
        let hash = self.columns.iter().position(|(name, _)| *name == "hash")?;
        match &values[hash] {
            Value::Bytes(hash) if is_this_event => Some(hash),
            _ => None,
        }
    }

    /// The statement that deletes all rows.
    pub fn clear(&self) -> String {
        format!("DELETE FROM {}", self.name)
    }

    pub fn types(&self) -> impl Iterator<Item = ColumnType> {
        self.columns.iter().map(|(_, column_type)| *column_type)
    }

    /// The names of the columns, quoted for SQL.
    pub fn column_list(&self) -> String {
        let columns: Vec<String> =
            self.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        columns.join(", ")
    }
}
