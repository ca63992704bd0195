//! A new user whose name is nearly that of another one may be a slip, so that the wrong account is changed.

use std::collections::BTreeMap;
use std::io::Write as _;

use anyhow::Result;

use crate::app::{App, OpenStore};
use crate::domain::identity::who;
use crate::domain::name::UserName;
use crate::domain::text::shown;
use crate::domain::user::User;
use crate::operate::people::people_with_mail;
use crate::suggest;
use crate::suggest::NewNames;

/// Similar users who are named.
const MOST_NAMED: usize = 3;

/// Before a user of this name is made: names those whose names are similar, or who have the name as their e-mail
/// address. An operator at a terminal is asked unless they agreed before; `false` is no. Anybody else is warned.
pub fn confirm_new_user(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    name: &UserName,
    is_agreed: bool,
) -> Result<bool> {
    let similar = similar_users(opened, name)?;
    if similar.is_empty() {
        return Ok(true);
    }
    if is_agreed || !app.can_ask() {
        let similar: Vec<_> = similar.iter().map(|user| shown(user.name.as_str())).collect();
        let words = format!("{name} is a new user; there is also {}", similar.join(", "));
        app.warn(&words);
        return Ok(true);
    }
    writeln!(app.env.err.writer, "There is no user {name} yet, but there is:")?;
    for user in &similar {
        writeln!(app.env.err.writer, "  {}", who(user))?;
    }
    app.shown.bind_to_nobody();
    let agreed = app.confirm(&format!("Make a new user {name}?"))?;
    app.reopen_if_replaced(opened)?;
    Ok(agreed)
}

fn similar_users(opened: &mut OpenStore, name: &UserName) -> Result<Vec<User>> {
    let mut snapshot = opened.store.read()?;
    if snapshot.user(name)?.is_some() {
        return Ok(Vec::new());
    }
    let mut similar = if name.as_str().contains('@') {
        people_with_mail(&mut snapshot, name.as_str(), MOST_NAMED)?.users
    } else {
        Vec::new()
    };
    for near in suggest::near_names(name, &mut snapshot)? {
        similar.extend(snapshot.user(&UserName::stored(near))?);
    }
    similar.dedup_by_key(|user| user.id);
    Ok(similar)
}

/// For each name of a list the users for whom it could be a slip, in one pass over the store.
pub fn similar_names(opened: &mut OpenStore, names: &[UserName]) -> Result<Vec<Vec<String>>> {
    let mut snapshot = opened.store.read()?;
    let mut near = NewNames::new(names);
    let is_mail = |name: &&UserName| name.as_str().contains('@');
    let mut by_mail: BTreeMap<String, Vec<String>> =
        names.iter().filter(is_mail).map(|name| (name.to_string(), Vec::new())).collect();
    snapshot.people(&mut |person| {
        near.compare(person.name);
        if !by_mail.is_empty()
            && let Some(owners) = by_mail.get_mut(&person.email.to_lowercase())
        {
            owners.push(person.name.to_owned());
        }
        true
    })?;
    let similar = names.iter().zip(near.found()).map(|(name, near)| {
        let mut similar = by_mail.remove(name.as_str()).unwrap_or_default();
        similar.sort();
        similar.truncate(MOST_NAMED);
        for other in near {
            if !similar.contains(&other) {
                similar.push(other);
            }
        }
        similar
    });
    Ok(similar.collect())
}
