//! The arguments shared by verbs that change a user.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::app::App;
use crate::domain::audit::event::Ticket;
use crate::domain::hint::Hint;
use crate::domain::name::{Label, UserName};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{line, prose_line, refuse};
use crate::operate::change::ChangeRequest;
use crate::report::{Report, Verdict};

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
    /// Checks the options, also against what `[helpdesk]` in the configuration requires of this verb, and of the verbs
    /// whose work it does too.
    pub fn ticket(&self, app: &mut App<'_>, verb: &str) -> Result<Ticket> {
        let parts = app.authorization.parts.clone();
        for required in parts.into_iter().chain([verb]) {
            let ticket = self.ticket.as_deref();
            require_case_options(app, required, verb, ticket, self.proof.is_some())?;
        }
        let proof = self.proof.and_then(|p| p.to_possible_value());
        Ok(Ticket {
            ticket: self.ticket.as_deref().map(|t| line("--ticket", t, 64)).transpose()?,
            reason: self.reason.as_deref().map(|r| prose_line("--reason", r, 500)).transpose()?,
            proof: proof.map(|p| p.get_name().to_owned()),
        })
    }

    /// The requested change with everything the audit log records of it.
    pub fn act<'a>(
        &self,
        app: &mut App<'_>,
        verb: &'static str,
        name: &'a UserName,
        device: Option<&Label>,
    ) -> Result<ChangeRequest<'a>> {
        Ok(ChangeRequest {
            verb,
            name,
            ticket: self.ticket(app, verb)?,
            device: device.map(ToString::to_string),
            fields: Vec::new(),
            details: Vec::new(),
            dry_run: self.dry_run,
        })
    }
}

/// Fails with `usage` if `[helpdesk]` in the configuration requires an option that is missing, or a ticket and
/// only a placeholder such as `-` is there.
pub fn require_case_options(
    app: &mut App<'_>,
    verb: &str,
    shown_verb: &str,
    ticket: Option<&str>,
    has_proof: bool,
) -> Result<()> {
    let has_ticket = ticket.is_some_and(Ticket::is_named);
    match app.config.required_options.missing(verb, has_ticket, has_proof) {
        None => Ok(()),
        Some(option) => {
            let given = ticket.filter(|_| option == "--ticket");
            let refusal = match given {
                None => Refusal::new(ErrorCode::Usage, format!("{shown_verb} needs {option}")),
                Some(ticket) => refuse(option, ticket, "names no ticket"),
            };
            let refusal = Refusal { code: ErrorCode::Usage, ..refusal };
            Err(refusal.hint(required_hint(app, shown_verb, option)).into())
        }
    }
}

/// The run that carries out a request can't be given the option: its words are those of the request.
fn required_hint(app: &App<'_>, verb: &str, option: &str) -> Hint {
    let why = "[helpdesk] in the configuration requires it";
    if app.authorization.verb != verb || app.authorization.approval.is_some() {
        return why.into();
    }
    let value = if option == "--ticket" { "ID" } else { "HOW" };
    app.authorization.command_with(option, value).after(&format!("{why}; run: "))
}

/// The argument of a verb that takes one user.
#[derive(Args, Clone, Debug)]
pub struct UserArg {
    /// User name, or an e-mail address; none: search
    #[arg(value_name = "NAME", add = crate::commands::user_names())]
    name: Option<String>,
}

impl UserArg {
    pub fn name(&self, app: &mut App<'_>) -> Result<UserName, Refusal> {
        app.target(self.name.as_deref(), "give a name; at a terminal, none starts a search")
    }
}

/// The option that names one of the user's devices.
#[derive(Args, Clone, Debug)]
pub struct DeviceOption {
    /// Only the device with this label
    #[arg(long, value_name = "LABEL")]
    device: Option<String>,
}

impl DeviceOption {
    pub fn label(&self) -> Result<Option<Label>, Refusal> {
        self.device.as_deref().map(Label::parse).transpose()
    }
}

/// The report when the operator answers no.
pub fn not_confirmed(app: &mut App<'_>) -> Report {
    app.note("nothing was changed");
    Report::empty(Verdict::No)
}
