//! Diagnoses a code for an operator. It counts as a wrong code, so that nobody guesses this way; while the user is
//! locked it counts towards a limit of its own.

use anyhow::Result;
use serde_json::json;

use crate::app::transaction::Transaction;
use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::authenticate::code::reject_unevaluated_with;
use crate::domain::audit::event::Ticket;
use crate::domain::backup_code::BackupCodeKind;
use crate::domain::diagnose::{
    LOCKED_SPAN, MOST_WHILE_LOCKED, ReadOut, diagnose, without_comparing,
};
use crate::domain::diagnosis::{Diagnosis, DiagnosisWord, Spare};
use crate::domain::lockout::FailedFactor;
use crate::domain::name::UserName;
use crate::domain::origin::AttemptOrigin;
use crate::domain::time::Timestamp;
use crate::domain::undo_record::Undoable;
use crate::domain::user::User;
use crate::store::Change;

const VERB: &str = audit::diagnosed::DIAGNOSE;

/// A code to diagnose.
pub struct DiagnosedCode<'d> {
    pub name: &'d UserName,
    pub read_out: &'d ReadOut,
    pub ticket: &'d Ticket,
    /// What was found of the code before this one.
    pub first: Option<&'d Diagnosis>,
}

/// What was found. Nothing was accepted.
pub struct Diagnosed {
    pub user: User,
    pub diagnosis: Diagnosis,
    pub at: Timestamp,
}

impl Diagnosed {
    /// Whether the lock is all that is wrong.
    #[must_use]
    pub fn is_locked_only(&self) -> bool {
        self.diagnosis.fits() && self.user.locked(self.at).is_some()
    }

    #[must_use]
    pub fn finding(&self) -> DiagnosisWord {
        if self.is_locked_only() { DiagnosisWord::Locked } else { self.diagnosis.finding() }
    }
}

/// Explains why a code fails without accepting it.
pub fn diagnose_code(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    code: &DiagnosedCode<'_>,
) -> Result<Diagnosed> {
    let bounds = app.config.bounds;
    let mut done = write_tx(app, opened, |app, mut write| {
        let before = write.any_user(code.name)?;
        let at = write.at;
        let mut user = before.clone();
        let is_locked = before.locked(at).is_some();
        let in_vain = without_comparing(&before, Some(code.read_out), at);
        let diagnosis = if let Some(diagnosis) = in_vain {
            diagnosis
        } else {
            if let Some(until) = refused_until(&mut write, &before, is_locked)? {
                return refuse(app, write, before, code.ticket, until);
            }
            let found = diagnose(&before, write.vault, &code.read_out.submitted, at, bounds)?;
            user.throttle = if is_locked {
                user.throttle.looked_at(at)
            } else {
                user.throttle.failed(FailedFactor::Code, at, bounds.limits)
            };
            code.first.map_or_else(|| found.clone(), |first| found.clone().after(first))
        };
        let diagnosis = explained(&mut write, &user, diagnosis)?;
        let mut done = Diagnosed { user, diagnosis, at };
        let mut detail = serde_json::Map::new();
        detail.insert("finding".into(), json!(done.finding().word()));
        detail.extend(done.diagnosis.seconds_off().map(|s| ("seconds".to_owned(), json!(s))));
        if is_locked {
            detail.insert("locked".into(), json!(true));
        }
        let record = AuditRecord {
            verb: VERB,
            outcome: "done",
            ticket: code.ticket.clone(),
            device: done.diagnosis.device().map(ToString::to_string),
            detail: Some(serde_json::Value::from(detail).to_string()),
            ..AuditRecord::default()
        };
        let change = Change::Update { before, after: done.user };
        done.user = audit::save(app.env, &mut write.tx, at, change, record)?;
        write.commit()?;
        Ok(done)
    })?;
    if let Some(seconds) = done.diagnosis.seconds_off() {
        let lately = audit::diagnosed_offsets(&mut opened.store.read()?, done.at)?;
        let others = lately.others(done.user.name.as_str(), seconds);
        done.diagnosis = done.diagnosis.with_others(others);
    }
    Ok(done)
}

/// The end of the limit for a locked user, if it is reached. Their own lock must not get longer by a diagnosis, and
/// without any limit a diagnosis would tell right codes from wrong ones for as long as the lock lasts.
fn refused_until(
    write: &mut Transaction<'_>,
    user: &User,
    is_locked: bool,
) -> Result<Option<Timestamp>> {
    if !is_locked {
        return Ok(None);
    }
    let at = write.at;
    let times = audit::diagnoses_while_locked(&mut write.tx.log(), user.id, at)?;
    let oldest = times.len().checked_sub(MOST_WHILE_LOCKED).map(|index| times[index]);
    Ok(oldest.map(|oldest| oldest.min(at).plus(LOCKED_SPAN)))
}

fn refuse(
    app: &mut App<'_>,
    mut write: Transaction<'_>,
    before: User,
    ticket: &Ticket,
    until: Timestamp,
) -> Result<Diagnosed> {
    let at = write.at;
    let record = AuditRecord {
        verb: VERB,
        outcome: "locked",
        ticket: ticket.clone(),
        ..AuditRecord::default()
    };
    let (change, record) = reject_unevaluated_with(at, AttemptOrigin::NONE, before, record);
    let user = audit::save(app.env, &mut write.tx, at, change, record)?;
    write.commit()?;
    Ok(Diagnosed { user, diagnosis: Diagnosis::TooMany { until }, at })
}

/// The finding with what only the log knows.
fn explained(write: &mut Transaction<'_>, user: &User, found: Diagnosis) -> Result<Diagnosis> {
    let log = &mut write.tx.log();
    let is_use_of = |kind: BackupCodeKind| {
        move |event: &crate::store::EventView| {
            let is_accepted = matches!(event.outcome.as_str(), "accepted" | "confirmed");
            is_accepted && event.factor.as_deref() == Some(kind.word())
        }
    };
    Ok(match found {
        Diagnosis::NoDevice { .. } => {
            let takes =
                |verb: &str| verb == "undo" || Undoable::ALL.iter().any(|act| act.verb() == verb);
            let newest = audit::newest_of(log, user.id, |event| {
                takes(&event.verb) && event.outcome == "done"
            })?;
            Diagnosis::NoDevice { taken: newest.map(|event| (event.verb, event.at)) }
        }
        Diagnosis::Spare { kind, spare: Spare::Used { .. } } => {
            let at = audit::newest_of(log, user.id, is_use_of(kind))?.map(|event| event.at);
            Diagnosis::Spare { kind, spare: Spare::Used { at } }
        }
        Diagnosis::Spare {
            kind: kind @ BackupCodeKind::Bypass,
            spare: Spare::Unknown { left: 0, .. },
        } => {
            let is_used = is_use_of(kind);
            let newest = audit::newest_of(log, user.id, |event| {
                is_used(event) || event.verb == kind.word()
            })?;
            let spare = match newest {
                Some(event) if is_used(&event) => Spare::Used { at: Some(event.at) },
                _ => Spare::Unknown { left: 0, at: None },
            };
            Diagnosis::Spare { kind, spare }
        }
        Diagnosis::Spare { kind, spare: Spare::Unknown { left, .. } } => {
            let at = audit::newest_of(log, user.id, is_use_of(kind))?.map(|event| event.at);
            Diagnosis::Spare { kind, spare: Spare::Unknown { left, at } }
        }
        found => found,
    })
}
