//! The user store: the interface that every database behind it implements.

mod approvals;
pub mod backup;
mod copy;
mod driver;
mod integrity;
pub mod location;
mod log;
pub mod postgres;
mod read_tx;
mod row;
mod sql;
pub mod sqlite;
mod table;
#[cfg(test)]
mod tests;
mod write_tx;

use anyhow::Result;

pub use approvals::Requests;
pub use copy::RowCounts;
pub use log::{
    EventView, LogQuery, LogReader, LogStart, LoggedChange, OperatorFilter, SignedHead,
    StatusChange, SubjectFilter,
};
use row::Value;
use table::Table;

use crate::domain::audit::event::{Event, Head};
use crate::domain::audit::history::Rewind;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};
use crate::keyring::{KeyId, Vault};

/// An open store.
pub trait Store {
    /// The ids of the store and of the key that seals it, read once at opening.
    fn identity(&self) -> Identity;

    /// The database server's time at opening; `None` where the database uses this machine's clock.
    fn clock(&self) -> Option<Timestamp> {
        None
    }

    /// Whether the open store is still the one at its location: the file may have been replaced since,
    /// or the server may have closed the connection.
    fn is_there(&self) -> bool;

    /// Moves the maintenance that a commit does (checkpoints) to [`Store::upkeep`], for a caller that
    /// makes many commits and has to answer quickly between them.
    fn defer_upkeep(&mut self) {}

    /// Does the deferred maintenance while nobody waits. A failure only postpones it.
    fn upkeep(&mut self) {}

    /// Takes the write lock and holds it until the commit; `busy` when another writer holds it for too
    /// long.
    fn begin<'a>(&'a mut self, vault: &'a Vault) -> Result<Box<dyn Transaction + 'a>>;

    /// Begins again after a [`Conflict`], within the time limit that started with [`Store::begin`];
    /// `None` once that has passed.
    fn begin_again<'a>(
        &'a mut self,
        vault: &'a Vault,
    ) -> Result<Option<Box<dyn Transaction + 'a>>> {
        self.begin(vault).map(Some)
    }

    /// Takes the write lock to replace the whole content; `busy` when the log no longer ends at `head`,
    /// or when another writer holds the lock for too long.
    fn replace_all<'a>(
        &'a mut self,
        vault: &'a Vault,
        head: &Head,
    ) -> Result<Box<dyn StoreInit + 'a>>;

    /// A consistent view for verbs that only read: no lock, no key, no writes.
    fn read<'a>(&'a mut self) -> Result<Box<dyn Snapshot + 'a>>;
}

/// What a store is opened for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Write,
    /// As `Write`, for a login service, which waits 1.5 s at most.
    Login,
    Read,
}

/// The database rolled a transaction back because of a concurrent one. It can be retried, provided that
/// everything is read again.
#[derive(Debug)]
pub struct Conflict;

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("another change came between")
    }
}

/// The ids of a store and of its key.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    pub store: Id,
    pub key: KeyId,
}

/// Changes that are committed together or not at all; dropping it rolls them back.
pub trait Transaction: Requests {
    /// The database server's current time; `None` where the database uses this machine's clock.
    fn clock(&mut self) -> Result<Option<Timestamp>>;

    /// The user with this name, after checking the MACs of the user and of each device. `tampered` when
    /// a MAC does not match, `damaged` when a column has an invalid value.
    fn user(&mut self, name: &UserName) -> Result<Option<User>>;

    /// Inserts a user with all devices.
    fn insert(&mut self, user: &User) -> Result<()>;

    /// Writes the differences between a user as they were read and as they should be, and returns the
    /// new revision, which is one higher.
    fn save(&mut self, before: &User, after: &User) -> Result<u64>;

    /// Removes a user with all devices.
    fn remove(&mut self, user: &User) -> Result<()>;

    /// Appends an event to the hash chain and returns its number. The hash of its personal part is
    /// salted with `salt`. `tampered` when the end of the chain was altered.
    fn append(&mut self, event: &Event, salt: [u8; SALT]) -> Result<u64>;

    /// The time of the newest event with this verb and outcome among the last `among` events.
    fn latest_event_time(
        &mut self,
        verb: &str,
        outcome: &str,
        among: u64,
    ) -> Result<Option<Timestamp>>;

    /// Makes the commit as expensive as any other although nothing is stored, so that the response
    /// time does not reveal whether a user exists.
    fn dummy_write(&mut self) -> Result<()>;

    /// Removes the personal data of a user from every event. The hash chain stays valid, because it
    /// covers a salted hash of that part.
    fn erase(&mut self, user: Id) -> Result<()>;

    /// Removes the events up to this number from the log, but never the last one, and stores an
    /// authenticated start in their place, from which the rest of the chain can be verified. Returns the
    /// number of the last removed event.
    fn prune(&mut self, up_to: u64) -> Result<u64>;

    /// Makes the changes durable. When it fails they are rolled back, unless the error says that this is
    /// unknown.
    fn commit(self: Box<Self>) -> Result<()>;
}

/// A transaction that fills an empty store; the store exists once it is committed.
pub trait StoreInit: Transaction {
    /// Writes the identity and an empty log.
    fn initialize(&mut self, identity: Identity, at: Timestamp) -> Result<()>;

    /// Copies every row of another store, then reads each one back and checks every MAC; calls `progress`
    /// for each of these. `tampered` when a MAC does not match, `io` for a row that reads back
    /// differently.
    fn import_rows(
        &mut self,
        identity: Identity,
        source: &mut dyn RowSource,
        progress: &mut dyn FnMut(),
    ) -> Result<()>;
}

/// Writes the initial content of a new store.
pub type InitialContent<'c> = &'c mut dyn FnMut(&mut dyn StoreInit) -> Result<()>;

/// Length in bytes of the salt of an event's personal part.
pub const SALT: usize = 16;

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

/// A read-only view of the store. It needs no key and so checks no MAC, except in `check_user_macs` and
/// `check_log_macs`.
pub trait Snapshot: RowSource + LogReader {
    /// The user with this name.
    fn user(&mut self, name: &UserName) -> Result<Option<User>>;

    /// The number of rows of each kind.
    fn counts(&mut self) -> Result<RowCounts>;

    /// The last event of the log; its MAC is not checked.
    fn head(&mut self) -> Result<Head>;

    /// The hash of an event.
    fn event_hash(&mut self, seq: u64) -> Result<Option<Vec<u8>>>;

    /// A summary of the events after `seq`, with at most `limit` user names.
    fn activity_since(&mut self, seq: u64, limit: u32) -> Result<ActivitySince>;

    /// The user with this id.
    fn user_by_id(&mut self, id: Id) -> Result<Option<User>>;

    /// Passes every user to `visit`, in constant memory.
    fn users(&mut self, order: Order, visit: &mut dyn FnMut(User) -> Result<()>) -> Result<()> {
        self.users_matching(order, &Prefilter::default(), visit)
    }

    /// Passes at least the users who match the prefilter to `visit`; there may be others among them.
    fn users_matching(
        &mut self,
        order: Order,
        prefilter: &Prefilter,
        visit: &mut dyn FnMut(User) -> Result<()>,
    ) -> Result<()>;

    /// Passes every user, by name, to `visit`, with the changes since event `after` that have to be
    /// reverted to see the user as they were then.
    fn users_as_of(
        &mut self,
        after: u64,
        visit: &mut dyn FnMut(User, Rewind) -> Result<()>,
    ) -> Result<()>;

    /// Checks the MACs of every user and every device, and calls `progress` for each user. `tampered`, with
    /// the name of the first user whose MAC does not match.
    fn check_user_macs(&mut self, vault: &Vault, progress: &mut dyn FnMut()) -> Result<()>;

    /// Checks the hash and the MAC of every event in the chain, and calls `progress` for each. `tampered`,
    /// with the number of the first altered event.
    fn check_log_macs(&mut self, vault: &Vault, progress: &mut dyn FnMut()) -> Result<()>;

    /// The users one of whose dates lies after `after` and not after `until`.
    fn users_between(
        &mut self,
        what: Moment,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Id>>;

    /// Passes the names that start with `prefix`, in order, to `visit` until it returns `false`.
    fn names(&mut self, prefix: &str, visit: &mut dyn FnMut(&str) -> bool) -> Result<()>;
}

/// The sort order of a list of users; users who compare equal are sorted by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    pub by: By,
    pub is_reversed: bool,
}

/// A filter that the database applies, so that a short list does not read every user. It may return too
/// many users, never too few: the caller filters again.
#[derive(Clone, Debug, Default)]
pub struct Prefilter {
    /// Any of these; every status when empty.
    pub statuses: Vec<Status>,
    pub group: Option<String>,
    /// Locked now or earlier.
    pub was_locked: bool,
    /// No accepted code since then.
    pub unused_since: Option<Timestamp>,
    pub is_unused: bool,
    pub has_bypass: bool,
    /// Has a device that waits for its first code.
    pub has_pending_device: bool,
    /// MFA is required by an operator, now or from a date on.
    pub is_required: bool,
}

/// The key of a sort order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    #[default]
    Name,
    /// The least protected first.
    Status,
    CreatedAt,
    /// Users without any accepted code first.
    LastVerifiedAt,
}

/// A date of a user that can be searched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    CreatedAt,
    RequiredFrom,
}

/// A summary of the events after a given one.
#[derive(Clone, Debug, Default)]
pub struct ActivitySince {
    /// Each verb with its number of events.
    pub verbs: Vec<(String, u64)>,
    /// The earliest time.
    pub from: Option<Timestamp>,
    pub users: Vec<String>,
}

fn busy() -> Refusal {
    Refusal::new(ErrorCode::Busy, "the store is busy: another program is writing to it")
        .hint("try again in a moment")
}

/// When a database fails during the commit, it is unknown whether the change was stored.
fn unconfirmed() -> Refusal {
    Refusal::new(ErrorCode::Io, "the store did not confirm the change; it may or may not be stored")
        .hint("check with mfactl show-user before you try again")
}
