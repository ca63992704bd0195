//! Answers a login service. Every rejected login gets the same answer at the same cost, so that nobody
//! learns which users exist.

use std::sync::Arc;

use anyhow::Result;
use zeroize::Zeroizing;

use crate::app::transaction::Transaction;
use crate::app::user_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::{AuditRecord, RecordedChange};
use crate::authenticate;
use crate::authenticate::code::{
    CodeAnswer, CodeSubmission, Evaluation, NOT_ASKED, detail, evaluate, operator,
    reject_unevaluated,
};
use crate::authenticate::services::batch_input::LoginTerms;
use crate::authenticate::services::{CodeAtEnd, SHORTEST_CODE, Typed};
use crate::authenticate::sign_in::{Credentials, SignInResult};
use crate::config::Config;
use crate::domain::authenticate::{Attempt, authenticate};
use crate::domain::backup_code::Submitted;
use crate::domain::device::{Active, Device, DeviceState};
use crate::domain::factor::Factor;
use crate::domain::factor::totp::Parameters;
use crate::domain::lockout::RECORD_EVERY;
use crate::domain::login_rule::{Login, LoginRule, login_rule, types_password_only};
use crate::domain::name::{Label, UserName};
use crate::domain::origin::AttemptOrigin;
use crate::domain::password::Password;
use crate::domain::secret::{Id, Sealed, Secret};
use crate::domain::service_rules::NotEnabledPolicy;
use crate::domain::sign_in::SignInOutcome;
use crate::domain::user::User;
use crate::env::Env;
use crate::operate;
use crate::store::Change;

/// The verb in the audit log.
const VERB: &str = "verify";
/// The outcome for an unknown name.
const UNKNOWN: &str = "unknown";
/// How many of the newest events are searched for the last logged attempt with an unknown name.
const EVENTS_SEARCHED: u64 = 64;

/// A login service's question: may this user log in?
pub struct LoginRequest<'l> {
    /// For the log.
    pub origin: &'l AttemptOrigin,
    pub name: &'l UserName,
    pub typed: &'l Typed,
    pub without: NotEnabledPolicy,
    /// The input is a password followed by a code, and both are checked.
    pub has_password: bool,
}

/// The answer to a login with a code, which may be given once the change is committed.
pub enum LoginAnswer {
    /// The code was checked.
    Code(CodeAnswer),
    /// The rule for the user decided without it.
    Rule { lets_in: bool },
}

/// The committed answer.
#[must_use]
pub struct LoginOutcome {
    pub lets_in: bool,
    follow_up: FollowUp,
}

/// What to do once the service has its answer.
enum FollowUp {
    Nothing,
    /// After a code.
    Code(Box<Evaluation>),
    /// After a password and a code.
    SignIn(Box<SignInResult>),
}

impl LoginOutcome {
    const NO: Self = Self { lets_in: false, follow_up: FollowUp::Nothing };
}

/// An environment variable as the service set it; untrusted.
#[must_use]
pub fn service_variable(app: &App<'_>, name: &str) -> Option<std::ffi::OsString> {
    (app.service.as_ref()?.environment)(name)
}

/// What the service wrote to standard input, up to `longest` bytes and one more. It is kept for another attempt.
pub fn service_input(app: &mut App<'_>, longest: usize) -> Result<Zeroizing<Vec<u8>>> {
    if let Some(read) = app.service.as_ref().and_then(|service| service.input.clone()) {
        return Ok(read);
    }
    let read = app.read_input_up_to(longest)?;
    if let Some(service) = &mut app.service {
        service.input = Some(read.clone());
    }
    Ok(read)
}

/// Notes what the service said of its client, for the line about an attempt that fails.
pub fn note_origin(app: &mut App<'_>, origin: &AttemptOrigin) {
    if let Some(service) = &mut app.service {
        service.origin = origin.clone();
    }
}

/// Sets how to answer the service, besides the exit code, if this run takes too long.
pub fn on_timeout(app: &App<'_>, reply: impl FnOnce(bool) + Send + 'static) {
    if let Some(watchdog) = app.service.as_ref().and_then(|service| service.watchdog.as_ref()) {
        watchdog.set_final_reply(reply);
    }
}

/// May this user log in? After an error nobody is let in.
pub fn log_in(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    login: &LoginRequest<'_>,
) -> Result<LoginOutcome> {
    let done = if login.has_password {
        login_with_password_and_code(app, opened, login)?
    } else {
        login_with_code(app, opened, login)?
    };
    if let Some(watchdog) = app.service.as_ref().and_then(|service| service.watchdog.as_ref()) {
        watchdog.set_exit(u8::from(!done.lets_in));
    }
    Ok(done)
}

/// Sends the notices, after the service has its answer. A failure does not change the answer.
pub fn notify_after_login(app: &mut App<'_>, opened: &mut OpenStore, done: &LoginOutcome) {
    match &done.follow_up {
        FollowUp::Nothing => {}
        FollowUp::Code(proved) => {
            let Evaluation { user, outcome, at, .. } = &**proved;
            operate::notify_activation(app, opened, user, outcome, *at);
        }
        FollowUp::SignIn(done) => authenticate::notify_after_sign_in(app, opened, done),
    }
}

fn login_with_code(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    login: &LoginRequest<'_>,
) -> Result<LoginOutcome> {
    let config = Arc::clone(&app.config);
    let (bounds, undo_for) = (config.bounds, config.undo_for);
    let (submitted, origin) = (&Submitted::read(login.typed.code()), login.origin);
    let (verb, device_id, place) = (VERB, None, config.services.place(origin));
    let submission = CodeSubmission { verb, origin, device_id, submitted, bounds, undo_for, place };
    let terms = LoginTerms { without: login.without, has_code: !login.typed.code().is_empty() };
    user_tx(app, opened, |app, mut write| {
        let done = match write.find(login.name)? {
            None => {
                if !asks_first(&config, terms, origin) {
                    reject_unknown_user(app.env, &mut write, &submission)?;
                }
                LoginOutcome::NO
            }
            Some(user) => {
                let ((change, record), answer) =
                    evaluate_login(&write, user, &config, terms, &submission)?;
                let user = audit::save(app.env, &mut write.tx, write.at, change, record)?;
                match answer {
                    LoginAnswer::Code(answer) => {
                        answer.with_user(user).map_or(LoginOutcome::NO, |proved| LoginOutcome {
                            lets_in: proved.outcome.lets_in(),
                            follow_up: FollowUp::Code(Box::new(proved)),
                        })
                    }
                    LoginAnswer::Rule { lets_in } => LoginOutcome { lets_in, ..LoginOutcome::NO },
                }
            }
        };
        write.commit()?;
        Ok(done)
    })
}

/// Whether a service that has rules only asks if it has to ask for a code: nobody has attempted anything yet.
#[must_use]
pub fn asks_first(config: &Config, terms: LoginTerms, origin: &AttemptOrigin) -> bool {
    !terms.has_code && config.services.rules(origin).is_some()
}

/// Decides about the login of a known user inside a write transaction; the caller saves the change and commits. After
/// an error nothing may be committed.
pub fn evaluate_login(
    write: &Transaction<'_>,
    user: User,
    config: &Config,
    terms: LoginTerms,
    submission: &CodeSubmission<'_>,
) -> Result<(RecordedChange, LoginAnswer)> {
    let (CodeSubmission { origin, submitted, .. }, now) = (submission, write.at);
    let LoginTerms { without, has_code } = terms;
    let (requirement, rules) = (config.policy.requirement(&user), config.services.rules(origin));
    let login = Login { submitted, has_code, requirement, without, rules, origin, now };
    let rule = |lets_in| LoginAnswer::Rule { lets_in };
    Ok(match login_rule(&user, &login) {
        LoginRule::CheckCode => {
            let (change, answer) = evaluate(write, user, submission)?;
            (change, LoginAnswer::Code(answer))
        }
        LoginRule::Exempt(exemption) => {
            // Logged, because somebody was let in without a code.
            let detail = detail(origin, [("why", exemption.word().into())]);
            let (verb, outcome, operator) = (VERB, NOT_ASKED, operator(origin));
            let record = AuditRecord { verb, outcome, detail, operator, ..AuditRecord::default() };
            ((Change::Keep(user), Some(record)), rule(true))
        }
        LoginRule::Reject(why) => (reject_unevaluated(now, (VERB, origin), user, why), rule(false)),
        LoginRule::AskForCode => ((Change::Keep(user), None), rule(false)),
    })
}

/// Checks password and code as a sign-in does.
fn login_with_password_and_code(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    login: &LoginRequest<'_>,
) -> Result<LoginOutcome> {
    let typed = login.typed;
    // Only the input decides whether a slow hash is computed: the time must not depend on the user.
    let any_code = CodeAtEnd { digits: SHORTEST_CODE, may_be_yubico: true };
    let may_need_none = login.without == NotEnabledPolicy::Accept
        || app.config.services.rules(login.origin).is_some();
    let shortest_password = match typed.split(any_code) {
        Some((password, code)) if !code.is_empty() => Some(password),
        _ => may_need_none.then(|| typed.password()),
    };
    // Without a password to hash the attempt is a wrong password, which is counted and logged: it takes no proof, so
    // that as a wrong code it would let anybody shut a user out.
    let shortest_password = shortest_password.and_then(password);
    let user = opened.store.read()?.user(login.name)?;
    let code = split_code(app, user.as_ref(), login)?.filter(|_| shortest_password.is_some());
    let password_part = code.map_or_else(|| typed.password(), |(password, _)| password);
    let credentials = Credentials {
        password: shortest_password.map(|shortest| password(password_part).unwrap_or(shortest)),
        new_password: None,
        code: code.map(|(_, code)| Zeroizing::new(code.to_vec())),
        without: login.without,
        origin: login.origin.clone(),
    };
    let done = authenticate::decide_sign_in(app, opened, login.name, &credentials)?;
    if done.user.is_none() {
        let (bounds, undo_for) = (app.config.bounds, app.config.undo_for);
        let submitted = &Submitted::read(code.map_or(&[], |(_, code)| code));
        let origin = login.origin;
        let (verb, device_id, place) = (VERB, None, None);
        let submission =
            CodeSubmission { verb, origin, device_id, submitted, bounds, undo_for, place };
        user_tx(app, opened, |app, mut write| {
            reject_unknown_user(app.env, &mut write, &submission)?;
            write.commit()
        })?;
    }
    let lets_in = matches!(done.step, SignInOutcome::Accepted(_));
    Ok(LoginOutcome { lets_in, follow_up: FollowUp::SignIn(Box::new(done)) })
}

/// Splits the input into password and code; `None` if it has no code or the user needs none: then
/// all of it is a password, which may end in digits.
fn split_code<'g>(
    app: &mut App<'_>,
    user: Option<&User>,
    login: &LoginRequest<'g>,
) -> Result<Option<(&'g [u8], &'g [u8])>> {
    let (now, origin, without) = (app.env.clock.now()?, login.origin, login.without);
    let (policy, rules) = (&app.config.policy, app.config.services.rules(origin));
    let digits = user.into_iter().flat_map(User::live).filter_map(|d| d.factor.digits()).min();
    let is_yubikey = |device: &Device| matches!(device.factor, Factor::Yubikey);
    let split = login.typed.split(CodeAtEnd {
        digits: digits.map_or(SHORTEST_CODE, usize::from),
        may_be_yubico: user.is_some_and(|user| user.live().any(is_yubikey)),
    });
    let is_password_with = |user: &User, code| {
        let (submitted, requirement) = (&Submitted::read(code), policy.requirement(user));
        let has_code = true;
        let login = Login { submitted, has_code, requirement, without, rules, origin, now };
        types_password_only(user, &login)
    };
    Ok(split.filter(|(_, code)| {
        !code.is_empty() && !user.is_some_and(|user| is_password_with(user, code))
    }))
}

/// `None` for input that can't be a password.
fn password(password_part: &[u8]) -> Option<Password> {
    Password::read("password", std::str::from_utf8(password_part).ok()?).ok()
}

/// Rejects an unknown name at the cost of a wrong code, in computing and in disk writes.
fn reject_unknown_user(
    env: &mut Env,
    write: &mut Transaction<'_>,
    submission: &CodeSubmission<'_>,
) -> Result<()> {
    evaluate_for_nobody(env, write, submission)?;
    match unknown_user_record(write, submission.origin)? {
        Some(record) => audit::append_store_event(env, &mut write.tx, write.at, record),
        None => write.tx.dummy_write(),
    }
}

/// Computes as much as for a wrong code of a user.
pub fn evaluate_for_nobody(
    env: &mut Env,
    write: &Transaction<'_>,
    submission: &CodeSubmission<'_>,
) -> Result<()> {
    let CodeSubmission { submitted, bounds, .. } = *submission;
    let dummy_user = dummy_user(env, write)?;
    let attempt = Attempt { submitted, device: None, now: write.at, bounds };
    let _never_accepted = authenticate(dummy_user, &attempt, write.vault)?;
    Ok(())
}

/// What the log records of an unknown name, at most once a minute; `None` where it has done so. The name is not logged:
/// people type passwords into that field, and an event cannot be removed.
pub fn unknown_user_record(
    write: &mut Transaction<'_>,
    origin: &AttemptOrigin,
) -> Result<Option<AuditRecord>> {
    let now = write.at;
    let recorded_at = write.tx.latest_event_time(VERB, UNKNOWN, EVENTS_SEARCHED)?;
    if recorded_at.is_some_and(|t| t <= now && now.since(t) < RECORD_EVERY) {
        return Ok(None);
    }
    let (detail, operator) = (detail(origin, []), operator(origin));
    let (verb, outcome) = (VERB, UNKNOWN);
    Ok(Some(AuditRecord { verb, outcome, detail, operator, ..AuditRecord::default() }))
}

/// A user with an active device whose secret nobody has.
fn dummy_user(env: &mut Env, write: &Transaction<'_>) -> Result<User> {
    let at = write.at;
    let mut user = User::new(Id::new(env.random()?), UserName::stored(String::new()), at);
    let mut device = Device {
        id: Id::new(env.random()?),
        label: Label::stored(String::new()),
        factor: Factor::Totp(Parameters::COMMON),
        serial: None,
        secret: Sealed(Vec::new()),
        state: DeviceState::Active(Active { confirmed_at: at }),
        // A guess that happens to be right is rejected as a replay.
        position: Some(u64::MAX),
        created_at: at,
        last_used_at: None,
        accepted: crate::domain::accepted::Accepted::default(),
    };
    let secret = Secret::new(Zeroizing::new(env.random::<{ Secret::LENGTH }>()?.to_vec()));
    device.secret = write.vault.seal(user.id, &device, &secret, env.random()?)?;
    user.devices.push(device);
    Ok(user)
}
