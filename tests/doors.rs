//! Which room may import which: read from the source, so that a wrong arrow fails.

#![expect(clippy::unwrap_used, reason = "what can't be read fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each room, and the rooms it may open a door to. What is not listed may not be imported.
const DOORS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("report", &[]),
    ("env", &["domain"]),
    ("picture", &["env"]),
    ("hardening", &[]),
    ("failure", &["domain"]),
    ("vault", &["domain"]),
    ("store", &["domain", "vault"]),
    ("config", &["domain", "env", "store", "vault"]),
    ("notice", &["config", "domain", "store"]),
    ("operator_file", &["domain", "env", "store"]),
    ("options", &["domain", "env", "report"]),
    ("misuse", &["domain"]),
    ("services", &["domain"]),
    (
        "session",
        &[
            "config",
            "domain",
            "env",
            "notice",
            "operator_file",
            "options",
            "report",
            "services",
            "store",
            "vault",
        ],
    ),
    (
        "enrolment",
        &["domain", "env", "operator_file", "picture", "report", "session", "store", "vault"],
    ),
    (
        "commands",
        &[
            "config",
            "domain",
            "enrolment",
            "env",
            "misuse",
            "options",
            "report",
            "services",
            "session",
            "store",
            "vault",
        ],
    ),
    ("cli", &["commands", "config", "domain", "env", "misuse", "options", "report", "session"]),
    ("lib", &["cli", "commands", "config", "env", "failure", "report", "session"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Tests may look everywhere.
fn is_test(path: &Path) -> bool {
    let name = path.file_stem().unwrap().to_string_lossy();
    let in_tests = path
        .components()
        .any(|c| ["tests", "contract", "testing"].iter().any(|t| c.as_os_str() == *t));
    in_tests || matches!(&*name, "tests" | "testing" | "contract" | "main")
}

#[test]
fn no_room_opens_a_door_that_is_not_on_the_plan() {
    let mut files = Vec::new();
    sources(&source(), &mut files);
    assert!(files.len() > 40, "the walk found the house");
    let mut wrong = BTreeSet::new();
    for path in files.iter().filter(|p| !is_test(p)) {
        let relative = path.strip_prefix(source()).unwrap();
        let first = relative.components().next().unwrap().as_os_str().to_string_lossy();
        let room = first.trim_end_matches(".rs").to_owned();
        let allowed = DOORS.iter().find(|(name, _)| *name == room).map(|(_, doors)| *doors);
        let Some(allowed) = allowed else {
            wrong.insert(format!("{room} is not on the plan"));
            continue;
        };
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for part in text.split("crate::").skip(1) {
            let door = part.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap();
            let is_own =
                door == room || door.is_empty() || door.chars().all(|c| c.is_ascii_digit());
            if !is_own && !allowed.contains(&door) {
                wrong.insert(format!("{} imports {door}", relative.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A room may only open doors to rooms further up the list, so that no two look into each other.
#[test]
fn the_doors_run_one_way() {
    for (at, (room, doors)) in DOORS.iter().enumerate() {
        for door in *doors {
            let above = DOORS[..at].iter().any(|(name, _)| name == door);
            assert!(above, "{room} looks down into {door}");
        }
    }
}

#[test]
fn imports_are_spelled_out() {
    let mut files = Vec::new();
    sources(&source(), &mut files);
    for path in files.iter().filter(|p| !is_test(p)) {
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        assert!(!text.contains("::*;"), "{} imports by star", path.display());
    }
}

#[test]
fn a_file_holds_one_room() {
    let mut files = Vec::new();
    sources(&source(), &mut files);
    for path in files {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines: two rooms in one?", path.display());
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let mut files = Vec::new();
    sources(&source(), &mut files);
    for path in files.iter().filter(|p| p.file_name().is_some_and(|n| n != "tests.rs")) {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}
