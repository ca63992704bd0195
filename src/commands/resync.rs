//! `mfactl resync`

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Verb;
use crate::app::App;
use crate::authenticate;
use crate::authenticate::{Resynced, TwoCodes};
use crate::commands::operator_options::{DeviceOption, OperatorOptions, UserArg};
use crate::domain::caller::Caller;
use crate::domain::code_source::CodeSource;
use crate::domain::diagnosis::steps_apart;
use crate::domain::factor::Factor;
use crate::domain::hint::command;
use crate::domain::name::UserName;
use crate::domain::otp::Otp;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::resync::{ResyncOutcome as Outcome, check};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::operate;
use crate::report::{Fields, Record, Report, Verdict};
use crate::texts::Texts;

/// Bring a device back to the present by two codes in a row
///
/// Two successive codes, typed one after the other or given as two lines of standard input, show where
/// a device is. For a phone: a code that was accepted while the clock was ahead uses up every earlier
/// one, so that right codes are refused until that time; two codes of now end that. For a token with a
/// button: its counter goes forward, by up to 1,000 presses that were no sign-in. For a token with a
/// clock: mfactl learns by how much that is off, up to 100 time steps. A YubiKey needs none, and is
/// refused. Codes that were accepted before stay used up, also when their time comes. Nobody is signed
/// in. Wrong codes count as two, and nothing is compared while the user is locked. Pending phones and
/// disabled devices are refused.
#[derive(Args, Debug)]
pub struct Resync {
    #[command(flatten)]
    user: UserArg,
    #[command(flatten)]
    device: DeviceOption,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct ResyncReport {
    schema: &'static str,
    user: String,
    /// `None` in a dry run, where no code is compared.
    outcome: Option<&'static str>,
    device: Option<String>,
    locked_until: Option<Timestamp>,
    changed: bool,
    consequences: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip)]
    message: String,
}

impl Verb for Resync {
    const NAME: &'static str = "resync";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl resync alice",
        "mfactl resync --device phone --ticket HELP-1234 -- alice",
        "printf '123456\\n654321\\n' | mfactl resync alice",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = self.user.name(app)?;
        let label = self.device.label()?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let mut opened = app.open_store()?;
        let user = opened.read_user(&name)?;
        app.authorization.require_allowed(&user)?;
        let (now, bounds) = (app.env.clock.now()?, app.config.bounds);
        if self.operator.dry_run {
            check(&user, label.as_ref(), now, bounds)?;
            return Ok(Report::one(ResyncReport::dry_run(&user), Verdict::Yes));
        }
        let codes = match check(&user, label.as_ref(), now, bounds) {
            Ok(source) => {
                operate::show_person(app, &mut opened, &user)?;
                Some(read_codes(app, &name, source)?)
            }
            // An attempt while locked is counted.
            Err(refusal) if refusal.code == ErrorCode::Locked => None,
            Err(refusal) => return Err(refusal.into()),
        };
        app.reopen_if_replaced(&mut opened)?;
        let submitted = TwoCodes {
            name: &name,
            label: label.as_ref(),
            codes: codes.as_ref().map(|[first, second]| [first, second]),
            ticket: &ticket,
        };
        let done = authenticate::resync_device(app, &mut opened, &submitted)?;
        let is_done = matches!(done.outcome, Outcome::Done { .. });
        let verdict = if is_done { Verdict::Yes } else { Verdict::No };
        Ok(Report::one(ResyncReport::new(done, &app.env.caller), verdict))
    }
}

/// Two codes from a person, without echo, or two lines of standard input. What is no code counts as no attempt.
fn read_codes(app: &mut App<'_>, name: &UserName, source: CodeSource) -> Result<[Otp; 2]> {
    let texts = Texts::FOR_OPERATORS;
    let question = match source {
        CodeSource::App => "The code that the app shows now",
        _ => texts.code_question(source),
    };
    let first = read_code(app, question)?;
    let second = read_code(app, texts.next_code_question(source))?;
    let wait = match source {
        CodeSource::Button => "press the button for the next code and type both, or: ",
        _ => "wait for the next code and type both, or: ",
    };
    let hint = command("resync").name(name).fed_by(r"printf 'CODE\nNEXT\n'").after(wait);
    let (Some(first), Some(second)) = (first, second) else {
        let message = "two codes of 6 to 8 digits are needed";
        return Err(Refusal::bad_input("code", message).hint(hint).into());
    };
    if first.digits() == second.digits() {
        let message = "both codes are the same";
        return Err(Refusal::bad_input("code", message).hint(hint).into());
    }
    Ok([first, second])
}

fn read_code(app: &mut App<'_>, question: &str) -> Result<Option<Otp>> {
    let line = if let Some(person) = &mut app.env.prompt {
        let mut line = person.hidden_line(question)?;
        Zeroizing::new(std::mem::take(&mut *line).replace(' ', "").into_bytes())
    } else {
        app.read_line()?.unwrap_or_default()
    };
    Ok(Otp::read(&line))
}

impl ResyncReport {
    fn dry_run(user: &User) -> Self {
        let message = format!("{}: dry run; would ask for two codes in a row", user.name);
        let (outcome, device, locked_until) = (None, None, None);
        Self {
            schema: "mfactl.resync/1",
            user: user.name.to_string(),
            outcome,
            device,
            locked_until,
            changed: false,
            consequences: Vec::new(),
            dry_run: true,
            message,
        }
    }

    fn new(done: Resynced, caller: &Caller) -> Self {
        let Resynced { user, outcome, consequences, at } = done;
        let name = &user.name;
        let locked = user.locked(at);
        let rejected = match CodeSource::of_user(&user) {
            CodeSource::App => "these are not two successive codes of now",
            _ => "these are not two successive codes of a device, or too far off",
        };
        let message = match (&outcome, locked) {
            (Outcome::Done { .. }, _) => format!("{name}: {}", done_words(&outcome, &user)),
            (Outcome::Replayed { device, factor: Factor::Hotp(_) }, _) => format!(
                "{name}: one of these codes of {device} was already used; press the button for two new ones"
            ),
            (Outcome::Replayed { device, .. }, _) => format!(
                "{name}: one of these codes of {device} was already used; wait for two new ones"
            ),
            (Outcome::Rejected, None) => format!("{name}: {rejected}"),
            (Outcome::Rejected, Some(Some(until))) => {
                format!("{name}: {rejected}; locked until {until}")
            }
            (Outcome::Rejected, Some(None)) => {
                let words = format!("{name}: {rejected}; locked; to unlock, run: ");
                caller.words(&command("unlock").name(name).after(&words))
            }
        };
        Self {
            schema: "mfactl.resync/1",
            user: name.to_string(),
            outcome: Some(outcome.word()),
            device: outcome.device().map(ToString::to_string),
            locked_until: locked.flatten(),
            changed: matches!(outcome, Outcome::Done { .. }),
            consequences,
            dry_run: false,
            message,
        }
    }
}

/// What two right codes have changed.
fn done_words(outcome: &Outcome, user: &User) -> String {
    let Outcome::Done { device, factor, from, to } = outcome else { return String::new() };
    let is_pending = user.live().any(|d| d.label == *device && d.is_pending());
    let then = if is_pending { "confirms it" } else { "is accepted" };
    match (factor, from) {
        (Factor::Hotp(_), Some(from)) => {
            format!("the counter of {device} went from {from} to {to}; the next code {then}")
        }
        (Factor::Hotp(_), None) => {
            format!("the counter of {device} is {to}; the next code {then}")
        }
        (Factor::TotpToken(_, drift), _) if drift.steps() == 0 => {
            format!("the clock of {device} is right; the next code {then}")
        }
        (Factor::TotpToken(parameters, drift), _) => format!(
            "the clock of {device} is {}, which is allowed for from now on; the next code {then}",
            steps_apart(drift.steps(), parameters.period)
        ),
        (Factor::Totp(_) | Factor::Yubikey | Factor::Paper(_) | Factor::External(_), _) => {
            format!("{device} is at the present again; the next code {then}")
        }
    }
}

impl Record for ResyncReport {
    const COLUMNS: &'static [&'static str] =
        &["user", "outcome", "device", "locked_until", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.maybe_text(self.outcome);
        f.maybe_text(self.device.as_deref());
        f.maybe_value(self.locked_until);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        self.message.clone()
    }
}
