//! An event as columns.

use anyhow::Result;

use super::{Reader, Row, Value, bytes, maybe_bytes, maybe_number, maybe_text, nonsense, number};
use crate::domain::chain::Proof;
use crate::domain::event::{Entry, Head, Personal};
use crate::store::{Change, SALT, Told};
use crate::vault::MAC;

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
];

/// The columns of [`told`].
pub const TOLD_COLUMNS: &[&str] = &[
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

/// The columns of [`change`].
pub const CHANGE_COLUMNS: &[&str] =
    &["seq", "at", "verb", "outcome", "operator_uid", "operator_claim", "ticket", "user_id", "was"];

/// The values of [`EVENT_COLUMNS`].
pub fn event_values(
    entry: &Entry<'_>,
    salt: &[u8; SALT],
    personal: &[u8; 32],
    head: &Head,
    mac: &[u8; MAC],
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
        bytes(mac),
        maybe_text(entry.was_status),
        maybe_text(entry.personal.was),
    ]
}

/// What a reader is told of an event, from [`TOLD_COLUMNS`].
pub fn told(row: &dyn Row) -> Result<Told> {
    let mut r = Reader::new(row, "events", TOLD_COLUMNS, 0);
    Ok(Told {
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

/// What an event changed, from [`CHANGE_COLUMNS`].
pub fn change(row: &dyn Row) -> Result<Change> {
    let mut r = Reader::new(row, "events", CHANGE_COLUMNS, 0);
    Ok(Change {
        seq: r.number()?,
        at: r.time()?,
        verb: r.text()?,
        outcome: r.text()?,
        operator_uid: r.number()?,
        operator_claim: r.maybe_text()?,
        ticket: r.maybe_text()?,
        user: r.id()?,
        was: r.maybe_text()?,
    })
}

/// An event and its proof as they stand in [`EVENT_COLUMNS`], lent from the row: ten million of them
/// are walked through.
pub fn entry(row: &dyn Row) -> Result<(Entry<'_>, Proof<'_>)> {
    let nonsense = |column: usize| nonsense("events", EVENT_COLUMNS[column]);
    let number = |column: usize| -> Result<u64> {
        Ok(row.int(column)?.and_then(|n| n.try_into().ok()).ok_or_else(|| nonsense(column))?)
    };
    let text = |column: usize| -> Result<&str> {
        Ok(row.lent_text(column)?.ok_or_else(|| nonsense(column))?)
    };
    let bytes = |column: usize| -> Result<&[u8]> {
        Ok(row.lent_bytes(column)?.ok_or_else(|| nonsense(column))?)
    };
    let entry = Entry {
        at: number(1)?,
        verb: text(2)?,
        outcome: text(3)?,
        operator_uid: number(4)?,
        operator_claim: row.lent_text(5)?,
        ticket: row.lent_text(6)?,
        proof: row.lent_text(7)?,
        user_id: row.lent_bytes(8)?,
        status: row.lent_text(9)?,
        rev: row.int(10)?.map(i64::cast_unsigned),
        factor: row.lent_text(11)?,
        was_status: row.lent_text(20)?,
        personal: Personal {
            user: row.lent_text(12)?,
            device: row.lent_text(13)?,
            reason: row.lent_text(14)?,
            detail: row.lent_text(15)?,
            was: row.lent_text(21)?,
        },
    };
    let proof = Proof {
        seq: number(0)?,
        salt: row.lent_bytes(16)?,
        personal: bytes(17)?,
        hash: bytes(18)?,
        mac: bytes(19)?,
    };
    Ok((entry, proof))
}
