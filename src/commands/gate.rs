//! What stands before every verb: the operator's role, and a second operator where it takes one.

use anyhow::Result;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, FromArgMatches as _};
use serde::Serialize;

use super::Entry;
use super::protection::OperatorOptions;
use crate::domain::name::UserName;
use crate::domain::refusal::Refusal;
use crate::domain::request::Request;
use crate::domain::role::CHANGES;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::misuse::misuse;
use crate::report::{Fields, Record, Report, Verdict};
use crate::session::{Leave, Session};

/// Options that are the second operator's to give: how to ask, and where to show.
const OWN: &[&str] = &["yes", "output", "reveal_secrets"];

/// Runs a verb, if the operator may; hands it to a second operator, if it takes one.
///
/// # Errors
/// `not_permitted`, and as the verb has them.
pub fn run(entry: &Entry, matches: &ArgMatches, session: &mut Session<'_>) -> Result<Report> {
    if (entry.is_service)(matches) {
        session.serve()?;
    }
    let is_dry = matches!(matches.try_get_one::<bool>("dry_run"), Ok(Some(true)));
    if let Err(error) = session.admit(entry.name, is_dry) {
        return (entry.barred)(session, error);
    }
    // Before anything is asked or shown; under the lock it is looked at again.
    if let Some(user) = target(entry, matches, session)
        && session.standing.toward(&user)? == Leave::Ask
    {
        return ask(entry, matches, session, &user);
    }
    (entry.run)(matches, session)
}

/// The one user whom a verb would change. Whatever is wrong with the name or the store is left for
/// the verb to say.
fn target(entry: &Entry, matches: &ArgMatches, session: &mut Session<'_>) -> Option<User> {
    if !CHANGES.contains(&entry.name) || session.config().is_ok_and(|c| c.roles.is_none()) {
        return None;
    }
    let name = matches.try_get_one::<String>("name").ok().flatten()?;
    session.look(&UserName::parse(name).ok()?).ok()
}

fn ask(
    entry: &Entry,
    matches: &ArgMatches,
    session: &mut Session<'_>,
    user: &User,
) -> Result<Report> {
    let operator = OperatorOptions::from_arg_matches(matches).map_err(|e| misuse(&e))?;
    let ticket = operator.ticket(session, entry.name)?;
    let words = words(entry, matches)?;
    let mut opened = session.opened()?;
    let request = session.ask(&mut opened, entry.name, &user.name, &words, &ticket)?;
    Ok(Report::one(Requested::new(&request), Verdict::Yes))
}

/// What was asked for, in one order: options, then the name.
fn words(entry: &Entry, matches: &ArgMatches) -> Result<Vec<String>, Refusal> {
    let command = (entry.arguments)(Command::new(entry.name));
    let (mut words, mut names) = (Vec::new(), vec!["--".to_owned()]);
    for arg in command.get_arguments() {
        let id = arg.get_id().as_str();
        if OWN.contains(&id) || matches.value_source(id) != Some(ValueSource::CommandLine) {
            continue;
        }
        let Some(long) = arg.get_long() else {
            names.extend(matches.try_get_one::<String>(id).ok().flatten().cloned());
            continue;
        };
        if !arg.get_action().takes_values() {
            words.push(format!("--{long}"));
            continue;
        }
        for value in matches.get_raw(id).into_iter().flatten() {
            let value = value.to_str().ok_or_else(|| {
                Refusal::bad_input(&format!("--{long}"), "is no text").hint("give it in UTF-8")
            })?;
            words.push(format!("--{long}={value}"));
        }
    }
    words.append(&mut names);
    Ok(words)
}

/// What waits for a second operator.
#[derive(Serialize)]
struct Requested {
    schema: &'static str,
    user: String,
    changed: bool,
    request: String,
    expires_at: Timestamp,
    #[serde(skip)]
    verb: String,
}

impl Requested {
    fn new(request: &Request) -> Self {
        Self {
            schema: "mfactl.request/1",
            user: request.user.clone(),
            changed: false,
            request: request.short(),
            expires_at: request.expires_at(),
            verb: request.verb.clone(),
        }
    }
}

impl Record for Requested {
    const COLUMNS: &'static [&'static str] = &["user", "changed", "request", "expires_at"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.flag(self.changed);
        f.text(&self.request);
        f.value(self.expires_at);
    }

    fn sentence(&self) -> String {
        let Self { user, verb, request, expires_at, .. } = self;
        format!(
            "{user}: protected, so nothing was changed yet; another operator carries out this \
             {verb} until {expires_at} with: mfactl approve {request}"
        )
    }
}
