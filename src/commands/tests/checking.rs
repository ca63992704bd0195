//! The output of `check` and `metrics`.

use crate::testing::World;

fn backup(world: &World, name: &str) -> std::path::PathBuf {
    let file = world.folder.path().join(name);
    let _ = world.run(&format!("backup {}", file.display())).ok();
    file
}

#[test]
fn the_age_of_a_backup_is_compared_to_the_second() {
    let world = World::new();
    backup(&world, "a");
    world.wait(26 * 3600);
    let ran = world.run("check backup").ok();
    assert!(ran.out.ends_with(" | backup_age=26h;26;50;0\n"), "{ran:?}");
    world.wait(1);
    let ran = world.run("check backup");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.ends_with(" | backup_age=26.0002h;26;50;0\n"), "{ran:?}");
    world.wait(24 * 3600);
    assert_eq!(world.run("check backup").code, 2);
    let json = world.run("check backup --json").json();
    assert!((json["value"].as_f64().unwrap() - 50.0).abs() < 0.001, "{json}");
    assert_eq!(
        json["message"], "the last backup is 50 hours old, of 2026-01-01T00:00:00Z",
        "what was there before stays"
    );
    let found = [&json["state"], &json["unit"], &json["warning"], &json["critical"]];
    assert_eq!(found, ["CRITICAL", "h", "26", "50"]);
}

#[test]
fn a_backup_dated_in_the_future_is_not_fresh() {
    let world = World::new();
    world.wait(86_400 * 365);
    backup(&world, "a");
    world.wait(-86_400 * 365);
    let ran = world.run("check backup");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(
        ran.out,
        "MFA WARNING - the last backup is dated 2027-01-01T00:00:00Z, which is still to come: take \
         another | backup_age=U;26;50;0\n"
    );
    backup(&world, "b");
    let _ = world.run("check backup").ok();
}

#[test]
fn a_restored_store_knows_the_backup_it_came_from() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let old = backup(&world, "a");
    world.wait(3600);
    let _ = world.run("add-user bob").ok();
    world.wait(3600);
    let _ = world.run(&format!("restore {} --lose-newer --yes", old.display())).ok();
    let age = || world.run("check backup").ok().out;
    assert!(age().contains("2 hours old, of 2026-01-01T00:00:00Z"), "{}", age());
    world.wait(3600);
    let _ = world.run("edit-user alice --display-name A").ok();
    let _ = world.run("log --prune --before now --yes").ok();
    assert_eq!(world.sql("SELECT count(*) FROM events WHERE verb = 'restore'"), "0");
    assert!(age().contains("3 hours old"), "{}", age());
    backup(&world, "b");
    assert!(age().contains("0 hours old"), "{}", age());
}

#[test]
fn thresholds_are_nagios_ranges() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    for line in ["check locked -w -5:5 -c :10", "check locked --warning=-5:5 --critical -9:9"] {
        let ran = world.run(line);
        assert_eq!(ran.code, 0, "{line}: {ran:?}");
    }
    assert_eq!(world.run("check coverage -c :10 -w -5:-1").code, 1);
    assert!(world.run("check locked -w --json").out.starts_with("MFA UNKNOWN - "));
}

#[test]
fn any_error_of_check_is_unknown_and_one_line() {
    use std::os::unix::fs::PermissionsExt;
    let unknown = |world: &World, line: &str| {
        let ran = world.run(line);
        assert_eq!((ran.code, ran.out.lines().count()), (3, 1), "{line}: {ran:?}");
        assert!(ran.out.starts_with("MFA UNKNOWN - ") && ran.err.is_empty(), "{line}: {ran:?}");
        ran.out
    };
    let world = World::new();
    assert!(unknown(&world, "--config /nonexistent/c.toml check").contains("/nonexistent/c.toml"));
    for wrong in [
        "surplus = 1\n",
        "[policy\n",
        "[policy]\nsurplus = 1\n",
        "[roles]\nauditor = [\"nobody-of-this-name\"]\n",
        "[roles]\nauditor = [\"daemon\"]\n",
    ] {
        world.configure(wrong);
        for what in ["check", "check log", "check backup --quiet"] {
            unknown(&world, what);
        }
    }
    let json = world.run("check --json");
    assert_eq!((json.code, &json.json()["state"]), (3, &"UNKNOWN".into()));
    assert!(json.json()["value"].is_null());
    world.configure("");
    let config = world.folder.path().join("config.toml");
    std::fs::set_permissions(config, PermissionsExt::from_mode(0o666)).unwrap();
    unknown(&world, "check");
    let mut service = World::new();
    service.configure("surplus = 1\n");
    service.variables.push(("PAM_TYPE".to_owned(), "auth".into()));
    let ran = service.run("check");
    assert!(ran.code == 64 && ran.out.is_empty(), "3 is a yes to some services: {ran:?}");
    assert_eq!(world.run("check nothing").code, 64);
    assert_eq!(world.run("list-status").code, 77, "of any other verb");
}

#[test]
fn check_log_counts_one_event_once() {
    let world = World::new();
    let out = world.run("check log").ok().out;
    assert!(out.starts_with("MFA OK - the log is whole: 1 event | "), "{out}");
    std::fs::remove_file(world.folder.path().join("key/mfactl.key")).unwrap();
    let out = world.run("check log").ok().out;
    assert!(out.contains("whole: 1 event, checked without the key | "), "{out}");
}

#[test]
fn metrics_refuse_formats_and_take_a_dash_for_standard_output() {
    let world = World::new();
    let page = world.run("metrics").ok().out;
    assert_eq!(world.run("metrics --output -").ok().out, page);
    assert!(!std::path::Path::new("-").exists());
    for form in ["--json", "--format json", "--format csv", "--format table"] {
        let ran = world.run(&format!("metrics {form}"));
        assert!(ran.code == 64 && ran.out.is_empty(), "{form}: {ran:?}");
        assert!(ran.err.contains("one form"), "{form}: {ran:?}");
    }
}
