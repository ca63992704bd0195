//! What the configuration asks of users, passwords and operators, each value within its bounds.

use anyhow::Result;

use super::{MustName, file, in_config, span};
use crate::domain::name::group;
use crate::domain::password::{LONGEST, Rules, SHORTEST};
use crate::domain::policy::{Policy, Scope};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::text::quoted;
use crate::domain::throttle::{Bounds, Limits};
use crate::domain::time::{Span, Timestamp};
use crate::domain::totp::Window;
use crate::vault::password::Cost;

/// Verbs that take `--ticket` and `--proof`.
const OPERATORS_VERBS: &[&str] = &[
    "add-user",
    "bypass",
    "delete",
    "diagnose",
    "disable",
    "edit-user",
    "enable",
    "enrol",
    "force-new-password",
    "recovery-codes",
    "remove-user",
    "require-mfa",
    "reset",
    "restore",
    "set-password",
    "show-qr",
    "undo",
    "unlock",
];

pub fn bounds(file: &file::Policy) -> Result<Bounds> {
    let window = file.window.map_or(Ok(Window::DEFAULT), |steps| {
        Window::new(steps).map_err(|e| in_config("policy.window", &e))
    })?;
    let default = Limits::DEFAULT;
    let free_failures = file.free_failures.unwrap_or(default.free_failures);
    if !(1..=default.free_failures).contains(&free_failures) {
        let problem = format!("{free_failures} is not 1 to {}", default.free_failures);
        return Err(refuse("policy.free_failures", problem).into());
    }
    let key = "policy.longest_delay";
    let longest_delay = span(key, file.longest_delay.clone(), default.longest_delay)?;
    if !(default.longest_delay..=Limits::LONGEST).contains(&longest_delay) {
        let (least, most) = (default.longest_delay, Limits::LONGEST);
        return Err(refuse(key, format!("{longest_delay} is not {least} to {most}")).into());
    }
    let wrong_codes = file.wrong_codes.unwrap_or(default.wrong_codes);
    if !(Limits::FEWEST_WRONG_CODES..=default.wrong_codes).contains(&wrong_codes) {
        let (least, most) = (Limits::FEWEST_WRONG_CODES, default.wrong_codes);
        let problem = format!("{wrong_codes} is not {least} to {most}");
        return Err(refuse("policy.wrong_codes", problem).into());
    }
    Ok(Bounds { window, limits: Limits { free_failures, longest_delay, wrong_codes } })
}

/// A span that has a longest.
pub fn span_to(key: &str, text: Option<String>, default: Span, most: Span) -> Result<Span> {
    let span = span(key, text, default)?;
    if span > most {
        return Err(refuse(key, format!("{span} is longer than {most}")).into());
    }
    Ok(span)
}

pub fn policy(
    mfa: Option<&str>,
    groups: &[String],
    since: Option<&str>,
    grace: Option<String>,
) -> Result<Policy> {
    let scope = match mfa {
        Some("required") => Scope::Everybody,
        None | Some("optional") if groups.is_empty() => Scope::Nobody,
        None | Some("optional") => {
            let groups = groups.iter().map(|g| group(g)).collect::<Result<_, _>>();
            Scope::Groups(groups.map_err(|e| in_config("policy.required_groups", &e))?)
        }
        Some(other) => {
            let problem = format!("{} is neither optional nor required", quoted(other));
            return Err(refuse("policy.mfa", problem).into());
        }
    };
    if grace.is_some() && since.is_none() && scope != Scope::Nobody {
        // From when on, for those who were there before anybody asked for MFA?
        return Err(refuse("policy.grace", "needs a day to run from")
            .hint("write policy.since beside it, such as since = \"2026-03-01\"")
            .into());
    }
    let since = since.map(|text| Timestamp::parse("policy.since", text)).transpose();
    Ok(Policy {
        scope,
        since: since.map_err(|e| in_config("policy.since", &e))?,
        grace: grace.map_or(Ok(Span(0)), |text| span("policy.grace", Some(text), Span(0)))?,
    })
}

pub fn cost(file: &file::Password) -> Result<Cost> {
    let (usual, least) = (Cost::DEFAULT, Cost::LEAST);
    let within = |key: &str, value: Option<u32>, usual: u32, least: u32, most: u32| {
        let value = value.unwrap_or(usual);
        if (least..=most).contains(&value) {
            return Ok(value);
        }
        Err(refuse(key, format!("{value} is not between {least} and {most}")))
    };
    Ok(Cost {
        memory: within("password.memory", file.memory, usual.memory, least.memory, 1024)?,
        passes: within("password.passes", file.passes, usual.passes, least.passes, 16)?,
        lanes: within("password.lanes", file.lanes, usual.lanes, least.lanes, 8)?,
    })
}

pub fn passwords(file: &file::Password) -> Result<Rules> {
    let shortest = file.shortest.unwrap_or(SHORTEST);
    if !(SHORTEST..=LONGEST / 4).contains(&shortest) {
        let problem = format!("{shortest} is not between {SHORTEST} and {}", LONGEST / 4);
        return Err(refuse("password.shortest", problem).into());
    }
    let strength = file.strength.unwrap_or(3);
    if !(2..=4).contains(&strength) {
        return Err(refuse("password.strength", format!("{strength} is not 2, 3 or 4")).into());
    }
    let forbidden = file.forbidden.iter().map(|word| word.to_lowercase()).collect();
    Ok(Rules { shortest, strength, forbidden })
}

pub fn must_name(file: file::Helpdesk) -> Result<MustName> {
    for (key, verbs) in [("helpdesk.ticket", &file.ticket), ("helpdesk.proof", &file.proof)] {
        if let Some(other) = verbs.iter().find(|verb| !OPERATORS_VERBS.contains(&verb.as_str())) {
            let problem = format!("{} is no verb that takes one", quoted(other));
            return Err(refuse(key, problem).into());
        }
    }
    Ok(MustName { ticket: file.ticket, proof: file.proof })
}

pub fn refuse(key: &str, problem: impl std::fmt::Display) -> Refusal {
    Refusal::new(Code::Config, format!("configuration: {key}: {problem}"))
        .hint("see mfactl(1), CONFIGURATION")
}
