//! Suggests names close to an unknown one.

use strsim::damerau_levenshtein;

use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{quoted, shown};
use crate::store::ReadTx;

/// Names to compare with; a hint is not worth more time.
const MAX_COMPARED: usize = 50_000;
/// Names to suggest.
const MAX_OFFERED: usize = 3;

/// The error `user_not_found`, with the nearest names as a hint.
pub fn user_not_found(name: &UserName, snapshot: &mut ReadTx<'_>) -> anyhow::Error {
    let text = name.as_str();
    let max_distance = 1 + text.chars().count() / 4;
    let mut near: Vec<(usize, String)> = Vec::new();
    let mut compared = 0;
    let listed = snapshot.names("", &mut |other| {
        compared += 1;
        if other.len().abs_diff(text.len()) <= max_distance {
            let distance = damerau_levenshtein(text, other);
            if distance <= max_distance {
                near.push((distance, other.to_owned()));
            }
        }
        compared < MAX_COMPARED
    });
    if let Err(error) = listed {
        return error;
    }
    near.sort();
    near.truncate(MAX_OFFERED);
    let refusal =
        Refusal::new(ErrorCode::UserNotFound, format!("there is no user {}", quoted(text)));
    let hint = if near.is_empty() {
        "list the users with: mfactl list-status".to_owned()
    } else {
        let names: Vec<_> = near.iter().map(|(_, n)| shown(n)).collect();
        format!("did you mean {}?", names.join(", "))
    };
    refusal.hint(hint).into()
}
