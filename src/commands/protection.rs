//! What operators' verbs say of a user afterwards, and the options that all of them have.

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;
use zeroize::Zeroizing;

use crate::domain::device::Device;
use crate::domain::event::Ticket;
use crate::domain::name::{Label, UserName};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::text::line;
use crate::domain::user::{Status, User};
use crate::report::{Fields, Record, Report, Verdict};
use crate::session::{Act, Done, Session};

/// The options of every verb that changes a user.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "For the log")]
pub struct OperatorOptions {
    /// The case this belongs to
    #[arg(long, value_name = "ID")]
    ticket: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// How the caller proved who he is
    #[arg(long, value_enum, value_name = "HOW")]
    proof: Option<Proof>,
    /// Check and say what would happen; change nothing
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Proof {
    InPerson,
    Video,
    Callback,
    Manager,
    KnownDevice,
}

impl OperatorOptions {
    /// # Errors
    /// `bad_input` for a ticket or a reason that is empty, long or harmful; `usage` where the
    /// configuration asks for one that is not named.
    pub fn ticket(&self, session: &mut Session<'_>, verb: &str) -> Result<Ticket> {
        let must_name = &session.config()?.must_name;
        for (option, verbs, is_named) in [
            ("--ticket", &must_name.ticket, self.ticket.is_some()),
            ("--proof", &must_name.proof, self.proof.is_some()),
        ] {
            if !is_named && verbs.iter().any(|v| v == verb) {
                return Err(Refusal::new(Code::Usage, format!("{verb} needs {option} here"))
                    .hint("the configuration asks for it under [helpdesk]")
                    .into());
            }
        }
        let proof = self.proof.and_then(|p| p.to_possible_value());
        Ok(Ticket {
            ticket: self.ticket.as_deref().map(|t| line("--ticket", t, 64)).transpose()?,
            reason: self.reason.as_deref().map(|r| line("--reason", r, 500)).transpose()?,
            proof: proof.map(|p| p.get_name().to_owned()),
        })
    }

    /// What is asked for, as the store's log will tell it.
    ///
    /// # Errors
    /// As [`OperatorOptions::ticket`].
    pub fn act<'a>(
        &self,
        session: &mut Session<'_>,
        verb: &'static str,
        name: &'a UserName,
        device: Option<&Label>,
    ) -> Result<Act<'a>> {
        Ok(Act {
            verb,
            name,
            ticket: self.ticket(session, verb)?,
            device: device.map(ToString::to_string),
            fields: Vec::new(),
            terms: Vec::new(),
            dry_run: self.dry_run,
        })
    }
}

/// The report of a person's no.
pub fn declined(session: &mut Session<'_>) -> Report {
    session.say("nothing was changed");
    Report::silence(Verdict::No)
}

/// The user that a verb is about.
#[derive(Args, Clone, Debug)]
pub struct Target {
    /// The user
    #[arg(value_name = "NAME", add = crate::session::completion::user_names())]
    name: String,
}

impl Target {
    /// # Errors
    /// `bad_input`.
    pub fn name(&self) -> Result<UserName, Refusal> {
        UserName::parse(&self.name)
    }
}

/// The device that a verb is about.
#[derive(Args, Clone, Debug)]
pub struct DeviceOption {
    /// The label of the device
    #[arg(long, value_name = "LABEL")]
    device: Option<String>,
}

impl DeviceOption {
    /// # Errors
    /// `bad_input`.
    pub fn label(&self) -> Result<Option<Label>, Refusal> {
        self.device.as_deref().map(Label::parse).transpose()
    }
}

/// A user's protection after an operator's act.
#[derive(Serialize)]
pub struct Protection {
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
    words: String,
}

/// A device in brief.
#[derive(Serialize)]
pub struct DeviceState {
    device: String,
    kind: &'static str,
    state: &'static str,
}

impl DeviceState {
    /// Those of a user that are not revoked.
    pub fn of(user: &User) -> Vec<Self> {
        let brief = |d: &Device| Self {
            device: d.label.to_string(),
            kind: d.kind.as_str(),
            state: d.state.word(),
        };
        user.live().map(brief).collect()
    }
}

impl Protection {
    /// `words` say what was done, or would be; what stands is added.
    pub fn new(schema: &'static str, done: &Done, dry_run: bool, words: &str) -> Self {
        let user = &done.user;
        let status = user.status();
        let words = match (done.changed, dry_run) {
            (false, _) => format!("{}: {} already; nothing to change", user.name, spoken(status)),
            (true, true) => format!("{}: a dry run; would say: {words}", user.name),
            (true, false) => format!("{}: {words}; MFA is {}", user.name, spoken(status)),
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
            words,
        }
    }

    pub fn saying(mut self, words: impl Into<String>) -> Self {
        self.words = words.into();
        self
    }
}

/// A status in a sentence.
pub const fn spoken(status: Status) -> &'static str {
    match status {
        Status::NotEnabled => "not enabled",
        other => other.word(),
    }
}

impl Record for Protection {
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
        self.words.clone()
    }
}
