//! `list-status --at`, and the log behind it.

use serde_json::Value;

use crate::testing::{START, World};

fn listed(world: &World, more: &str) -> Value {
    let mut all = world.run(&format!("list-status --json {more}")).ok().json();
    // The log has no record of when a pending device of the past would have expired.
    for user in all["users"].as_array_mut().unwrap() {
        for device in user["devices"].as_array_mut().unwrap() {
            device.as_object_mut().unwrap().remove("expires_at");
        }
    }
    serde_json::json!([all["users"], all["summary"]])
}

fn when(seconds: i64) -> String {
    crate::domain::time::Timestamp::from_unix(seconds).unwrap().to_string()
}

#[test]
fn the_list_as_of_a_time_equals_the_list_at_that_time() {
    let world = World::new();
    world
        .configure("[policy]\nmfa = \"optional\"\nrequired_groups = [\"staff\"]\nsince = \"2026-01-01\"\ngrace = \"1h\"\n");
    let mut seen = vec![(world.now.get(), listed(&world, ""))];
    let mut note = |world: &World| {
        let mut now = listed(world, "");
        // The log doesn't keep the end of a pending device, so an earlier list leaves it out.
        for user in now[0].as_array_mut().unwrap() {
            for device in user["devices"].as_array_mut().unwrap() {
                device.as_object_mut().unwrap().remove("expires_at");
            }
        }
        seen.push((world.now.get(), now));
        world.wait(61);
    };
    world.wait(61);
    let mut phone = world.active("alice");
    note(&world);
    for line in [
        "add-user bob --group staff --display-name Bob --email bob@example.org",
        "add-user carol",
        "recovery-codes alice --json --reveal-secrets",
        "edit-user alice --group staff --group sales",
        "bypass bob --for 2h --uses 2 --json --reveal-secrets",
        "require-mfa carol --effective 2026-02-01",
    ] {
        let _ = world.run(line).ok();
        note(&world);
    }
    let tablet = world.pending("alice", "--device tablet");
    note(&world);
    let _ = world.verify("alice", &world.code(&tablet, 0)).ok();
    note(&world);
    for _ in 0..6 {
        let _ = world.verify("alice", "000000");
        note(&world);
    }
    for line in [
        "unlock alice",
        "disable alice --device tablet --yes",
        "edit-user alice --rename zoe",
        "edit-user carol --rename aaron",
    ] {
        let _ = world.run(line).ok();
        note(&world);
    }
    let _ = world.verify("zoe", &world.code(&phone, 0)).ok();
    note(&world);
    for line in [
        "disable zoe --yes",
        "enable zoe",
        "reset zoe --yes --json --reveal-secrets --no-enrol",
        "undo zoe --yes",
        "force-new-password zoe --yes --old-password-opens",
        "bypass bob --revoke",
        "remove-user aaron --yes",
        "add-user carol --display-name Another",
        "delete zoe --yes",
    ] {
        let _ = world.run(line).ok();
        note(&world);
    }
    phone = world.active("zoe");
    note(&world);
    world.wait(4000);
    let _ = world.verify("zoe", &world.code(&phone, 0)).ok();
    let _ = world.run("remove-user zoe --yes").ok();
    world.wait(1);

    assert!(seen.len() > 25);
    for (at, earlier) in &seen {
        let past = listed(&world, &format!("--at {}", when(*at)));
        assert_eq!(&past, earlier, "at {}", when(*at));
        let before_the_next = listed(&world, &format!("--at {} --locked", when(*at)));
        assert_eq!(before_the_next[1], earlier[1], "the summary counts everybody");
    }
    assert_eq!(listed(&world, "--at now"), listed(&world, ""));
}

#[test]
fn a_time_before_the_log_is_refused() {
    let world = World::new();
    world.active("alice");
    for (line, code, words) in [
        ("list-status --at 2027-01-01", 65, "is in the future"),
        ("list-status --at 2026-02-30", 65, "is not a date"),
        ("list-status --at soon", 65, "is not a date"),
        ("list-status --at 2020-01-01", 65, "the store begins at 2026-01-01"),
        ("list-status --at now --sort status", 64, "--sort"),
        ("changes --since 2027-01-01", 65, "is in the future"),
        ("changes --since 2025-13-01", 65, "is not a date"),
        ("changes", 64, "no start time"),
        ("changes --since last-run", 64, "--state"),
        ("log --since 2025-12-02 --until 2025-12-01", 65, "is not after"),
        ("log --since 2025-12-01 --until 2025-12-01", 65, "is not after"),
        ("log --verb rest", 65, "did you mean reset"),
        ("log --user nobody", 67, "nobody"),
        ("log --last 0", 64, "--last"),
        ("log --follow --json", 64, "--follow"),
        ("log --prune", 64, "--before"),
        ("log --prune --before 2020-01-01 --user alice", 64, "no filter"),
        ("list-status --columns user,colour", 64, "column"),
    ] {
        let ran = world.run(line);
        assert_eq!(ran.code, code, "{line}: {ran:?}");
        assert!(ran.err.contains(words), "{line}: {}", ran.err);
        assert_eq!(ran.err.matches("error").count(), 1, "{line}: {}", ran.err);
    }
}

#[test]
fn history_from_a_log_with_a_gap_is_refused() {
    let edits = ["seq = 4", "seq > 4", "seq > 0"];
    for edit in edits {
        let world = World::new();
        for user in ["alice", "bob", "carol"] {
            let _ = world.run(&format!("add-user {user}")).ok();
            world.wait(60);
            let _ = world.run(&format!("edit-user {user} --display-name X")).ok();
        }
        world.wait(60);
        let report = world.folder.path().join("r.svg");
        let lines = [
            "list-status --at 2026-01-01".to_owned(),
            "list-status --at 150s".to_owned(),
            "changes --since 2026-01-01".to_owned(),
            format!("report --output {}", report.display()),
        ];
        for line in &lines {
            let _ = world.run(line).ok();
        }
        std::fs::remove_file(&report).unwrap();
        std::fs::remove_file(world.folder.path().join("key/mfactl.key")).unwrap();
        world.sql(&format!("DELETE FROM events WHERE {edit}"));
        for line in &lines {
            let ran = world.run(line);
            assert_eq!(
                (ran.code, ran.out.lines().count() < 2),
                (78, true),
                "{edit}: {line}: {ran:?}"
            );
            assert!(ran.err.contains("the log is incomplete"), "{edit}: {line}: {ran:?}");
            assert!(ran.err.contains("mfactl verify-log"), "{edit}: {line}: {ran:?}");
        }
        assert!(!report.exists());
        assert_eq!(
            world.run("list-status").ok().out.lines().count(),
            5,
            "the present list does not depend on the log"
        );
    }
}

#[test]
fn history_survives_a_clock_that_was_wrong_once() {
    for slip in [86_400 * 365, -86_400 * 365] {
        let world = World::new();
        let _ = world.run("add-user alice").ok();
        world.wait(slip);
        let _ = world.run("edit-user alice --display-name Alice").ok();
        world.wait(3600 - slip);
        let _ = world.run("require-mfa alice").ok();
        world.wait(3600);
        let earlier = world.run("list-status --json --at 90m").ok().json()["users"][0].clone();
        // Events dated in the future are treated as not yet happened.
        let name = if slip > 0 { Value::Null } else { "Alice".into() };
        assert_eq!((&earlier["required"], &earlier["display_name"]), (&false.into(), &name));
        let output = world.run("changes --since 90m").ok().out;
        assert!(output.contains("alice: MFA is overdue"), "{slip}: {output}");
        assert_eq!(world.run("changes --since 30m").ok().out, "", "{slip}");
        let chart = world.folder.path().join("r.svg");
        let _ = world.run(&format!("report --output {}", chart.display())).ok();
        let chart = std::fs::read_to_string(chart).unwrap();
        assert!(!chart.contains("2025") && !chart.contains("2027"), "{slip}: {chart}");
    }
}

#[test]
fn the_log_is_filtered_by_operator_verb_time_and_reason() {
    let world = World::new();
    world.active("alice");
    let _ = world.run("add-user bob").ok();
    world.wait(100);
    world.uid.set(1001);
    let _ = world.run("disable alice --yes --ticket T-7 --reason lost --proof video").ok();
    world.wait(100);
    let _ = world.run("edit-user bob --rename robert").ok();
    let verbs = |filter: &str| -> Vec<String> {
        let log = world.run(&format!("log --json {filter}")).ok().json();
        assert_eq!(log["schema"], "mfactl.log/1");
        let events = log["events"].as_array().unwrap();
        assert_eq!(log["summary"]["events"], events.len());
        events.iter().map(|e| e["verb"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(verbs(""), ["init", "enrol", "verify", "add-user", "disable", "edit-user"]);
    assert_eq!(verbs("--newest-first --last 2"), ["edit-user", "disable"]);
    assert_eq!(verbs("--last 2"), ["disable", "edit-user"]);
    assert_eq!(verbs("--user alice"), ["enrol", "verify", "disable"]);
    assert_eq!(verbs("--user robert"), ["add-user", "edit-user"], "the same user by the new name");
    assert_eq!(verbs("--user bob"), ["add-user"], "events that have the old one");
    assert_eq!(verbs("--operator 1001"), ["disable", "edit-user"]);
    assert_eq!(verbs("--verb enroll"), ["enrol"], "an alias is the verb");
    assert_eq!(verbs("--outcome confirmed"), ["verify"]);
    assert_eq!(verbs("--ticket T-7"), ["disable"]);
    assert_eq!(verbs("--since 150s"), ["disable", "edit-user"]);
    assert_eq!(verbs("--until 150s"), ["init", "enrol", "verify", "add-user"]);
    assert_eq!(
        verbs(&format!("--since {} --until {}", when(START + 100), when(START + 101))),
        ["disable"]
    );
    assert!(verbs("--user alice --verb edit-user").is_empty());
    assert_eq!(world.run("log --user alice --verb edit-user").ok().out, "no events\n");
    let event = &world.run("log --json --ticket T-7").ok().json()["events"][0];
    for (field, value) in [
        ("user", "alice"),
        ("status", "disabled"),
        ("reason", "lost"),
        ("proof", "video"),
        ("outcome", "done"),
    ] {
        assert_eq!(event[field], value, "{field}");
    }
    let csv = world.run("log --format csv --last 1").ok().out;
    assert!(csv.starts_with("seq,at,verb,outcome,user,device,"), "{csv}");
    assert_eq!(csv.lines().count(), 2);
    assert_eq!(world.run("log --format jsonl").ok().out.lines().count(), 6);
    assert_eq!(world.run("log").ok().out.lines().count(), 7);
}

#[test]
fn the_log_of_a_name_includes_every_user_who_had_it() {
    let world = World::new();
    world.active("alice");
    let _ = world.run("reset alice --yes --no-enrol --json --ticket HELP-1").ok();
    let _ = world.run("remove-user alice --yes").ok();
    let _ = world.run("add-user karla").ok();
    let _ = world.run("edit-user karla --rename carol --protected").ok();
    let _ = world.run("edit-user carol --no-protected").ok();
    let _ = world.run("add-user alice").ok();
    let verbs = |filter: &str| -> Vec<String> {
        let log = world.run(&format!("log --json {filter}")).ok().json();
        let events = log["events"].as_array().unwrap();
        events.iter().map(|e| e["verb"].as_str().unwrap().to_owned()).collect()
    };
    let all = ["enrol", "verify", "reset", "remove-user", "add-user"];
    assert_eq!(verbs("--user alice"), all);
    assert_eq!(verbs("--user alice --verb reset"), ["reset"]);
    assert_eq!(verbs("--user alice --last 2"), ["remove-user", "add-user"]);
    assert_eq!(verbs("--user alice --last 1"), ["add-user"]);
    assert_eq!(verbs("--user carol"), ["add-user", "edit-user", "edit-user"]);
    let of_the_old_name = world.run("log --user karla").ok();
    assert_eq!(
        of_the_old_name.err,
        "mfactl: karla was renamed to carol; for later events, run: mfactl log --user carol\n"
    );
    // The table names the verbs too.
    let output = world.run("log --user carol").ok().out;
    assert!(output.contains("fields protected name; renamed from karla"), "{output}");
    assert!(output.contains("fields not_protected"), "{output}");
}

#[test]
fn a_query_for_pruned_events_says_so() {
    let world = World::new();
    world.active("alice");
    world.wait(86_400);
    let _ = world.run("disable alice --yes").ok();
    let _ = world.run("log --prune --before 12h --yes").ok();
    let words = "the log was pruned and begins at";
    for line in ["log", "log --since 2d", "log --user alice"] {
        assert!(world.run(line).ok().err.contains(words), "{line}");
    }
    for line in ["log --since 1h", "log --last 2", "log --quiet"] {
        assert_eq!(world.run(line).ok().err, "", "{line}");
    }
}

#[test]
fn hostile_text_in_the_log_is_escaped() {
    let world = World::new();
    world.active("alice");
    let hostile = "\u{1b}[2J\u{202e}=1+1";
    world.sql(&format!(
        "UPDATE events SET reason = '{hostile}', detail = '{{\"x\":\"\u{9b}{hostile}\"}}', \
         operator_claim = '{hostile}', ticket = '{hostile}', device = '{hostile}'"
    ));
    for format in ["table", "json", "jsonl", "csv"] {
        let out = world.run(&format!("log --format {format}")).ok().out;
        assert!(out.contains("=1+1"), "{format}: {out}");
        let raw = out.chars().find(|c| crate::domain::text::is_harmful(*c) && !"\r\n".contains(*c));
        assert_eq!(raw, None, "{format}: {out}");
    }
    let shown = world.run("show-user alice").ok().out;
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'));
}

#[test]
fn the_list_is_sorted_limited_and_grouped() {
    let world = World::new();
    world.active("carol");
    world.wait(60);
    let _ = world.run("add-user alice --group staff --group sales").ok();
    world.pending("bob", "");
    let order = |more: &str| -> String {
        let all = world.run(&format!("list-status --json {more}")).ok().json();
        let users = all["users"].as_array().unwrap();
        users.iter().map(|u| u["user"].as_str().unwrap().chars().next().unwrap()).collect()
    };
    assert_eq!(order(""), "abc");
    assert_eq!(order("--reverse"), "cba");
    assert_eq!(order("--sort status"), "abc");
    assert_eq!(order("--sort status --reverse"), "cba");
    assert_eq!(order("--sort created"), "cab");
    assert_eq!(order("--sort last-code --reverse"), "cab");
    let csv = world.run("list-status --columns status,user --format csv").ok().out;
    assert_eq!(csv, "status,user\r\nnot_enabled,alice\r\npending,bob\r\nenabled,carol\r\n");
    let json = world.run("list-status --columns user,devices --format jsonl --locked").ok();
    assert_eq!(json.out, "");
    let json = world.run("list-status --columns status,user --json").ok().json();
    assert_eq!(json["users"][0], serde_json::json!({"status": "not_enabled", "user": "alice"}));
    let table = world.run("list-status --columns user,recovery_codes_left").ok().out;
    assert!(table.contains("RECOVERY CODES LEFT") && !table.contains("STATUS"), "{table}");
    assert_eq!(
        world.run("list-status --summary").ok().out,
        "3 users: 1 enabled, 1 pending, 0 disabled, 1 not enabled; coverage 33.3%\n"
    );
    let groups = world.run("list-status --group-by group --json").ok().json();
    assert_eq!(groups["schema"], "mfactl.summary/1");
    let names: Vec<_> = groups["groups"].as_array().unwrap().iter().map(|g| &g["group"]).collect();
    assert_eq!(names, ["", "sales", "staff"]);
    assert_eq!(groups["groups"][0]["users"], 2);
    assert_eq!(groups["summary"]["users"], 3);
    let csv = world.run("list-status --group-by group --format csv").ok().out;
    assert!(csv.contains("\r\nstaff,1,0,0,0,1,0,0,0,0\r\n"), "{csv}");
    let csv = world.run("list-status --summary --format csv").ok().out;
    assert!(csv.ends_with("\r\n,3,1,1,0,1,0,0,33.33,0\r\n"), "{csv}");
    let json = world.run("list-status --summary --json").ok().json();
    assert_eq!((&json["summary"]["users"], &json["groups"]), (&3.into(), &serde_json::json!([])));
}
