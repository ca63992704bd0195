//! Words that the source and its documents do without.

#![expect(clippy::unwrap_used, reason = "what can't be read fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

/// A user is "the user" or "they".
const PRONOUNS: [&str; 4] = ["he", "his", "him", "himself"];
const PLACES: [&str; 9] = [
    "src",
    "tests",
    "docs",
    "man",
    "contrib",
    "README.md",
    "SECURITY.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
];

/// Text files at a place.
fn files(place: &Path) -> Vec<PathBuf> {
    if !place.is_dir() {
        return vec![place.to_owned()];
    }
    let entries = fs::read_dir(place).unwrap();
    entries.flat_map(|entry| files(&entry.unwrap().path())).collect()
}

#[test]
fn a_user_is_no_he() {
    let mut found = Vec::new();
    for path in
        PLACES.iter().flat_map(|place| files(&Path::new(env!("CARGO_MANIFEST_DIR")).join(place)))
    {
        // This file names the words, and an image is no text.
        if path.ends_with(file!()) {
            continue;
        }
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let relative = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display();
        for (n, line) in text.lines().enumerate() {
            // A rule may quote the word.
            let line = &line.replace("\"he\"", "");
            let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
            let mut pronouns =
                words.filter(|word| PRONOUNS.iter().any(|p| p.eq_ignore_ascii_case(word)));
            if pronouns.next().is_some() {
                found.push(format!("{relative}:{}: {}", n + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "say \"the user\" or \"they\": {found:#?}");
}
