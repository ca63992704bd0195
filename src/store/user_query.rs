//! Queries on users, and what they return.

use crate::domain::time::Timestamp;
use crate::domain::user::Status;

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

/// How many users there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UserCounts {
    pub users: u64,
    /// Those whose MFA is enabled.
    pub with_active_device: u64,
    /// Those whose MFA is pending, and whose device has not expired.
    pub waiting: u64,
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
