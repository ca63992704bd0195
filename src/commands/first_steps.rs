//! What `mfactl` alone says: three examples, and the next step on this machine. It makes nothing and asks nothing, and
//! where it can't look into the store it says so and ends well: it is what somebody types who knows nothing yet.

use anyhow::Result;

use super::authorize::denied_verbs;
use super::find_verb;
use super::help::{self, ABOUT};
use crate::app::{App, output};
use crate::audit;
use crate::config::{Config, PathOptions, machine_place};
use crate::domain::caller::SYSTEM_USER;
use crate::domain::hint::{self, Command, Hint, command};
use crate::domain::refusal::Refusal;
use crate::domain::text::{counted, shown};
use crate::env::Env;
use crate::error_report;
use crate::files::file_trust::system_uid;
use crate::operate::{self, UsedOptions};
use crate::options::Options;
use crate::report::{Report, Verdict};
use crate::store::UserCounts;
use crate::store::location::StoreLocation;

/// Of a longer log nothing is read: whether a copy of the key was confirmed is then for `doctor` to say.
const MOST_EVENTS: u64 = 100_000;

/// What there is to do next, in the order in which it is done.
struct Step {
    words: String,
    commands: Vec<Command>,
}

impl Step {
    fn new(words: impl Into<String>, commands: impl IntoIterator<Item = Command>) -> Self {
        Self { words: words.into(), commands: commands.into_iter().collect() }
    }
}

/// Writes the examples and the next steps.
pub fn greet(env: &mut Env, options: Options, paths: &PathOptions) -> Result<Verdict> {
    env.caller.path_options = paths.given();
    let steps = match Config::load(paths, env, find_verb) {
        Ok(config) => look(&mut App::new(env, options.clone(), config, find_verb)),
        Err(error) => vec![unreadable(&error)],
    };
    let text = page(env, &steps);
    output::write(env, &options, Report::text(text))
}

fn page(env: &Env, steps: &[Step]) -> String {
    let width = help::page_width(env);
    let wrapped = |text: &str| help::wrapped(text, width).join("\n") + "\n";
    let by_others = machine_place(env).is_some() && env.caller.path_options.is_empty();
    let line = |command: &Command| {
        let is_for_operators = by_others && command.runner == hint::Runner::Reader;
        let command = command.clone();
        env.caller.line(&if is_for_operators { command.by_system_user() } else { command })
    };
    let mut text = wrapped(&format!("{ABOUT}. For example:"));
    for (command, about) in examples() {
        // A command stays in one line, so that it can be copied; a terminal that is too narrow goes on below.
        let line = line(&command);
        text.push_str(&if line.chars().count() + about.len() + 6 <= width {
            format!("  {line}  # {about}\n")
        } else {
            format!("  {line}\n")
        });
    }
    for step in steps {
        text.push('\n');
        text.push_str(&wrapped(&step.words));
        for command in &step.commands {
            text.extend(["  ", &line(command), "\n"]);
        }
    }
    text.push('\n');
    text.push_str(&wrapped("All verbs, and the page of each:"));
    text.extend(["  ", &line(&hint::help(None)), "\n"]);
    text
}

fn examples() -> [(Command, &'static str); 3] {
    [
        (command("enrol").flag("--create").name("alice"), "a user and a phone"),
        (command("reset").name("alice"), "a lost phone"),
        (command("list-status").flag("--without-mfa"), "who has none"),
    ]
}

/// Looks at the store, and at nothing that takes long.
fn look(app: &mut App<'_>) -> Vec<Step> {
    if let Some(place) = machine_place(app.env).filter(|_| app.config.origins.is_default_store()) {
        return vec![not_an_operator(&place)];
    }
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
        operate::authorize(app, list, UsedOptions::default())?;
    }
    app.env.caller.denied = denied_verbs(app);
    let mut store = app.reader()?;
    let mut snapshot = store.read()?;
    let UserCounts { users, with_active_device } = snapshot.user_counts()?;
    let is_short = snapshot.log().head()?.seq <= MOST_EVENTS;
    drop(snapshot);
    drop(store);
    let without = users.saturating_sub(with_active_device);
    let mut steps = Vec::new();
    if users == 0 {
        let first =
            [command("enrol").flag("--create").name("NAME"), command("add-user").name("NAME")];
        let words =
            "The store is here and has no user yet. The first one, with or without a phone:";
        steps.push(Step::new(words, first));
    } else if without > 0 {
        let words = format!(
            "{without} of {} {} no MFA in force. To see who they are, and to set one of them up:",
            counted(users, "user"),
            if without == 1 { "has" } else { "have" }
        );
        let list = command("list-status").flag("--without-mfa");
        steps.push(Step::new(words, [list, command("enrol").name("NAME")]));
    }
    if is_short && audit::key_saved_at(app)?.is_none() {
        let words = "No copy of the key file is confirmed: without the key everybody has to enrol again. Copy it to a \
                     place apart from the store, then say so:";
        steps.push(Step::new(words, [command("doctor").flag("--key-saved")]));
    }
    if steps.is_empty() {
        let words = format!("{} and all have MFA. To look at them:", counted(users, "user"));
        steps.push(Step::new(words, [command("list-status")]));
    }
    let denied = &app.env.caller.denied;
    for step in &mut steps {
        step.commands.retain(|command| denied.iter().all(|verb| *verb != command.verb));
    }
    Ok(steps)
}

fn no_store(app: &App<'_>) -> Step {
    let place = &app.config.store;
    let init = command("init");
    // The machine's store belongs to the system user, so that services and operators reach it without root.
    let is_for_system_user = app.env.process.euid == 0
        && app.env.caller.sudo_user.as_deref() != Some(SYSTEM_USER)
        && app.config.origins.is_default_store()
        && system_uid().is_some();
    let words = format!("There is no store yet at {place}. To make it and its key:");
    if is_for_system_user {
        return Step::new(words, [init.by_system_user()]);
    }
    let words = format!("{words} or, with the first user, the second line:");
    Step::new(words.replace(": or", ", or"), [init, command("enrol").flag("--create").name("NAME")])
}

/// What somebody may do to whom the machine's store does not belong.
fn not_an_operator(place: &str) -> Step {
    let words = format!(
        "{}{}, which operators reach by sudo. About your own MFA, if this machine's administrators allow it:",
        place[..1].to_uppercase(),
        &place[1..]
    );
    Step::new(words, [command("me").by_system_user()])
}

fn unreadable(error: &anyhow::Error) -> Step {
    let message = shown(&error_report::message(error)).into_owned();
    let hint = error.downcast_ref::<Refusal>().and_then(|refusal| refusal.hint.clone());
    let mut words = format!("What to do next can't be said here: {message}.");
    let hint = hint.unwrap_or_else(|| Hint::from("doctor looks closer"));
    let commands: Vec<_> = hint.commands().cloned().collect();
    if commands.is_empty() {
        words.push_str(&format!(" To do: {}.", shown(&hint.to_string())));
    } else {
        words.push_str(" To go on:");
    }
    Step::new(words, commands)
}
