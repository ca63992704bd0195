//! Completes user names in a shell; prints nothing if there is no readable store, or
//! the operator may not list users.

use std::ffi::OsStr;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use crate::app::App;
use crate::config::{Config, PathOptions};
use crate::domain::verb::FindVerb;
use crate::env::Env;
use crate::operate::{UsedOptions, authorize};
use crate::options::Options;

/// Candidates for one completion; a longer list helps nobody.
const MAX_CANDIDATES: usize = 200;

/// Completes a user name from the default store.
#[must_use]
pub fn user_names(find_verb: FindVerb) -> ArgValueCompleter {
    ArgValueCompleter::new(move |prefix: &OsStr| names(prefix, find_verb))
}

fn names(prefix: &OsStr, find_verb: FindVerb) -> Vec<CompletionCandidate> {
    let mut candidates = Vec::new();
    let Some(prefix) = prefix.to_str() else { return candidates };
    let mut env = Env::real();
    let loaded = Config::load(&PathOptions::default(), &env, find_verb);
    let Ok(config) = loaded else { return candidates };
    let mut app = App::new(&mut env, Options::default(), config, find_verb);
    // Behind `sudo` these are names that the caller could not read without it.
    let may_list = find_verb("list-status")
        .is_some_and(|verb| authorize(&mut app, verb, UsedOptions::default()).is_ok());
    if !may_list {
        return candidates;
    }
    let Ok(mut store) = app.reader() else { return candidates };
    let Ok(mut snapshot) = store.read() else { return candidates };
    let read = snapshot.names(&prefix.to_lowercase(), &mut |name| {
        candidates.push(CompletionCandidate::new(name));
        candidates.len() < MAX_CANDIDATES
    });
    if read.is_err() {
        candidates.clear();
    }
    candidates
}
