//! What a forced new password means for users with and without a password here.

use serde_json::{Value, json};

use crate::testing::World;

const PASSWORD: &str = "granite walrus pickle tram\n";

fn world(required: bool, has_password: bool) -> World {
    let world = World::new();
    let _ = world.active("alice");
    if required {
        let _ = world.run("require-mfa alice").ok();
    }
    if has_password {
        let _ = world.run_with("set-password alice", PASSWORD).ok();
    }
    world
}

fn forced(world: &World, more: &str) -> Value {
    let line = format!("force-new-password alice --yes --json --reveal-secrets {more}");
    world.run(&line).ok().json()
}

#[test]
fn w13_without_a_password_here_the_user_is_refused_until_one_is_set() {
    for more in ["", "--old-password-opens", "--keep-mfa"] {
        let world = world(false, false);
        let said = forced(&world, more)["consequences"].clone();
        assert_eq!(said[0], "is refused until a password is set", "{more}: {said}");
        let typed = json!({ "password": "granite walrus pickle tram" }).to_string();
        let ran = world.run_with("sign-in alice --json", &typed);
        assert_eq!((ran.code, ran.json()["outcome"].as_str()), (1, Some("rejected")));
        let set = world.run_with("set-password alice --json", PASSWORD).ok();
        let ran = world.run_with("sign-in alice --json", &typed);
        let outcome = if more == "--keep-mfa" { "code_required" } else { "accepted" };
        assert_eq!(ran.json()["outcome"], outcome, "{set:?} {ran:?}");
    }
}

#[test]
fn w13_the_next_command_is_named_for_one_user_and_for_a_list() {
    let world = world(false, false);
    let words = "mfactl: hint: alice has no password here; to set one, run: mfactl set-password -- \
                 alice; where it is kept elsewhere, take this back: mfactl undo -- alice\n";
    let ran = world.run("force-new-password alice --yes").ok();
    assert!(ran.err.ends_with(words), "{ran:?}");
    let _ = world.run("undo alice --yes").ok();
    let ran = world.run_with("force-new-password --from - --yes", "alice\n").ok();
    assert!(ran.err.ends_with(words), "{ran:?}");
    let dry = world.run("force-new-password alice --dry-run").ok();
    assert!(!dry.err.contains("undo"), "nothing was changed: {dry:?}");
}

#[test]
fn w13_who_must_have_mfa_hears_that_a_device_has_to_be_enrolled_anew() {
    let own = "then has to enrol a device anew";
    let operators = "then is refused until an operator enrols a device anew";
    for (has_password, more, words) in [
        (true, "", Some(own)),
        (true, "--old-password-opens", Some(operators)),
        // An operator has to set the password, and then the sign-in shows the QR code.
        (false, "", Some(own)),
        (false, "--old-password-opens", Some(own)),
        (true, "--keep-mfa", None),
    ] {
        let world = world(true, has_password);
        let forced = forced(&world, more);
        let said = forced["consequences"].as_array().unwrap();
        let anew: Vec<_> = said.iter().filter(|words| words.to_string().contains("anew")).collect();
        assert_eq!(anew, words.iter().collect::<Vec<_>>(), "{has_password} {more}: {said:?}");
        if !has_password {
            let _ = world.run_with("set-password alice", PASSWORD).ok();
            let typed = json!({ "password": PASSWORD.trim() }).to_string();
            let answer = world.run_with("sign-in alice --json --reveal-secrets", &typed).json();
            assert_eq!(answer["outcome"], "enrolment_required");
            assert!(answer["enrolment"].is_object(), "{answer}");
        } else if words == Some(own) {
            let password = &forced["temporary_password"];
            let typed =
                json!({ "password": password, "new_password": PASSWORD.replace('w', "v").trim() });
            let ran = world.run_with("sign-in alice --json", &typed.to_string());
            assert_eq!(ran.json()["outcome"], "enrolment_required", "{ran:?}");
        }
    }
    let optional = world(false, true);
    assert!(!forced(&optional, "")["consequences"].to_string().contains("anew"));
}
