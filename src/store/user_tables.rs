//! The tables of users and devices in a write transaction: what has to be written, with its MACs.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::domain::device::Device;
use crate::domain::secret::Id;
use crate::domain::user::User;
use crate::keyring::{MAC, Vault};
use crate::store::change::{RowChange, SavedUser};
use crate::store::checks::wrong_row_count;
use crate::store::driver::{Driver, first};
use crate::store::row::{self, DEVICE_COLUMNS, StoredMac, USER_COLUMNS, UserRows, Value, bytes};
use crate::store::row_write::{RowWrite, WriteKind};
use crate::store::sql;

/// Writes users.
#[derive(Default)]
pub struct UserTables {
    /// The row ids of the users who were found and not written since.
    row_ids: BTreeMap<Id, RowIds>,
}

/// The row ids of a user and their devices; finding rows by them needs no index look-up.
pub struct RowIds {
    pub user_row: i64,
    pub devices: Vec<(Id, i64)>,
}

impl RowIds {
    fn device(&self, device: Id) -> Option<i64> {
        self.devices.iter().find(|(id, _)| *id == device).map(|(_, row)| *row)
    }
}

impl UserTables {
    /// Takes note of where the rows of a user are.
    pub fn found(&mut self, user: Id, row_ids: RowIds) {
        self.row_ids.insert(user, row_ids);
    }

    /// Adds what has to be written of the rows of a user.
    pub fn write(
        &mut self,
        driver: &mut dyn Driver,
        vault: &Vault,
        saved: &SavedUser,
        writes: &mut Vec<RowWrite>,
    ) -> Result<()> {
        match &saved.rows {
            RowChange::Keep | RowChange::GiveUp { .. } => {}
            RowChange::Insert => insert(vault, &saved.user, writes),
            RowChange::Update { before } => {
                return self.update(driver, vault, before, &saved.user, writes);
            }
            RowChange::Remove { before } => remove(before, writes),
        }
        Ok(())
    }

    /// Adds the differences.
    fn update(
        &mut self,
        driver: &mut dyn Driver,
        vault: &Vault,
        before: &User,
        after: &User,
        writes: &mut Vec<RowWrite>,
    ) -> Result<()> {
        let row_ids = self.row_ids(driver, before)?;
        let (old, new) = (UserRows::of(before), UserRows::of(after));
        let macs = new.macs(vault, after.id);
        let (columns, mut values) = row::changed(USER_COLUMNS, &old.user, new.user);
        values.extend([
            StoredMac::value(vault, &macs.user),
            Value::Int(row_ids.user_row),
            Value::Int(before.rev.cast_signed()),
        ]);
        writes.push(RowWrite { kind: WriteKind::User(columns), values });
        for gone in before.devices.iter().filter(|b| after.devices.iter().all(|a| a.id != b.id)) {
            writes.push(removed_device(gone));
        }
        for ((device, row), mac) in after.devices.iter().zip(new.devices).zip(macs.devices) {
            match before.devices.iter().position(|b| b.id == device.id) {
                Some(same) if before.devices[same] == *device => {}
                Some(was) => {
                    let (columns, mut values) =
                        row::changed(DEVICE_COLUMNS, &old.devices[was], row);
                    let device_row = row_ids.device(device.id).ok_or_else(|| wrong_row_count(0))?;
                    values.extend([StoredMac::value(vault, &mac), Value::Int(device_row)]);
                    writes.push(RowWrite { kind: WriteKind::Device(columns), values });
                }
                None => writes.push(new_device(vault, after.id, row, mac)),
            }
        }
        Ok(())
    }

    /// The row ids of this user; a query only when the user was not found as they are.
    fn row_ids(&mut self, driver: &mut dyn Driver, user: &User) -> Result<RowIds> {
        let has_all =
            |row_ids: &RowIds| user.devices.iter().all(|d| row_ids.device(d.id).is_some());
        if let Some(row_ids) = self.row_ids.remove(&user.id).filter(has_all) {
            return Ok(row_ids);
        }
        let id = [bytes(user.id.bytes())];
        let user_row = first(driver, sql::USER_ROW_ID, &id, |row| row.int(0))?.flatten();
        let user_row = user_row.ok_or_else(|| wrong_row_count(0))?;
        let mut row_ids = RowIds { user_row, devices: Vec::new() };
        driver.query(sql::DEVICE_ROW_IDS, &[Value::Int(user_row)], &mut |row| {
            let id = row.bytes_ref(0)?.and_then(|id| id.try_into().ok());
            row_ids.devices.extend(id.map(Id::new).zip(row.int(1)?));
            Ok(true)
        })?;
        Ok(row_ids)
    }
}

fn insert(vault: &Vault, user: &User, writes: &mut Vec<RowWrite>) {
    let rows = UserRows::of(user);
    let macs = rows.macs(vault, user.id);
    let mut values = rows.user;
    values.push(StoredMac::value(vault, &macs.user));
    writes.push(RowWrite { kind: WriteKind::NewUser, values });
    let devices = rows.devices.into_iter().zip(macs.devices);
    writes.extend(devices.map(|(device, mac)| new_device(vault, user.id, device, mac)));
}

fn remove(user: &User, writes: &mut Vec<RowWrite>) {
    writes.extend(user.devices.iter().map(removed_device));
    // Their pending requests contain the user's name.
    let requests = vec![bytes(user.id.bytes())];
    writes.push(RowWrite { kind: WriteKind::GoneRequests, values: requests });
    let values = vec![bytes(user.id.bytes()), Value::Int(user.rev.cast_signed())];
    writes.push(RowWrite { kind: WriteKind::GoneUser, values });
}

fn new_device(vault: &Vault, owner: Id, mut values: Vec<Value>, mac: [u8; MAC]) -> RowWrite {
    values.extend([StoredMac::value(vault, &mac), bytes(owner.bytes())]);
    RowWrite { kind: WriteKind::NewDevice, values }
}

fn removed_device(device: &Device) -> RowWrite {
    RowWrite { kind: WriteKind::GoneDevice, values: vec![bytes(device.id.bytes())] }
}
