//! Queries on the log, and what they return.

use crate::domain::secret::Id;
use crate::domain::time::Timestamp;

/// Conditions on events; an event has to meet all of them.
#[derive(Clone, Debug, Default)]
pub struct LogQuery {
    pub user: Option<SubjectFilter>,
    pub operator: Option<OperatorFilter>,
    pub verb: Option<String>,
    pub outcome: Option<String>,
    pub ticket: Option<String>,
    /// The login service by its own name, or by its kind.
    pub service: Option<String>,
    /// Where the remote user came from.
    pub remote: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Events with a higher number than this.
    pub after: Option<u64>,
    /// Only this many of the newest.
    pub last: Option<u64>,
    pub is_newest_first: bool,
}

/// Selects events by the user they are about.
#[derive(Clone, Debug)]
pub enum SubjectFilter {
    /// An existing user, whatever their name was at the time.
    Id(Id),
    /// Any user who had this name.
    Name(String),
    /// An existing user, and earlier users who had the same name before event `before`.
    Holders { id: Id, name: String, before: u64 },
}

/// Selects events by operator: the uid, or the name that `SUDO_USER` claimed.
#[derive(Clone, Debug)]
pub struct OperatorFilter {
    pub uid: Option<u32>,
    pub claim: String,
}

/// An event for display.
#[derive(Clone, Debug, serde::Serialize)]
pub struct EventView {
    pub seq: u64,
    pub at: Timestamp,
    pub verb: String,
    pub outcome: String,
    pub user: Option<String>,
    pub device: Option<String>,
    pub factor: Option<String>,
    /// The MFA status after the event.
    pub status: Option<String>,
    pub operator_uid: u32,
    pub operator_claim: Option<String>,
    pub ticket: Option<String>,
    pub proof: Option<String>,
    pub reason: Option<String>,
    /// A JSON object.
    pub detail: Option<String>,
}

/// The events of a period: those after number `after` up to `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventRange {
    pub after: u64,
    pub last: u64,
}

/// How many events of a period have a verb and an outcome, by operator.
#[derive(Clone, Debug, serde::Serialize)]
pub struct EventCount {
    pub verb: String,
    pub outcome: String,
    pub operator_uid: u32,
    pub operator_claim: Option<String>,
    pub events: u64,
    /// Those that have a ticket.
    pub with_ticket: u64,
}

/// An event that changed a user's state, with the earlier values.
#[derive(Clone, Debug)]
pub struct LoggedChange {
    pub seq: u64,
    pub at: Timestamp,
    pub verb: String,
    pub outcome: String,
    pub operator_uid: u32,
    pub operator_claim: Option<String>,
    pub ticket: Option<String>,
    pub user: Id,
    /// Earlier values; see [`crate::domain::audit::history`]. `None` when no recorded value changed, or when the
    /// user was erased from the log.
    pub was: Option<String>,
    pub detail: Option<String>,
}

/// A change of a user's MFA status, devices or groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverageEvent {
    pub seq: u64,
    pub at: Timestamp,
    pub user: Option<Id>,
    pub is_removal: bool,
    /// The statuses before and after, which the log keeps for erased users too; equal where the status stayed.
    pub was_status: String,
    pub status: String,
    /// Earlier values; `None` for erased users.
    pub was: Option<String>,
}
