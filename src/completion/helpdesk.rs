//! Completes for somebody who may not read the store: `mfa` runs every verb through `sudo`, and so are users and devices
//! looked up. `sudo` never asks for a password here, and what its rules refuse completes nothing.

use std::ffi::{OsStr, OsString};
use std::process::{Command, Output, Stdio};

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use serde::Deserialize;

use super::{MAX_CANDIDATES, offered};

/// The wrapper that runs mfactl as the system user.
const WRAPPER: &str = "mfa";
/// The words of `sudo` for one run as that user.
const SUDO: [&str; 4] = ["-n", "-u", "mfactl", "mfactl"];
/// Words of the line that are tried as the name whose devices are meant.
const MOST_NAMES: usize = 3;

#[derive(Deserialize)]
struct FoundUsers {
    users: Vec<FoundUser>,
}

#[derive(Deserialize)]
struct FoundUser {
    user: String,
    devices: Vec<FoundDevice>,
}

#[derive(Deserialize)]
struct FoundDevice {
    device: String,
}

/// Whether the line that a shell completes begins with the wrapper.
#[must_use]
pub fn is_wrapper(program: Option<&OsString>) -> bool {
    program.is_some_and(|program| program == WRAPPER)
}

/// Completes user names that begin with what was typed.
pub fn names() -> ArgValueCompleter {
    completer(|prefix| {
        if prefix.is_empty() {
            return Vec::new();
        }
        find(prefix, MAX_CANDIDATES).into_iter().map(|hit| hit.user).collect()
    })
}

/// Completes the devices of the user who is named on the line.
pub fn labels(words: &[OsString]) -> ArgValueCompleter {
    let typed = words.iter().filter_map(|word| word.to_str()).filter(|word| !word.starts_with('-'));
    // The first is the verb.
    let names: Vec<_> = typed.skip(1).take(MOST_NAMES).map(str::to_owned).collect();
    completer(move |_| {
        let is_named =
            |name: &str| find(name, 1).into_iter().find(|hit| hit.user == name.to_lowercase());
        let user = names.iter().find_map(|name| is_named(name));
        let devices = user.map(|user| user.devices).unwrap_or_default();
        devices.into_iter().map(|device| device.device).collect()
    })
}

fn completer(look: impl Fn(&str) -> Vec<String> + Send + Sync + 'static) -> ArgValueCompleter {
    ArgValueCompleter::new(move |prefix: &OsStr| -> Vec<CompletionCandidate> {
        prefix.to_str().map(|prefix| offered(look(prefix), prefix)).unwrap_or_default()
    })
}

/// The best hits, the names that begin with the text before all others.
fn find(text: &str, limit: usize) -> Vec<FoundUser> {
    // The rules of sudo refuse what begins so.
    if text.is_empty() || text.starts_with('-') {
        return Vec::new();
    }
    let limit = limit.to_string();
    let line = ["find", "--json", "--limit", &limit, "--", text];
    // A list of what is allowed is no attempt that an administrator would be told of.
    let is_allowed = run(&["-l"], &line).is_some_and(|ran| ran.status.success());
    let found = if is_allowed { run(&[], &line) } else { None };
    found
        .and_then(|ran| serde_json::from_slice::<FoundUsers>(&ran.stdout).ok())
        .map_or_else(Vec::new, |hits| hits.users)
}

fn run(before: &[&str], line: &[&str]) -> Option<Output> {
    let mut sudo = Command::new("sudo");
    sudo.args(before).args(SUDO).args(line).env_remove("COMPLETE");
    sudo.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()
}
