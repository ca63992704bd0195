//! The command line, from its words to the verb that is called.

use std::ffi::{OsStr, OsString};

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{ArgMatches, FromArgMatches as _};

use crate::commands::{self, VERBS, command, command_for};
use crate::config::Named;
use crate::domain::refusal::{Code, Refusal};
use crate::env::Env;
use crate::misuse::misuse;
use crate::options::Options;
use crate::report::Report;
use crate::session::Session;

/// A parsed command line.
pub struct Call {
    pub options: Options,
    pub named: Named,
    pub run: Run,
}

/// What a verb does once there is a session.
type Run = Box<dyn FnOnce(&mut Session<'_>) -> Result<Report>>;

/// Understands the command line.
///
/// # Errors
/// `usage`, with the nearest word where one was mistyped.
pub fn parse(args: Vec<OsString>) -> Result<Call> {
    match command_for(&args).try_get_matches_from(args) {
        Ok(matches) => understood(&matches),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(Call {
                options: Options::default(),
                named: Named::default(),
                run: Box::new(move |_| Ok(Report::text(error.render().to_string()))),
            }),
            _ => Err(misuse(&error).into()),
        },
    }
}

fn understood(matches: &ArgMatches) -> Result<Call> {
    let options = Options::from_arg_matches(matches).map_err(|e| misuse(&e))?;
    options.check()?;
    let named = Named::from_arg_matches(matches).map_err(|e| misuse(&e))?;
    let called = matches.subcommand().filter(|_| !matches.get_flag("help"));
    let Some((name, matches)) = called else {
        let run = Box::new(|_: &mut Session<'_>| Ok(Report::text(commands::help::overview())));
        return Ok(Call { options, named, run });
    };
    let entry = VERBS.iter().find(|e| e.name == name);
    let entry = entry.ok_or_else(|| Refusal::new(Code::Internal, "an unknown verb was parsed"))?;
    let matches = matches.clone();
    Ok(Call {
        options,
        named,
        run: Box::new(move |session| commands::run(entry, &matches, session)),
    })
}

/// Does a command line that may not even parse ask for JSON?
#[must_use]
pub fn asks_json(args: &[OsString]) -> bool {
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

/// Completes a half-typed command line for a shell, where one asks for it.
///
/// A shell asks with the words after a `--` in first place. Without that the variable is ignored:
/// a login service whose caller can set variables must not come to an exit code 0 by it.
pub fn complete(args: &[OsString], env: &Env) -> bool {
    if args.get(1).is_none_or(|a| a != "--") || (env.variables)("COMPLETE").is_none() {
        return false;
    }
    clap_complete::CompleteEnv::with_factory(command)
        .try_complete(args.iter().cloned(), None)
        .unwrap_or(true)
}
