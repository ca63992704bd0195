//! `mfactl diagnose`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::authenticate;
use crate::commands::operator_options::{OperatorOptions, UserArg};
use crate::domain::diagnose::Diagnosis;
use crate::domain::hint::command;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::maintain;
use crate::operate;
use crate::report::{Fields, Record, Report, Verdict};

/// Explain to the operator why a user's code fails
///
/// Type the code that the caller reads out, or give it as one line of standard input. It is compared
/// with all of the user's devices, also disabled and revoked ones, with a clock that is up to ten
/// minutes off, and with the settings that apps fall back to. Where codes of several users are off
/// alike, this server's clock is named instead of their phones; where it is not known that NTP keeps
/// this clock, either may be off. Nobody is signed in, and no code is used up or printed. To keep this
/// from helping anyone guess, each attempt counts as a wrong code and is refused while the user is
/// locked.
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
    finding: &'static str,
    device: Option<String>,
    locked_until: Option<Timestamp>,
    /// When right codes are accepted again, for `clock_was_ahead`.
    refused_until: Option<Timestamp>,
    sentence: String,
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
        let code = if let Some(person) = &mut app.env.prompt {
            let mut line = person.line("The code that the app shows")?;
            zeroize::Zeroizing::new(std::mem::take(&mut *line).replace(' ', "").into_bytes())
        } else {
            app.read_input()?
        };
        if code.trim_ascii().is_empty() {
            return Err(Refusal::new(ErrorCode::Usage, "there is no code to diagnose")
                .hint(
                    command("diagnose")
                        .name(&name)
                        .fed_by("echo CODE")
                        .after("type it at the prompt, or: "),
                )
                .into());
        }
        app.reopen_if_replaced(&mut opened)?;
        let (user, finding, at) =
            authenticate::diagnose_code(app, &mut opened, &name, &code, &ticket)?;
        let locked_until = user.locked(at).flatten();
        let report = match finding {
            Some(finding) => DiagnosisReport {
                schema: "mfactl.diagnose/1",
                user: name.to_string(),
                finding: finding.word(),
                device: finding.device().map(ToString::to_string),
                locked_until,
                refused_until: finding.until(),
                sentence: sentence(app, &name, &finding),
            },
            None => DiagnosisReport {
                schema: "mfactl.diagnose/1",
                user: name.to_string(),
                finding: "locked",
                device: None,
                locked_until,
                refused_until: None,
                sentence: app.words(command("unlock").name(&name).after(&match locked_until {
                    Some(until) => format!("{name} is locked until {until}: wait, or run: "),
                    None => format!("{name} is locked after too many wrong codes; run: "),
                })),
            },
        };
        let verdict = if report.finding == "locked" { Verdict::No } else { Verdict::Yes };
        Ok(Report::one(report, verdict))
    }
}

/// The finding in words. A phone is said to be off only where NTP is known to keep this machine's clock: one code that
/// fits another time can't tell which of the two clocks is wrong.
fn sentence(app: &mut App<'_>, name: &UserName, finding: &Diagnosis) -> String {
    let sentence = finding.sentence();
    if finding.until().is_some() {
        let words = format!("{sentence}; if the clock is right, two codes in a row end that: ");
        return app.words(command("resync").name(name).after(&words));
    }
    if matches!(finding, Diagnosis::ServerClock { .. }) {
        return app.words(command("check").operand("clock").after(&format!("{sentence}; run: ")));
    }
    let (Diagnosis::ClockOff { device, .. }, Some(seconds)) = (finding, finding.seconds_off())
    else {
        return sentence;
    };
    if maintain::look_at_clock(app).is_ok_and(|clock| clock.is_trusted()) {
        return sentence;
    }
    let way = if seconds > 0 { "ahead" } else { "behind" };
    let words = format!(
        "the code of {device} fits a time about {} s {way}: the phone's clock is off or this server's is, and a \
         code can't tell which; before the phone is set, run: ",
        seconds.unsigned_abs()
    );
    app.words(command("check").operand("clock").after(&words))
}

impl Record for DiagnosisReport {
    const COLUMNS: &'static [&'static str] =
        &["user", "finding", "device", "locked_until", "refused_until", "sentence"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(self.finding);
        f.maybe_text(self.device.as_deref());
        f.maybe_value(self.locked_until);
        f.maybe_value(self.refused_until);
        f.text(&self.sentence);
    }

    fn sentence(&self) -> String {
        format!("{}: {}", self.user, self.sentence)
    }
}
