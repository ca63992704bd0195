//! Completes words in a shell: users, their devices, groups, requests and verbs. Prints nothing if there is no
//! readable store, or the operator may not list what is completed.

mod helpdesk;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use anyhow::Result;
use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use crate::app::App;
use crate::config::{Config, PathOptions};
use crate::domain::text::shell_word;
use crate::domain::user::User;
use crate::domain::verb::FindVerb;
use crate::env::Env;
use crate::operate::{UsedOptions, authorize, open_requests};
use crate::options::Options;

pub use helpdesk::is_wrapper;

/// Candidates for one completion; a longer list helps nobody.
const MAX_CANDIDATES: usize = 200;
/// The verb whose roles may see users, their devices and groups.
const LISTING: &str = "list-status";
/// The verb whose roles may see the inventory.
const LISTING_TOKENS: &str = "list-tokens";
const APPROVING: &str = "approve";
const GROUP_OPTIONS: &[&str] = &["group", "not-group", "add-group", "remove-group"];

/// Completes a user name from the default store.
#[must_use]
pub fn user_names(find_verb: FindVerb) -> ArgValueCompleter {
    completer(find_verb, LISTING, names)
}

/// Completes the serial of a token in the default store.
#[must_use]
pub fn serials(find_verb: FindVerb) -> ArgValueCompleter {
    completer(find_verb, LISTING_TOKENS, tokens)
}

/// The command line with completers for the values that have none of their own. `words` are those of the line so far;
/// `verbs` are the names of all verbs, and `logged` those that only events have. With `through_sudo` the store is looked
/// at as the wrapper does it.
#[must_use]
pub fn completing(
    command: Command,
    find_verb: FindVerb,
    (words, through_sudo): (&[OsString], bool),
    (verbs, logged): (&[&'static str], &[&'static str]),
) -> Command {
    let names: Vec<_> = command.get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| {
        command.mut_subcommand(name.clone(), |verb| {
            verb.mut_args(|arg| {
                let by_sudo = through_sudo.then(|| sudo_completer(&name, &arg, words)).flatten();
                let own = || completer_of(&name, &arg, find_verb, words, (verbs, logged));
                match by_sudo.or_else(own) {
                    Some(completer) => arg.add(completer),
                    None => arg,
                }
            })
        })
    })
}

fn sudo_completer(verb: &str, arg: &Arg, words: &[OsString]) -> Option<ArgValueCompleter> {
    match (verb, arg.get_long(), arg.get_id().as_str()) {
        (_, Some("device"), _) => Some(helpdesk::labels(words)),
        ("log", Some("user"), _) | (_, None, "name") => Some(helpdesk::names()),
        _ => None,
    }
}

fn completer_of(
    verb: &str,
    arg: &Arg,
    find_verb: FindVerb,
    words: &[OsString],
    (verbs, logged): (&[&'static str], &[&'static str]),
) -> Option<ArgValueCompleter> {
    if !arg.get_action().takes_values() {
        return None;
    }
    match (verb, arg.get_long(), arg.get_id().as_str()) {
        ("help", None, "verb") => Some(fixed(verbs.to_vec())),
        ("log", Some("verb"), _) => Some(fixed([verbs, logged].concat())),
        ("log", Some("user"), _) => Some(user_names(find_verb)),
        ("approve", None, "id") => Some(completer(find_verb, APPROVING, requests)),
        (_, Some("device"), _) => {
            let words = words.to_vec();
            Some(completer(find_verb, LISTING, move |app, _| labels(app, &words)))
        }
        (_, Some(long), _) if GROUP_OPTIONS.contains(&long) => {
            Some(completer(find_verb, LISTING, groups))
        }
        _ => None,
    }
}

fn fixed(words: Vec<&'static str>) -> ArgValueCompleter {
    ArgValueCompleter::new(move |prefix: &OsStr| {
        let begins = |word: &&&str| prefix.to_str().is_some_and(|typed| word.starts_with(typed));
        words.iter().filter(begins).map(|word| CompletionCandidate::new(*word)).collect::<Vec<_>>()
    })
}

/// Completes what `find` finds for the beginning of a word, where the operator may run this verb: behind `sudo` it is
/// something that the caller could not read without it.
fn completer(
    find_verb: FindVerb,
    verb: &'static str,
    find: impl Fn(&mut App<'_>, &str) -> Result<Vec<String>> + Send + Sync + 'static,
) -> ArgValueCompleter {
    ArgValueCompleter::new(move |prefix: &OsStr| {
        let Some(prefix) = prefix.to_str() else { return Vec::new() };
        let mut env = Env::real();
        let loaded = Config::load(&PathOptions::default(), &env, find_verb);
        let Ok(config) = loaded else { return Vec::new() };
        let mut app = App::new(&mut env, Options::default(), config, find_verb);
        let may_see = find_verb(verb)
            .is_some_and(|verb| authorize(&mut app, verb, &UsedOptions::default()).is_ok());
        if !may_see {
            return Vec::new();
        }
        let found = find(&mut app, prefix).unwrap_or_default();
        offered(found, prefix)
    })
}

/// What is found, as a shell may insert it.
fn offered(found: Vec<String>, prefix: &str) -> Vec<CompletionCandidate> {
    let found = found
        .into_iter()
        .filter(|word| word.starts_with(&prefix.to_lowercase()) || word.starts_with(prefix));
    // bash would insert an apostrophe as it is, and wait for another one.
    let plain = found.filter(|word| matches!(shell_word(word), Cow::Borrowed(_)));
    plain.take(MAX_CANDIDATES).map(CompletionCandidate::new).collect()
}

fn names(app: &mut App<'_>, prefix: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    app.reader()?.read()?.names(&prefix.to_lowercase(), &mut |name| {
        found.push(name.to_owned());
        found.len() < MAX_CANDIDATES
    })?;
    Ok(found)
}

fn tokens(app: &mut App<'_>, prefix: &str) -> Result<Vec<String>> {
    let (prefix, mut found) = (prefix.to_lowercase(), Vec::new());
    app.reader()?.read()?.tokens(&mut |token| {
        if token.serial.to_lowercase().starts_with(&prefix) {
            found.push(token.serial);
        }
        Ok(found.len() < MAX_CANDIDATES)
    })?;
    Ok(found)
}

fn groups(app: &mut App<'_>, prefix: &str) -> Result<Vec<String>> {
    let mut found = BTreeSet::new();
    app.reader()?.read()?.groups(&mut |groups| {
        let matching = groups.split(' ').filter(|group| !group.is_empty());
        let matching = matching.filter(|group| group.starts_with(prefix));
        found.extend(matching.map(str::to_owned));
        found.len() < MAX_CANDIDATES
    })?;
    Ok(found.into_iter().collect())
}

/// The labels of the user who is named on the line, before or after the option; of nobody else.
fn labels(app: &mut App<'_>, words: &[OsString]) -> Result<Vec<String>> {
    let mut store = app.reader()?;
    let mut snapshot = store.read()?;
    let typed = words.iter().filter_map(|word| word.to_str()).filter(|word| !word.starts_with('-'));
    // The first is the verb.
    for word in typed.skip(1) {
        let Ok(name) = app.config.names.read(word) else { continue };
        if let Some(user) = snapshot.user(&name)? {
            return Ok(live_labels(&user));
        }
    }
    Ok(Vec::new())
}

fn live_labels(user: &User) -> Vec<String> {
    user.live().map(|device| device.label.to_string()).collect()
}

fn requests(app: &mut App<'_>, _: &str) -> Result<Vec<String>> {
    let mut opened = app.open_store()?;
    let open = open_requests(app, &mut opened)?;
    Ok(open.iter().map(crate::domain::approval::Request::short).collect())
}
