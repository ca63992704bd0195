//! Which room may import which, and what may not lead back to itself: read from the source, so that a
//! wrong arrow fails.

#![expect(clippy::panic, clippy::unwrap_used, reason = "what can't be read fails the test")]

#[path = "doors/circles.rs"]
mod circles;
#[path = "doors/figures.rs"]
mod figures;
#[path = "doors/house.rs"]
mod house;
#[path = "doors/paths.rs"]
mod paths;
#[path = "doors/tests.rs"]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use circles::unexpected;
use figures::{Figures, files_on_path};
use house::House;

/// Each room, which is a module at the top, and the rooms that it may open a door to. What is not listed
/// may not be imported; what is listed and not imported goes out of the list.
const DOORS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("env", &["domain"]),
    ("files", &["domain", "env"]),
    ("texts", &["domain"]),
    ("formats", &["domain"]),
    ("keyring", &["domain"]),
    ("store", &["domain", "files", "keyring"]),
    ("config", &["domain", "env", "files", "keyring", "store"]),
    // The words of people with a phone: for whoever speaks to them.
    ("texts", &["domain"]),
    ("handout", &["config", "domain", "files", "texts"]),
    ("report", &[]),
    ("options", &["domain", "env", "report"]),
    ("suggest", &["domain", "store"]),
    (
        "app",
        &["config", "domain", "env", "files", "keyring", "options", "report", "store", "suggest"],
    ),
    ("audit", &["app", "config", "domain", "env", "files", "keyring", "store"]),
    ("notice", &["config", "domain", "files", "texts"]),
    (
        "operate",
        &[
            "app", "audit", "config", "domain", "files", "formats", "keyring", "notice", "report",
            "store", "suggest",
        ],
    ),
    (
        "authenticate",
        &[
            "app", "audit", "config", "domain", "env", "files", "keyring", "notice", "operate",
            "options", "store", "texts",
        ],
    ),
    ("bench", &["domain", "files", "keyring", "store"]),
    ("completion", &["app", "config", "domain", "env", "operate", "options"]),
    ("error_report", &["domain"]),
    ("fuzzing", &["authenticate", "domain", "formats", "operate", "store"]),
    // The words of people with a phone: for whoever speaks to them.
    ("texts", &["domain"]),
    ("handout", &["config", "domain", "files", "texts"]),
    ("maintain", &["app", "audit", "config", "domain", "files", "keyring", "store"]),
    ("show", &["app", "domain", "env", "files", "keyring", "report", "store", "texts"]),
    ("usage_error", &["domain", "suggest"]),
    (
        "commands",
        &[
            "app",
            "audit",
            "authenticate",
            "completion",
            "config",
            "domain",
            "env",
            "error_report",
            "files",
            "handout",
            "keyring",
            "maintain",
            "operate",
            "options",
            "report",
            "show",
            "store",
            "suggest",
            "texts",
            "usage_error",
        ],
    ),
    ("cli", &["app", "commands", "config", "domain", "env", "options", "report", "usage_error"]),
    ("hardening", &[]),
    ("lib", &["cli", "domain", "env", "error_report", "report"]),
    ("main", &["env", "hardening", "lib"]),
];

/// Circles among modules of one folder, each module with its children, that are still allowed. A parent and
/// its children may know each other: `commands.rs` lists the verbs, and each verb implements its trait.
const KNOWN_CIRCLES: &[&[&str]] = &[];

/// How many type names may be defined twice.
const MOST_DOUBLES: usize = 4;

/// How many methods a struct may have.
const MOST_METHODS: usize = 24;
/// How many files a reader of a submitted code meets; the aim is 25. Two are the loading and the writing of sets.
const MOST_FILES_OF_A_CODE: usize = 52;
/// The same for a reset; the aim is 20. Four find the user, show them and say what follows, before the question.
const MOST_FILES_OF_A_RESET: usize = 47;

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

static HOUSE: LazyLock<House> = LazyLock::new(|| House::read(&source()));

/// What the rooms of a house import against the list, and what the list has for nothing.
fn wrong_doors(house: &House, doors: &[(&str, &[&str])]) -> BTreeSet<String> {
    let mut wrong = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (at, module, written, names) in house.named() {
        let (room, door) = (house.room(at), house.room(&names));
        let is_allowed = doors.iter().any(|(r, ends)| *r == room && ends.contains(&&*door));
        if room != door && !is_allowed {
            let written = written.join("::");
            wrong.insert(format!("{} opens a door to {door}: {written}", module.file));
        }
        used.insert((room, door));
    }
    for (at, _) in house.modules().filter(|(at, _)| at.len() < 2) {
        let room = house.room(at);
        if !doors.iter().any(|(name, _)| *name == room) {
            wrong.insert(format!("{room} is not in the list"));
        }
    }
    for (name, ends) in doors {
        if !house.modules().any(|(at, _)| house.room(at) == *name) {
            wrong.insert(format!("{name} is no room: take it out of the list"));
        }
        for end in ends.iter().filter(|end| !used.contains(&((*name).into(), (**end).into()))) {
            wrong.insert(format!("{name} opens no door to {end}: take it out of the list"));
        }
    }
    wrong
}

#[test]
fn no_room_imports_a_room_that_is_not_listed() {
    assert!(HOUSE.modules().count() > 40, "the walk found the house");
    let wrong = wrong_doors(&HOUSE, DOORS);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A room may only import rooms further up the list, so that no two import each other.
#[test]
fn rooms_import_one_way() {
    for (at, (room, doors)) in DOORS.iter().enumerate() {
        for door in *doors {
            let above = DOORS[..at].iter().any(|(name, _)| name == door);
            assert!(above, "{room} looks down into {door}");
        }
    }
}

#[test]
fn modules_of_a_folder_import_one_way() {
    let problems = unexpected(&HOUSE.arrows(), circles::neighbours, KNOWN_CIRCLES);
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn few_type_names_are_defined_twice() {
    let mut files: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (_, module) in HOUSE.modules() {
        for name in &module.paths.types {
            files.entry(name).or_default().push(&module.file);
        }
    }
    files.retain(|_, files| files.len() > 1);
    let doubles = files.len();
    assert!(doubles <= MOST_DOUBLES, "{doubles} names, {MOST_DOUBLES} are allowed: {files:#?}");
}

#[test]
fn no_import_has_a_wildcard() {
    let stars = HOUSE.modules().filter(|(_, module)| !module.paths.stars.is_empty());
    let stars: Vec<_> = stars.map(|(_, module)| (&module.file, &module.paths.stars)).collect();
    assert!(stars.is_empty(), "imports by star: {stars:?}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_file_is_long() {
    // The table of a language is one subject, however long: one file to translate.
    let tables = ["texts/english.rs", "texts/french.rs"];
    for path in files(&source()) {
        if tables.iter().any(|table| path.ends_with(table)) {
            continue;
        }
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 500, "{} has {lines} lines: does it hold two subjects?", path.display());
    }
}

/// The figures may fall. Where one rises, find out why before you raise its limit; renew docs/design.md with
/// what this prints.
#[test]
fn the_figures_stay_where_they_are() {
    let figures = Figures::of(&HOUSE, &source());
    let page = fs::read_to_string(source().with_file_name("docs/code-path.md")).unwrap();
    let code = files_on_path(&page, "## Before the store is opened", Some("## Other callers"));
    let reset = files_on_path(&page, "## A reset", None);
    let text = figures.text(code, reset);
    #[expect(clippy::disallowed_macros, reason = "the test harness owns the output")]
    {
        println!("{text}");
    }
    let (name, methods, _) = figures.largest()[0];
    assert!(methods <= MOST_METHODS, "{name} has {methods} methods\n{text}");
    assert!(code <= MOST_FILES_OF_A_CODE && reset <= MOST_FILES_OF_A_RESET, "{text}");
}

#[test]
fn every_file_begins_with_its_purpose() {
    let files = files(&source());
    for path in files.iter().filter(|p| p.file_name().is_some_and(|n| n != "tests.rs")) {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}
