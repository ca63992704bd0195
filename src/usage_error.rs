//! clap's errors as refusals.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::domain::refusal::{ErrorCode, Refusal};

/// One line of message and one hint.
pub fn usage_error(error: &clap::Error) -> Refusal {
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
    let is_path_option =
        ["'--store'", "'--config'", "'--key-file'"].iter().any(|p| message.contains(p));
    let tip = if is_path_option {
        Some("put it before the verb, as in: mfactl --store PATH list-status".into())
    } else {
        tip
    };
    let usage =
        || text.lines().find_map(|l| l.strip_prefix("Usage: ").map(|u| format!("usage: {u}")));
    let hint = valid
        .or(tip)
        .or_else(|| usage().filter(|_| !asked_help))
        .unwrap_or_else(|| "see: mfactl help".into());
    Refusal::new(ErrorCode::Usage, message).hint(hint)
}
