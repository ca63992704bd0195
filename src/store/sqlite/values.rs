//! Values and rows of SQLite.

use anyhow::{Error, Result};
use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use crate::domain::refusal::Refusal;
use crate::store::row::{self, Row, Value};
use crate::store::sqlite::errors::store_error;

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

    fn put_sortable(&self, column: usize, sortable: &mut Vec<u8>) -> Result<()> {
        sortable.clear();
        match self.get_ref(column).map_err(store_error)? {
            ValueRef::Null => {}
            ValueRef::Integer(n) => sortable.extend(row::sortable(n)),
            ValueRef::Text(bytes) | ValueRef::Blob(bytes) => sortable.extend(bytes),
            other @ ValueRef::Real(_) => return Err(wrong_type(column, &other)),
        }
        Ok(())
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
