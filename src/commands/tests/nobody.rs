//! Coverage of nobody is no judgement.

use crate::testing::World;

/// An empty store, and one whose only user is left out, with the option that leaves them out.
fn worlds() -> [(World, &'static str); 2] {
    let left_out = World::new();
    let _ = left_out.run("add-user svc1 --group svc").ok();
    [(World::new(), ""), (left_out, " --not-group svc")]
}

#[test]
fn w8_a_check_of_the_coverage_of_nobody_is_unknown() {
    for (world, option) in worlds() {
        let ran = world.run(&format!("check coverage{option}"));
        assert_eq!((ran.code, &*ran.out), (3, "MFA UNKNOWN - there are no users to count\n"));
        let ran = world.run(&format!("list-status --min-coverage 95{option}"));
        assert!(ran.code == 1 && !ran.out.contains("100"), "{ran:?}");
        let ran = world.run(&format!("list-status --summary{option}"));
        assert!(!ran.out.contains("100"), "{ran:?}");
        let json = world.run(&format!("list-status --json{option}")).ok().json();
        assert_eq!(json["summary"]["coverage"], 100.0, "JSON keeps its number");
        let _ = world.active("alice");
        let ran = world.run(&format!("check coverage{option}"));
        assert!(ran.code == 0 && ran.out.starts_with("MFA OK - 100.0% of 1 user"), "{ran:?}");
    }
}

#[test]
fn w8_metrics_leave_the_ratio_of_nobody_out() {
    for (world, option) in worlds() {
        let text = world.run(&format!("metrics{option}")).ok().out;
        assert!(!text.contains("mfactl_coverage_ratio"), "{text}");
        assert!(text.contains("mfactl_users{state=\"enabled\"} 0"), "{text}");
        let _ = world.active("alice");
        let text = world.run(&format!("metrics{option}")).ok().out;
        assert!(text.contains("\nmfactl_coverage_ratio 1\n"), "{text}");
    }
}

#[test]
fn w8_a_report_says_that_there_are_no_users() {
    for (world, option) in worlds() {
        let page = world.folder.path().join("r.html");
        let chart = world.folder.path().join("r.svg");
        let ran = world.run(&format!("report{option}")).ok();
        assert!(ran.out.contains("no users at the end"), "{ran:?}");
        for file in [&page, &chart] {
            let ran = world.run(&format!("report --output {}{option}", file.display())).ok();
            assert!(ran.out.ends_with(": no users\n"), "{ran:?}");
            let text = std::fs::read_to_string(file).unwrap();
            assert!(text.contains("no users"), "{text}");
            assert!(!text.contains("100.0%") && !text.contains("<circle"), "{text}");
        }
        let _ = world.active("alice");
        let ran = world.run(&format!("report{option}")).ok();
        assert!(ran.out.contains("100.0% of 1 user at the end"), "{ran:?}");
    }
}
