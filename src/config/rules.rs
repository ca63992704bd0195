//! `[policy]`, `[password]`, `[helpdesk]` and `[self_service]`: every value is checked against its bounds.

use anyhow::Result;

use super::{RequiredOptions, file, in_config, parse_span};
use crate::domain::factor::hotp::LookAhead;
use crate::domain::factor::totp::Window;
use crate::domain::lockout::{Bounds, Limits};
use crate::domain::name::group;
use crate::domain::password::{LONGEST, PasswordRules, SHORTEST};
use crate::domain::policy::strong::{StrongKinds, kinds};
use crate::domain::policy::{Policy, Scope, has_group};
use crate::domain::refusal::Refusal;
use crate::domain::self_service::{OwnAct, SelfService};
use crate::domain::site_names;
use crate::domain::site_names::SiteNames;
use crate::domain::text::quoted;
use crate::domain::time::{Span, Timestamp};
use crate::domain::verb::{FindVerb, VerbSpec};
use crate::keyring::argon2::HashCost;

pub fn bounds(file: &file::PolicySection) -> Result<Bounds> {
    let window = file.window.map_or(Ok(Window::DEFAULT), |steps| {
        Window::new(steps).map_err(|e| in_config("policy.window", e))
    })?;
    let look_ahead = file.look_ahead.map_or(Ok(LookAhead::DEFAULT), |counters| {
        LookAhead::new(counters).map_err(|e| in_config("policy.look_ahead", e))
    })?;
    let default = Limits::DEFAULT;
    let free_failures = file.free_failures.unwrap_or(default.free_failures);
    if !(1..=default.free_failures).contains(&free_failures) {
        let problem = format!("{free_failures} is not 1 to {}", default.free_failures);
        return Err(refuse("policy.free_failures", problem).into());
    }
    let key = "policy.longest_delay";
    let longest_delay = parse_span(key, file.longest_delay.clone(), default.longest_delay)?;
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
    Ok(Bounds { window, look_ahead, limits: Limits { free_failures, longest_delay, wrong_codes } })
}

pub fn parse_span_up_to(key: &str, text: Option<String>, default: Span, max: Span) -> Result<Span> {
    let span = parse_span(key, text, default)?;
    if span > max {
        return Err(refuse(key, format!("{span} is longer than {max}")).into());
    }
    Ok(span)
}

pub fn policy(file: &file::PolicySection) -> Result<Policy> {
    let groups = |key: &str, names: &[String]| {
        let groups = names.iter().map(|name| group(name)).collect::<Result<Vec<_>, _>>();
        groups.map_err(|e| in_config(key, e))
    };
    let required = groups("policy.required_groups", &file.required_groups)?;
    let except_groups = groups("policy.except_groups", &file.except_groups)?;
    if let Some(both) = except_groups.iter().find(|group| has_group(&required, group)) {
        let problem = format!("{} is in policy.required_groups too", quoted(both));
        return Err(refuse("policy.except_groups", problem).into());
    }
    let scope = match file.mfa.as_deref() {
        Some("required") => Scope::Everybody,
        None | Some("optional") if required.is_empty() => Scope::Nobody,
        None | Some("optional") => Scope::Groups(required),
        Some(_) => {
            let problem = "is neither optional nor required";
            return Err(refuse("policy.mfa", problem).into());
        }
    };
    let (since, grace) = (file.since.as_deref(), file.grace.clone());
    if grace.is_some() && since.is_none() && scope != Scope::Nobody {
        // Users may be older than the requirement, so their grace needs a start.
        return Err(refuse("policy.grace", "needs a start day")
            .hint("add policy.since, e.g. since = \"2026-03-01\"")
            .into());
    }
    let since = since.map(|text| Timestamp::parse("policy.since", text)).transpose();
    Ok(Policy {
        scope,
        except_groups,
        since: since.map_err(|e| in_config("policy.since", e))?,
        grace: grace.map_or(Ok(Span(0)), |text| parse_span("policy.grace", Some(text), Span(0)))?,
        strong: strong_kinds(file)?,
    })
}

fn strong_kinds(file: &file::PolicySection) -> Result<StrongKinds, Refusal> {
    let listed = |key: &str, words: &[String]| kinds(words).map_err(|problem| refuse(key, problem));
    let mut strong = StrongKinds::default();
    if let Some(words) = &file.strong {
        strong.for_all = listed("policy.strong", words)?;
    }
    let key = "policy.strong_by_group";
    for (name, words) in &file.strong_by_group {
        let group = group(name).map_err(|e| in_config(key, e))?;
        if strong.names_group(&group) {
            return Err(refuse(key, format!("names the group {} twice", quoted(&group))));
        }
        let kinds = listed(&format!("{key}.{name}"), words)?;
        strong.by_group.push((group, kinds));
    }
    Ok(strong)
}

pub fn names(file: &file::NamesSection) -> Result<SiteNames> {
    let lists =
        [("names.strip_domain", &file.strip_domain), ("names.strip_realm", &file.strip_realm)];
    for (key, list) in lists {
        for text in list {
            site_names::check(text).map_err(|problem| refuse(key, problem))?;
        }
    }
    Ok(SiteNames::new(&file.strip_domain, &file.strip_realm))
}

pub fn cost(file: &file::PasswordSection) -> Result<HashCost> {
    let (default, least) = (HashCost::DEFAULT, HashCost::LEAST);
    let in_bounds = |key: &str, value: Option<u32>, default: u32, least: u32, most: u32| {
        let value = value.unwrap_or(default);
        if (least..=most).contains(&value) {
            return Ok(value);
        }
        Err(refuse(key, format!("{value} is not between {least} and {most}")))
    };
    Ok(HashCost {
        memory: in_bounds("password.memory", file.memory, default.memory, least.memory, 1024)?,
        passes: in_bounds("password.passes", file.passes, default.passes, least.passes, 16)?,
        lanes: in_bounds("password.lanes", file.lanes, default.lanes, least.lanes, 8)?,
    })
}

pub fn password_rules(file: &file::PasswordSection) -> Result<PasswordRules> {
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
    Ok(PasswordRules { shortest, strength, forbidden })
}

pub fn required_options(
    file: file::HelpdeskSection,
    find_verb: FindVerb,
) -> Result<RequiredOptions> {
    let check = |key: &str, verbs: &[String], takes_it: fn(&VerbSpec) -> bool| {
        let do_all = verbs.iter().all(|verb| find_verb(verb).is_some_and(takes_it));
        if do_all { Ok(()) } else { Err(refuse(key, "names no verb that takes one")) }
    };
    check("helpdesk.ticket", &file.ticket, VerbSpec::takes_ticket)?;
    check("helpdesk.proof", &file.proof, VerbSpec::takes_proof)?;
    Ok(RequiredOptions { ticket: file.ticket, proof: file.proof })
}

pub fn self_service(file: &file::SelfServiceSection) -> SelfService {
    let is_on = |act: &OwnAct| {
        let on = match act {
            OwnAct::AddDevice => file.add_device,
            OwnAct::ReplaceDevice => file.replace_device,
            OwnAct::SwitchOff => file.switch_off,
            OwnAct::RemoveDevice => file.remove_device,
            OwnAct::RenameDevice => file.rename_device,
            OwnAct::RecoveryCodes => file.recovery_codes,
        };
        on == Some(true)
    };
    SelfService::new(OwnAct::ALL.into_iter().filter(is_on))
}

pub fn refuse(key: &str, problem: impl std::fmt::Display) -> Refusal {
    Refusal::config(key, problem).hint("see mfactl(1), CONFIGURATION")
}
