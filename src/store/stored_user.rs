//! Users as stored, and the check of their MACs.

use anyhow::Result;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::user::User;
use crate::keyring::Vault;
use crate::store::driver::Driver;
use crate::store::row::{self, DEVICE_COLUMNS, StoredMac, USER_COLUMNS, UserRows};
use crate::store::sql;

/// A user as stored, whose MACs have not been checked yet.
pub struct StoredUser {
    pub user: User,
    pub user_mac: StoredMac,
    pub device_macs: Vec<StoredMac>,
    /// The user's revision in the newest event of the log. Rows that were restored from an older copy
    /// have a lower one.
    pub logged_rev: Option<u64>,
}

impl StoredUser {
    /// The user, if every MAC matches and the revision is not older than the log's.
    pub fn checked(self, vault: &Vault) -> Result<User> {
        let macs = UserRows::of(&self.user).macs(vault, self.user.id);
        let mut is_valid = self.user_mac.is(vault, &macs.user)?;
        for (stored, mac) in self.device_macs.iter().zip(&macs.devices) {
            is_valid &= stored.is(vault, mac)?;
        }
        if !is_valid || self.logged_rev.is_some_and(|logged_rev| self.user.rev < logged_rev) {
            return Err(self.altered());
        }
        Ok(self.user)
    }

    pub fn altered(&self) -> anyhow::Error {
        let name = &self.user.name;
        Refusal::new(
            ErrorCode::Tampered,
            format!("the record of {name} was altered outside of mfactl"),
        )
        .hint("restore a backup, and find out who can write to the store")
        .into()
    }
}

/// Checks the MACs of every user and every device.
pub fn check_user_macs(
    driver: &mut dyn Driver,
    vault: &Vault,
    progress: &mut dyn FnMut(),
) -> Result<()> {
    let mut current: Option<StoredUser> = None;
    let (mac, device) = (USER_COLUMNS.len(), USER_COLUMNS.len() + 2);
    driver.query(&sql::USERS_WITH_MACS, &[], &mut |row| {
        let same = current.as_ref().is_some_and(|f| row.is_bytes(0, f.user.id.bytes()));
        if !same {
            let found = StoredUser {
                user: row::user(row, 0)?,
                user_mac: StoredMac::read(row, mac)?,
                device_macs: Vec::new(),
                logged_rev: row.int(mac + 1)?.map(i64::cast_unsigned),
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
            let mac = StoredMac::read(row, device + DEVICE_COLUMNS.len())?;
            found.device_macs.push(mac);
        }
        Ok(true)
    })?;
    current.map_or(Ok(()), |last| last.checked(vault).map(|_| ()))
}
