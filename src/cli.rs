//! Parses the command line and finds the verb.

use std::ffi::{OsStr, OsString};

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches as _};

use crate::app::App;
use crate::commands::{self, command, command_for, find_entry, help};
use crate::config::PathOptions;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Env;
use crate::options::Options;
use crate::report::Report;
use crate::usage_error::usage_error;

/// A parsed command line.
pub struct Invocation {
    pub options: Options,
    pub paths: PathOptions,
    pub run: Run,
}

/// A verb with its arguments.
type Run = Box<dyn FnOnce(&mut App<'_>) -> Result<Report>>;

/// Fails with `usage`, and with a hint at the nearest word where one was mistyped.
pub fn parse(args: &[OsString]) -> Result<Invocation> {
    let error = match command_for(args).try_get_matches_from(args) {
        Ok(matches) => return from_matches(&matches),
        Err(error) => error,
    };
    let run: Run = match error.kind() {
        ErrorKind::DisplayVersion => {
            Box::new(move |_| Ok(Report::text(error.render().to_string())))
        }
        ErrorKind::DisplayHelp => match help::requested(&error) {
            Some((verb, form)) => {
                Box::new(move |app| Ok(Report::text(help::page(verb, form, app.env))))
            }
            None => Box::new(|_| Ok(Report::text(help::overview()))),
        },
        _ => return Err(usage_error(&error, commands::verb_in(args)).into()),
    };
    Ok(Invocation { options: Options::default(), paths: PathOptions::default(), run })
}

fn from_matches(matches: &ArgMatches) -> Result<Invocation> {
    let options = Options::from_arg_matches(matches).map_err(|e| usage_error(&e, None))?;
    options.check()?;
    let paths = PathOptions::from_arg_matches(matches).map_err(|e| usage_error(&e, None))?;
    let subcommand = matches.subcommand().filter(|_| !matches.get_flag("help"));
    let Some((name, matches)) = subcommand else {
        let run = Box::new(|_: &mut App<'_>| Ok(Report::text(help::overview())));
        return Ok(Invocation { options, paths, run });
    };
    let entry = find_entry(name)
        .ok_or_else(|| Refusal::new(ErrorCode::Internal, "an unknown verb was parsed"))?;
    let matches = matches.clone();
    Ok(Invocation {
        options,
        paths,
        run: Box::new(move |session| commands::run(entry, &matches, session)),
    })
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
