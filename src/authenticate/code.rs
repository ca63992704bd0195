//! Every submitted code takes this path: lock, read, decide, save, commit, and only then answer.

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::transaction::Transaction;
use crate::app::user_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::{AuditRecord, RecordedChange};
use crate::domain::audit::event::Operator;
use crate::domain::authenticate::{Attempt, Authentication, Outcome, authenticate};
use crate::domain::backup_code::Submitted;
use crate::domain::factor::paper::UsedCode;
use crate::domain::factor::totp::Window;
use crate::domain::lockout::Bounds;
use crate::domain::name::UserName;
use crate::domain::origin::AttemptOrigin;
use crate::domain::refusal::Refusal;
use crate::domain::remembered::LoginPlace;
use crate::domain::secret::Id;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::User;
use crate::env::Env;
use crate::operate;
use crate::store::Change;

/// The outcome where a login service lets somebody in without a code.
pub const NOT_ASKED: &str = "not_asked";

/// The detail of an event that says until when the host needs no further code.
pub const REMEMBERED_UNTIL: &str = "remembered_until";

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
    pub origin: &'p AttemptOrigin,
    /// Check this device only.
    pub device_id: Option<Id>,
    pub submitted: &'p Submitted,
    pub bounds: Bounds,
    pub undo_for: Span,
    /// What a service that remembers logins does so by, once a code of a device was accepted.
    pub place: Option<LoginPlace>,
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
    let (bounds, undo_for) = (app.config.bounds, app.config.undo_for);
    let submitted = &Submitted::read(submitted);
    let origin = AttemptOrigin::NONE;
    let place = None;
    let submission = CodeSubmission { verb, origin, device_id, submitted, bounds, undo_for, place };
    let attempted = user_tx(app, opened, |app, mut write| {
        let before = write.any_user(name)?;
        let evaluated = evaluate_and_save(app.env, &mut write, before, &submission)?;
        write.commit()?;
        Ok(evaluated)
    })??;
    operate::notify_activation(app, opened, &attempted.user, &attempted.outcome, attempted.at);
    Ok(attempted)
}

/// The answer to a submitted code, which may be given once the change is committed.
pub struct CodeAnswer {
    /// `Err` for a user who has nothing to compare the code with.
    outcome: Result<Outcome, Refusal>,
    ahead: Option<Span>,
    at: Timestamp,
}

impl CodeAnswer {
    /// The answer, with the user after the change.
    pub fn with_user(self, user: User) -> Result<Evaluation, Refusal> {
        let Self { outcome, ahead, at } = self;
        outcome.map(|outcome| Evaluation { user, outcome, ahead, at })
    }
}

/// Decides about one code inside a write transaction; the caller saves the change and commits. After an
/// error nothing may be committed.
pub fn evaluate(
    write: &Transaction<'_>,
    before: User,
    submission: &CodeSubmission<'_>,
) -> Result<(RecordedChange, CodeAnswer)> {
    let CodeSubmission { verb, origin, device_id, submitted, bounds, undo_for, .. } = *submission;
    let now = write.at;
    let answer = |outcome| CodeAnswer { outcome, ahead: None, at: now };
    let attempt = Attempt { submitted, device: device_id, now, bounds };
    let (mut user, outcome) = match authenticate(before.clone(), &attempt, write.vault)? {
        Authentication::Evaluated(user, outcome) => (user, outcome),
        Authentication::NotEvaluated(user, refusal) => {
            let rejected = reject_unevaluated(now, (verb, origin), user, refusal.code.word());
            return Ok((rejected, answer(Err(refusal))));
        }
    };
    if let Outcome::Locked { .. } = outcome {
        let rejected = reject_unevaluated(now, (verb, origin), user, outcome.word());
        return Ok((rejected, answer(Ok(outcome))));
    }
    user.purge(now, undo_for);
    let remembered_until = match &submission.place {
        Some(place) if outcome.lets_in_by_device() => Some(user.remembered.remember(place, now)),
        _ => None,
    };
    let rejected_before = before.throttle.turned_away;
    user.throttle.turned_away = 0;
    let code = outcome
        .used_code()
        .map(|UsedCode { number, left }| [("code", number.into()), ("left", left.into())]);
    let counts = code
        .into_iter()
        .flatten()
        .chain((rejected_before > 0).then_some(("turned_away_before", rejected_before.into())))
        .chain(remembered_until.map(|until| (REMEMBERED_UNTIL, json!(until))));
    let record = AuditRecord {
        verb,
        outcome: outcome.word(),
        device: outcome.device().map(ToString::to_string),
        factor: outcome.factor(),
        detail: detail(origin, counts),
        operator: operator(origin),
        ..AuditRecord::default()
    };
    let ahead = ahead(&user, &outcome, now, bounds.window);
    let change = Change::Update { before, after: user };
    Ok(((change, Some(record)), CodeAnswer { outcome: Ok(outcome), ahead, at: now }))
}

/// [`evaluate`] with the change saved; the caller commits, after an inner `Err` too.
pub fn evaluate_and_save(
    env: &mut Env,
    write: &mut Transaction<'_>,
    before: User,
    submission: &CodeSubmission<'_>,
) -> Result<Result<Evaluation, Refusal>> {
    let ((change, record), answer) = evaluate(write, before, submission)?;
    Ok(answer.with_user(audit::save(env, &mut write.tx, write.at, change, record)?))
}

/// Event details: where the attempt came from, and further fields where there are any.
pub fn detail<'c>(
    origin: &AttemptOrigin,
    further: impl IntoIterator<Item = (&'c str, Value)>,
) -> Option<String> {
    let mut detail = serde_json::Map::new();
    detail.extend(origin.fields().map(|(name, text)| (name.to_owned(), json!(text))));
    detail.extend(further.into_iter().map(|(name, value)| (name.to_owned(), value)));
    (!detail.is_empty()).then(|| serde_json::Value::from(detail).to_string())
}

/// Counts an attempt that was not evaluated, and logs such attempts at most once a minute, so that
/// nobody can fill the disk with them.
pub fn reject_unevaluated(
    at: Timestamp,
    (verb, origin): (&'static str, &AttemptOrigin),
    before: User,
    outcome: &'static str,
) -> RecordedChange {
    let record = AuditRecord { verb, outcome, ..AuditRecord::default() };
    reject_unevaluated_with(at, origin, before, record)
}

/// [`reject_unevaluated`] with further fields of the audit record.
pub fn reject_unevaluated_with(
    at: Timestamp,
    origin: &AttemptOrigin,
    before: User,
    record: AuditRecord,
) -> RecordedChange {
    let (throttle, due) = before.throttle.clone().turned_away(at);
    let after = User { throttle, ..before.clone() };
    let record = due.map(|attempts| {
        let detail = detail(origin, Some(("attempts", attempts.into())));
        AuditRecord { detail, operator: operator(origin), ..record }
    });
    (Change::Update { before, after }, record)
}

/// Who asked the verifier of this machine, for an event that is not of its own doing.
#[must_use]
pub fn operator(origin: &AttemptOrigin) -> Option<Operator> {
    origin.uid.map(|uid| Operator { uid, claim: None })
}

fn ahead(user: &User, outcome: &Outcome, now: Timestamp, window: Window) -> Option<Span> {
    let Outcome::Replayed { device, .. } = outcome else { return None };
    let device = user.live().find(|d| d.label == *device)?;
    let clock = device.factor.clock()?;
    let steps = device.position?.checked_sub(*clock.steps(now, window).end())?;
    (steps > 0).then(|| Span::seconds(steps * clock.parameters.period))
}
