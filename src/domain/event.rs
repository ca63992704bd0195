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

impl Event {
    /// A commitment to what names a person, so that it can be erased with the chain intact: the
    /// chain holds this hash only, and without the salt nobody can guess a name into it.
    #[must_use]
    pub fn personal_hash(&self, salt: &[u8]) -> [u8; 32] {
        let mut c = Canonical::default();
        c.field("salt", salt);
        if let Some(s) = &self.subject {
            c.field("user", &s.name);
            c.maybe("device", s.device.as_ref());
        }
        c.maybe("reason", self.ticket.reason.as_ref());
        c.maybe("detail", self.detail.as_ref());
        Sha256::digest(c.bytes()).into()
    }

    /// `SHA-256(previous hash ‖ canonical event)`.
    #[must_use]
    pub fn chain_hash(&self, previous: &Head, personal: &[u8; 32]) -> [u8; 32] {
        let mut c = Canonical::default();
        c.field("previous", previous.hash);
        c.number("seq", previous.seq + 1);
        c.number("at", self.at.unix());
        c.field("verb", self.verb);
        c.field("outcome", self.outcome);
        c.number("operator_uid", u64::from(self.operator.uid));
        c.maybe("operator_claim", self.operator.claim.as_ref());
        c.maybe("ticket", self.ticket.ticket.as_ref());
        c.maybe("proof", self.ticket.proof.as_ref());
        if let Some(s) = &self.subject {
            c.field("user_id", s.id.bytes());
            c.field("status", s.status);
            c.number("rev", s.rev);
            c.maybe("factor", s.factor);
        }
        c.field("personal", personal);
        Sha256::digest(c.bytes()).into()
    }
}
