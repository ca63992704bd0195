//! Where users live: what a store promises, whichever database keeps it.

pub mod backup;
pub mod custody;
pub mod draft;
mod driver;
mod ledger;
pub mod location;
mod log;
pub mod postgres;
mod requests;
mod row;
mod sql;
pub mod sqlite;
mod table;
mod transfer;
mod view;
mod whole;

#[cfg(test)]
mod contract;

use anyhow::Result;

pub use log::{Change, Guarded, LogReader, OperatorIs, Start, Step, Subject, Told, Wanted};
pub use requests::Requests;
use row::Value;
use table::Table;
pub use transfer::Counts;

use crate::domain::event::{Event, Head};
use crate::domain::name::UserName;
use crate::domain::past::Undoing;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};
use crate::vault::{KeyId, Vault};

/// An open store.
pub trait Store {
    /// Which store this is, and which key seals it; read once, at opening.
    fn identity(&self) -> Identity;

    /// What the database's own clock said at opening, where it is not this machine's.
    fn clock(&self) -> Option<Timestamp> {
        None
    }

    /// Is it still where it was opened? A file may have been put in its place since, and a server may
    /// have hung up.
    fn is_there(&self) -> bool;

    /// Leaves the upkeep that a commit does beside its work to [`Store::upkeep`]: for whoever makes one
    /// commit after another, and has answers to give between them.
    fn defer_upkeep(&mut self) {}

    /// Upkeep that was deferred, while nobody waits. What comes in its way only puts it off.
    fn upkeep(&mut self) {}

    /// Takes the write lock and promises that no other writer comes between this and the commit.
    ///
    /// # Errors
    /// `busy` when another writer holds the lock for too long.
    fn begin<'a>(&'a mut self, vault: &'a Vault) -> Result<Box<dyn Transaction + 'a>>;

    /// The same after a [`Conflict`], within the time that [`Store::begin`] gave to all of it; `None`
    /// where that is over.
    ///
    /// # Errors
    /// As [`Store::begin`].
    fn begin_again<'a>(
        &'a mut self,
        vault: &'a Vault,
    ) -> Result<Option<Box<dyn Transaction + 'a>>> {
        self.begin(vault).map(Some)
    }

    /// Takes the write lock for other content in place of all that is there, if the log still ends
    /// at `head`.
    ///
    /// # Errors
    /// `busy` when it does not, and when another writer holds the lock for too long.
    fn renew<'a>(&'a mut self, vault: &'a Vault, head: &Head) -> Result<Box<dyn Birth + 'a>>;

    /// A consistent view for verbs that only look: no lock, no key, nothing written.
    ///
    /// # Errors
    /// As the database has them.
    fn read<'a>(&'a mut self) -> Result<Box<dyn Snapshot + 'a>>;
}

/// What an opened store is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Write,
    /// As `Write`, for a login service, which waits for nothing longer than 1.5 s.
    Answer,
    Read,
}

/// The database undid a unit of work because of another; it may be done again, with all that was
/// read for it read anew.
#[derive(Debug)]
pub struct Conflict;

impl std::fmt::Display for Conflict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("another change came between")
    }
}

/// Which store, and which key.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    pub store: Id,
    pub key: KeyId,
}

/// Changes that happen together or not at all; dropping it undoes them.
pub trait Transaction: Requests {
    /// The database's own clock, where it is not this machine's.
    ///
    /// # Errors
    /// As the database has them.
    fn clock(&mut self) -> Result<Option<Timestamp>>;

    /// The user of this name, with the MAC of the user and of each device checked.
    ///
    /// # Errors
    /// `tampered` when a MAC does not fit, `damaged` when a column makes no sense.
    fn user(&mut self, name: &UserName) -> Result<Option<User>>;

    /// A new user with all devices.
    ///
    /// # Errors
    /// `damaged` when the row was not written.
    fn insert(&mut self, user: &User) -> Result<()>;

    /// Writes what differs between a user as he was read and as he shall be, one revision on, and
    /// gives back that revision.
    ///
    /// # Errors
    /// `damaged` when not exactly one row took the change.
    fn save(&mut self, before: &User, after: &User) -> Result<u64>;

    /// Removes the user and all devices.
    ///
    /// # Errors
    /// `damaged` when not exactly one row went.
    fn remove(&mut self, user: &User) -> Result<()>;

    /// Writes an event to the end of the chain; `salt` hides what is personal in it.
    ///
    /// # Errors
    /// `tampered` when the end of the chain is not ours.
    fn append(&mut self, event: &Event, salt: [u8; SALT]) -> Result<u64>;

    /// When the newest event of this verb and outcome was written, if it is among the last so many.
    ///
    /// # Errors
    /// As the database has them.
    fn lately(&mut self, verb: &str, outcome: &str, among: u64) -> Result<Option<Timestamp>>;

    /// Makes the commit cost what any commit costs, although nothing is stored: how long an answer
    /// takes must not tell whether somebody is known.
    ///
    /// # Errors
    /// As the database has them.
    fn touch(&mut self) -> Result<()>;

    /// Takes what names this user out of every event; the chain stays whole.
    ///
    /// # Errors
    /// As the database has them.
    fn erase(&mut self, user: Id) -> Result<()>;

    /// Takes the events up to this number out of the log, never the last one, and leaves a proof in
    /// their place, so that the chain still proves itself. Gives back the number of the last that went.
    ///
    /// # Errors
    /// `tampered` when the end of the chain is not ours.
    fn prune(&mut self, up_to: u64) -> Result<u64>;

    /// Makes everything durable; until it returns nothing has happened.
    ///
    /// # Errors
    /// As the database has them; the changes are then undone.
    fn commit(self: Box<Self>) -> Result<()>;
}

/// A store that is being made; it exists once it is committed.
pub trait Birth: Transaction {
    /// An empty store.
    ///
    /// # Errors
    /// As the database has them.
    fn found(&mut self, identity: Identity, at: Timestamp) -> Result<()>;

    /// The store of another place, row by row; then each row is read back, each MAC checked. `step`
    /// hears of each.
    ///
    /// # Errors
    /// `tampered` where a MAC does not fit, `io` for a row that did not arrive as it was sent.
    fn fill(
        &mut self,
        identity: Identity,
        source: &mut dyn RowSource,
        step: &mut dyn FnMut(),
    ) -> Result<()>;
}

/// What a new store begins with.
pub type InitialContent<'c> = &'c mut dyn FnMut(&mut dyn Birth) -> Result<()>;

/// Bytes of the salt of an event's personal part.
pub const SALT: usize = 16;

/// All rows of a store, from wherever they are.
pub trait RowSource {
    /// When the store was made.
    ///
    /// # Errors
    /// As the source has them.
    fn created_at(&mut self) -> Result<Timestamp>;

    /// Every row of a table as it is, in order, in constant memory; the tables are asked for in the
    /// order of [`Table::all`].
    ///
    /// # Errors
    /// What `visit` returns, and `damaged` for a value of another kind.
    fn rows(
        &mut self,
        table: &Table,
        visit: &mut dyn FnMut(Vec<Value>) -> Result<()>,
    ) -> Result<()>;
}

/// A view of the store that can't change anything and checks no MAC.
pub trait Snapshot: RowSource + LogReader {
    /// The user of this name.
    ///
    /// # Errors
    /// `damaged` when a column makes no sense.
    fn user(&mut self, name: &UserName) -> Result<Option<User>>;

    /// How much there is.
    ///
    /// # Errors
    /// As the database has them.
    fn counts(&mut self) -> Result<Counts>;

    /// Where the log ends; unproved.
    ///
    /// # Errors
    /// As the database has them.
    fn head(&mut self) -> Result<Head>;

    /// The hash of an event.
    ///
    /// # Errors
    /// As the database has them.
    fn event_hash(&mut self, seq: u64) -> Result<Option<Vec<u8>>>;

    /// What was done after an event, and to whom, at most so many names.
    ///
    /// # Errors
    /// As the database has them.
    fn since(&mut self, seq: u64, most: u32) -> Result<Since>;

    /// The user of this identity.
    ///
    /// # Errors
    /// `damaged` when a column makes no sense.
    fn user_of(&mut self, id: Id) -> Result<Option<User>>;

    /// Every user in an order, one at a time, in constant memory.
    ///
    /// # Errors
    /// What `visit` returns, and `damaged` when a column makes no sense.
    fn users(&mut self, order: Order, visit: &mut dyn FnMut(User) -> Result<()>) -> Result<()> {
        self.users_like(order, &Likeness::default(), visit)
    }

    /// The users who may be of a kind, in an order: all who are, and perhaps more.
    ///
    /// # Errors
    /// As [`Snapshot::users`].
    fn users_like(
        &mut self,
        order: Order,
        likeness: &Likeness,
        visit: &mut dyn FnMut(User) -> Result<()>,
    ) -> Result<()>;

    /// Every user by name, with what the events after this number take back from how he stands.
    ///
    /// # Errors
    /// As [`Snapshot::users`].
    fn users_then(
        &mut self,
        after: u64,
        visit: &mut dyn FnMut(User, Undoing) -> Result<()>,
    ) -> Result<()>;

    /// Checks the MACs of every user and every device; `step` hears of each user.
    ///
    /// # Errors
    /// `tampered`, with the name of the first that does not fit.
    fn prove_users(&mut self, vault: &Vault, step: &mut dyn FnMut()) -> Result<()>;

    /// Checks each link of the log, with its MAC; `step` hears of each event.
    ///
    /// # Errors
    /// `tampered`, with the first event that is not as it was written.
    fn prove_log(&mut self, vault: &Vault, step: &mut dyn FnMut()) -> Result<()>;

    /// The users for whom a moment lies after `after` and not after `until`.
    ///
    /// # Errors
    /// As the database has them.
    fn users_between(
        &mut self,
        what: Moment,
        after: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Id>>;

    /// Names in order that start with `prefix`, until `visit` says that it has enough.
    ///
    /// # Errors
    /// As the database has them.
    fn names(&mut self, prefix: &str, visit: &mut dyn FnMut(&str) -> bool) -> Result<()>;
}

/// In which order users are listed; those who are equal in it by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Order {
    pub by: By,
    pub is_reversed: bool,
}

/// What a database can tell of users at a glance, so that a list of a few does not read all. Nothing
/// is decided by it.
#[derive(Clone, Debug, Default)]
pub struct Likeness {
    /// Any of these; everybody where there is none.
    pub statuses: Vec<Status>,
    pub group: Option<String>,
    /// Locked now, or once.
    pub was_locked: bool,
    /// Without an accepted code since then.
    pub unused_since: Option<Timestamp>,
    pub is_unused: bool,
    pub has_bypass: bool,
    /// With a device that waits for its first code.
    pub is_waiting: bool,
    /// An operator requires MFA of them, now or from a day on.
    pub is_asked: bool,
}

/// What an order goes by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    #[default]
    Name,
    /// The least protected first.
    Status,
    CreatedAt,
    /// Those without any accepted code first.
    LastVerifiedAt,
}

/// A moment that users have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    CreatedAt,
    RequiredFrom,
}

/// What the log tells after one of its events.
#[derive(Clone, Debug, Default)]
pub struct Since {
    /// Each verb, and how often.
    pub acts: Vec<(String, u64)>,
    /// The time of the first.
    pub from: Option<Timestamp>,
    pub users: Vec<String>,
}

fn busy() -> Refusal {
    Refusal::new(Code::Busy, "the store is busy: another program is writing to it")
        .hint("try again in a moment")
}

/// A database that fails while it confirms leaves it open what it has kept.
fn unconfirmed() -> Refusal {
    Refusal::new(Code::Io, "the store did not confirm the change; it may be stored or not")
        .hint("look with show-user before you try again")
}
