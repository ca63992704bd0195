//! What monitoring systems are told by check, and by metrics.

use crate::testing::World;

fn backup(world: &World, name: &str) -> std::path::PathBuf {
    let file = world.folder.path().join(name);
    let _ = world.run(&format!("backup {}", file.display())).ok();
    file
}

#[test]
fn a_restored_store_has_the_backup_that_it_came_from() {
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
fn thresholds_below_nothing_and_from_nothing_on_are_ranges() {
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
fn whatever_is_in_the_way_of_a_check_is_unknown_and_one_line() {
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
    world.configure("");
    let config = world.folder.path().join("config.toml");
    std::fs::set_permissions(config, PermissionsExt::from_mode(0o666)).unwrap();
    unknown(&world, "check");
    let mut asked = World::new();
    asked.configure("surplus = 1\n");
    asked.handed.push(("PAM_TYPE".to_owned(), "auth".into()));
    let ran = asked.run("check");
    assert!(ran.code == 64 && ran.out.is_empty(), "3 is a yes to some services: {ran:?}");
    assert_eq!(world.run("check nothing").code, 64);
    assert_eq!(world.run("list-status").code, 77, "of any other verb");
}

#[test]
fn metrics_have_one_form_and_a_dash_is_standard_output() {
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
