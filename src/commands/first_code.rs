//! Asks for the first code of a device until it is active: the same for an app, a token and a printed list.

use anyhow::Result;
use zeroize::Zeroizing;

use crate::app::{App, OpenStore};
use crate::authenticate;
use crate::authenticate::code::Evaluation;
use crate::commands::verify::VerifyReport;
use crate::domain::authenticate::Outcome;
use crate::domain::name::UserName;
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::report::{Record as _, Verdict};

/// After so many wrong codes the verb ends and leaves the device pending.
const TRIES: usize = 3;
/// Lines from a pipe that are no codes end the verb, or it would read forever.
const MOST_MALFORMED: usize = 20;

/// What becomes of the device.
pub enum Proof {
    /// No code was given.
    NotAsked,
    Proved(User),
    NotProved(User),
}

impl Proof {
    /// The user afterwards, and the answer of the verb.
    pub fn into_parts(self, before: &User) -> (User, Verdict) {
        match self {
            Self::NotAsked => (before.clone(), Verdict::Yes),
            Self::Proved(user) => (user, Verdict::Yes),
            Self::NotProved(user) => (user, Verdict::No),
        }
    }
}

/// How the code of a device is asked for.
pub trait FirstCode {
    /// A typed line without blanks; `None` where nothing more can be read.
    fn ask(&self, app: &mut App<'_>) -> Result<Option<Zeroizing<Vec<u8>>>>;

    /// Whether it could be a code of the device. What could not is no attempt.
    fn is_code(&self, app: &App<'_>, code: &[u8], at: Timestamp) -> bool;

    /// What a code looks like, for what is none.
    fn form(&self) -> String;

    /// Why a code was refused.
    fn refusal(&self, app: &mut App<'_>, _code: &[u8], attempted: &Evaluation) -> String {
        VerifyReport::new(attempted, &app.env.caller).sentence()
    }

    /// That no code is taken until then.
    fn locked(&self, _app: &App<'_>, name: &UserName, until: Timestamp, _now: Timestamp) -> String {
        format!("{name} is locked until {until}")
    }

    /// What an interrupt leaves behind, and how to go on.
    fn interrupted(&self, app: &App<'_>) -> String;

    fn say(&self, app: &mut App<'_>, words: &str) {
        app.note(words);
    }

    /// Waits until what was said is read, where no question follows it.
    fn wait(&self, _app: &mut App<'_>) -> Result<()> {
        Ok(())
    }
}

/// Asks until the device is active, nothing is typed, or [`TRIES`] codes were wrong. Nobody needs the right to `verify`
/// for that: it is part of setting up the device.
pub fn ask_until_proved(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    verb: &'static str,
    user: &User,
    device: Id,
    at: Timestamp,
    how: &dyn FirstCode,
) -> Result<Proof> {
    let name = &user.name;
    let mut latest = user.clone();
    let (mut asked, mut wrong, mut malformed) = (false, 0, 0);
    while wrong < TRIES {
        if let Some(Some(until)) = latest.locked(at) {
            let words = how.locked(app, name, until, at);
            how.say(app, &words);
            if !asked {
                how.wait(app)?;
            }
            return Ok(Proof::NotProved(latest));
        }
        let is_person = app.env.prompt.is_some();
        // An attempt has left words of its own.
        let interrupted = how.interrupted(app);
        if let Some(person) = &mut app.env.prompt {
            person.set_interrupt_message(&interrupted);
        }
        let Some(code) = how.ask(app)? else { break };
        if code.is_empty() && is_person {
            break;
        }
        if !how.is_code(app, &code, at) {
            how.say(app, &how.form());
            malformed += 1;
            if !is_person && malformed == MOST_MALFORMED {
                break;
            }
            continue;
        }
        asked = true;
        app.reopen_if_replaced(opened)?;
        let attempted =
            authenticate::authenticate_code(app, opened, verb, name, Some(device), &code)?;
        if attempted.outcome.lets_in() {
            return Ok(Proof::Proved(attempted.user));
        }
        let words = how.refusal(app, &code, &attempted);
        how.say(app, &words);
        wrong += usize::from(!matches!(attempted.outcome, Outcome::FirstOfTwo { .. }));
        latest = attempted.user;
        if matches!(attempted.outcome, Outcome::Locked { .. }) {
            break;
        }
    }
    Ok(if asked { Proof::NotProved(latest) } else { Proof::NotAsked })
}

/// A line that was typed, without the blanks that people type because apps show "123 456".
pub fn without_blanks(line: &str) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(line.bytes().filter(|byte| *byte != b' ').collect())
}
