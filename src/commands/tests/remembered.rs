//! Logins that need no further code for a while, and `remembered`.

use crate::commands::tests::service_rules::{by_pam, events, newest, pam};
use crate::domain::secret::Secret;
use crate::testing::World;

const REMEMBER: &str = "[password]\nmemory = 19\n[services.sshd]\nremember = \"12h\"\n\
    [services.sudo]\nremember = \"1h\"\n";

/// A user who has just given a code from 192.0.2.1.
fn remembered(world: &mut World, user: &str) -> Secret {
    let secret = world.active(user);
    remember(world, user, &secret);
    secret
}

pub fn remember(world: &mut World, user: &str, secret: &Secret) {
    world.configure(REMEMBER);
    world.wait(30);
    give_code(world, user, secret);
}

fn give_code(world: &mut World, user: &str, secret: &Secret) {
    let code = world.code(secret, 0);
    assert_eq!(pam(world, "", user, "192.0.2.1", &code).code, 0);
    assert_eq!(newest(world), "accepted -");
}

fn is_remembered(world: &mut World, user: &str) -> bool {
    let is_in = pam(world, "", user, "192.0.2.1", "").code == 0;
    assert!(!is_in || newest(world) == "not_asked remembered");
    is_in
}

#[test]
fn after_a_code_the_same_host_needs_none_at_the_same_service() {
    let mut world = World::new();
    let secret = remembered(&mut world, "alice");
    let event = world.run("log --last 1 --json").ok().json();
    let until = event["events"][0]["detail"]["remembered_until"].as_str().unwrap().to_owned();
    assert_eq!(until, "2026-01-01T12:00:30Z");
    assert!(is_remembered(&mut world, "alice"));
    for typed in ["", "000000", "x"] {
        assert_eq!(pam(&mut world, "", "alice", "::ffff:192.0.2.1", typed).code, 0);
    }
    assert_eq!(pam(&mut world, "", "ALICE", "192.0.2.1", "").code, 0, "the same user");
    let before = events(&world);
    for (service, user, remote) in [
        ("sudo", "alice", "192.0.2.1"),
        ("sshd", "alice", "192.0.2.2"),
        ("sshd", "alice", ""),
        ("sshd", "alice", "host.example.org"),
        ("sshd", "nobody", "192.0.2.1"),
    ] {
        let ran = by_pam(&mut world, service, "", user, remote, "");
        assert_eq!(ran.code, 1, "{service} {user} {remote}");
    }
    assert_eq!(events(&world), before, "only asked");
    world.wait(12 * 3600 - 1);
    assert!(is_remembered(&mut world, "alice"));
    world.wait(1);
    assert!(!is_remembered(&mut world, "alice"), "it is not made longer by being used");
    give_code(&mut world, "alice", &secret);
    assert!(is_remembered(&mut world, "alice"));
    world.configure("[services.sshd]\nremember = \"1h\"\n");
    world.wait(3600);
    assert!(!is_remembered(&mut world, "alice"), "the rule of today counts");
    let _ = world.run("verify-log").ok();
}

#[test]
fn whatever_takes_trust_away_ends_what_is_remembered() {
    for acts in [
        &["reset alice --yes --no-confirm --json --reveal-secrets", "undo alice --yes"][..],
        &["disable alice --yes", "enable alice --yes"],
        &["delete alice --yes", "undo alice --yes"],
        &["force-new-password alice --yes", "undo alice --yes"],
        &["force-new-password alice --keep-mfa --yes", "undo alice --yes"],
        &["set-password alice"],
    ] {
        let mut world = World::new();
        let secret = remembered(&mut world, "alice");
        assert!(is_remembered(&mut world, "alice"));
        for act in acts {
            let _ = world.run_with(act, "correct horse battery 9\n").ok();
            assert!(!is_remembered(&mut world, "alice"), "{act}");
        }
        world.wait(30);
        give_code(&mut world, "alice", &secret);
        assert!(is_remembered(&mut world, "alice"), "{acts:?}");
    }
    let mut world = World::new();
    let secret = remembered(&mut world, "alice");
    for n in 0..4 {
        assert_eq!(pam(&mut world, "", "alice", "192.0.2.9", &format!("00000{n}")).code, 1);
    }
    assert!(is_remembered(&mut world, "alice"), "four wrong codes lock nobody");
    assert_eq!(pam(&mut world, "", "alice", "192.0.2.9", "000004").code, 1);
    assert!(!is_remembered(&mut world, "alice"));
    let _ = world.run("unlock alice").ok();
    assert!(!is_remembered(&mut world, "alice"), "a lock ends it for good");
    world.wait(30);
    give_code(&mut world, "alice", &secret);
    let _ = world.run("edit-user alice --display-name Alice").ok();
    let _ = world.run("recovery-codes alice --json --reveal-secrets").ok();
    assert!(is_remembered(&mut world, "alice"), "no trust was taken away");
    let _ = world.run("remove-user alice --yes").ok();
    let _ = world.run("add-user alice").ok();
    assert!(!is_remembered(&mut world, "alice"), "another user");
}

#[test]
fn only_the_code_of_a_device_is_remembered() {
    let mut world = World::new();
    let secret = world.active("alice");
    let _ = world.run_with("set-password alice", "correct horse battery 9\n").ok();
    world.configure(REMEMBER);
    let bypass = world.run("bypass alice --for 1h --json --reveal-secrets").ok().json();
    let bypass = bypass["code"].as_str().unwrap().to_owned();
    assert_eq!(pam(&mut world, "", "alice", "192.0.2.1", &bypass).code, 0);
    assert!(!is_remembered(&mut world, "alice"), "it would outlive the code");
    assert_eq!(pam(&mut world, "", "alice", "192.0.2.1", "000000").code, 1);
    assert!(!is_remembered(&mut world, "alice"));
    world.wait(30);
    let code = world.code(&secret, 0);
    let _ = world.run_with("verify alice", &code).ok();
    assert!(!is_remembered(&mut world, "alice"), "no service asked");
    let split = |world: &mut World, typed: &str| {
        pam(world, "--split last", "alice", "192.0.2.1", typed).code
    };
    world.wait(30);
    let code = world.code(&secret, 0);
    assert_eq!(split(&mut world, "correct horse battery 9"), 1);
    assert_eq!(split(&mut world, &format!("correct horse battery 9{code}")), 0);
    let until = world.run("log --last 1 --json").ok().json();
    assert!(until["events"][0]["detail"]["remembered_until"].is_string(), "{until}");
    assert_eq!(split(&mut world, "correct horse battery 9"), 0, "the password alone");
    assert_eq!(newest(&world), "not_asked remembered");
    assert_eq!(split(&mut world, "correct horse battery 8"), 1);
    assert_eq!(split(&mut world, ""), 1);
    let bob = world.pending("bob", "");
    world.wait(30);
    let code = world.code(&bob, 0);
    assert_eq!(pam(&mut world, "", "bob", "192.0.2.1", &code).code, 0);
    assert!(is_remembered(&mut world, "bob"), "the first code of a device too");
}

#[test]
fn a_remembered_login_that_was_edited_lets_nobody_in() {
    for edit in [
        "UPDATE users SET remembered = replace(remembered, '192.0.2.1', '192.0.2.9')",
        "UPDATE users SET remembered = replace(remembered, 'sshd', 'sudo')",
        "UPDATE users SET remembered = replace(remembered, '\"until\":176', '\"until\":976')",
        "UPDATE users SET remembered = replace(remembered, '\"since\":176', '\"since\":166')",
        "UPDATE users SET remembered = NULL",
        "UPDATE users SET remembered = '[]'",
        "UPDATE users SET remembered = 'x'",
        "UPDATE users SET remembered = '[{\"host\":\"192.0.2.9\",\"service\":\"sshd\",\"since\":1,\"until\":9999999999}]'",
        "UPDATE users SET remembered = (SELECT remembered FROM users WHERE name = 'bob')",
    ] {
        let mut world = World::new();
        let _ = remembered(&mut world, "alice");
        world.wait(60);
        let _ = remembered(&mut world, "bob");
        world.sql(&format!("{edit} WHERE name = 'alice'"));
        for remote in ["192.0.2.1", "192.0.2.9"] {
            for service in ["sshd", "sudo"] {
                let ran = by_pam(&mut world, service, "", "alice", remote, "");
                assert_eq!(ran.code, 78, "{edit}: {ran:?}");
            }
        }
        let doctor = world.run("doctor");
        assert!(doctor.out.contains("record of alice"), "{edit}: {doctor:?}");
        assert!(is_remembered(&mut world, "bob"));
    }
}

#[test]
fn a_clock_that_was_ahead_remembers_nothing_for_later() {
    let mut world = World::new();
    let secret = world.active("alice");
    world.configure(REMEMBER);
    world.wait(365 * 24 * 3600);
    give_code(&mut world, "alice", &secret);
    assert!(is_remembered(&mut world, "alice"));
    world.wait(-364 * 24 * 3600);
    assert!(!is_remembered(&mut world, "alice"));
    assert_eq!(pam(&mut world, "", "alice", "192.0.2.1", "000000").code, 1);
}

#[test]
fn an_operator_lists_and_revokes_what_is_remembered() {
    let mut world = World::new();
    let secret = remembered(&mut world, "alice");
    let list = |world: &World| world.run("remembered alice --json").ok().json();
    let document = list(&world);
    let expected = serde_json::json!({
        "schema": "mfactl.remembered-list/1",
        "user": "alice",
        "logins": [{
            "service": "sshd",
            "host": "192.0.2.1",
            "since": "2026-01-01T00:00:30Z",
            "until": "2026-01-01T12:00:30Z",
            "counts": true,
        }],
        "summary": {"count": 1},
    });
    assert_eq!(document, expected);
    let table = world.run("remembered alice").ok().out;
    assert!(table.contains("192.0.2.1") && table.contains("sshd"), "{table}");
    let shown = world.run("show-user alice --json").ok().json();
    assert_eq!(shown["remembered"], document["logins"]);
    let shown = world.run("show-user alice").ok().out;
    let row = "  remembered   sshd from 192.0.2.1: since 2026-01-01T00:00:30Z, until 2026-01-01T12:00:30Z";
    assert!(shown.lines().any(|line| line == row), "{shown}");
    let before = events(&world);
    let dry = world.run("remembered alice --revoke --dry-run").ok();
    assert!(dry.out.contains("dry run"), "{dry:?}");
    assert_eq!(events(&world), before);
    assert!(is_remembered(&mut world, "alice"));
    let ran = world.run("remembered alice --revoke --ticket HELP-1 --json").ok().json();
    assert_eq!((&ran["schema"], &ran["changed"]), (&"mfactl.remembered/1".into(), &true.into()));
    let log = world.run("log --last 1 --json").ok().json();
    let event = &log["events"][0];
    let expected = ("remembered", "done", "HELP-1");
    let text = |field: &str| event[field].as_str().unwrap().to_owned();
    assert_eq!((&*text("verb"), &*text("outcome"), &*text("ticket")), expected);
    assert!(!is_remembered(&mut world, "alice"));
    assert_eq!(list(&world)["summary"]["count"], 0);
    assert!(!world.run("show-user alice").ok().out.contains("  remembered "));
    let again = world.run("remembered alice --revoke --json").ok().json();
    assert_eq!(again["changed"], false);
    let empty = world.run("remembered alice").ok();
    assert!(empty.err.contains("not remembered anywhere"), "{empty:?}");
    world.wait(30);
    give_code(&mut world, "alice", &secret);
    world.wait(12 * 3600);
    assert_eq!(list(&world)["summary"]["count"], 0, "it is over");
    assert_eq!(world.run("remembered nobody").code, 67);
    assert_eq!(world.run("remembered nobody --revoke").code, 67);
    world.wait(30);
    give_code(&mut world, "alice", &secret);
    let _ = world.run("add-user bob").ok();
    assert_eq!(world.run_with("remembered --from -", "alice\nbob\n").code, 64);
    let _ = world.run_with("remembered --from - --revoke --yes", "alice\nbob\n").ok();
    assert!(!is_remembered(&mut world, "alice"));
    let _ = world.run("verify-log").ok();
}

#[test]
fn what_does_not_count_now_is_listed_as_such_and_revoked_too() {
    let mut world = World::new();
    let _ = remembered(&mut world, "alice");
    let list = |world: &World| world.run("remembered alice --json").ok().json()["logins"].take();
    world.wait(2 * 3600);
    // By the rules of today: for less time, not at all, for as long as before.
    for (rule, until, counts) in [
        ("remember = '1h'", "2026-01-01T01:00:30Z", false),
        ("remember = '3h'", "2026-01-01T03:00:30Z", true),
        ("not_enabled = 'refuse'", "2026-01-01T12:00:30Z", false),
        ("remember = '20h'", "2026-01-01T12:00:30Z", true),
    ] {
        world.configure(&format!("[services.sshd]\n{rule}\n"));
        let logins = list(&world);
        assert_eq!((&logins[0]["until"], &logins[0]["counts"]), (&until.into(), &counts.into()));
        let shown = world.run("show-user alice --json").ok().json();
        assert_eq!(shown["remembered"], logins, "{rule}");
        let shown = world.run("show-user alice").ok().out;
        assert_eq!(shown.contains("; does not count now"), !counts, "{rule}: {shown}");
        assert_eq!(by_pam(&mut world, "sshd", "", "alice", "192.0.2.1", "").code == 0, counts);
    }
    for other in ["", "[services.radius]\nremember = '12h'\n"] {
        world.configure(other);
        assert_eq!(list(&world)[0]["counts"], false, "{other}");
    }
    // Whatever the clock says.
    world.wait(3 * 24 * 3600);
    assert_eq!(list(&world), serde_json::json!([]), "over");
    let ran = world.run("remembered alice --revoke --json").ok().json();
    assert_eq!(ran["changed"], true);
    world.wait(-3 * 24 * 3600);
    assert_eq!(list(&world), serde_json::json!([]));
}

/// It would count when the clock is ahead again.
#[test]
fn a_login_of_a_clock_that_was_ahead_is_listed_and_revoked() {
    let mut world = World::new();
    let _ = remembered(&mut world, "alice");
    world.wait(-2 * 3600);
    assert!(!is_remembered(&mut world, "alice"));
    let table = world.run("remembered alice").ok().out;
    let is_row = |line: &str| line.contains("192.0.2.1") && line.contains("no");
    assert!(table.lines().any(is_row), "{table}");
    let ran = world.run("remembered alice --revoke --json").ok().json();
    assert_eq!(ran["changed"], true);
    world.wait(2 * 3600);
    assert!(!is_remembered(&mut world, "alice"));
}
