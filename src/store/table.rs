//! Tables as they are, for whoever takes a store from one place to another.

use std::fmt::Write as _;

use anyhow::Result;

use super::row::{Row, Value};

/// Every column of PostgreSQL's schema; SQLite has the same, but for where its version is written.
const COLUMNS: &str = include_str!("schema/postgres/columns.txt");

/// What a store holds, in an order in which no row comes before the one it refers to.
const NAMES: [&str; 4] = ["users", "devices", "events", "audit_head"];

/// A table with all its columns; the first one numbers its rows.
pub struct Table {
    pub name: &'static str,
    columns: Vec<(&'static str, Kind)>,
}

#[derive(Clone, Copy)]
enum Kind {
    Int,
    Text,
    Bytes,
}

impl Table {
    /// All tables, in the order in which they are filled.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.into_iter().map(|name| {
            let columns = COLUMNS.lines().filter_map(|line| {
                let (column, kind) = line.strip_prefix(name)?.strip_prefix('.')?.split_once(' ')?;
                let kind = match kind.split(' ').next() {
                    Some("bigint") => Kind::Int,
                    Some("bytea") => Kind::Bytes,
                    _ => Kind::Text,
                };
                Some((column, kind))
            });
            Self { name, columns: columns.collect() }
        })
    }

    /// All rows in their order.
    pub fn select(&self) -> String {
        let columns = self.list();
        format!("SELECT {columns} FROM {} ORDER BY {}", self.name, self.columns[0].0)
    }

    pub fn insert(&self) -> String {
        let mut values = String::new();
        for n in 1..=self.columns.len() {
            let _ = write!(values, "{}${n}", if n > 1 { ", " } else { "" });
        }
        format!("INSERT INTO {}({}) VALUES ({values})", self.name, self.list())
    }

    /// The values of a row of [`Table::select`].
    ///
    /// # Errors
    /// `damaged` for a value of another kind.
    pub fn values(&self, row: &dyn Row) -> Result<Vec<Value>> {
        let value = |(n, (_, kind)): (usize, &(&str, Kind))| {
            Ok(match kind {
                Kind::Int => row.int(n)?.map(Value::Int),
                Kind::Text => row.text(n)?.map(Value::Text),
                Kind::Bytes => row.bytes(n)?.map(Value::Bytes),
            }
            .unwrap_or(Value::Null))
        };
        self.columns.iter().enumerate().map(value).collect()
    }

    fn list(&self) -> String {
        let columns: Vec<String> =
            self.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        columns.join(", ")
    }
}
