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
