//! Names in a list that mfactl wrote, such as the log or an earlier `list-status`. A name of then may be another
//! user's today.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::domain::name::UserName;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Id;
use crate::store::ReadTx;

/// A name of such a list.
#[derive(Debug)]
pub struct PastName {
    pub line: u64,
    pub name: UserName,
    /// The number of the event in a row of the log, which tells who was meant.
    pub event: Option<u64>,
}

/// Refuses the first name that does not mean the same user today, by its line. A row of the log is about the user of
/// its event. Any other row has no time, so its name must be one that nobody else ever had, as far as the log reaches.
pub fn check(snapshot: &mut ReadTx<'_>, past: &[PastName]) -> Result<()> {
    let mut holders = BTreeMap::new();
    for PastName { name, .. } in past {
        if !holders.contains_key(name) {
            let holder = snapshot.user(name)?.map(|user| user.id);
            holders.insert(name.clone(), holder);
        }
    }
    let events = past.iter().filter_map(|past| past.event).collect();
    let earlier = earlier_users(snapshot, &holders, &events)?;
    for PastName { line, name, event } in past {
        let holder = holders.get(name).copied().flatten();
        let meant = event.and_then(|event| earlier.subjects.get(&event).copied());
        if let Some(meant) = meant.or_else(|| earlier.last_other(name, holder)) {
            if holder == Some(meant) {
                continue;
            }
            let today = snapshot.user_by_id(meant)?.map(|user| user.name);
            // The verb says that nobody has the name, or makes its user anew.
            if holder.is_some() || today.is_some() {
                return Err(other_user(*line, name, today.as_ref()).into());
            }
        } else if event.is_some() && holder.is_some() {
            let problem = format!("line {line} is about an event that the log of this store lacks");
            return Err(refuse(&problem).into());
        }
    }
    Ok(())
}

/// What the log knows of these names and events.
#[derive(Default)]
struct EarlierUsers {
    /// By name, the users who had it at some time, the newest last.
    named: BTreeMap<String, Vec<Id>>,
    /// By the number of an event, the user whom it is about.
    subjects: BTreeMap<u64, Id>,
}

fn earlier_users(
    snapshot: &mut ReadTx<'_>,
    holders: &BTreeMap<UserName, Option<Id>>,
    events: &BTreeSet<u64>,
) -> Result<EarlierUsers> {
    let names: BTreeSet<&str> = holders.keys().flat_map(UserName::spellings).collect();
    let mut earlier = EarlierUsers::default();
    snapshot.log().naming().names(&mut |event, name, id| {
        if events.contains(&event) {
            earlier.subjects.insert(event, id);
        }
        if names.contains(name) {
            let users = earlier.named.entry(name.to_owned()).or_default();
            users.retain(|user| *user != id);
            users.push(id);
        }
    })?;
    Ok(earlier)
}

impl EarlierUsers {
    /// The last one who had this name, in any of its spellings, and is not its holder.
    fn last_other(&self, name: &UserName, holder: Option<Id>) -> Option<Id> {
        let users = name.spellings().filter_map(|name| self.named.get(name)).flatten();
        users.copied().filter(|user| Some(*user) != holder).last()
    }
}

fn other_user(line: u64, name: &UserName, today: Option<&UserName>) -> Refusal {
    match today {
        Some(today) => refuse(&format!("line {line} may mean a user who has another name today"))
            .quoting(format!("line {line}: {name} was the name of the user who is {today} today")),
        None => refuse(&format!(
            "line {line} may mean a user who was removed, and whose name another user has today"
        ))
        .quoting(format!(
            "line {line}: {name} was the name of a user who was removed, and is another user today"
        )),
    }
}

fn refuse(problem: &str) -> Refusal {
    Refusal::bad_input("--from", problem)
        .hint("nothing was changed; list the names of today, one a line without a header")
}
