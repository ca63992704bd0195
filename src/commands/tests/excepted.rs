//! Service accounts are excepted from what the configuration requires, and left out of lists and totals.

use serde_json::json;

use crate::testing::World;

const EVERYBODY: &str = "[policy]\nmfa = \"required\"\nexcept_groups = [\"service\"]\n";

/// alice of staff has MFA, bob of staff has none, and backup is a service account.
fn three() -> World {
    let world = World::new();
    world.active("alice");
    let _ = world.run("edit-user alice --group staff").ok();
    let _ = world.run("add-user bob --group staff").ok();
    let _ = world.run("add-user backup --group service").ok();
    world
}

#[test]
fn d24_an_excepted_group_needs_no_mfa_unless_an_operator_requires_it() {
    let world = three();
    world.configure(EVERYBODY);
    let required = |name: &str| world.listed(name)["required"].clone();
    assert_eq!([required("alice"), required("bob"), required("backup")], [true, true, false]);
    let overdue = world.run("list-status --overdue --json").ok().json();
    assert_eq!(overdue["users"].as_array().unwrap().len(), 1);
    let report = world.run("report --json").ok().json();
    assert_eq!(
        report["policy"],
        "by the configuration, MFA is required of everybody except the groups \"service\""
    );
    let joined = world.run("edit-user bob --add-group service --json").ok().json();
    assert_eq!(
        joined["consequences"],
        json!([
            "MFA is no longer required: joined group service",
            "can sign in with the password alone"
        ])
    );
    let left = world.run("edit-user bob --remove-group service --json").ok().json();
    assert_eq!(left["consequences"][0], "MFA is required: left group service");
    let _ = world.run("require-mfa backup").ok();
    assert_eq!(required("backup"), true);
    let lifted = world.run("require-mfa backup --not").ok();
    assert!(!lifted.out.contains("by the configuration"), "{lifted:?}");
    assert_eq!(required("backup"), false);
}

#[test]
fn d24_the_configuration_names_an_excepted_group_once_and_doctor_one_without_members() {
    let world = three();
    world.configure("[policy]\nrequired_groups = [\"staff\"]\nexcept_groups = [\"Staff\"]\n");
    let ran = world.run("list-status");
    assert_eq!(ran.code, 78, "{ran:?}");
    assert!(ran.err.contains("policy.except_groups: \"staff\" is in policy.required_groups"));
    world.configure("[policy]\nmfa = \"required\"\nexcept_groups = [\"servce\"]\n");
    let found = world.run("doctor").out;
    let words = "\"servce\" is excepted from MFA, but nobody is in it; did you mean service?";
    assert!(found.contains(words), "{found}");
    world.configure(EVERYBODY);
    assert!(!world.run("doctor").out.contains("nobody is in it"));
}

#[test]
fn d24_groups_are_left_out_of_lists_checks_and_metrics() {
    let world = three();
    let listed = |line: &str| world.run(&format!("list-status --json {line}"));
    let without = listed("--not-group service").ok().json();
    assert_eq!(without["users"].as_array().unwrap().len(), 2);
    assert_eq!(without["summary"]["coverage"], 50.0);
    let nobody = listed("--not-group service --not-group staff").ok().json();
    assert_eq!(nobody["summary"]["users"], 0);
    let text = world.run("list-status --not-group service --not-group staff").ok().out;
    assert!(text.ends_with("nobody is left outside the groups service, staff\n"), "{text}");
    // A check of nobody is no yes.
    let line = "list-status --not-group service --not-group staff --min-coverage 1 --quiet";
    assert_eq!(world.run(line).code, 1);
    let _ = world.run("delete alice --yes").ok();
    let _ = world.run("remove-user bob --yes").ok();
    let secret = world.pending("alice", "");
    assert_eq!(world.run("list-status --without-mfa --fail-if-any --quiet").code, 1);
    let _ = world.verify("alice", &world.code(&secret, 0)).ok();
    let cron = "list-status --without-mfa --fail-if-any --quiet --not-group service";
    assert_eq!(world.run(cron).ok().out, "");
    let check = world.run("check --not-group service").ok().out;
    assert!(check.starts_with("MFA OK - 100.0% of 1 user"), "{check}");
    let metrics = world.run("metrics --not-group service").ok().out;
    assert!(metrics.contains("mfactl_users{state=\"none\"} 0\n"), "{metrics}");
    let metrics = world.run("metrics").ok().out;
    assert!(metrics.contains("mfactl_users{state=\"none\"} 1\n"), "{metrics}");
}

#[test]
fn d24_a_report_leaves_out_groups_at_both_ends_and_between() {
    let world = three();
    world.wait(3 * 86_400);
    let _ = world.active("backup");
    let report = |line: &str| world.run(&format!("report --without-log --json {line}")).ok().json();
    let (all, without) = (report("--since 1d"), report("--since 1d --not-group service"));
    assert_eq!((&all["users"], &without["users"]), (&3.into(), &2.into()), "{without}");
    assert_eq!(all["at_start"]["users"], 3, "{all}");
    assert_eq!(without["at_start"]["users"], 2, "{without}");
    let enabled = |report: &serde_json::Value, at: &str| report[at]["enabled"].as_u64().unwrap();
    assert_eq!(enabled(&all, "at_end"), enabled(&all, "at_start") + 1);
    assert_eq!(enabled(&without, "at_end"), enabled(&without, "at_start"), "it was a service");
    assert_eq!(without["summary"]["users"], 2);
    let points = without["course"].as_array().unwrap();
    assert!(points.iter().all(|point| point["users"] == 2), "{points:?}");
    assert!(all["not_counted"].is_null(), "{all}");
    let words = "the members of service, as they are now";
    assert!(without["not_counted"].as_str().unwrap().starts_with(words), "{without}");
    let text = world.run("report --without-log --not-group service").ok().out;
    assert!(text.contains(&format!("not counted:          {words}")), "{text}");
    let page = world.run("report --without-log --not-group service --output -").ok().out;
    assert!(page.contains(&format!("Not counted: {words}")), "{page}");
    // A period that is over.
    let over = report("--since 2026-01-01 --until 2026-01-02 --not-group service");
    assert_eq!((&over["users"], &over["summary"]["users"]), (&2.into(), &2.into()), "{over}");
}

#[test]
fn d24_a_group_to_leave_out_that_nobody_is_in_is_refused() {
    let world = three();
    for line in [
        "list-status --not-group servce",
        "metrics --not-group servce",
        "report --not-group servce",
    ] {
        let ran = world.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (65, ""), "{line}: {ran:?}");
        assert!(ran.err.contains("--not-group: nobody is in \"servce\""), "{ran:?}");
        assert!(ran.err.contains("did you mean service?"), "{ran:?}");
    }
    assert_eq!(world.run("check --not-group servce").code, 3);
    let ran = world.run("check log --not-group service");
    assert!(ran.code == 3 && ran.out.contains("--not-group"), "{ran:?}");
}
