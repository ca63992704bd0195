//! All rows of a store, table by table.

use anyhow::Result;

use crate::domain::time::Timestamp;
use crate::store::driver::{Driver, first};
use crate::store::row::Value;
use crate::store::table::Table;

/// All rows of a store: a database or a backup file.
pub trait RowSource {
    /// When the store was created.
    fn created_at(&mut self) -> Result<Timestamp>;

    /// Passes every row of a table to `visit`, in order and in constant memory. Tables must be
    /// requested in the order of [`Table::all`].
    fn rows(
        &mut self,
        table: &Table,
        visit: &mut dyn FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()>;
}

/// The number of rows in each table that grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    pub users: u64,
    pub devices: u64,
    pub tokens: u64,
    pub events: u64,
}

impl RowCounts {
    pub fn of(driver: &mut dyn Driver) -> Result<Self> {
        let mut count = |table: &str| -> Result<u64> {
            let sql = format!("SELECT count(*) FROM {table}");
            let count = first(driver, &sql, &[], |row| row.int(0))?.flatten();
            Ok(count.unwrap_or_default().cast_unsigned())
        };
        Ok(Self {
            users: count("users")?,
            devices: count("devices")?,
            tokens: count("tokens")?,
            events: count("events")?,
        })
    }

    /// The sum of all.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.users + self.devices + self.tokens + self.events
    }

    /// The length of a progress bar: each row is written and read back, then the MACs of each user and
    /// each event are checked.
    #[must_use]
    pub const fn progress_steps(&self) -> u64 {
        2 * self.rows() + self.users + self.events
    }
}
