//! A store that is taken to another place.

use crate::testing::{Engine, World};

#[test]
fn a_copied_store_is_the_same_store_and_nobody_enrols_again() {
    let mut world = World::new();
    let alice = world.active("alice");
    let _ = world.pending("bob", "--device tablet");
    let _ = world.run("add-user carol --group staff").ok();
    let _ = world.run("disable alice --yes --reason holiday").ok();
    for _ in 0..6 {
        let _ = world.verify("bob", "000000");
    }
    let before = world.run("list-status --json").ok().json();
    let there = Engine::new(&world.folder.path().join("there"));
    let to = there.location();
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
        assert_eq!(world.sql(query), there.sql(query), "{query}");
    }
    let here = std::mem::replace(&mut world.engine, there);
    assert_eq!(world.run("list-status --json").ok().json(), before);
    let _ = world.run("enable alice").ok();
    assert_eq!(world.verify("alice", &world.code(&alice, 0)).json()["outcome"], "replayed");
    assert_eq!(world.verify("alice", &world.code(&alice, 1)).json()["outcome"], "accepted");
    let _ = world.run("enrol dave --create --no-confirm --json").ok();
    assert_eq!(world.listed("bob")["locked"], true);
    drop(here);
}

#[test]
fn a_store_that_was_altered_is_not_copied_and_leaves_nothing() {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.sql("UPDATE users SET failures = 3");
    let there = Engine::new(&world.folder.path().join("there"));
    let line = format!("copy-store --json --to {}", there.location().display());
    let ran = world.run(&line);
    assert_eq!((ran.code, ran.error().as_str()), (78, "tampered"), "{ran:?}");
    let _ = world.sql("UPDATE users SET failures = 0");
    let _ = world.run(&line).ok();
    let ran = world.run("copy-store --to postgres://u:hunter2@h/x");
    assert_eq!(ran.code, 64);
    assert!(ran.err.contains("--to: ") && !ran.err.contains("hunter2"), "{ran:?}");
}

/// What somebody without the key may do to the middle of the log; the guarded end stays.
const LOG_EDITS: [&str; 4] = [
    "UPDATE events SET outcome = 'forged' WHERE seq = 3",
    "UPDATE events SET mac = (SELECT mac FROM events WHERE seq = 2) WHERE seq = 3",
    "UPDATE events SET \"user\" = 'mallory' WHERE seq = 3",
    "DELETE FROM events WHERE seq = 3",
];

#[test]
fn a_log_that_was_altered_in_its_middle_is_neither_copied_nor_restored() {
    for edit in LOG_EDITS {
        let mut world = World::new();
        for user in ["alice", "bob", "carol", "dave"] {
            let _ = world.run(&format!("add-user {user}")).ok();
        }
        let _ = world.sql(edit);
        let there = Engine::new(&world.folder.path().join("there"));
        let ran = world.run(&format!("copy-store --json --to {}", there.location().display()));
        assert_eq!((ran.code, ran.error().as_str()), (78, "tampered"), "{edit}: {ran:?}");
        assert!(ran.err.contains("event 3"), "{edit}: {ran:?}");
        let file = world.folder.path().join("a.backup");
        let ran = world.run(&format!("backup --json --quiet {}", file.display())).ok();
        assert!(ran.err.contains("warning: the audit log was altered"), "{edit}: {ran:?}");
        assert!(ran.json()["damage"].as_str().unwrap().contains("event 3"), "{edit}: {ran:?}");
        let restore = format!("restore --json --yes --lose-newer {}", file.display());
        let ran = world.run(&restore);
        assert_eq!((ran.code, ran.error().as_str()), (78, "tampered"), "over it: {ran:?}");
        let _here = std::mem::replace(&mut world.engine, there);
        let ran = world.run(&restore);
        assert_eq!((ran.code, ran.error().as_str()), (78, "tampered"), "elsewhere: {ran:?}");
        assert_eq!(world.run("list-status").code, 69, "nothing was kept");
    }
}

#[test]
fn a_pruned_log_goes_along_and_so_do_requests_after_which_others_can_be_made() {
    let mut world = World::new();
    world.configure(
        "[roles]\nadmin = [\"daemon\", \"sys\"]\nsecond_operator = [\"disable\", \"delete\"]\n",
    );
    world.uid.set(1);
    let _ = world.active("alice");
    let _ = world.run("edit-user alice --protected").ok();
    world.wait(60);
    let _ = world.run("log --prune --before now --yes").ok();
    let asked = world.run("disable alice --yes --json").ok().json();
    let id = asked["request"].as_str().unwrap().to_owned();
    let file = world.folder.path().join("a.backup");
    let there = Engine::new(&world.folder.path().join("there"));
    let _ = world.run(&format!("copy-store --to {}", there.location().display())).ok();
    let told = world.run(&format!("backup --json {}", file.display())).ok().json();
    assert_eq!(told["damage"], serde_json::Value::Null);
    let _here = std::mem::replace(&mut world.engine, there);
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
fn an_empty_file_is_room_for_a_store_and_one_with_something_in_it_is_not() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let backup = world.folder.path().join("a.backup");
    let _ = world.run(&format!("backup {}", backup.display())).ok();
    let folder = world.folder.path().join("there");
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
    // What somebody made there is his to take away: nothing is initialised over it.
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
