//! The table of verbs. A new verb needs a file, its `mod` line and its entry in [`VERBS`].

mod add_tokens;
mod add_user;
mod approve;
mod assign;
mod authorize;
mod backup;
mod bulk;
mod bypass;
mod changes;
mod check;
mod completions;
mod copy_store;
mod delete;
mod device_settings;
mod diagnose;
mod disable;
mod doctor;
mod edit_user;
mod enable;
mod enrol;
mod find;
mod first_code;
pub mod first_steps;
mod force_new_password;
mod handout;
pub mod help;
mod init;
mod left_out;
mod list_status;
mod list_tokens;
mod log;
mod machine_store;
mod man;
mod me;
mod meant;
mod metrics;
mod new_password;
mod operator_options;
mod prove;
mod recovery_codes;
mod remembered;
mod remove_token;
mod remove_user;
mod report;
mod require_mfa;
mod reset;
mod restore;
mod resync;
mod serve;
mod set_password;
mod show_qr;
mod show_user;
mod sign_in;
mod targets;
mod token_change;
mod unassign;
mod undo;
mod unlock;
mod user_change;
mod verify;
mod verify_log;
mod whole_number;

#[cfg(test)]
mod tests;

pub use authorize::run;

use std::ffi::OsString;
use std::time::Duration;

use anyhow::Result;
use clap::{ArgMatches, Args, Command, FromArgMatches};
use clap_complete::engine::ArgValueCompleter;

use crate::app::App;
use crate::config::PathOptions;
use crate::domain::notice::NoticeKind;
use crate::domain::refusal::Refusal;
use crate::domain::role::Role;
use crate::domain::undo_record::Undoable;
use crate::domain::user::User;
use crate::domain::verb::{Addressed, CaseOptions, DoesToo, Group, VerbSpec};
use crate::env::Env;
use crate::options::Options;
use crate::report::Report;
use crate::suggest;
use crate::usage_error::usage_error;

/// A verb. The doc comments of its arguments are its help.
pub trait Verb: Args + FromArgMatches {
    const NAME: &'static str;
    const ALIAS: Option<&'static str> = None;
    /// Lines of the form `mfactl …`, shown first in the help.
    const EXAMPLES: &'static [&'static str];
    /// Off for the verbs that a login service calls: a user named like the flag would get exit code 0.
    const HELP_FLAG: bool = true;
    /// The question of the verb says more than the request, so the second operator gets both.
    const ASKS_APPROVER: bool = false;

    /// Whether a login service calls, judged by the arguments. Users may control its environment, so this
    /// is known before any variable is read.
    fn is_service(_: &ArgMatches) -> bool {
        false
    }

    fn run(self, app: &mut App<'_>) -> Result<Report>;

    /// Lets the verifier of this machine answer a login service, before anything is read that it alone may need rights
    /// for; `None` where none answers. It is waited for no longer than `patience`.
    fn ask_verifier(
        _: &ArgMatches,
        _: &mut App<'_>,
        _: &PathOptions,
        _patience: Duration,
    ) -> Result<Option<Report>> {
        Ok(None)
    }

    /// What a request to a second operator notes beside the arguments, so that it is carried out only on what its
    /// operator saw.
    fn bind(_: &ArgMatches, _: &App<'_>, _: &User) -> Result<Option<String>, Refusal> {
        Ok(None)
    }

    /// The result where the operator's role or the configuration prevents the verb from starting.
    fn on_denied(_: &Env, error: anyhow::Error) -> Result<Report> {
        Err(error)
    }
}

/// [`Verb::ask_verifier`].
type AskVerifier = fn(&ArgMatches, &mut App<'_>, &PathOptions, Duration) -> Result<Option<Report>>;

/// A verb as the program runs it.
pub struct VerbEntry {
    pub spec: VerbSpec,
    pub examples: &'static [&'static str],
    pub has_help_flag: bool,
    pub run: fn(&ArgMatches, &mut App<'_>) -> Result<Report>,
    pub asks_approver: bool,
    is_service: fn(&ArgMatches) -> bool,
    ask_verifier: AskVerifier,
    bind: fn(&ArgMatches, &App<'_>, &User) -> Result<Option<String>, Refusal>,
    on_denied: fn(&Env, anyhow::Error) -> Result<Report>,
    arguments: fn(Command) -> Command,
}

/// Changes an existing user; the operator's options come with it.
const CHANGE: VerbSpec = VerbSpec {
    group: Group::Helpdesk,
    roles: Some(&[Role::Helpdesk]),
    changes_user: true,
    case_options: CaseOptions::TicketAndProof,
    addressed: Addressed::Person,
    ..VerbSpec::ADMIN
};
/// Reads the store.
const READ: VerbSpec = VerbSpec {
    group: Group::Audit,
    roles: Some(&[Role::Helpdesk, Role::Auditor]),
    ..VerbSpec::ADMIN
};
/// Is called by a login service.
const SERVICE: VerbSpec =
    VerbSpec { group: Group::SignIn, roles: Some(&[Role::Service]), ..VerbSpec::ADMIN };
const ADMIN: VerbSpec = VerbSpec::ADMIN;
const FREE: VerbSpec = VerbSpec::FREE;

/// Every verb with its attributes, in the order of the help. This is the only list of verbs: roles,
/// `[helpdesk]`, the second operator, undo, notices, help and the sudo rules follow from it.
pub static VERBS: &[VerbEntry] = &[
    verb::<enrol::Enrol>(VerbSpec { group: Group::Enrolment, writes_pages: true, ..CHANGE }),
    verb::<show_qr::ShowQr>(VerbSpec { group: Group::Enrolment, ..CHANGE }),
    verb::<handout::WriteHandout>(VerbSpec {
        group: Group::Enrolment,
        writes_pages: true,
        does_too: &[
            DoesToo { verb: "show-qr", option: None },
            DoesToo { verb: "recovery-codes", option: Some("recovery_codes") },
        ],
        ..CHANGE
    }),
    verb::<add_user::AddUser>(VerbSpec {
        group: Group::Enrolment,
        changes_user: false,
        addressed: Addressed::Name,
        ..CHANGE
    }),
    verb::<edit_user::EditUser>(VerbSpec { group: Group::Enrolment, ..CHANGE }),
    verb::<remove_user::RemoveUser>(VerbSpec {
        group: Group::Enrolment,
        takes_away: true,
        roles: ADMIN.roles,
        ..CHANGE
    }),
    verb::<add_tokens::AddTokens>(VerbSpec {
        group: Group::Enrolment,
        changes_user: false,
        roles: ADMIN.roles,
        addressed: Addressed::Name,
        ..CHANGE
    }),
    verb::<list_tokens::ListTokens>(VerbSpec { group: Group::Enrolment, ..READ }),
    verb::<assign::Assign>(VerbSpec { group: Group::Enrolment, ..CHANGE }),
    verb::<unassign::Unassign>(VerbSpec {
        group: Group::Enrolment,
        takes_away: true,
        addressed: Addressed::Name,
        notice: Some(NoticeKind::DeviceRemoved),
        ..CHANGE
    }),
    verb::<remove_token::RemoveToken>(VerbSpec {
        group: Group::Enrolment,
        changes_user: false,
        roles: ADMIN.roles,
        addressed: Addressed::Name,
        ..CHANGE
    }),
    verb::<reset::Reset>(VerbSpec {
        takes_away: true,
        undo: Some(Undoable::Reset),
        writes_pages: true,
        notice: Some(NoticeKind::Reset),
        ..CHANGE
    }),
    verb::<disable::Disable>(VerbSpec {
        takes_away: true,
        undo: Some(Undoable::Disable),
        notice: Some(NoticeKind::Disabled),
        ..CHANGE
    }),
    verb::<enable::Enable>(CHANGE),
    verb::<delete::Delete>(VerbSpec {
        takes_away: true,
        undo: Some(Undoable::Delete),
        notice: Some(NoticeKind::Deleted),
        ..CHANGE
    }),
    verb::<force_new_password::ForceNewPassword>(VerbSpec {
        takes_away: true,
        undo: Some(Undoable::ForceNewPassword),
        notice: Some(NoticeKind::NewPassword),
        ..CHANGE
    }),
    verb::<unlock::Unlock>(CHANGE),
    verb::<undo::Undo>(VerbSpec {
        guarded_option: Some("even_after_code"),
        notice: Some(NoticeKind::Undone),
        ..CHANGE
    }),
    verb::<recovery_codes::RecoveryCodes>(VerbSpec {
        notice: Some(NoticeKind::RecoveryCodes),
        ..CHANGE
    }),
    verb::<bypass::Bypass>(VerbSpec { notice: Some(NoticeKind::Bypass), ..CHANGE }),
    verb::<remembered::Remembered>(CHANGE),
    verb::<diagnose::Diagnose>(VerbSpec { changes_user: false, ..CHANGE }),
    verb::<resync::Resync>(VerbSpec { notice: Some(NoticeKind::Resynchronised), ..CHANGE }),
    verb::<require_mfa::RequireMfa>(CHANGE),
    verb::<approve::Approve>(VerbSpec {
        changes_user: false,
        case_options: CaseOptions::None,
        ..CHANGE
    }),
    verb::<find::Find>(VerbSpec { group: Group::Helpdesk, ..READ }),
    verb::<show_user::ShowUser>(VerbSpec {
        group: Group::Helpdesk,
        addressed: Addressed::NameOrMail,
        ..READ
    }),
    verb::<verify::Verify>(SERVICE),
    verb::<serve::Serve>(VerbSpec { is_of_system_user: true, ..SERVICE }),
    verb::<sign_in::SignIn>(SERVICE),
    verb::<me::Me>(VerbSpec { is_for_oneself: true, ..SERVICE }),
    verb::<set_password::SetPassword>(VerbSpec {
        group: Group::SignIn,
        roles: ADMIN.roles,
        ..CHANGE
    }),
    verb::<list_status::ListStatus>(READ),
    verb::<changes::Changes>(READ),
    verb::<log::Log>(VerbSpec { case_options: CaseOptions::Ticket, ..READ }),
    verb::<verify_log::VerifyLog>(READ),
    verb::<report::Report>(READ),
    verb::<metrics::Metrics>(READ),
    verb::<check::Check>(READ),
    verb::<init::Init>(ADMIN),
    verb::<backup::Backup>(ADMIN),
    verb::<restore::Restore>(VerbSpec { case_options: CaseOptions::TicketAndProof, ..ADMIN }),
    verb::<doctor::Doctor>(ADMIN),
    verb::<completions::Completions>(FREE),
    verb::<copy_store::CopyStore>(ADMIN),
    verb::<man::Man>(FREE),
    verb::<help::Help>(FREE),
];

const fn verb<V: Verb>(attributes: VerbSpec) -> VerbEntry {
    VerbEntry {
        spec: VerbSpec { name: V::NAME, alias: V::ALIAS, ..attributes },
        examples: V::EXAMPLES,
        has_help_flag: V::HELP_FLAG,
        run: |matches, app| {
            V::from_arg_matches(matches).map_err(|e| usage_error(&e, Some(V::NAME)))?.run(app)
        },
        asks_approver: V::ASKS_APPROVER,
        is_service: V::is_service,
        ask_verifier: V::ask_verifier,
        bind: V::bind,
        on_denied: V::on_denied,
        arguments: V::augment_args,
    }
}

/// Finds a verb by its name.
#[must_use]
pub fn find_entry(name: &str) -> Option<&'static VerbEntry> {
    VERBS.iter().find(|entry| entry.spec.name == name)
}

/// Finds a verb by its name or alias, as a person gives it.
pub fn verb_called(word: &str) -> Result<&'static VerbEntry, Refusal> {
    let found = VERBS.iter().find(|entry| entry.spec.is_called(word));
    found.ok_or_else(|| unknown_verb(word))
}

pub fn unknown_verb(word: &str) -> Refusal {
    suggest::unknown_verb(word, spellings())
}

/// Every name and alias, each with the verb that it stands for.
fn spellings() -> impl Iterator<Item = (&'static str, &'static str)> {
    VERBS.iter().flat_map(|entry| {
        let VerbSpec { name, alias, .. } = entry.spec;
        [Some(name), alias].into_iter().flatten().map(move |spelling| (spelling, name))
    })
}

/// The attributes of a verb.
#[must_use]
pub fn find_verb(name: &str) -> Option<&'static VerbSpec> {
    find_entry(name).map(|entry| &entry.spec)
}

/// Completes a user name.
fn user_names() -> ArgValueCompleter {
    crate::completion::user_names(find_verb)
}

/// Completes the serial of a token.
fn serials() -> ArgValueCompleter {
    crate::completion::serials(find_verb)
}

/// The command line with every verb.
#[must_use]
pub fn command() -> Command {
    root().subcommands(VERBS.iter().map(VerbEntry::command))
}

/// The command line with every verb, and with completers for the values of options. `words` follow the program's name.
#[must_use]
pub fn completing_command(program: Option<&OsString>, words: &[OsString]) -> Command {
    let names: Vec<_> = VERBS.iter().map(|entry| entry.spec.name).collect();
    let command = root().subcommands(VERBS.iter().map(VerbEntry::whole_command));
    let line = (words, crate::completion::is_wrapper(program));
    crate::completion::completing(command, find_verb, line, (&names, log::LOG_ONLY_VERBS))
}

/// The command line with only the verbs that occur in `args`, or with all if none does. Building all of
/// them takes longer than half of a `verify`.
#[must_use]
pub fn command_for(args: &[OsString]) -> Command {
    let occurs = |e: &&VerbEntry| args.iter().any(|arg| e.spec.is_called(arg));
    let mut verbs = VERBS.iter().filter(occurs).peekable();
    if verbs.peek().is_none() {
        command()
    } else {
        root().subcommands(verbs.map(VerbEntry::command))
    }
}

/// The verb on a command line, known also where the rest of it can't be parsed.
#[must_use]
pub fn verb_in(args: &[OsString]) -> Option<&'static str> {
    let root = root();
    let takes_value = |arg: &OsString| {
        let long = arg.to_str().and_then(|arg| arg.strip_prefix("--"));
        let option = root.get_arguments().find(|a| long.is_some() && a.get_long() == long);
        option.is_some_and(|option| option.get_action().takes_values())
    };
    let mut args = args.iter().skip(1);
    while let Some(arg) = args.next() {
        if takes_value(arg) {
            args.next();
        } else if !arg.as_encoded_bytes().starts_with(b"-") {
            return VERBS.iter().map(|e| &e.spec).find(|v| v.is_called(arg)).map(|v| v.name);
        }
    }
    None
}

fn root() -> Command {
    let command = Command::new("mfactl")
        .version(help::version())
        .disable_help_subcommand(true)
        // Global: each verb but those of login services adds its own flags.
        .disable_help_flag(true)
        .arg(clap::arg!(help: -h --help "Print help").global(false).overrides_with("help"))
        .subcommand_value_name("VERB")
        // In capitals, as the headings of the manual page are.
        .subcommand_help_heading("VERBS");
    // Last, because the options bring a text of their own.
    Options::augment_args(PathOptions::augment_args(command)).about(help::ABOUT)
}

impl VerbEntry {
    /// The verb as a subcommand; clap builds its arguments only when it is called.
    pub fn command(&self) -> Command {
        self.with_flags(Command::new(self.spec.name).defer(self.arguments))
    }

    /// With its arguments already there.
    fn whole_command(&self) -> Command {
        self.with_flags((self.arguments)(Command::new(self.spec.name)))
    }

    fn with_flags(&self, command: Command) -> Command {
        let command = if self.has_help_flag { command.args(help::flags()) } else { command };
        match self.spec.alias {
            Some(alias) => command.visible_alias(alias),
            None => command,
        }
    }

    /// The verb with what belongs to it in a hint or a request: its arguments, and the language of its texts.
    pub fn repeatable_command(&self) -> Command {
        let command = (self.arguments)(Command::new(self.spec.name));
        command.arg(Options::language_option())
    }

    /// Whether `--` stands before its name or words. Before a fixed word, as that of `check`, there is none.
    pub fn takes_separator(&self) -> bool {
        let command = (self.arguments)(Command::new(self.spec.name));
        let mut words = command.get_positionals();
        self.spec.roles.is_some() && words.any(|word| word.get_possible_values().is_empty())
    }

    pub fn about(&self) -> String {
        let command = (self.arguments)(Command::new(self.spec.name));
        command.get_about().map(ToString::to_string).unwrap_or_default()
    }
}
