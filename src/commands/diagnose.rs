//! `mfactl diagnose`

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Verb;
use crate::app::App;
use crate::authenticate;
use crate::authenticate::{Diagnosed, DiagnosedCode};
use crate::commands::operator_options::{OperatorOptions, UserArg};
use crate::domain::authenticate::has_only_external;
use crate::domain::code_source::CodeSource;
use crate::domain::diagnose::{ReadOut, without_comparing};
use crate::domain::diagnosis::{Diagnosis, DiagnosisWord, apart};
use crate::domain::hint::command;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::maintain;
use crate::operate;
use crate::report::{Fields, Record, Report, Verdict};
use crate::texts::Texts;

/// Explain to the operator why a user's code fails
///
/// Type the code that the caller reads out, or give it as one line of standard input. It is compared
/// with all of the user's devices, also disabled and revoked ones, with a clock that is up to 14 hours
/// off, and with the settings that apps fall back to. Where a clock is more than ten minutes off, one
/// code can fit by chance, so that at a terminal the next code is asked for too. Recovery codes and
/// bypass codes are named, and not used up. Of a token it says how far its counter or its clock is away,
/// and of what a YubiKey types whether it was used, altered, of another key, or typed on another layout.
/// Where codes of several users are off alike, this server's clock is named instead of their phones;
/// where it is not known that NTP keeps this clock, either may be off. The last words are the command to
/// run next. Nobody is signed in, and no code is used up or printed. To keep this from helping anyone
/// guess, each code that is compared counts as a wrong one; while the user is locked ten an hour are
/// compared, and the lock gets no longer.
#[derive(Args, Debug)]
pub struct Diagnose {
    #[command(flatten)]
    user: UserArg,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct DiagnosisReport {
    schema: &'static str,
    user: String,
    finding: DiagnosisWord,
    device: Option<String>,
    locked: bool,
    locked_until: Option<Timestamp>,
    /// When right codes are accepted again, for `clock_was_ahead`.
    refused_until: Option<Timestamp>,
    sentence: String,
    /// The command to run next.
    next: String,
}

impl Verb for Diagnose {
    const NAME: &'static str = "diagnose";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl diagnose alice", "echo 123456 | mfactl diagnose alice --ticket HELP-1234"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = self.user.name(app)?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        if self.operator.dry_run {
            let message = "each code counts as an attempt, so there is no dry run";
            return Err(Refusal::new(ErrorCode::Usage, message)
                .field("--dry-run")
                .hint("leave it out")
                .into());
        }
        let mut opened = app.open_store()?;
        let user = opened.read_user(&name)?;
        operate::show_person(app, &mut opened, &user)?;
        let read_out = read_code(app, &user)?;
        app.reopen_if_replaced(&mut opened)?;
        let code = DiagnosedCode { name: &name, read_out: &read_out, ticket: &ticket, first: None };
        let mut done = authenticate::diagnose_code(app, &mut opened, &code)?;
        if matches!(done.diagnosis, Diagnosis::MaybeClockOff { .. })
            && let Some(person) = &mut app.env.prompt
        {
            person.set_interrupt_message(&format!(
                "the first code of {name} counts as a wrong one; nothing else was changed"
            ));
            let question = "It may be chance. The next code, as soon as the app shows it";
            let next = typed(person.line(question)?);
            if !next.is_empty() {
                app.reopen_if_replaced(&mut opened)?;
                let (read_out, first) = (&ReadOut::read(&next), Some(&done.diagnosis));
                let code = DiagnosedCode { read_out, first, ..code };
                done = authenticate::diagnose_code(app, &mut opened, &code)?;
            }
        }
        let is_looked_at =
            !matches!(done.finding(), DiagnosisWord::Locked | DiagnosisWord::TooManyDiagnoses);
        let verdict = if is_looked_at { Verdict::Yes } else { Verdict::No };
        Ok(Report::one(DiagnosisReport::new(app, &done), verdict))
    }
}

/// The code from a person or from standard input; none is asked for where there is nothing to compare it with.
fn read_code(app: &mut App<'_>, user: &User) -> Result<ReadOut> {
    // Without a terminal the clock is read under the lock only.
    let is_in_vain = if app.can_ask() {
        without_comparing(user, None, app.env.clock.now()?).is_some()
    } else {
        let has_codes = user.live().next().is_some() && !has_only_external(user);
        !has_codes && user.recovery.is_none() && user.bypass.is_none()
    };
    let code = match &mut app.env.prompt {
        Some(_) if is_in_vain => return Ok(ReadOut::NO_CODE),
        Some(person) => {
            typed(person.line(Texts::FOR_OPERATORS.code_question(CodeSource::of_user(user)))?)
        }
        None => app.read_input()?,
    };
    if code.trim_ascii().is_empty() && !is_in_vain {
        return Err(Refusal::new(ErrorCode::Usage, "there is no code to diagnose")
            .hint(
                command("diagnose")
                    .name(&user.name)
                    .fed_by("echo CODE")
                    .after("type it at the prompt, or: "),
            )
            .into());
    }
    Ok(ReadOut::read(&code))
}

fn typed(mut line: Zeroizing<String>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(std::mem::take(&mut *line).replace(' ', "").into_bytes())
}

impl DiagnosisReport {
    fn new(app: &mut App<'_>, done: &Diagnosed) -> Self {
        let Diagnosed { user, diagnosis, at } = done;
        let lock = user.locked(*at);
        let (mut words, (mut lead, mut next)) =
            (diagnosis.sentence(&user.name, *at), diagnosis.next(&user.name));
        if let Some(either) = either_clock(app, diagnosis) {
            words = either;
            (lead, next) = ("before the phone is set", command("check").operand("clock"));
        }
        if let Some(until) = lock.filter(|_| !matches!(diagnosis, Diagnosis::TooMany { .. })) {
            words = with_lock(&user.name, until, done.is_locked_only(), &words);
            if done.is_locked_only() {
                (lead, next) = ("to end the lock", command("unlock").name(&user.name));
            }
        }
        Self {
            schema: "mfactl.diagnose/1",
            user: user.name.to_string(),
            finding: done.finding(),
            device: diagnosis.device().map(ToString::to_string),
            locked: lock.is_some(),
            locked_until: lock.flatten(),
            refused_until: diagnosis.until(),
            sentence: app.words(next.clone().after(&format!("{words}; {lead}, run: "))),
            next: app.words(next),
        }
    }
}

/// A phone is said to be off only where NTP is known to keep this machine's clock: one code that fits another time
/// can't tell which of the two clocks is wrong.
fn either_clock(app: &mut App<'_>, finding: &Diagnosis) -> Option<String> {
    let (Diagnosis::ClockOff { device, .. }, Some(seconds)) = (finding, finding.seconds_off())
    else {
        return None;
    };
    if maintain::look_at_clock(app).is_ok_and(|clock| clock.is_trusted()) {
        return None;
    }
    Some(format!(
        "the code of {device} fits a time about {}: the phone's clock is off or this server's is, and a code can't \
         tell which",
        apart(seconds)
    ))
}

/// What is known of the code, beside the lock.
fn with_lock(name: &UserName, until: Option<Timestamp>, is_all: bool, words: &str) -> String {
    let until = match until {
        Some(until) => format!("until {until}"),
        None => "after too many wrong codes, until unlocked".to_owned(),
    };
    if is_all {
        format!("{name} is locked {until}, and till then no code is accepted; otherwise {words}")
    } else {
        format!("{name} is locked {until}; besides, {words}")
    }
}

impl Record for DiagnosisReport {
    const COLUMNS: &'static [&'static str] = &[
        "user",
        "finding",
        "device",
        "locked_until",
        "refused_until",
        "sentence",
        "locked",
        "next",
    ];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(self.finding.word());
        f.maybe_text(self.device.as_deref());
        f.maybe_value(self.locked_until);
        f.maybe_value(self.refused_until);
        f.text(&self.sentence);
        f.flag(self.locked);
        f.text(&self.next);
    }

    fn sentence(&self) -> String {
        format!("{}: {}", self.user, self.sentence)
    }
}
