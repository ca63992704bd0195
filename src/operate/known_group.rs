//! Groups that somebody is in, or that the configuration names.

use anyhow::Result;

use crate::domain::hint::{Hint, command};
use crate::domain::name::is_same_group;
use crate::domain::policy::{Policy, Scope};
use crate::domain::refusal::Refusal;
use crate::domain::text::{quoted, shown};
use crate::store::ReadTx;
use crate::suggest::nearest_hint;

/// Groups to compare with; a hint is not worth more memory.
const MAX_COMPARED: usize = 1_000;

/// Refuses a group that is probably misspelt: nobody is in it, and the configuration does not name it.
pub fn require_known_group(
    snapshot: &mut ReadTx<'_>,
    policy: &Policy,
    field: &str,
    group: &str,
) -> Result<()> {
    let is_named = policy.requires_group(group)
        || policy.excepts_group(group)
        || policy.strong.names_group(group);
    if is_named {
        return Ok(());
    }
    require_member(snapshot, field, group)
}

/// Refuses a group that nobody is in.
pub fn require_member(snapshot: &mut ReadTx<'_>, field: &str, group: &str) -> Result<()> {
    match others(snapshot, group)? {
        None => Ok(()),
        Some(others) => Err(Refusal::bad_input(field, format!("nobody is in {}", quoted(group)))
            .hint(hint(group, &others))
            .into()),
    }
}

/// A group that the configuration names although nobody is in it.
pub struct EmptyGroup {
    pub group: String,
    pub rule: GroupRule,
    pub hint: Hint,
}

/// What `[policy]` says of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupRule {
    Required,
    Excepted,
    /// It has a list of strong kinds of its own.
    StrongKinds,
}

/// The groups that `[policy]` names although nobody is in them.
pub fn empty_policy_groups(snapshot: &mut ReadTx<'_>, policy: &Policy) -> Result<Vec<EmptyGroup>> {
    let required = match &policy.scope {
        Scope::Groups(groups) => groups.as_slice(),
        Scope::Nobody | Scope::Everybody => &[],
    };
    let required = required.iter().map(|group| (group, GroupRule::Required));
    let excepted = policy.except_groups.iter().map(|group| (group, GroupRule::Excepted));
    let strong = policy.strong.by_group.iter().map(|(group, _)| (group, GroupRule::StrongKinds));
    let mut empty = Vec::new();
    for (group, rule) in required.chain(excepted).chain(strong) {
        if let Some(others) = others(snapshot, group)? {
            let hint = hint(group, &others);
            empty.push(EmptyGroup { group: group.clone(), rule, hint });
        }
    }
    Ok(empty)
}

/// The other groups; `None` if somebody is in this one.
fn others(snapshot: &mut ReadTx<'_>, group: &str) -> Result<Option<Vec<String>>> {
    let (mut others, mut has_member) = (Vec::new(), false);
    snapshot.groups(&mut |groups| {
        for other in groups.split_ascii_whitespace() {
            has_member |= is_same_group(other, group);
            if others.len() < MAX_COMPARED && !others.iter().any(|known| known == other) {
                others.push(other.to_owned());
            }
        }
        !has_member
    })?;
    Ok((!has_member).then_some(others))
}

fn hint(group: &str, others: &[String]) -> Hint {
    let nearest = nearest_hint(group, others.iter().map(String::as_str));
    nearest.map_or_else(
        || match others.len() {
            0 => command("edit-user")
                .option("--add-group", "GROUP")
                .name("NAME")
                .after("nobody is in any group; put users in one with: "),
            1..=20 => format!("groups are: {}", shown(&others.join(", "))).into(),
            _ => command("list-status")
                .option("--format", "csv")
                .after("list users with their groups: "),
        },
        Hint::from,
    )
}
