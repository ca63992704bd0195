//! An event of the audit log, and the exact bytes that its hash chain covers.

use sha2::{Digest as _, Sha256};

use crate::domain::audit::history::EarlierValues;
use crate::domain::secret::{Id, KeyGeneration, Stamp};
use crate::domain::time::Timestamp;
use crate::domain::token::Token;
use crate::domain::user::User;

/// Who ran the command: the uid from the kernel, and separately the claim of `sudo`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operator {
    /// The real uid of the process.
    pub uid: u32,
    /// The value of `SUDO_USER`, if set. Unproved: anybody can set it.
    pub claim: Option<String>,
}

/// An operator's ticket, and how the user's identity was checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticket {
    pub ticket: Option<String>,
    /// How the user proved their identity.
    pub proof: Option<String>,
    pub reason: Option<String>,
}

impl Ticket {
    /// Whether this names a ticket, and is not what people type to get past the question.
    #[must_use]
    pub fn is_named(ticket: &str) -> bool {
        const PLACEHOLDERS: [&str; 10] =
            ["none", "no", "na", "nil", "null", "tba", "tbd", "todo", "unknown", "ticket"];
        let letters: String =
            ticket.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
        let first = letters.chars().next();
        let is_one_letter = letters.chars().all(|c| !c.is_numeric() && Some(c) == first);
        !is_one_letter && !PLACEHOLDERS.contains(&&*letters)
    }
}

/// One event. It is written in the transaction of the change that it records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at: Timestamp,
    /// The verb of the command line.
    pub verb: &'static str,
    /// `done`, or the outcome of an attempt.
    pub outcome: &'static str,
    pub operator: Operator,
    pub ticket: Ticket,
    pub subject: Option<EventSubject>,
    /// The token of the inventory that the event is about. It is about no user then.
    pub token: Option<Id>,
    /// What changed, as a JSON object.
    pub detail: Option<String>,
}

/// The user an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventSubject {
    pub id: Id,
    /// The label of the device.
    pub device: Option<String>,
    pub factor: Option<&'static str>,
}

/// The head of the chain: sequence number and hash of its last event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    pub seq: u64,
    pub hash: [u8; 32],
}

impl Head {
    /// The head of an empty chain.
    pub const START: Self = Self { seq: 0, hash: [0; 32] };
}

/// The canonical encoding of a row, for its MAC. Different lists of fields give different bytes: name
/// and value of a field each follow their length (four bytes, big-endian), and an absent value is left
/// out together with its name.
pub struct Canonical(Vec<u8>);

impl Default for Canonical {
    /// Has capacity for the row of most users.
    fn default() -> Self {
        Self(Vec::with_capacity(1024))
    }
}

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

/// The fields of an event. A number, once given, never changes its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FieldNumber {
    Previous = 1,
    Seq,
    At,
    Verb,
    Outcome,
    OperatorUid,
    OperatorClaim,
    Ticket,
    Proof,
    UserId,
    Status,
    Rev,
    Factor,
    WasStatus,
    Personal,
    Salt,
    User,
    Device,
    Reason,
    Detail,
    Was,
    /// What the MAC is for, so that the same bytes never have one MAC for two uses.
    Purpose,
    Hash,
    /// Of the key that made the MAC, unless it is the first.
    Generation,
    WasRev,
    WasStamp,
    TokenId,
}

/// A shorter canonical encoding for events, of which a log holds millions: one byte for the field, one
/// for its length (255 and four more bytes if it is longer), and numbers without leading zeros.
pub struct CompactCanonical(Vec<u8>);

impl Default for CompactCanonical {
    fn default() -> Self {
        Self(Vec::with_capacity(256))
    }
}

impl CompactCanonical {
    pub fn field(&mut self, part: FieldNumber, value: impl AsRef<[u8]>) {
        let value = value.as_ref();
        self.0.push(part as u8);
        match u8::try_from(value.len()) {
            Ok(length) if length < u8::MAX => self.0.push(length),
            _ => {
                // No database takes a value of 4 GiB.
                let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
                self.0.push(u8::MAX);
                self.0.extend_from_slice(&length.to_be_bytes());
            }
        }
        self.0.extend_from_slice(value);
    }

    pub fn number(&mut self, part: FieldNumber, value: u64) {
        let zeros = value.leading_zeros() as usize / 8;
        self.field(part, &value.to_be_bytes()[zeros..]);
    }

    pub fn maybe(&mut self, part: FieldNumber, value: Option<impl AsRef<[u8]>>) {
        if let Some(value) = value {
            self.field(part, value);
        }
    }

    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The fields of one event that are hashed, both before it is written and after it was read.
#[derive(Clone, Copy, Debug)]
pub struct EventFields<'e> {
    pub at: u64,
    pub verb: &'e str,
    pub outcome: &'e str,
    pub operator_uid: u64,
    pub operator_claim: Option<&'e str>,
    pub ticket: Option<&'e str>,
    pub proof: Option<&'e str>,
    pub user_id: Option<&'e [u8]>,
    /// Of an event about a token of the inventory. Revision and stamp are the token's then.
    pub token_id: Option<&'e [u8]>,
    pub status: Option<&'e str>,
    pub rev: Option<u64>,
    pub factor: Option<&'e str>,
    /// The MFA status before the event if it was different; `absent` if there was no user.
    pub was_status: Option<&'e str>,
    /// The user's revision before the event if the event records a change. Events that record none, and those
    /// of programs before schema 5, have none.
    pub was_rev: Option<u64>,
    /// The stamp of the user's rows before the event, which are also those after it if the event records no change.
    /// [`Stamp::NONE`] if the event gave them their first one.
    pub was_stamp: Option<&'e [u8]>,
    /// Of the key that made the MAC. The hash covers it, so that it can be checked without a key.
    pub generation: KeyGeneration,
    pub personal: Personal<'e>,
}

/// The user or the token that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubjectId<'e> {
    User(&'e [u8]),
    Token(&'e [u8]),
}

/// What an event is about, with its revision after the event, and the stamp of its rows before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'e> {
    pub id: SubjectId<'e>,
    pub rev: u64,
    pub was_stamp: Option<&'e [u8]>,
}

/// The fields of an event that name or describe a person. They can be erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Personal<'e> {
    pub user: Option<&'e str>,
    pub device: Option<&'e str>,
    pub reason: Option<&'e str>,
    pub detail: Option<&'e str>,
    /// Earlier values of what the event changed; see [`crate::domain::audit::history`].
    pub was: Option<&'e str>,
}

impl Personal<'_> {
    /// A salted commitment to the personal fields. The chain covers only this hash, so that the fields
    /// can be erased without breaking it; once the salt is erased too, nobody can find a name by guessing.
    #[must_use]
    pub fn hash(&self, salt: &[u8]) -> [u8; 32] {
        let mut c = CompactCanonical::default();
        c.field(FieldNumber::Salt, salt);
        c.maybe(FieldNumber::User, self.user);
        c.maybe(FieldNumber::Device, self.device);
        c.maybe(FieldNumber::Reason, self.reason);
        c.maybe(FieldNumber::Detail, self.detail);
        c.maybe(FieldNumber::Was, self.was);
        Sha256::digest(c.bytes()).into()
    }
}

/// What an event is about, as it is after the event.
#[derive(Clone, Copy)]
pub enum SubjectAfter<'e> {
    User(&'e User),
    Token(&'e Token),
    None,
}

impl<'e> EventFields<'e> {
    /// The user or token with revision and stamp; `None` for an event about neither.
    #[must_use]
    pub fn subject(&self) -> Option<Subject<'e>> {
        let token = self.token_id.map(SubjectId::Token);
        let id = self.user_id.map(SubjectId::User).or(token)?;
        Some(Subject { id, rev: self.rev?, was_stamp: self.was_stamp })
    }

    /// `after` is the subject after the event, `past` what the event changed of it.
    #[must_use]
    pub fn of(
        event: &'e Event,
        generation: KeyGeneration,
        after: SubjectAfter<'e>,
        past: &'e EarlierValues,
    ) -> Self {
        let user = match after {
            SubjectAfter::User(user) => Some(user),
            SubjectAfter::Token(_) | SubjectAfter::None => None,
        };
        let token = match after {
            SubjectAfter::Token(token) => Some(token),
            SubjectAfter::User(_) | SubjectAfter::None => None,
        };
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
            token_id: token.map(|token| &token.id.bytes()[..]),
            status: user.map(|user| user.status().word()),
            rev: user.map(|user| user.rev).or(token.map(|token| token.rev)),
            factor: subject.and_then(|s| s.factor).or(token.map(|token| token.factor.kind())),
            was_status: past.status,
            was_rev: past.rev,
            was_stamp: past.stamp.as_ref().map(|stamp| &stamp.bytes()[..]),
            generation,
            personal: Personal {
                user: user.map(|user| user.name.as_str()),
                device: match token {
                    Some(token) => Some(token.serial.as_str()),
                    None => subject.and_then(|s| s.device.as_deref()),
                },
                reason: event.ticket.reason.as_deref(),
                detail: event.detail.as_deref(),
                was: past.values.as_deref(),
            },
        }
    }

    /// The stamp of the user's rows after this event, of which this is the hash.
    #[must_use]
    pub fn stamp_after(&self, hash: &[u8; 32]) -> Option<Stamp> {
        let before = Stamp::new(self.was_stamp?.try_into().ok()?);
        let is_change = self.was_rev.is_some() || before == Stamp::NONE;
        Some(if is_change { Stamp::of(hash) } else { before })
    }

    /// `SHA-256(previous hash ‖ canonical event)`.
    #[must_use]
    pub fn chain_hash(&self, previous: &Head, personal: &[u8; 32]) -> [u8; 32] {
        let mut c = CompactCanonical::default();
        c.field(FieldNumber::Previous, previous.hash);
        c.number(FieldNumber::Seq, previous.seq + 1);
        c.number(FieldNumber::At, self.at);
        c.field(FieldNumber::Verb, self.verb);
        c.field(FieldNumber::Outcome, self.outcome);
        c.number(FieldNumber::OperatorUid, self.operator_uid);
        c.maybe(FieldNumber::OperatorClaim, self.operator_claim);
        c.maybe(FieldNumber::Ticket, self.ticket);
        c.maybe(FieldNumber::Proof, self.proof);
        c.maybe(FieldNumber::UserId, self.user_id);
        c.maybe(FieldNumber::Status, self.status);
        if let Some(rev) = self.rev {
            c.number(FieldNumber::Rev, rev);
        }
        c.maybe(FieldNumber::Factor, self.factor);
        c.maybe(FieldNumber::WasStatus, self.was_status);
        c.field(FieldNumber::Personal, personal);
        if let Some(generation) = self.generation.explicit() {
            c.number(FieldNumber::Generation, generation.into());
        }
        if let Some(was_rev) = self.was_rev {
            c.number(FieldNumber::WasRev, was_rev);
        }
        c.maybe(FieldNumber::WasStamp, self.was_stamp);
        c.maybe(FieldNumber::TokenId, self.token_id);
        Sha256::digest(c.bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::audit::event::*;
    use proptest::prelude::*;

    /// Decodes a [`CompactCanonical`]: an encoding that can be decoded is unambiguous.
    fn fields(mut bytes: &[u8]) -> Vec<(u8, Vec<u8>)> {
        let mut fields = Vec::new();
        while let [part, length, rest @ ..] = bytes {
            let (length, rest) = match (*length, rest) {
                (u8::MAX, [a, b, c, d, rest @ ..]) => {
                    (u32::from_be_bytes([*a, *b, *c, *d]) as usize, rest)
                }
                (length, rest) => (usize::from(length), rest),
            };
            fields.push((*part, rest[..length].to_vec()));
            bytes = &rest[length..];
        }
        fields
    }

    #[test]
    fn s10_a_placeholder_names_no_ticket() {
        let placeholders = [
            "", " ", "-", "--", "?", "...", "x", "XX", "none", "None.", "n/a", "N.A.", "<ticket>",
            "TBD", "#", "\u{3000}",
        ];
        for ticket in placeholders {
            assert!(!Ticket::is_named(ticket), "{ticket}");
        }
        for ticket in ["7", "00", "#12", "HELP-1234", "no-12", "INC", "none-7", "\u{7968}12"] {
            assert!(Ticket::is_named(ticket), "{ticket}");
        }
    }

    proptest! {
        #[test]
        fn different_lists_of_fields_are_encoded_differently(
            texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..6),
            number in any::<u64>(),
        ) {
            let mut brief = CompactCanonical::default();
            for text in &texts {
                brief.field(FieldNumber::Detail, text);
            }
            brief.number(FieldNumber::Seq, number);
            let decoded = fields(brief.bytes());
            prop_assert_eq!(decoded.len(), texts.len() + 1);
            for (text, (part, value)) in texts.iter().zip(&decoded) {
                prop_assert_eq!((FieldNumber::Detail as u8, text), (*part, value));
            }
            let digits = &decoded[texts.len()].1;
            prop_assert_eq!(digits.iter().fold(0, |n, digit| n << 8 | u64::from(*digit)), number);
            prop_assert!(digits.first() != Some(&0));
        }
    }
}
