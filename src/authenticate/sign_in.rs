//! A sign-in: read, hash without the lock, then lock, read again, decide, save, commit, and only then
//! answer.

use std::sync::Arc;

use anyhow::Result;
use serde_json::json;
use zeroize::Zeroizing;

use crate::app::user_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::authenticate;
use crate::authenticate::code::{NOT_ASKED, REMEMBERED_UNTIL, operator};
use crate::domain;
use crate::domain::authenticate::Attempt;
use crate::domain::backup_code::Submitted;
use crate::domain::lockout::Lockout;
use crate::domain::name::UserName;
use crate::domain::origin::AttemptOrigin;
use crate::domain::password::{Password, PasswordChange};
use crate::domain::password_fault::PasswordFault;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::{Id, Sealed};
use crate::domain::service_rules::{Exemption, NotEnabledPolicy};
use crate::domain::sign_in::{
    RejectReason, SignInAttempt, SignInOutcome, UsablePassword, usable_password,
};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::keyring::argon2;
use crate::operate;
use crate::store::Change;

/// The columns that hashes are sealed for.
const PASSWORD: &str = "password";
const TEMPORARY: &str = "temporary_password";

/// What the log and a report say of a code that was right, and was used before: the outcome of `verify`.
pub const USED_CODE: &str = "replayed";

/// What the log says of an input in which no password with a code behind it was found.
const NOT_SPLIT: &str = "no password with a code";

/// How often a sign-in is tried if the password changes while it is checked.
const MAX_TRIES: u32 = 3;

/// What the user submitted.
pub struct Credentials {
    /// `None` if the input can't be a password.
    pub password: Option<Password>,
    pub new_password: Option<Password>,
    pub code: Option<Zeroizing<Vec<u8>>>,
    /// May a user without MFA sign in with the password alone?
    pub without: NotEnabledPolicy,
    /// For the log.
    pub origin: AttemptOrigin,
}

/// The committed result of a sign-in.
pub struct SignInResult {
    /// `None` for an unknown name.
    pub user: Option<User>,
    pub step: SignInOutcome,
    pub at: Timestamp,
}

/// Checks the credentials and says which step comes next. An unknown name takes as long as a
/// wrong password. A weak new password is `bad_input`.
pub fn sign_in(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    name: &UserName,
    credentials: &Credentials,
) -> Result<SignInResult> {
    let done = decide_sign_in(app, opened, name, credentials)?;
    notify_after_sign_in(app, opened, &done);
    Ok(done)
}

/// [`sign_in`] without the notices.
pub fn decide_sign_in(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    name: &UserName,
    credentials: &Credentials,
) -> Result<SignInResult> {
    let mut tries = 0;
    loop {
        let user = opened.store.read()?.user(name)?;
        let checked = check_password(app, opened, user.as_ref(), credentials)?;
        let Some(user) = user else {
            let at = write_like_a_failure(app, opened)?;
            return Ok(SignInResult {
                user: None,
                step: SignInOutcome::Rejected(RejectReason::Password),
                at,
            });
        };
        if let Some(done) = decide_locked(app, opened, &user, &checked, credentials)? {
            return Ok(done);
        }
        tries += 1;
        if tries == MAX_TRIES {
            return Err(Refusal::new(ErrorCode::Busy, "the password keeps changing")
                .hint("try again in a moment")
                .into());
        }
    }
}

/// Sends the notices that a committed answer calls for.
pub fn notify_after_sign_in(app: &mut App<'_>, opened: &mut OpenStore, done: &SignInResult) {
    if let (SignInOutcome::Accepted(Some(outcome)), Some(user)) = (&done.step, &done.user) {
        operate::notify_activation(app, opened, user, outcome, done.at);
    }
}

/// Makes an unknown name wait for the disk as long as a counted wrong password. A login service
/// equalises the time in its own way.
fn write_like_a_failure(app: &mut App<'_>, opened: &mut OpenStore) -> Result<Timestamp> {
    if app.service.is_some() {
        return app.env.clock.now();
    }
    user_tx(app, opened, |_, mut write| {
        write.tx.dummy_write()?;
        let at = write.at;
        write.commit()?;
        Ok(at)
    })
}

/// The slow part, done without the lock.
fn check_password(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    user: Option<&User>,
    credentials: &Credentials,
) -> Result<PasswordCheck> {
    let now = app.env.clock.now()?;
    let cost = app.config.cost;
    let mut checked = PasswordCheck::default();
    let door = user.map(|user| (user, usable_password(user, now)));
    let vault = &opened.vault;
    let hash = match door {
        Some((user, UsablePassword::Regular(hash))) => {
            Some(vault.open_hash(user.id, PASSWORD, hash)?)
        }
        Some((user, UsablePassword::Temporary(hash) | UsablePassword::Expired(hash))) => {
            Some(vault.open_hash(user.id, TEMPORARY, hash)?)
        }
        Some((_, UsablePassword::None)) | None => None,
    };
    let Some(given) = &credentials.password else { return Ok(checked) };
    let (salt, nonce) = (app.env.random()?, app.env.random()?);
    let mut rehash = None;
    {
        let _slot = authenticate::hash_slot(app)?;
        if let Some(hash) = &hash {
            let is_match = argon2::verify(given, hash)?;
            checked.is_expired = is_match && matches!(door, Some((_, UsablePassword::Expired(_))));
            checked.is_right = is_match && !checked.is_expired;
        }
        // The time must not show that there is no hash to compare with, or that a hash was made
        // at a lower cost.
        if hash.as_deref().is_none_or(|hash| argon2::needs_rehash(hash, cost)) {
            rehash = Some(argon2::hash(given, cost, &salt)?);
        }
    }
    if !checked.is_right {
        return Ok(checked);
    }
    if let (Some((user, UsablePassword::Regular(_))), Some(rehash)) = (door, rehash) {
        checked.rehashed = Some(vault.seal_hash(user.id, PASSWORD, &rehash, nonce)?);
    }
    if let (Some(user), Some(new)) = (user, &credentials.new_password) {
        checked.new_password = check_new_password(app, opened, user, new, given)?;
    }
    Ok(checked)
}

/// The hash of the new password, or why it is refused; `None` during a lockout, when either
/// answer would show that the old password was right.
fn check_new_password(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    user: &User,
    new: &Password,
    given: &Password,
) -> Result<Option<Result<Sealed, Refusal>>> {
    // Others may have guessed while the password was hashed.
    let now = app.env.clock.now()?;
    let current = opened.store.read()?.user(&user.name)?;
    if current.is_none_or(|user| user.throttle.lockout(now) != Lockout::Unlocked) {
        return Ok(None);
    }
    Ok(Some(match require_acceptable(app, opened, user, new, given) {
        Ok(()) => Ok(sealed_hash(app, opened, user.id, new)?),
        Err(error) => Err(error.downcast()?),
    }))
}

/// Refuses a new password that is weak or the same as before.
fn require_acceptable(
    app: &mut App<'_>,
    opened: &OpenStore,
    user: &User,
    new: &Password,
    given: &Password,
) -> Result<()> {
    require_strong(app, user, "new_password", new)?;
    let is_same = || {
        let fault = PasswordFault::SameAsBefore;
        Refusal::bad_password("new_password", "is the same as before", fault)
            .hint("choose a different one")
    };
    if given.expose() == new.expose() {
        return Err(is_same().into());
    }
    let is_temporary = user.password_change == PasswordChange::Required;
    if let (true, Some(old)) = (is_temporary, &user.password) {
        let old = opened.vault.open_hash(user.id, PASSWORD, old)?;
        let _slot = authenticate::hash_slot(app)?;
        if argon2::verify(new, &old)? {
            return Err(is_same().into());
        }
    }
    Ok(())
}

/// Refuses a password that is too weak for this user. `field` is the name that the person knows
/// the input by.
pub fn require_strong(
    app: &mut App<'_>,
    user: &User,
    field: &str,
    password: &Password,
) -> Result<()> {
    let issuer = app.config.issuer.clone();
    let mut known = vec![user.name.as_str(), issuer.as_str()];
    known.extend(user.profile.display_name.as_deref());
    known.extend(user.profile.email.as_deref());
    known.extend(user.profile.email.as_deref().and_then(|e| e.split('@').next()));
    Ok(password.check(field, &app.config.rules, &known)?)
}

/// The sealed hash of a password, for the user's column.
pub fn sealed_hash(
    app: &mut App<'_>,
    opened: &OpenStore,
    user: Id,
    new: &Password,
) -> Result<Sealed> {
    seal(app, opened, user, PASSWORD, new)
}

/// The sealed hash of a temporary password, for its own column.
pub fn sealed_temporary(
    app: &mut App<'_>,
    opened: &OpenStore,
    user: Id,
    new: &Password,
) -> Result<Sealed> {
    seal(app, opened, user, TEMPORARY, new)
}

fn seal(
    app: &mut App<'_>,
    opened: &OpenStore,
    user: Id,
    column: &str,
    new: &Password,
) -> Result<Sealed> {
    let cost = app.config.cost;
    let (salt, nonce) = (app.env.random()?, app.env.random()?);
    let hash = {
        let _slot = authenticate::hash_slot(app)?;
        argon2::hash(new, cost, &salt)?
    };
    opened.vault.seal_hash(user, column, &hash, nonce)
}

/// Decides under the lock; `None` if the user changed since the password was checked.
fn decide_locked(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    checked_user: &User,
    checked: &PasswordCheck,
    credentials: &Credentials,
) -> Result<Option<SignInResult>> {
    let (bounds, undo_for) = (app.config.bounds, app.config.undo_for);
    let config = Arc::clone(&app.config);
    let rules = config.services.rules(&credentials.origin);
    let place = config.services.place(&credentials.origin);
    let submitted = credentials.code.as_deref().map(|code| Submitted::read(code));
    user_tx(app, opened, |app, mut write| {
        let now = write.at;
        let Some(before) = write.find(&checked_user.name)? else { return Ok(None) };
        if usable_password(&before, now) != usable_password(checked_user, now)
            || before.id != checked_user.id
        {
            return Ok(None);
        }
        let may_prove = checked.is_right && before.throttle.lockout(now) == Lockout::Unlocked;
        if let (true, Some(_)) = (may_prove, &credentials.new_password) {
            match &checked.new_password {
                Some(Ok(_)) => {}
                Some(Err(refusal)) => return Err(refusal.clone().into()),
                // The lockout that kept it from being checked has ended: check it now.
                None => return Ok(None),
            }
        }
        let attempt = |submitted| Attempt { submitted, device: None, now, bounds };
        let exemption = rules.and_then(|r| r.exemption(&before, &credentials.origin, now));
        let not_enabled = rules.and_then(|rules| rules.not_enabled);
        let claim = SignInAttempt {
            limits: bounds.limits,
            now,
            is_right: checked.is_right,
            is_expired: checked.is_expired,
            new_password: checked.new_password.clone().and_then(Result::ok),
            code: submitted.as_ref().map(attempt),
            requirement: config.policy.requirement(&before),
            without: not_enabled.unwrap_or(credentials.without),
            exemption,
        };
        let (mut user, step) = domain::sign_in::sign_in(before.clone(), claim, write.vault)?;
        user.purge(now, undo_for);
        let mut record = audit_record(&before, &user, (&step, exemption), credentials);
        let is_by_device =
            matches!(&step, SignInOutcome::Accepted(Some(outcome)) if outcome.lets_in_by_device());
        if let (true, Some(place)) = (is_by_device, &place) {
            let until = user.remembered.remember(place, now);
            let further = [(REMEMBERED_UNTIL, json!(until))];
            record.detail = authenticate::code::detail(&credentials.origin, further);
        }
        if let (SignInOutcome::Accepted(_), None) = (&step, &credentials.new_password) {
            user.password = checked.rehashed.clone().or(user.password);
        }
        let mut attempts = 1;
        if matches!(
            step,
            SignInOutcome::Locked { .. } | SignInOutcome::Rejected(RejectReason::Locked)
        ) {
            // A password that was looked at is logged each time: five in one lock at most.
            let has_changed = !before.differs_in_counts_only(&user);
            let (throttle, due) = user.throttle.turned_away(now);
            user.throttle = throttle;
            attempts = due.unwrap_or(u32::from(has_changed));
        }
        let change = Change::Update { before, after: user };
        let record = (attempts > 0).then_some(record);
        let user = audit::save(app.env, &mut write.tx, now, change, record)?;
        write.commit()?;
        Ok(Some(SignInResult { user: Some(user), step, at: now }))
    })
}

/// The result of the slow part.
#[derive(Default)]
struct PasswordCheck {
    is_right: bool,
    /// It is a temporary password that has expired.
    is_expired: bool,
    /// The same password hashed at today's cost, if the stored hash is cheaper.
    rehashed: Option<Sealed>,
    /// The hash of the new password, or why it is refused; `None` if it was not checked.
    new_password: Option<Result<Sealed, Refusal>>,
}

fn audit_record(
    before: &User,
    after: &User,
    (step, exemption): (&SignInOutcome, Option<Exemption>),
    credentials: &Credentials,
) -> AuditRecord {
    let mut detail = serde_json::Map::new();
    let (origin, mut outcome) = (&credentials.origin, step.word());
    detail.extend(origin.fields().map(|(name, text)| (name.to_owned(), json!(text))));
    if after.password != before.password {
        detail.insert("password".into(), json!("changed"));
    }
    let (mut device, mut factor) = (None, None);
    match step {
        SignInOutcome::Accepted(Some(outcome)) => {
            (device, factor) = (outcome.device().map(ToString::to_string), outcome.factor());
        }
        SignInOutcome::Accepted(None) if origin.from.is_some() => {
            outcome = NOT_ASKED;
            let why = exemption.unwrap_or(Exemption::NotEnabled).word();
            detail.insert("why".into(), json!(why));
        }
        SignInOutcome::Rejected(why) => {
            let why = match why {
                // For the help desk: the password may have been right, with nothing behind it.
                RejectReason::Password if credentials.password.is_none() => NOT_SPLIT,
                RejectReason::Password => "password",
                RejectReason::TemporaryPasswordExpired { .. } => "temporary password expired",
                RejectReason::Code => "code",
                RejectReason::UsedCode => USED_CODE,
                RejectReason::Disabled => "disabled",
                RejectReason::NotEnabled => "not_enabled",
                RejectReason::Locked => "locked",
            };
            detail.insert("why".into(), json!(why));
        }
        _ => {}
    }
    let detail = (!detail.is_empty()).then(|| serde_json::Value::from(detail).to_string());
    AuditRecord {
        verb: "sign-in",
        outcome,
        device,
        factor,
        detail,
        operator: operator(origin),
        ..AuditRecord::default()
    }
}
