//! Users whom `[names]` takes for one, because one of them is stored by a name with a realm.

use anyhow::Result;

use crate::app::App;
use crate::commands::doctor::{Health, HealthCheck, safe};
use crate::domain::name::UserName;

/// Pairs that are named; more are counted.
const MOST_NAMED: usize = 5;

/// `None` where each name means one user.
pub fn taken_for_one(app: &mut App<'_>) -> Result<Option<HealthCheck>> {
    let site = app.config.names.clone();
    if !site.takes_realms_off() {
        return Ok(None);
    }
    let mut store = app.reader()?;
    let mut snapshot = store.read()?;
    let mut with_realm = Vec::new();
    snapshot.names("", &mut |name| {
        // A name that can't be read is found by nobody who types it.
        if name.contains('@')
            && let Ok(bare) = site.read(name)
            && bare.as_str() != name
        {
            with_realm.push((bare.as_str().to_owned(), name.to_owned()));
        }
        true
    })?;
    let mut pairs = Vec::new();
    for (bare, name) in with_realm {
        if snapshot.user(&UserName::stored(bare.clone()))?.is_some() {
            pairs.push(format!("{bare} and {name}"));
        }
    }
    if pairs.is_empty() {
        return Ok(None);
    }
    let more = match pairs.len().saturating_sub(MOST_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    pairs.truncate(MOST_NAMED);
    let words = format!(
        "[names] takes each of these pairs for one user, and a login with the realm reaches the longer name: {}{more}; \
         rename or remove one of each",
        pairs.join(", ")
    );
    Ok(Some(HealthCheck { what: "names", state: Health::Warning, words: safe(&words) }))
}
