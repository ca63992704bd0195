//! Commands in hints that repeat what was given, so that they do what was meant when they are pasted.

use crate::testing::World;

#[test]
fn d5_the_hint_of_a_limit_is_the_whole_command_of_the_list() {
    let world = World::new();
    let names = (0..40).map(|n| format!("user{n}")).collect::<Vec<_>>().join("\n");
    let _ = world.run_with("add-user --yes --from -", &names).ok();
    let ran = world.run_with("disable --reason left --yes --from -", &names);
    let many = world.run_with("remove-user --ticket HR-5 --yes --from -", &names);
    assert_eq!(many.code, 76, "{ran:?} {many:?}");
    let line = "run: mfactl remove-user --yes --ticket HR-5 --max-changes 40 --from - < FILE";
    assert!(many.err.contains(line), "{}", many.err);
    let limit = "remove-user --yes --ticket HR-5 --max-changes 40 --from -";
    let _ = world.run_with(limit, &names).ok();
}

#[test]
fn d5_a_required_ticket_is_asked_for_with_the_whole_command() {
    let world = World::new();
    world.active("alice");
    world.configure("[helpdesk]\nticket = [\"disable\"]\nproof = [\"unlock\"]\n");
    let ran = world.run("disable alice --reason lost --yes");
    assert_eq!(ran.code, 64);
    let line = "run: mfactl disable --yes --reason lost --ticket ID -- alice";
    assert!(ran.err.contains(line), "{}", ran.err);
    let listed = world.run_with("unlock --from -", "alice\n");
    let line = "run: mfactl unlock --proof HOW --from - < FILE";
    assert!(listed.err.contains(line), "{}", listed.err);
    let _ = world.run("disable --yes --reason lost --ticket ID -- alice").ok();
}

#[test]
fn d5_enrol_says_how_a_new_user_is_added() {
    let world = World::new();
    world.active("alice");
    let ran = world.run("enrol newguy --no-confirm");
    assert_eq!(ran.code, 67);
    let line = "a new user: mfactl enrol --create -- newguy; to search: mfactl find -- TEXT";
    assert!(ran.err.contains(line), "{}", ran.err);
    let slip = world.run("enrol alcie --no-confirm");
    assert!(slip.err.contains("did you mean alice?") && !slip.err.contains("--create"));
}

#[test]
fn d11_an_app_with_other_settings_gets_a_device_with_these() {
    let world = World::new();
    world.active("alice");
    let refused = world.run("reset alice --yes --json --reveal-secrets --algorithm SHA256");
    assert_eq!(refused.code, 64, "{refused:?}");
    assert!(refused.err.contains("--allow-incompatible"), "{}", refused.err);
    let line = "reset --device phone --algorithm SHA256 --allow-incompatible --yes --json --reveal-secrets -- alice";
    let made = world.run(line);
    assert_eq!(made.ok().json()["algorithm"], "SHA256");
    let listed = world.run_with("reset --no-enrol --algorithm SHA256 --yes --from -", "alice\n");
    assert_eq!(listed.code, 64, "{listed:?}");
}

#[test]
fn d5_no_hint_names_verify_to_who_comes_by_sudo() {
    let mut world = World::new();
    let _ = world.run("add-user -- alice").ok();
    world.sudo_user = Some("mfactl");
    for (uid, names_it) in [(Some(1000), false), (Some(0), true), (None, true)] {
        world.sudo_uid.set(uid);
        let err = world.run("enrol alice --no-confirm").err;
        assert_eq!(err.contains("mfactl verify"), names_it, "{uid:?}: {err}");
        assert!(
            names_it || err.contains("the user's first sign-in with a code confirms it"),
            "{err}"
        );
    }
}
