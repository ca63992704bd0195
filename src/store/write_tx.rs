//! The write transaction: rows with their MACs, and the hash chain of events.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::{EventFields, Head};
use crate::domain::audit::history::EarlierValues;
use crate::domain::device::Device;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::keyring::{MAC, Vault};
use crate::store::change::{Change, NewEvent, SavedUser, index_of};
use crate::store::checks::{altered_log_end, one_row, wrong_row_count};
use crate::store::driver::{Driver, first};
use crate::store::integrity::log_start;
use crate::store::newest_event::newest_event;
use crate::store::row;
use crate::store::row::{
    DEVICE_COLUMNS, StoredMac, USER_COLUMNS, USER_ROW_ID_COLUMN, UserRows, Value,
};
use crate::store::sql;
use crate::store::stored_user::{StoredUser, altered_user};

/// A transaction that holds the write lock: changes that are committed together or not at all. Dropping
/// it rolls them back.
pub struct WriteTx<'t> {
    pub(super) driver: Box<dyn Driver + 't>,
    pub(super) vault: &'t Vault,
    /// The end of the log, once read; the stored one is updated with the commit.
    head: Option<Head>,
    appended: u64,
    is_bulk: bool,
    /// The row ids of the users who were loaded and not saved since.
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

impl<'t> WriteTx<'t> {
    pub(super) fn new(driver: Box<dyn Driver + 't>, vault: &'t Vault) -> Self {
        let row_ids = BTreeMap::new();
        Self { driver, vault, head: None, appended: 0, is_bulk: false, row_ids }
    }

    /// The database server's current time; `None` where the database uses this machine's clock.
    pub fn clock(&mut self) -> Result<Option<Timestamp>> {
        self.driver.clock()
    }

    /// The users with these names, in the same order, after checking the MACs of each user and of each
    /// device. `tampered` when a MAC does not match, `damaged` when a column has an invalid value.
    pub fn load(&mut self, names: &[UserName]) -> Result<Vec<Option<User>>> {
        if names.len() > 1 {
            self.expect_bulk()?;
        }
        names.iter().map(|name| self.load_one(name)).collect()
    }

    /// Writes the changes and appends the events to the hash chain, in order. Returns each user as the log
    /// records them: with the new revision, which is one higher after an update.
    ///
    /// Each event that is about a user is about one of `changes`; the first about a user records what the
    /// change replaced. `tampered` when the end of the chain was altered.
    pub fn save(&mut self, changes: Vec<Change>, events: Vec<NewEvent>) -> Result<Vec<User>> {
        if changes.len() > 1 {
            self.expect_bulk()?;
        }
        let mut saved = changes
            .into_iter()
            .map(|change| self.write(change, &events))
            .collect::<Result<Vec<_>>>()?;
        let mut last = 0;
        for event in events {
            let subject = match &event.event.subject {
                Some(subject) => {
                    last = index_of(&saved, subject.id, last).ok_or_else(no_subject)?;
                    Some(&mut saved[last])
                }
                None => None,
            };
            self.append(&event, subject)?;
        }
        Ok(saved.into_iter().map(|saved| saved.user).collect())
    }

    /// The time of the newest event with this verb and outcome among the last `among` events.
    pub fn latest_event_time(
        &mut self,
        verb: &str,
        outcome: &str,
        among: u64,
    ) -> Result<Option<Timestamp>> {
        let after = self.head()?.seq.saturating_sub(among);
        let [verb, outcome] = [verb, outcome].map(|word| Value::Text(word.to_owned()));
        let values = [Value::Int(after.cast_signed()), verb, outcome];
        let at =
            first(&mut *self.driver, sql::LATEST_OF_OUTCOME, &values, |row| row.int(0))?.flatten();
        at.map(|at| Ok(Timestamp::from_unix(at)?)).transpose()
    }

    /// Makes the commit as expensive as any other although nothing is stored, so that the response
    /// time does not reveal whether a user exists.
    pub fn dummy_write(&mut self) -> Result<()> {
        let head = self.head()?;
        // SQLite writes nothing when a row is overwritten with the same values.
        let values = [Value::Int(head.seq.cast_signed()), bytes(&head.hash), bytes(&[0; MAC])];
        one_row(self.driver.execute(sql::SET_HEAD, &values)?)?;
        self.set_head(&head)
    }

    /// Removes the personal data of a user from every event. The hash chain stays valid, because it
    /// covers a salted hash of that part.
    pub fn erase(&mut self, user: Id) -> Result<()> {
        self.driver.purge_overwritten()?;
        self.driver.execute(sql::ERASE, &[bytes(user.bytes())]).map(|_| ())
    }

    /// The number of the newest event about a loaded user; `None` after a pruning by a program before schema 5.
    pub fn newest_event(&mut self, user: Id) -> Result<Option<u64>> {
        let head = self.head()?;
        let newest = newest_event(&mut *self.driver, self.vault, &head, user)?;
        Ok(newest.map(|newest| newest.seq))
    }

    /// Removes the events up to this number from the log, but never the last one, and stores an
    /// authenticated start in their place, from which the rest of the chain can be verified. Returns the
    /// number of the last removed event.
    ///
    /// The caller has appended an event about every user whose newest one goes: without it their rows could be put
    /// back from an older copy.
    pub fn prune(&mut self, up_to: u64) -> Result<u64> {
        let up_to = up_to.min(self.head()?.seq.saturating_sub(1));
        let seq = Value::Int(up_to.cast_signed());
        let last = first(&mut *self.driver, sql::EVENT_TIME, std::slice::from_ref(&seq), |row| {
            let hash = row.bytes(1)?.and_then(|hash| hash.try_into().ok());
            Ok(row.int(0)?.zip(hash))
        })?;
        // The events up to that number are already gone.
        let Some((at, hash)) = last.flatten() else { return Ok(0) };
        let head = Head { seq: up_to, hash };
        let mac = self.vault.start_mac(&head, Timestamp::from_unix(at)?, true);
        let mac = StoredMac::value(self.vault, &mac);
        let start = [seq.clone(), Value::Int(at), bytes(&hash), mac];
        one_row(self.driver.execute(sql::SET_LOG_START, &start)?)?;
        self.expect_bulk()?;
        self.driver.execute(sql::PRUNE, &[seq])?;
        Ok(up_to)
    }

    /// Whether the commit will add to the log. A change that only counts refused attempts may not.
    #[must_use]
    pub const fn has_events(&self) -> bool {
        self.appended > 0
    }

    /// Makes the changes durable. When it fails they are rolled back, unless the error says that this is
    /// unknown.
    pub fn commit(mut self) -> Result<()> {
        if let Some(head) = self.head.filter(|_| self.has_events()) {
            self.set_head(&head)?;
        }
        self.driver.commit()
    }
}

impl WriteTx<'_> {
    fn insert_device(&mut self, owner: Id, mut values: Vec<Value>, mac: [u8; MAC]) -> Result<()> {
        values.extend([StoredMac::value(self.vault, &mac), bytes(owner.bytes())]);
        one_row(self.driver.execute(&sql::INSERT_DEVICE, &values)?)
    }

    fn remove_device(&mut self, device: &Device) -> Result<()> {
        one_row(self.driver.execute(sql::REMOVE_DEVICE, &[bytes(device.id.bytes())])?)
    }

    /// The row ids of this user; a query only when the user was not loaded as they are.
    fn row_ids(&mut self, user: &User) -> Result<RowIds> {
        let has_all =
            |row_ids: &RowIds| user.devices.iter().all(|d| row_ids.device(d.id).is_some());
        if let Some(row_ids) = self.row_ids.remove(&user.id).filter(has_all) {
            return Ok(row_ids);
        }
        let id = [bytes(user.id.bytes())];
        let user_row = first(&mut *self.driver, sql::USER_ROW_ID, &id, |row| row.int(0))?.flatten();
        let user_row = user_row.ok_or_else(|| wrong_row_count(0))?;
        let mut row_ids = RowIds { user_row, devices: Vec::new() };
        self.driver.query(sql::DEVICE_ROW_IDS, &[Value::Int(user_row)], &mut |row| {
            let id = row.bytes_ref(0)?.and_then(|id| id.try_into().ok());
            row_ids.devices.extend(id.map(Id::new).zip(row.int(1)?));
            Ok(true)
        })?;
        Ok(row_ids)
    }

    /// The end of the log, after checking its MAC.
    pub(super) fn guarded_end(&mut self) -> Result<Head> {
        self.head()
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
        let mac = StoredMac::value(self.vault, &self.vault.head_mac(head));
        let values = [Value::Int(head.seq.cast_signed()), bytes(&head.hash), mac];
        one_row(self.driver.execute(sql::SET_HEAD, &values)?)
    }

    fn stored_head(&mut self) -> Result<Head> {
        let found = first(&mut *self.driver, sql::HEAD, &[], |row| {
            let seq = row.int(0)?.map(i64::cast_unsigned);
            let hash = row.bytes(1)?.and_then(|hash| hash.try_into().ok());
            let head = seq.zip(hash).map(|(seq, hash)| Head { seq, hash });
            Ok(head.map(|head| (head, StoredMac::read(row, 2), row.bytes(3))))
        })?;
        let Some((head, mac, last)) = found.flatten() else { return Err(altered_log_end().into()) };
        let last = last?;
        let is_there = last.as_deref() == Some(&head.hash[..]) || (head.seq == 0 && last.is_none());
        if !is_there || !mac?.is(self.vault, &self.vault.head_mac(&head))? {
            return Err(altered_log_end().into());
        }
        Ok(head)
    }

    /// Prepares for many rows, once.
    pub(super) fn expect_bulk(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.is_bulk, true) { Ok(()) } else { self.driver.expect_bulk() }
    }

    fn load_one(&mut self, name: &UserName) -> Result<Option<User>> {
        let name_value = Value::Text(name.as_str().to_owned());
        let found = first(&mut *self.driver, &sql::USER, &[name_value], |row| {
            let user_row = row.int(USER_ROW_ID_COLUMN)?.unwrap_or_default();
            Ok((row::user(row, 0)?, StoredMac::read(row, USER_COLUMNS.len())?, user_row))
        })?;
        let Some((mut user, user_mac, user_row)) = found else { return Ok(None) };
        let mut row_ids = RowIds { user_row, devices: Vec::new() };
        let mut device_macs = Vec::new();
        self.driver.query(&sql::DEVICES, &[Value::Int(user_row)], &mut |row| {
            let device = row::device(row, 0)?;
            let device_row = row.int(DEVICE_COLUMNS.len() + 1)?.unwrap_or_default();
            row_ids.devices.push((device.id, device_row));
            user.devices.push(device);
            device_macs.push(StoredMac::read(row, DEVICE_COLUMNS.len())?);
            Ok(true)
        })?;
        self.row_ids.insert(user.id, row_ids);
        let found = StoredUser { user, user_mac, device_macs };
        if found.user.name != *name {
            return Err(found.altered());
        }
        let user = found.checked(self.vault)?;
        self.check_is_newest(&user)?;
        Ok(Some(user))
    }

    /// Checks that the rows are those after the user's newest event: rows that were put back from a copy have valid
    /// MACs. Programs before schema 5 did not log every change, and left no event about some users when they pruned
    /// the log.
    fn check_is_newest(&mut self, user: &User) -> Result<()> {
        let head = self.head()?;
        match newest_event(&mut *self.driver, self.vault, &head, user.id)? {
            Some(newest) if newest.rev == user.rev => Ok(()),
            Some(newest) if newest.rev < user.rev && !newest.counts_revisions => Ok(()),
            None if log_start(&mut *self.driver)?.may_lack_users(self.vault)? => Ok(()),
            _ => Err(altered_user(user)),
        }
    }

    /// Writes a change. One that no event records may only count attempts, and keeps the revision: otherwise rows
    /// that no event made could be put back later.
    fn write(&mut self, change: Change, events: &[NewEvent]) -> Result<SavedUser> {
        let user = change.user().id;
        let is_of_user =
            |event: &NewEvent| event.event.subject.as_ref().is_some_and(|s| s.id == user);
        let is_logged = events.iter().any(is_of_user);
        if !is_logged && !change.may_go_unlogged() {
            return Err(Refusal::new(ErrorCode::Internal, "a change has no event").into());
        }
        Ok(match change {
            Change::Insert(user) => {
                self.insert(&user)?;
                SavedUser::changed(None, user)
            }
            Change::Update { before, after } if before == after => SavedUser::kept(after),
            Change::Update { before, mut after } => {
                after.rev = before.rev + u64::from(is_logged);
                self.update(&before, &after)?;
                SavedUser::changed(Some(before), after)
            }
            Change::Remove(user) => {
                self.remove(&user)?;
                SavedUser::removed(user)
            }
            Change::Keep(user) => SavedUser::kept(user),
        })
    }

    fn insert(&mut self, user: &User) -> Result<()> {
        let rows = UserRows::of(user);
        let macs = rows.macs(self.vault, user.id);
        let mut values = rows.user;
        values.push(StoredMac::value(self.vault, &macs.user));
        one_row(self.driver.execute(&sql::INSERT_USER, &values)?)?;
        for (device, mac) in rows.devices.into_iter().zip(macs.devices) {
            self.insert_device(user.id, device, mac)?;
        }
        Ok(())
    }

    /// Writes the differences.
    fn update(&mut self, before: &User, after: &User) -> Result<()> {
        let row_ids = self.row_ids(before)?;
        let (old, new) = (UserRows::of(before), UserRows::of(after));
        let macs = new.macs(self.vault, after.id);
        let (columns, mut values) = row::changed(USER_COLUMNS, &old.user, new.user);
        values.extend([
            StoredMac::value(self.vault, &macs.user),
            Value::Int(row_ids.user_row),
            Value::Int(before.rev.cast_signed()),
        ]);
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
                    values.extend([StoredMac::value(self.vault, &mac), Value::Int(device_row)]);
                    one_row(self.driver.execute(&sql::update_device(&columns), &values)?)?;
                }
                None => self.insert_device(after.id, row, mac)?,
            }
        }
        Ok(())
    }

    fn remove(&mut self, user: &User) -> Result<()> {
        for device in &user.devices {
            self.remove_device(device)?;
        }
        // Their pending requests contain the user's name.
        self.driver.execute(sql::REMOVE_REQUESTS_OF, &[bytes(user.id.bytes())])?;
        let values = [bytes(user.id.bytes()), Value::Int(user.rev.cast_signed())];
        one_row(self.driver.execute(sql::REMOVE_USER, &values)?)
    }

    fn append(&mut self, event: &NewEvent, mut subject: Option<&mut SavedUser>) -> Result<()> {
        if self.appended == 1 {
            self.expect_bulk()?;
        }
        let NewEvent { event, salt } = event;
        let previous = self.head()?;
        let past = match &mut subject {
            Some(subject) => subject.earlier_values(),
            None => EarlierValues::default(),
        };
        let user = subject.map(|subject| &subject.user);
        let generation = self.vault.generation();
        let entry = EventFields::of(event, generation, user, &past);
        let personal = entry.personal.hash(salt);
        let head = Head { seq: previous.seq + 1, hash: entry.chain_hash(&previous, &personal) };
        let mac = StoredMac::value(self.vault, &self.vault.event_mac(&head, entry.subject()));
        let values = row::event_values(&entry, salt, &personal, &head, mac);
        let appended = self.driver.execute(&sql::APPEND, &values);
        one_row(appended.map_err(|error| occupied(error, head.seq))?)?;
        self.head = Some(head);
        self.appended += 1;
        Ok(())
    }
}

/// Nothing but an event with the same number can keep an event out.
fn occupied(error: anyhow::Error, seq: u64) -> anyhow::Error {
    match error.downcast_ref::<Refusal>() {
        Some(refusal) if refusal.code == ErrorCode::Damaged => {
            let end = seq - 1;
            let words = ChainError::Beyond { end }.words(seq);
            let message = format!("the audit log was altered outside of mfactl: {words}");
            error.context(Refusal::new(ErrorCode::Tampered, message).hint(format!(
                "find out who can write to the store, then remove what they added with this SQL: \
                 DELETE FROM events WHERE seq > {end}"
            )))
        }
        _ => error,
    }
}

fn no_subject() -> Refusal {
    Refusal::new(ErrorCode::Internal, "an event is about a user who is not among the changes")
}

pub(super) fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}
