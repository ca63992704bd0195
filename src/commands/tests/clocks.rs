//! Clocks that were wrong: locks, codes and findings afterwards.

use crate::domain::secret::Secret;
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

/// Alice, whose last code was accepted a day ahead of now.
fn ahead() -> (World, Secret) {
    let world = World::new();
    let secret = world.active("alice");
    world.wait(DAY);
    let _ = world.verify("alice", &world.code(&secret, 0)).ok();
    world.wait(-DAY + 60);
    (world, secret)
}

#[test]
fn w7_diagnose_says_until_when_a_clock_that_was_ahead_refuses_codes() {
    let (world, secret) = ahead();
    let report = world.run_with("diagnose alice --json", &world.code(&secret, 0)).ok().json();
    assert_eq!(
        (&report["finding"], &report["device"]),
        (&"clock_was_ahead".into(), &"phone".into())
    );
    let until = "2026-01-02T00:00:30Z";
    assert_eq!(report["refused_until"], until);
    assert!(report["sentence"].as_str().unwrap().contains(until), "{report}");
    world.wait(DAY - 31);
    assert_eq!(world.verify("alice", &world.code(&secret, 0)).json()["outcome"], "replayed");
    world.wait(1);
    assert_eq!(world.verify("alice", &world.code(&secret, 0)).ok().json()["outcome"], "accepted");
}

/// The state and the words of a finding of doctor.
fn doctor(world: &World, what: &str) -> Option<(String, String)> {
    let report = world.run("doctor --json").json();
    let findings = report["findings"].as_array().unwrap();
    let found = findings.iter().find(|finding| finding["what"] == what)?;
    let text = |name: &str| found[name].as_str().unwrap().to_owned();
    Some((text("state"), text("words")))
}

#[test]
fn w7_doctor_and_check_see_a_clock_that_was_ahead() {
    let (world, secret) = ahead();
    let (state, words) = doctor(&world, "clock").unwrap();
    assert_eq!(state, "bad");
    assert!(words.contains("the newest event is of 2026-01-02T00:00:00Z"), "{words}");
    let ran = world.run("check clock");
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.out.ends_with(" | clock_off=86340s;10;30;0\n"), "{ran:?}");
    // The next event is dated rightly, but the phone is still refused.
    let _ = world.verify("alice", &world.code(&secret, 0));
    let (state, words) = doctor(&world, "clock").unwrap();
    assert_eq!(state, "good", "{words}");
    let (state, words) = doctor(&world, "devices").unwrap();
    assert_eq!(state, "warning");
    assert!(words.contains("the last code of 1 device"), "{words}");
    let ran = world.run("check clock");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.out.contains("; the last code of 1 device is of a time ahead | clock_off=0s"),
        "{ran:?}"
    );
    let _ = world.run("delete alice --yes").ok();
    assert_eq!(doctor(&world, "devices"), None, "revoked devices refuse everything anyway");
    assert_eq!(world.run("check clock").code, 0);
}

#[test]
fn w7_what_the_kernel_says_of_ntp() {
    let world = World::new();
    let (state, words) = doctor(&world, "clock").unwrap();
    assert_eq!(state, "good", "in a container nobody knows");
    assert!(words.ends_with("whether NTP keeps it is not known"), "{words}");
    assert_eq!(world.run("check clock").code, 0);
    world.is_synchronised.set(Some(false));
    let (state, words) = doctor(&world, "clock").unwrap();
    assert_eq!(state, "warning");
    assert!(words.contains("NTP does not keep it"), "{words}");
    let ran = world.run("check clock");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.starts_with("MFA WARNING - the clock agrees"), "{ran:?}");
    world.is_synchronised.set(Some(true));
    assert!(doctor(&world, "clock").unwrap().1.ends_with("NTP keeps it"));
    let json = world.run("check clock --json").ok().json();
    assert_eq!(
        (&json["state"], &json["unit"], &json["value"]),
        (&"OK".into(), &"s".into(), &0.0.into())
    );
}

#[test]
fn w7_a_server_that_is_off_is_not_blamed_on_phones() {
    let world = World::new();
    let names = ["alice", "bob", "carol"];
    let secrets: Vec<_> = names.iter().map(|name| world.active(name)).collect();
    world.wait(3600);
    let diagnose = |n: usize, steps| {
        let code = world.code(&secrets[n], steps);
        world.run_with(&format!("diagnose {} --json", names[n]), &code).ok().json()
    };
    // The server is five minutes ahead of all phones.
    let first = diagnose(0, -10);
    assert_eq!(first["finding"], "clock_off", "one phone may be off");
    let second = diagnose(1, -10);
    assert_eq!(second["finding"], "server_clock", "{second}");
    world.wait(90);
    let third = diagnose(2, -9);
    let sentence = third["sentence"].as_str().unwrap();
    assert!(sentence.starts_with("this server's clock may be about 270 s ahead"), "{third}");
    assert!(sentence.contains("3 users") && sentence.contains("mfactl doctor"), "{third}");
    assert_eq!(diagnose(0, 10)["finding"], "clock_off", "as far, but the other way");
    world.wait(3601);
    assert_eq!(diagnose(2, -10)["finding"], "clock_off", "the others are long ago");
}

#[test]
fn w7_where_the_clock_is_doubtful_one_phone_is_not_blamed_alone() {
    let world = World::new();
    let secret = world.active("alice");
    world.wait(3600);
    let diagnose = || world.run_with("diagnose alice", &world.code(&secret, -10)).ok().out;
    assert!(!diagnose().contains("server"));
    world.is_synchronised.set(Some(false));
    assert!(diagnose().contains("but this server's clock may be off"), "{}", diagnose());
}
