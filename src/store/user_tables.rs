//! The tables of users and devices in a write transaction: rows with their MACs.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::domain::device::Device;
use crate::domain::name::UserName;
use crate::domain::secret::Id;
use crate::domain::user::User;
use crate::keyring::{MAC, Vault};
use crate::store::change::{RowChange, SavedUser};
use crate::store::checks::{one_row, wrong_row_count};
use crate::store::driver::{Driver, first};
use crate::store::row::{
    self, DEVICE_COLUMNS, StoredMac, USER_COLUMNS, USER_ROW_ID_COLUMN, UserRows, Value, bytes,
};
use crate::store::sql;
use crate::store::stored_user::{StoredUser, unreadable};

/// Reads and writes users.
#[derive(Default)]
pub struct UserTables {
    /// The row ids of the users who were found and not written since.
    row_ids: BTreeMap<Id, RowIds>,
}

/// The row ids of a user and their devices; finding rows by them needs no index look-up.
struct RowIds {
    user_row: i64,
    devices: Vec<(Id, i64)>,
}

impl RowIds {
    fn device(&self, device: Id) -> Option<i64> {
        self.devices.iter().find(|(id, _)| *id == device).map(|(_, row)| *row)
    }
}

impl UserTables {
    /// The user with this name, or with another of its spellings; checked as in [`UserTables::find_spelt`].
    pub fn find(
        &mut self,
        driver: &mut dyn Driver,
        vault: &Vault,
        name: &UserName,
    ) -> Result<Option<User>> {
        for spelling in name.spellings() {
            let user = self.find_spelt(driver, vault, spelling)?;
            if user.is_some() {
                return Ok(user);
            }
        }
        Ok(None)
    }

    /// The user with exactly this name, after checking the MACs of their rows, which older rows have as well.
    fn find_spelt(
        &mut self,
        driver: &mut dyn Driver,
        vault: &Vault,
        name: &str,
    ) -> Result<Option<User>> {
        let name_value = Value::Text(name.to_owned());
        let found = first(driver, &sql::USER, &[name_value], |row| {
            let user_row = row.int(USER_ROW_ID_COLUMN)?.unwrap_or_default();
            Ok((row::user(row, 0)?, StoredMac::read(row, USER_COLUMNS.len())?, user_row))
        });
        let found = found.map_err(|error| unreadable(error, name))?;
        let Some((mut user, user_mac, user_row)) = found else { return Ok(None) };
        let mut row_ids = RowIds { user_row, devices: Vec::new() };
        let mut device_macs = Vec::new();
        let read = driver.query(&sql::DEVICES, &[Value::Int(user_row)], &mut |row| {
            let device = row::device(row, 0)?;
            let device_row = row.int(DEVICE_COLUMNS.len() + 1)?.unwrap_or_default();
            row_ids.devices.push((device.id, device_row));
            user.devices.push(device);
            device_macs.push(StoredMac::read(row, DEVICE_COLUMNS.len())?);
            Ok(true)
        });
        read.map_err(|error| unreadable(error, name))?;
        self.row_ids.insert(user.id, row_ids);
        let found = StoredUser { user, user_mac, device_macs };
        if found.user.name.as_str() != name {
            return Err(found.altered());
        }
        found.checked(vault).map(Some)
    }

    /// Writes the rows of a user.
    pub fn write(
        &mut self,
        driver: &mut dyn Driver,
        vault: &Vault,
        saved: &SavedUser,
    ) -> Result<()> {
        match &saved.rows {
            RowChange::Keep | RowChange::GiveUp { .. } => Ok(()),
            RowChange::Insert => insert(driver, vault, &saved.user),
            RowChange::Update { before } => self.update(driver, vault, before, &saved.user),
            RowChange::Remove { before } => remove(driver, before),
        }
    }

    /// Writes the differences.
    fn update(
        &mut self,
        driver: &mut dyn Driver,
        vault: &Vault,
        before: &User,
        after: &User,
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
        one_row(driver.execute(&sql::update_user(&columns), &values)?)?;
        for gone in before.devices.iter().filter(|b| after.devices.iter().all(|a| a.id != b.id)) {
            remove_device(driver, gone)?;
        }
        for ((device, row), mac) in after.devices.iter().zip(new.devices).zip(macs.devices) {
            match before.devices.iter().position(|b| b.id == device.id) {
                Some(same) if before.devices[same] == *device => {}
                Some(was) => {
                    let (columns, mut values) =
                        row::changed(DEVICE_COLUMNS, &old.devices[was], row);
                    let device_row = row_ids.device(device.id).ok_or_else(|| wrong_row_count(0))?;
                    values.extend([StoredMac::value(vault, &mac), Value::Int(device_row)]);
                    one_row(driver.execute(&sql::update_device(&columns), &values)?)?;
                }
                None => insert_device(driver, vault, after.id, row, mac)?,
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

fn insert(driver: &mut dyn Driver, vault: &Vault, user: &User) -> Result<()> {
    let rows = UserRows::of(user);
    let macs = rows.macs(vault, user.id);
    let mut values = rows.user;
    values.push(StoredMac::value(vault, &macs.user));
    one_row(driver.execute(&sql::INSERT_USER, &values)?)?;
    for (device, mac) in rows.devices.into_iter().zip(macs.devices) {
        insert_device(driver, vault, user.id, device, mac)?;
    }
    Ok(())
}

fn remove(driver: &mut dyn Driver, user: &User) -> Result<()> {
    for device in &user.devices {
        remove_device(driver, device)?;
    }
    // Their pending requests contain the user's name.
    driver.execute(sql::REMOVE_REQUESTS_OF, &[bytes(user.id.bytes())])?;
    let values = [bytes(user.id.bytes()), Value::Int(user.rev.cast_signed())];
    one_row(driver.execute(sql::REMOVE_USER, &values)?)
}

fn insert_device(
    driver: &mut dyn Driver,
    vault: &Vault,
    owner: Id,
    mut values: Vec<Value>,
    mac: [u8; MAC],
) -> Result<()> {
    values.extend([StoredMac::value(vault, &mac), bytes(owner.bytes())]);
    one_row(driver.execute(&sql::INSERT_DEVICE, &values)?)
}

fn remove_device(driver: &mut dyn Driver, device: &Device) -> Result<()> {
    one_row(driver.execute(sql::REMOVE_DEVICE, &[bytes(device.id.bytes())])?)
}
