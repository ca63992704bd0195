//! Recovery codes, bypass codes, undo, diagnosis and requirements.

use serde_json::{Value, json};

use crate::testing::World;

fn codes(world: &World, user: &str) -> Vec<String> {
    let line = format!("recovery-codes {user} --json --reveal-secrets");
    let made = world.run(&line).ok().json();
    let codes = made["codes"].as_array().unwrap().iter();
    codes.map(|code| code.as_str().unwrap().to_owned()).collect()
}

fn outcome(world: &World, user: &str, code: &str) -> (String, Value) {
    let answer = world.verify(user, code).json();
    (answer["outcome"].as_str().unwrap().to_owned(), answer["factor"].clone())
}

#[test]
fn a_recovery_code_is_accepted_once_and_for_its_owner_only() {
    let world = World::new();
    let _ = (world.active("alice"), world.active("bob"));
    let (alices, bobs) = (codes(&world, "alice"), codes(&world, "bob"));
    assert_eq!((alices.len(), alices[0].len()), (10, 19));
    assert_eq!(outcome(&world, "alice", &alices[0]), ("accepted".into(), json!("recovery")));
    assert_eq!(outcome(&world, "alice", &alices[0]), ("rejected".into(), Value::Null));
    assert_eq!(outcome(&world, "alice", &bobs[0]).0, "rejected");
    assert_eq!(outcome(&world, "bob", &bobs[0]).0, "accepted", "it is still unused");
    let typed = alices[1].to_lowercase().replace('-', " ");
    assert_eq!(outcome(&world, "alice", &typed).0, "accepted");
    assert_eq!(world.listed("alice")["recovery_codes_left"], 8);
    assert_eq!(world.run("list-status --recovery-codes-below 9 --fail-if-any").code, 1);
    // A new set voids the old one.
    let newer = codes(&world, "alice");
    assert_eq!(outcome(&world, "alice", &alices[2]).0, "rejected");
    assert_eq!(outcome(&world, "alice", &newer[2]).0, "accepted");
    let text = world.sql("SELECT recovery FROM users WHERE name = 'alice'");
    assert!(newer.iter().all(|code| !text.contains(code)), "only hashes are stored");
    let ran = world.run("recovery-codes alice");
    assert_eq!(ran.code, 64, "they can't be shown");
    assert_eq!(outcome(&world, "alice", &newer[3]).0, "accepted", "the set still stands");
}

#[test]
fn codes_go_to_a_new_private_file() {
    let world = World::new();
    let _ = world.active("alice");
    let file = world.folder.path().join("codes.txt");
    let line = format!("recovery-codes alice --output {}", file.display());
    let _ = world.run(&line).ok();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(text.lines().filter(|line| line.trim().len() == 19).count(), 10, "{text}");
    assert_eq!(world.run(&line).code, 73);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
    let code = text.lines().find(|line| line.trim().len() == 19).unwrap().trim();
    assert_eq!(outcome(&world, "alice", code).0, "accepted");
}

#[test]
fn a_bypass_code_is_accepted_within_its_time_and_uses() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let bypass = |more: &str| {
        let line = format!("bypass alice {more} --json --reveal-secrets");
        world.run(&line).ok().json()
    };
    let first = bypass("--for 1h --uses 2 --ticket T-1");
    let code = first["code"].as_str().unwrap();
    assert_eq!(first["expires_at"], "2026-01-01T01:00:00Z");
    assert_eq!(world.listed("alice")["bypass"], true);
    assert_eq!(outcome(&world, "alice", code), ("accepted".into(), json!("bypass")));
    assert_eq!(outcome(&world, "alice", code).0, "accepted");
    assert_eq!(world.verify("alice", code).code, 76, "there is nothing left to prove with");
    let second = bypass("--for 1h");
    let third = bypass("--for 1h");
    assert_eq!(outcome(&world, "alice", second["code"].as_str().unwrap()).0, "rejected");
    let _ = world.run("bypass alice --revoke").ok();
    assert_eq!(world.verify("alice", third["code"].as_str().unwrap()).code, 76);
    let later = bypass("--for 1h --starts 2026-01-01T02:00:00Z");
    assert_eq!(outcome(&world, "alice", later["code"].as_str().unwrap()).0, "rejected");
    world.wait(2 * 3600);
    assert_eq!(outcome(&world, "alice", later["code"].as_str().unwrap()).0, "accepted");
    let last = bypass("--for 1h");
    world.wait(3600);
    assert_eq!(world.verify("alice", last["code"].as_str().unwrap()).code, 76);
    for (bad, code, words) in [
        ("--for 25h", 65, "--for: 25 hours is longer than 24 hours"),
        ("--for 0s", 65, "--for: \"0s\""),
        ("--for 1h --uses 0", 64, "--uses: \"0\" is not a whole number from 1 to 20"),
        ("--for 1h --uses 21", 64, "--uses: \"21\" is not a whole number from 1 to 20"),
        ("", 64, "--for <SPAN>"),
        ("--for 1h --starts 2026-02-30", 65, "--starts: \"2026-02-30\""),
        ("--for 1h --starts 2020-01-01", 65, "--starts: \"2020-01-01\" is so early"),
        ("--for 1h --revoke", 64, "--revoke"),
    ] {
        let ran = world.run(&format!("bypass alice {bad} --reveal-secrets"));
        assert!(ran.code == code && ran.err.contains(words), "{bad}: {ran:?}");
    }
    assert_eq!(world.listed("alice")["bypass"], false);
}

#[test]
fn backup_codes_are_void_after_reset_disable_and_delete() {
    for verb in ["reset alice --no-enrol", "delete alice", "force-new-password alice"] {
        let world = World::new();
        let _ = world.active("alice");
        let code = &codes(&world, "alice")[0];
        let _ = world.run(&format!("{verb} --yes")).ok();
        assert_eq!(world.verify("alice", code).code, 76, "{verb}");
        let _ = world.run("undo alice --yes").ok();
        assert_eq!(outcome(&world, "alice", code).0, "accepted", "{verb}");
    }
    let world = World::new();
    let _ = world.active("alice");
    let code = &codes(&world, "alice")[0];
    let _ = world.run("disable alice --yes").ok();
    assert_eq!(world.verify("alice", code).code, 76);
    let _ = world.run("enable alice").ok();
    assert_eq!(outcome(&world, "alice", code).0, "accepted");
}

#[test]
fn a_bypass_is_shown_with_its_start_its_end_and_its_uses() {
    let world = World::new();
    let _ = world.active("alice");
    let line = "bypass alice --for 1h --uses 2 --starts 2026-01-02T00:00:00Z --reveal-secrets";
    let first = world.run(line).ok();
    assert!(!first.out.contains("void"), "{first:?}");
    let shown = world.run("show-user alice").ok().out;
    let later = "valid from 2026-01-02T00:00:00Z until 2026-01-02T01:00:00Z, 2 uses left";
    assert!(shown.contains(later), "{shown}");
    let dry = world.run("bypass alice --for 1h --dry-run").ok();
    assert!(dry.out.contains("the current one would be void"), "{dry:?}");
    let second = world.run("bypass alice --for 1h --reveal-secrets").ok();
    assert!(second.out.contains("the previous one is void"), "{second:?}");
    let shown = world.run("show-user alice").ok().out;
    assert!(shown.contains("valid until 2026-01-01T01:00:00Z, 1 use left"), "{shown}");
    let json = world.run("show-user alice --json").ok().json();
    assert_eq!(
        (&json["bypass_from"], &json["bypass_uses"]),
        (&json!("2026-01-01T00:00:00Z"), &json!(1))
    );
}

#[test]
fn undo_reverts_the_last_change_and_used_codes_stay_used() {
    for (verb, status) in [
        ("reset alice --yes --json", "pending"),
        ("reset alice --yes --no-enrol", "not_enabled"),
        ("disable alice --yes", "disabled"),
        ("delete alice --yes", "not_enabled"),
        ("force-new-password alice --yes", "not_enabled"),
    ] {
        let world = World::new();
        let phone = world.active("alice");
        let _ = world.run(verb).ok();
        assert_eq!(world.listed("alice")["status"], status, "{verb}");
        let undone = world.run("undo alice --yes --json --ticket T-7").ok().json();
        assert_eq!((&undone["status"], &undone["changed"]), (&json!("enabled"), &json!(true)));
        assert_eq!(undone["devices"].as_array().unwrap().len(), 1, "{verb}");
        assert_eq!(undone["password_change_required"], false);
        assert_eq!(outcome(&world, "alice", &world.code(&phone, 0)).0, "replayed", "{verb}");
        assert_eq!(outcome(&world, "alice", &world.code(&phone, 1)).0, "accepted", "{verb}");
        let again = world.run("undo alice --yes --json");
        assert_eq!((again.code, again.error().as_str()), (76, "nothing_to_undo"));
    }
}

#[test]
fn undo_is_refused_when_too_late_or_after_a_newer_confirmation() {
    let world = World::new();
    let _ = world.active("alice");
    let reset = world.run("reset alice --yes --json --reveal-secrets").ok();
    let new = crate::testing::secret(&reset);
    world.wait(30);
    let _ = world.verify("alice", &world.code(&new, 0)).ok();
    assert_eq!(world.run("undo alice --yes --json").error(), "nothing_to_undo");
    let _ = world.run("disable alice --yes").ok();
    world.wait(24 * 3600 + 1);
    assert_eq!(world.run("undo alice --yes --json").error(), "nothing_to_undo");
    assert_eq!(world.listed("alice")["status"], "disabled");
    let _ = world.run("edit-user alice --email a@b").ok();
    assert_eq!(world.sql("SELECT count(*) FROM users WHERE undo IS NOT NULL"), "0", "purged");
}

#[test]
fn a_clock_set_back_revives_no_expired_code() {
    let world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let _ = world.active("alice");
    let day = 24 * 3600;
    let bypass = world.run("bypass alice --for 1h --json --reveal-secrets").ok().json();
    let bypass = bypass["code"].as_str().unwrap().to_owned();
    world.wait(day);
    assert_ne!(outcome(&world, "alice", &bypass).0, "accepted");
    world.wait(-day);
    assert_ne!(outcome(&world, "alice", &bypass).0, "accepted", "what was seen to be over is gone");
    let _ = world.run("unlock alice").ok();
    let _ = world.run("disable alice --yes").ok();
    world.wait(day + 1);
    let _ = world.run("edit-user alice --email a@b").ok();
    world.wait(-day - 1);
    assert_eq!(world.run("undo alice --yes --json").error(), "nothing_to_undo");
    let _ = world.run("enable alice").ok();
    let _ = world.run_with("set-password alice", "correct horse battery staple").ok();
    let forced = world.run("force-new-password alice --yes --json --reveal-secrets").ok().json();
    let line = json!({ "password": forced["temporary_password"] }).to_string();
    let sign_in = || world.run_with("sign-in alice", &line).json()["outcome"].clone();
    world.wait(-day);
    assert_eq!(sign_in(), "rejected", "it was made at a time ahead of this clock");
    world.wait(day);
    assert_eq!(sign_in(), "password_change_required", "it was not over yet");
    world.wait(day);
    assert_eq!(sign_in(), "rejected");
    world.wait(-day);
    assert_eq!(sign_in(), "rejected");
    let told = world.run_with("sign-in alice", &line).json();
    assert_eq!(told["reason"], "temporary_password_expired");
    let shown = world.run("show-user alice").ok().out;
    assert!(shown.contains("temporary password expired\n"), "{shown}");
    assert_eq!(
        world.run("show-user alice --json").ok().json()["temporary_password_until"],
        json!(null)
    );
}

#[test]
fn a_clock_set_back_extends_grace_by_that_much_only() {
    let world = World::new();
    world.configure("[policy]\nmfa = \"required\"\nsince = \"2026-01-01\"\ngrace = \"7d\"\n");
    let _ = world.run("add-user alice").ok();
    let due = world.listed("alice")["due_at"].clone();
    for (days, is_required) in [(7, true), (-1, false), (1, true)] {
        world.wait(days * 24 * 3600);
        let listed = world.listed("alice");
        let due_at = if is_required { Value::Null } else { due.clone() };
        assert_eq!((&listed["required"], &listed["due_at"]), (&json!(is_required), &due_at));
    }
}

#[test]
fn diagnose_names_the_reason_and_counts_as_a_wrong_code() {
    let world = World::new();
    let phone = world.active("alice");
    let ask = |code: &str| world.run_with("diagnose alice --json", code).ok().json();
    assert_eq!(ask(&world.code(&phone, 0))["finding"], "already_used");
    let off = ask(&world.code(&phone, -10));
    assert_eq!(off["finding"], "clock_off");
    assert!(off["sentence"].as_str().unwrap().contains("5 minutes behind"), "{off}");
    assert_eq!(ask(&world.code(&phone, 1))["finding"], "right");
    assert_eq!(ask("000000")["finding"], "unknown");
    assert_eq!(
        outcome(&world, "alice", &world.code(&phone, 1)).0,
        "accepted",
        "it was not used up"
    );
    for _ in 0..5 {
        assert_eq!(ask("12345")["locked"], false, "what is no code is compared with nothing");
    }
    for _ in 0..5 {
        let _ = ask("000000");
    }
    assert_eq!(ask("000000")["locked"], true);
    assert_eq!(world.run("diagnose alice --dry-run").code, 64);
}

#[test]
fn d17_mfa_is_required_for_a_user_a_group_or_a_list() {
    let world = World::new();
    for (name, group) in [("alice", "staff"), ("bob", "staff"), ("carol", "guests")] {
        let _ = world.run(&format!("add-user {name} --group {group}")).ok();
    }
    let ran = world.run("require-mfa --group staff --effective 2026-03-01 --yes").ok();
    let covers =
        "this covers 2 users who are in staff now; to cover people who join later, name the group";
    assert!(ran.err.contains(covers), "{ran:?}");
    assert_eq!(world.listed("alice")["due_at"], "2026-03-01T00:00:00Z");
    assert_eq!(world.listed("carol")["due_at"], Value::Null);
    assert_eq!(world.run("require-mfa alice --json").ok().json()["changed"], true);
    assert_eq!(world.run("require-mfa alice --json").ok().json()["changed"], false);
    assert_eq!(world.listed("alice")["required"], true);
    let line = "require-mfa --from - --effective 2026-04-01 --yes";
    let _ = world.run_with(line, "carol\n").ok();
    assert_eq!(world.listed("carol")["due_at"], "2026-04-01T00:00:00Z");
    for (when, due) in [("tomorrow", "2026-01-02T00:00:00Z"), ("14d", "2026-01-15T00:00:00Z")] {
        let _ = world.run(&format!("require-mfa carol --effective {when}")).ok();
        assert_eq!(world.listed("carol")["due_at"], due);
    }
    let _ = world.run("require-mfa carol --not").ok();
    assert_eq!(world.listed("carol")["due_at"], Value::Null);
    for (bad, code, words) in [
        ("alice --effective 2026-02-30", 65, "--effective: \"2026-02-30\""),
        ("--group nobody-is-here", 65, "--group: nobody is in \"nobody-is-here\""),
        ("alice --group staff", 64, "--group"),
        ("alice --not --effective 2026-03-01", 64, "--effective"),
        ("--from 2026-03-01", 64, "for the date write: --effective 2026-03-01"),
        ("alice --from 2026-03-01", 64, "--from"),
        ("--group staff --from -", 64, "--from"),
        ("--group staff --effective soon", 65, "tomorrow or 14d"),
        ("", 64, "name one user, or many with --group or --from FILE"),
    ] {
        let ran = world.run(&format!("require-mfa {bad}"));
        assert!(ran.code == code && ran.err.contains(words), "{bad}: {ran:?}");
    }
}

#[test]
fn a_stricter_configured_limit_counts_all_factors() {
    let world = World::new();
    world.active("alice");
    world.configure("[policy]\nfree_failures = 2\nwrong_codes = 10\n");
    assert_eq!(world.verify("alice", "000000").json()["outcome"], "rejected");
    let second = world.verify("alice", "000000").json();
    assert_eq!(second["locked_until"], "2026-01-01T00:00:30Z");
    for _ in 0..8 {
        world.wait(3600);
        let _ = world.verify("alice", "000000");
    }
    world.wait(86_400);
    let shut = world.verify("alice", "000000").json();
    assert_eq!((&shut["outcome"], &shut["locked_until"]), (&"locked".into(), &().into()));
    world.configure("[policy]\nwrong_codes = 100\n");
    assert_eq!(world.verify("alice", "000000").json()["outcome"], "locked", "raised too late");
    let _ = world.run("unlock alice").ok();
    assert_eq!(world.verify("alice", "000000").json()["outcome"], "rejected");
}
