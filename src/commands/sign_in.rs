//! `mfactl sign-in`

use anyhow::{Context as _, Result};
use clap::Args;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Verb;
use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::authenticate;
use crate::authenticate::sign_in::{Credentials, SignInResult};
use crate::commands::prove::Talk;
use crate::domain::backup_code::Submitted;
use crate::domain::device::Device;
use crate::domain::factor::totp::Parameters;
use crate::domain::login_rule::NotEnabledPolicy;
use crate::domain::name::{Label, UserName};
use crate::domain::password::Password;
use crate::domain::policy::{EnrolmentDue, Requirement};
use crate::domain::recovery::{FEW, RecoverySet};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Secret;
use crate::domain::sign_in::{RejectReason, SignInOutcome};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::report::{Fields, Record, Report, Verdict};
use crate::show::{DeviceDraft, EnrolmentKey, ShowOptions};
use crate::store::Change;

/// A sign-in at a terminal ends after so many wrong codes, or new passwords that are refused.
const TRIES: usize = 3;
/// So often what is no code is not counted as a wrong one.
const MOST_MALFORMED: usize = 10;

/// Sign a user in: password, then code
///
/// A forced password change and enrolment come with it when they are due. At a terminal, mfactl prompts
/// for each step. Otherwise it reads one line of JSON from standard input,
/// `{"password":…,"code":…,"new_password":…}`, and `outcome` in its report names the next step; repeat
/// all fields in each call. Exit code 0 means one thing only: signed in and stored. An unknown
/// user and a wrong password get the same answer; only who types a temporary password that has expired
/// is told so (`reason`).
#[derive(Args, Debug)]
pub struct SignIn {
    /// User name
    #[arg(value_name = "NAME", add = crate::commands::user_names())]
    name: String,
    /// Put a new device's secret in the report
    #[arg(long)]
    reveal_secrets: bool,
}

/// The line of JSON on standard input.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialsInput {
    password: Zeroizing<String>,
    code: Option<Zeroizing<String>>,
    new_password: Option<Zeroizing<String>>,
}

#[derive(Serialize)]
struct SignInReport {
    schema: &'static str,
    user: String,
    outcome: &'static str,
    /// Why it was rejected; absent unless the user may know.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    factor: Option<&'static str>,
    locked_until: Option<Timestamp>,
    /// When MFA becomes required, for a user without MFA.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    /// Absent unless few are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes_left: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolment: Option<NewDevice>,
    #[serde(skip)]
    message: String,
}

#[derive(Serialize)]
struct NewDevice {
    device: String,
    secret: Zeroizing<String>,
    uri: Zeroizing<String>,
}

impl Verb for SignIn {
    const NAME: &'static str = "sign-in";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl sign-in alice", "mfactl sign-in --json alice < credentials.json"];
    const HELP_FLAG: bool = false;

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = app.user_name(&self.name)?;
        let mut opened = app.open_store()?;
        if app.env.prompt.is_some() {
            return run_conversation(app, &mut opened, &name);
        }
        app.options.default_to_json();
        let credentials = read_credentials(app)?;
        let done = authenticate::sign_in(app, &mut opened, &name, &credentials)?;
        let mut report = SignInReport::new(app, &name, &done);
        if let (SignInOutcome::EnrolmentRequired { is_barred: false }, true) =
            (&done.step, self.reveal_secrets)
        {
            let (user, device, secret) = new_device(app, &mut opened, &name)?;
            let issuer = app.config.issuer.clone();
            let key =
                EnrolmentKey { user: &user, issuer: &issuer, device: &device, secret: &secret };
            report.enrolment = Some(NewDevice {
                device: device.label.to_string(),
                secret: secret.base32(),
                uri: key.uri(),
            });
        }
        let reveals = report.enrolment.is_some();
        Ok(Report::one(report, verdict(&done.step)).requires_delivery(reveals))
    }
}

const fn verdict(step: &SignInOutcome) -> Verdict {
    if matches!(step, SignInOutcome::Accepted(_)) { Verdict::Yes } else { Verdict::No }
}

fn read_credentials(app: &mut App<'_>) -> Result<Credentials> {
    let line = app.read_secret_line()?.ok_or_else(|| {
        Refusal::new(ErrorCode::Usage, "there are no credentials to sign in with")
            .hint(r#"give a line of JSON on standard input: {"password":…,"code":…}"#)
    })?;
    // The parser's message would repeat the input, and with it secrets. The parser also accepts an
    // array in place of an object.
    let is_object = line.trim_ascii_start().starts_with(b"{");
    let line = serde_json::from_slice(&line)
        .ok()
        .filter(|_: &CredentialsInput| is_object)
        .ok_or_else(|| {
            Refusal::bad_input("standard input", "is not a line of JSON with a password")
                .hint(r#"write {"password":…,"code":…,"new_password":…}, the last two when needed"#)
        })?;
    let new_password = line.new_password.map(|text| Password::read("new_password", &text));
    Ok(Credentials {
        password: Password::read("password", &line.password).ok(),
        new_password: new_password.transpose()?,
        // A login form sends its code field even when it is empty.
        code: line
            .code
            .filter(|code| !code.is_empty())
            .map(|code| Zeroizing::new(code.as_bytes().to_vec())),
        without: NotEnabledPolicy::Accept,
        from: None,
    })
}

/// Prompts for one step after another until the sign-in is decided.
fn run_conversation(app: &mut App<'_>, opened: &mut OpenStore, name: &UserName) -> Result<Report> {
    let mut credentials = Credentials {
        password: None,
        new_password: None,
        code: None,
        without: NotEnabledPolicy::Accept,
        from: None,
    };
    let typed = ask_hidden(app, &format!("Password of {name}"))?;
    credentials.password = Password::read("password", &typed).ok();
    let (mut wrong, mut refused) = (0, 0);
    let (mut shown, mut is_new) = (false, false);
    let (mut talk, mut malformed) = (Talk::default(), 0);
    loop {
        let done = match authenticate::sign_in(app, opened, name, &credentials) {
            Err(error)
                if is_password_refused(&error)
                    && credentials.new_password.is_some()
                    && refused < TRIES =>
            {
                refused += 1;
                app.note(&for_a_person(error).to_string());
                credentials.new_password = Some(ask_new_password(app, None)?);
                continue;
            }
            done => done.map_err(for_a_person)?,
        };
        if credentials.new_password.is_some()
            && done.user.as_ref().is_some_and(|u| u.password_change.word().is_none())
        {
            credentials.password = credentials.new_password.take();
            is_new = true;
        }
        set_interrupt_message(app, is_new, shown);
        let had_code = credentials.code.take().is_some();
        match &done.step {
            SignInOutcome::PasswordChangeRequired => {
                app.note("a new password is needed");
                credentials.new_password = Some(ask_new_password(app, done.user.as_ref())?);
            }
            SignInOutcome::EnrolmentRequired { is_barred: false } if !shown => {
                let (user, device, secret) = new_device(app, opened, name)?;
                set_interrupt_message(app, is_new, true);
                let issuer = app.config.issuer.clone();
                let key =
                    EnrolmentKey { user: &user, issuer: &issuer, device: &device, secret: &secret };
                let options = ShowOptions { output: None, reveal_secrets: false };
                let showing = options.choose_output(app, false)?;
                let words = "MFA is required: set up an authenticator app now";
                talk.begin(app, &key, showing, words)
                    .context("the new device is pending; sign in again")?;
                shown = true;
                credentials.code = ask_code(app, &talk, &mut malformed)?;
            }
            SignInOutcome::EnrolmentRequired { is_barred: false } | SignInOutcome::CodeRequired => {
                credentials.code = ask_code(app, &talk, &mut malformed)?;
            }
            SignInOutcome::Rejected(reason @ (RejectReason::Code | RejectReason::UsedCode))
                if had_code && wrong + 1 < TRIES =>
            {
                wrong += 1;
                talk.say(app, refused_code(*reason));
                credentials.code = ask_code(app, &talk, &mut malformed)?;
            }
            step => {
                drop(talk);
                if had_code && *step == SignInOutcome::Rejected(RejectReason::UsedCode) {
                    app.note(refused_code(RejectReason::UsedCode));
                }
                let verdict = verdict(step);
                return Ok(Report::one(SignInReport::new(app, name, &done), verdict));
            }
        }
        let is_asking = !matches!(&done.step, SignInOutcome::PasswordChangeRequired);
        if is_asking && credentials.code.is_none() {
            drop(talk);
            return Ok(Report::one(SignInReport::new(app, name, &done), Verdict::No));
        }
    }
}

/// Sets the message for an interruption: unlike an operator, the user can't look up what was stored.
fn set_interrupt_message(app: &mut App<'_>, is_new: bool, is_pending: bool) {
    let message = match (is_new, is_pending) {
        (true, _) => "the new password is set; sign in again to set up the device",
        (false, true) => "the new device is pending; sign in again to set it up",
        (false, false) => "you are not signed in; your password and devices are unchanged",
    };
    if let Some(person) = &mut app.env.prompt {
        person.set_interrupt_message(message);
    }
}

/// Replaces JSON field names in the message, which mean nothing at a prompt.
fn for_a_person(error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Refusal>() {
        Ok(mut refusal) => {
            if matches!(refusal.field.as_deref(), Some("new_password" | "password")) {
                refusal.field = None;
                refusal.problem = format!("the new password {}", refusal.problem);
            }
            refusal.into()
        }
        Err(error) => error,
    }
}

fn is_password_refused(error: &anyhow::Error) -> bool {
    error.downcast_ref::<Refusal>().is_some_and(|refusal| refusal.code == ErrorCode::BadInput)
}

fn ask_hidden(app: &mut App<'_>, question: &str) -> Result<Zeroizing<String>> {
    app.person("give a line of JSON on standard input instead")?.hidden_line(question)
}

/// Why a code was refused, for a user whose password was right.
const fn refused_code(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::UsedCode => "that code was used already: wait for the next one",
        _ => "that code is wrong",
    }
}

/// `None` for an empty line, which ends the sign-in. What is no code of any form is asked again and not counted,
/// [`MOST_MALFORMED`] times.
fn ask_code(
    app: &mut App<'_>,
    talk: &Talk,
    malformed: &mut usize,
) -> Result<Option<Zeroizing<Vec<u8>>>> {
    loop {
        let line = ask_hidden(app, "Code")?;
        // Apps show "123 456", and people type the blank.
        let code: Zeroizing<Vec<u8>> =
            Zeroizing::new(line.bytes().filter(|b| *b != b' ').collect());
        if code.is_empty() {
            return Ok(None);
        }
        if !matches!(Submitted::read(&code), Submitted::NotACode) || *malformed == MOST_MALFORMED {
            return Ok(Some(code));
        }
        *malformed += 1;
        talk.say(
            app,
            "that is no code: type the digits that the app shows, or a recovery or bypass code",
        );
    }
}

/// Asks for a new password twice, until it is acceptable.
fn ask_new_password(app: &mut App<'_>, user: Option<&User>) -> Result<Password> {
    for _ in 0..TRIES {
        let first = ask_hidden(app, "New password")?;
        let second = ask_hidden(app, "Once more")?;
        let read = if *first == *second {
            Password::read("password", &first)
        } else {
            Err(Refusal::bad_input("password", "was not the same both times"))
        };
        let checked = match (read, user) {
            (Ok(password), Some(user)) => {
                authenticate::require_strong(app, user, "password", &password).map(|()| password)
            }
            (read, _) => read.map_err(Into::into),
        };
        match checked {
            Ok(password) => return Ok(password),
            Err(error) => app.note(&for_a_person(error).to_string()),
        }
    }
    Err(Refusal::new(ErrorCode::BadInput, "no acceptable password was chosen")
        .hint("your password is unchanged; sign in again")
        .into())
}

/// The pending device that the user is to set up; made if there is none.
fn new_device(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    name: &UserName,
) -> Result<(User, Device, Secret)> {
    let draft = DeviceDraft::new(app, Label::default(), Parameters::COMMON)?;
    let pending_for = app.config.pending_for;
    write_tx(app, opened, |app, mut write| {
        let before = write.any_user(name)?;
        let has_pending_device = |d: &&Device| d.is_pending() && !d.is_expired(write.at);
        let waiting = before.live().find(has_pending_device).cloned();
        if let Some(waiting) = waiting {
            let secret = write.vault.open(before.id, &waiting)?;
            return Ok((before, waiting, secret));
        }
        let device = draft.device(write.vault, before.id, write.at, pending_for)?;
        let after = before.clone().enrol(device.clone())?;
        let audit = AuditRecord {
            verb: "sign-in",
            outcome: "pending",
            device: Some(device.label.to_string()),
            factor: Some(device.factor.kind()),
            ..AuditRecord::default()
        };
        let change = Change::Update { before, after };
        let user = audit::save(app.env, &mut write.tx, write.at, change, audit)?;
        write.commit()?;
        Ok((user, device, draft.secret.clone()))
    })
}

impl SignInReport {
    fn new(app: &mut App<'_>, name: &UserName, done: &SignInResult) -> Self {
        let factor = match &done.step {
            SignInOutcome::Accepted(Some(outcome)) => outcome.factor(),
            _ => None,
        };
        let locked_until = match done.step {
            SignInOutcome::Locked { until } => until,
            _ => None,
        };
        let (mut due_at, mut left) = (None, None);
        if let (SignInOutcome::Accepted(_), Some(user)) = (&done.step, &done.user) {
            let requirement: Requirement = app.config.policy.requirement(user);
            due_at = match requirement.enrolment_due(user.status(), done.at) {
                Some(EnrolmentDue::Upcoming(at)) => Some(at),
                _ => None,
            };
            left = user.recovery.as_ref().map(RecoverySet::left).filter(|left| *left <= FEW);
        }
        let expired = RejectReason::TemporaryPasswordExpired { is_typed: true };
        let is_expired = done.step == SignInOutcome::Rejected(expired);
        let message = match (&done.step, locked_until) {
            (SignInOutcome::Accepted(_), _) => format!("{name}: signed in"),
            (SignInOutcome::Rejected(_), _) if is_expired => format!(
                "{name}: rejected; this temporary password has expired: ask the helpdesk for a new one"
            ),
            (SignInOutcome::Rejected(_), _) => format!("{name}: rejected"),
            (SignInOutcome::PasswordChangeRequired, _) => {
                format!("{name}: a new password is required")
            }
            (SignInOutcome::EnrolmentRequired { is_barred: false }, _) => {
                format!("{name}: MFA is required; set up a device")
            }
            (SignInOutcome::EnrolmentRequired { is_barred: true }, _) => {
                format!("{name}: MFA is required; ask the helpdesk for a new QR code")
            }
            (SignInOutcome::CodeRequired, _) => format!("{name}: a code is required"),
            (SignInOutcome::Locked { .. }, Some(until)) => format!("{name}: locked until {until}"),
            (SignInOutcome::Locked { .. }, None) => {
                format!("{name}: locked; ask the helpdesk to unlock")
            }
        };
        if let Some(due_at) = due_at {
            app.note(&format!("hint: MFA is required from {due_at} on: set up a device"));
        }
        if let Some(left) = left {
            app.note(&format!("hint: {left} recovery codes left: ask the helpdesk for new ones"));
        }
        Self {
            schema: "mfactl.sign-in/1",
            user: name.to_string(),
            outcome: done.step.word(),
            reason: is_expired.then_some("temporary_password_expired"),
            factor,
            locked_until,
            due_at,
            recovery_codes_left: left,
            enrolment: None,
            message,
        }
    }
}

impl Record for SignInReport {
    const COLUMNS: &'static [&'static str] = &["user", "outcome", "factor", "locked_until"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(self.outcome);
        f.maybe_text(self.factor);
        f.maybe_value(self.locked_until);
    }

    fn sentence(&self) -> String {
        self.message.clone()
    }
}
