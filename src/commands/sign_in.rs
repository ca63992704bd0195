//! `mfactl sign-in`

pub mod conversation;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Verb;
use crate::app::write_tx;
use crate::app::{App, OpenStore, language_of};
use crate::audit;
use crate::audit::AuditRecord;
use crate::authenticate;
use crate::authenticate::sign_in::{Credentials, SignInResult, USED_CODE};
use crate::domain::code_source::CodeSource;
use crate::domain::device::Device;
use crate::domain::factor::Factor;
use crate::domain::factor::paper::List;
use crate::domain::factor::totp::Parameters;
use crate::domain::name::{Label, UserName};
use crate::domain::origin::AttemptOrigin;
use crate::domain::otpauth::AppSettings;
use crate::domain::password::Password;
use crate::domain::policy::{EnrolmentDue, Requirement};
use crate::domain::recovery::{FEW, RecoverySet};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Secret;
use crate::domain::service_rules::NotEnabledPolicy;
use crate::domain::sign_in::{RejectReason, SignInOutcome};
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};
use crate::report::{Fields, Record, Report, Verdict};
use crate::show::{DeviceDraft, EnrolmentKey};
use crate::store::Change;
use crate::texts::{Text, Texts};

/// Sign a user in: password, then code
///
/// A forced password change and enrolment come with it when they are due. At a terminal, mfactl prompts
/// for each step. Otherwise it reads one line of JSON from standard input,
/// `{"password":…,"code":…,"new_password":…}`, and `outcome` in its report names the next step; repeat
/// all fields in each call. Exit code 0 means one thing only: signed in and stored. An unknown
/// user and a wrong password get the same answer. After the right password `reason` says that a code
/// was used before (`replayed`); somebody who types an expired temporary password reads that it has
/// expired.
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
pub struct SignInReport {
    schema: &'static str,
    user: String,
    outcome: &'static str,
    /// Why it was rejected; absent unless the user may know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    factor: Option<&'static str>,
    pub locked_until: Option<Timestamp>,
    /// When MFA becomes required, for a user without MFA.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_at: Option<Timestamp>,
    /// Absent unless few are left.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_codes_left: Option<usize>,
    /// Absent unless few are left of the printed list whose code this was.
    #[serde(skip_serializing_if = "Option::is_none")]
    paper_codes_left: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    enrolment: Option<NewDevice>,
    #[serde(skip)]
    pub message: String,
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
            return conversation::hold(app, &mut opened, &name);
        }
        app.options.default_to_json();
        let credentials = read_credentials(app)?;
        let done = authenticate::sign_in(app, &mut opened, &name, &credentials)?;
        let texts = texts_after(app, &done);
        let mut report = SignInReport::new(app, texts, &name, &done);
        if let (SignInOutcome::EnrolmentRequired { is_barred: false }, true) =
            (&done.step, self.reveal_secrets)
        {
            let SetUp { user, device, secret, .. } = device_to_set_up(app, &mut opened, &name)?;
            let issuer = app.config.issuer.clone();
            let key = EnrolmentKey::new(&user, &issuer, &device, &secret)?;
            report.enrolment = Some(NewDevice {
                device: device.label.to_string(),
                secret: secret.base32(),
                uri: key.uri().context("an app has a key URI")?,
            });
        }
        let reveals = report.enrolment.is_some();
        Ok(Report::one(report, verdict(&done.step)).requires_delivery(reveals))
    }
}

/// For the answer to one line of input: what the user may not know yet is in the site's language, and what a program
/// reads in English.
pub fn texts_after(app: &App<'_>, done: &SignInResult) -> Texts {
    if !app.is_for_people() {
        return Texts::FOR_OPERATORS;
    }
    let user = done.user.as_ref().filter(|_| done.step.tells_of_right_password());
    Texts(language_of(app, user))
}

pub const fn verdict(step: &SignInOutcome) -> Verdict {
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
        origin: AttemptOrigin::default(),
    })
}

/// The app that a user has to set up at a sign-in.
struct SetUp {
    user: User,
    device: Device,
    secret: Secret,
    /// It was made for this sign-in, so that nobody has scanned it yet.
    is_new: bool,
}

/// The pending app that waits for its first code, as far as the rows say.
fn waiting_app(user: &User, now: Timestamp) -> Option<&Device> {
    let is_app = |d: &Device| AppSettings::of(d).is_some();
    user.live().find(|d| d.is_pending() && !d.is_expired(now) && is_app(d))
}

/// The pending app that the user is to set up; made if there is none.
fn device_to_set_up(app: &mut App<'_>, opened: &mut OpenStore, name: &UserName) -> Result<SetUp> {
    let draft = DeviceDraft::new(app, Label::default(), Factor::Totp(Parameters::COMMON))?;
    let pending_for = app.config.pending_for;
    write_tx(app, opened, |app, mut write| {
        let before = write.any_user(name)?;
        if let Some(device) = waiting_app(&before, write.at).cloned() {
            let secret = write.vault.open(before.id, &device)?;
            return Ok(SetUp { user: before, device, secret, is_new: false });
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
        Ok(SetUp { user, device, secret: draft.secret.clone(), is_new: true })
    })
}

impl SignInReport {
    pub fn new(app: &mut App<'_>, texts: Texts, name: &UserName, done: &SignInResult) -> Self {
        let (factor, code) = match &done.step {
            SignInOutcome::Accepted(Some(outcome)) => (outcome.factor(), outcome.used_code()),
            _ => (None, None),
        };
        let paper_left = code.map(|code| code.left).filter(|left| *left <= List::FEW);
        let locked_until = match done.step {
            SignInOutcome::Locked { until } => until,
            _ => None,
        };
        let (mut due_at, mut left) = (None, None);
        if let (SignInOutcome::Accepted(_), Some(user)) = (&done.step, &done.user) {
            let requirement: Requirement = app.config.policy.requirement(user);
            // A device of any kind lets them in, so only who has none is told.
            due_at = match requirement.enrolment_due(user.status() == Status::Enabled, done.at) {
                Some(EnrolmentDue::Upcoming(at)) => Some(at),
                _ => None,
            };
            left = user.recovery.as_ref().map(RecoverySet::left).filter(|left| *left <= FEW);
        }
        let expired = RejectReason::TemporaryPasswordExpired { is_typed: true };
        let is_expired = done.step == SignInOutcome::Rejected(expired);
        let reason = match done.step {
            _ if is_expired => Some("temporary_password_expired"),
            // Whoever learns it gave the right password, and learns of it without a code too.
            SignInOutcome::Rejected(RejectReason::UsedCode) => Some(USED_CODE),
            // The same, of a user whose devices another program verifies.
            SignInOutcome::Rejected(RejectReason::NotEnabled) => Some(ErrorCode::NotEnabled.word()),
            _ => None,
        };
        let zone = app.env.zone_for_people();
        let until = locked_until.map(|until| texts.end_of_wait(&zone, until, done.at));
        let message = message(texts, name, done, until.as_deref());
        if let Some(due_at) = due_at {
            let due = texts.date_in(&zone, due_at);
            app.note(&texts.fill(Text::HintDue, &[("date", &due)]));
        }
        if let Some(left) = left {
            let codes = texts.counted(left, Text::RecoveryCode, Text::RecoveryCodes);
            app.note(&texts.fill(Text::HintRecovery, &[("codes", &codes)]));
        }
        if let Some(left) = paper_left {
            let codes = texts.counted(left, Text::ListCode, Text::ListCodes);
            app.note(&texts.fill(Text::HintList, &[("codes", &codes)]));
        }
        Self {
            schema: "mfactl.sign-in/1",
            user: name.to_string(),
            outcome: done.step.word(),
            reason,
            factor,
            locked_until,
            due_at,
            recovery_codes_left: left,
            paper_codes_left: paper_left,
            enrolment: None,
            message,
        }
    }
}

/// The sentence of the answer. `until` is the end of a lock.
fn message(texts: Texts, name: &UserName, done: &SignInResult, until: Option<&str>) -> String {
    let waiting = done.user.as_ref().and_then(|user| waiting_app(user, done.at));
    let text = match &done.step {
        SignInOutcome::Accepted(_) => Text::SignedIn,
        SignInOutcome::Rejected(RejectReason::TemporaryPasswordExpired { is_typed: true }) => {
            Text::RejectedTemporary
        }
        SignInOutcome::Rejected(RejectReason::UsedCode) => Text::RejectedUsed,
        SignInOutcome::Rejected(RejectReason::NotEnabled) => Text::RejectedNoDevice,
        SignInOutcome::Rejected(_) => Text::Rejected,
        SignInOutcome::PasswordChangeRequired => Text::NewPasswordRequired,
        SignInOutcome::EnrolmentRequired { is_barred: false } if waiting.is_some() => {
            Text::FirstCodeRequired
        }
        SignInOutcome::EnrolmentRequired { is_barred: false } => Text::DeviceRequired,
        SignInOutcome::EnrolmentRequired { is_barred: true } => Text::DeviceRequiredOfHelpdesk,
        SignInOutcome::CodeRequired => Text::CodeRequired,
        SignInOutcome::Locked { .. } if until.is_some() => Text::LockedUntil,
        SignInOutcome::Locked { .. } => Text::LockedForGood,
    };
    let source = done.user.as_ref().map(CodeSource::of_user).unwrap_or_default();
    let device = waiting.map(|device| shown(device.label.as_str())).unwrap_or_default();
    let values = [
        ("user", name.as_str()),
        ("device", &*device),
        ("next", texts.after_used_code(source)),
        ("time", until.unwrap_or_default()),
    ];
    texts.fill(text, &values)
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
