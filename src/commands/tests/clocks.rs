//! Clocks that were wrong: locks, codes and findings afterwards.

use crate::domain::secret::Secret;
use crate::testing::{CommandResult, START, World};

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
    let _ = world.run_with("diagnose alice", "000000").ok();
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
    assert_eq!(state, "warning", "{words}");
    assert!(words.contains("one shortly before is of 2026-01-02T00:00:00Z"), "{words}");
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
    let ran = world.run("check clock");
    assert_eq!(ran.code, 1, "{ran:?}");
    let words = "; an event shortly before is of 2026-01-02T00:00:00Z";
    assert!(ran.out.contains(words), "{ran:?}");
    // That time has passed at last.
    world.wait(DAY);
    assert_eq!(world.run("check clock").code, 0);
    let (state, words) = doctor(&world, "clock").unwrap();
    assert_eq!(state, "good", "{words}");
}

#[test]
fn w7_diagnose_sends_nobody_to_a_resync_that_is_refused() {
    let world = World::new();
    let secret = world.active("alice");
    for (accepted, verb) in [(8, "resync"), (9, "reset")] {
        world.wait(10 * DAY);
        for _ in 0..accepted {
            world.wait(30);
            let _ = world.verify("alice", &world.code(&secret, 0)).ok();
        }
        world.wait(-10 * DAY);
        let report = world.run_with("diagnose alice --json", &world.code(&secret, 0)).ok().json();
        assert_eq!(report["finding"], "clock_was_ahead");
        let next = report["next"].as_str().unwrap();
        assert!(next.contains(verb), "{accepted}: {next}");
        let codes = format!("{}\n{}\n", world.code(&secret, 0), world.code(&secret, 1));
        let ran = world.run_with("resync alice --json", &codes);
        let expected = if verb == "resync" { (0, "") } else { (76, "cannot_resync") };
        assert_eq!((ran.code, &*ran.error()), expected, "{ran:?}");
        world.wait(60);
    }
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
    assert!(sentence.starts_with("this server's clock may be about 5 minutes ahead"), "{third}");
    assert!(sentence.contains("3 users") && sentence.contains("mfactl check clock"), "{third}");
    assert_eq!(diagnose(0, 10)["finding"], "clock_off", "as far, but the other way");
    world.wait(3601);
    assert_eq!(doctor(&world, "clock").unwrap().0, "good");
    assert_eq!(world.run("check clock").code, 0, "it was set right, or nobody called since");
    assert_eq!(diagnose(2, -10)["finding"], "clock_off", "the others are long ago");
}

#[test]
fn w7_doctor_and_check_show_what_server_clock_sends_to_them_for() {
    let world = World::new();
    let secrets = ["alice", "bob"].map(|name| world.active(name));
    world.wait(3600);
    world.is_synchronised.set(Some(true));
    let diagnose = |name: &str, n: usize| {
        let ran = world.run_with(&format!("diagnose {name} --json"), &world.code(&secrets[n], 10));
        ran.ok().json()["finding"].as_str().unwrap().to_owned()
    };
    assert_eq!(diagnose("alice", 0), "clock_off");
    assert_eq!(doctor(&world, "clock").unwrap().0, "good", "one phone");
    assert_eq!(world.run("check clock").code, 0);
    assert_eq!(diagnose("bob", 1), "server_clock");
    let words = "within an hour the codes of 2 users fitted a time about 5 minutes ahead, so this clock may be behind";
    let (state, found) = doctor(&world, "clock").unwrap();
    assert_eq!(state, "warning");
    assert!(found.contains(words) && found.ends_with("; NTP keeps it"), "{found}");
    let ran = world.run("check clock");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.starts_with("MFA WARNING - ") && ran.out.contains(words), "{ran:?}");
}

#[test]
fn w7_one_code_blames_the_phone_only_where_ntp_keeps_the_clock() {
    let world = World::new();
    let secret = world.active("alice");
    world.wait(3600);
    let diagnose = |steps| world.run_with("diagnose alice", &world.code(&secret, steps)).ok().out;
    for known in [None, Some(false)] {
        world.is_synchronised.set(known);
        assert_eq!(
            diagnose(-10),
            "alice: the code of phone fits a time about 5 minutes behind: the phone's clock is off or this server's \
             is, and a code can't tell which; before the phone is set, run: mfactl check clock\n"
        );
    }
    world.is_synchronised.set(Some(true));
    assert_eq!(
        diagnose(10),
        "alice: the clock of phone is about 5 minutes ahead: set the phone's time to automatic; if the next code fails, \
         run: mfactl diagnose -- alice\n"
    );
}

/// Submits two successive codes, the second `steps` from now.
fn resync(world: &World, secret: &Secret, steps: i64) -> CommandResult {
    let codes = format!("{}\n{}\n", world.code(secret, steps - 1), world.code(secret, steps));
    world.run_with("resync alice --json", &codes)
}

#[test]
fn w7_two_codes_heal_a_device_and_no_code_is_accepted_twice() {
    let (world, secret) = ahead();
    // Two more codes while the clock is ahead.
    for step in [10, 20] {
        world.wait(DAY + 30 * step);
        let _ = world.verify("alice", &world.code(&secret, 0)).ok();
        world.wait(-DAY - 30 * step);
    }
    assert_eq!(world.verify("alice", &world.code(&secret, 0)).json()["outcome"], "replayed");
    let report = resync(&world, &secret, 0).ok().json();
    assert_eq!((&report["outcome"], &report["device"]), (&"done".into(), &"phone".into()));
    assert_eq!(report["changed"], true);
    assert_eq!(world.listed("alice")["devices"][0]["last_used_at"], "2026-01-01T00:01:00Z");
    for steps in [-1, 0] {
        let ran = world.verify("alice", &world.code(&secret, steps));
        assert_eq!(ran.json()["outcome"], "replayed", "both are used up");
    }
    // Every step from now until after the accident: a code that was accepted then is refused, and every other one is good once.
    let mut refused = Vec::new();
    for step in [1, 2, 2000, 2878, 2879, 2880, 2881, 2882, 2890, 2892, 2900, 2902, 2903, 3000] {
        world.now.set(START + 60 + 30 * step);
        let code = world.code(&secret, 0);
        match world.verify("alice", &code).json()["outcome"].as_str().unwrap() {
            "accepted" => {}
            "replayed" => refused.push(step + 2),
            other => panic!("{step}: {other}"),
        }
        assert_eq!(world.verify("alice", &code).json()["outcome"], "replayed", "{step}: twice");
    }
    assert_eq!(refused, [2880, 2892, 2902], "the steps of the three codes of the accident");
    let _ = world.run("verify-log").ok();
}

#[test]
fn w7_wrong_used_and_malformed_codes_resynchronise_nothing() {
    let (world, secret) = ahead();
    let wrong = world.run_with("resync alice --json", "000000\n000001\n");
    assert_eq!((wrong.code, &wrong.json()["outcome"]), (1, &"rejected".into()));
    for (input, what) in [
        (String::new(), "nothing"),
        (format!("{}\n", world.code(&secret, 0)), "one code"),
        ("abc\n123456\n".to_owned(), "letters"),
        (format!("{0}\n{0}\n", world.code(&secret, 0)), "the same twice"),
    ] {
        let ran = world.run_with("resync alice --json", &input);
        assert_eq!((ran.code, ran.error()), (65, "bad_input".to_owned()), "{what}");
    }
    // In the wrong order, and with a gap.
    for (first, second) in [(0, -1), (-1, 1)] {
        let codes = format!("{}\n{}\n", world.code(&secret, first), world.code(&secret, second));
        assert_eq!(world.run_with("resync alice", &codes).code, 1);
    }
    // Six wrong codes by now: each pair counts as two.
    let locked = resync(&world, &secret, 0);
    assert_eq!((locked.code, locked.error()), (76, "locked".to_owned()), "{locked:?}");
    let last = world.sql("SELECT verb || outcome FROM events ORDER BY seq DESC LIMIT 1");
    assert_eq!(last, "resynclocked");
    let _ = world.run("unlock alice").ok();
    let _ = resync(&world, &secret, 0).ok();
    let again = resync(&world, &secret, 0);
    assert_eq!((again.code, &again.json()["outcome"]), (1, &"replayed".into()));
    let fresh = resync(&world, &secret, 1);
    assert_eq!(fresh.json()["outcome"], "replayed", "one of them was used");
}

#[test]
fn w7_a_device_whose_codes_are_forgotten_is_not_resynchronised() {
    let (world, secret) = ahead();
    for step in 1..=8 {
        world.wait(DAY + 30 * step);
        let _ = world.verify("alice", &world.code(&secret, 0)).ok();
        world.wait(-DAY - 30 * step);
    }
    let ran = resync(&world, &secret, 0);
    assert_eq!((ran.code, ran.error()), (76, "cannot_resync".to_owned()));
    assert!(ran.err.contains("mfactl reset --device phone -- alice"), "{ran:?}");
}

#[test]
fn w7_resync_is_asked_without_echo_and_has_a_dry_run() {
    let (mut world, secret) = ahead();
    let dry = world.run("resync alice --dry-run --json").ok().json();
    assert_eq!((&dry["dry_run"], &dry["changed"]), (&true.into(), &false.into()));
    let (first, second) = (world.code(&secret, 0), world.code(&secret, 1));
    world.answers = Some(vec![first.leak(), second.leak()]);
    world.wait(30);
    let ran = world.run("resync alice").ok();
    assert_eq!(ran.prompts.len(), 2);
    assert_eq!(ran.out, "alice: phone is at the present again; the next code is accepted\n");
}
