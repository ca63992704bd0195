//! Why a code fails: locked users, time zones set by hand, no device, backup codes, and the command to run next.

use serde_json::Value;

use crate::domain::diagnosis::DiagnosisWord;
use crate::domain::secret::Secret;
use crate::testing::{CommandResult, World};

const HOUR: i64 = 120;

fn diagnosed(world: &World, code: &str) -> Value {
    world.run_with("diagnose alice --json", code).json()
}

/// Alice, whose phone was confirmed an hour ago.
fn alice() -> (World, Secret) {
    let world = World::new();
    let secret = world.active("alice");
    world.wait(3600);
    world.is_synchronised.set(Some(true));
    (world, secret)
}

fn lock(world: &World) {
    for _ in 0..5 {
        assert_eq!(world.verify("alice", "000000").code, 1);
    }
}

fn throttle(world: &World) -> String {
    world.sql("SELECT failures || '/' || wrong_codes || '/' || coalesce(lock_length, 0) FROM users")
}

#[test]
fn d11_the_words_of_findings_are_a_closed_list() {
    const WORDS: [&str; 31] = [
        "right",
        "locked",
        "already_used",
        "clock_was_ahead",
        "clock_off",
        "maybe_clock_off",
        "server_clock",
        "other_settings",
        "disabled",
        "revoked",
        "expired",
        "no_device",
        "unknown",
        "no_code",
        "recovery_code",
        "recovery_code_unknown",
        "bypass_code",
        "bypass_code_not_yet",
        "bypass_code_expired",
        "bypass_code_used",
        "bypass_code_unknown",
        "paper_code",
        "paper_code_used",
        "paper_code_unknown",
        "too_many_diagnoses",
        "drifted",
        "counter_ahead",
        "other_key",
        "altered_code",
        "other_kind",
        "no_modhex",
    ];
    assert_eq!(DiagnosisWord::ALL.map(DiagnosisWord::word), WORDS);
    for finding in DiagnosisWord::ALL {
        assert_eq!(serde_json::to_value(finding).unwrap(), finding.word());
    }
}

#[test]
fn d11_a_locked_user_is_diagnosed_and_stays_locked_as_long() {
    let (world, secret) = alice();
    lock(&world);
    let (before, until) = (throttle(&world), world.listed("alice")["locked_until"].clone());
    let off = diagnosed(&world, &world.code(&secret, -10));
    assert_eq!((&off["finding"], &off["locked"]), (&"clock_off".into(), &true.into()));
    assert_eq!(off["locked_until"], until);
    let words = off["sentence"].as_str().unwrap();
    assert!(
        words
            .starts_with("alice is locked until 2026-01-01T01:00:30Z; besides, the clock of phone"),
        "{off}"
    );
    assert_eq!(throttle(&world), before, "the lock gets no longer");
    let right = world.run_with("diagnose alice --json", &world.code(&secret, 0));
    assert_eq!(right.code, 1, "{right:?}");
    let right = right.json();
    assert_eq!(
        (&right["finding"], &right["next"]),
        (&"locked".into(), &"mfactl unlock -- alice".into())
    );
    assert_eq!(world.verify("alice", &world.code(&secret, 0)).json()["outcome"], "locked");
    assert_eq!(world.listed("alice")["locked_until"], until);
    let _ = world.run("unlock alice").ok();
    let accepted = world.verify("alice", &world.code(&secret, 0)).ok().json();
    assert_eq!(accepted["outcome"], "accepted", "it was not used up");
    let _ = world.run("verify-log").ok();
}

#[test]
fn d11_a_lock_bounds_the_diagnoses_of_an_hour_by_a_limit_of_their_own() {
    let (world, secret) = alice();
    lock(&world);
    let lock_again = || {
        while world.listed("alice")["locked"] == false {
            let _ = world.verify("alice", "000000");
        }
    };
    for n in 0..10 {
        lock_again();
        assert_eq!(diagnosed(&world, "000000")["finding"], "unknown", "{n}");
        world.wait(10);
    }
    lock_again();
    let refused = world.run_with("diagnose alice --json", &world.code(&secret, 0));
    assert_eq!((refused.code, &refused.json()["finding"]), (1, &"too_many_diagnoses".into()));
    assert!(!refused.out.contains("fits") && !refused.out.contains("right"), "{refused:?}");
    let _ = world.run("unlock alice").ok();
    assert_eq!(diagnosed(&world, &world.code(&secret, 0))["finding"], "right", "unlocked");
    lock_again();
    assert_eq!(diagnosed(&world, "000000")["finding"], "too_many_diagnoses");
    world.wait(3601);
    lock_again();
    assert_eq!(diagnosed(&world, "000000")["finding"], "unknown", "the hour slides");
    let _ = world.run("verify-log").ok();
}

#[test]
fn d11_a_time_zone_set_by_hand_is_named_once_a_second_code_says_the_same() {
    let (mut world, secret) = alice();
    for (hours, words) in [(-2, "2 hours behind"), (14, "14 hours ahead"), (-14, "14 hours behind")]
    {
        let codes = [0, 1].map(|n| world.code(&secret, hours * HOUR + n));
        let once = diagnosed(&world, &codes[0]);
        assert_eq!(once["finding"], "maybe_clock_off", "{once}");
        let sentence = once["sentence"].as_str().unwrap();
        assert!(sentence.contains(words) && sentence.contains("one wrong code in 295"), "{once}");
        let [first, second] = codes;
        world.answers = Some(vec![first.leak(), second.leak()]);
        let ran = world.run("diagnose alice").ok();
        assert_eq!(
            ran.out,
            format!(
                "alice: the clock of phone is about {words}: time or time zone was set by hand; set date, time and \
                 time zone to automatic; if the next code fails, run: mfactl diagnose -- alice\n"
            )
        );
        world.answers = None;
        let _ = world.run("unlock alice").ok();
    }
    assert_eq!(diagnosed(&world, &world.code(&secret, 15 * HOUR))["finding"], "unknown");
}

#[test]
fn d11_what_fits_once_and_not_again_is_chance() {
    let (mut world, secret) = alice();
    let first = world.code(&secret, -2 * HOUR);
    world.answers = Some(vec![first.leak(), "000000"]);
    let ran = world.run("diagnose alice").ok();
    assert!(ran.out.contains("belongs to none of this user's devices"), "{ran:?}");
    assert_eq!(ran.prompts.len(), 2);
    let first = world.code(&secret, -2 * HOUR);
    world.answers = Some(vec![first.leak(), ""]);
    let ran = world.run("diagnose alice").ok();
    assert!(ran.out.contains("by chance"), "{ran:?}");
    assert_eq!(throttle(&world).split('/').next(), Some("3"), "each code that was compared counts");
    // One fit is no news of the server's clock.
    let logged = world
        .sql("SELECT count(*) FROM events WHERE verb = 'diagnose' AND detail LIKE '%seconds%'");
    assert_eq!(logged, "0");
}

#[test]
fn d11_a_user_without_a_device_is_told_so_and_no_failure_is_counted() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let never = diagnosed(&world, "123456");
    assert_eq!(
        (&never["finding"], &never["next"]),
        (&"no_device".into(), &"mfactl enrol -- alice".into())
    );
    assert!(never["sentence"].as_str().unwrap().contains("never had one"), "{never}");
    let _ = world.pending("alice", "");
    world.wait(72 * 3600);
    let expired = diagnosed(&world, "123456");
    assert_eq!(
        (&expired["finding"], &expired["device"], &expired["next"]),
        (&"expired".into(), &"phone".into(), &"mfactl enrol --device phone -- alice".into())
    );
    let _ = world.run("delete alice --yes").ok();
    let deleted = diagnosed(&world, "123456");
    assert_eq!(deleted["finding"], "no_device");
    let words = "the MFA setup was deleted on 2026-01-04T00:00:00Z";
    assert!(deleted["sentence"].as_str().unwrap().contains(words), "{deleted}");
    let _ = world.active("alice");
    let _ = world.run("reset alice --yes --no-enrol").ok();
    assert!(diagnosed(&world, "123456")["sentence"].as_str().unwrap().contains("was reset on"));
    assert_eq!(throttle(&world), "0/0/0");
}

#[test]
fn d11_nobody_is_asked_for_a_code_that_is_compared_with_nothing() {
    let mut world = World::new();
    let _ = world.run("add-user alice").ok();
    world.answers = Some(vec![]);
    let ran = world.run("diagnose alice").ok();
    assert!(ran.prompts.is_empty() && ran.out.contains("never had one"), "{ran:?}");
    world.answers = None;
    let _ = world.run("diagnose alice").ok();
    let _ = world.run("bypass alice --for 1h --json --reveal-secrets").ok();
    assert_eq!(world.run("diagnose alice").code, 64, "a bypass code is compared");
}

fn bypass(world: &World, more: &str) -> String {
    let made = world.run(&format!("bypass alice --json --reveal-secrets {more}")).ok().json();
    made["code"].as_str().unwrap().to_owned()
}

#[test]
fn d10_diagnose_calls_a_bypass_code_by_its_name() {
    let (world, _) = alice();
    let code = bypass(&world, "--for 1h");
    let good = diagnosed(&world, &code);
    assert_eq!(good["finding"], "bypass_code", "{good}");
    let words = "good for 1 use until 2026-01-01T02:00:00Z";
    assert!(good["sentence"].as_str().unwrap().contains(words), "{good}");
    assert!(!good.to_string().contains(&code), "{good}");
    assert_eq!(world.verify("alice", &code).ok().json()["factor"], "bypass");
    let used = diagnosed(&world, &code);
    assert_eq!(used["finding"], "bypass_code_used", "{used}");
    assert!(used["sentence"].as_str().unwrap().contains("2026-01-01T01:00:00Z"), "{used}");
    assert_eq!(used["next"], "mfactl bypass --for 1h -- alice");
    let code = bypass(&world, "--for 1h");
    assert_eq!(diagnosed(&world, "0000-0000-0000")["finding"], "bypass_code_unknown");
    world.wait(3600);
    assert_eq!(diagnosed(&world, &code)["finding"], "bypass_code_expired");
    let _ = world.run("bypass alice --revoke").ok();
    assert_eq!(diagnosed(&world, &code)["finding"], "bypass_code_unknown");
}

#[test]
fn d10_diagnose_calls_a_recovery_code_by_its_name() {
    let (world, _) = alice();
    assert_eq!(diagnosed(&world, "0000-0000-0000-0000")["finding"], "recovery_code_unknown");
    let made = world.run("recovery-codes alice --json --reveal-secrets").ok().json();
    let code = made["codes"][0].as_str().unwrap();
    let good = diagnosed(&world, code);
    assert_eq!(good["finding"], "recovery_code", "{good}");
    assert_eq!(world.verify("alice", code).ok().json()["factor"], "recovery");
    let used = diagnosed(&world, code);
    assert_eq!(used["finding"], "recovery_code_unknown");
    let words = "none of the 9 unused ones: used already, of an earlier set, or mistyped; the last one was used on 2026";
    assert!(used["sentence"].as_str().unwrap().contains(words), "{used}");
    lock(&world);
    let other = made["codes"][1].as_str().unwrap();
    assert_eq!(diagnosed(&world, other)["finding"], "locked");
}

#[test]
fn d11_a_used_code_says_when() {
    let (world, secret) = alice();
    let code = world.code(&secret, 0);
    let _ = world.verify("alice", &code).ok();
    world.wait(12);
    let words = |ran: Value| ran["sentence"].as_str().unwrap().to_owned();
    let used = words(diagnosed(&world, &code));
    assert!(used.starts_with("the code of phone was already used 12 seconds ago: wait"), "{used}");
    let earlier = words(diagnosed(&world, &world.code(&secret, -1)));
    assert!(earlier.contains("a later one was accepted 12 seconds ago"), "{earlier}");
}

/// Runs the command that a finding ends with.
fn follow(world: &World, finding: &Value) -> CommandResult {
    let next = finding["next"].as_str().unwrap();
    assert!(finding["sentence"].as_str().unwrap().ends_with(&format!("run: {next}")), "{finding}");
    world.run_with(next.strip_prefix("mfactl ").unwrap(), "")
}

#[test]
fn d11_each_finding_ends_with_a_command_that_is_understood() {
    let (world, secret) = alice();
    let code = |steps| world.code(&secret, steps);
    let mut findings = vec![
        diagnosed(&world, &code(0)),
        diagnosed(&world, &code(-10)),
        diagnosed(&world, &code(-2 * HOUR)),
        diagnosed(&world, "abc"),
        diagnosed(&world, "0000-0000-0000"),
    ];
    let _ = world.run("unlock alice").ok();
    findings.push(diagnosed(&world, "000000"));
    let _ = world.run("disable alice --yes").ok();
    findings.extend([diagnosed(&world, &code(0)), diagnosed(&world, "000000")]);
    let _ = world.run("enable alice").ok();
    let _ = world.run("reset alice --yes --json").ok();
    findings.push(diagnosed(&world, &code(0)));
    lock(&world);
    let _ = world.run("delete alice --yes").ok();
    findings.push(diagnosed(&world, &code(0)));
    let words: Vec<_> = findings.iter().map(|found| found["finding"].as_str().unwrap()).collect();
    assert_eq!(
        words,
        [
            "right",
            "clock_off",
            "maybe_clock_off",
            "no_code",
            "bypass_code_unknown",
            "unknown",
            "disabled",
            "disabled",
            "revoked",
            "no_device"
        ]
    );
    for finding in &findings {
        let ran = follow(&world, finding);
        let may_need_input = finding["next"].as_str().unwrap().contains("diagnose");
        let is_misuse = ran.code == 64 && !ran.err.contains("there is no code") && !may_need_input;
        assert!(!is_misuse || ran.err.contains("can't be shown"), "{finding}: {ran:?}");
    }
}
