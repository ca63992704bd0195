//! The one writer of audit events: who did what, to whom, on whose word.

use anyhow::{Context as _, Result};

use crate::domain::audit::event::{Event, EventSubject, Operator, Ticket};
use crate::domain::audit::outcomes::OUTCOMES;
use crate::domain::hint::command;
use crate::domain::time::Timestamp;
use crate::domain::token::Token;
use crate::domain::user::User;
use crate::env::Env;
use crate::store::{Change, NewEvent, TokenChange, WriteTx};

/// What the audit log records of one action.
#[derive(Default)]
pub struct AuditRecord {
    pub verb: &'static str,
    pub outcome: &'static str,
    pub ticket: Ticket,
    pub device: Option<String>,
    pub factor: Option<&'static str>,
    pub detail: Option<String>,
    /// Who acted, where it is not the operator of this run.
    pub operator: Option<Operator>,
}

/// A change to one user, and what the log records of it; `None` for a change that is too frequent to be
/// logged each time.
pub type RecordedChange = (Change, Option<AuditRecord>);

/// Saves a change to a user and its event. Returns the user after the change, with the new revision.
pub fn save(
    env: &mut Env,
    tx: &mut WriteTx<'_>,
    at: Timestamp,
    change: Change,
    record: impl Into<Option<AuditRecord>>,
) -> Result<User> {
    let mut saved = save_all(env, tx, at, vec![(change, record.into())])?;
    saved.pop().context("the change was not saved")
}

/// Saves changes to several users, each at most once, and their events. Returns the users in the same
/// order.
pub fn save_all(
    env: &mut Env,
    tx: &mut WriteTx<'_>,
    at: Timestamp,
    recorded: Vec<RecordedChange>,
) -> Result<Vec<User>> {
    save_all_beside(env, tx, at, recorded, None)
}

/// As [`save_all`], with one more event, which concerns no user.
pub fn save_all_beside(
    env: &mut Env,
    tx: &mut WriteTx<'_>,
    at: Timestamp,
    recorded: Vec<RecordedChange>,
    store_record: Option<AuditRecord>,
) -> Result<Vec<User>> {
    let (mut changes, mut events) =
        (Vec::with_capacity(recorded.len()), Vec::with_capacity(recorded.len()));
    for (change, record) in recorded {
        if let Some(record) = record {
            events.push(user_event(env, at, change.user(), record)?);
        }
        changes.push(change);
    }
    if let Some(record) = store_record {
        events.push(store_event(env, at, record)?);
    }
    tx.save(changes, events)
}

fn user_event(env: &mut Env, at: Timestamp, user: &User, record: AuditRecord) -> Result<NewEvent> {
    if let Some(person) = &mut env.prompt {
        let name = &user.name;
        person.set_interrupt_message(&match record.verb {
            // Users cannot run show-user.
            _ if env.process.is_self_service => {
                "the change may have been saved; start again to see".to_owned()
            }
            "sign-in" => "the change may have been saved; sign in again".to_owned(),
            _ => env.caller.words(
                &command("show-user").name(name).after("the change may have been saved; see: "),
            ),
        });
    }
    new_event(env, at, Some(user), record)
}

/// An event that concerns no user.
pub fn store_event(env: &mut Env, at: Timestamp, record: AuditRecord) -> Result<NewEvent> {
    new_event(env, at, None, record)
}

/// An event about a token of the inventory. It names no user: what it says must not need to be erased with them.
fn token_event(
    env: &mut Env,
    at: Timestamp,
    token: &Token,
    record: AuditRecord,
) -> Result<NewEvent> {
    let mut event = new_event(env, at, None, record)?;
    event.event.token = Some(token.id);
    Ok(event)
}

/// Saves a change to a token and its event. Returns the token with its new revision and stamp.
pub fn save_token(
    env: &mut Env,
    tx: &mut WriteTx<'_>,
    at: Timestamp,
    change: TokenChange,
    record: AuditRecord,
) -> Result<Token> {
    let event = token_event(env, at, change.token(), record)?;
    tx.inventory().save(change, &event)
}

fn new_event(
    env: &mut Env,
    at: Timestamp,
    user: Option<&User>,
    record: AuditRecord,
) -> Result<NewEvent> {
    let AuditRecord { verb, outcome, ticket, device, factor, mut detail, operator } = record;
    if env.process.is_self_service && user.is_some() {
        detail = Some(through_self_service(detail)?);
    }
    debug_assert!(OUTCOMES.contains(&outcome), "{outcome} is missing in domain/audit/outcomes.rs");
    let event = Event {
        at,
        verb,
        outcome,
        operator: operator.unwrap_or_else(|| env.process.operator.clone()),
        ticket,
        subject: user.map(|user| EventSubject { id: user.id, device, factor }),
        token: None,
        detail,
    };
    Ok(NewEvent { event, salt: env.random()? })
}

/// The details with the mark that the user acted, after their password.
fn through_self_service(detail: Option<String>) -> Result<String> {
    let mut fields = match detail {
        Some(detail) => serde_json::from_str::<serde_json::Map<_, _>>(&detail)?,
        None => serde_json::Map::new(),
    };
    fields.insert("through".to_owned(), "self-service".into());
    Ok(serde_json::Value::from(fields).to_string())
}

/// Appends an event that concerns no user to the audit log.
pub fn append_store_event(
    env: &mut Env,
    tx: &mut WriteTx<'_>,
    at: Timestamp,
    record: AuditRecord,
) -> Result<()> {
    let event = store_event(env, at, record)?;
    tx.save(Vec::new(), vec![event]).map(drop)
}
