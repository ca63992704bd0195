//! The command line: options that every verb shares, and clap's errors in our words.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::Result;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Args, Command, FromArgMatches as _, ValueEnum};

use crate::commands::{self, Entry, VERBS};
use crate::config::Named;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::user::Language;
use crate::env::Env;
use crate::report::{Format, Report};
use crate::session::Session;

/// Where things are. These stand before the verb only: a sudo rule that begins with the verb shuts
/// them out.
#[derive(Args, Debug)]
#[command(next_help_heading = "Places (before the verb)")]
struct Places {
    /// The store [environment: `MFACTL_STORE`]
    #[arg(long, value_name = "PATH")]
    store: Option<PathBuf>,
    /// The configuration file [environment: `MFACTL_CONFIG`]
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// The key file [environment: `MFACTL_KEY_FILE`]
    #[arg(long, value_name = "PATH")]
    key_file: Option<PathBuf>,
}

/// What every verb understands.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Options everywhere")]
pub struct Options {
    /// The form of the output
    #[arg(long, global = true, value_enum, value_name = "FORMAT", conflicts_with = "json")]
    format: Option<Format>,
    /// Short for --format json
    #[arg(long, global = true)]
    json: bool,
    /// Never ask; a line on standard input is read all the same
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Say nothing on success
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Colour beside the words
    #[arg(long, global = true, value_enum, value_name = "WHEN")]
    color: Option<Colour>,
    /// The language of what an end user reads
    #[arg(long, global = true, value_enum, value_name = "LANGUAGE")]
    lang: Option<Lang>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Lang {
    En,
    Fr,
}

impl Options {
    #[must_use]
    pub fn format(&self) -> Format {
        if self.json { Format::Json } else { self.format.unwrap_or_default() }
    }

    /// The language that was asked for.
    #[must_use]
    pub fn language(&self) -> Option<Language> {
        self.lang.map(|l| match l {
            Lang::En => Language::English,
            Lang::Fr => Language::French,
        })
    }

    /// Is standard output coloured? `NO_COLOR`, `CLICOLOR`, `CLICOLOR_FORCE` and a dumb terminal
    /// are heeded.
    #[must_use]
    pub fn colour(&self, env: &Env) -> bool {
        let set = |name: &str, unless: &str| {
            (env.variables)(name).is_some_and(|v| !v.is_empty() && v != unless)
        };
        match self.color {
            Some(Colour::Always) => true,
            Some(Colour::Never) => false,
            _ if set("NO_COLOR", "") => false,
            _ if set("CLICOLOR_FORCE", "0") => true,
            _ => {
                let dumb = (env.variables)("TERM").is_some_and(|t| t == "dumb");
                let off = (env.variables)("CLICOLOR").is_some_and(|v| v == "0");
                env.out.terminal.is_some() && !dumb && !off
            }
        }
    }
}

/// A parsed command line.
pub struct Call {
    pub options: Options,
    pub named: Named,
    pub run: Run,
}

/// What a verb does once there is a session.
type Run = Box<dyn FnOnce(&mut Session<'_>) -> Result<Report>>;

/// The whole command line. The options of a verb are made only for the verb that is called.
#[must_use]
pub fn command() -> Command {
    let command = Command::new("mfactl")
        .about("Enrol, verify, reset and list second factors")
        .version(commands::help::version())
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .arg(clap::arg!(help: -h --help "Print help").global(false))
        .subcommand_value_name("VERB")
        .subcommand_help_heading("Verbs");
    let command = Options::augment_args(Places::augment_args(command));
    command.subcommands(VERBS.iter().map(Entry::command))
}

/// Understands the command line.
///
/// # Errors
/// `usage`, with the nearest word where one was mistyped.
pub fn parse(args: Vec<OsString>) -> Result<Call> {
    match command().try_get_matches_from(args) {
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
    if options.json && options.format.is_some_and(|f| f != Format::Json) {
        let problem = "--json and --format ask for two forms";
        return Err(Refusal::new(Code::Usage, problem).hint("leave one of them out").into());
    }
    let places = Places::from_arg_matches(matches).map_err(|e| misuse(&e))?;
    let named = Named { store: places.store, key_file: places.key_file, config: places.config };
    let called = matches.subcommand().filter(|_| !matches.get_flag("help"));
    let Some((name, matches)) = called else {
        let run = Box::new(|_: &mut Session<'_>| Ok(Report::text(commands::help::overview())));
        return Ok(Call { options, named, run });
    };
    let entry = VERBS.iter().find(|e| e.name == name);
    let entry = entry.ok_or_else(|| Refusal::new(Code::Internal, "an unknown verb was parsed"))?;
    let matches = matches.clone();
    Ok(Call { options, named, run: Box::new(move |session| (entry.run)(&matches, session)) })
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

/// clap's complaint as one line and one hint.
pub fn misuse(error: &clap::Error) -> Refusal {
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or("the command line can't be understood");
    let mut message = first.trim_start_matches("error: ").replace("subcommand", "verb");
    if let Some(ContextValue::Strings(missing)) = error.get(ContextKind::InvalidArg)
        && error.kind() == ErrorKind::MissingRequiredArgument
    {
        message = format!("missing: {}", missing.join(", "));
    }
    let valid = match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) if !values.is_empty() => {
            Some(format!("use one of: {}", values.join(", ")))
        }
        _ => None,
    };
    let tip = text.lines().find_map(|l| l.trim().strip_prefix("tip: "));
    let asked_help = message.contains("'--help'") || message.contains("'-h'");
    let tip = tip.filter(|_| !asked_help).map(|t| t.replace("subcommand", "verb"));
    let usage =
        || text.lines().find_map(|l| l.strip_prefix("Usage: ").map(|u| format!("usage: {u}")));
    let hint = valid
        .or(tip)
        .or_else(|| usage().filter(|_| !asked_help))
        .unwrap_or_else(|| "see: mfactl help".into());
    Refusal::new(Code::Usage, message).hint(hint)
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
