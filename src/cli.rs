//! Parses the command line and finds the verb.

use std::ffi::{OsStr, OsString};
use std::mem::ManuallyDrop;

use anyhow::Result;
use clap::error::{ContextKind, ErrorKind};
use clap::{ArgMatches, FromArgMatches as _};

use crate::app::output;
use crate::commands::help::Form;
use crate::commands::{self, command_for, completing_command, find_entry, first_steps, help};
use crate::config::PathOptions;
use crate::domain::hint;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::env::Env;
use crate::options::Options;
use crate::report::{Format, Report, Verdict};
use crate::usage_error::usage_error;

/// A verb with its arguments, to be run.
type Run = Box<dyn FnOnce(&mut Env) -> Result<Verdict>>;

/// Fails with `usage`, and with a hint at the nearest word where one was mistyped.
pub fn parse(args: &[OsString]) -> Result<Run> {
    if let Some(run) = flag_before_verb(args)? {
        return Ok(run);
    }
    let error = match command_for(args).try_get_matches_from(args) {
        Ok(matches) => return from_matches(matches),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::DisplayVersion => {
            let version = error.render().to_string();
            Ok(print(Options::default(), move |_| version))
        }
        ErrorKind::DisplayHelp => Ok(match help::requested(&error) {
            Some((verb, form)) => print(Options::default(), move |env| help::page(verb, form, env)),
            None => print(Options::default(), help::overview),
        }),
        ErrorKind::InvalidSubcommand => {
            let word = error.get(ContextKind::InvalidSubcommand).map(ToString::to_string);
            Err(commands::unknown_verb(&word.unwrap_or_default()).into())
        }
        _ => Err(usage_error(&error, commands::verb_in(args)).into()),
    }
}

/// A help flag before the verb asks for the page of that verb. Before a verb that a login service calls,
/// neither it nor `--version` may end in exit code 0.
fn flag_before_verb(args: &[OsString]) -> Result<Option<Run>> {
    let Some(entry) = commands::verb_in(args).and_then(find_entry) else { return Ok(None) };
    // To the last word that is the verb: a value before it, as in `--store verify`, may be the same word.
    let is_verb = |arg: &OsString| entry.spec.is_called(arg);
    let end = if entry.has_help_flag {
        args.iter().skip(1).position(is_verb)
    } else {
        args.iter().skip(1).rposition(is_verb)
    };
    let is_flag = |arg: &&OsString| ["-h", "--help", "-V", "--version"].iter().any(|f| arg == f);
    let before = args.iter().skip(1).take(end.unwrap_or_default());
    let Some(flag) = before.into_iter().find(is_flag) else { return Ok(None) };
    if !entry.has_help_flag {
        let (flag, verb) = (flag.to_string_lossy(), entry.spec.name);
        return Err(Refusal::new(ErrorCode::Usage, format!("unexpected argument '{flag}' found"))
            .hint(hint::help(Some(verb)).after("see: "))
            .into());
    }
    let form = if flag == "-h" { Form::Short } else { Form::Long };
    let is_help = flag == "-h" || flag == "--help";
    Ok(is_help.then(|| print(Options::default(), move |env| help::page(entry, form, env))))
}

fn from_matches(mut matches: ArgMatches) -> Result<Run> {
    let options = Options::from_arg_matches(&matches).map_err(|e| usage_error(&e, None))?;
    options.check()?;
    let paths = PathOptions::from_arg_matches(&matches).map_err(|e| usage_error(&e, None))?;
    let is_verb = !matches.get_flag("help");
    let Some((name, matches)) = matches.remove_subcommand().filter(|_| is_verb) else {
        if !is_verb {
            return Ok(print(options, help::overview));
        }
        // A program that names a format reads data, of which there is none without a verb.
        if options.format() != Format::Table {
            let refusal = Refusal::new(
                ErrorCode::Usage,
                "a verb is missing: a format is for the answer of one",
            );
            return Err(refusal.hint(hint::help(None).after("see: ")).into());
        }
        return Ok(Box::new(move |env| first_steps::greet(env, &options, &paths)));
    };
    let entry = find_entry(&name)
        .ok_or_else(|| Refusal::new(ErrorCode::Internal, "an unknown verb was parsed"))?;
    if !entry.spec.writes_pages {
        options.require_one_language()?;
    }
    // The process ends after its verb, so taking its arguments apart would be in vain.
    let matches = ManuallyDrop::new(matches);
    Ok(Box::new(move |env| commands::run(entry, &matches, env, options, &paths)))
}

fn print(options: Options, text: impl FnOnce(&Env) -> String + 'static) -> Run {
    Box::new(move |env| {
        let report = Report::text(text(env));
        output::write(env, &options, report)
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

/// Whether a login service calls, judged by the words alone, before anything else is done.
#[must_use]
pub fn is_service_call(args: &[OsString]) -> bool {
    let mut words = args.iter().skip(1).take_while(|word| *word != "--");
    words.any(|word| word == "verify")
        && words.any(|word| word.as_encoded_bytes().starts_with(b"--from"))
}

/// Writes the completions of a half-typed command line, where a shell asks for them.
///
/// A shell puts the words after a leading `--`. Without it the variable `COMPLETE` is ignored: a
/// caller of a login service who can set variables must not get exit code 0.
pub fn complete(args: &[OsString], env: &Env) -> bool {
    if args.get(1).is_none_or(|a| a != "--") || (env.variables)("COMPLETE").is_none() {
        return false;
    }
    let words = args.get(3..).unwrap_or_default();
    clap_complete::CompleteEnv::with_factory(|| completing_command(args.get(2), words))
        .try_complete(args.iter().cloned(), None)
        .unwrap_or(true)
}
