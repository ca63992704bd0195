//! `mfactl verify`

mod service;

use std::time::Duration;

use anyhow::Result;
use clap::{ArgMatches, Args, FromArgMatches as _};
use serde::Serialize;

use super::Verb;
use crate::app::{App, ServiceRun};
use crate::authenticate;
use crate::authenticate::code::Evaluation;
use crate::authenticate::verifier::Verifier;
use crate::config::PathOptions;
use crate::domain::authenticate::Outcome;
use crate::domain::backup_code::BackupCodeKind;
use crate::domain::caller::Caller;
use crate::domain::code_source::CodeSource;
use crate::domain::factor::paper::{List, UsedCode};
use crate::domain::hint::{Hint, command};
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::report::{Fields, Record, Report, Verdict};
use crate::texts::Texts;
use crate::usage_error::usage_error;
use service::{Decider, ServiceOptions, Undecided};

/// Check a user's code
///
/// Prompts for the code without echo, or reads it from one line of standard input; it is never an
/// argument. A code is accepted once. A correct code of a pending device confirms the device. Exit
/// code 0 means one thing only: accepted and stored; 1 means no. After 5 wrong codes in a row the
/// user is locked for 30 seconds, and each further one doubles that time; after 100 within an hour
/// the user stays locked until `mfactl unlock`.
///
/// With --from, mfactl answers a login service: it never prompts, takes nothing from the environment
/// but what the service hands over, and answers within 2 seconds. The exit code is 1 for everyone who
/// is not let in, known or unknown; only the audit log has the reason.
///
/// With --batch, mfactl answers each line of standard input with a line of JSON, in order and after
/// the commit, and ends at the end of its input. Lines that arrive together share one transaction.
#[derive(Args, Debug)]
pub struct Verify {
    /// User name
    #[arg(
        value_name = "NAME",
        required_unless_present_any = ["from", "batch", "split", "not_enabled", "socket"],
        add = crate::commands::user_names()
    )]
    name: Option<String>,
    /// Answer many codes from standard input
    ///
    /// Each line is `NAME<Tab>CODE<Tab>ID`, or JSON with `user`, `code` and `id`.
    #[arg(long, conflicts_with_all = ["name", "from", "split", "not_enabled", "socket"])]
    batch: bool,
    #[command(flatten)]
    service: ServiceOptions,
    /// Accepted by the parser only to explain why a code is never an argument
    #[arg(hide = true)]
    code: Option<String>,
}

#[derive(Serialize)]
pub struct VerifyReport {
    schema: &'static str,
    user: String,
    outcome: &'static str,
    device: Option<String>,
    factor: Option<&'static str>,
    locked_until: Option<Timestamp>,
    #[serde(skip)]
    message: String,
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

    fn ask_verifier(
        matches: &ArgMatches,
        app: &mut App<'_>,
        paths: &PathOptions,
        patience: Duration,
    ) -> Result<Option<Report>> {
        let asked =
            Self::from_arg_matches(matches).map_err(|e| usage_error(&e, Some(Self::NAME)))?;
        let path = asked.service.verifier(&app.env.process, paths);
        let (Some(service), Some(path)) = (asked.service.from, path) else { return Ok(None) };
        let left = app.service.as_ref().map_or(patience, ServiceRun::time_to_answer);
        let policy = app.config.file_policy;
        let verifier = Verifier::connect(&path, &policy, patience, left);
        if let Some(run) = &mut app.service {
            run.lacks_verifier = verifier.is_none();
        }
        let Some(verifier) = verifier else { return Ok(None) };
        let mut decider = Decider::Verifier(verifier);
        let name = asked.name.as_deref();
        match service::answer(app, &mut decider, service, &asked.service, name) {
            Err(error) => {
                let Undecided { is_forbidden } = error.downcast::<Undecided>()?;
                if let Some(run) = &mut app.service {
                    run.is_forbidden = is_forbidden;
                }
                Ok(None)
            }
            Ok(answered) => Ok(Some(answered)),
        }
    }

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        if let Some(service) = self.service.from {
            let mut own = Decider::Own;
            return service::answer(app, &mut own, service, &self.service, self.name.as_deref());
        }
        self.service.require_from()?;
        if self.batch {
            authenticate::answer_batch(app)?;
            return Ok(Report::empty(Verdict::Yes));
        }
        let name = app.user_name(self.name.as_deref().unwrap_or_default())?;
        if self.code.is_some() {
            return Err(Refusal::new(
                ErrorCode::Usage,
                "a code is never an argument: others could see it",
            )
            .hint(give_code(&name))
            .into());
        }
        let mut opened = app.open_store()?;
        if app.env.prompt.is_some() {
            opened.read_user(&name)?;
        }
        let submitted = if let Some(person) = &mut app.env.prompt {
            let mut bytes = person.hidden_line(&format!("Code of {name}"))?;
            zeroize::Zeroizing::new(std::mem::take(&mut *bytes).into_bytes())
        } else {
            app.read_input()?
        };
        // pam_exec ends its input with a NUL.
        if submitted.trim_ascii().strip_suffix(b"\0").unwrap_or(submitted.trim_ascii()).is_empty() {
            opened.read_user(&name)?;
            return Err(Refusal::new(ErrorCode::Usage, "there is no code to verify")
                .hint(give_code(&name))
                .into());
        }
        let attempted =
            authenticate::authenticate_code(app, &mut opened, Self::NAME, &name, None, &submitted)?;
        if let Some(ahead) = attempted.ahead {
            let words = format!(
                "hint: the last accepted code is {ahead} in the future: the clock was wrong then, or is now"
            );
            let resync = command("resync").name(&name);
            let hint = resync.after(&format!("{words}; if it is right, run: ")).or(&words);
            app.note(&app.words(hint));
        }
        if let Some(UsedCode { left, .. }) =
            attempted.outcome.used_code().filter(|c| c.left <= List::FEW)
        {
            let words = format!("hint: {} left on the printed list", counted(left, "code"));
            let enrol = command("enrol").option("--kind", "paper").name(&name);
            app.note(&app.words(enrol.after(&format!("{words}; for a new one, run: ")).or(&words)));
        }
        let verdict = if attempted.outcome.lets_in() { Verdict::Yes } else { Verdict::No };
        Ok(Report::one(VerifyReport::new(&attempted, &app.env.caller), verdict))
    }
}

fn give_code(name: &UserName) -> Hint {
    command("verify").name(name).fed_by("echo CODE").after("type it at the prompt, or: ")
}

impl VerifyReport {
    pub fn new(attempted: &Evaluation, caller: &Caller) -> Self {
        let Evaluation { user, outcome, at, .. } = attempted;
        let locked_until = user.locked(*at).flatten();
        let name = &user.name;
        let message = match (outcome, user.locked(*at)) {
            (Outcome::Accepted { code: Some(UsedCode { number, left }), device, .. }, _) => {
                format!("{name}: accepted by code {number} of {device}; {left} left")
            }
            (Outcome::Accepted { .. }, _) => format!("{name}: accepted"),
            (Outcome::Confirmed { code: Some(UsedCode { number, left }), device, .. }, _) => {
                format!("{name}: accepted; {device} is confirmed by its code {number}; {left} left")
            }
            (Outcome::Confirmed { device, .. }, _) => {
                format!("{name}: accepted; {device} is confirmed")
            }
            (Outcome::FirstOfTwo { device, .. }, _) => format!(
                "{name}: the first code of {device} is correct; give the next one that it shows"
            ),
            (Outcome::AcceptedBackup { kind: BackupCodeKind::Recovery, left }, _) => {
                format!("{name}: accepted by a recovery code; {left} left")
            }
            (Outcome::AcceptedBackup { kind: BackupCodeKind::Bypass, left }, _) => {
                format!("{name}: accepted by the bypass code; uses left: {left}")
            }
            (Outcome::Replayed { device, .. }, _) => {
                let of_device = user.live().filter(|d| d.label == *device);
                let next = Texts::FOR_OPERATORS.after_used_code(CodeSource::of_all(of_device));
                format!("{name}: this code was used already: {next}")
            }
            (Outcome::Rejected, None) => format!("{name}: rejected"),
            (Outcome::Rejected, Some(Some(t))) => format!("{name}: rejected; locked until {t}"),
            (_, Some(Some(t))) => format!("{name}: locked until {t}"),
            (_, _) => {
                let words = format!("{name}: locked");
                let unlock = command("unlock").name(name);
                caller.words(&unlock.after(&format!("{words}; to unlock, run: ")).or(&words))
            }
        };
        Self {
            schema: "mfactl.verify/1",
            user: name.to_string(),
            outcome: outcome.word(),
            device: outcome.device().map(ToString::to_string),
            factor: outcome.factor(),
            locked_until,
            message,
        }
    }
}

impl Record for VerifyReport {
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
        self.message.clone()
    }
}
