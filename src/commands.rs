//! The register of verbs. A new verb needs a file, its `mod` line and its line in [`VERBS`].

mod add_user;
mod approve;
mod authorize;
mod backup;
mod bulk;
mod bypass;
mod changes;
mod check;
mod completions;
mod copy_store;
mod delete;
mod diagnose;
mod disable;
mod doctor;
mod edit_user;
mod enable;
mod enrol;
mod force_new_password;
pub mod help;
mod init;
mod list_status;
mod log;
mod man;
mod metrics;
mod operator_options;
mod recovery_codes;
mod remove_user;
mod report;
mod require_mfa;
mod reset;
mod restore;
mod set_password;
mod show_qr;
mod show_user;
mod sign_in;
mod targets;
mod undo;
mod unlock;
mod user_change;
mod verify;
mod verify_log;

#[cfg(test)]
mod tests;

pub use authorize::run;

use std::ffi::OsString;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use crate::app::App;
use crate::config::PathOptions;
use crate::env::Env;
use crate::options::Options;
use crate::report::Report;
use crate::usage_error::usage_error;

/// A verb. The doc comments of its arguments are its help.
pub trait Verb: Args + FromArgMatches {
    const NAME: &'static str;
    const ALIAS: Option<&'static str> = None;
    /// Lines of the form `mfactl …`, shown first in the help.
    const EXAMPLES: &'static [&'static str];
    /// Off for the verbs that a login service calls: a user named like the flag would get exit code 0.
    const HELP_FLAG: bool = true;

    /// Whether a login service calls, judged by the arguments. Users may control its environment, so this
    /// is known before any variable is read.
    fn is_service(_: &ArgMatches) -> bool {
        false
    }

    fn run(self, session: &mut App<'_>) -> Result<Report>;

    /// The result where the operator's role or the configuration prevents the verb from starting.
    fn on_denied(_: &Env, error: anyhow::Error) -> Result<Report> {
        Err(error)
    }
}

/// The groups in the output of `mfactl help`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Group {
    Enrolment,
    Helpdesk,
    SignIn,
    Audit,
    Store,
}

/// A registered verb.
pub struct VerbEntry {
    pub name: &'static str,
    pub group: Group,
    pub run: fn(&ArgMatches, &mut App<'_>) -> Result<Report>,
    pub alias: Option<&'static str>,
    help_flag: bool,
    is_service: fn(&ArgMatches) -> bool,
    on_denied: fn(&Env, anyhow::Error) -> Result<Report>,
    arguments: fn(Command) -> Command,
}

/// Every verb, in the order of the help.
pub static VERBS: &[VerbEntry] = &[
    entry::<enrol::Enrol>(Group::Enrolment),
    entry::<show_qr::ShowQr>(Group::Enrolment),
    entry::<add_user::AddUser>(Group::Enrolment),
    entry::<edit_user::EditUser>(Group::Enrolment),
    entry::<remove_user::RemoveUser>(Group::Enrolment),
    entry::<reset::Reset>(Group::Helpdesk),
    entry::<disable::Disable>(Group::Helpdesk),
    entry::<enable::Enable>(Group::Helpdesk),
    entry::<delete::Delete>(Group::Helpdesk),
    entry::<force_new_password::ForceNewPassword>(Group::Helpdesk),
    entry::<unlock::Unlock>(Group::Helpdesk),
    entry::<undo::Undo>(Group::Helpdesk),
    entry::<recovery_codes::RecoveryCodes>(Group::Helpdesk),
    entry::<bypass::Bypass>(Group::Helpdesk),
    entry::<diagnose::Diagnose>(Group::Helpdesk),
    entry::<require_mfa::RequireMfa>(Group::Helpdesk),
    entry::<approve::Approve>(Group::Helpdesk),
    entry::<show_user::ShowUser>(Group::Helpdesk),
    entry::<verify::Verify>(Group::SignIn),
    entry::<sign_in::SignIn>(Group::SignIn),
    entry::<set_password::SetPassword>(Group::SignIn),
    entry::<list_status::ListStatus>(Group::Audit),
    entry::<changes::Changes>(Group::Audit),
    entry::<log::Log>(Group::Audit),
    entry::<verify_log::VerifyLog>(Group::Audit),
    entry::<report::Report>(Group::Audit),
    entry::<metrics::Metrics>(Group::Audit),
    entry::<check::Check>(Group::Audit),
    entry::<init::Init>(Group::Store),
    entry::<backup::Backup>(Group::Store),
    entry::<restore::Restore>(Group::Store),
    entry::<doctor::Doctor>(Group::Store),
    entry::<completions::Completions>(Group::Store),
    entry::<copy_store::CopyStore>(Group::Store),
    entry::<man::Man>(Group::Store),
    entry::<help::Help>(Group::Store),
];

const fn entry<V: Verb>(group: Group) -> VerbEntry {
    VerbEntry {
        name: V::NAME,
        group,
        run: |matches, session| {
            V::from_arg_matches(matches).map_err(|e| usage_error(&e))?.run(session)
        },
        alias: V::ALIAS,
        help_flag: V::HELP_FLAG,
        is_service: V::is_service,
        on_denied: V::on_denied,
        arguments: |command| V::augment_args(command.before_help(examples(V::EXAMPLES))),
    }
}

fn examples(lines: &[&str]) -> String {
    format!("Examples:\n  {}", lines.join("\n  "))
}

/// The command line with every verb.
#[must_use]
pub fn command() -> Command {
    root().subcommands(VERBS.iter().map(VerbEntry::command))
}

/// The command line with only the verbs that occur in `args`, or with all if none does. Building all of
/// them takes longer than half of a `verify`.
#[must_use]
pub fn command_for(args: &[OsString]) -> Command {
    let occurs =
        |e: &&VerbEntry| args.iter().any(|arg| arg == e.name || e.alias.is_some_and(|a| arg == a));
    let mut verbs = VERBS.iter().filter(occurs).peekable();
    if verbs.peek().is_none() {
        command()
    } else {
        root().subcommands(verbs.map(VerbEntry::command))
    }
}

fn root() -> Command {
    let command = Command::new("mfactl")
        .about("Enrol, verify, reset and list second factors")
        .version(help::version())
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .arg(clap::arg!(help: -h --help "Print help").global(false))
        .subcommand_value_name("VERB")
        .subcommand_help_heading("Verbs");
    Options::augment_args(PathOptions::augment_args(command))
}

impl VerbEntry {
    /// The verb as a subcommand; clap builds its arguments only when it is called.
    pub fn command(&self) -> Command {
        let command =
            Command::new(self.name).disable_help_flag(!self.help_flag).defer(self.arguments);
        match self.alias {
            Some(alias) => command.visible_alias(alias),
            None => command,
        }
    }

    pub fn about(&self) -> String {
        let command = (self.arguments)(Command::new(self.name));
        command.get_about().map(ToString::to_string).unwrap_or_default()
    }
}
