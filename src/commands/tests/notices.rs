//! Who hears of a change, by a program of the site that writes down what it is told.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::testing::World;

/// A world whose hook keeps what it gets, a line each; then the shell goes on with `more`.
fn told(more: &str) -> World {
    let world = World::new();
    hooked(&world, &format!("cat >> {}; {more}", heard_at(&world).display()));
    world
}

fn hooked(world: &World, script: &str) {
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    world.configure(&format!("[notify]\nhook = ['{}', '-c', '{script}']\n", shell.display()));
}

fn heard_at(world: &World) -> PathBuf {
    world.folder.path().join("heard")
}

/// What the hook was told, each notice once.
fn heard(world: &World) -> Vec<Value> {
    let text = std::fs::read_to_string(heard_at(world)).unwrap_or_default();
    let _ = std::fs::remove_file(heard_at(world));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn happenings(world: &World) -> Vec<String> {
    heard(world).iter().map(|n| n["event"].as_str().unwrap().to_owned()).collect()
}

fn notify_events(world: &World) -> String {
    world.sql("SELECT outcome FROM events WHERE verb = 'notify' ORDER BY seq")
}

#[test]
fn a_user_hears_of_every_change_and_of_it_alone() {
    let world = told("");
    let secret = world.pending("alice", "");
    let _ = world.verify("alice", "00000000");
    assert_eq!(happenings(&world), [""; 0], "a device that waits lets nobody in");
    let _ = world.verify("alice", &world.code(&secret, 0)).ok();
    assert_eq!(happenings(&world), ["new-device"]);
    world.wait(60);
    let _ = world.verify("alice", &world.code(&secret, 0)).ok();
    assert_eq!(happenings(&world), [""; 0]);
    for (line, expected) in [
        ("recovery-codes alice --json --reveal-secrets", "recovery-codes"),
        ("bypass alice --for 1h --json --reveal-secrets", "bypass"),
        ("bypass alice --revoke", ""),
        ("disable alice --yes --dry-run", ""),
        ("disable alice --yes", "disable"),
        ("disable alice --yes", ""),
        ("enable alice", ""),
        ("reset alice --yes --json", "reset"),
        ("undo alice --yes", "undo"),
        ("force-new-password alice --yes --keep-mfa --json", "force-new-password"),
        ("edit-user alice --display-name Alice", ""),
        ("delete alice --yes", "delete"),
        ("unlock alice", ""),
    ] {
        let _ = world.run(line).ok();
        let expected: Vec<_> = [expected].into_iter().filter(|e| !e.is_empty()).collect();
        assert_eq!(happenings(&world), expected, "{line}");
    }
    assert_eq!(notify_events(&world).lines().filter(|o| *o == "sent").count(), 8);
}

#[test]
fn the_document_says_who_what_and_when_and_holds_no_secret() {
    let world = told("");
    let line = "add-user alice --display-name A. --email alice@example.com --language fr";
    let _ = world.run(line).ok();
    let secret = world.active("alice");
    let _ = heard(&world);
    let _ = world.run("disable alice --device phone --yes --ticket HELP-1 --reason lost").ok();
    let expected = serde_json::json!({
        "schema": "mfactl.notice/1",
        "event": "disable",
        "user": "alice",
        "display_name": "A.",
        "email": "alice@example.com",
        "language": "fr",
        "device": "phone",
        "at": "2026-01-01T00:00:00Z",
        "ticket": "HELP-1",
    });
    assert_eq!(heard(&world), [expected]);
    let ran = world.run("recovery-codes alice --json --reveal-secrets");
    assert_eq!(ran.code, 0, "{ran:?}");
    let heard = heard(&world)[0].to_string();
    let codes = ran.json()["codes"].clone();
    for code in codes.as_array().unwrap() {
        assert!(!heard.contains(code.as_str().unwrap()), "{heard}");
    }
    assert!(!heard.contains(secret.base32().as_str()), "{heard}");
    let event = "SELECT detail FROM events WHERE verb = 'notify' ORDER BY seq DESC LIMIT 1";
    assert_eq!(world.sql(event), r#"{"hook":"sent","of":"recovery-codes"}"#);
}

#[test]
fn a_failure_is_a_warning_and_an_event_and_changes_nothing_else() {
    let world = told("exit 3");
    let _ = world.active("alice");
    let ran = world.run("disable alice --yes --quiet").ok();
    assert_eq!(
        ran.err,
        "mfactl: warning: alice was not notified: hook: it ended with exit status: 3\n"
    );
    assert_eq!(world.listed("alice")["status"], "disabled");
    assert_eq!(notify_events(&world), "failed\nfailed");
}

#[test]
fn many_users_are_told_one_by_one_and_failures_are_one_line() {
    let world = told("");
    let list = world.folder.path().join("list");
    let mut names = String::new();
    for n in 0..4 {
        let _ = world.active(&format!("u{n}"));
        names += &["u", &n.to_string(), "\n"].concat();
    }
    std::fs::write(&list, names).unwrap();
    let _ = heard(&world);
    let _ = world.run("disable u3 --yes").ok();
    let line = format!("disable --from {} --yes", list.display());
    let _ = world.run(&format!("{line} --dry-run")).ok();
    let _ = heard(&world);
    let _ = world.run(&line).ok();
    let users: Vec<_> = heard(&world).iter().map(|n| n["user"].clone()).collect();
    assert_eq!(users, ["u0", "u1", "u2"], "one that was disabled already hears nothing");
    hooked(&world, "exit 1");
    let ran = world.run(&format!("delete --from {} --yes", list.display())).ok();
    let warnings: Vec<_> = ran.err.lines().collect();
    assert_eq!(warnings.len(), 1, "{ran:?}");
    assert!(warnings[0].contains("4 of 4 users were not notified; u0: hook: "), "{ran:?}");
    assert_eq!(notify_events(&world).lines().filter(|o| *o == "failed").count(), 4);
}

#[test]
fn a_program_that_others_could_change_is_not_run() {
    let world = World::new();
    let _ = world.active("alice");
    let hook = world.folder.path().join("tell");
    world.configure(&format!("[notify]\nhook = ['{}']\n", hook.display()));
    let mark = world.folder.path().join("ran");
    let fails = |line: &str, why: &str| {
        let ran = world.run(line).ok();
        assert!(ran.err.contains("warning: alice was not notified: hook: "), "{ran:?}");
        assert!(ran.err.contains(why), "{why}: {ran:?}");
        assert!(!mark.exists());
    };
    fails("disable alice --yes", "there is no program");
    // Written by another process, so that no open descriptor of ours makes it busy.
    let script = format!("printf '#!/bin/sh\\n: > {}\\n' > {}", mark.display(), hook.display());
    assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
    let mode = |mode: &str| {
        assert!(Command::new("chmod").arg(mode).arg(&hook).status().unwrap().success());
    };
    let _ = world.run("enable alice").ok();
    mode("0777");
    fails("disable alice --yes", "has mode 0777");
    let _ = world.run("enable alice").ok();
    mode("0644");
    fails("disable alice --yes", "starting");
    let _ = world.run("enable alice").ok();
    mode("0755");
    let ran = world.run("disable alice --yes").ok();
    assert!(ran.err.is_empty() && mark.exists(), "{ran:?}");
}

#[test]
fn mail_alone_does_not_reach_who_has_no_address() {
    let world = World::new();
    world.configure("[notify]\nsmtp = 'smtp://127.0.0.1:9'\nfrom = 'mfa@example.org'\n");
    let ran = world.active("alice");
    drop(ran);
    let ran = world.run("disable alice --yes").ok();
    assert_eq!(ran.err, "", "nobody could be asked");
    assert_eq!(notify_events(&world), "no_address\nno_address");
    let _ = world.run("edit-user alice --email alice@example.com").ok();
    let ran = world.run("delete alice --yes").ok();
    assert!(ran.err.contains("warning: alice was not notified: mail: "), "{ran:?}");
    assert_eq!(notify_events(&world), "no_address\nno_address\nfailed");
}

#[test]
fn a_wrong_value_is_refused_before_anything_is_done() {
    let world = World::new();
    let _ = world.active("alice");
    for (text, word) in [
        ("hook = ['tell']", "notify.hook"),
        ("hooks = ['/bin/tell']", "hooks"),
        ("hook = '/bin/tell'", "line 2"),
        ("smtp = 'smtp://mail.example.org'\nfrom = 'a@b.example'", "notify.smtp"),
    ] {
        world.configure(&format!("[notify]\n{text}\n"));
        let ran = world.run("disable alice --yes");
        assert!(ran.code == 78 && ran.err.contains(word), "{text}: {ran:?}");
    }
    world.configure("[notify]\n");
    assert_eq!(world.listed("alice")["status"], "enabled");
}
