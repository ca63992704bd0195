//! Diagnoses a code for an operator. It counts as a wrong code, so that nobody guesses this way.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::authenticate::code::reject_unevaluated_with;
use crate::domain::audit::event::Ticket;
use crate::domain::diagnose::{Diagnosis, diagnose};
use crate::domain::factor::totp::Parameters;
use crate::domain::lockout::{FailedFactor, Lockout};
use crate::domain::name::UserName;
use crate::domain::otp::Otp;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::User;
use crate::store::{Change, LogQuery};

const VERB: &str = "diagnose";

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
            Some(finding.with_others(others_as_far_off(opened, &user, seconds, at)?))
        }
        finding => finding,
    };
    Ok((user, finding, at))
}

/// How long ago a code of another user may have been diagnosed.
const LATELY: Span = Span::hours(1);
/// Offsets that differ by no more are one: a phone may be a step off, and the operator takes a while to type.
const SAME: u64 = 2 * Parameters::COMMON.period;

/// How many other users' codes were lately diagnosed to be as far off.
fn others_as_far_off(
    opened: &mut OpenStore,
    user: &User,
    seconds: i64,
    at: Timestamp,
) -> Result<u64> {
    let query = LogQuery {
        verb: Some(VERB.to_owned()),
        outcome: Some("done".to_owned()),
        since: Some(at.minus(LATELY)),
        ..LogQuery::default()
    };
    let mut others = BTreeSet::new();
    opened.store.read()?.log().events(&query, &mut |event| {
        let detail = event.detail.and_then(|detail| serde_json::from_str::<Value>(&detail).ok());
        let off = detail.and_then(|detail| detail["seconds"].as_i64());
        if off.is_some_and(|off| off.abs_diff(seconds) <= SAME) {
            others.extend(event.user.filter(|name| name != user.name.as_str()));
        }
        Ok(true)
    })?;
    Ok(others.len() as u64)
}
