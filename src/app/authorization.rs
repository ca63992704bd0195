//! What the operator of this run may do; checked again under the lock.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use anyhow::Result;
use serde_json::json;

use crate::domain::approval::{APPROVE, Request};
use crate::domain::audit::event::{Event, EventSubject, Operator, Ticket};
use crate::domain::hint::{Command, command};
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::role::Role;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::{Change, NewEvent, SALT, WriteTx};

/// What the operator of this run may do.
#[derive(Clone, Default)]
pub struct Authorization {
    pub verb: &'static str,
    /// The verbs whose work this run does too: what `[helpdesk]` requires of them, it requires here.
    pub parts: Vec<&'static str>,
    /// The operator's roles; `None` if the configuration has no roles.
    pub roles: Option<BTreeSet<Role>>,
    /// On a protected user the verb needs a second operator.
    pub needs_second_operator: bool,
    /// The option in use that only an admin may use, or two operators.
    pub guarded_option: Option<&'static str>,
    /// With `--dry-run` no second operator is needed.
    pub is_dry: bool,
    /// The options of this run and their values, without `--yes`, `--dry-run`, `--from` and `--max-changes`: for hints.
    pub options: Vec<(String, Option<String>)>,
    /// All options of this run and their values, without `--dry-run`, `--from` and `--max-changes`: for the command of a
    /// whole list.
    pub list_options: Vec<(String, Option<String>)>,
    /// The file of the list; `-` is standard input.
    pub list_file: Option<String>,
    /// The name in the words of the operator.
    pub typed_name: Option<String>,
    /// The hardware token that the verb is about.
    pub token: Option<NamedToken>,
    /// The file that the verb reads or writes; `-` is standard input.
    pub file: Option<String>,
    /// The approved request that this run carries out.
    pub approval: Option<Approval>,
}

/// The token that a verb names.
#[derive(Clone)]
pub struct NamedToken {
    pub serial: String,
    /// The verb takes the user's name after the serial. Without it, the verb is about the user who has the token.
    pub is_with_name: bool,
}

/// A second operator's approval of a request.
#[derive(Clone)]
pub struct Approval {
    pub request: Request,
    /// Root approved alone, without a second operator.
    pub is_alone: bool,
    /// One of the two operators is an admin.
    pub has_admin: bool,
    pub operator: Operator,
    pub salt: [u8; SALT],
    /// Set once a transaction of this run, which may have another, was committed with the request in it.
    pub is_carried_out: Rc<Cell<bool>>,
}

impl Approval {
    /// The command that carries out the same request and writes to this file.
    #[must_use]
    pub fn command_with_file(&self, file: &str) -> Command {
        let approve = command(APPROVE).option("--output", file).name(self.request.short());
        if self.is_alone { approve.flag("--alone") } else { approve }
    }
}

/// May the verb change this user?
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    Allowed,
    /// A second operator must approve it.
    NeedsApproval,
}

impl Authorization {
    /// Only an admin may change a protected user, and for some verbs and options a second operator must approve.
    pub fn decide(&self, user: &User) -> Result<Decision, Refusal> {
        let decision = self.decide_in_earnest(user)?;
        Ok(if self.is_dry { Decision::Allowed } else { decision })
    }

    /// What [`Authorization::decide`] says without `--dry-run`.
    pub fn decide_in_earnest(&self, user: &User) -> Result<Decision, Refusal> {
        if self.approval.is_some() {
            return Ok(Decision::Allowed);
        }
        if user.protected && self.needs_second_operator {
            return Ok(Decision::NeedsApproval);
        }
        if self.roles.as_ref().is_none_or(|roles| roles.contains(&Role::Admin)) {
            return Ok(Decision::Allowed);
        }
        if !user.protected {
            let is_guarded = self.guarded_option.is_some();
            return Ok(if is_guarded { Decision::NeedsApproval } else { Decision::Allowed });
        }
        let name = &user.name;
        Err(Refusal::new(
            ErrorCode::NotPermitted,
            format!("{name} is protected: only an admin may"),
        )
        .hint(self.command(name).by_another().after("an operator with the role admin can run: ")))
    }

    /// This run's command for one user, with its options.
    #[must_use]
    pub fn command(&self, name: &UserName) -> Command {
        let command = Command { options: self.options.clone(), ..command(self.verb) };
        match &self.token {
            None => command.name(name),
            Some(token) if token.is_with_name => command.name(&token.serial).name(name),
            Some(token) => command.name(&token.serial),
        }
    }

    /// The same for this operator, who was rehearsing if they said so.
    #[must_use]
    pub fn command_again(&self, name: &UserName) -> Command {
        let command = self.command(name);
        if self.is_dry { command.flag("--dry-run") } else { command }
    }

    /// A command of a hint with the options of this run, where it is about this run's verb: only the device was to be
    /// named. What a request left out is not known in the run that carries it out.
    #[must_use]
    pub fn naming_device(&self, hinted: Command) -> Command {
        if hinted.verb != self.verb || self.approval.is_some() {
            return hinted;
        }
        let is_device = |option: &(String, Option<String>)| option.0 == "--device";
        let device = hinted.options.into_iter().filter(is_device);
        let typed = self.options.iter().filter(|option| !is_device(option)).cloned();
        let options = typed.chain(device).collect();
        let command = Command { options, ..hinted };
        if self.is_dry { command.flag("--dry-run") } else { command }
    }

    /// This run's command for its whole list, with a limit. A list of standard input is to be named again.
    #[must_use]
    pub fn list_command(&self, max_changes: usize) -> Command {
        let limit = max_changes.to_string();
        let options = self.list_options.clone();
        self.with_list(Command { options, ..command(self.verb) }.option("--max-changes", &limit))
    }

    /// This run's command as it was given, with one more option, whose value the reader fills in.
    #[must_use]
    pub fn command_with(&self, option: &str, value: &str) -> Command {
        let mut options = self.list_options.clone();
        // A value that was refused goes.
        options.retain(|(given, _)| given != option);
        let command = Command { options, ..command(self.verb) }.option(option, value);
        let command = match &self.token {
            Some(token) => command.name(&token.serial),
            None => command,
        };
        let command = match &self.typed_name {
            Some(name) => command.name(name),
            None => command,
        };
        let command = match self.file.as_deref() {
            Some("-") => command.operand("-").reading("FILE"),
            Some(file) => command.operand(file),
            None => command,
        };
        self.with_list(command)
    }

    fn with_list(&self, command: Command) -> Command {
        match self.list_file.as_deref() {
            Some("-") => command.option("--from", "-").reading("FILE"),
            Some(file) => command.option("--from", file),
            None => command,
        }
    }

    /// Refuses an option of the verb to everybody but an admin, whatever the user is.
    pub fn require_admin(&self, option: &str) -> Result<(), Refusal> {
        if self.roles.as_ref().is_none_or(|roles| roles.contains(&Role::Admin)) {
            return Ok(());
        }
        let message = format!("{} {option} needs the role admin", self.verb);
        Err(Refusal::new(ErrorCode::NotPermitted, message).hint("ask an operator with that role"))
    }

    /// Like [`Authorization::decide`], where it is too late to request an approval, or where there
    /// are many users.
    pub fn require_allowed(&self, user: &User) -> Result<(), Refusal> {
        self.require(self.decide(user)?, user)
    }

    /// What [`Authorization::require_allowed`] says without `--dry-run`: a plan refuses what the change would refuse.
    pub fn require_allowed_in_earnest(&self, user: &User) -> Result<(), Refusal> {
        self.require(self.decide_in_earnest(user)?, user)
    }

    fn require(&self, decision: Decision, user: &User) -> Result<(), Refusal> {
        match decision {
            Decision::Allowed => Ok(()),
            Decision::NeedsApproval => {
                let (name, verb) = (&user.name, self.verb);
                let message = match self.guarded_option.filter(|_| !user.protected) {
                    Some(option) => {
                        format!("{verb} --{} needs a second operator", option.replace('_', "-"))
                    }
                    None => format!("{name} is protected: {verb} needs a second operator"),
                };
                Err(Refusal::new(ErrorCode::NotPermitted, message)
                    .hint(self.command(name).after("request an approval with: ")))
            }
        }
    }

    /// Checks again under the lock. An approved request is consumed in the same transaction, the first of the run.
    pub fn check(&self, tx: &mut WriteTx<'_>, user: &User, now: Timestamp) -> Result<()> {
        match &self.approval {
            Some(approval) => approval.consume(tx, user, now),
            None => Ok(self.require_allowed(user)?),
        }
    }
}

impl Approval {
    /// Consumes the request and logs the approval, in the transaction of the change: of two
    /// operators who approve at once, only one succeeds.
    pub fn consume(&self, tx: &mut WriteTx<'_>, user: &User, now: Timestamp) -> Result<()> {
        let short_id = self.request.short();
        let is_first = !self.is_carried_out.get();
        let mut open = tx.requests().open(now)?;
        if is_first && !open.contains(&self.request) {
            return Err(request_not_found(&short_id).into());
        }
        let name = &user.name;
        if user.id != self.request.user_id {
            let message = format!("{name} is not the user for whom {short_id} was requested");
            return Err(Refusal::new(ErrorCode::NotPermitted, message)
                .hint("request the change again")
                .into());
        }
        if user.protected && !self.has_admin {
            let message = format!("{name} is protected: one of the two operators must be an admin");
            return Err(Refusal::new(ErrorCode::NotPermitted, message)
                .hint(command("approve").name(&short_id).by_another().after("an admin can run: "))
                .into());
        }
        if !is_first {
            return Ok(());
        }
        open.retain(|request| *request != self.request);
        tx.requests().remove_all_but(&open)?;
        let requester = &self.request.operator;
        let detail = json!({
            "request": self.request.name_in_log(),
            "verb": self.request.verb,
            "operator_uid": requester.uid,
            "operator_claim": requester.claim,
        });
        let event = Event {
            at: now,
            verb: APPROVE,
            outcome: if self.is_alone { "approved_alone" } else { "approved" },
            operator: self.operator.clone(),
            ticket: Ticket::default(),
            subject: Some(EventSubject { id: user.id, device: None, factor: None }),
            token: None,
            detail: Some(detail.to_string()),
        };
        let event = NewEvent { event, salt: self.salt };
        tx.save(vec![Change::Keep(user.clone())], vec![event]).map(drop)
    }
}

/// The request never existed, has expired, or was carried out.
pub fn request_not_found(id: &str) -> Refusal {
    Refusal::new(ErrorCode::RequestNotFound, format!("there is no open request {id}"))
        .hint(command("approve").after("requests expire after 24 h; list the open ones with: "))
}
