//! The write transaction: rows with their MACs, and the hash chain of events.

use anyhow::Result;

use crate::domain::audit::event::{Event, EventFields, Head};
use crate::domain::audit::history::EarlierValues;
use crate::domain::device::Device;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::keyring::{MAC, Vault};
use crate::store::driver::{Driver, first};
use crate::store::row;
use crate::store::row::{
    DEVICE_COLUMNS, StoredMac, USER_COLUMNS, USER_ROW_ID_COLUMN, UserRows, Value,
};
use crate::store::{SALT, Transaction, sql};

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

    fn altered(&self) -> anyhow::Error {
        let name = &self.user.name;
        Refusal::new(
            ErrorCode::Tampered,
            format!("the record of {name} was altered outside of mfactl"),
        )
        .hint("restore a backup, and find out who can write to the store")
        .into()
    }
}

/// A transaction that holds the write lock.
pub struct WriteTx<'v, D> {
    pub driver: D,
    pub vault: &'v Vault,
    /// The end of the log, once read; the stored one is updated with the commit.
    head: Option<Head>,
    appended: u64,
    /// The changes of each user that no event has recorded yet.
    user_changes: Vec<UserChange>,
    /// The row ids of the user who was read last.
    row_ids: Option<RowIds>,
}

/// The row ids of a user and their devices; finding rows by them needs no index look-up.
struct RowIds {
    user: Id,
    user_row: i64,
    devices: Vec<(Id, i64)>,
}

impl RowIds {
    fn device(&self, device: Id) -> Option<i64> {
        self.devices.iter().find(|(id, _)| *id == device).map(|(_, row)| *row)
    }
}

/// A user before and after a change.
struct UserChange {
    user: Id,
    before: Option<User>,
    after: Option<User>,
}

impl<'v, D: Driver> WriteTx<'v, D> {
    pub const fn new(driver: D, vault: &'v Vault) -> Self {
        Self { driver, vault, head: None, appended: 0, user_changes: Vec::new(), row_ids: None }
    }

    /// Inserts the row with the store's identity.
    pub fn insert_store_row(
        &mut self,
        identity: crate::store::Identity,
        at: Timestamp,
    ) -> Result<()> {
        let store =
            [bytes(identity.store.bytes()), bytes(&identity.key.0), Value::Int(at.as_i64())];
        one_row(self.driver.execute(sql::INIT_STORE, &store)?)
    }

    /// Inserts the signed head of an empty log.
    pub fn insert_log_head(&mut self) -> Result<()> {
        let start = Head::START;
        let [mac, generation] = StoredMac::values(self.vault, &self.vault.head_mac(&start));
        let head = [Value::Int(0), bytes(&start.hash), mac, generation];
        one_row(self.driver.execute(sql::FIRST_HEAD, &head)?)
    }

    /// Checks that the stored end of the log has a valid MAC and equals `last`.
    pub fn check_head(&mut self, last: &Head) -> Result<()> {
        if self.head()? == *last { Ok(()) } else { Err(altered_log_end().into()) }
    }

    fn record_change(&mut self, user: Id, before: Option<&User>, after: Option<User>) {
        match self.user_changes.iter_mut().find(|change| change.user == user) {
            Some(change) => change.after = after,
            None => self.user_changes.push(UserChange { user, before: before.cloned(), after }),
        }
    }

    /// The earlier values that the next event about this user records.
    fn past(&mut self, user: Id) -> EarlierValues {
        let change = self.user_changes.iter().position(|change| change.user == user);
        change.map_or_else(EarlierValues::default, |change| {
            let UserChange { before, after, .. } = self.user_changes.swap_remove(change);
            EarlierValues::of(before.as_ref(), after.as_ref())
        })
    }

    fn insert_device(&mut self, owner: Id, mut values: Vec<Value>, mac: [u8; MAC]) -> Result<()> {
        values.extend(StoredMac::values(self.vault, &mac));
        values.push(bytes(owner.bytes()));
        one_row(self.driver.execute(&sql::INSERT_DEVICE, &values)?)
    }

    fn remove_device(&mut self, device: &Device) -> Result<()> {
        one_row(self.driver.execute(sql::REMOVE_DEVICE, &[bytes(device.id.bytes())])?)
    }

    /// The row ids of this user; a query only when another user was read last.
    fn row_ids(&mut self, user: &User) -> Result<RowIds> {
        let is_current = |row_ids: &RowIds| {
            let has = |device: &Device| row_ids.device(device.id).is_some();
            row_ids.user == user.id && user.devices.iter().all(has)
        };
        if let Some(row_ids) = self.row_ids.take().filter(is_current) {
            return Ok(row_ids);
        }
        let id = [bytes(user.id.bytes())];
        let user_row = first(&mut self.driver, sql::USER_ROW_ID, &id, |row| row.int(0))?.flatten();
        let user_row = user_row.ok_or_else(|| wrong_row_count(0))?;
        let mut row_ids = RowIds { user: user.id, user_row, devices: Vec::new() };
        self.driver.query(sql::DEVICE_ROW_IDS, &[Value::Int(user_row)], &mut |row| {
            let id = row.bytes_ref(0)?.and_then(|id| id.try_into().ok());
            row_ids.devices.extend(id.map(Id::new).zip(row.int(1)?));
            Ok(true)
        })?;
        Ok(row_ids)
    }

    fn newest_rev(&mut self, user: Id) -> Result<Option<u64>> {
        let rev =
            first(&mut self.driver, sql::NEWEST_REV, &[bytes(user.bytes())], |row| row.int(0))?;
        Ok(rev.flatten().map(i64::cast_unsigned))
    }

    fn head(&mut self) -> Result<Head> {
        let head = match self.head {
            Some(head) => head,
            None => self.stored_head()?,
        };
        self.head = Some(head);
        Ok(head)
    }

    fn set_head(&mut self, head: &Head) -> Result<()> {
        let [mac, generation] = StoredMac::values(self.vault, &self.vault.head_mac(head));
        let values = [Value::Int(head.seq.cast_signed()), bytes(&head.hash), mac, generation];
        one_row(self.driver.execute(sql::SET_HEAD, &values)?)
    }

    fn stored_head(&mut self) -> Result<Head> {
        let found = first(&mut self.driver, sql::HEAD, &[], |row| {
            let seq = row.int(0)?.map(i64::cast_unsigned);
            let hash = row.bytes(1)?.and_then(|hash| hash.try_into().ok());
            let head = seq.zip(hash).map(|(seq, hash)| Head { seq, hash });
            let mac = StoredMac::read(row, "audit_head", 2);
            Ok(head.map(|head| (head, mac, row.bytes(4))))
        })?;
        let Some((head, mac, last)) = found.flatten() else { return Err(altered_log_end().into()) };
        let last = last?;
        let is_there = last.as_deref() == Some(&head.hash[..]) || (head.seq == 0 && last.is_none());
        if !is_there || !mac?.is(self.vault, &self.vault.head_mac(&head))? {
            return Err(altered_log_end().into());
        }
        Ok(head)
    }
}

impl<D: Driver> Transaction for WriteTx<'_, D> {
    fn clock(&mut self) -> Result<Option<Timestamp>> {
        self.driver.clock()
    }

    fn user(&mut self, name: &UserName) -> Result<Option<User>> {
        let name_value = Value::Text(name.as_str().to_owned());
        let found = first(&mut self.driver, &sql::USER, &[name_value], |row| {
            let user_row = row.int(USER_ROW_ID_COLUMN)?.unwrap_or_default();
            Ok((row::user(row, 0)?, StoredMac::read(row, "users", USER_COLUMNS.len())?, user_row))
        })?;
        let Some((mut user, user_mac, user_row)) = found else { return Ok(None) };
        let mut row_ids = RowIds { user: user.id, user_row, devices: Vec::new() };
        let mut device_macs = Vec::new();
        self.driver.query(&sql::DEVICES, &[Value::Int(user_row)], &mut |row| {
            let device = row::device(row, 0)?;
            let device_row = row.int(DEVICE_COLUMNS.len() + 2)?.unwrap_or_default();
            row_ids.devices.push((device.id, device_row));
            user.devices.push(device);
            device_macs.push(StoredMac::read(row, "devices", DEVICE_COLUMNS.len())?);
            Ok(true)
        })?;
        self.row_ids = Some(row_ids);
        let logged_rev = self.newest_rev(user.id)?;
        let found = StoredUser { user, user_mac, device_macs, logged_rev };
        if found.user.name != *name {
            return Err(found.altered());
        }
        found.checked(self.vault).map(Some)
    }

    fn insert(&mut self, user: &User) -> Result<()> {
        let rows = UserRows::of(user);
        let macs = rows.macs(self.vault, user.id);
        let mut values = rows.user;
        values.extend(StoredMac::values(self.vault, &macs.user));
        one_row(self.driver.execute(&sql::INSERT_USER, &values)?)?;
        for (device, mac) in rows.devices.into_iter().zip(macs.devices) {
            self.insert_device(user.id, device, mac)?;
        }
        self.record_change(user.id, None, Some(user.clone()));
        Ok(())
    }

    fn save(&mut self, before: &User, after: &User) -> Result<u64> {
        let row_ids = self.row_ids(before)?;
        let after = User { rev: before.rev + 1, ..after.clone() };
        let (old, new) = (UserRows::of(before), UserRows::of(&after));
        let macs = new.macs(self.vault, after.id);
        let (columns, mut values) = row::changed(USER_COLUMNS, &old.user, new.user);
        values.extend(StoredMac::values(self.vault, &macs.user));
        values.extend([Value::Int(row_ids.user_row), Value::Int(before.rev.cast_signed())]);
        one_row(self.driver.execute(&sql::update_user(&columns), &values)?)?;
        for gone in before.devices.iter().filter(|b| after.devices.iter().all(|a| a.id != b.id)) {
            self.remove_device(gone)?;
        }
        for ((device, row), mac) in after.devices.iter().zip(new.devices).zip(macs.devices) {
            match before.devices.iter().position(|b| b.id == device.id) {
                Some(same) if before.devices[same] == *device => {}
                Some(was) => {
                    let (columns, mut values) =
                        row::changed(DEVICE_COLUMNS, &old.devices[was], row);
                    let device_row = row_ids.device(device.id).ok_or_else(|| wrong_row_count(0))?;
                    values.extend(StoredMac::values(self.vault, &mac));
                    values.push(Value::Int(device_row));
                    one_row(self.driver.execute(&sql::update_device(&columns), &values)?)?;
                }
                None => self.insert_device(after.id, row, mac)?,
            }
        }
        self.row_ids = Some(row_ids);
        let rev = after.rev;
        self.record_change(after.id, Some(before), Some(after));
        Ok(rev)
    }

    fn remove(&mut self, user: &User) -> Result<()> {
        for device in &user.devices {
            self.remove_device(device)?;
        }
        // Their pending requests contain the user's name.
        self.driver.execute(sql::REMOVE_REQUESTS_OF, &[bytes(user.id.bytes())])?;
        let values = [bytes(user.id.bytes()), Value::Int(user.rev.cast_signed())];
        one_row(self.driver.execute(sql::REMOVE_USER, &values)?)?;
        self.record_change(user.id, Some(user), None);
        Ok(())
    }

    fn append(&mut self, event: &Event, salt: [u8; SALT]) -> Result<u64> {
        if self.appended == 1 {
            self.driver.expect_bulk()?;
        }
        let previous = self.head()?;
        let past = event.subject.as_ref().map_or_else(EarlierValues::default, |s| self.past(s.id));
        let generation = self.vault.generation();
        let entry = EventFields::of(event, generation, past.status, past.values.as_deref());
        let personal = entry.personal.hash(&salt);
        let head = Head { seq: previous.seq + 1, hash: entry.chain_hash(&previous, &personal) };
        let mac = self.vault.event_mac(&head);
        let values = row::event_values(&entry, &salt, &personal, &head, &mac);
        one_row(self.driver.execute(&sql::APPEND, &values)?)?;
        self.head = Some(head);
        self.appended += 1;
        Ok(head.seq)
    }

    fn latest_event_time(
        &mut self,
        verb: &str,
        outcome: &str,
        among: u64,
    ) -> Result<Option<Timestamp>> {
        let after = self.head()?.seq.saturating_sub(among);
        let [verb, outcome] = [verb, outcome].map(|word| Value::Text(word.to_owned()));
        let values = [Value::Int(after.cast_signed()), verb, outcome];
        let at =
            first(&mut self.driver, sql::LATEST_OF_OUTCOME, &values, |row| row.int(0))?.flatten();
        at.map(|at| Ok(Timestamp::from_unix(at)?)).transpose()
    }

    fn dummy_write(&mut self) -> Result<()> {
        let head = self.head()?;
        // SQLite writes nothing when a row is overwritten with the same values.
        let [mac, generation] = StoredMac::values(self.vault, &[0; MAC]);
        let values = [Value::Int(head.seq.cast_signed()), bytes(&head.hash), mac, generation];
        one_row(self.driver.execute(sql::SET_HEAD, &values)?)?;
        self.set_head(&head)
    }

    fn erase(&mut self, user: Id) -> Result<()> {
        self.driver.purge_overwritten()?;
        self.driver.execute(sql::ERASE, &[bytes(user.bytes())]).map(|_| ())
    }

    fn prune(&mut self, up_to: u64) -> Result<u64> {
        let up_to = up_to.min(self.head()?.seq.saturating_sub(1));
        let seq = Value::Int(up_to.cast_signed());
        let last = first(&mut self.driver, sql::EVENT_TIME, std::slice::from_ref(&seq), |row| {
            let hash = row.bytes(1)?.and_then(|hash| hash.try_into().ok());
            Ok(row.int(0)?.zip(hash))
        })?;
        // The events up to that number are already gone.
        let Some((at, hash)) = last.flatten() else { return Ok(0) };
        let head = Head { seq: up_to, hash };
        let mac = self.vault.start_mac(&head, Timestamp::from_unix(at)?);
        let [mac, generation] = StoredMac::values(self.vault, &mac);
        let start = [seq.clone(), Value::Int(at), bytes(&hash), mac, generation];
        one_row(self.driver.execute(sql::SET_LOG_START, &start)?)?;
        self.driver.expect_bulk()?;
        self.driver.execute(sql::PRUNE, &[seq])?;
        Ok(up_to)
    }

    fn commit(mut self: Box<Self>) -> Result<()> {
        if let Some(head) = self.head.filter(|_| self.appended > 0) {
            self.set_head(&head)?;
        }
        self.driver.commit()
    }
}

pub fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}

pub fn one_row(changed: u64) -> Result<()> {
    if changed == 1 { Ok(()) } else { Err(wrong_row_count(changed).into()) }
}

fn wrong_row_count(rows: u64) -> Refusal {
    Refusal::new(ErrorCode::Damaged, format!("a statement changed {rows} rows instead of one"))
        .hint("nothing was changed; restore a backup")
}

pub fn altered_log_end() -> Refusal {
    Refusal::new(ErrorCode::Tampered, "the end of the audit log was altered outside of mfactl")
        .hint("restore a backup, and find out who can write to the store")
}
