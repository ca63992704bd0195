//! Authorization before a verb runs: the operator's role, and a second operator's approval where the
//! configuration requires one.

mod service;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::path::Path;

use anyhow::{Context as _, Error, Result};
use clap::parser::ValueSource;
use clap::{ArgMatches, FromArgMatches as _};
use serde::Serialize;

use crate::app::Decision;
use crate::app::authorization::NamedToken;
use crate::app::{App, output};
use crate::commands::authorize::service::ServiceCall;
use crate::commands::machine_store::require_named_store;
use crate::commands::meant::{Given, find_target};
use crate::commands::operator_options::{OperatorOptions, not_confirmed};
use crate::commands::{VERBS, VerbEntry, find_verb};
use crate::config::{Config, PathOptions};
use crate::domain::approval::Request;
use crate::domain::caller::{Caller, SYSTEM_USER};
use crate::domain::hint::command;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::role::Role;
use crate::domain::serial::Serial;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::domain::verb::VerbSpec;
use crate::env::Env;
use crate::operate;
use crate::operate::UsedOptions;
use crate::options::Options;
use crate::report::{Fields, Format, Record, Report, Verdict};
use crate::store::{InventoryReader, is_unconfirmed};
use crate::usage_error::usage_error;

/// Options that a request leaves out, because the approving operator gives their own.
const APPROVER_OPTIONS: &[&str] = &["yes", "output", "handout", "reveal_secrets"];

/// Runs a verb if the operator is authorized, or makes a request for a second operator to approve.
/// Writes its report.
pub fn run(
    entry: &VerbEntry,
    matches: &ArgMatches,
    env: &mut Env,
    options: Options,
    paths: &PathOptions,
) -> Result<Verdict> {
    if (entry.is_service)(matches) {
        return ServiceCall { entry, matches, options, paths }.answer(env);
    }
    let config = match loaded(entry, env, paths) {
        Ok(config) => config,
        Err(error) => {
            let report = (entry.on_denied)(env, error)?;
            return output::write(env, &options, report);
        }
    };
    env.caller.path_options = paths.given();
    if let Err(error) = require_named_store(entry, matches, env, &config) {
        let report = (entry.on_denied)(env, error.into())?;
        return output::write(env, &options, report);
    }
    let mut app = App::new(env, options, config, find_verb);
    run_loaded(entry, matches, &mut app)
}

fn loaded(entry: &VerbEntry, env: &Env, paths: &PathOptions) -> Result<Config> {
    if entry.spec.roles.is_none() {
        Config::without_store(env)
    } else {
        Config::load(paths, env, find_verb)
    }
}

fn run_loaded(entry: &VerbEntry, matches: &ArgMatches, app: &mut App<'_>) -> Result<Verdict> {
    let report = report(entry, matches, app)
        .map_err(|error| name_user(app, error))
        .map_err(|error| repeat_options(app, error))?;
    let written = output::write(app.env, &app.options, report);
    if app.store_changed.get() { written.context("the store was changed") } else { written }
}

/// Of a change that may be stored: the store does not know which user the run is about, and its hint has a word in place
/// of their name.
fn name_user(app: &mut App<'_>, mut error: Error) -> Error {
    if is_unconfirmed(&error)
        && let Some(typed) = app.authorization.typed_name.clone()
        && let Ok(name) = app.target(Some(&typed), "")
        && let Some(refusal) = error.downcast_mut::<Refusal>()
    {
        refusal.hint = refusal.hint.take().map(|hint| hint.about(&name));
    }
    error
}

/// Of several devices: the refusal does not know with what options the verb was run, and its hint names the device only.
fn repeat_options(app: &App<'_>, mut error: Error) -> Error {
    if let Some(refusal) = error.downcast_mut::<Refusal>()
        && refusal.code == ErrorCode::AmbiguousDevice
    {
        let hint = refusal.hint.take();
        refusal.hint =
            hint.map(|hint| hint.map_commands(|command| app.authorization.naming_device(command)));
    }
    error
}

fn report(entry: &VerbEntry, matches: &ArgMatches, app: &mut App<'_>) -> Result<Report> {
    let is_used = |option| matches!(matches.try_get_one::<bool>(option), Ok(Some(true)));
    let used = UsedOptions {
        is_dry: is_used("dry_run"),
        is_guarded: entry.spec.guarded_option.is_some_and(is_used),
        left_out: {
            let options = entry.spec.does_too.iter().filter_map(|part| part.option);
            options.filter(|option| !is_used(option)).collect()
        },
    };
    let is_dry = used.is_dry;
    if let Err(error) = operate::authorize(app, &entry.spec, &used) {
        return (entry.on_denied)(app.env, error);
    }
    app.authorization.is_dry = is_dry;
    // Whoever pastes the command is asked: it is about another name, or another operator runs it.
    app.authorization.options = options(entry, matches, &["yes"]);
    app.authorization.list_options = options(entry, matches, &[]);
    let list = matches.try_get_raw("from").ok().flatten().and_then(|mut files| files.next());
    app.authorization.list_file = list.map(|file| file.to_string_lossy().into_owned());
    let typed = matches.try_get_one::<String>("name").ok().flatten();
    app.authorization.typed_name = typed.cloned();
    app.authorization.token = named_token(matches);
    let file = matches.try_get_raw("file").ok().flatten().and_then(|mut files| files.next());
    app.authorization.file = file.map(|file| file.to_string_lossy().into_owned());
    app.env.caller.denied = denied_verbs(app);
    let given =
        Given { yes: is_used("yes"), creates: is_used("create"), only_looks: is_used("list") };
    if !find_target(entry, matches, app, given)? {
        return Ok(not_confirmed(app));
    }
    if entry.spec.takes_away && !is_dry {
        check_typed_name(matches, app, is_used("yes"))?;
    }
    if is_used("list") || is_used("damaged") {
        // The one only shows what could be changed; the other is for admins, and believes nothing in the user's rows,
        // so it can't ask them whether the user is protected.
        return (entry.run)(matches, app);
    }
    // Checked here before anything is asked or shown, and again under the lock.
    if let Some(user) = target_user(entry, matches, app)
        && app.authorization.decide_in_earnest(&user)? == Decision::NeedsApproval
    {
        if !is_dry {
            return request_approval(entry, matches, app, &user);
        }
        app.note(&format!(
            "without --dry-run a second operator has to approve this {}",
            entry.spec.name
        ));
    }
    (entry.run)(matches, app)
}

/// The token that the arguments name.
fn named_token(matches: &ArgMatches) -> Option<NamedToken> {
    let serial = matches.try_get_one::<String>("serial").ok()??.clone();
    let is_with_name = matches.try_get_one::<String>("name").is_ok();
    Some(NamedToken { serial, is_with_name })
}

/// The verbs that the operator may not run, which no hint may name: their role forbids it, or they come by `sudo`, whose
/// sample rules keep the verbs of login services from everybody.
pub fn denied_verbs(app: &App<'_>) -> Vec<&'static str> {
    let comes_by_sudo = app.env.caller.sudo_user.as_deref() == Some(SYSTEM_USER)
        && app.env.process.sudo_uid.is_some_and(|uid| uid != 0);
    let is_service = |spec: &VerbSpec| spec.roles == Some(&[Role::Service]);
    let is_denied =
        |spec: &VerbSpec| comes_by_sudo && is_service(spec) || !operate::can_run(app, spec.name);
    VERBS.iter().map(|entry| &entry.spec).filter(|spec| is_denied(spec)).map(|s| s.name).collect()
}

/// For a verb that takes something away: says whom a shortened name means before the verb asks, or refuses the name
/// where nobody is asked. Else the same command, run again after `alice@corp.example` was removed, would remove alice.
fn check_typed_name(matches: &ArgMatches, app: &mut App<'_>, is_agreed: bool) -> Result<()> {
    let Ok(Some(typed)) = matches.try_get_one::<String>("name") else { return Ok(()) };
    if app.meant.is_some() {
        return Ok(());
    }
    let name = app.user_name(typed)?;
    if !app.config.names.is_shortened(typed, &name) {
        return Ok(());
    }
    // The verb's own error is better for a name that nobody has.
    let Ok(user) = app.read_user(&name) else { return Ok(()) };
    if is_agreed || app.options.format() == Format::Json || app.env.prompt.is_none() {
        let problem = format!("there is no user {}", shown(typed));
        let hint = app
            .authorization
            .command_again(&user.name)
            .after(&format!("the user is stored as {}: ", user.name));
        return Err(Refusal::new(ErrorCode::UserNotFound, problem).hint(hint).into());
    }
    app.note(&format!("{} is stored as {}", shown(typed), user.name));
    Ok(())
}

/// The single user that a verb would change. An invalid name or a broken store gives `None`: the
/// verb itself reports the error.
fn target_user(entry: &VerbEntry, matches: &ArgMatches, app: &mut App<'_>) -> Option<User> {
    if !entry.spec.changes_user || app.config.roles.is_none() {
        return None;
    }
    let mut opened;
    let token = app.authorization.token.clone();
    let name = if let Some(token) = token.filter(|token| !token.is_with_name) {
        let serial = Serial::parse(&token.serial).ok()?;
        opened = app.open_store().ok()?;
        opened
            .store
            .read()
            .and_then(|mut store| InventoryReader::of(&mut store).holder(&serial))
            .ok()??
    } else {
        let name = matches.try_get_one::<String>("name").ok()?;
        let name = app.target(name.map(String::as_str), "").ok()?;
        opened = app.open_store().ok()?;
        name
    };
    let user = opened.store.read().and_then(|mut snapshot| snapshot.user(&name)).ok()?;
    app.opened = Some(opened);
    user
}

fn request_approval(
    entry: &VerbEntry,
    matches: &ArgMatches,
    app: &mut App<'_>,
    user: &User,
) -> Result<Report> {
    let operator = OperatorOptions::from_arg_matches(matches)
        .map_err(|e| usage_error(&e, Some(entry.spec.name)))?;
    let ticket = operator.ticket(app, entry.spec.name)?;
    let mut arguments = arguments(entry, matches, &user.name)?;
    if let Some(bound) = (entry.bind)(matches, app, user)? {
        arguments.insert(0, bound);
    }
    let mut opened = app.open_store()?;
    let request = operate::request_approval(
        app,
        &mut opened,
        entry.spec.name,
        &user.name,
        &arguments,
        &ticket,
    )?;
    let guarded = app.authorization.guarded_option.filter(|_| !user.protected);
    let file = matches.try_get_raw("output").ok().flatten().and_then(|mut files| files.next());
    let file = file.map(|file| placeholder(Path::new(file)));
    let pending = PendingApproval::new(&request, guarded, file.as_deref(), &app.env.caller);
    Ok(Report::one(pending, Verdict::Yes))
}

/// What stands in a hint for a file of the same form as this one.
fn placeholder(file: &Path) -> String {
    let ending = file.extension().and_then(OsStr::to_str);
    let is_plain = |ending: &&str| ending.bytes().all(|b| b.is_ascii_alphanumeric());
    ending.filter(is_plain).map_or_else(|| "FILE".to_owned(), |ending| format!("FILE.{ending}"))
}

/// The options for a hint that repeats the command, without those of this run alone and those of `left_out`.
fn options(
    entry: &VerbEntry,
    matches: &ArgMatches,
    left_out: &[&str],
) -> Vec<(String, Option<String>)> {
    const OF_THIS_RUN: [&str; 3] = ["dry_run", "from", "max_changes"];
    let command = entry.repeatable_command();
    let mut options = Vec::new();
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        let is_left_out = left_out.contains(&id) || OF_THIS_RUN.contains(&id);
        let is_given = matches.value_source(id) == Some(ValueSource::CommandLine);
        let Some(long) = arg.get_long().filter(|_| is_given && !is_left_out) else { continue };
        if !arg.get_action().takes_values() {
            options.push((format!("--{long}"), None));
            continue;
        }
        for value in matches.get_raw(id).into_iter().flatten() {
            options.push((format!("--{long}"), Some(value.to_string_lossy().into_owned())));
        }
    }
    options
}

/// The arguments to store in the request: options first, then `--` and the name by which the user is stored.
fn arguments(
    entry: &VerbEntry,
    matches: &ArgMatches,
    user: &UserName,
) -> Result<Vec<String>, Refusal> {
    let command = entry.repeatable_command();
    let (mut arguments, mut names) = (Vec::new(), vec!["--".to_owned()]);
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        if id == "name" {
            // Also where the operator searched for the user.
            names.push(user.as_str().to_owned());
            continue;
        }
        if APPROVER_OPTIONS.contains(&id)
            || matches.value_source(id) != Some(ValueSource::CommandLine)
        {
            continue;
        }
        let Some(long) = arg.get_long() else {
            names.extend(matches.try_get_one::<String>(id).ok().flatten().cloned());
            continue;
        };
        if !arg.get_action().takes_values() {
            arguments.push(format!("--{long}"));
            continue;
        }
        for value in matches.get_raw(id).into_iter().flatten() {
            let value = value.to_str().ok_or_else(|| {
                Refusal::bad_input(&format!("--{long}"), "is not UTF-8 text")
                    .hint("give it in UTF-8")
            })?;
            arguments.push(format!("--{long}={value}"));
        }
    }
    arguments.append(&mut names);
    Ok(arguments)
}

/// The report of a verb that now waits for a second operator.
#[derive(Serialize)]
struct PendingApproval {
    schema: &'static str,
    user: String,
    changed: bool,
    request: String,
    expires_at: Timestamp,
    #[serde(skip)]
    verb: String,
    /// Why the request is needed: the user is protected, or this option is guarded.
    #[serde(skip)]
    guarded_option: Option<&'static str>,
    /// The command of the second operator.
    #[serde(skip)]
    approve: String,
}

impl PendingApproval {
    /// `file` stands for the file that the second operator has to name, since the requester's is left out.
    fn new(
        request: &Request,
        guarded_option: Option<&'static str>,
        file: Option<&str>,
        caller: &Caller,
    ) -> Self {
        let approve = command("approve").name(request.short()).by_another();
        let approve =
            file.into_iter().fold(approve, |approve, file| approve.option("--output", file));
        Self {
            schema: "mfactl.request/1",
            user: request.user.clone(),
            changed: false,
            request: request.short(),
            expires_at: request.expires_at(),
            verb: request.verb.clone(),
            guarded_option,
            approve: caller.line(&approve),
        }
    }
}

impl Record for PendingApproval {
    const COLUMNS: &'static [&'static str] = &["user", "changed", "request", "expires_at"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.flag(self.changed);
        f.text(&self.request);
        f.value(self.expires_at);
    }

    fn sentence(&self) -> String {
        let Self { user, verb, expires_at, approve, .. } = self;
        let reason = match self.guarded_option {
            Some(option) => {
                format!("--{} needs an admin or two operators", option.replace('_', "-"))
            }
            None => "protected".to_owned(),
        };
        format!(
            "{user}: {reason}, so nothing was changed yet; another operator can approve this \
             {verb} until {expires_at} with: {approve}"
        )
    }
}
