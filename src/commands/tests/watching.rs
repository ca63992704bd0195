//! `changes`, `metrics`, `check`, `report` and `doctor`.

use crate::testing::{World, secret};

fn words(world: &World, line: &str) -> String {
    let ran = world.run(line).ok();
    assert_eq!(ran.err, "");
    ran.out
}

#[test]
fn changes_are_silent_until_something_changes() {
    let world = World::new();
    let phone = world.active("alice");
    world.active("bob");
    let _ = world.run("recovery-codes bob --json --reveal-secrets").ok();
    let state = world.folder.path().join("state");
    let run = format!("changes --state {}", state.display());
    assert_eq!(words(&world, &run), "", "the first run remembers");
    assert_eq!(words(&world, &run), "");
    world.wait(60);
    let _ = world.verify("alice", &world.code(&phone, 0)).ok();
    assert_eq!(words(&world, &run), "", "a code that is accepted changes no protection");
    world.wait(60);
    let _ = world.run("disable alice --yes --ticket T-1").ok();
    let _ = world.run("add-user carol").ok();
    let _ = world.run("reset bob --yes --no-enrol --json").ok();
    let output = words(&world, &run);
    assert_eq!(
        output,
        "alice: disabled, newly without MFA; enabled before, disabled now; disable by uid 1000 at \
         2026-01-01T00:02:00Z, T-1\n\
         bob: reset, newly without MFA, few recovery codes left; enabled before, not enabled now; \
         reset by uid 1000 at 2026-01-01T00:02:00Z\n\
         carol: added, newly without MFA; not enabled now; add-user by uid 1000 at \
         2026-01-01T00:02:00Z\n"
    );
    assert_eq!(words(&world, &run), "", "printed once");
    assert_eq!(words(&world, "changes --since 90s"), output);
    let json = world.run("changes --since 90s --json").ok().json();
    assert_eq!(json["schema"], "mfactl.changes/1");
    assert_eq!(json["changes"][0]["changes"], serde_json::json!(["disabled", "unprotected"]));
    assert_eq!(world.run("changes --since 90s --format csv").ok().out.lines().count(), 4);
    world.wait(5);
    assert_eq!(words(&world, "changes --since 1s --format csv"), "");
    let _ = world.run("enable alice").ok();
    assert!(words(&world, &run).starts_with("alice: enabled; disabled before, enabled now"));
    let _ = world.run("remove-user alice --yes").ok();
    let _ = world.run("remove-user carol --yes --erase").ok();
    let output = words(&world, &run);
    assert!(output.starts_with("(name erased): removed; remove-user by uid 1000"), "{output}");
    assert!(output.contains("\nalice: removed; remove-user by uid 1000"), "{output}");
    for _ in 0..5 {
        let _ = world.verify("bob", "000000");
    }
    world.active("dave");
    for _ in 0..5 {
        let _ = world.verify("dave", "000000");
    }
    assert!(words(&world, &run).contains("dave: added, enabled, locked"));
}

#[test]
fn changes_name_the_verb_behind_each_change() {
    let world = World::new();
    let phone = world.active("alice");
    world.active("bob");
    world.active("carol");
    let _ = world.run("add-user dora").ok();
    let state = world.folder.path().join("state");
    let run = format!("changes --state {}", state.display());
    assert_eq!(words(&world, &run), "");
    world.wait(60);
    let _ = world.run("delete bob --yes --ticket EVIL-1").ok();
    let _ = world.run("edit-user bob --display-name Bob").ok();
    // A replaced phone and an additional phone do not change the status.
    let _ = world.run("delete carol --yes").ok();
    world.active("carol");
    let second = world.run("enrol alice --device second --no-confirm --json --reveal-secrets").ok();
    let second = secret(&second);
    let _ = world.verify("alice", &world.code(&second, 0)).ok();
    let _ = world.verify("alice", &world.code(&phone, 0)).ok();
    let _ = world.run("edit-user dora --email dora@example.org").ok();
    assert_eq!(
        words(&world, &run),
        "alice: new device active; verify by uid 1000 at \
         2026-01-01T00:01:00Z\n\
         bob: deleted, newly without MFA; enabled before, not enabled now; delete by uid 1000 at \
         2026-01-01T00:01:00Z, EVIL-1\n\
         carol: deleted, new device active; delete by uid 1000 \
         at 2026-01-01T00:01:00Z\n"
    );
}

#[test]
fn changes_name_the_operator_of_a_reset_whatever_follows() {
    let world = World::new();
    world.active("alice");
    world.active("bob");
    let state = world.folder.path().join("state");
    let run = format!("changes --state {}", state.display());
    assert_eq!(words(&world, &run), "");
    world.wait(60);
    let _ = world.run("reset alice --yes --no-enrol --json --ticket HELP-77").ok();
    world.active("alice");
    let _ = world.run("bypass alice --for 1h --json --reveal-secrets").ok();
    world.wait(3600);
    let _ = world.run("edit-user alice --display-name Alice").ok();
    let _ = world.run("reset bob --yes --no-enrol --json").ok();
    let _ = world.run("undo bob --yes").ok();
    let output = words(&world, &run);
    assert!(
        output.starts_with("alice: reset, new device active; reset by uid 1000 at"),
        "{output}"
    );
    assert!(output.trim_end().ends_with("HELP-77") && output.lines().count() == 1, "{output}");
}

#[test]
fn changes_pair_an_undo_with_the_change_that_it_names() {
    let world = World::new();
    world.active("alice");
    world.wait(3600);
    let _ = world.run("reset alice --yes --json").ok();
    world.wait(60);
    let _ = world.run("disable alice --yes").ok();
    let _ = world.run("enable alice").ok();
    let undone = world.run("undo alice --yes --json").ok().json();
    assert_eq!(undone["undone"], "reset", "the disable was undone by hand");
    assert_eq!(words(&world, "changes --since 30m"), "");
}

#[test]
fn changes_pair_an_undo_with_a_reset_that_a_later_code_completed() {
    let world = World::new();
    world.active("alice");
    world.pending("alice", "--device tablet");
    world.wait(3600);
    let keep = "reset alice --device phone --keep-until-confirmed --yes --json --reveal-secrets";
    let new = secret(&world.run(keep).ok());
    world.wait(60);
    let _ = world.run("delete alice --device tablet --yes").ok();
    world.wait(60);
    let _ = world.verify("alice", &world.code(&new, 0)).ok();
    let undone = world.run("undo alice --even-after-code --yes --json").ok().json();
    assert_eq!(undone["undone"], "reset");
    let since = words(&world, "changes --since 30m");
    assert!(since.starts_with("alice: deleted; delete by uid 1000"), "{since}");
}

#[test]
fn an_erased_removal_is_reported_without_the_name() {
    let world = World::new();
    world.active("alice");
    world.active("bob");
    let before = world.now.get();
    world.wait(3600);
    let _ = world.run("remove-user bob --yes --erase --ticket T-9").ok();
    assert_eq!(
        words(&world, "changes --since 30m"),
        "(name erased): removed; remove-user by uid 1000 at 2026-01-01T01:00:00Z, T-9\n"
    );
    let time = crate::domain::time::Timestamp::from_unix(before).unwrap();
    let listed = world.run(&format!("list-status --at {time}")).ok().out;
    assert!(
        listed.ends_with("coverage 100.0%; not listed: 1 whose names were erased from the log, or who were given up\n"),
        "{listed}"
    );
    let json = world.run(&format!("list-status --at {time} --json")).ok().json();
    assert_eq!((&json["summary"]["users"], &json["summary"]["nameless"]), (&1.into(), &1.into()));
}

#[test]
fn a_bypass_code_is_reported_when_issued_and_valid_from_its_start() {
    let world = World::new();
    world.active("alice");
    let _ = world
        .run("bypass alice --starts 2026-01-01T02:00:00Z --for 1h --json --reveal-secrets")
        .ok();
    assert!(words(&world, "changes --since 1h").contains("has a bypass code"));
    assert!(words(&world, "check bypasses -w 0").starts_with("MFA OK"));
    assert_eq!(world.run("list-status --bypass --format csv").ok().out.lines().count(), 1);
    assert!(words(&world, "show-user alice").contains("valid from 2026-01-01T02:00:00Z"));
    world.wait(7200);
    assert_eq!(world.run("list-status --bypass --format csv").ok().out.lines().count(), 2);
}

#[test]
fn pruning_keeps_the_times_of_the_last_backup_and_key_copy() {
    let world = World::new();
    let file = world.folder.path().join("b");
    let _ = world.run("doctor --key-saved").ok();
    let _ = world.run(&format!("backup {}", file.display())).ok();
    for _ in 0..2 {
        world.wait(3600);
        let _ = world.run("add-user alice").code;
        let _ = world.run("edit-user alice --display-name A").ok();
        let _ = world.run("edit-user alice --display-name B").ok();
        world.wait(3600);
        let _ = world.run("log --prune --before now --yes").ok();
        let _ = world.run("check key").ok();
        let _ = world.run("check backup").ok();
    }
    assert_eq!(world.sql("SELECT count(*) FROM events WHERE verb IN ('backup', 'doctor')"), "0");
}

#[test]
fn an_implausible_state_file_is_not_trusted() {
    let world = World::new();
    world.active("alice");
    let state = world.folder.path().join("state");
    let run = format!("changes --since last-run --state {}", state.display());
    let _ = world.run(&run).ok();
    let sound = std::fs::read_to_string(&state).unwrap();
    for wrong in ["", "junk", "\0\0", &sound.replace("anchor 1", "anchor 3")] {
        std::fs::write(&state, wrong).unwrap();
        let ran = world.run(&run);
        assert_eq!(ran.code, 65, "{wrong:?}: {ran:?}");
        assert_eq!(std::fs::read_to_string(&state).unwrap(), wrong, "nothing is lost");
    }
    std::fs::write(&state, &sound).unwrap();
    assert_eq!(World::unrelated().run(&run).code, 65, "the file is of another store");
    world.sql("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events)");
    let ran = world.run(&run);
    assert!(ran.code == 78 && ran.err.contains("does not match the state file"), "{ran:?}");
    std::fs::remove_file(&state).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", &state).unwrap();
    let ran = world.run(&run);
    assert_eq!(ran.code, 65, "{ran:?}");
    assert_eq!(std::fs::read_link(&state).unwrap(), std::path::Path::new("/etc/hostname"));
}

#[test]
fn expired_grace_is_reported_as_a_change() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let _ = world.run("add-user bob --group staff").ok();
    let _ = world.run("require-mfa alice --effective 2026-01-02").ok();
    world
        .configure("[policy]\nmfa = \"optional\"\nrequired_groups = [\"staff\"]\nsince = \"2026-01-01\"\ngrace = \"3d\"\n");
    let overdue = "MFA is overdue\n";
    world.wait(86_400 + 60);
    assert_eq!(words(&world, "changes --since 1h"), format!("alice: {overdue}"));
    world.wait(2 * 86_400);
    assert_eq!(words(&world, "changes --since 1h"), format!("bob: {overdue}"));
    world.wait(86_400);
    assert_eq!(words(&world, "changes --since 1h"), "");
    world.configure("[policy]\nmfa = \"required\"\nsince = \"2026-01-04\"\ngrace = \"1d\"\n");
    world.wait(86_400);
    assert_eq!(words(&world, "changes --since 2h"), "", "four days and a minute");
    assert_eq!(words(&world, "changes --since 25h").lines().count(), 1, "bob; alice was before");
}

#[test]
fn metrics_contain_no_user_names() {
    let world = World::new();
    world.active("alice");
    world.pending("bob", "");
    let _ = world.run("add-user carol").ok();
    let _ = world.run("bypass carol --for 1h --json --reveal-secrets").ok();
    let page = words(&world, "metrics");
    for line in [
        "mfactl_users{state=\"enabled\"} 1",
        "mfactl_users{state=\"pending\"} 1",
        "mfactl_users{state=\"disabled\"} 0",
        "mfactl_users{state=\"none\"} 1",
        "mfactl_users_locked 0",
        "mfactl_coverage_ratio 0.3333333333333333",
        "mfactl_bypass_codes_open 1",
        "mfactl_events_total{event=\"verify\",outcome=\"confirmed\"} 1",
        "mfactl_audit_chain_ok 1",
        "mfactl_last_success_timestamp_seconds 1767225600",
    ] {
        assert!(page.lines().any(|l| l == line), "{line} is not in {page}");
    }
    for name in ["alice", "bob", "carol"] {
        assert!(!page.contains(name));
    }
    assert!(!words(&world, "metrics --without-log").contains("chain_ok"));
    let file = world.folder.path().join("m.prom");
    for _ in 0..2 {
        assert_eq!(words(&world, &format!("metrics --output {}", file.display())), "");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), page);
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&file).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o644);
    let left = std::fs::read_dir(world.folder.path()).unwrap();
    assert!(left.flatten().all(|e| !e.file_name().to_string_lossy().starts_with(".m.prom")));
    assert_eq!(world.run("metrics --output /nonexistent/m.prom").code, 73);
    world.sql("UPDATE events SET at = at + 1 WHERE seq = 2");
    assert!(words(&world, "metrics").contains("mfactl_audit_chain_ok 0"));
}

#[test]
fn check_has_the_exit_codes_of_a_monitoring_plugin() {
    let world = World::new();
    world.active("alice");
    let _ = world.run("add-user bob").ok();
    for (line, code, out) in [
        (
            "check --warning 95: --critical 40:",
            1,
            "MFA WARNING - 50.0% of 2 users | coverage=50%;95:;40:;0;100\n",
        ),
        ("check", 2, "MFA CRITICAL - 50.0% of 2 users | coverage=50%;95:;90:;0;100\n"),
        ("check -w 50: -c 10:", 0, "MFA OK - 50.0% of 2 users | coverage=50%;50:;10:;0;100\n"),
        ("check locked", 0, "MFA OK - 0 of 2 users are locked | locked=0;5;20;0;2\n"),
        (
            "check overdue",
            0,
            "MFA OK - 0 of 2 users must have MFA and have none | overdue=0;0;0;0;2\n",
        ),
        (
            "check bypasses -c ~:0",
            0,
            "MFA OK - 0 of 2 users have a valid bypass code | bypasses=0;5;~:0;0;2\n",
        ),
        ("check log", 0, "MFA OK - the log is intact: 4 events | damage=0;0;0;0;1\n"),
        ("check backup", 2, "MFA CRITICAL - no backup has been taken | backup_age=U;26;50;0\n"),
    ] {
        let ran = world.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (code, out), "{line}");
    }
    let file = world.folder.path().join("b");
    let _ = world.run(&format!("backup {}", file.display())).ok();
    world.wait(30 * 3600);
    let ran = world.run("check backup");
    assert!(ran.code == 1 && ran.out.contains("30 hours old"), "{ran:?}");
    for wrong in ["check -w x", "check -c 5:1"] {
        let ran = world.run(wrong);
        assert!(ran.code == 3 && ran.out.starts_with("MFA UNKNOWN - "), "{wrong}: {ran:?}");
    }
    for wrong in ["check everything", "check --everything"] {
        assert_eq!(world.run(wrong).code, 64, "no service takes it for a yes: {wrong}");
    }
    assert_eq!(world.run("check locked --quiet").ok().out, "");
    assert!(world.run("check backup --quiet").out.starts_with("MFA WARNING"));
    let gone = World::empty().run("check");
    assert_eq!(gone.code, 3);
    assert!(gone.out.starts_with("MFA UNKNOWN - "), "{gone:?}");
}

#[test]
fn a_report_is_one_page_without_external_resources() {
    let world = World::new();
    world.active("alice");
    let _ = world.run("add-user bob --group staff --display-name <b>&\"'=1").ok();
    world.wait(2 * 86_400);
    world.active("carol");
    let _ = world.run("disable alice --yes").ok();
    let file = world.folder.path().join("r.html");
    let output = words(&world, &format!("report --output {}", file.display()));
    assert!(output.ends_with("r.html: 3 users, coverage 33.3%\n"), "{output}");
    let page = std::fs::read_to_string(&file).unwrap();
    for there in [
        "<td>bob</td><td>&lt;b&gt;&amp;&quot;&#39;=1</td><td>staff</td><td>not enabled</td>",
        "<b>33.3%</b><span>coverage</span>",
        "<desc id=\"d\">From 50.0% of 2 users on 2026-01-01 to 33.3% of 3 users on 2026-01-03.</desc>",
        "<h2>Without MFA: 2</h2>",
        "<td>staff</td><td class=\"n\">1</td><td class=\"n\">0</td>",
    ] {
        assert!(page.contains(there), "{there} is not in {page}");
    }
    for loads in ["<script", "href=", "src=", "url(", "@import", "javascript:"] {
        assert!(!page.contains(loads), "{loads}");
    }
    let svg = world.folder.path().join("r.svg");
    let _ = world.run(&format!("report --output {} --since 365d", svg.display())).ok();
    let svg = std::fs::read_to_string(&svg).unwrap();
    assert!(svg.starts_with("<?xml") && svg.contains("stroke=\"#2f6fb3\""));
    assert_eq!(world.run("report --output r.pdf").code, 64);
    assert_eq!(world.run("report --output /nonexistent/r.svg").code, 73);
}

#[test]
fn doctor_reports_problems_and_purges_expired_data() {
    let world = World::new();
    world.active("alice");
    let state = |what: &str| -> String {
        let all = world.run("doctor --json").json();
        let finding = all["findings"].as_array().unwrap().iter().find(|f| f["what"] == what);
        finding.map_or("missing", |f| f["state"].as_str().unwrap()).to_owned()
    };
    for (what, expected) in [
        ("configuration", "good"),
        ("store", "good"),
        ("key file", "good"),
        ("records", "good"),
        ("log", "good"),
        ("key copy", "warning"),
        ("backup", "warning"),
        ("secrets", "good"),
    ] {
        assert_eq!(state(what), expected, "{what}");
    }
    assert_eq!(world.run("check key").code, 1);
    let _ = world.run("doctor --key-saved").ok();
    let _ = world.run(&format!("backup {}", world.folder.path().join("b").display())).ok();
    assert_eq!((state("key copy"), state("backup")), ("good".into(), "good".into()));
    assert_eq!(world.run("check key").code, 0);
    let _ = world.run("delete alice --yes").ok();
    world.wait(25 * 3600);
    assert_eq!(state("secrets"), "warning");
    assert_eq!(world.sql("SELECT count(*) FROM devices"), "1");
    assert_eq!(world.run("doctor --quiet --purge").ok().out, "");
    assert_eq!(world.sql("SELECT count(*) FROM devices"), "0");
    assert_eq!(state("secrets"), "good");
    let last = world.run("log --last 1 --json").ok().json()["events"][0].clone();
    assert_eq!((&last["verb"], &last["outcome"]), (&"doctor".into(), &"purged".into()));
    let out = world.run("doctor").ok().out;
    assert!(out.contains("from the environment"), "{out}");
    world.sql("UPDATE users SET required = 1");
    let ran = world.run("doctor");
    assert!(ran.code == 1 && ran.out.contains("the record of alice was altered"), "{ran:?}");
    assert!(world.run("doctor --quiet").out.contains("altered"));
    world.sql("UPDATE users SET required = 0");
    world.sql("UPDATE events SET at = at + 1 WHERE seq = 2");
    assert_eq!(state("log"), "bad");
}
