//! Malformed codes, names and configurations, on every input path.

use crate::testing::World;

#[test]
fn malformed_codes_are_refused_and_use_up_no_code() {
    let world = World::new();
    let key = world.active("alice");
    world.wait(30);
    let right = world.code(&key, 0);
    for junk in [
        format!(" {right}"),
        format!("{right}x"),
        format!("{right}\n\n"),
        format!("+{right}"),
        format!("{right}\0junk"),
        "1".repeat(100_000),
        format!("{} {}", &right[..3], &right[3..]),
    ] {
        let ran = world.verify("alice", &junk);
        assert_eq!((ran.code, ran.json()["outcome"].as_str()), (1, Some("rejected")), "{junk:.20}");
        let _ = world.run("unlock alice").ok();
    }
    for nothing in ["", "\n", "   \n"] {
        assert_eq!(world.verify("alice", nothing).code, 64, "{nothing:?}");
    }
    assert_eq!(world.verify("alice", &format!("{right}\r\n")).code, 0);
}

#[test]
fn no_fixed_code_is_accepted() {
    let world = World::new();
    world.active("alice");
    world.wait(30);
    for code in ["000000", "123456", "999999", "00000000"] {
        assert_eq!(world.verify("alice", code).code, 1, "{code}");
        let _ = world.run("unlock alice").ok();
    }
}

#[test]
fn another_users_code_is_rejected_and_stays_unused() {
    let world = World::new();
    let (_, bob) = (world.active("alice"), world.active("bob"));
    world.wait(30);
    let code = world.code(&bob, 0);
    assert_eq!(world.verify("alice", &code).json()["outcome"], "rejected");
    assert_eq!(world.verify("bob", &code).json()["outcome"], "accepted");
}

#[test]
fn wrong_codes_count_together_over_all_paths_and_spellings() {
    let world = World::new();
    world.pending("alice", "");
    for name in ["alice", "ALICE", "ａｌｉｃｅ"] {
        assert_eq!(world.verify(name, "00000000").code, 1);
    }
    let line = "enrol alice --json --device tablet";
    assert_eq!(world.run_with(line, "000000\n111111\n").code, 1);
    assert_eq!(world.listed("alice")["locked"], true);
}

#[test]
fn many_wrong_codes_are_evaluated_no_more_than_the_limits_allow() {
    let world = World::new();
    let key = world.active("alice");
    for n in 0..200 {
        world.wait(901);
        let (code, outcome) = match n % 20 {
            19 => (world.code(&key, 0), "accepted"),
            _ => ("00000000".into(), "rejected"),
        };
        assert_eq!(world.verify("alice", &code).json()["outcome"], outcome, "attempt {n}");
    }
    let bob = World::new();
    bob.active("bob");
    let evaluated = (0..200).filter(|_| {
        bob.wait(901);
        bob.verify("bob", "00000000").json()["outcome"] == "rejected"
    });
    assert_eq!(evaluated.count(), 100, "then only unlock helps");
    bob.wait(10_000_000);
    assert_eq!(bob.verify("bob", "00000000").json()["outcome"], "locked");
    assert!(bob.listed("bob")["locked_until"].is_null() && bob.listed("bob")["locked"] == true);
}

#[test]
fn attempts_while_locked_write_one_event_a_minute() {
    let world = World::new();
    world.active("alice");
    for _ in 0..10 {
        let _ = world.verify("alice", "00000000");
        world.wait(901);
    }
    let _ = world.verify("alice", "00000000");
    let count = "SELECT count(*) FROM events WHERE outcome = 'locked'";
    let before: i64 = world.sql(count).parse().unwrap();
    for _ in 0..300 {
        assert_eq!(world.verify("alice", "00000000").json()["outcome"], "locked");
        world.wait(1);
    }
    assert_eq!(world.sql(count).parse::<i64>().unwrap() - before, 5);
}

#[test]
fn a_clock_before_1970_evaluates_no_code() {
    let world = World::new();
    let key = world.active("alice");
    let code = world.code(&key, 1);
    world.now.set(-1);
    let ran = world.verify("alice", &code);
    assert_eq!((ran.code, ran.error().as_str()), (78, "clock"));
}

#[test]
fn a_clock_that_was_fast_is_reported() {
    let world = World::new();
    let key = world.active("alice");
    world.wait(86_400);
    assert_eq!(world.verify("alice", &world.code(&key, 0)).code, 0);
    world.wait(-86_400 + 60);
    let ran = world.run_with("verify alice", &world.code(&key, 0));
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("in the future"), "{ran:?}");
}

#[test]
fn configurations_are_read_strictly() {
    for (text, expected_error) in [
        ("[policy]\nwindow = 1000\n", "policy.window"),
        ("[policy]\nwindow = 3\n", "policy.window"),
        ("[policy]\nwindow = -1\n", "policy.window"),
        ("[policy]\nfree_failures = 0\n", "policy.free_failures"),
        ("[policy]\nfree_failures = 6\n", "policy.free_failures"),
        ("[policy]\nlongest_delay = \"1m\"\n", "policy.longest_delay"),
        ("[policy]\nlongest_delay = \"48h\"\n", "policy.longest_delay"),
        ("[policy]\nwrong_codes = 0\n", "policy.wrong_codes"),
        ("[policy]\nwrong_codes = 101\n", "policy.wrong_codes"),
        ("[policy]\nwindoww = 1\n", "line 2: unknown key, expected one of `mfa`"),
        ("[polcy]\n", "line 1: unknown key, expected one of `store`"),
        ("[policy]\nwindow = 1\nwindow = 2\n", "line 3"),
        ("[enrolment]\nissuer = \"a:b\"\n", "enrolment.issuer"),
        ("[enrolment]\nexpires_after = \"0s\"\n", "enrolment.expires_after"),
        ("[enrolment]\nexpires_after = 72\n", "line 2"),
        ("[policy]\nundo_for = \"-1d\"\n", "policy.undo_for"),
        ("[policy]\nundo_for = \"91d\"\n", ".toml, line 2: policy.undo_for: 91 days is longer"),
        ("\n[policy]\nbypass_for = \"32d\"\n", ".toml, line 3: policy.bypass_for: 32 days"),
        ("[policy]\nwindow = \"x\"\n", ".toml, line 2: policy.window: invalid type"),
        ("[policy]\nlook_ahead = 51\n", "hint: 10 is usual"),
        ("[policy]\nlook_ahead = 50\n", ""),
        ("policy.window = 1000\n", ".toml, line 1: policy.window: 1000"),
        ("policy = { mfa = \"maybe\" }\n", ".toml, line 1: policy.mfa: "),
        ("[policy]\n\n\nrequired_groups = [\"a\", 7]\n", "line 4: policy.required_groups: "),
        ("[roles.verbs]\nreset = [\"king\"]\n", ".toml, line 2: roles.verbs.reset: "),
        ("[notify]\nsmtp = \"smtps://mail\"\n", ".toml: notify.from: is missing"),
        (
            "[policy]\nmfa = \"required\"\ngrace = \"14d\"\n",
            "line 3: policy.grace: needs a start day",
        ),
        ("[helpdesk]\nticket = [\"list-status\"]\n", "line 2: helpdesk.ticket: "),
        ("[helpdesk]\nticket = [\"diagnose\"]\nproof = [\"diagnose\"]\n", ""),
        ("[policy]\nundo_for = \"90d\"\nbypass_for = \"31d\"\n", ""),
        ("[store]\nreaders = \"no-such-group-here\"\n", "store.readers"),
        ("\u{feff}[store", "line 1"),
        ("[store]\nlocation = \"postgres://u:secret@h/d\"\n", ""),
    ] {
        let world = World::new();
        world.configure(text);
        let ran = world.run("list-status");
        let expected = if expected_error.is_empty() { 0 } else { 78 };
        assert_eq!(ran.code, expected, "{text}: {ran:?}");
        assert!(ran.err.contains(expected_error) && !ran.err.contains("secret"), "{text}: {ran:?}");
    }
    let world = World::new();
    world.configure(
        "[enrolment]\nissuer = \"Exemple & Co\"\nexpires_after = \"1h\"\n[policy]\nwindow = 0\n",
    );
    let ran = world.run("enrol alice --create --no-confirm --json --reveal-secrets").ok();
    assert!(ran.json()["uri"].as_str().unwrap().contains("Exemple%20%26%20Co:alice"));
    world.wait(3600);
    assert_eq!(world.verify("alice", "123456").error(), "pending_expired");
}
