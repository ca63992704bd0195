//! Which room may import which, and what may not lead back to itself: read from the source, so that a
//! wrong arrow fails.

#![expect(clippy::panic, clippy::unwrap_used, reason = "what can't be read fails the test")]

#[path = "doors/circles.rs"]
mod circles;
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
use house::House;

/// Each room, which is a module at the top, and the rooms that it may open a door to. What is not listed
/// may not be imported; what is listed and not imported goes out of the list.
const DOORS: &[(&str, &[&str])] = &[];

/// Neighbours in a folder that lead to each other, each with what is below it. The list may only shrink.
const CIRCLES_AMONG_NEIGHBOURS: &[&[&str]] = &[
    &["commands/changes", "commands/list_status"],
    &["domain/undo", "domain/user"],
    &[
        "store/driver",
        "store/ledger",
        "store/log",
        "store/requests",
        "store/row",
        "store/sql",
        "store/table",
        "store/transfer",
        "store/view",
        "store/whole",
    ],
    &["store/sqlite/driver", "store/sqlite/open", "store/sqlite/queue"],
];

/// Files that lead to each other. The list may only shrink.
const CIRCLES_AMONG_FILES: &[&[&str]] = &[
    &[
        "commands",
        "commands/add_user",
        "commands/approve",
        "commands/backup",
        "commands/bypass",
        "commands/changes",
        "commands/check",
        "commands/check/measure",
        "commands/completions",
        "commands/copy_store",
        "commands/delete",
        "commands/diagnose",
        "commands/disable",
        "commands/doctor",
        "commands/edit_user",
        "commands/enable",
        "commands/enrol",
        "commands/force_new_password",
        "commands/help",
        "commands/init",
        "commands/list_status",
        "commands/log",
        "commands/man",
        "commands/metrics",
        "commands/recovery_codes",
        "commands/remove_user",
        "commands/report",
        "commands/report/page",
        "commands/require_mfa",
        "commands/reset",
        "commands/restore",
        "commands/set_password",
        "commands/show_qr",
        "commands/show_user",
        "commands/sign_in",
        "commands/undo",
        "commands/unlock",
        "commands/verify",
        "commands/verify_log",
    ],
    &["config", "config/notify", "config/roles", "config/rules"],
    &["domain/undo", "domain/user"],
    &["enrolment", "enrolment/sheet"],
    &["env", "env/person", "env/real"],
    &["notice", "notice/hook", "notice/limit", "notice/mail", "notice/words"],
    &["report", "report/csv", "report/table"],
    &[
        "session",
        "session/attempt",
        "session/login",
        "session/sign_in",
        "session/standing",
        "session/work",
    ],
    &[
        "store",
        "store/ledger",
        "store/log",
        "store/log/kinds",
        "store/requests",
        "store/row/event",
        "store/sql",
        "store/transfer",
        "store/view",
        "store/whole",
    ],
    &["store/row", "store/row/device", "store/row/user"],
    &[
        "store/sqlite",
        "store/sqlite/driver",
        "store/sqlite/open",
        "store/sqlite/prepared",
        "store/sqlite/queue",
        "store/sqlite/schema",
    ],
];

/// How many names of types may stand for two things. Lower it when one goes.
const MOST_DOUBLES: usize = 47;

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
fn no_room_opens_a_door_that_is_not_on_the_plan() {
    assert!(HOUSE.modules().count() > 40, "the walk found the house");
    let wrong = wrong_doors(&HOUSE, DOORS);
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
fn no_neighbours_lead_to_each_other() {
    let problems = unexpected(&HOUSE.arrows(), circles::neighbours, CIRCLES_AMONG_NEIGHBOURS);
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn no_files_lead_to_each_other() {
    let problems = unexpected(&HOUSE.arrows(), circles::files, CIRCLES_AMONG_FILES);
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn a_name_of_a_type_stands_for_one_thing() {
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
fn imports_are_spelled_out() {
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
fn a_file_holds_one_room() {
    for path in files(&source()) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines: two rooms in one?", path.display());
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    let files = files(&source());
    for path in files.iter().filter(|p| p.file_name().is_some_and(|n| n != "tests.rs")) {
        let text = fs::read_to_string(path).unwrap();
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}
