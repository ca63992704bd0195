//! What the audit log says of one act, and the exact bytes that are chained.

use sha2::{Digest as _, Sha256};

use crate::domain::secret::Id;
use crate::domain::time::Timestamp;

/// Who ran the command: what the kernel says, and what `sudo` claims, apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// The real uid of the process.
    pub uid: u32,
    /// The value of `SUDO_USER`, where there is one; anybody can set it.
    pub claim: Option<String>,
}

/// Where the identity of an operator's case is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticket {
    pub ticket: Option<String>,
    /// How the caller proved who he is.
    pub proof: Option<String>,
    pub reason: Option<String>,
}

/// One act, as it is written in the same transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: Timestamp,
    /// The verb of the command line.
    pub verb: &'static str,
    /// `done`, or the outcome of an attempt.
    pub outcome: &'static str,
    pub operator: Operator,
    pub ticket: Ticket,
    pub subject: Option<Subject>,
    /// What changed, as a JSON object.
    pub detail: Option<String>,
}

/// The user whom an act is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    pub id: Id,
    pub name: String,
    /// The MFA status after the act.
    pub status: &'static str,
    /// The user's revision after the act.
    pub rev: u64,
    /// The label of the device.
    pub device: Option<String>,
    pub factor: Option<&'static str>,
}

/// Where the chain ends: its last number and hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub hash: [u8; 32],
}

impl Head {
    /// Where the chain begins: before the first event.
    pub const START: Self = Self { seq: 0, hash: [0; 32] };
}

/// Bytes in which no two different lists of fields look the same: every field is a name and a
/// value, each with its length in front (four bytes, the highest first), and absent values are left out with their names.
#[derive(Default)]
pub struct Canonical(Vec<u8>);

impl Canonical {
    pub fn field(&mut self, name: &str, value: impl AsRef<[u8]>) {
        for part in [name.as_bytes(), value.as_ref()] {
            // No database takes a value of 4 GiB.
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            self.0.extend_from_slice(&length.to_be_bytes());
            self.0.extend_from_slice(part);
        }
    }

    pub fn number(&mut self, name: &str, value: u64) {
        self.field(name, value.to_be_bytes());
    }

    pub fn maybe(&mut self, name: &str, value: Option<impl AsRef<[u8]>>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// One event as its columns say it: what is hashed, whether it is about to be written or was read.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'e> {
    pub at: u64,
    pub verb: &'e str,
    pub outcome: &'e str,
    pub operator_uid: u64,
    pub operator_claim: Option<&'e str>,
    pub ticket: Option<&'e str>,
    pub proof: Option<&'e str>,
    pub user_id: Option<&'e [u8]>,
    pub status: Option<&'e str>,
    pub rev: Option<u64>,
    pub factor: Option<&'e str>,
    /// The MFA status before the act, where it was another; `absent` before there was a user.
    pub was_status: Option<&'e str>,
    pub personal: Personal<'e>,
}

/// What names a person in an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Personal<'e> {
    pub user: Option<&'e str>,
    pub device: Option<&'e str>,
    pub reason: Option<&'e str>,
    pub detail: Option<&'e str>,
    /// How the user stood before, as far as that was changed; see [`crate::domain::past`].
    pub was: Option<&'e str>,
}

impl Personal<'_> {
    /// A commitment to what names a person, so that it can be erased with the chain intact: the
    /// chain holds this hash only, and without the salt nobody can guess a name into it.
    #[must_use]
    pub fn hash(&self, salt: &[u8]) -> [u8; 32] {
        let mut c = Canonical::default();
        c.field("salt", salt);
        c.maybe("user", self.user);
        c.maybe("device", self.device);
        c.maybe("reason", self.reason);
        c.maybe("detail", self.detail);
        c.maybe("was", self.was);
        Sha256::digest(c.bytes()).into()
    }
}

impl<'e> Entry<'e> {
    #[must_use]
    pub fn of(event: &'e Event, was_status: Option<&'e str>, was: Option<&'e str>) -> Self {
        let subject = event.subject.as_ref();
        Self {
            at: event.at.unix(),
            verb: event.verb,
            outcome: event.outcome,
            operator_uid: event.operator.uid.into(),
            operator_claim: event.operator.claim.as_deref(),
            ticket: event.ticket.ticket.as_deref(),
            proof: event.ticket.proof.as_deref(),
            user_id: subject.map(|s| &s.id.bytes()[..]),
            status: subject.map(|s| s.status),
            rev: subject.map(|s| s.rev),
            factor: subject.and_then(|s| s.factor),
            was_status,
            personal: Personal {
                user: subject.map(|s| s.name.as_str()),
                device: subject.and_then(|s| s.device.as_deref()),
                reason: event.ticket.reason.as_deref(),
                detail: event.detail.as_deref(),
                was,
            },
        }
    }

    /// `SHA-256(previous hash ‖ canonical event)`.
    #[must_use]
    pub fn chain_hash(&self, previous: &Head, personal: &[u8; 32]) -> [u8; 32] {
        let mut c = Canonical::default();
        c.field("previous", previous.hash);
        c.number("seq", previous.seq + 1);
        c.number("at", self.at);
        c.field("verb", self.verb);
        c.field("outcome", self.outcome);
        c.number("operator_uid", self.operator_uid);
        c.maybe("operator_claim", self.operator_claim);
        c.maybe("ticket", self.ticket);
        c.maybe("proof", self.proof);
        c.maybe("user_id", self.user_id);
        c.maybe("status", self.status);
        c.maybe("rev", self.rev.map(u64::to_be_bytes));
        c.maybe("factor", self.factor);
        c.maybe("was_status", self.was_status);
        c.field("personal", personal);
        Sha256::digest(c.bytes()).into()
    }
}
