//! An ordinary user on a machine that has a store of its own.

use std::fs;

use crate::commands::VERBS;
use crate::testing::World;

/// Where the machine has the folder, an ordinary user who names no store.
fn ordinary(folder: &str) -> World {
    let mut world = World::empty();
    world.root = world.folder.path().join("root");
    world.euid = Some(54_321);
    world.names_store = false;
    fs::create_dir_all(world.root.join(folder)).unwrap();
    world
}

fn hint(world: &World, line: &str) -> String {
    let ran = world.run(line);
    assert_eq!((ran.code, ran.out.as_str()), (77, ""), "{line}: {ran:?}");
    let hint = ran.err.rsplit_once("mfactl: hint: run: ").unwrap_or_else(|| panic!("{ran:?}")).1;
    hint.trim_end().to_owned()
}

#[test]
fn d1_an_ordinary_user_is_sent_to_the_store_of_the_machine() {
    let world = ordinary("var/lib/mfactl");
    let ran = world.run("reset alice");
    let place = world.root.join("var/lib/mfactl");
    let error = format!("mfactl: error: this machine's store is {}\n", place.display());
    assert!(ran.code == 77 && ran.err.starts_with(&error), "{ran:?}");
    assert!(ran.err.ends_with("hint: run: sudo -u mfactl mfactl reset -- alice\n"), "{ran:?}");
    let ran = world.run("enrol alice --create --json");
    let error: serde_json::Value = serde_json::from_str(&ran.err).unwrap();
    assert_eq!(error["error"]["code"], "not_permitted");
    let hint = "run: sudo -u mfactl mfactl enrol --create --json -- alice";
    assert_eq!(error["error"]["hint"], hint);
    assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 1, "nothing was made");
    assert_eq!(fs::read_dir(&place).unwrap().count(), 0);
}

#[test]
fn d1_the_folder_of_the_configuration_counts_too() {
    let world = ordinary("etc/mfactl");
    let ran = world.run("list-status");
    let place = world.root.join("etc/mfactl").display().to_string();
    let error = format!("mfactl: error: this machine's configuration is in {place}\n");
    assert!(ran.code == 77 && ran.err.starts_with(&error), "{ran:?}");
}

#[test]
fn d1_the_words_of_the_caller_are_put_in_the_order_of_the_sudo_rules() {
    let world = ordinary("var/lib/mfactl");
    for (typed, line) in [
        ("unlock alice --ticket HELP-1 --yes", "unlock --ticket HELP-1 --yes -- alice"),
        ("approve 3f09a1c2 --yes", "approve --yes -- 3f09a1c2"),
        ("find alice martin --quiet", "find --quiet -- alice martin"),
        ("show-user o'brien", r"show-user -- 'o'\''brien'"),
        ("edit-user alice --group a --group=b", "edit-user --group a --group b -- alice"),
        ("reset", "reset"),
        ("enroll alice -q", "enrol --quiet -- alice"),
        ("disable --from n.txt --yes", "disable --yes --from - < n.txt"),
        ("disable --from - --yes", "disable --yes --from -"),
        ("verify alice", "verify -- alice"),
        ("init", "init"),
        ("doctor", "doctor"),
        ("--key-file k list-status", "list-status"),
    ] {
        assert_eq!(hint(&world, typed), format!("sudo -u mfactl mfactl {line}"), "{typed}");
    }
}

#[test]
fn d1_every_verb_with_a_store_is_refused_and_the_others_are_not() {
    let world = ordinary("var/lib/mfactl");
    for entry in VERBS {
        let name = entry.spec.name;
        let words = match name {
            "restore" | "backup" | "add-tokens" => " FILE",
            "assign" => " T1 alice",
            "unassign" | "remove-token" => " T1",
            "copy-store" => " --to other.db",
            "changes" => " --since 7d",
            "bypass" => " --for 1h alice",
            "edit-user" => " --protected alice",
            "find" | "verify" | "sign-in" | "set-password" | "add-user" => " alice",
            "completions" => " bash",
            _ => "",
        };
        let ran = world.run(&format!("{name}{words}"));
        let expected = match name {
            // The status of a plugin that does not know.
            "check" => 3,
            _ if entry.spec.roles.is_none() => 0,
            _ => 77,
        };
        assert_eq!(ran.code, expected, "{name}: {ran:?}");
    }
    assert_eq!(fs::read_dir(world.folder.path()).unwrap().count(), 1, "nothing was made");
}

#[test]
fn d1_who_names_a_store_or_is_no_ordinary_user_goes_on() {
    let is_refused = |world: &World, line: &str| world.run(line).err.contains("this machine's");
    let mut world = ordinary("var/lib/mfactl");
    let own = world.folder.path().join("own.db").display().to_string();
    assert!(!is_refused(&world, &format!("--store {own} list-status")));
    world.configure(&format!("[store]\nlocation = \"{own}\"\n"));
    assert!(!is_refused(&world, "list-status"));
    world.configure("");
    assert!(is_refused(&world, "list-status"));
    world.names_store = true;
    assert!(!is_refused(&world, "list-status"));
    world.names_store = false;
    world.euid = Some(0);
    assert!(!is_refused(&world, "list-status"));
    world.euid = Some(54_321);
    // A login service has rules of its own.
    world.variables =
        vec![("PAM_USER".to_owned(), "alice".into()), ("PAM_TYPE".to_owned(), "auth".into())];
    assert!(!is_refused(&world, "verify --from pam"));
    world.variables.clear();
    fs::remove_dir_all(&world.root).unwrap();
    assert!(!is_refused(&world, "show-user alice"), "a machine without a store");
}
