//! The write transaction: rows with their MACs, and the hash chain of events.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::domain::audit::event::{Head, SubjectId};
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::keyring::Vault;
use crate::store::approvals::RequestTable;
use crate::store::change::{Change, NewEvent, SavedUser, index_of};
use crate::store::checks::one_row;
use crate::store::damaged_user::{DamagedUser, damaged_user, remove_rows};
use crate::store::driver::{Driver, Query, first};
use crate::store::inventory_table::InventoryTable;
use crate::store::loading::{Loaded, load_users};
use crate::store::lock_scope::LockScope;
use crate::store::log::LogReader;
use crate::store::log_tail::{LogTail, SavedSubject};
use crate::store::newest_event::newest_event;
use crate::store::row::{StoredMac, Value, bytes};
use crate::store::sql;
use crate::store::user_tables::UserTables;

/// A transaction that changes something: all of it is committed, or nothing. Dropping it rolls it back.
/// `docs/locks.md` has what it locks, and why.
pub struct WriteTx<'t> {
    pub(super) driver: Box<dyn Driver + 't>,
    pub(super) vault: &'t Vault,
    log: LogTail,
    users: UserTables,
    is_bulk: bool,
    scope: LockScope,
    /// The names that a transaction of users has loaded.
    loaded: Option<BTreeSet<String>>,
}

impl<'t> WriteTx<'t> {
    pub(super) fn new(driver: Box<dyn Driver + 't>, vault: &'t Vault, scope: LockScope) -> Self {
        let (log, users) = (LogTail::default(), UserTables::default());
        Self { driver, vault, log, users, is_bulk: false, scope, loaded: None }
    }

    /// The database server's current time; `None` where the database uses this machine's clock.
    pub fn clock(&mut self) -> Result<Option<Timestamp>> {
        self.driver.clock()
    }

    /// The users with these names, in the same order, after checking the MACs of each user and of each
    /// device. `tampered` when a MAC does not match, `damaged` when a column has an invalid value.
    pub fn load(&mut self, names: &[UserName]) -> Result<Vec<Option<User>>> {
        self.load_each(names)?.into_iter().map(|loaded| Ok(loaded?)).collect()
    }

    /// The same, where what is wrong with one user keeps nobody else from being loaded.
    pub fn load_each(&mut self, names: &[UserName]) -> Result<Vec<Loaded>> {
        if names.len() > 1 {
            self.expect_set()?;
        }
        self.require_one_set(names)?;
        let parts = (&mut self.users, &mut self.log);
        load_users(&mut *self.driver, self.vault, parts, names)
            .map_err(|error| self.log.explained(error))
    }

    /// What is there of the user with this name, whom [`WriteTx::load`] refuses or does not find, without believing
    /// their rows; `None` when nothing is. `tampered` when the log does not prove.
    pub fn damaged_user(&mut self, name: &UserName) -> Result<Option<DamagedUser>> {
        self.expect_bulk()?;
        let head = self.guarded_end()?;
        damaged_user(&mut *self.driver, self.vault, &head, name)
    }

    /// Deletes what is there of a damaged user. The caller appends the event.
    pub fn remove_damaged(&mut self, damaged: &DamagedUser) -> Result<()> {
        remove_rows(&mut *self.driver, damaged)
    }

    /// Writes the changes and appends the events to the hash chain, in order. Returns each user as the log
    /// records them: with the new revision, which is one higher after an update.
    ///
    /// Each event that is about a user is about one of `changes`; the first about a user records what the
    /// change replaced. `tampered` when the end of the chain was altered.
    pub fn save(&mut self, changes: Vec<Change>, events: Vec<NewEvent>) -> Result<Vec<User>> {
        if changes.len() > 1 || self.log.appended() + events.len() as u64 > 1 {
            self.expect_set()?;
        }
        let mut saved = changes
            .into_iter()
            .map(|change| planned(change, &events))
            .collect::<Result<Vec<_>>>()?;
        if saved.is_empty() && events.is_empty() {
            return Ok(Vec::new());
        }
        // The end of the log comes before the first write, also where no event does: a program of an earlier version
        // believes that nothing changes while it holds the end.
        self.log.lock(&mut *self.driver, self.vault)?;
        let mut writes = Vec::with_capacity(events.len() + 2 * saved.len());
        let mut last = 0;
        for event in events {
            let subject = match &event.event.subject {
                Some(subject) => {
                    last = index_of(&saved, subject.id, last).ok_or_else(no_subject)?;
                    SavedSubject::User(&mut saved[last])
                }
                None => SavedSubject::None,
            };
            let (_, write) = self.log.next_event(&mut *self.driver, self.vault, &event, subject)?;
            writes.push(write);
        }
        for saved in &saved {
            self.users.write(&mut *self.driver, self.vault, saved, &mut writes)?;
        }
        self.log.write(&mut *self.driver, writes)?;
        Ok(saved.into_iter().map(|saved| saved.user).collect())
    }

    /// The inventory of hardware tokens.
    pub fn inventory(&mut self) -> InventoryTable<'_> {
        InventoryTable { driver: &mut *self.driver, vault: self.vault, log: &mut self.log }
    }

    /// The audit log as it is under the lock.
    pub fn log(&mut self) -> LogReader<'_> {
        LogReader::of(&mut *self.driver)
    }

    /// The time of the newest event with this verb and outcome among the last `among` events.
    pub fn latest_event_time(
        &mut self,
        verb: &str,
        outcome: &str,
        among: u64,
    ) -> Result<Option<Timestamp>> {
        let after = self.guarded_end()?.seq.saturating_sub(among);
        let [verb, outcome] = [verb, outcome].map(|word| Value::Text(word.to_owned()));
        let values = [Value::Int(after.cast_signed()), verb, outcome];
        let query = Query { sql: sql::LATEST_OF_OUTCOME, values: &values };
        let mut at = None;
        // Locked, so that of two who look at once one sees the other's event.
        self.log.lock_reading(&mut *self.driver, self.vault, Some(query), &mut |row| {
            at = row.int(0)?;
            Ok(())
        })?;
        at.map(|at| Ok(Timestamp::from_unix(at)?)).transpose()
    }

    /// Makes the commit as expensive as any other although nothing is stored, so that the response
    /// time does not reveal whether a user exists.
    pub fn dummy_write(&mut self) -> Result<()> {
        self.log.rewrite(&mut *self.driver, self.vault)
    }

    /// Removes the personal data of a user from every event. The hash chain stays valid, because it
    /// covers a salted hash of that part.
    pub fn erase(&mut self, user: Id) -> Result<()> {
        self.driver.purge_overwritten()?;
        self.driver.execute(sql::ERASE, &[bytes(user.bytes())]).map(|_| ())
    }

    /// The number of the newest event about a loaded user; `None` after a pruning by a program before schema 5.
    pub fn newest_event(&mut self, user: Id) -> Result<Option<u64>> {
        let head = self.guarded_end()?;
        let newest =
            newest_event(&mut *self.driver, self.vault, &head, SubjectId::User(user.bytes()))?;
        Ok(newest.map(|newest| newest.seq))
    }

    /// Removes the events up to this number from the log, but never the last one, and stores an
    /// authenticated start in their place, from which the rest of the chain can be verified. Returns the
    /// number of the last removed event.
    ///
    /// The caller has appended an event about every user whose newest one goes: without it their rows could be put
    /// back from an older copy.
    pub fn prune(&mut self, up_to: u64) -> Result<u64> {
        let up_to = up_to.min(self.guarded_end()?.seq.saturating_sub(1));
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

    /// The requests for a second operator's approval.
    pub fn requests(&mut self) -> RequestTable<'_> {
        RequestTable { driver: &mut *self.driver, vault: self.vault, log: &mut self.log }
    }

    /// Whether the commit will add to the log. A change that only counts refused attempts may not.
    #[must_use]
    pub const fn has_events(&self) -> bool {
        self.log.appended() > 0
    }

    /// Makes the changes durable. When it fails they are rolled back, unless the error says that this is
    /// unknown.
    pub fn commit(mut self) -> Result<()> {
        self.log.guard(&mut *self.driver, self.vault)?;
        let Self { driver, log, .. } = self;
        driver.commit().map_err(|error| log.explained(error))
    }
}

impl WriteTx<'_> {
    /// The end of the log, after checking its MAC.
    fn guarded_end(&mut self) -> Result<Head> {
        self.log.end(&mut *self.driver, self.vault)
    }

    /// Prepares for many rows, once.
    fn expect_bulk(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.is_bulk, true) { Ok(()) } else { self.driver.expect_bulk() }
    }

    /// Prepares for a set of users. One who has the whole store may go on with others, as long as a list is.
    fn expect_set(&mut self) -> Result<()> {
        match self.scope {
            LockScope::Store => self.expect_bulk(),
            LockScope::Users => self.driver.expect_set(),
        }
    }

    /// A transaction of users loads all of them at once: only so are they locked in one order.
    fn require_one_set(&mut self, names: &[UserName]) -> Result<()> {
        if self.scope == LockScope::Store {
            return Ok(());
        }
        let spellings = || names.iter().flat_map(UserName::spellings);
        match &self.loaded {
            None => self.loaded = Some(spellings().map(str::to_owned).collect()),
            Some(loaded) if spellings().all(|name| loaded.contains(name)) => {}
            Some(_) => {
                let problem = "a transaction of some users loads another one";
                return Err(Refusal::new(ErrorCode::Internal, problem).into());
            }
        }
        Ok(())
    }
}

/// A change that no event records may only count attempts, and keeps the revision: otherwise rows that no event made
/// could be put back later.
fn planned(change: Change, events: &[NewEvent]) -> Result<SavedUser> {
    let user = change.user().id;
    let is_of_user = |event: &NewEvent| event.event.subject.as_ref().is_some_and(|s| s.id == user);
    let is_logged = events.iter().any(is_of_user);
    if !is_logged && !change.may_go_unlogged() {
        return Err(Refusal::new(ErrorCode::Internal, "a change has no event").into());
    }
    Ok(SavedUser::of(change, is_logged))
}

fn no_subject() -> Refusal {
    Refusal::new(ErrorCode::Internal, "an event is about a user who is not among the changes")
}
