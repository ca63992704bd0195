//! What `mfactl` alone says: three examples, and the next step on this machine. It makes nothing and asks nothing, and
//! where it can't look into the store it says so and ends well: it is what somebody types who knows nothing yet.

use anyhow::Result;

use super::authorize::denied_verbs;
use super::find_verb;
use super::help::{self, ABOUT};
use crate::app::{App, output};
use crate::audit;
use crate::config::{Config, PathOptions, machine_place};
use crate::domain::hint::{self, Command, Hint, Runner, command};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{counted, shown};
use crate::env::Env;
use crate::error_report;
use crate::files::file_trust::{display_path, system_uid};
use crate::operate::{self, UsedOptions};
use crate::options::Options;
use crate::report::{Report, Verdict};
use crate::store::location::StoreLocation;
use crate::store::{Order, UserCounts};

/// Of a longer log nothing is read: whether a copy of the key was confirmed is then for `doctor` to say.
const MOST_EVENTS: u64 = 100_000;
/// Of more users the rows are only counted: whether each can be read is then for `doctor` to say.
const MOST_USERS: u64 = 1_000;

/// What there is to do next, in the order in which it is done.
struct Step {
    /// How things are.
    said: String,
    /// The sentence that leads to the commands.
    lead: String,
    commands: Vec<Command>,
}

impl Step {
    fn new(
        said: impl Into<String>,
        lead: impl Into<String>,
        commands: impl IntoIterator<Item = Command>,
    ) -> Self {
        Self { said: said.into(), lead: lead.into(), commands: commands.into_iter().collect() }
    }

    /// What is left of it for somebody who may run some of the commands only.
    fn permitted(mut self, may_run: impl Fn(&Command) -> bool) -> Self {
        self.commands.retain(|command| may_run(command));
        if self.commands.is_empty() {
            "An administrator can help.".clone_into(&mut self.lead);
        }
        self
    }
}

/// Writes the examples and the next steps.
pub fn greet(env: &mut Env, options: &Options, paths: &PathOptions) -> Result<Verdict> {
    env.caller.path_options = paths.given();
    let loaded = Config::load(paths, env, find_verb);
    let others_place = match &loaded {
        Ok(config) if !config.origins.is_default_store() => None,
        _ => machine_place(env),
    };
    let (steps, runner) = match (loaded, others_place) {
        (_, Some(place)) => (vec![not_an_operator(&place)], Runner::SystemUser),
        (Ok(config), None) => {
            let is_for_system_user = is_for_system_user(env, &config);
            let steps = look(&mut App::new(env, options.clone(), config, find_verb));
            let may_run =
                |command: &Command| env.caller.denied.iter().all(|verb| *verb != command.verb);
            let steps = steps.into_iter().map(|step| step.permitted(may_run)).collect();
            (steps, if is_for_system_user { Runner::SystemUser } else { Runner::Reader })
        }
        (Err(error), None) => (vec![unreadable(&error)], Runner::Reader),
    };
    let text = page(env, &steps, runner);
    output::write(env, options, Report::text(text))
}

/// Whether root looks at the machine's store, which belongs to the system user, so that services and operators reach it
/// without root.
fn is_for_system_user(env: &Env, config: &Config) -> bool {
    let is_root = env.process.euid == 0 && env.caller.sudo_user.is_none();
    is_root && config.origins.is_default_store() && system_uid().is_some()
}

/// Each command is a line of its own, so that it can be copied; where a terminal is too narrow it goes on below.
fn page(env: &Env, steps: &[Step], runner: Runner) -> String {
    let width = help::page_width(env);
    let wrapped = |text: &str| help::wrapped(text, width).join("\n") + "\n";
    let line = |command: &Command| {
        let is_readers = command.runner == Runner::Reader;
        let runner = if is_readers { runner } else { command.runner };
        format!("  {}\n", env.caller.line(&Command { runner, ..command.clone() }))
    };
    let mut text = wrapped(&format!("{ABOUT}. For example:"));
    for (about, command) in examples() {
        text.push_str(&wrapped(about));
        text.push_str(&line(&command));
    }
    for step in steps {
        text.push('\n');
        text.push_str(&wrapped(&format!("{} {}", step.said, step.lead)));
        text.extend(step.commands.iter().map(line));
    }
    text.push('\n');
    text.push_str(&wrapped("All verbs, and with a verb behind it the page of that verb:"));
    text.push_str(&line(&hint::help(None)));
    text
}

fn examples() -> [(&'static str, Command); 3] {
    [
        ("A new user with a phone:", command("enrol").flag("--create").name("alice")),
        ("A lost phone:", command("reset").name("alice")),
        ("Who has no MFA:", command("list-status").flag("--without-mfa")),
    ]
}

/// Looks at the store, and at nothing that takes long.
fn look(app: &mut App<'_>) -> Vec<Step> {
    app.ignore_clock_skew = true;
    let is_here = match &app.config.store {
        StoreLocation::Sqlite(_) => app.config.store.exists(&app.config.file_policy),
        // One connection is enough to find out.
        StoreLocation::Postgres(_) => Ok(true),
    };
    let found = match is_here {
        Ok(false) => return vec![no_store(app)],
        Ok(true) => count(app),
        Err(error) => Err(error),
    };
    found.unwrap_or_else(|error| vec![unreadable(&error)])
}

fn count(app: &mut App<'_>) -> Result<Vec<Step>> {
    if let Some(list) = find_verb("list-status") {
        operate::authorize(app, list, &UsedOptions::default())?;
    }
    app.env.caller.denied = denied_verbs(app);
    let mut store = app.reader()?;
    let mut snapshot = store.read()?;
    let now = app.env.clock.now()?;
    let counts = snapshot.user_counts(now)?;
    if counts.users <= MOST_USERS {
        snapshot.users(Order::default(), &mut |_| Ok(()))?;
    }
    let is_short = snapshot.log().head()?.seq <= MOST_EVENTS;
    drop(snapshot);
    drop(store);
    let users = counts.users;
    let mut steps = Vec::new();
    let key = app.config.file_policy.check(&app.config.key_file, app.config.key_file_kind);
    let is_key_gone = matches!(key, Ok(false));
    if is_key_gone {
        let path = display_path(&app.config.key_file);
        let said = format!(
            "The key file {path} is missing: nobody can be verified or enrolled without it."
        );
        steps.push(Step::new(said, "To look:", [command("doctor")]));
    }
    if users == 0 {
        let first =
            [command("enrol").flag("--create").name("NAME"), command("add-user").name("NAME")];
        let said = "The store is here and has no user yet.";
        steps.push(Step::new(said, "The first one, with or without a phone:", first));
    } else if counts.with_active_device < users {
        steps.push(without_mfa(counts));
    }
    if !is_key_gone && is_short && audit::key_saved_at(app)?.is_none() {
        let said =
            "No copy of the key file is confirmed: without the key everybody has to enrol again.";
        let lead = "Copy it to a place apart from the store, then say so:";
        steps.push(Step::new(said, lead, [command("doctor").flag("--key-saved")]));
    }
    if steps.is_empty() {
        let all = if users == 1 { "has" } else { "all have" };
        let said = format!("{} {all} MFA in force.", counted(users, "user"));
        steps.push(Step::new(said, "To look:", [command("list-status")]));
    }
    Ok(steps)
}

/// Who waits for a first code has been enrolled, and needs something else than those who were not.
fn without_mfa(counts: UserCounts) -> Step {
    let UserCounts { users, with_active_device, waiting } = counts;
    let without = users.saturating_sub(with_active_device);
    let said = format!(
        "{without} of {} {} no MFA in force",
        counted(users, "user"),
        if without == 1 { "has" } else { "have" }
    );
    let list = command("list-status").flag("--without-mfa");
    let (enrol, show) = (command("enrol").name("NAME"), command("show-qr").name("NAME"));
    match waiting {
        0 => {
            let lead = "To see who they are, and to set one of them up:";
            Step::new(format!("{said}."), lead, [list, enrol])
        }
        _ if waiting == without => {
            let whose = if waiting == 1 { "whose device waits" } else { "whose devices wait" };
            let lead = "To see who they are, and to show one of them the QR code again:";
            Step::new(format!("{said}, {whose} for a first code."), lead, [list, show])
        }
        _ => {
            let wait = if waiting == 1 { "waits" } else { "wait" };
            let said = format!("{said}; {waiting} of them {wait} for the first code of a device.");
            let lead = "To see who they are, to set one of them up, and to show one of them the QR code again:";
            Step::new(said, lead, [list, enrol, show])
        }
    }
}

fn no_store(app: &App<'_>) -> Step {
    let said = format!("There is no store yet at {}.", app.config.store);
    let lead = "The first line makes it with its key, the second one the first user too:";
    Step::new(said, lead, [command("init"), command("enrol").flag("--create").name("NAME")])
}

/// What somebody may do to whom the machine's store does not belong.
fn not_an_operator(place: &str) -> Step {
    let first = place[..1].to_uppercase();
    let said = format!("{first}{}, which operators reach by sudo.", &place[1..]);
    let lead = "About your own MFA, if this machine's administrators allow it:";
    Step::new(said, lead, [command("me").by_system_user()])
}

/// A damaged store has several ways out, one of which gives a user up: `doctor` finds all that is wrong first.
fn unreadable(error: &anyhow::Error) -> Step {
    let message = shown(&error_report::message(error)).into_owned();
    let refusal = error.downcast_ref::<Refusal>();
    let is_damaged =
        |refusal: &Refusal| matches!(refusal.code, ErrorCode::Damaged | ErrorCode::Tampered);
    let hint = refusal.filter(|refusal| !is_damaged(refusal)).and_then(|r| r.hint.clone());
    let mut said = format!("The store can't be looked at: {message}");
    let mut commands: Vec<_> = hint.iter().flat_map(Hint::commands).cloned().collect();
    let lead = if commands.is_empty() {
        if let Some(hint) = hint {
            said = format!("{said}; {}", shown(&hint.to_string()));
        }
        commands.push(command("doctor"));
        "To find out what is wrong:"
    } else {
        "To go on:"
    };
    Step::new(format!("{said}."), lead, commands)
}
