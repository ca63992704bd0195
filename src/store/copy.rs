//! Copying a whole store row by row, and checking the copy.

use anyhow::Result;
use sha2::{Digest as _, Sha256};

use crate::domain::audit::event::{Canonical, Head};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::keyring::Vault;
use crate::store::driver::Driver;
use crate::store::row;
use crate::store::row::{DEVICE_COLUMNS, StoredMac, USER_COLUMNS, Value};
use crate::store::table::Table;
use crate::store::write_tx::{StoredUser, WriteTx};
use crate::store::{Identity, Requests as _, RowSource, StoreInit, sql};

/// The number of rows in each table that grows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowCounts {
    pub users: u64,
    pub devices: u64,
    pub events: u64,
}

impl RowCounts {
    pub fn of(driver: &mut impl Driver) -> Result<Self> {
        let mut count = |table: &str| -> Result<u64> {
            let sql = format!("SELECT count(*) FROM {table}");
            let count = crate::store::driver::first(driver, &sql, &[], |row| row.int(0))?.flatten();
            Ok(count.unwrap_or_default().cast_unsigned())
        };
        Ok(Self { users: count("users")?, devices: count("devices")?, events: count("events")? })
    }

    /// The sum of all.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.users + self.devices + self.events
    }

    /// The length of a progress bar: each row is written and read back, then the MACs of each user and
    /// each event are checked.
    #[must_use]
    pub const fn progress_steps(&self) -> u64 {
        2 * self.rows() + self.users + self.events
    }
}

impl<D: Driver> StoreInit for WriteTx<'_, D> {
    fn initialize(&mut self, identity: Identity, at: Timestamp) -> Result<()> {
        self.insert_store_row(identity, at)?;
        self.insert_log_head()
    }

    fn import_rows(
        &mut self,
        identity: Identity,
        source: &mut dyn RowSource,
        progress: &mut dyn FnMut(),
    ) -> Result<()> {
        self.driver.expect_bulk()?;
        self.insert_store_row(identity, source.created_at()?)?;
        for table in Table::all() {
            let mut written = Sha256::new();
            self.driver.load(&table, &mut |put| {
                source.rows(&table, &mut |values| {
                    digest(&mut written, &values);
                    progress();
                    put(values)
                })
            })?;
            let mut read_back = Sha256::new();
            self.driver.query(&table.select(), &[], &mut |row| {
                digest(&mut read_back, &table.values(row)?);
                progress();
                Ok(true)
            })?;
            if written.finalize() != read_back.finalize() {
                let message = format!(
                    "the table {} reads back differently from what was written",
                    table.name
                );
                return Err(Refusal::new(ErrorCode::Io, message)
                    .hint("nothing was kept; check the disk of the target")
                    .into());
            }
        }
        self.driver.reset_sequences()?;
        self.check_all(progress)
    }
}

impl<'v, D: Driver> WriteTx<'v, D> {
    /// A transaction that has emptied the store, invisible to others before the commit. `busy` when the
    /// log no longer ends at `head`.
    pub fn emptied(mut driver: D, vault: &'v Vault, head: &Head) -> Result<Self> {
        driver.lock_exclusively()?;
        if crate::store::read_tx::end_of_log(&mut driver)? != *head {
            return Err(Refusal::new(ErrorCode::Busy, "the store has changed in the meantime")
                .hint("nothing was changed; check the store, then try again")
                .into());
        }
        driver.expect_bulk()?;
        for table in Table::all().collect::<Vec<_>>().into_iter().rev() {
            driver.execute(&table.clear(), &[])?;
        }
        Ok(Self::new(driver, vault))
    }

    /// Checks every MAC: of users, devices, requests and events.
    fn check_all(&mut self, progress: &mut dyn FnMut()) -> Result<()> {
        check_user_macs(&mut self.driver, self.vault, progress)?;
        self.requests()?;
        let last = crate::store::integrity::check_chain(&mut self.driver, self.vault, progress)?;
        self.check_head(&last)
    }
}

/// Checks the MACs of every user and every device.
pub fn check_user_macs(
    driver: &mut impl Driver,
    vault: &Vault,
    progress: &mut dyn FnMut(),
) -> Result<()> {
    let mut current: Option<StoredUser> = None;
    let (mac, device) = (USER_COLUMNS.len(), USER_COLUMNS.len() + 3);
    driver.query(&sql::USERS_WITH_MACS, &[], &mut |row| {
        let same = current.as_ref().is_some_and(|f| row.is_bytes(0, f.user.id.bytes()));
        if !same {
            let found = StoredUser {
                user: row::user(row, 0)?,
                user_mac: StoredMac::read(row, "users", mac)?,
                device_macs: Vec::new(),
                logged_rev: row.int(mac + 2)?.map(i64::cast_unsigned),
            };
            if let Some(done) = current.replace(found) {
                done.checked(vault)?;
            }
            progress();
        }
        if let Some(found) = &mut current
            && !row.is_null(device)?
        {
            found.user.devices.push(row::device(row, device)?);
            let mac = StoredMac::read(row, "devices", device + DEVICE_COLUMNS.len())?;
            found.device_macs.push(mac);
        }
        Ok(true)
    })?;
    current.map_or(Ok(()), |last| last.checked(vault).map(|_| ()))
}

fn digest(digest: &mut Sha256, values: &[Value]) {
    let mut row = Canonical::default();
    for value in values {
        match value {
            Value::Null => row.field("null", []),
            Value::Int(n) => row.field("int", n.to_be_bytes()),
            Value::Text(s) => row.field("text", s),
            Value::Bytes(b) => row.field("bytes", b),
        }
    }
    // The length prefix makes the boundaries between rows unambiguous.
    digest.update((row.bytes().len() as u64).to_be_bytes());
    digest.update(row.bytes());
}
