//! Finds people in the store by a few words or by their e-mail address, in constant memory.

use std::collections::BinaryHeap;

use anyhow::Result;

use crate::domain::name::UserName;
use crate::domain::search::{Rank, SearchText};
use crate::domain::user::User;
use crate::store::ReadTx;

/// The best hits of a search, and how many there are in all.
pub struct Found {
    pub users: Vec<User>,
    pub total: u64,
}

/// The people who match, the best first and then by name; at most `limit` of them are kept.
pub fn find_people(snapshot: &mut ReadTx<'_>, text: &SearchText, limit: usize) -> Result<Found> {
    let (mut best, mut total, mut folded) = (BinaryHeap::new(), 0, String::new());
    snapshot.people(&mut |person| {
        let Some(rank) = text.rank(&person, &mut folded) else { return true };
        total += 1;
        keep_best(&mut best, (rank, person.name), limit);
        true
    })?;
    let names = best.into_sorted_vec().into_iter().map(|(_, name)| name);
    Ok(Found { users: load(snapshot, names)?, total })
}

/// Keeps the `limit` smallest.
fn keep_best(best: &mut BinaryHeap<(Rank, String)>, hit: (Rank, &str), limit: usize) {
    if best.len() >= limit {
        match best.peek() {
            Some((rank, name)) if (*rank, name.as_str()) > hit => drop(best.pop()),
            _ => return,
        }
    }
    best.push((hit.0, hit.1.to_owned()));
}

/// The people with this e-mail address, by name, whatever its case; at most `limit` of them are kept.
pub fn people_with_mail(snapshot: &mut ReadTx<'_>, address: &str, limit: usize) -> Result<Found> {
    let address = address.trim().to_lowercase();
    let (mut best, mut total) = (BinaryHeap::new(), 0);
    if address.is_empty() {
        return Ok(Found { users: Vec::new(), total });
    }
    let is_it = |email: &str| {
        if email.is_ascii() {
            email.eq_ignore_ascii_case(&address)
        } else {
            email.to_lowercase() == address
        }
    };
    snapshot.people(&mut |person| {
        if is_it(person.email) {
            total += 1;
            keep_best(&mut best, (Rank::Mail, person.name), limit);
        }
        true
    })?;
    let names = best.into_sorted_vec().into_iter().map(|(_, name)| name);
    Ok(Found { users: load(snapshot, names)?, total })
}

fn load(snapshot: &mut ReadTx<'_>, names: impl Iterator<Item = String>) -> Result<Vec<User>> {
    let users = names.map(|name| snapshot.user(&UserName::stored(name)));
    users.filter_map(Result::transpose).collect()
}
