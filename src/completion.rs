//! Completes user names in a shell; prints nothing if there is no readable store.

use std::ffi::OsStr;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use crate::app::App;
use crate::config::{Config, PathOptions};
use crate::env::Env;
use crate::options::Options;

/// Candidates for one completion; a longer list helps nobody.
const MAX_CANDIDATES: usize = 200;

/// Completes a user name from the default store.
#[must_use]
pub fn user_names() -> ArgValueCompleter {
    ArgValueCompleter::new(names)
}

fn names(prefix: &OsStr) -> Vec<CompletionCandidate> {
    let mut candidates = Vec::new();
    let Some(prefix) = prefix.to_str() else { return candidates };
    let mut env = Env::real();
    let Ok(config) = Config::load(&PathOptions::default(), &env) else { return candidates };
    let mut session = App::new(&mut env, Options::default(), config);
    let Ok(mut store) = session.reader() else { return candidates };
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
