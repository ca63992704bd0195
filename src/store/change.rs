//! What a write transaction saves: changes to users, and the events that record them.

use crate::domain::audit::event::Event;
use crate::domain::audit::history::EarlierValues;
use crate::domain::secret::{Id, Stamp};
use crate::domain::user::{Status, User, remembered_after};

/// Length in bytes of the salt of an event's personal part.
pub const SALT: usize = 16;

/// A change to one user. Saving it decides the user's revision: callers leave it as it was. It needs an event, unless
/// [`Change::may_go_unlogged`].
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "most changes are updates; a box would only cost")]
pub enum Change {
    /// Inserts a user with all devices.
    Insert(User),
    /// Writes what differs; nothing when both are equal.
    Update { before: User, after: User },
    /// Removes a user with all devices.
    Remove(User),
    /// Writes nothing: ends a user whose rows don't prove, as the log has them with this status.
    GiveUp { user: User, status: Status },
    /// Writes nothing. For a user whom an event is about, but who stays as they are.
    Keep(User),
}

impl Change {
    /// Whether the change needs no event of its own, because it changes nothing or only counts attempts.
    #[must_use]
    pub fn may_go_unlogged(&self) -> bool {
        match self {
            Self::Update { before, after } => before.differs_in_counts_only(after),
            Self::Insert(_) | Self::Remove(_) | Self::GiveUp { .. } => false,
            Self::Keep(_) => true,
        }
    }

    /// The user after the change; before it, if they are removed.
    #[must_use]
    pub const fn user(&self) -> &User {
        match self {
            Self::Insert(user)
            | Self::Update { after: user, .. }
            | Self::Remove(user)
            | Self::GiveUp { user, .. }
            | Self::Keep(user) => user,
        }
    }
}

/// An event to be appended. Its number, its hashes, and the user's name, status and revision in it are
/// added when it is saved.
#[derive(Clone, Debug)]
pub struct NewEvent {
    pub event: Event,
    /// The salt of the hash of the personal part.
    pub salt: [u8; SALT],
}

/// A user who is saved: first come the events about them, then their rows, which bear the stamp of the first event.
pub struct SavedUser {
    /// The user as the log records them from now on.
    pub user: User,
    pub rows: RowChange,
    /// Whether no event has recorded the change yet.
    is_unrecorded: bool,
}

/// What happens to the rows of a user.
pub enum RowChange {
    Keep,
    Insert,
    Update { before: User },
    Remove { before: User },
    GiveUp { before: User, status: Status },
}

impl SavedUser {
    /// `is_logged`: an event records the change.
    pub fn of(change: Change, is_logged: bool) -> Self {
        let (user, rows) = match change {
            Change::Insert(user) => (user, RowChange::Insert),
            Change::Update { before, after } if before == after => (after, RowChange::Keep),
            Change::Update { before, mut after } => {
                after.rev = before.rev + u64::from(is_logged);
                // Here, so that no verb that takes trust away can forget it.
                after.remembered = remembered_after(&before, &after);
                (after, RowChange::Update { before })
            }
            Change::Remove(before) => {
                let mut user = before.clone();
                // A removed user has no devices. The revision is one higher than that of the removed rows, so that
                // `verify-log` notices if somebody puts those rows back.
                user.devices.clear();
                user.rev += 1;
                (user, RowChange::Remove { before })
            }
            Change::GiveUp { user: before, status } => {
                let mut user = before.clone();
                user.rev += 1;
                (user, RowChange::GiveUp { before, status })
            }
            Change::Keep(user) => (user, RowChange::Keep),
        };
        let is_unrecorded = is_logged && !matches!(rows, RowChange::Keep);
        Self { user, rows, is_unrecorded }
    }

    /// The earlier values for the next event about this user: the first one records the change.
    pub fn earlier_values(&self) -> EarlierValues {
        let after = Some(&self.user);
        match &self.rows {
            RowChange::Keep => EarlierValues::unchanged(&self.user),
            _ if !self.is_unrecorded => EarlierValues::unchanged(&self.user),
            RowChange::Insert => EarlierValues::of(None, after),
            RowChange::Update { before } => EarlierValues::of(Some(before), after),
            RowChange::Remove { before } => EarlierValues::of(Some(before), None),
            RowChange::GiveUp { before, status } => EarlierValues::given_up(before, *status),
        }
    }

    /// Takes note of the event with this hash, to which [`SavedUser::earlier_values`] went.
    pub fn recorded(&mut self, event_hash: &[u8; 32]) {
        if std::mem::take(&mut self.is_unrecorded) {
            self.user.stamp = Some(Stamp::of(event_hash));
        }
    }
}

/// The index of a user, beginning at the one after `last`: events come in the order of their users.
pub fn index_of(saved: &[SavedUser], user: Id, last: usize) -> Option<usize> {
    let (before, after) = saved.split_at(saved.len().min(last));
    let is_user = |saved: &SavedUser| saved.user.id == user;
    after.iter().position(is_user).map(|n| last + n).or_else(|| before.iter().position(is_user))
}
