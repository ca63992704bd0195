//! "I am locked out": one command, and it says why.

use serde_json::json;

use crate::testing::World;

const PASSWORD: &str = "granite walrus pickle tram";

fn locked() -> World {
    let world = World::new();
    let _ = world.active("alice");
    for _ in 0..5 {
        let _ = world.verify("alice", "000000");
        world.wait(1);
    }
    world
}

#[test]
fn d7_task_locked_out_takes_one_command_and_tells_the_reason() {
    let world = locked();
    let _ = world.verify("alice", "000000");
    let ran = world.run("unlock alice").ok();
    let words = "was locked: 5 wrong codes since 2026-01-01T00:00:00Z, the last by verify at 2026-01-01T00:00:04Z\n";
    assert!(ran.out.starts_with("alice: unlocked; MFA is enabled"), "{ran:?}");
    assert!(ran.out.ends_with(words), "{ran:?}");
    assert_eq!(
        ran.err,
        "mfactl: hint: if the next code fails too, run: mfactl diagnose -- alice\n"
    );
    let again = world.run("unlock alice --json").ok().json();
    assert_eq!((&again["changed"], &again["was_locked"]), (&json!(false), &json!(null)));
}

#[test]
fn d7_task_locked_out_is_a_field_in_json_in_a_dry_run_too() {
    let world = locked();
    let expected = json!({
        "since": "2026-01-01T00:00:04Z", "until": "2026-01-01T00:00:34Z", "failures": 5, "wrong_codes": 5,
        "first_failure_at": "2026-01-01T00:00:00Z", "last_failure_at": "2026-01-01T00:00:04Z",
        "last_failure_by": "verify", "service": null,
    });
    let dry = world.run("unlock alice --json --dry-run").ok().json();
    assert_eq!((&dry["was_locked"], &dry["changed"]), (&expected, &json!(true)));
    let real = world.run("unlock alice --json").ok().json();
    assert_eq!(real["was_locked"], expected);
    // An earlier series is no part of the reason.
    for _ in 0..5 {
        world.wait(60);
        let _ = world.verify("alice", "111111");
    }
    let real = world.run("unlock alice --json").ok().json();
    assert_eq!(real["was_locked"]["first_failure_at"], "2026-01-01T00:01:05Z", "{real}");
}

#[test]
fn d7_task_locked_out_by_passwords_names_them_and_the_way_on() {
    let world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let _ = world.run("add-user alice").ok();
    let _ = world.run_with("set-password alice", PASSWORD).ok();
    for _ in 0..5 {
        let typed = json!({ "password": "wrong" }).to_string();
        let _ = world.run_with("sign-in alice --json", &typed);
    }
    let ran = world.run("unlock alice").ok();
    assert!(ran.out.contains("was locked: 5 wrong passwords since"), "{ran:?}");
    assert!(ran.out.contains("the last by sign-in at"), "{ran:?}");
    assert!(ran.err.contains("mfactl force-new-password -- alice"), "{ran:?}");
}

#[test]
fn d7_task_locked_out_says_nothing_of_a_lock_that_was_none() {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.verify("alice", "000000");
    let ran = world.run("unlock alice --json").ok().json();
    assert_eq!((&ran["changed"], &ran["was_locked"]), (&json!(true), &json!(null)));
}
