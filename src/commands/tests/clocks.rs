//! Clocks that were wrong: locks, codes and findings afterwards.

use crate::testing::World;

const DAY: i64 = 86_400;

#[test]
fn w12_a_lock_of_a_clock_that_was_ahead_ends_in_its_time() {
    let world = World::new();
    let secret = world.active("alice");
    world.wait(DAY);
    for _ in 0..5 {
        assert_eq!(world.verify("alice", "000000").code, 1);
    }
    world.wait(-DAY + 60);
    assert_eq!(world.listed("alice")["locked_until"], "2026-01-01T00:01:30Z", "30 s from now");
    let ran = world.verify("alice", &world.code(&secret, 0)).json();
    assert_eq!(ran["outcome"], "locked");
    assert_eq!(ran["locked_until"], "2026-01-01T00:01:30Z");
    world.wait(29);
    let ran = world.verify("alice", &world.code(&secret, 0)).json();
    assert_eq!(
        (&ran["outcome"], &ran["locked_until"]),
        (&"locked".into(), &"2026-01-01T00:01:30Z".into())
    );
    world.wait(1);
    assert_eq!(world.verify("alice", &world.code(&secret, 0)).ok().json()["outcome"], "accepted");
    let _ = world.run("verify-log").ok();
}

#[test]
fn w12_the_lock_of_a_sign_in_ends_too_and_one_that_is_set_right_holds() {
    let world = World::new();
    let secret = world.active("alice");
    world.wait(DAY);
    for _ in 0..5 {
        assert_eq!(world.verify("alice", "000000").code, 1);
    }
    world.wait(-DAY);
    assert_eq!(world.run_with("diagnose alice", "000000").code, 1, "an attempt like any other");
    world.wait(60);
    assert!(world.listed("alice")["locked_until"].is_null());
    world.wait(DAY - 40);
    assert_eq!(world.verify("alice", &world.code(&secret, 0)).json()["outcome"], "locked");
    let _ = world.run("verify-log").ok();
}
