//! Suggests words close to an unknown one: users, verbs, options.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use strsim::damerau_levenshtein;

use crate::domain::hint;
use crate::domain::hint::Hint;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{quoted, shown};
use crate::store::ReadTx;

/// Names to compare with; a hint is not worth more time.
const MAX_COMPARED: usize = 50_000;
/// Names to suggest.
const MAX_OFFERED: usize = 3;

/// Collects the words that are near another one.
struct Nearest<'w> {
    word: &'w str,
    near: Vec<(usize, String)>,
}

impl<'w> Nearest<'w> {
    const fn to(word: &'w str) -> Self {
        Self { word, near: Vec::new() }
    }

    fn compare(&mut self, other: &str) {
        let max_distance = 1 + self.word.chars().count() / 4;
        if other.len().abs_diff(self.word.len()) <= max_distance {
            let distance = damerau_levenshtein(self.word, other);
            if distance <= max_distance {
                self.near.push((distance, other.to_owned()));
            }
        }
    }

    fn found(mut self) -> Vec<String> {
        self.near.sort();
        self.near.truncate(MAX_OFFERED);
        self.near.into_iter().map(|(_, word)| word).collect()
    }
}

/// The error `usage` for a word that is no verb. `known` are the names and aliases, each with its verb;
/// of one verb only the nearest is suggested.
pub fn unknown_verb<'k>(
    word: &str,
    known: impl IntoIterator<Item = (&'k str, &'k str)>,
) -> Refusal {
    let mut nearest = Nearest::to(word);
    let known: BTreeMap<_, _> = known.into_iter().collect();
    for spelling in known.keys() {
        nearest.compare(spelling);
    }
    nearest.near.sort();
    let mut verbs = BTreeSet::new();
    nearest.near.retain(|(_, spelling)| verbs.insert(known.get(spelling.as_str())));
    let hint = did_you_mean(&nearest.found()).map(|hint| hint + " ").unwrap_or_default();
    Refusal::new(ErrorCode::Usage, format!("there is no verb {}", quoted(word)))
        .hint(Hint::from(hint).then(hint::help(None).after("see: ")))
}

/// The hint; `None` if there is no word to suggest.
#[must_use]
pub fn did_you_mean(words: &[String]) -> Option<String> {
    let (last, others) = words.split_last()?;
    let (last, others) = (shown(last), others.join(", "));
    let either = if others.is_empty() { String::new() } else { format!("{} or ", shown(&others)) };
    Some(format!("did you mean {either}{last}?"))
}

/// The nearest of the known words as a hint.
#[must_use]
pub fn nearest_hint<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let mut nearest = Nearest::to(word);
    known.into_iter().for_each(|known| nearest.compare(known));
    did_you_mean(&nearest.found())
}

/// The users for whom the name of a new one could be a slip: of the same first letter, one or two letters apart. Names
/// that differ in their digits are meant to.
pub fn near_names(name: &UserName, snapshot: &mut ReadTx<'_>) -> Result<Vec<String>> {
    let name = name.as_str();
    let digits = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
    let (own_digits, length) = (digits(name), name.chars().count());
    let (mut near, mut compared) = (Vec::new(), 0);
    let first: String = name.chars().take(1).collect();
    snapshot.names(&first, &mut |other| {
        compared += 1;
        let longer = length.max(other.chars().count());
        let most = (1 + longer / 6).min(2);
        if other != name && longer.abs_diff(length) <= most && digits(other) == own_digits {
            let distance = damerau_levenshtein(name, other);
            if distance <= most {
                near.push((distance, other.to_owned()));
            }
        }
        compared < MAX_COMPARED
    })?;
    near.sort();
    near.truncate(MAX_OFFERED);
    Ok(near.into_iter().map(|(_, name)| name).collect())
}

/// The error `user_not_found`, with the nearest names as a hint.
pub fn user_not_found(name: &UserName, snapshot: &mut ReadTx<'_>) -> anyhow::Error {
    let mut nearest = Nearest::to(name.as_str());
    let mut compared = 0;
    let listed = snapshot.names("", &mut |other| {
        compared += 1;
        nearest.compare(other);
        compared < MAX_COMPARED
    });
    if let Err(error) = listed {
        return error;
    }
    let message = format!("there is no user {}", quoted(name.as_str()));
    let hint = did_you_mean(&nearest.found());
    Refusal::new(ErrorCode::UserNotFound, message)
        .hint(hint.map_or_else(
            || hint::command("list-status").after("list the users with: "),
            Hint::from,
        ))
        .into()
}
