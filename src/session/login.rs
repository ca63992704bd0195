//! The way of a login that a service asks about: the way of every code, with one answer and one price
//! for all who are not let in.

use std::time::Duration;

use anyhow::Result;
use zeroize::Zeroizing;

use super::attempt::{Attempted, Presentation, detail, opened_secrets, turn_away, weigh};
use super::deadline::Deadline;
use super::work::Unit;
use super::{Credentials, Opened, Session, SignedIn, Telling};
use crate::domain::device::{Active, Device, Kind, State};
use crate::domain::event::{Event, Ticket};
use crate::domain::login::{Way, Without, is_excused, way};
use crate::domain::name::{Label, UserName};
use crate::domain::password::Password;
use crate::domain::secret::{Id, Sealed, Secret};
use crate::domain::sign_in::Step;
use crate::domain::spare::Presented;
use crate::domain::throttle::TELL_EVERY;
use crate::domain::totp::Parameters;
use crate::domain::user::User;
use crate::domain::verify::{Attempt, verify};
use crate::env::{Env, Variables};
use crate::services::{Given, SHORTEST_CODE};

/// The verb of the log.
const VERB: &str = "verify";
/// The outcome of a name that nobody has.
const UNKNOWN: &str = "unknown";
/// Events of the log that are looked through for the last such attempt that was told of.
const AMONG: u64 = 64;

/// For the log, after the notices: the run ends in time in any case, and what did not get there by then
/// does not get there.
const LAST_COMMIT: Duration = Duration::from_millis(400);

/// What a login service asks.
pub struct Login<'l> {
    /// Its name, for the log.
    pub from: &'static str,
    pub name: &'l UserName,
    pub given: &'l Given,
    pub without: Without,
    /// The line has a password before the code, and both are asked about.
    pub has_password: bool,
}

/// What came of it; committed.
#[must_use]
pub struct LoggedIn {
    pub lets_in: bool,
    follows: Follows,
}

/// What there is to do once the service has its answer.
enum Follows {
    Nothing,
    /// After a code.
    Proved(Box<Attempted>),
    /// After a password and a code.
    SignedIn(Box<SignedIn>),
}

impl LoggedIn {
    const NO: Self = Self { lets_in: false, follows: Follows::Nothing };
}

/// What stands for the time that a login service waits.
pub struct Service {
    handed: Variables,
    deadline: Deadline,
}

impl Service {
    /// What is left for notices of an answer that was given, and to tell the log of them.
    pub(super) fn left(&self) -> Duration {
        self.deadline.left().saturating_sub(LAST_COMMIT)
    }
}

impl Session<'_> {
    /// From now on this run answers a login service. Its environment is its users' to set: it is kept
    /// apart as something that was handed over, and nothing goes by it. Nobody is asked, and nobody is
    /// told anything on standard error, which some services show to whoever knocks.
    ///
    /// # Errors
    /// As the system has them.
    pub fn serve(&mut self) -> Result<()> {
        let deadline = Deadline::start(self.env.end)?;
        let handed = std::mem::replace(&mut self.env.variables, Box::new(|_| None));
        self.service = Some(Service { handed, deadline });
        self.env.person = None;
        self.env.err.writer = Box::new(std::io::sink());
        self.env.process.operator.claim = None;
        self.env.process.sudo_uid = None;
        self.env.process.is_service = true;
        Ok(())
    }

    /// A variable as the service set it.
    #[must_use]
    pub fn handed(&self, name: &str) -> Option<std::ffi::OsString> {
        (self.service.as_ref()?.handed)(name)
    }

    /// What the service is told besides the exit code, should this run be ended for taking too long.
    pub fn last_words(&self, tell: impl FnOnce(bool) + Send + 'static) {
        if let Some(service) = &self.service {
            service.deadline.last_words(tell);
        }
    }

    /// May this user in?
    ///
    /// # Errors
    /// As the store has them: nobody is let in then.
    pub fn login(&mut self, opened: &mut Opened, login: &Login<'_>) -> Result<LoggedIn> {
        let done = if login.has_password {
            self.login_by_both(opened, login)?
        } else {
            self.login_by_code(opened, login)?
        };
        if let Some(service) = &self.service {
            service.deadline.decided(u8::from(!done.lets_in));
        }
        Ok(done)
    }

    /// What follows from an answer that the service has by now: users hear of a new device. Trouble
    /// changes nothing of the answer.
    pub fn after_login(&mut self, opened: &mut Opened, done: &LoggedIn) {
        match &done.follows {
            Follows::Nothing => {}
            Follows::Proved(proved) => {
                let Attempted { user, outcome, at, .. } = &**proved;
                self.notify_proof(opened, user, outcome, *at);
            }
            Follows::SignedIn(done) => self.after_sign_in(opened, done),
        }
    }

    fn login_by_code(&mut self, opened: &mut Opened, login: &Login<'_>) -> Result<LoggedIn> {
        let (bounds, undo_for) = (self.config()?.bounds, self.config()?.undo_for);
        let policy = self.config()?.policy.clone();
        let presented = &Presented::read(login.given.code());
        let from = Some(login.from);
        let presentation =
            Presentation { verb: VERB, from, only: None, presented, bounds, undo_for };
        self.unit(opened, |session, mut unit| {
            let done = match unit.tx.user(login.name)? {
                None => {
                    stranger(session.env, &mut unit, &presentation)?;
                    LoggedIn::NO
                }
                Some(user) => {
                    let demand = policy.demand(&user);
                    match way(&user, presented, demand, login.without, unit.at) {
                        Way::Prove => {
                            let weighed = weigh(session.env, &mut unit, &user, &presentation)?;
                            weighed.map_or(LoggedIn::NO, |proved| LoggedIn {
                                lets_in: proved.outcome.lets_in(),
                                follows: Follows::Proved(Box::new(proved)),
                            })
                        }
                        Way::Pass => {
                            pass(session.env, &mut unit, &user, login.from)?;
                            LoggedIn { lets_in: true, ..LoggedIn::NO }
                        }
                        Way::TurnAway(why) => {
                            turn_away(session.env, &mut unit, (VERB, from), &user, why)?;
                            LoggedIn::NO
                        }
                    }
                }
            };
            unit.tx.commit()?;
            Ok(done)
        })
    }

    /// Password and code, by the way of a sign-in.
    fn login_by_both(&mut self, opened: &mut Opened, login: &Login<'_>) -> Result<LoggedIn> {
        let given = login.given;
        // Whether a line is worth a slow hash is told by the line alone: the time that it takes must
        // not tell whose it is.
        let least = match (given.split(SHORTEST_CODE), login.without) {
            (Some((password, code)), _) if !code.is_empty() => password,
            (_, Without::Accept) => given.password(),
            (_, Without::Refuse) => return Ok(LoggedIn::NO),
        };
        let Some(least) = password(least) else { return Ok(LoggedIn::NO) };
        let user = opened.store.read()?.user(login.name)?;
        let code = self.code_of(user.as_ref(), login)?;
        let typed = code.map_or_else(|| given.password(), |(password, _)| password);
        let credentials = Credentials {
            password: Some(password(typed).unwrap_or(least)),
            new_password: None,
            code: code.map(|(_, code)| Zeroizing::new(code.to_vec())),
            without: login.without,
            from: Some(login.from),
        };
        let done = self.decide_sign_in(opened, login.name, &credentials)?;
        if done.user.is_none() {
            let (bounds, undo_for) = (self.config()?.bounds, self.config()?.undo_for);
            let presented = &Presented::read(code.map_or(&[], |(_, code)| code));
            let from = Some(login.from);
            let presentation =
                Presentation { verb: VERB, from, only: None, presented, bounds, undo_for };
            self.unit(opened, |session, mut unit| {
                stranger(session.env, &mut unit, &presentation)?;
                unit.tx.commit()
            })?;
        }
        let lets_in = matches!(done.step, Step::Accepted(_));
        Ok(LoggedIn { lets_in, follows: Follows::SignedIn(Box::new(done)) })
    }

    /// Where the code of this user begins; `None` where there is none, or none is needed: what is typed
    /// is a password then, and may end in digits.
    fn code_of<'g>(
        &mut self,
        user: Option<&User>,
        login: &Login<'g>,
    ) -> Result<Option<(&'g [u8], &'g [u8])>> {
        let now = self.env.clock.now()?;
        let policy = &self.config()?.policy;
        let digits = user.into_iter().flat_map(User::live).map(|d| d.parameters.digits).min();
        let split = login.given.split(digits.map_or(SHORTEST_CODE, usize::from));
        let excused = |user: &User, code| {
            let (presented, demand) = (Presented::read(code), policy.demand(user));
            is_excused(user, &presented, demand, login.without, now)
        };
        Ok(split
            .filter(|(_, code)| !code.is_empty() && !user.is_some_and(|user| excused(user, code))))
    }
}

/// What can be a password at all.
fn password(typed: &[u8]) -> Option<Password> {
    Password::read("password", std::str::from_utf8(typed).ok()?).ok()
}

/// Lets somebody in who has nothing to prove.
fn pass(env: &mut Env, unit: &mut Unit<'_>, user: &User, from: &'static str) -> Result<()> {
    let detail = detail(Some(from), None);
    let told = Telling { verb: VERB, outcome: "not_asked", detail, ..Telling::default() };
    Session::append(env, &mut *unit.tx, unit.at, user, told)
}

/// A name that nobody has: as much is computed and as much made durable as for a wrong code, and the
/// log is told once a minute. It is not told the name, since people type passwords into that field, and
/// nobody could take it out again.
fn stranger(env: &mut Env, unit: &mut Unit<'_>, presentation: &Presentation<'_>) -> Result<()> {
    let Presentation { presented, bounds, from, .. } = *presentation;
    let now = unit.at;
    let decoy = decoy(env, unit)?;
    let secrets = opened_secrets(unit.vault, &decoy, None, presented, now);
    if let Ok(secrets) = &secrets {
        let attempt = Attempt { presented, tag: None, now, bounds, secrets };
        drop(verify(decoy, &attempt)?);
    }
    let told_at = unit.tx.lately(VERB, UNKNOWN, AMONG)?;
    if told_at.is_some_and(|t| t <= now && now.since(t) < TELL_EVERY) {
        return unit.tx.touch();
    }
    let event = Event {
        at: now,
        verb: VERB,
        outcome: UNKNOWN,
        operator: env.process.operator.clone(),
        ticket: Ticket::default(),
        subject: None,
        detail: detail(from, None),
    };
    let salt = env.random()?;
    unit.tx.append(&event, salt).map(|_| ())
}

/// Somebody with an active device whose secret nobody has.
fn decoy(env: &mut Env, unit: &Unit<'_>) -> Result<User> {
    let at = unit.at;
    let mut user = User::new(Id::new(env.random()?), UserName::stored(String::new()), at);
    let mut device = Device {
        id: Id::new(env.random()?),
        label: Label::stored(String::new()),
        kind: Kind::Totp,
        parameters: Parameters::COMMON,
        secret: Sealed(Vec::new()),
        state: State::Active(Active { confirmed_at: at }),
        // No code of its secret is let in, should somebody hit one.
        last_step: Some(u64::MAX),
        created_at: at,
        last_used_at: None,
    };
    let secret = Secret::new(Zeroizing::new(env.random::<{ Secret::LENGTH }>()?.to_vec()));
    device.secret = unit.vault.seal(user.id, &device, &secret, env.random()?)?;
    user.devices.push(device);
    Ok(user)
}
