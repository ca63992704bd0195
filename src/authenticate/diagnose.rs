//! Diagnoses a code for an operator. It counts as a wrong code, so that nobody guesses this way.

use anyhow::Result;
use serde_json::json;

use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::authenticate::code::reject_unevaluated_with;
use crate::domain::audit::event::Ticket;
use crate::domain::diagnose::{Diagnosis, diagnose};
use crate::domain::lockout::{FailedFactor, Lockout};
use crate::domain::name::UserName;
use crate::domain::otp::Otp;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::Change;

const VERB: &str = audit::diagnosed::DIAGNOSE;

/// Explains why a code fails without accepting it; `None` while the user is locked.
pub fn diagnose_code(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    name: &UserName,
    submitted: &[u8],
    ticket: &Ticket,
) -> Result<(User, Option<Diagnosis>, Timestamp)> {
    let bounds = app.config.bounds;
    let code = Otp::read(submitted);
    let diagnosed = write_tx(app, opened, |app, mut write| {
        let before = write.any_user(name)?;
        let at = write.at;
        if before.throttle.lockout(at) != Lockout::Unlocked {
            let record = AuditRecord {
                verb: VERB,
                outcome: "locked",
                ticket: ticket.clone(),
                ..AuditRecord::default()
            };
            let (change, record) = reject_unevaluated_with(at, None, before, record);
            let user = audit::save(app.env, &mut write.tx, at, change, record)?;
            write.commit()?;
            return Ok((user, None, at));
        }
        let finding = diagnose(&before, write.vault, code.as_ref(), at, bounds.window)?;
        let detail = match finding.seconds_off() {
            None => json!({ "finding": finding.word() }),
            Some(seconds) => json!({ "finding": finding.word(), "seconds": seconds }),
        };
        let mut user = before.clone();
        user.throttle = user.throttle.failed(FailedFactor::Code, at, bounds.limits);
        let record = AuditRecord {
            verb: VERB,
            outcome: "done",
            ticket: ticket.clone(),
            device: finding.device().map(ToString::to_string),
            detail: Some(detail.to_string()),
            ..AuditRecord::default()
        };
        let change = Change::Update { before, after: user };
        let user = audit::save(app.env, &mut write.tx, at, change, record)?;
        write.commit()?;
        Ok((user, Some(finding), at))
    })?;
    let (user, finding, at) = diagnosed;
    let finding = match finding {
        Some(finding) if let Some(seconds) = finding.seconds_off() => {
            let lately = audit::diagnosed_offsets(&mut opened.store.read()?, at)?;
            Some(finding.with_others(lately.others(user.name.as_str(), seconds)))
        }
        finding => finding,
    };
    Ok((user, finding, at))
}
