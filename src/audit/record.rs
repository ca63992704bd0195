//! The one writer of audit events: who did what, to whom, on whose word.

use anyhow::Result;

use crate::app::App;
use crate::domain::audit::event::{Event, EventSubject, Ticket};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::env::Env;
use crate::store::Transaction;

/// What the audit log records of one action.
#[derive(Default)]
pub struct AuditRecord {
    pub verb: &'static str,
    pub outcome: &'static str,
    pub ticket: Ticket,
    pub device: Option<String>,
    pub factor: Option<&'static str>,
    pub detail: Option<String>,
}

/// Appends an event about a user to the audit log; `user` is the state after the change.
pub fn append_event(
    env: &mut Env,
    tx: &mut dyn Transaction,
    at: Timestamp,
    user: &User,
    record: AuditRecord,
) -> Result<()> {
    let event = Event {
        at,
        verb: record.verb,
        outcome: record.outcome,
        operator: env.process.operator.clone(),
        ticket: record.ticket,
        subject: Some(EventSubject {
            id: user.id,
            name: user.name.as_str().to_owned(),
            status: user.status().word(),
            rev: user.rev,
            device: record.device,
            factor: record.factor,
        }),
        detail: record.detail,
    };
    let salt = env.random()?;
    if let Some(person) = &mut env.prompt {
        let name = &user.name;
        person.set_interrupt_message(&match record.verb {
            // A user who signs in cannot run show-user.
            "sign-in" => "the change may have been saved; sign in again".to_owned(),
            _ => format!("the change may have been saved; see: mfactl show-user {name}"),
        });
    }
    tx.append(&event, salt).map(|_| ())
}

/// Appends an event that concerns no user to the audit log.
pub fn append_store_event(
    app: &mut App<'_>,
    tx: &mut dyn Transaction,
    at: Timestamp,
    (verb, outcome): (&'static str, &'static str),
    ticket: Ticket,
    detail: Option<String>,
) -> Result<()> {
    let operator = app.env.process.operator.clone();
    let event = Event { at, verb, outcome, operator, ticket, subject: None, detail };
    tx.append(&event, app.env.random()?).map(|_| ())
}
