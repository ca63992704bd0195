//! What was made while the clock was ahead ends no later than its time, counted from when the clock is right.

use crate::testing::{CommandResult, World, secret};

const DAY: i64 = 86_400;
const OLD: &str = "granite walrus pickle tram";
const NEW: &str = "copper lantern drifts west";

/// Runs `change` while the clock is so many days ahead.
fn ahead(world: &World, days: i64, change: impl FnOnce() -> CommandResult) -> CommandResult {
    world.wait(days * DAY);
    let ran = change().ok();
    world.wait(-days * DAY);
    ran
}

#[test]
fn w12_a_temporary_password_of_a_clock_that_was_ahead_opens_nothing() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let _ = world.run_with("set-password alice", &format!("{OLD}\n")).ok();
    let force = "force-new-password alice --yes --json --reveal-secrets";
    let made = ahead(&world, 30, || world.run(force)).json();
    let temporary = made["temporary_password"].as_str().unwrap().to_owned();
    let typed = format!("{{\"password\":\"{temporary}\"}}");
    let sign_in = || world.run_with("sign-in alice --json", &typed).json()["outcome"].clone();
    for wait in [0, 5 * DAY] {
        world.wait(wait);
        assert_eq!(sign_in(), "rejected");
        let shown = world.run("show-user alice").ok();
        let words = "temporary password not good: it was made while the clock was ahead";
        assert!(shown.out.contains(words), "{shown:?}");
        let json = world.run("show-user alice --json").ok().json();
        assert!(json["temporary_password_until"].is_null(), "{json}");
    }
    // Another one is good, for a day.
    let made = world.run(force).ok().json();
    let temporary = made["temporary_password"].as_str().unwrap().to_owned();
    let typed = format!("{{\"password\":\"{temporary}\",\"new_password\":\"{NEW}\"}}");
    let ran = world.run_with("sign-in alice --json", &typed).json();
    assert_eq!(ran["outcome"], "accepted", "{ran}");
    let _ = world.run("verify-log").ok();
}

#[test]
fn w12_a_pending_device_of_a_clock_that_was_ahead_is_not_confirmed() {
    let world = World::new();
    let _ = world.active("alice");
    let made =
        ahead(&world, 10, || world.run("reset alice --yes --no-confirm --json --reveal-secrets"));
    let secret = secret(&made);
    for wait in [0, 5 * DAY] {
        world.wait(wait);
        let ran = world.run_with("verify alice --json", &world.code(&secret, 0));
        assert_eq!((ran.code, ran.error()), (76, "pending_expired".to_owned()), "{ran:?}");
        assert!(ran.err.contains("was made while the clock was ahead"), "{ran:?}");
        let ran = world.run("show-qr alice --reveal-secrets --json");
        assert_eq!((ran.code, ran.error()), (76, "pending_expired".to_owned()), "{ran:?}");
        let found = world.run_with("diagnose alice --json", &world.code(&secret, 0)).ok().json();
        assert_eq!(found["finding"], "expired");
        assert!(found["sentence"].as_str().unwrap().contains("clock was ahead"), "{found}");
        let shown = world.run("show-user alice").ok();
        assert!(shown.out.contains("not to be confirmed: it was made while"), "{shown:?}");
    }
    let _ = world.run("reset alice --yes --no-confirm --json --reveal-secrets").ok();
}

#[test]
fn w12_an_undo_is_not_open_for_the_jump_of_the_clock() {
    let world = World::new();
    let secret = world.active("bob");
    let _ = ahead(&world, 10, || world.run("delete bob --yes"));
    for wait in [0, 5 * DAY] {
        world.wait(wait);
        for verb in ["undo bob --yes --json", "undo bob --even-after-code --yes --json"] {
            let ran = world.run(verb);
            assert_eq!((ran.code, ran.error()), (76, "nothing_to_undo".to_owned()), "{ran:?}");
            assert!(ran.err.contains("the clock was ahead then, or is behind now"), "{ran:?}");
        }
        assert_eq!(world.run("undo bob --list --json").ok().json()["summary"]["count"], 0);
    }
    // In its own day it is taken back.
    world.wait(5 * DAY + 60);
    let _ = world.run("undo bob --yes").ok();
    assert_eq!(world.verify("bob", &world.code(&secret, 0)).ok().json()["outcome"], "accepted");
}

#[test]
fn w12_clocks_of_machines_that_share_a_store_may_differ_by_a_minute() {
    let world = World::new();
    let secret = world.pending("alice", "");
    world.wait(-60);
    assert_eq!(world.verify("alice", &world.code(&secret, 0)).ok().json()["outcome"], "confirmed");
    let _ = world.run("delete alice --yes").ok();
    world.wait(-60);
    let _ = world.run("undo alice --yes --even-after-code").ok();
}
