//! What is wanted of the log, and what is read of it.

use crate::domain::event::Head;
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::store::ledger::fits;
use crate::vault::Vault;

/// Which events are wanted: those that pass all of it.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub user: Option<Subject>,
    pub operator: Option<OperatorIs>,
    pub verb: Option<String>,
    pub outcome: Option<String>,
    pub ticket: Option<String>,
    /// From this moment on.
    pub since: Option<Timestamp>,
    /// Before this moment.
    pub until: Option<Timestamp>,
    /// Events with a higher number than this.
    pub after: Option<u64>,
    /// As many of the newest.
    pub last: Option<u64>,
    pub is_newest_first: bool,
}

/// Whom an event is about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// Somebody who is there, under whatever name.
    Id(Id),
    /// Somebody who had this name.
    Name(String),
    /// Somebody who is there, and whoever had his name before an event.
    Holders { id: Id, name: String, before: u64 },
}

/// Who did it: whoever has this uid, or was called so by `sudo`.
#[derive(Clone, Debug)]
pub struct OperatorIs {
    pub uid: Option<u32>,
    pub claim: String,
}

/// An event as it is told to a reader.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Told {
    pub seq: u64,
    pub at: Timestamp,
    pub verb: String,
    pub outcome: String,
    pub user: Option<String>,
    pub device: Option<String>,
    pub factor: Option<String>,
    /// The MFA status after the act.
    pub status: Option<String>,
    pub operator_uid: u32,
    pub operator_claim: Option<String>,
    pub ticket: Option<String>,
    pub proof: Option<String>,
    pub reason: Option<String>,
    /// A JSON object.
    pub detail: Option<String>,
}

/// What an event changed of how a user stands.
#[derive(Clone, Debug)]
pub struct Change {
    pub seq: u64,
    pub at: Timestamp,
    pub verb: String,
    pub outcome: String,
    pub operator_uid: u32,
    pub operator_claim: Option<String>,
    pub ticket: Option<String>,
    pub user: Id,
    /// Earlier values; see [`crate::domain::past`]. None where nothing that is listed changed, or
    /// where the user's name was taken out of the log.
    pub was: Option<String>,
}

/// One change of an MFA status, as the log keeps it also of those whose names were taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub at: Timestamp,
    pub is_removal: bool,
    pub was: String,
    pub is: String,
}

/// Where a log begins.
#[derive(Clone, Debug)]
pub struct Start {
    /// The last event that is not there any more.
    pub head: Head,
    /// Of earlier moments the log doesn't tell.
    pub at: Option<Timestamp>,
    pub mac: Option<Vec<u8>>,
}

impl Start {
    /// Was what the log begins with made by us?
    #[must_use]
    pub fn is_ours(&self, vault: &Vault) -> bool {
        let Some(at) = self.at else { return true };
        self.head == Head::START || fits(self.mac.as_deref(), &vault.start_mac(&self.head, at))
    }
}

/// Where a log says that it ends.
#[derive(Clone, Debug)]
pub struct Guarded {
    pub head: Head,
    pub mac: Vec<u8>,
}
