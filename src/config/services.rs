//! `[services.NAME]`: the rules of a login service.

use std::collections::BTreeMap;

use super::rules::refuse;
use super::{file, in_config};
use crate::domain::name::group;
use crate::domain::refusal::Refusal;
use crate::domain::remembered::LONGEST_REMEMBERED;
use crate::domain::service_rules::{Network, NotEnabledPolicy, ServiceRules, Services};
use crate::domain::text::{quoted, shown};
use crate::domain::time::Span;

/// Characters of the longest name; a service with a longer one has no rules.
const LONGEST_NAME: usize = 127;

pub fn services(file: BTreeMap<String, file::ServiceSection>) -> Result<Services, Refusal> {
    let of_service = |(name, section): (String, _)| {
        check_name(&name)?;
        rules(&format!("services.{name}"), section).map(|rules| (name, rules))
    };
    Ok(Services(file.into_iter().map(of_service).collect::<Result<_, _>>()?))
}

/// A name that no service can hand over would be a rule that never counts.
fn check_name(name: &str) -> Result<(), Refusal> {
    let is_one = !name.is_empty() && name.trim() == name && shown(name) == name;
    if is_one && name.chars().count() <= LONGEST_NAME {
        return Ok(());
    }
    let problem = format!("{} is no name of a login service", quoted(name));
    Err(refuse("services", problem))
}

fn rules(key: &str, section: file::ServiceSection) -> Result<ServiceRules, Refusal> {
    let file::ServiceSection { exempt_networks, exempt_groups, not_enabled, remember } = section;
    let key = |field: &str| format!("{key}.{field}");
    let exempt_networks = listed(&key("exempt_networks"), exempt_networks, |text| {
        Network::parse(text).map_err(|problem| {
            refuse(&key("exempt_networks"), format!("{} {problem}", quoted(text)))
        })
    })?;
    let exempt_groups = listed(&key("exempt_groups"), exempt_groups, |name| {
        group(name).map_err(|e| in_config(&key("exempt_groups"), e))
    })?;
    let not_enabled = match not_enabled.as_deref() {
        None => None,
        Some("accept") => Some(NotEnabledPolicy::AcceptUnlessDisabled),
        Some("refuse") => Some(NotEnabledPolicy::Refuse),
        Some(_) => {
            return Err(refuse(&key("not_enabled"), "is neither accept nor refuse"));
        }
    };
    let remember = remember.map(|text| span(&key("remember"), &text)).transpose()?;
    Ok(ServiceRules { exempt_networks, exempt_groups, not_enabled, remember })
}

fn span(key: &str, text: &str) -> Result<Span, Refusal> {
    let span = Span::parse(key, text).map_err(|e| in_config(key, e))?;
    if span > LONGEST_REMEMBERED {
        return Err(refuse(key, format!("{span} is longer than {LONGEST_REMEMBERED}")));
    }
    Ok(span)
}

/// The entries of a list. An empty one may be meant as "none" or as "all".
fn listed<T>(
    key: &str,
    entries: Option<Vec<String>>,
    read: impl Fn(&str) -> Result<T, Refusal>,
) -> Result<Vec<T>, Refusal> {
    match entries {
        Some(entries) if entries.is_empty() => {
            Err(refuse(key, "is an empty list; leave the key out"))
        }
        entries => entries.unwrap_or_default().iter().map(|text| read(text)).collect(),
    }
}
