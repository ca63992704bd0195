//! The help pages of a verb: the short one of `-h`, and the whole one of `--help` and `mfactl help VERB`.

use std::ffi::OsStr;

use clap::builder::{TypedValueParser, ValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

use super::fit::{self, MIN_WIDTH, cut, wrapped};
use crate::commands::{VerbEntry, find_entry, root};
use crate::domain::hint;
use crate::domain::text::counted;
use crate::env::Env;
use crate::options::Options;

/// The heading of the options that every verb has.
const GLOBAL_HEADING: &str = "Global options";
/// Lines of the short page on a terminal of 80 columns.
const SHORT_LINES: usize = 24;
/// Examples on the short page.
const SHORT_EXAMPLES: usize = 2;
/// The widest column of options on the short page.
const MAX_COLUMN: usize = 32;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Short,
    Long,
}

/// The two flags of a verb that has help.
pub fn flags() -> [Arg; 2] {
    let flag = |id: &'static str| {
        let parser = ValueParser::new(HelpParser);
        Arg::new(id).action(ArgAction::SetTrue).value_parser(parser).help_heading(GLOBAL_HEADING)
    };
    [
        flag("short_help").short('h').help("Print a summary of this page"),
        flag("help").long("help").help("Print this page"),
    ]
}

/// Ends parsing where a help flag is found, before anything else is required of the command line.
/// clap's own flags would render the page at once, but neither the width nor the layout is known to it.
#[derive(Clone)]
struct HelpParser;

impl TypedValueParser for HelpParser {
    type Value = bool;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<bool, clap::Error> {
        if value == "false" {
            return Ok(false);
        }
        let mut error = clap::Error::new(ErrorKind::DisplayHelp);
        let is_long = arg.is_some_and(|arg| arg.get_long().is_some());
        let flag = if is_long { "--help" } else { "-h" };
        error.insert(ContextKind::InvalidArg, ContextValue::String(flag.into()));
        error.insert(ContextKind::Custom, ContextValue::String(command.get_name().into()));
        Err(error)
    }
}

/// The verb and the form that a help flag asks for.
pub fn requested(error: &clap::Error) -> Option<(&'static VerbEntry, Form)> {
    let word = |kind| match error.get(kind) {
        Some(ContextValue::String(word)) => Some(word.as_str()),
        _ => None,
    };
    let form = if word(ContextKind::InvalidArg)? == "-h" { Form::Short } else { Form::Long };
    Some((find_entry(word(ContextKind::Custom)?)?, form))
}

pub fn page(verb: &VerbEntry, form: Form, env: &Env) -> String {
    let width = fit::width(env);
    let mut root = root().subcommand(verb.command()).term_width(width);
    if verb.spec.writes_pages {
        root = root.mut_arg("lang", Options::list_both_languages);
    }
    root.build();
    let Some(command) = root.find_subcommand(verb.spec.name) else { return String::new() };
    let page = match form {
        Form::Short => short(verb, command, width),
        Form::Long => {
            let examples = examples(verb.examples, width).join("\n");
            command.clone().before_help(examples).render_long_help().to_string()
        }
    };
    fit::fitted(&page, width)
}

/// The synopsis of a verb: its options as one word, then its arguments.
pub fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage: ").to_owned()
}

/// At most [`SHORT_LINES`] lines on a terminal of [`MIN_WIDTH`] columns or more: there an option has one
/// line, and a text that is too long is cut. Options that don't fit are counted.
fn short(verb: &VerbEntry, command: &Command, width: usize) -> String {
    let shown = &verb.examples[..verb.examples.len().min(SHORT_EXAMPLES)];
    let mut lines = examples(shown, width);
    lines.push(String::new());
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    lines.extend(wrapped(&about, width));
    lines.push(String::new());
    let usage = wrapped(&format!("Usage: {}", usage(command)), width);
    lines.extend(usage);
    lines.push(String::new());
    let rows = rows(command);
    let more = |left_out| wrapped(&more(verb.spec.name, left_out), width);
    let room = SHORT_LINES.saturating_sub(lines.len() + 1 + more(rows.len()).len());
    let left_out = rows.len().saturating_sub(room);
    let rows = &rows[..rows.len() - left_out];
    let column = rows.iter().map(|(label, _)| label.len()).filter(|l| *l <= MAX_COLUMN).max();
    let column = column.unwrap_or(0).min(width / 2);
    for (label, text) in rows {
        if width < MIN_WIDTH {
            lines.push(format!("  {}", label.trim_start()));
            lines.extend(wrapped(text, width.saturating_sub(4)).iter().map(|t| format!("    {t}")));
            continue;
        }
        let room = width.saturating_sub(column.max(label.len()) + 4);
        lines.push(format!("  {label:column$}  {}", cut(text, room)).trim_end().to_owned());
    }
    if !rows.is_empty() {
        lines.push(String::new());
    }
    lines.extend(more(left_out));
    lines.join("\n") + "\n"
}

/// The last line of the short page.
fn more(name: &str, left_out: usize) -> String {
    let options = match left_out {
        0 => "Details".to_owned(),
        n => format!("{}, details", counted(n, "more option")),
    };
    format!("{options} and global options: {}", hint::help(Some(name)))
}

/// The verb's own arguments and options, each with its summary. Options that few need come last, where they may be left
/// out.
fn rows(command: &Command) -> Vec<(String, String)> {
    let is_own = |arg: &&Arg| !arg.is_hide_set() && arg.get_help_heading() != Some(GLOBAL_HEADING);
    let own = || command.get_arguments().filter(is_own);
    let positional = own().filter(|arg| arg.is_positional());
    let option =
        |rare| move |arg: &&Arg| !arg.is_positional() && arg.is_hide_short_help_set() == rare;
    let options = own().filter(option(false)).chain(own().filter(option(true)));
    let row = |arg: &Arg| (label(arg), arg.get_help().map(ToString::to_string).unwrap_or_default());
    positional.chain(options).map(row).collect()
}

fn label(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let value = names.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join(" ");
    let value = if arg.get_action().takes_values() { value } else { String::new() };
    match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) => format!("-{short}, --{long} {value}"),
        (None, Some(long)) => format!("    --{long} {value}"),
        (Some(short), None) => format!("-{short} {value}"),
        (None, None) => value,
    }
    .trim_end()
    .to_owned()
}

/// The block of examples. A line that is too long goes on after a backslash, so that it can be pasted.
fn examples(lines: &[&str], width: usize) -> Vec<String> {
    let mut block = vec!["Examples:".to_owned()];
    for line in lines {
        let parts = wrapped(line, width.saturating_sub("      ".len() + " \\".len()));
        let last = parts.len().saturating_sub(1);
        if line.len() + 2 <= width {
            block.push(format!("  {line}"));
            continue;
        }
        block.extend(parts.into_iter().enumerate().map(|(at, part)| {
            let indent = if at == 0 { "  " } else { "      " };
            let end = if at == last { "" } else { " \\" };
            format!("{indent}{part}{end}")
        }));
    }
    block
}
