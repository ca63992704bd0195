//! `mfactl` alone: what to do next on this machine.

use crate::env::Size;
use crate::testing::World;

fn greeted(world: &World) -> String {
    let ran = world.run("").ok();
    assert_eq!(ran.err, "");
    assert!(ran.out.lines().count() <= 24, "{}", ran.out);
    assert!(ran.out.contains("  mfactl help\n") && !ran.out.contains('\u{1b}'), "{}", ran.out);
    assert!(ran.out.contains("reset -- alice\n"), "{}", ran.out);
    ran.out
}

#[test]
fn without_a_store_it_says_how_to_begin_and_makes_nothing() {
    let world = World::empty();
    if world.engine.is_postgres() {
        return; // A database that is there has no store to be made; it is empty.
    }
    let before = std::fs::read_dir(world.folder.path()).unwrap().count();
    let out = greeted(&world);
    assert!(out.contains("\n  mfactl init\n  mfactl enrol --create -- NAME\n"), "{out}");
    assert_eq!(std::fs::read_dir(world.folder.path()).unwrap().count(), before);
    assert_eq!(world.run("list-status").code, 69, "there is still no store");
}

#[test]
fn a_key_that_is_gone_is_named_first_of_all() {
    let world = World::new();
    assert!(!greeted(&world).contains("is missing"));
    std::fs::remove_file(world.folder.path().join("key/mfactl.key")).unwrap();
    let out = greeted(&world);
    let words = out.replace('\n', " ");
    let missing = words.find("is missing: nobody can be verified");
    let doctor = words.find("  mfactl doctor ").unwrap();
    assert!(
        missing.is_some_and(|at| at < doctor && doctor < words.find("The store is here").unwrap()),
        "{out}"
    );
    assert!(!out.contains("doctor --key-saved"), "{out}");
}

#[test]
fn each_state_of_a_store_has_its_next_step() {
    let world = World::new();
    let out = greeted(&world);
    assert!(
        out.contains("has no user yet") && out.contains("  mfactl add-user -- NAME\n"),
        "{out}"
    );
    assert!(out.contains("\n  mfactl doctor --key-saved\n"), "{out}");
    let _ = world.active("alice");
    let _ = world.pending("bob", "");
    let _ = world.run("add-user carol").ok();
    let out = greeted(&world);
    let words = |out: &str| out.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words(&out).contains(
            "2 of 3 users have no MFA in force; 1 of them waits for the first code of a device."
        ),
        "{out}"
    );
    let steps =
        "  mfactl list-status --without-mfa\n  mfactl enrol -- NAME\n  mfactl show-qr -- NAME\n";
    assert!(out.contains(steps), "{out}");
    let listed = world.run("list-status --without-mfa --json").ok().json();
    assert_eq!(listed["users"].as_array().unwrap().len(), 2, "the list says the same");
    let _ = world.run("remove-user carol --yes").ok();
    let out = greeted(&world);
    let waits = "1 of 2 users has no MFA in force, whose device waits for a first code.";
    assert!(words(&out).contains(waits), "{out}");
    let steps = "  mfactl list-status --without-mfa\n  mfactl show-qr -- NAME\n";
    assert!(out.contains(steps), "{out}");
    // An expired device waits for nothing.
    world.wait(73 * 3600);
    let out = greeted(&world);
    assert!(words(&out).contains("1 of 2 users has no MFA in force. To see"), "{out}");
    let _ = world.run("add-user carol").ok();
    let _ = world.run("remove-user bob --yes").ok();
    let out = greeted(&world);
    assert!(out.contains("1 of 2 users has no MFA in force"), "{out}");
    let _ = world.run("remove-user carol --yes").ok();
    let _ = world.run("doctor --key-saved");
    let out = greeted(&world);
    assert!(out.contains("1 user has MFA in force. To look:"), "{out}");
    assert!(out.contains("\n  mfactl list-status\n") && !out.contains("--key-saved"), "{out}");
}

#[test]
fn it_writes_nothing_into_the_log() {
    let world = World::new();
    let events = || world.sql("SELECT count(*) FROM events");
    let before = events();
    let _ = greeted(&world);
    assert_eq!(events(), before);
}

#[test]
fn a_store_that_cannot_be_read_is_said_and_is_no_failure() {
    let world = World::new();
    for line in ["--store postgres://u@127.0.0.1:1/x", "--config /nonexistent", "--store /dev/null"]
    {
        let out = world.run(line).ok().out;
        assert!(out.contains("The store can't be looked at: "), "{line}: {out}");
        assert!(!out.contains("mfactl: error"), "{line}: {out}");
        assert!(out.contains("doctor\n"), "{line}: {out}");
    }
    // What an operator may not list is not counted for them either.
    world.configure("[roles]\nauditors = []\n");
    let out = world.run("").ok().out;
    assert!(!out.contains("have no MFA"), "{out}");
}

/// A step that only an administrator may take ends with that, and with no colon.
#[test]
fn a_reader_without_the_right_to_a_step_is_led_to_an_administrator() {
    let world = World::new();
    let _ = world.active("alice");
    world.configure("[roles]\nhelpdesk = [\"daemon\"]\nadmin = [\"sys\"]\n");
    for (uid, is_admin) in [(1, false), (3, true)] {
        world.uid.set(uid);
        let out = world.run("").ok().out;
        let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains("No copy of the key file is confirmed"), "{out}");
        assert_eq!(words.contains("then say so: mfactl doctor --key-saved"), is_admin, "{out}");
        assert_eq!(words.contains("again. An administrator can help."), !is_admin, "{out}");
    }
}

#[test]
fn a_damaged_store_has_doctor_as_its_next_step() {
    let world = World::new();
    let _ = world.active("alice");
    world.sql("UPDATE users SET language = 'xx' WHERE name = 'alice'");
    let out = world.run("").ok().out;
    let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
    let problem = "The store can't be looked at: the store is damaged: the record of alice";
    assert!(words.contains(problem), "{out}");
    assert!(words.contains("To find out what is wrong: mfactl doctor"), "{out}");
    assert!(!out.contains("remove-user"), "what gives a user up is not the first step: {out}");
}

#[test]
fn a_file_that_is_no_store_has_doctor_as_its_next_step() {
    let world = World::new();
    if world.engine.is_postgres() {
        return;
    }
    let path = world.folder.path().join("broken.db");
    std::fs::write(&path, [b'x'; 8192]).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let line = format!("--store {}", path.display());
    let out = world.run(&line).ok().out;
    assert!(out.contains("The store can't be looked at: "), "{out}");
    assert!(out.contains(&format!(" --store {} doctor\n", path.display())), "{out}");
}

#[test]
fn an_ordinary_user_of_a_machine_with_a_store_hears_of_their_own_mfa() {
    let mut world = World::empty();
    world.root = world.folder.path().join("machine");
    std::fs::create_dir_all(world.root.join("var/lib/mfactl")).unwrap();
    world.names_store = false;
    world.euid = Some(4_000_000);
    let out = world.run("").ok().out;
    assert!(out.contains("This machine's store is "), "{out}");
    assert!(out.contains("\n  sudo -u mfactl mfactl me\n"), "{out}");
    assert!(out.contains("\n  sudo -u mfactl mfactl reset -- alice\n"), "{out}");
}

#[test]
fn it_is_for_people_and_a_help_flag_asks_for_the_overview() {
    let world = World::new();
    let overview = world.run("help").ok().out;
    for line in ["-h", "--help"] {
        assert_eq!(world.run(line).ok().out, overview, "{line}");
    }
    // A program would take text for data.
    for line in ["--json", "--format jsonl", "--format csv", "--json --quiet"] {
        let ran = world.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (64, ""), "{line}: {ran:?}");
        assert!(ran.err.contains("a verb is missing"), "{line}: {ran:?}");
        assert!(ran.err.contains("mfactl help"), "{line}: {ran:?}");
    }
    assert_eq!(world.run("--json").error(), "usage");
    assert_ne!(world.run("").ok().out, overview);
    assert_eq!(world.run("--color always").ok().out, world.run("").ok().out);
}

#[test]
fn words_are_broken_for_any_terminal_and_commands_are_not() {
    let mut world = World::new();
    let _ = world.pending("alice", "");
    let piped = world.run("").ok().out;
    let commands = |out: &str| -> Vec<String> {
        out.lines().filter(|line| line.starts_with("  mfactl ")).map(str::to_owned).collect()
    };
    for columns in [1, 40, 80, 10_000] {
        world.terminal = Some(Size { columns, rows: 1 });
        let out = world.run("").ok().out;
        assert_eq!(commands(&out), commands(&piped), "{columns}");
        let words = |out: &str| out.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(words(&out), words(&piped), "{columns}");
        let is_narrow = |line: &str| {
            line.starts_with("  ") || line.chars().count() <= columns.into() || !line.contains(' ')
        };
        assert!(out.lines().all(is_narrow), "{columns}: {out}");
    }
}
