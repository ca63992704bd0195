//! An event as columns.

use anyhow::Result;

use super::{Reader, Row, Value, bytes, maybe_text, number, time};
use crate::domain::event::{Event, Head};
use crate::store::{SALT, Told};
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
];

/// The columns of [`told`].
pub const TOLD_COLUMNS: &[&str] = &[
    "seq",
    "at",
    "verb",
    "outcome",
    "operator_uid",
    "operator_claim",
    "ticket",
    "proof",
    "reason",
    "device",
];

/// The values of [`EVENT_COLUMNS`].
pub fn event_values(
    event: &Event,
    salt: &[u8; SALT],
    personal: &[u8; 32],
    head: &Head,
    mac: &[u8; MAC],
) -> Vec<Value> {
    let subject = event.subject.as_ref();
    vec![
        number(head.seq),
        time(event.at),
        Value::Text(event.verb.to_owned()),
        Value::Text(event.outcome.to_owned()),
        number(event.operator.uid.into()),
        maybe_text(event.operator.claim.as_deref()),
        maybe_text(event.ticket.ticket.as_deref()),
        maybe_text(event.ticket.proof.as_deref()),
        subject.map_or(Value::Null, |s| bytes(s.id.bytes())),
        maybe_text(subject.map(|s| s.status)),
        subject.map_or(Value::Null, |s| number(s.rev)),
        maybe_text(subject.and_then(|s| s.factor)),
        maybe_text(subject.map(|s| s.name.as_str())),
        maybe_text(subject.and_then(|s| s.device.as_deref())),
        maybe_text(event.ticket.reason.as_deref()),
        maybe_text(event.detail.as_deref()),
        bytes(salt),
        bytes(personal),
        bytes(&head.hash),
        bytes(mac),
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
        operator_uid: r.number()?,
        operator_claim: r.maybe_text()?,
        ticket: r.maybe_text()?,
        proof: r.maybe_text()?,
        reason: r.maybe_text()?,
        device: r.maybe_text()?,
    })
}
