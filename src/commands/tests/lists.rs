//! `list-status`: filters, formats, thresholds.

use crate::testing::World;

/// alice enabled and used, bob pending, carol disabled, dave without a device, erin locked.
fn five() -> World {
    let world = World::new();
    let _ = world.run("add-user dave --group staff --display-name Dave").ok();
    world.active("alice");
    let _ = world.run("edit-user alice --group staff").ok();
    world.pending("bob", "");
    world.active("carol");
    let _ = world.run("disable carol --yes").ok();
    world.active("erin");
    for _ in 0..5 {
        assert_eq!(world.verify("erin", "000000").code, 1);
    }
    world
}

fn users(world: &World, filter: &str) -> Vec<String> {
    let all = world.run(&format!("list-status --json {filter}"));
    let all = all.json();
    all["users"].as_array().unwrap().iter().map(|u| u["user"].as_str().unwrap().into()).collect()
}

#[test]
fn a_failed_check_prints_even_if_quiet_and_an_empty_group_has_no_coverage() {
    let world = five();
    for line in ["--summary", "--group-by group"] {
        let ran = world.run(&format!("list-status --without-mfa --fail-if-any --quiet {line}"));
        assert_eq!(ran.code, 1);
        assert!(ran.out.starts_with("5 users: 2 enabled"), "{ran:?}");
    }
    world.configure("[policy]\nrequired_groups = [\"sales\"]\n");
    let ran = world.run("list-status --group sales --min-coverage 50 --quiet");
    assert_eq!((ran.code, ran.out.as_str()), (1, "no user is in the group sales\n"));
    let ran = world.run("list-status --group staff --min-coverage 50 --quiet");
    assert_eq!((ran.code, ran.out.as_str()), (0, ""));
    let json = "list-status --group sales --min-coverage 0 --json";
    assert_eq!(world.run(json).code, 1);
}

#[test]
fn an_expired_pending_device_is_shown_as_expired() {
    let world = five();
    assert!(world.run("show-user bob").ok().out.contains("expires 2026-01-04"));
    world.wait(80 * 3600);
    let shown = world.run("show-user bob").ok().out;
    assert!(shown.contains("expired unconfirmed 2026-01-04"), "{shown}");
}

#[test]
fn everybody_is_listed_by_name_with_a_summary() {
    let world = five();
    assert_eq!(users(&world, ""), ["alice", "bob", "carol", "dave", "erin"]);
    let summary = world.run("status --json").ok().json()["summary"].clone();
    assert_eq!(
        summary,
        serde_json::json!({"users": 5, "enabled": 2, "pending": 1, "disabled": 1,
            "not_enabled": 1, "locked": 1, "required_without_mfa": 0, "weak": 0, "coverage": 40.0})
    );
    let table = world.run("list-status").ok().out;
    assert!(table.ends_with(
        "5 users: 2 enabled, 1 pending, 1 disabled, 1 not enabled, 1 locked; coverage 40.0%\n"
    ));
    assert_eq!(table.lines().count(), 7, "{table}");
}

#[test]
fn filters_combine() {
    let world = five();
    assert_eq!(users(&world, "--without-mfa"), ["bob", "carol", "dave"]);
    assert_eq!(users(&world, "--status pending"), ["bob"]);
    assert_eq!(users(&world, "--status pending --status not_enabled"), ["bob", "dave"]);
    assert_eq!(users(&world, "--status not-enabled"), ["dave"]);
    assert_eq!(users(&world, "--locked"), ["erin"]);
    assert_eq!(users(&world, "--group staff"), ["alice", "dave"]);
    assert_eq!(users(&world, "--group staff --without-mfa"), ["dave"]);
    assert_eq!(users(&world, "--never-used"), ["bob", "dave"]);
    assert!(users(&world, "--inactive-for 90d").is_empty());
    world.wait(90 * 86_400);
    assert_eq!(users(&world, "--inactive-for 90d").len(), 5);
    assert_eq!(users(&world, "--pending-longer-than 7d"), ["bob"]);
    assert!(users(&world, "--locked").is_empty(), "the lock is over");
    let group = world.run("list-status --group staff --json").ok().json();
    assert_eq!(group["summary"]["coverage"], 50.0);
}

#[test]
fn thresholds_set_the_exit_code_and_quiet_prints_nothing() {
    let world = five();
    assert_eq!(world.run("list-status --without-mfa --fail-if-any").code, 1);
    assert_eq!(world.run("list-status --min-coverage 40").code, 0);
    assert_eq!(world.run("list-status --min-coverage 40.1").code, 1);
    let good = world.run("list-status --min-coverage 40 --quiet").ok();
    assert_eq!((good.out.as_str(), good.err.as_str()), ("", ""));
    let bad = world.run("list-status --min-coverage 95 --quiet");
    assert_eq!((bad.code, bad.out.lines().count()), (1, 1));
    let none = world.run("list-status --group staff --locked --fail-if-any --quiet").ok();
    assert_eq!((none.out.as_str(), none.err.as_str()), ("", ""));
    let some = world.run("list-status --locked --fail-if-any --quiet");
    assert!(some.code == 1 && some.out.contains("erin") && !some.out.contains("coverage"));
    let nobody = World::new().run("list-status --min-coverage 100 --quiet");
    assert_eq!((nobody.code, nobody.out.as_str()), (1, "there are no users\n"));
}

#[test]
fn all_formats_have_the_same_content() {
    let world = five();
    let lines = world.run("list-status --format jsonl").ok().out;
    assert_eq!(lines.lines().count(), 5);
    for line in lines.lines() {
        let user: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(user["devices"].is_array() && user["groups"].is_array());
    }
    let text = world.run("list-status --format csv").ok().out;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 5);
    assert_eq!((&rows[0][0], &rows[0][4], &rows[0][10]), ("alice", "enabled", "phone:active"));
    let none = World::new();
    assert_eq!(none.run("list-status --format csv").ok().out.lines().count(), 1);
    assert!(none.run("list-status --json").ok().json()["users"].as_array().unwrap().is_empty());
}

#[test]
fn csv_has_no_formulas_and_output_no_control_characters() {
    let world = World::new();
    let _ = world.run("add-user alice --display-name =1+1 --email +x@y.example").ok();
    let _ = world.run("add-user +bob").ok();
    let text = world.run("list-status --format csv").ok().out;
    assert!(text.contains("'+bob") && text.contains("'=1+1") && text.contains("'+x@y.example"));
    // Written without mfactl's checks.
    let evil = "UPDATE users SET display_name = 'a\u{1b}[2J\u{202e}\u{9b}\r\n'";
    let _ = world.sql(evil);
    for form in ["table", "json", "jsonl", "csv"] {
        for verb in ["list-status", "show-user alice"] {
            let out = world.run(&format!("{verb} --format {form}")).ok().out;
            assert!(out.contains("[2J"), "{verb} {form}: {out}");
            let harmful =
                |c: &char| !matches!(c, '\n' | '\r') && crate::domain::text::is_harmful(*c);
            assert_eq!(out.chars().find(harmful), None, "{verb} {form}");
        }
    }
}

#[test]
fn a_narrow_terminal_gets_a_line_a_user() {
    let mut world = five();
    world.terminal = Some(crate::env::Size { columns: 40, rows: 24 });
    let out = world.run("list-status").ok().out;
    assert!(
        out.starts_with("alice: enabled; phone:active\nbob: pending; phone:pending\n"),
        "{out}"
    );
    world.terminal = Some(crate::env::Size { columns: 100, rows: 24 });
    let out = world.run("list-status --color always").ok().out;
    assert!(out.contains("\u{1b}[38;5;10m") && out.contains("enabled"), "{out:?}");
    assert!(!world.run("list-status --color never").ok().out.contains('\u{1b}'));
}

#[test]
fn list_status_needs_no_key_and_writes_nothing() {
    let world = five();
    std::fs::remove_file(world.folder.path().join("key/mfactl.key")).unwrap();
    let events = world.sql("SELECT count(*) FROM events");
    let _ = world.run("list-status").ok();
    let _ = world.run("show-user alice").ok();
    assert_eq!(world.sql("SELECT count(*) FROM events"), events);
    let ran = world.run_with("verify --json alice", "123456");
    assert_eq!((ran.code, ran.error().as_str()), (78, "key"));
}

/// CSV and JSON lines filter in SQL; the table filters in Rust, because it counts every user.
#[test]
fn the_sql_filter_agrees_with_the_full_filter() {
    let world = five();
    world.configure("[policy]\nmfa = \"required\"\nsince = \"2026-01-01\"\ngrace = \"30d\"\n");
    let _ = world.run("bypass dave --for 2h --json --reveal-secrets").ok();
    let _ = world.run("edit-user bob --group staff2 --group xstaff").ok();
    let filters = [
        "--status enabled",
        "--status disabled --status pending",
        "--without-mfa",
        "--status enabled --without-mfa",
        "--status pending --without-mfa",
        "--group staff",
        "--locked",
        "--inactive-for 1d",
        "--never-used",
        "--due",
        "--overdue",
        "--bypass",
        "--recovery-codes-below 3",
        "--pending-longer-than 1d",
        "--group staff --without-mfa --never-used",
    ];
    let mut found_some = std::collections::BTreeSet::new();
    for days in [0, 3, 40] {
        world.wait(days * 86_400);
        for filter in filters {
            let lines = world.run(&format!("list-status --format jsonl {filter}")).ok().out;
            let found: Vec<String> = lines
                .lines()
                .map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap())
                .map(|line| line["user"].as_str().unwrap().to_owned())
                .collect();
            assert_eq!(found, users(&world, filter), "{filter} after {days} days more");
            if !found.is_empty() {
                found_some.insert(filter);
            }
        }
    }
    let never: Vec<_> = filters.iter().filter(|filter| !found_some.contains(*filter)).collect();
    assert_eq!(never, [&"--status enabled --without-mfa"], "filters that found nobody");
}
