//! Prepared statements, cached or not.

use std::ops::{Deref, DerefMut};

use anyhow::Result;
use rusqlite::{CachedStatement, Connection, Statement};

use crate::store::sqlite::errors::store_error;

/// A prepared statement. Most processes run each statement once; a cached one costs more to prepare,
/// because SQLite allocates it differently.
pub enum PreparedStatement<'c> {
    OneOff(Statement<'c>),
    Cached(CachedStatement<'c>),
}

impl<'c> PreparedStatement<'c> {
    pub fn new(connection: &'c Connection, sql: &str, keep: bool) -> Result<Self> {
        if keep {
            connection.prepare_cached(sql).map(Self::Cached).map_err(store_error)
        } else {
            connection.prepare(sql).map(Self::OneOff).map_err(store_error)
        }
    }
}

impl<'c> Deref for PreparedStatement<'c> {
    type Target = Statement<'c>;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::OneOff(statement) => statement,
            Self::Cached(statement) => statement,
        }
    }
}

impl DerefMut for PreparedStatement<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::OneOff(statement) => statement,
            Self::Cached(statement) => statement,
        }
    }
}
