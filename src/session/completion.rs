//! User names for a shell that completes a command line; silent where there is nothing to read.

use std::ffi::OsStr;

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use super::Session;
use crate::config::Named;
use crate::env::Env;
use crate::options::Options;

/// Names offered at once: more help nobody.
const MOST: usize = 200;

/// Completes the name of a user from the default store.
#[must_use]
pub fn user_names() -> ArgValueCompleter {
    ArgValueCompleter::new(names)
}

fn names(begun: &OsStr) -> Vec<CompletionCandidate> {
    let mut found = Vec::new();
    let Some(begun) = begun.to_str() else { return found };
    let mut env = Env::real();
    let mut session = Session::new(&mut env, Options::default(), Named::default());
    let Ok(mut store) = session.reader() else { return found };
    let Ok(mut snapshot) = store.read() else { return found };
    let read = snapshot.names(&begun.to_lowercase(), &mut |name| {
        found.push(CompletionCandidate::new(name));
        found.len() < MOST
    });
    if read.is_err() {
        found.clear();
    }
    found
}
