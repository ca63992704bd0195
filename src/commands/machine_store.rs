//! On a machine with a store, an ordinary user who names none does not get one of their own: the change would be in a
//! store that nobody else reads, and nothing would say so.

use std::ffi::OsStr;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches};

use super::{VerbEntry, root};
use crate::config::{Config, machine_place};
use crate::domain::hint::{Command, command};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Env;

/// Refuses every verb with a store where only the default path names it, and the machine has a store.
pub fn require_named_store(
    entry: &VerbEntry,
    matches: &ArgMatches,
    env: &Env,
    config: &Config,
) -> Result<(), Refusal> {
    if entry.spec.roles.is_none() || !config.origins.is_default_store() {
        return Ok(());
    }
    let Some(place) = machine_place(env) else { return Ok(()) };
    let words = own_words(entry, matches).by_system_user();
    Err(Refusal::new(ErrorCode::NotPermitted, place).hint(words.after("run: ")))
}

/// What the caller typed, in the order that the sample rules for `sudo` take. They take a list on standard input only.
fn own_words(entry: &VerbEntry, matches: &ArgMatches) -> Command {
    let verb = (entry.arguments)(clap::Command::new(entry.spec.name));
    let root = root();
    let given = |arg: &&Arg| {
        let id = arg.get_id().as_str();
        let source = matches.try_contains_id(id).ok().and_then(|_| matches.value_source(id));
        source == Some(ValueSource::CommandLine)
    };
    let globals = root.get_arguments().filter(|arg| arg.is_global_set());
    let mut args: Vec<&Arg> = verb.get_arguments().chain(globals).filter(given).collect();
    args.sort_by_key(|arg| {
        let id = arg.get_id().as_str();
        (id == "from", matches.indices_of(id).and_then(|mut at| at.next()))
    });
    let mut line = command(entry.spec.name);
    for arg in args {
        line = with_argument(line, entry, arg, matches);
    }
    line
}

fn with_argument(line: Command, entry: &VerbEntry, arg: &Arg, matches: &ArgMatches) -> Command {
    let Some(long) = arg.get_long().map(|long| format!("--{long}")) else {
        let values = raw(arg, matches);
        let takes_separator = entry.takes_separator();
        return values.fold(line, |line, value| {
            if takes_separator { line.name(value) } else { line.operand(&value) }
        });
    };
    if !arg.get_action().takes_values() {
        return line.flag(&long);
    }
    raw(arg, matches).fold(line, |line, value| match &*value {
        file if long == "--from" && file != "-" => line.option(&long, "-").reading(file),
        value => line.option(&long, value),
    })
}

fn raw<'m>(arg: &Arg, matches: &'m ArgMatches) -> impl Iterator<Item = String> + use<'m> {
    let values = matches.get_raw(arg.get_id().as_str()).into_iter().flatten();
    values.map(|value: &OsStr| value.to_string_lossy().into_owned())
}
