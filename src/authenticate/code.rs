//! Every submitted code takes this path: lock, read, decide, save, commit, and only then answer.

use anyhow::Result;
use serde_json::json;

use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::domain::authenticate::{Attempt, Authentication, Outcome, authenticate};
use crate::domain::backup_code::Submitted;
use crate::domain::factor::Factor;
use crate::domain::factor::totp::Window;
use crate::domain::lockout::Bounds;
use crate::domain::name::UserName;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Id;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::User;
use crate::env::Env;
use crate::operate;
use crate::operate::transaction::WriteTx;

/// The committed result of a submitted code.
pub struct Evaluation {
    pub user: User,
    pub outcome: Outcome,
    /// How far the last accepted time step is ahead of the look-ahead window: the clock was wrong
    /// then, or is wrong now.
    pub ahead: Option<Span>,
    pub at: Timestamp,
}

/// A submitted code, and the rules it is checked by.
pub struct CodeSubmission<'p> {
    pub verb: &'static str,
    /// The login service that asks, if one does.
    pub from: Option<&'static str>,
    /// Check this device only.
    pub device_id: Option<Id>,
    pub submitted: &'p Submitted,
    pub bounds: Bounds,
    pub undo_for: Span,
}

/// Checks bytes as a user's code, for one device or for any. The refusals `not_enabled`,
/// `disabled` and `pending_expired` are logged.
pub fn authenticate_code(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    verb: &'static str,
    name: &UserName,
    device_id: Option<Id>,
    submitted: &[u8],
) -> Result<Evaluation> {
    let (bounds, undo_for) = (app.config()?.bounds, app.config()?.undo_for);
    let submitted = &Submitted::read(submitted);
    let submission = CodeSubmission { verb, from: None, device_id, submitted, bounds, undo_for };
    let attempted = operate::write_tx(app, opened, |session, mut write| {
        let before = write.any_user(name)?;
        let evaluated = evaluate(session.env, &mut write, &before, &submission)?;
        write.tx.commit()?;
        Ok(evaluated)
    })??;
    operate::notify_activation(app, opened, &attempted.user, &attempted.outcome, attempted.at);
    Ok(attempted)
}

/// Decides about one code inside a write transaction; the caller commits. The inner `Err` is a
/// refusal of a user who has nothing to compare the code with, and must be committed too. After an
/// outer `Err` nothing may be committed.
pub fn evaluate(
    env: &mut Env,
    write: &mut WriteTx<'_>,
    before: &User,
    submission: &CodeSubmission<'_>,
) -> Result<Result<Evaluation, Refusal>> {
    let CodeSubmission { verb, from, device_id, submitted, bounds, undo_for } = *submission;
    let now = write.at;
    let attempt = Attempt { submitted, device: device_id, now, bounds };
    let (mut user, outcome) = match authenticate(before.clone(), &attempt, write.vault)? {
        Authentication::Evaluated(user, outcome) => (user, outcome),
        Authentication::NotEvaluated(user, refusal) => {
            reject_unevaluated(env, write, (verb, from), &user, refusal.code.word())?;
            return Ok(Err(refusal));
        }
    };
    if let Outcome::Locked { .. } = outcome {
        let user = reject_unevaluated(env, write, (verb, from), &user, outcome.word())?;
        return Ok(Ok(Evaluation { user, outcome, ahead: None, at: now }));
    }
    user.purge(now, undo_for);
    let rejected_before = before.throttle.turned_away;
    user.throttle.turned_away = 0;
    if user != *before {
        user.rev = write.tx.save(before, &user)?;
    }
    let record = AuditRecord {
        verb,
        outcome: outcome.word(),
        device: outcome.device().map(ToString::to_string),
        factor: outcome.factor(),
        detail: detail(
            from,
            (rejected_before > 0).then_some(("turned_away_before", rejected_before)),
        ),
        ..AuditRecord::default()
    };
    audit::append_event(env, &mut *write.tx, now, &user, record)?;
    let ahead = ahead(&user, &outcome, now, bounds.window);
    Ok(Ok(Evaluation { user, outcome, ahead, at: now }))
}

/// Event details: the login service and a count, where there are any.
pub fn detail(from: Option<&str>, count: Option<(&str, u32)>) -> Option<String> {
    let mut detail = serde_json::Map::new();
    detail.extend(from.map(|from| ("from".to_owned(), json!(from))));
    detail.extend(count.map(|(name, count)| (name.to_owned(), json!(count))));
    (!detail.is_empty()).then(|| serde_json::Value::from(detail).to_string())
}

/// Counts an attempt that was not evaluated, and logs such attempts at most once a minute, so that
/// nobody can fill the disk with them.
pub fn reject_unevaluated(
    env: &mut Env,
    write: &mut WriteTx<'_>,
    (verb, from): (&'static str, Option<&'static str>),
    before: &User,
    outcome: &'static str,
) -> Result<User> {
    let record = AuditRecord { verb, outcome, ..AuditRecord::default() };
    reject_unevaluated_with(env, write, from, before, record)
}

/// [`reject_unevaluated`] with further fields of the audit record.
pub fn reject_unevaluated_with(
    env: &mut Env,
    write: &mut WriteTx<'_>,
    from: Option<&'static str>,
    before: &User,
    record: AuditRecord,
) -> Result<User> {
    let (throttle, due) = before.throttle.clone().turned_away(write.at);
    let mut user = User { throttle, ..before.clone() };
    user.rev = write.tx.save(before, &user)?;
    if let Some(attempts) = due {
        let record = AuditRecord { detail: detail(from, Some(("attempts", attempts))), ..record };
        audit::append_event(env, &mut *write.tx, write.at, &user, record)?;
    }
    Ok(user)
}

fn ahead(user: &User, outcome: &Outcome, now: Timestamp, window: Window) -> Option<Span> {
    let Outcome::Replayed { device } = outcome else { return None };
    let device = user.live().find(|d| d.label == *device)?;
    let Factor::Totp(totp) = device.factor;
    let steps = device.position?.checked_sub(totp.step(now) + window.steps())?;
    (steps > 0).then(|| Span::seconds(steps * totp.period))
}
