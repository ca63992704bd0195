//! An event as columns.

use anyhow::Result;

use super::{
    Reader, Row, Value, bytes, damaged_column, maybe_bytes, maybe_number, maybe_text, number,
    split_mac,
};
use crate::domain::audit::event::{EventFields, Head, Personal};
use crate::domain::audit::proved_event::EventProof;
use crate::domain::refusal::Refusal;
use crate::domain::secret::KeyGeneration;
use crate::store::change::SALT;
use crate::store::log_query::{EventView, LoggedChange};

/// The columns of `events`.
pub const EVENT_COLUMNS: &[&str] = &[
    "seq",
    "at",
    "verb",
    "outcome",
    "operator_uid",
    "operator_claim",
    "ticket",
    "proof",
    "user_id",
    "status",
    "rev",
    "factor",
    "\"user\"",
    "device",
    "reason",
    "detail",
    "salt",
    "personal",
    "hash",
    "mac",
    "was_status",
    "was",
    "was_rev",
    "was_stamp",
    "token_id",
];

/// The columns of [`event_view`].
pub const EVENT_VIEW_COLUMNS: &[&str] = &[
    "seq",
    "at",
    "verb",
    "outcome",
    "\"user\"",
    "device",
    "factor",
    "status",
    "operator_uid",
    "operator_claim",
    "ticket",
    "proof",
    "reason",
    "detail",
];

/// The columns of [`logged_change`].
pub const LOGGED_CHANGE_COLUMNS: &[&str] = &[
    "seq",
    "at",
    "verb",
    "outcome",
    "operator_uid",
    "operator_claim",
    "ticket",
    "user_id",
    "was",
    "detail",
];

/// The columns of [`proved_event`]: everything that the chain covers directly, without the personal fields, which
/// it covers by their hash.
pub const PROVED_COLUMNS: &[&str] = &[
    "seq",
    "at",
    "verb",
    "outcome",
    "operator_uid",
    "operator_claim",
    "ticket",
    "proof",
    "user_id",
    "status",
    "rev",
    "factor",
    "was_status",
    "was_rev",
    "was_stamp",
    "personal",
    "hash",
    "mac",
    "token_id",
];

/// The values of [`EVENT_COLUMNS`].
pub fn event_values(
    entry: &EventFields<'_>,
    salt: &[u8; SALT],
    personal: &[u8; 32],
    head: &Head,
    mac: Value,
) -> Vec<Value> {
    vec![
        number(head.seq),
        number(entry.at),
        Value::Text(entry.verb.to_owned()),
        Value::Text(entry.outcome.to_owned()),
        number(entry.operator_uid),
        maybe_text(entry.operator_claim),
        maybe_text(entry.ticket),
        maybe_text(entry.proof),
        maybe_bytes(entry.user_id),
        maybe_text(entry.status),
        maybe_number(entry.rev),
        maybe_text(entry.factor),
        maybe_text(entry.personal.user),
        maybe_text(entry.personal.device),
        maybe_text(entry.personal.reason),
        maybe_text(entry.personal.detail),
        bytes(salt),
        bytes(personal),
        bytes(&head.hash),
        mac,
        maybe_text(entry.was_status),
        maybe_text(entry.personal.was),
        maybe_number(entry.was_rev),
        maybe_bytes(entry.was_stamp),
        maybe_bytes(entry.token_id),
    ]
}

/// An event for display, from [`EVENT_VIEW_COLUMNS`].
pub fn event_view(row: &dyn Row) -> Result<EventView> {
    let mut r = Reader::new(row, "events", EVENT_VIEW_COLUMNS, 0);
    Ok(EventView {
        seq: r.number()?,
        at: r.time()?,
        verb: r.text()?,
        outcome: r.text()?,
        user: r.maybe_text()?,
        device: r.maybe_text()?,
        factor: r.maybe_text()?,
        status: r.maybe_text()?,
        operator_uid: r.number()?,
        operator_claim: r.maybe_text()?,
        ticket: r.maybe_text()?,
        proof: r.maybe_text()?,
        reason: r.maybe_text()?,
        detail: r.maybe_text()?,
    })
}

/// An event with the earlier values, from [`LOGGED_CHANGE_COLUMNS`].
pub fn logged_change(row: &dyn Row) -> Result<LoggedChange> {
    let mut r = Reader::new(row, "events", LOGGED_CHANGE_COLUMNS, 0);
    Ok(LoggedChange {
        seq: r.number()?,
        at: r.time()?,
        verb: r.text()?,
        outcome: r.text()?,
        operator_uid: r.number()?,
        operator_claim: r.maybe_text()?,
        ticket: r.maybe_text()?,
        user: r.id()?,
        was: r.maybe_text()?,
        detail: r.maybe_text()?,
    })
}

/// An event and its proof from [`EVENT_COLUMNS`], borrowed from the row: verifying a log reads ten
/// million of them.
pub fn entry_and_proof(row: &dyn Row) -> Result<(EventFields<'_>, EventProof<'_>)> {
    let r = BorrowedEvent { row, columns: EVENT_COLUMNS };
    let (mac, generation) = split_mac(r.bytes(19)?);
    let entry = EventFields {
        was_status: row.text_ref(20)?,
        was_rev: row.int(22)?.map(i64::cast_unsigned),
        was_stamp: row.bytes_ref(23)?,
        token_id: row.bytes_ref(24)?,
        generation,
        personal: Personal {
            user: row.text_ref(12)?,
            device: row.text_ref(13)?,
            reason: row.text_ref(14)?,
            detail: row.text_ref(15)?,
            was: row.text_ref(21)?,
        },
        ..r.first_fields()?
    };
    let proof = EventProof {
        seq: r.number(0)?,
        salt: row.bytes_ref(16)?,
        personal: r.bytes(17)?,
        hash: r.bytes(18)?,
        mac,
    };
    Ok((entry, proof))
}

/// An event without its personal fields, and its proof, from [`PROVED_COLUMNS`].
pub fn proved_event(row: &dyn Row) -> Result<(EventFields<'_>, EventProof<'_>)> {
    let r = BorrowedEvent { row, columns: PROVED_COLUMNS };
    let (mac, generation) = split_mac(r.bytes(17)?);
    let entry = EventFields {
        was_status: row.text_ref(12)?,
        was_rev: row.int(13)?.map(i64::cast_unsigned),
        was_stamp: row.bytes_ref(14)?,
        token_id: row.bytes_ref(18)?,
        generation,
        ..r.first_fields()?
    };
    let proof = EventProof {
        seq: r.number(0)?,
        salt: None,
        personal: r.bytes(15)?,
        hash: r.bytes(16)?,
        mac,
    };
    Ok((entry, proof))
}

/// Reads the columns of an event by index.
struct BorrowedEvent<'r> {
    row: &'r dyn Row,
    columns: &'static [&'static str],
}

impl<'r> BorrowedEvent<'r> {
    fn damaged(&self, column: usize) -> Refusal {
        damaged_column("events", self.columns[column])
    }

    fn number(&self, column: usize) -> Result<u64> {
        let number = self.row.int(column)?.and_then(|n| n.try_into().ok());
        Ok(number.ok_or_else(|| self.damaged(column))?)
    }

    fn text(&self, column: usize) -> Result<&'r str> {
        Ok(self.row.text_ref(column)?.ok_or_else(|| self.damaged(column))?)
    }

    fn bytes(&self, column: usize) -> Result<&'r [u8]> {
        Ok(self.row.bytes_ref(column)?.ok_or_else(|| self.damaged(column))?)
    }

    /// The first twelve columns after the number, which both lists begin with.
    fn first_fields(&self) -> Result<EventFields<'r>> {
        let row = self.row;
        Ok(EventFields {
            at: self.number(1)?,
            verb: self.text(2)?,
            outcome: self.text(3)?,
            operator_uid: self.number(4)?,
            operator_claim: row.text_ref(5)?,
            ticket: row.text_ref(6)?,
            proof: row.text_ref(7)?,
            user_id: row.bytes_ref(8)?,
            token_id: None,
            status: row.text_ref(9)?,
            rev: row.int(10)?.map(i64::cast_unsigned),
            factor: row.text_ref(11)?,
            was_status: None,
            was_rev: None,
            was_stamp: None,
            generation: KeyGeneration::FIRST,
            personal: Personal::default(),
        })
    }
}
