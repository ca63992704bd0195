//! Groups that end or begin the MFA requirement are asked about at a terminal.

use crate::testing::World;

/// Alice at a terminal, in a group that must have MFA, with these answers.
fn world(answers: &[&'static str]) -> World {
    let mut world = World::new();
    world.configure(
        "[policy]\nmfa = \"optional\"\nrequired_groups = [\"staff\"]\nexcept_groups = [\"svc\"]\n",
    );
    let _ = world.active("alice");
    let _ = world.run("edit-user alice --group staff").ok();
    world.terminal = Some(crate::env::Size { columns: 80, rows: 40 });
    world.answers = Some(answers.to_vec());
    world
}

fn groups(world: &World) -> String {
    world.listed("alice")["groups"].to_string()
}

#[test]
fn w8_groups_that_end_the_requirement_are_asked_about_with_their_consequence() {
    for (option, then) in [
        ("--group vpn", "[\"vpn\"]"),
        ("--remove-group staff", "[]"),
        ("--clear groups", "[]"),
        ("--add-group svc", "[\"staff\",\"svc\"]"),
    ] {
        let line = format!("edit-user alice {option}");
        let ran = world(&["n"]).run(&line);
        assert_eq!((ran.code, ran.prompts.len()), (1, 1), "{ran:?}");
        let err = ran.err.replace("\n    ", " ");
        assert!(err.contains("afterwards: MFA is no longer required"), "{ran:?}");
        let declined = world(&["n"]);
        let _ = declined.run(&line);
        let agreed = world(&["y"]);
        let _ = agreed.run(&line).ok();
        let unasked = world(&[]);
        let _ = unasked.run(&format!("{line} --yes")).ok();
        let mut script = world(&[]);
        (script.terminal, script.answers) = (None, None);
        let _ = script.run(&line).ok();
        for (world, expected) in
            [(declined, "[\"staff\"]"), (agreed, then), (unasked, then), (script, then)]
        {
            assert_eq!(groups(&world), expected, "{option}");
        }
    }
}

#[test]
fn w8_groups_that_begin_the_requirement_are_asked_about_and_others_are_not() {
    let asked = world(&["y", "y"]);
    let _ = asked.run("edit-user alice --group vpn").ok();
    let ran = asked.run("edit-user alice --add-group staff").ok();
    assert_eq!(ran.prompts, ["Change whether MFA is required of alice?"], "{ran:?}");
    let unasked = world(&[]);
    for option in ["--add-group vpn", "--email a@example.com", "--remove-group vpn"] {
        let _ = unasked.run(&format!("edit-user alice {option}")).ok();
    }
    assert_eq!(groups(&unasked), "[\"staff\"]");
}
