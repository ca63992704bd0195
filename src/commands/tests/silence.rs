//! A group, an outcome or a time that does not exist is named, and so is the plan that a limit refuses.

use crate::testing::World;

#[test]
fn w8_a_group_that_nobody_is_in_is_refused_with_the_nearest() {
    let world = World::new();
    let _ = world.run("add-user alice --group staff --group vpn").ok();
    for line in [
        "list-status --group staf",
        "list-status --group staf --json",
        "list-status --group staf --fail-if-any --quiet",
        "list-status --group staf --min-coverage 1 --quiet",
        "require-mfa --group staf --yes",
    ] {
        let ran = world.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (65, ""), "{line}: {ran:?}");
        assert!(ran.err.contains("did you mean staff?"), "{line}: {ran:?}");
    }
    let ran = world.run("list-status --group sales");
    assert!(ran.code == 65 && ran.err.contains("groups are: staff, vpn"), "{ran:?}");
    let _ = world.run("list-status --group vpn").ok();
    // One that the configuration names may be empty for now, and doctor says so.
    world.configure("[policy]\nrequired_groups = [\"staf\"]\n");
    let _ = world.run("list-status --group staf").ok();
    let found = world.run("doctor").out;
    assert!(found.contains("nobody is in it; did you mean staff?"), "{found}");
    world.configure("[policy]\nrequired_groups = [\"staff\"]\n");
    assert!(!world.run("doctor").out.contains("nobody is in it"));
}

#[test]
fn w8_a_time_before_the_store_is_refused() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    for line in ["list-status --at 2020-01-01", "list-status --at 2020-01-01 --min-coverage 1"] {
        let ran = world.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (65, ""), "{line}: {ran:?}");
        assert!(ran.err.contains("the store begins at 2026-01-01T00:00:00Z"), "{ran:?}");
    }
    let _ = world.run("list-status --at 2026-01-01T00:00:00Z").ok();
}

#[test]
fn w8_an_outcome_that_no_event_can_have_is_refused_with_the_nearest() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let ran = world.run("log --outcome acepted");
    assert_eq!((ran.code, ran.out.as_str()), (65, ""), "{ran:?}");
    assert!(ran.err.contains("did you mean accepted?"), "{ran:?}");
    assert_eq!(world.run("log --outcome accepted").ok().out, "no events\n");
    assert!(world.run("log --outcome done").ok().out.contains("add-user"));
}

#[test]
fn w18_a_limit_that_refuses_shows_the_plan() {
    let world = World::new();
    let names = (0..12).map(|n| format!("user{n:02}")).collect::<Vec<_>>().join("\n");
    for name in names.lines() {
        let _ = world.run(&format!("add-user {name}")).ok();
    }
    for more in ["--yes", "--dry-run", "--yes --json"] {
        let ran = world.run_with(&format!("require-mfa --from - {more}"), &names);
        assert_eq!(ran.code, 76, "{more}: {ran:?}");
        assert!(
            ran.out.contains("user11") && ran.out.contains("is refused until enrolled"),
            "{ran:?}"
        );
        assert!(ran.err.contains("--max-changes 12"), "{ran:?}");
    }
    assert_eq!(world.listed("user00")["required"], false);
}

#[test]
fn w18_a_dry_run_of_what_needs_a_second_operator_shows_the_change() {
    let world = World::new();
    world.configure(
        "[roles]\nadmin = [\"root\"]\nhelpdesk = [\"daemon\"]\nsecond_operator = [\"reset\", \"disable\"]\n",
    );
    world.uid.set(0);
    let _ = world.active("alice");
    let _ = world.run("edit-user alice --protected").ok();
    world.uid.set(1);
    let before = world.sql("SELECT count(*) FROM events");
    for line in ["reset alice --no-enrol --dry-run", "disable alice --dry-run"] {
        let ran = world.run(line).ok();
        assert!(ran.out.contains("can sign in with the password alone"), "{ran:?}");
        assert!(ran.err.contains("without --dry-run a second operator has to approve"), "{ran:?}");
    }
    assert_eq!(world.sql("SELECT count(*) FROM events"), before);
    assert_eq!(world.listed("alice")["status"], "enabled");
    assert_eq!(world.run("delete alice --dry-run").code, 77, "for this verb only an admin may");
    let asked = world.run("disable alice --yes").ok();
    assert!(asked.out.contains("another operator can approve"), "{asked:?}");
    assert_eq!(world.listed("alice")["status"], "enabled");
}
