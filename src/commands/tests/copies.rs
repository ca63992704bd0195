//! `copy-store`.

use crate::testing::{Engine, World};

#[test]
fn a_copied_store_has_the_same_users_and_devices() {
    let mut world = World::new();
    let alice = world.active("alice");
    let _ = world.pending("bob", "--device tablet");
    let _ = world.run("add-user carol --group staff").ok();
    let _ = world.run("disable alice --yes --reason holiday").ok();
    for _ in 0..6 {
        let _ = world.verify("bob", "000000");
    }
    let before = world.run("list-status --json").ok().json();
    let target = Engine::new(&world.folder.path().join("target"));
    let to = target.location();
    let line = format!("copy-store --json --to {}", to.display());
    let copied = world.run(&line).ok().json();
    assert_eq!((copied["users"].as_u64(), copied["devices"].as_u64()), (Some(3), Some(2)));
    let again = world.run(&line);
    assert_eq!((again.code, again.error().as_str()), (73, "cannot_create"), "{again:?}");
    for query in [
        "SELECT * FROM users ORDER BY n",
        "SELECT * FROM devices ORDER BY n",
        "SELECT hash, mac FROM events WHERE verb <> 'copy-store' ORDER BY seq",
    ] {
        assert_eq!(world.sql(query), target.sql(query), "{query}");
    }
    let here = std::mem::replace(&mut world.engine, target);
    assert_eq!(world.run("list-status --json").ok().json(), before);
    let _ = world.run("enable alice").ok();
    assert_eq!(world.verify("alice", &world.code(&alice, 0)).json()["outcome"], "replayed");
    assert_eq!(world.verify("alice", &world.code(&alice, 1)).json()["outcome"], "accepted");
    let _ = world.run("enrol dave --create --no-confirm --json").ok();
    assert_eq!(world.listed("bob")["locked"], true);
    drop(here);
}

#[test]
fn a_tampered_store_is_not_copied() {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.sql("UPDATE users SET failures = 3");
    let target = Engine::new(&world.folder.path().join("target"));
    let line = format!("copy-store --json --to {}", target.location().display());
    let ran = world.run(&line);
    assert_eq!((ran.code, ran.error().as_str()), (78, "tampered"), "{ran:?}");
    let _ = world.sql("UPDATE users SET failures = 0");
    let _ = world.run(&line).ok();
    let ran = world.run("copy-store --to postgres://u:hunter2@h/x");
    assert_eq!(ran.code, 64);
    assert!(ran.err.contains("--to: ") && !ran.err.contains("hunter2"), "{ran:?}");
}

/// Alters the middle of the log as an attacker without the key could; the signed head stays.
const LOG_EDITS: [&str; 4] = [
    "UPDATE events SET outcome = 'forged' WHERE seq = 3",
    "UPDATE events SET mac = (SELECT mac FROM events WHERE seq = 2) WHERE seq = 3",
    "UPDATE events SET \"user\" = 'mallory' WHERE seq = 3",
    "DELETE FROM events WHERE seq = 3",
];

#[test]
fn a_log_altered_in_its_middle_is_neither_copied_nor_restored() {
    for edit in LOG_EDITS {
        let mut world = World::new();
        for user in ["alice", "bob", "carol", "dave"] {
            let _ = world.run(&format!("add-user {user}")).ok();
        }
        let _ = world.sql(edit);
        let target = Engine::new(&world.folder.path().join("target"));
        let ran = world.run(&format!("copy-store --json --to {}", target.location().display()));
        assert_eq!((ran.code, ran.error().as_str()), (78, "tampered"), "{edit}: {ran:?}");
        assert!(ran.err.contains("event 3"), "{edit}: {ran:?}");
        let file = world.folder.path().join("a.backup");
        let ran = world.run(&format!("backup --json --quiet {}", file.display())).ok();
        assert!(ran.err.contains("warning: the audit log was altered"), "{edit}: {ran:?}");
        assert!(ran.json()["damage"].as_str().unwrap().contains("event 3"), "{edit}: {ran:?}");
        let restore = format!("restore --json --yes --lose-newer {}", file.display());
        let ran = world.run(&restore);
        assert_eq!((ran.code, ran.error().as_str()), (78, "tampered"), "over it: {ran:?}");
        let _here = std::mem::replace(&mut world.engine, target);
        let ran = world.run(&restore);
        assert_eq!((ran.code, ran.error().as_str()), (78, "tampered"), "elsewhere: {ran:?}");
        assert_eq!(world.run("list-status").code, 69, "nothing was kept");
    }
}

#[test]
fn a_copy_includes_a_pruned_log_and_open_requests() {
    let mut world = World::new();
    world.configure(
        "[roles]\nadmin = [\"daemon\", \"sys\"]\nsecond_operator = [\"disable\", \"delete\"]\n",
    );
    world.uid.set(1);
    let _ = world.active("alice");
    let _ = world.run("edit-user alice --protected").ok();
    world.wait(60);
    let _ = world.run("log --prune --before now --yes").ok();
    let report = world.run("disable alice --yes --json").ok().json();
    let id = report["request"].as_str().unwrap().to_owned();
    let file = world.folder.path().join("a.backup");
    let target = Engine::new(&world.folder.path().join("target"));
    let _ = world.run(&format!("copy-store --to {}", target.location().display())).ok();
    let report = world.run(&format!("backup --json {}", file.display())).ok().json();
    assert_eq!(report["damage"], serde_json::Value::Null);
    let _here = std::mem::replace(&mut world.engine, target);
    let after = |world: &World| {
        let ran = world.run("delete alice --yes --json").ok().json();
        assert!(ran["request"].is_string(), "{ran}");
        world.uid.set(3);
        let _ = world.run(&format!("approve {id} --yes")).ok();
        world.uid.set(1);
        assert_eq!(world.listed("alice")["status"], "disabled");
    };
    after(&world);
    let elsewhere = Engine::new(&world.folder.path().join("elsewhere"));
    let _there = std::mem::replace(&mut world.engine, elsewhere);
    let _ = world.run(&format!("restore {}", file.display())).ok();
    after(&world);
}

#[test]
fn a_store_is_copied_into_an_empty_file_but_not_over_content() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let backup = world.folder.path().join("a.backup");
    let _ = world.run(&format!("backup {}", backup.display())).ok();
    let folder = world.folder.path().join("target");
    std::fs::create_dir(&folder).unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path.display().to_string()
    };
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    let (one, other, full) = (file("one", ""), file("other", ""), file("full", "x"));
    let _ = world.run(&format!("copy-store --to {one}")).ok();
    let _ = world.run(&format!("--store {other} restore {}", backup.display())).ok();
    for store in [&one, &other] {
        let _ = world.run(&format!("--store {store} show-user alice")).ok();
    }
    assert_eq!(world.run(&format!("copy-store --to {full}")).code, 73);
    assert_eq!(world.run(&format!("--store {full} restore {}", backup.display())).code, 78);
    assert_eq!(std::fs::read_to_string(&full).unwrap(), "x");
    // An existing file is never overwritten: its owner has to remove it.
    let empty = file("empty", "");
    assert_eq!(world.run(&format!("--store {empty} init")).code, 78);
    assert_eq!(
        std::fs::read_dir(&folder)
            .unwrap()
            .flatten()
            .filter(|e| { e.file_name().to_string_lossy().ends_with(".new") })
            .count(),
        0
    );
}
