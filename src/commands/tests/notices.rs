//! Notices of changes, recorded by a hook.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::testing::World;

/// A world whose hook appends each notice to a file as a line, then runs `more`.
fn with_hook(more: &str) -> World {
    let world = World::new();
    configure_hook(&world, &format!("cat >> {}; {more}", notices_file(&world).display()));
    world
}

fn configure_hook(world: &World, script: &str) {
    let shell = std::fs::canonicalize("/bin/sh").unwrap();
    world.configure(&format!("[notify]\nhook = ['{}', '-c', '{script}']\n", shell.display()));
}

fn notices_file(world: &World) -> PathBuf {
    world.public().join("notices")
}

/// The notices since the last call.
fn notices(world: &World) -> Vec<Value> {
    let text = std::fs::read_to_string(notices_file(world)).unwrap_or_default();
    let _ = std::fs::remove_file(notices_file(world));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn event_kinds(world: &World) -> Vec<String> {
    notices(world).iter().map(|n| n["event"].as_str().unwrap().to_owned()).collect()
}

fn notify_events(world: &World) -> String {
    world.sql("SELECT outcome FROM events WHERE verb = 'notify' ORDER BY seq")
}

#[test]
fn users_are_notified_of_every_change_and_nothing_else() {
    let world = with_hook("");
    let secret = world.pending("alice", "");
    let _ = world.verify("alice", "00000000");
    assert_eq!(event_kinds(&world), [""; 0], "a pending device can't sign in");
    let _ = world.verify("alice", &world.code(&secret, 0)).ok();
    assert_eq!(event_kinds(&world), ["new-device"]);
    world.wait(60);
    let _ = world.verify("alice", &world.code(&secret, 0)).ok();
    assert_eq!(event_kinds(&world), [""; 0]);
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
        assert_eq!(event_kinds(&world), expected, "{line}");
    }
    assert_eq!(notify_events(&world).lines().filter(|o| *o == "sent").count(), 8);
}

#[test]
fn the_notice_names_user_event_and_time_and_no_secret() {
    let world = with_hook("");
    let line = "add-user alice --display-name A. --email alice@example.com --language fr";
    let _ = world.run(line).ok();
    let secret = world.active("alice");
    let _ = notices(&world);
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
    assert_eq!(notices(&world), [expected]);
    let ran = world.run("recovery-codes alice --json --reveal-secrets");
    assert_eq!(ran.code, 0, "{ran:?}");
    let text = notices(&world)[0].to_string();
    let codes = ran.json()["codes"].clone();
    for code in codes.as_array().unwrap() {
        assert!(!text.contains(code.as_str().unwrap()), "{text}");
    }
    assert!(!text.contains(secret.base32().as_str()), "{text}");
    let event = "SELECT detail FROM events WHERE verb = 'notify' ORDER BY seq DESC LIMIT 1";
    assert_eq!(world.sql(event), r#"{"hook":"sent","of":"recovery-codes"}"#);
}

#[test]
fn a_failed_notice_is_a_warning_and_an_event_only() {
    let world = with_hook("exit 3");
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
fn bulk_notices_are_sent_one_by_one_and_failures_are_one_line() {
    let world = with_hook("");
    let list = world.folder.path().join("list");
    let mut names = String::new();
    for n in 0..4 {
        let _ = world.active(&format!("u{n}"));
        names += &["u", &n.to_string(), "\n"].concat();
    }
    std::fs::write(&list, names).unwrap();
    let _ = notices(&world);
    let _ = world.run("disable u3 --yes").ok();
    let line = format!("disable --from {} --yes", list.display());
    let _ = world.run(&format!("{line} --dry-run")).ok();
    let _ = notices(&world);
    let _ = world.run(&line).ok();
    let users: Vec<_> = notices(&world).iter().map(|n| n["user"].clone()).collect();
    assert_eq!(users, ["u0", "u1", "u2"], "one that was disabled already hears nothing");
    configure_hook(&world, "exit 1");
    let ran = world.run(&format!("delete --from {} --yes", list.display())).ok();
    let warnings: Vec<_> = ran.err.lines().collect();
    assert_eq!(warnings.len(), 1, "{ran:?}");
    assert!(warnings[0].contains("4 of 4 users were not notified; u0: hook: "), "{ran:?}");
    assert_eq!(notify_events(&world).lines().filter(|o| *o == "failed").count(), 4);
}

#[test]
fn d4_codes_of_a_list_and_changes_taken_back_are_told_to_each_user() {
    let world = with_hook("");
    let names = "u0\nu1\n";
    for name in names.lines() {
        let _ = world.active(name);
    }
    let _ = notices(&world);
    for (line, kind) in [
        ("recovery-codes --from - --yes --json --reveal-secrets", "recovery-codes"),
        ("bypass --from - --for 1h --yes --json --reveal-secrets", "bypass"),
        ("bypass --from - --revoke --yes", ""),
        ("delete --from - --yes", "delete"),
        ("undo --from - --yes --dry-run", ""),
        ("undo --from - --yes", "undo"),
        ("enrol --from - --no-confirm --device tablet --yes", ""),
        ("remove-user --from - --yes", ""),
        ("add-user --from - --yes", ""),
    ] {
        let _ = world.run_with(line, names).ok();
        let expected = if kind.is_empty() { vec![] } else { vec![kind, kind] };
        assert_eq!(event_kinds(&world), expected, "{line}");
    }
}

#[test]
fn a_hook_that_others_can_write_is_not_run() {
    let world = World::new();
    let _ = world.active("alice");
    let hook = world.folder.path().join("notify");
    world.configure(&format!("[notify]\nhook = ['{}']\n", hook.display()));
    let mark = world.public().join("ran");
    let fails = |line: &str, why: &str| {
        let ran = world.run(line).ok();
        assert!(ran.err.contains("warning: alice was not notified: hook: "), "{ran:?}");
        assert!(ran.err.contains(why), "{why}: {ran:?}");
        assert!(!mark.exists());
    };
    fails("disable alice --yes", "there is no program");
    // Written by another process: a descriptor that this one has open would make the program busy.
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
fn a_user_without_an_address_gets_no_mail() {
    let world = World::new();
    world.configure("[notify]\nsmtp = 'smtp://127.0.0.1:9'\nfrom = 'mfa@example.org'\n");
    let ran = world.active("alice");
    drop(ran);
    let ran = world.run("disable alice --yes").ok();
    assert_eq!(ran.err, "", "no delivery was tried");
    assert_eq!(notify_events(&world), "no_address\nno_address");
    let _ = world.run("edit-user alice --email alice@example.com").ok();
    let ran = world.run("delete alice --yes").ok();
    assert!(ran.err.contains("warning: alice was not notified: mail: "), "{ran:?}");
    assert_eq!(notify_events(&world), "no_address\nno_address\nfailed");
}

#[test]
fn a_wrong_value_is_refused_before_any_change() {
    let world = World::new();
    let _ = world.active("alice");
    for (text, word) in [
        ("hook = ['notify']", "notify.hook"),
        ("hooks = ['/bin/notify']", "line 2: unknown key"),
        ("hook = '/bin/notify'", "line 2"),
        ("smtp = 'smtp://mail.example.org'\nfrom = 'a@b.example'", "notify.smtp"),
    ] {
        world.configure(&format!("[notify]\n{text}\n"));
        let ran = world.run("disable alice --yes");
        assert!(ran.code == 78 && ran.err.contains(word), "{text}: {ran:?}");
    }
    world.configure("[notify]\n");
    assert_eq!(world.listed("alice")["status"], "enabled");
}
