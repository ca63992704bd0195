//! `mfactl verify`

mod service;

use anyhow::Result;
use clap::{ArgMatches, Args};
use serde::Serialize;

use super::Verb;
use crate::domain::name::UserName;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::spare::Spare;
use crate::domain::time::Timestamp;
use crate::domain::verify::Outcome;
use crate::report::{Fields, Record, Report, Verdict};
use crate::session::{Attempted, Session};
use service::ServiceOptions;

/// Is this code right?
///
/// The code is typed at the terminal, where it is not shown, or comes as one line of standard input;
/// never as an argument. A code is accepted once. A right code of a pending device confirms it.
/// Exit code 0 means accepted and stored, and nothing else; 1 means no. After 5 wrong codes in a row
/// a lock of 30 seconds begins that doubles with each further one; 100 shut until `mfactl unlock`.
///
/// With --from a login service asks: nothing is prompted for, nothing is taken from the environment but
/// what the service hands over, and the answer comes within 2 seconds. It is 1 for everybody who is not
/// let in, known or not, and only the log knows why.
///
/// With --batch it stays and answers each line of standard input with a line of JSON, in order and once
/// the commit has returned; all lines that wait are decided in one. It ends with its input.
#[derive(Args, Debug)]
pub struct Verify {
    /// The user
    #[arg(
        value_name = "NAME",
        required_unless_present_any = ["from", "batch"],
        add = crate::session::completion::user_names()
    )]
    name: Option<String>,
    /// Answer line by line: `NAME<Tab>CODE<Tab>ID`, or JSON with `user`, `code` and `id`
    #[arg(long, conflicts_with_all = ["name", "from", "split", "not_enabled"])]
    batch: bool,
    #[command(flatten)]
    service: ServiceOptions,
    /// Taken to be refused in words
    #[arg(hide = true)]
    code: Option<String>,
}

/// The answer.
#[derive(Serialize)]
pub struct Verified {
    schema: &'static str,
    user: String,
    outcome: &'static str,
    device: Option<String>,
    factor: Option<&'static str>,
    locked_until: Option<Timestamp>,
    #[serde(skip)]
    words: String,
}

impl Verb for Verify {
    const NAME: &'static str = "verify";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl verify alice",
        "echo 123456 | mfactl verify --json alice",
        "mfactl verify --from pam",
        "printf 'alice\\t123456\\t1\\n' | mfactl verify --batch",
    ];
    const HELP_FLAG: bool = false;

    fn is_service(matches: &ArgMatches) -> bool {
        matches.contains_id("from")
    }

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        if let Some(service) = self.service.from {
            return service::answer(session, service, &self.service, self.name.as_deref());
        }
        if self.batch {
            session.batch()?;
            return Ok(Report::silence(Verdict::Yes));
        }
        let name = UserName::parse(self.name.as_deref().unwrap_or_default())?;
        if self.code.is_some() {
            return Err(Refusal::new(
                Code::Usage,
                "a code is never an argument: others could read it",
            )
            .hint(format!("type it at the prompt, or: echo CODE | mfactl verify {name}"))
            .into());
        }
        let mut opened = session.opened()?;
        if session.env.person.is_some() {
            session.look(&name)?;
        }
        let presented = if let Some(person) = &mut session.env.person {
            let mut bytes = person.hidden_line(&format!("Code of {name}"))?;
            zeroize::Zeroizing::new(std::mem::take(&mut *bytes).into_bytes())
        } else {
            session.input()?
        };
        // pam_exec ends what it hands over with a NUL.
        if presented.trim_ascii().strip_suffix(b"\0").unwrap_or(presented.trim_ascii()).is_empty() {
            session.look(&name)?;
            return Err(Refusal::new(Code::Usage, "there is no code to verify")
                .hint(format!("type it at the prompt, or: echo CODE | mfactl verify {name}"))
                .into());
        }
        let attempted = session.attempt(&mut opened, Self::NAME, &name, None, &presented)?;
        if let Some(ahead) = attempted.ahead {
            session.say(&format!(
                "hint: the last accepted code lies {ahead} ahead: the clock was wrong then, or is now"
            ));
        }
        let verdict = if attempted.outcome.lets_in() { Verdict::Yes } else { Verdict::No };
        Ok(Report::one(Verified::new(&attempted), verdict))
    }
}

impl Verified {
    pub fn new(attempted: &Attempted) -> Self {
        let Attempted { user, outcome, at, .. } = attempted;
        let locked_until = user.locked(*at).flatten();
        let name = &user.name;
        let words = match (outcome, user.locked(*at)) {
            (Outcome::Accepted { .. }, _) => format!("{name}: accepted"),
            (Outcome::Confirmed { device }, _) => {
                format!("{name}: accepted; {device} is confirmed")
            }
            (Outcome::HalfProved { device }, _) => format!(
                "{name}: {device}'s first code is right; send the next one, which its app shows soon"
            ),
            (Outcome::Spared { kind: Spare::Recovery, left }, _) => {
                format!("{name}: accepted by a recovery code; {left} are left")
            }
            (Outcome::Spared { kind: Spare::Bypass, left }, _) => {
                format!("{name}: accepted by the bypass code; it is good {left} more times")
            }
            (Outcome::Replayed { .. }, _) => {
                format!("{name}: replayed: this code was used already")
            }
            (Outcome::Rejected, None) => format!("{name}: rejected"),
            (Outcome::Rejected, Some(Some(t))) => format!("{name}: rejected; locked until {t}"),
            (_, Some(Some(t))) => format!("{name}: locked until {t}"),
            (_, _) => format!("{name}: locked until somebody unlocks: mfactl unlock {name}"),
        };
        Self {
            schema: "mfactl.verify/1",
            user: name.to_string(),
            outcome: outcome.word(),
            device: outcome.device().map(ToString::to_string),
            factor: outcome.factor(),
            locked_until,
            words,
        }
    }
}

impl Record for Verified {
    const COLUMNS: &'static [&'static str] =
        &["user", "outcome", "device", "factor", "locked_until"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(self.outcome);
        f.maybe_text(self.device.as_deref());
        f.maybe_text(self.factor);
        f.maybe_value(self.locked_until);
    }

    fn sentence(&self) -> String {
        self.words.clone()
    }
}
