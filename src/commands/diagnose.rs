//! `mfactl diagnose`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use super::protection::{OperatorOptions, Target};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;
use crate::report::{Fields, Record, Report, Verdict};
use crate::session::Session;

/// Tell why a code fails
///
/// The code that the caller reads out is typed at the terminal or comes as a line of standard input.
/// It is compared with all of the user's devices, also those that are switched off or cut off, with a
/// clock that is up to ten minutes off, and with the settings that apps fall back to. Nobody is let
/// in, and no code is used up or printed. It counts as a wrong code, and is refused while the user is
/// locked, so that it is no way to guess.
#[derive(Args, Debug)]
pub struct Diagnose {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct Told {
    schema: &'static str,
    user: String,
    finding: &'static str,
    device: Option<String>,
    locked_until: Option<Timestamp>,
    #[serde(rename = "sentence")]
    words: String,
}

impl Verb for Diagnose {
    const NAME: &'static str = "diagnose";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl diagnose alice", "echo 123456 | mfactl diagnose alice --ticket HELP-1234"];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let name = self.target.name()?;
        let ticket = self.operator.ticket(session, Self::NAME)?;
        if self.operator.dry_run {
            let message = "--dry-run: a code can't be looked at without counting it";
            return Err(Refusal::new(Code::Usage, message).hint("leave it out").into());
        }
        session.look(&name)?;
        let code = if let Some(person) = &mut session.env.person {
            let mut line = person.line("The code that the app shows")?;
            zeroize::Zeroizing::new(std::mem::take(&mut *line).replace(' ', "").into_bytes())
        } else {
            session.input()?
        };
        if code.trim_ascii().is_empty() {
            return Err(Refusal::new(Code::Usage, "there is no code to look at")
                .hint(format!("type it at the prompt, or: echo CODE | mfactl diagnose {name}"))
                .into());
        }
        let mut opened = session.opened()?;
        let (user, finding, at) = session.diagnose(&mut opened, &name, &code, &ticket)?;
        let locked_until = user.locked(at).flatten();
        let told = match finding {
            Some(finding) => Told {
                schema: "mfactl.diagnose/1",
                user: name.to_string(),
                finding: finding.word(),
                device: finding.device().map(ToString::to_string),
                locked_until,
                words: finding.sentence(),
            },
            None => Told {
                schema: "mfactl.diagnose/1",
                user: name.to_string(),
                finding: "locked",
                device: None,
                locked_until,
                words: match locked_until {
                    Some(until) => format!("{name} is locked until {until}: wait, or use unlock"),
                    None => format!("{name} is locked after too many wrong codes: use unlock"),
                },
            },
        };
        let verdict = if told.finding == "locked" { Verdict::No } else { Verdict::Yes };
        Ok(Report::one(told, verdict))
    }
}

impl Record for Told {
    const COLUMNS: &'static [&'static str] =
        &["user", "finding", "device", "locked_until", "sentence"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(self.finding);
        f.maybe_text(self.device.as_deref());
        f.maybe_value(self.locked_until);
        f.text(&self.words);
    }

    fn sentence(&self) -> String {
        format!("{}: {}", self.user, self.words)
    }
}
