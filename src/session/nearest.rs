//! The names nearest to one that was not found.

use strsim::damerau_levenshtein;

use crate::domain::name::UserName;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::text::{quoted, shown};
use crate::store::Snapshot;

/// Names that are looked at: a hint is not worth more.
const MOST_LOOKED_AT: usize = 50_000;
/// Names that are offered.
const MOST_OFFERED: usize = 3;

/// `user_not_found`, with the nearest names.
pub fn unknown(name: &UserName, snapshot: &mut dyn Snapshot) -> anyhow::Error {
    let wanted = name.as_str();
    let farthest = 1 + wanted.chars().count() / 4;
    let mut near: Vec<(usize, String)> = Vec::new();
    let mut looked_at = 0;
    let looked = snapshot.names("", &mut |other| {
        looked_at += 1;
        if other.len().abs_diff(wanted.len()) <= farthest {
            let distance = damerau_levenshtein(wanted, other);
            if distance <= farthest {
                near.push((distance, other.to_owned()));
            }
        }
        looked_at < MOST_LOOKED_AT
    });
    if let Err(error) = looked {
        return error;
    }
    near.sort();
    near.truncate(MOST_OFFERED);
    let refusal = Refusal::new(Code::UserNotFound, format!("there is no user {}", quoted(wanted)));
    let hint = if near.is_empty() {
        "see who there is with: mfactl list-status".to_owned()
    } else {
        let names: Vec<_> = near.iter().map(|(_, n)| shown(n)).collect();
        format!("did you mean {}?", names.join(", "))
    };
    refusal.hint(hint).into()
}
