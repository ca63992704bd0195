//! A group, an operator or a time that nothing is known of is refused, and not answered with "nothing".

use crate::testing::World;

#[test]
fn w8_a_group_that_nobody_is_in_can_not_be_left() {
    let world = World::new();
    let _ = world.run("add-user alice --group staff").ok();
    let _ = world.run("add-user bob").ok();
    for line in
        ["edit-user alice --remove-group staf", "edit-user alice --remove-group staf --dry-run"]
    {
        let ran = world.run(&format!("{line} --json"));
        assert_eq!((ran.code, ran.error().as_str()), (65, "bad_input"), "{ran:?}");
        assert!(ran.err.contains("nobody is in") && ran.err.contains("staff"), "{ran:?}");
        let ran = world.run_with("edit-user --from - --remove-group staf --yes", "alice\nbob\n");
        assert_eq!(ran.code, 65, "{ran:?}");
    }
    // A group of others, and one that the configuration names.
    let ran = world.run("edit-user bob --remove-group staff --json").ok().json();
    assert_eq!(ran["changed"], false);
    world.configure("[policy]\nrequired_groups = [\"vpn\"]\n");
    let _ = world.run("edit-user bob --remove-group vpn").ok();
    let _ = world.run("edit-user alice --remove-group staff").ok();
    assert_eq!(world.sql("SELECT groups FROM users WHERE name = 'alice'"), "");
}

#[test]
fn w8_an_operator_whom_nothing_knows_is_refused() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    for name in ["nosuch-operator", "4000000123"] {
        let ran = world.run(&format!("log --operator {name} --json"));
        assert_eq!((ran.code, ran.error().as_str()), (65, "bad_input"), "{ran:?}");
        assert!(ran.err.contains("is no operator of this machine or in the log"), "{ran:?}");
    }
    // The tests' uid acted; `daemon` is an account of this machine that never did.
    let logged = world.run("log --operator 1000 --json").ok().json();
    assert!(!logged["events"].as_array().unwrap().is_empty());
    for quiet in ["daemon", "1"] {
        assert!(world.run(&format!("log --operator {quiet}")).ok().out.contains("no events"));
    }
}

#[test]
fn w8_a_period_before_the_log_is_refused() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    for until in ["2020-01-01", "2025-12-31T23:59:59Z", "2026-01-01"] {
        let ran = world.run(&format!("log --until {until} --json"));
        assert_eq!((ran.code, ran.error().as_str()), (65, "bad_input"), "{until}: {ran:?}");
        assert!(ran.err.contains("the log begins at 2026-01-01T00:00:00Z"), "{ran:?}");
    }
    let _ = world.run("log --since 2020-01-01 --until 2026-01-02").ok();
    let logged = world.run("log --until 2026-01-01T00:00:01Z --json").ok().json();
    assert!(!logged["events"].as_array().unwrap().is_empty());
}
