//! The options shared by verbs that change a user, and the report of such a change.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::audit::event::Ticket;
use crate::domain::device::Device;
use crate::domain::name::{Label, UserName};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::line;
use crate::domain::user::{Status, User};
use crate::operate::change::{ChangeRequest, ChangeResult};
use crate::report::{Fields, Record, Report, Verdict};

/// The options of every verb that changes a user.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Operator options")]
pub struct OperatorOptions {
    /// Ticket to record in the audit log
    #[arg(long, value_name = "ID")]
    ticket: Option<String>,
    /// Reason to record in the audit log
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// How the caller proved their identity
    #[arg(long, value_enum, value_name = "HOW")]
    proof: Option<IdentityProof>,
    /// Say what would change; change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum IdentityProof {
    InPerson,
    Video,
    Callback,
    Manager,
    KnownDevice,
}

impl OperatorOptions {
    /// Checks the options, also against what `[helpdesk]` in the configuration requires.
    pub fn ticket(&self, session: &mut App<'_>, verb: &str) -> Result<Ticket> {
        require_case_options(session, verb, verb, self.ticket.is_some(), self.proof.is_some())?;
        let proof = self.proof.and_then(|p| p.to_possible_value());
        Ok(Ticket {
            ticket: self.ticket.as_deref().map(|t| line("--ticket", t, 64)).transpose()?,
            reason: self.reason.as_deref().map(|r| line("--reason", r, 500)).transpose()?,
            proof: proof.map(|p| p.get_name().to_owned()),
        })
    }

    /// The requested change with everything the audit log records of it.
    pub fn act<'a>(
        &self,
        session: &mut App<'_>,
        verb: &'static str,
        name: &'a UserName,
        device: Option<&Label>,
    ) -> Result<ChangeRequest<'a>> {
        Ok(ChangeRequest {
            verb,
            name,
            ticket: self.ticket(session, verb)?,
            device: device.map(ToString::to_string),
            fields: Vec::new(),
            details: Vec::new(),
            dry_run: self.dry_run,
        })
    }
}

/// Fails with `usage` if `[helpdesk]` in the configuration requires an option that is missing.
pub fn require_case_options(
    session: &mut App<'_>,
    verb: &str,
    shown_verb: &str,
    has_ticket: bool,
    has_proof: bool,
) -> Result<()> {
    match session.config()?.required_options.missing(verb, has_ticket, has_proof) {
        None => Ok(()),
        Some(option) => Err(Refusal::new(ErrorCode::Usage, format!("{shown_verb} needs {option}"))
            .hint("[helpdesk] in the configuration requires it")
            .into()),
    }
}

/// The report when the operator answers no.
pub fn not_confirmed(session: &mut App<'_>) -> Report {
    session.note("nothing was changed");
    Report::empty(Verdict::No)
}

/// The argument of a verb that takes one user.
#[derive(Args, Clone, Debug)]
pub struct UserArg {
    /// User name
    #[arg(value_name = "NAME", add = crate::commands::user_names())]
    name: String,
}

impl UserArg {
    pub fn name(&self) -> Result<UserName, Refusal> {
        UserName::parse(&self.name)
    }
}

/// The option that names one of the user's devices.
#[derive(Args, Clone, Debug)]
pub struct DeviceOption {
    /// Label of the device
    #[arg(long, value_name = "LABEL")]
    device: Option<String>,
}

impl DeviceOption {
    pub fn label(&self) -> Result<Option<Label>, Refusal> {
        self.device.as_deref().map(Label::parse).transpose()
    }
}

/// The report of a change: the user's MFA state after it.
#[derive(Serialize)]
pub struct ChangeRecord {
    schema: &'static str,
    user: String,
    status: Status,
    devices: Vec<DeviceState>,
    locked: bool,
    password_change_required: bool,
    changed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporary_password: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip)]
    message: String,
}

/// One device in the report.
#[derive(Serialize)]
pub struct DeviceState {
    device: String,
    kind: &'static str,
    state: &'static str,
}

impl DeviceState {
    /// All devices of a user but the revoked ones.
    pub fn of(user: &User) -> Vec<Self> {
        let summary = |d: &Device| Self {
            device: d.label.to_string(),
            kind: d.factor.kind(),
            state: d.state.word(),
        };
        user.live().map(summary).collect()
    }
}

impl ChangeRecord {
    /// `message` says what was done; the user's name and MFA status are added to it.
    pub fn new(schema: &'static str, done: &ChangeResult, dry_run: bool, message: &str) -> Self {
        let user = &done.user;
        let status = user.status();
        let message = match (done.changed, dry_run) {
            (false, _) => {
                format!("{}: {} already; nothing to change", user.name, status_label(status))
            }
            (true, true) => format!("{}: dry run; would say: {message}", user.name),
            (true, false) => format!("{}: {message}; MFA is {}", user.name, status_label(status)),
        };
        Self {
            schema,
            user: user.name.to_string(),
            status,
            devices: DeviceState::of(user),
            locked: user.locked(done.at).is_some(),
            password_change_required: user.password_change
                != crate::domain::user::PasswordChange::NotRequired,
            changed: done.changed,
            temporary_password: None,
            dry_run,
            message,
        }
    }

    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }
}

/// A status as people read it.
pub const fn status_label(status: Status) -> &'static str {
    match status {
        Status::NotEnabled => "not enabled",
        other => other.word(),
    }
}

impl Record for ChangeRecord {
    const COLUMNS: &'static [&'static str] =
        &["user", "status", "devices", "locked", "password_change_required", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(self.status.word());
        let devices: Vec<_> =
            self.devices.iter().map(|d| format!("{}:{}", d.device, d.state)).collect();
        f.text(&devices.join(";"));
        f.flag(self.locked);
        f.flag(self.password_change_required);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        self.message.clone()
    }
}
