//! Statements for once, and statements that are kept.

use std::ops::{Deref, DerefMut};

use anyhow::Result;
use rusqlite::{CachedStatement, Connection, Statement};

use super::store_error;

/// What a statement is prepared for: most programs run each one once, and one that is kept costs more
/// to make, since SQLite takes its memory from elsewhere.
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
