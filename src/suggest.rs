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

/// The nearest of the known words, the nearest first.
#[must_use]
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Vec<String> {
    let mut nearest = Nearest::to(word);
    known.into_iter().for_each(|known| nearest.compare(known));
    nearest.found()
}

/// The nearest of the known words as a hint.
#[must_use]
pub fn nearest_hint<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let mut nearest = Nearest::to(word);
    known.into_iter().for_each(|known| nearest.compare(known));
    did_you_mean(&nearest.found())
}

/// A new name, and the names for which it could be a slip: of the same first letter, one or two letters apart. Names
/// that differ in their digits are meant to.
struct NewName<'n> {
    name: &'n str,
    length: usize,
    letters: u64,
    near: Vec<(usize, String)>,
}

impl<'n> NewName<'n> {
    fn new(name: &'n str) -> Self {
        let (length, letters) = (name.chars().count(), letters(name));
        Self { name, length, letters, near: Vec::new() }
    }

    /// Compares with a name of the same first letter and digits.
    fn compare(&mut self, other: &str, length: usize, letters: u64) {
        let most = (1 + self.length.max(length) / 6).min(2);
        // Each edit adds and takes away at most one letter. This spares most names the slow comparison.
        let may_be_near = self.length.abs_diff(length) <= most
            && (self.letters ^ letters).count_ones() as usize <= 2 * most;
        if may_be_near && other != self.name {
            let distance = damerau_levenshtein(self.name, other);
            if distance <= most {
                self.near.push((distance, other.to_owned()));
                self.near.sort();
                self.near.truncate(MAX_OFFERED);
            }
        }
    }
}

/// The letters that occur, a bit for each or for a few together.
fn letters(name: &str) -> u64 {
    name.chars().fold(0, |letters, c| letters | 1 << (u32::from(c) % u64::BITS))
}

/// The first letter and the digits of a name.
fn start_and_digits(name: &str) -> (Option<char>, String) {
    (name.chars().next(), name.chars().filter(char::is_ascii_digit).collect())
}

/// Names of new users, to be compared with all names of a store in one pass.
pub struct NewNames<'n> {
    names: Vec<NewName<'n>>,
    /// Their indexes by first letter and digits.
    alike: BTreeMap<(Option<char>, String), Vec<usize>>,
}

impl<'n> NewNames<'n> {
    pub fn new(names: impl IntoIterator<Item = &'n UserName>) -> Self {
        let names: Vec<_> = names.into_iter().map(|name| NewName::new(name.as_str())).collect();
        let mut alike: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            alike.entry(start_and_digits(name.name)).or_default().push(index);
        }
        Self { names, alike }
    }

    /// Compares a name of the store.
    pub fn compare(&mut self, other: &str) {
        let Some(indexes) = self.alike.get(&start_and_digits(other)) else { return };
        let (length, letters) = (other.chars().count(), letters(other));
        for index in indexes {
            self.names[*index].compare(other, length, letters);
        }
    }

    /// For each name those that are near it, the nearest first.
    pub fn found(self) -> Vec<Vec<String>> {
        let near = |name: NewName<'_>| name.near.into_iter().map(|(_, other)| other).collect();
        self.names.into_iter().map(near).collect()
    }
}

/// The users for whom the name of a new one could be a slip, the nearest first.
pub fn near_names(name: &UserName, snapshot: &mut ReadTx<'_>) -> Result<Vec<String>> {
    let (mut new, mut compared) = (NewNames::new([name]), 0);
    let first: String = name.as_str().chars().take(1).collect();
    snapshot.names(&first, &mut |other| {
        compared += 1;
        new.compare(other);
        compared < MAX_COMPARED
    })?;
    Ok(new.found().into_iter().flatten().collect())
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
