//! Parses the command line and finds the verb.

use std::ffi::{OsStr, OsString};

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches as _};

use crate::app::output;
use crate::commands::{self, VERBS, command, command_for};
use crate::config::PathOptions;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Env;
use crate::options::Options;
use crate::report::{Report, Verdict};
use crate::usage_error::usage_error;

/// A verb with its arguments, to be run.
type Run = Box<dyn FnOnce(&mut Env) -> Result<Verdict>>;

/// Fails with `usage`, and with a hint at the nearest word where one was mistyped.
pub fn parse(args: Vec<OsString>) -> Result<Run> {
    match command_for(&args).try_get_matches_from(args) {
        Ok(matches) => from_matches(&matches),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Ok(print(Options::default(), error.render().to_string()))
            }
            _ => Err(usage_error(&error).into()),
        },
    }
}

fn from_matches(matches: &ArgMatches) -> Result<Run> {
    let options = Options::from_arg_matches(matches).map_err(|e| usage_error(&e))?;
    options.check()?;
    let paths = PathOptions::from_arg_matches(matches).map_err(|e| usage_error(&e))?;
    let subcommand = matches.subcommand().filter(|_| !matches.get_flag("help"));
    let Some((name, matches)) = subcommand else {
        return Ok(print(options, commands::help::overview()));
    };
    let entry = VERBS.iter().find(|e| e.name == name);
    let entry =
        entry.ok_or_else(|| Refusal::new(ErrorCode::Internal, "an unknown verb was parsed"))?;
    let matches = matches.clone();
    Ok(Box::new(move |env| commands::run(entry, &matches, env, options, &paths)))
}

fn print(options: Options, text: String) -> Run {
    Box::new(move |env| output::write(env, &options, Report::text(text)))
}

/// Whether the command line asks for JSON, so that a parse error can be written as JSON too.
#[must_use]
pub fn requests_json(args: &[OsString]) -> bool {
    let before_names = args.iter().take_while(|a| *a != "--");
    let mut previous = OsStr::new("");
    for arg in before_names {
        if arg == "--json" || arg == "--format=json" || arg == "--format=jsonl" {
            return true;
        }
        if previous == "--format" && (arg == "json" || arg == "jsonl") {
            return true;
        }
        previous = arg;
    }
    false
}

/// Writes the completions of a half-typed command line, where a shell asks for them.
///
/// A shell puts the words after a leading `--`. Without it the variable `COMPLETE` is ignored: a
/// caller of a login service who can set variables must not get exit code 0.
pub fn complete(args: &[OsString], env: &Env) -> bool {
    if args.get(1).is_none_or(|a| a != "--") || (env.variables)("COMPLETE").is_none() {
        return false;
    }
    clap_complete::CompleteEnv::with_factory(command)
        .try_complete(args.iter().cloned(), None)
        .unwrap_or(true)
}
