//! Hints name commands that work as they are printed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::commands::VERBS;
use crate::testing::World;

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Words about the program that no reader would copy.
const NO_COMMANDS: &[&str] = &[
    "not a state file of mfactl changes",
    "is not the header of an mfactl backup",
    // Lines of a service's configuration.
    "starts mfactl verify --from pam",
    "starts mfactl verify --from radius",
];

/// The lines of a source that show a command by hand. Examples are for the help, and comments for us.
fn by_hand(source: &str) -> Vec<&str> {
    let source = source.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let is_verb = |rest: &str| {
        let word = rest.split(|c: char| !c.is_ascii_lowercase() && c != '-').next().unwrap();
        VERBS.iter().any(|entry| entry.spec.name == word)
    };
    let mut is_example = false;
    let mut found = Vec::new();
    for line in source.lines().map(str::trim) {
        is_example |= line.starts_with("const EXAMPLES") || line.starts_with("pub const EXAMPLES");
        let is_comment = line.starts_with("//");
        let shows = line.split("mfactl ").skip(1).any(is_verb);
        if shows && !is_example && !is_comment && !NO_COMMANDS.iter().any(|no| line.contains(no)) {
            found.push(line);
        }
        is_example &= !line.ends_with(';');
    }
    found
}

#[test]
fn d5_no_hint_is_composed_by_hand() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 200, "the sources were read");
    let is_exempt = |path: &Path| {
        let path = path.strip_prefix(&root).unwrap().to_str().unwrap();
        path == "testing.rs"
            || path == "commands/help.rs"
            || path.ends_with("tests.rs")
            || path.contains("tests/")
    };
    files.retain(|path| !is_exempt(path));
    for path in files {
        let source = fs::read_to_string(&path).unwrap();
        let found = by_hand(&source);
        assert!(
            found.is_empty(),
            "build it with domain::hint::command: {}: {found:?}",
            path.display()
        );
    }
}

#[test]
fn a_command_by_hand_is_found() {
    assert_eq!(by_hand(r#".hint("run: mfactl unlock alice")"#).len(), 1);
    assert_eq!(by_hand(r#"format!("mfactl show-qr {name}")"#).len(), 1);
    for fine in [
        "// run: mfactl unlock alice",
        "const EXAMPLES: &[&str] = &[\n\"mfactl unlock alice\",\n];",
        r#""the file is not an mfactl store""#,
        r#""mfactl {verb}""#,
    ] {
        assert!(by_hand(fine).is_empty(), "{fine}");
    }
}

#[test]
fn d13_a_hint_names_the_device_where_two_would_fit() {
    let world = World::new();
    let _ = world.pending("sue", "");
    let ran = world.run("enrol sue --device tab --no-confirm --reveal-secrets").ok();
    assert!(ran.err.contains("run: mfactl show-qr --device tab -- sue; "), "{}", ran.err);
    let ran = world.run("show-qr sue");
    assert!(ran.code == 76 && ran.err.contains("run: mfactl show-qr --device "), "{ran:?}");
    let line = ran.err.trim().rsplit_once("run: mfactl ").unwrap().1;
    let _ = world.run(&format!("{line} --reveal-secrets").replace(" -- sue", " sue")).ok();
    let ran = world.run("enrol sue --device tab --no-confirm --reveal-secrets").ok();
    assert!(ran.err.contains(" --device tab -- sue; "), "{}", ran.err);
    let one = World::new();
    let ran = one.run("enrol sue --create --no-confirm --reveal-secrets").ok();
    assert!(ran.err.contains("run: mfactl show-qr -- sue; "), "{}", ran.err);
}

#[test]
fn d5_a_hint_is_for_the_caller_who_gets_it() {
    let mut world = World::new();
    let _ = world.run("add-user o'brien").ok();
    let json = |world: &World, line: &str| {
        let ran = world.run(&format!("{line} --json"));
        let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
        error["error"]["hint"].as_str().unwrap().to_owned()
    };
    let line = "show-qr o'brien";
    assert_eq!(json(&world, line), r"set one up with: mfactl enrol -- 'o'\''brien'");
    world.sudo_user = Some("mfactl");
    assert_eq!(json(&world, line), r"set one up with: sudo -u mfactl mfactl enrol -- 'o'\''brien'");
    world.sudo_user = Some("root");
    assert_eq!(json(&world, line), r"set one up with: sudo mfactl enrol -- 'o'\''brien'");
    let key = world.folder.path().join("key/mfactl.key").display().to_string();
    let hint = json(&world, &format!("--key-file {key} {line}"));
    assert_eq!(
        hint,
        format!(r"set one up with: sudo mfactl --key-file {key} enrol -- 'o'\''brien'")
    );
    let ran = world.run("unlokc bob");
    assert!(ran.err.contains("see: mfactl help\n"), "help needs no rights: {}", ran.err);
}

#[test]
fn d5_a_role_is_not_sent_to_a_verb_that_it_may_not_run() {
    let world = World::new();
    let _ = world.pending("alice", "");
    world.configure("[roles]\nauditor = [\"daemon\"]\nservice = [\"bin\"]\nhelpdesk = [\"sys\"]\n");
    world.uid.set(2);
    for _ in 0..5 {
        drop(world.verify("alice", "000000"));
    }
    let ran = world.run_with("verify alice", "000000");
    assert!(!ran.out.contains("unlock"), "{ran:?}");
    world.uid.set(3);
    let ran = world.run_with("resync alice", "123456\n654321\n");
    assert!(!ran.err.contains("mfactl verify"), "{ran:?}");
}
