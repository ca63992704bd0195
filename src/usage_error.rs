//! clap's errors as refusals.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::domain::hint;
use crate::domain::hint::Hint;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::quoted;
use crate::suggest;

/// Options that come before the verb only.
const PATH_OPTIONS: [&str; 3] = ["--store", "--config", "--key-file"];

/// One line of message and one hint. `verb` is the verb whose arguments are wrong.
pub fn usage_error(error: &clap::Error, verb: Option<&str>) -> Refusal {
    let argument = words(error, ContextKind::InvalidArg).join(" ");
    let page = hint::help(verb).after("see: ");
    let hint = match error.kind() {
        ErrorKind::UnknownArgument if PATH_OPTIONS.contains(&&*argument) => {
            let verb = verb.unwrap_or("VERB");
            Some(format!("put it before the verb, as in: mfactl {argument} PATH {verb};"))
        }
        // Nothing else is meant by it: the verb has no such flag.
        _ if argument == "--help" || argument == "-h" => None,
        _ => correction(error),
    };
    let hint = match hint {
        Some(hint) => Hint::from(hint + " ").then(page),
        None => page,
    };
    Refusal::new(ErrorCode::Usage, message(error)).hint(hint)
}

/// The words of one kind of context.
fn words(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    }
}

fn message(error: &clap::Error) -> String {
    let word = |kind| words(error, kind).join(", ");
    let (argument, value) = (word(ContextKind::InvalidArg), word(ContextKind::InvalidValue));
    match error.kind() {
        ErrorKind::UnknownArgument => format!("unexpected argument '{argument}' found"),
        ErrorKind::MissingRequiredArgument => format!("missing: {argument}"),
        ErrorKind::InvalidValue if value.is_empty() => {
            format!("a value is required for '{argument}' but none was supplied")
        }
        ErrorKind::InvalidValue => format!("invalid value '{value}' for '{argument}'"),
        ErrorKind::ValueValidation => {
            // Our parsers complain like `is not a whole number`.
            let cause = std::error::Error::source(error).map(ToString::to_string);
            let option = argument.split(' ').next().unwrap_or_default();
            let problem = cause.unwrap_or_else(|| "is not accepted".to_owned());
            format!("{option}: {} {problem}", quoted(&value))
        }
        ErrorKind::TooManyValues => {
            format!("unexpected value '{value}' for '{argument}' found; no more were expected")
        }
        ErrorKind::ArgumentConflict => match words(error, ContextKind::PriorArg) {
            prior if prior.is_empty() || prior == [argument.as_str()] => {
                format!("the argument '{argument}' cannot be used multiple times")
            }
            prior => {
                format!("the argument '{argument}' cannot be used with '{}'", prior.join("', '"))
            }
        },
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8 text".into(),
        kind => kind.as_str().unwrap_or("the command line can't be understood").into(),
    }
}

fn correction(error: &clap::Error) -> Option<String> {
    if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage)
        && error.kind() == ErrorKind::MissingRequiredArgument
    {
        let usage = usage.to_string();
        return usage.strip_prefix("Usage: ").map(|usage| format!("usage: {usage};"));
    }
    if error.kind() == ErrorKind::InvalidValue {
        let valid = words(error, ContextKind::ValidValue).join(", ");
        return (!valid.is_empty()).then(|| format!("use one of: {valid};"));
    }
    suggest::did_you_mean(&words(error, ContextKind::SuggestedArg))
}
