//! Statements for once, and statements that are kept.

use std::ops::{Deref, DerefMut};

use anyhow::Result;
use rusqlite::{CachedStatement, Connection, Statement};

use super::trouble;

/// What a statement is prepared for: most programs run each one once, and one that is kept costs more
/// to make, since SQLite takes its memory from elsewhere.
pub enum Prepared<'c> {
    Once(Statement<'c>),
    Kept(CachedStatement<'c>),
}

impl<'c> Prepared<'c> {
    pub fn new(connection: &'c Connection, sql: &str, keep: bool) -> Result<Self> {
        if keep {
            connection.prepare_cached(sql).map(Self::Kept).map_err(trouble)
        } else {
            connection.prepare(sql).map(Self::Once).map_err(trouble)
        }
    }
}

impl<'c> Deref for Prepared<'c> {
    type Target = Statement<'c>;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Once(statement) => statement,
            Self::Kept(statement) => statement,
        }
    }
}

impl DerefMut for Prepared<'_> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Once(statement) => statement,
            Self::Kept(statement) => statement,
        }
    }
}
