//! What `reset`, `sign-in` and the undo time make of devices that are no time-based app.

use super::kinds::{counted, pending_yubikey, touched};
use crate::testing::{World, secret};

#[test]
fn a_counting_app_that_is_reset_by_name_is_replaced_by_a_counting_app() {
    let world = World::new();
    let old = world.pending("alice", "--kind hotp");
    let _ = world.verify("alice", &counted(&old, 0)).ok();
    let reset = "reset alice --device token --yes --json --reveal-secrets";
    assert_eq!(world.run(&format!("{reset} --period 60")).code, 64);
    let ran = world.run(reset).ok();
    let report = ran.json();
    assert!(report["uri"].as_str().unwrap().starts_with("otpauth://hotp/"), "{report}");
    assert!(report["uri"].as_str().unwrap().ends_with("&counter=0"), "{report}");
    assert_eq!((&report["device"], &report["kind"]), (&"token".into(), &"hotp".into()));
    assert_eq!(world.verify("alice", &counted(&old, 1)).code, 1);
    let _ = world.verify("alice", &counted(&secret(&ran), 0)).ok();
    // Of all devices at once, a phone takes the place.
    let report = world.run("reset alice --yes --json --reveal-secrets").ok().json();
    assert_eq!((&report["device"], &report["kind"]), (&"phone".into(), &"totp".into()));
}

#[test]
fn a_yubikey_that_is_reset_by_name_is_cut_off_and_gets_no_qr_code() {
    let world = World::new();
    let phone = world.active("alice");
    let key = pending_yubikey(&world, "alice");
    let _ = world.verify("alice", &touched(&key, 1)).ok();
    let reset = "reset alice --device yubikey --yes";
    for option in ["--keep-until-confirmed", "--output a.png", "--digits 8"] {
        let ran = world.run(&format!("{reset} {option}"));
        let name = option.split(' ').next().unwrap();
        assert!(ran.code == 64 && ran.err.contains(name), "{ran:?}");
    }
    let _ = world.verify("alice", &touched(&key, 2)).ok();
    let ran = world.run(reset).ok();
    assert!(ran.err.contains("enrol --kind yubikey --device yubikey -- alice"), "{ran:?}");
    assert!(ran.out.contains("1 device cut off; MFA is enabled"), "{ran:?}");
    assert_eq!(world.verify("alice", &touched(&key, 3)).code, 1);
    let _ = world.run("undo alice --yes").ok();
    let _ = world.verify("alice", &touched(&key, 4)).ok();
    world.wait(60);
    let _ = world.verify("alice", &world.code(&phone, 0)).ok();
}

#[test]
fn a_revoked_yubikey_is_kept_after_the_undo_time_and_a_revoked_app_is_not() {
    let world = World::new();
    let key = pending_yubikey(&world, "alice");
    let _ = world.verify("alice", &touched(&key, 1)).ok();
    let _ = world.active("alice");
    let _ = world.run("delete alice --yes").ok();
    assert_eq!(world.sql("SELECT count(*) FROM devices WHERE state = 'revoked'"), "2");
    world.wait(400 * 86_400);
    let _ = world.run("enrol alice --no-confirm --json").ok();
    let _ = world.run("delete alice --yes").ok();
    let kept = "SELECT label FROM devices WHERE kind = 'yubikey' AND state = 'revoked'";
    assert_eq!(world.sql(kept), "yubikey");
    assert_eq!(world.sql("SELECT count(*) FROM devices"), "2", "and the newest app");
}

#[test]
fn a_pending_token_is_not_replaced_by_an_app_of_the_same_label() {
    let world = World::new();
    let _ = pending_yubikey(&world, "alice");
    let ran = world.run("enrol alice --no-confirm --json --device yubikey");
    assert_eq!((ran.code, ran.error().as_str()), (76, "already_enrolled"), "{ran:?}");
    assert!(ran.err.contains("another label"), "{ran:?}");
    let again = pending_yubikey(&world, "alice");
    assert_eq!(world.sql("SELECT count(*) FROM devices WHERE state = 'pending'"), "1");
    let _ = world.verify("alice", &touched(&again, 1)).ok();
}

#[test]
fn whoever_has_the_password_alone_makes_no_app_beside_a_pending_yubikey() {
    let world = World::new();
    let key = pending_yubikey(&world, "alice");
    let _ = world.run_with("set-password alice", "a long password 7\n").ok();
    let _ = world.run("require-mfa alice").ok();
    let sign_in = |code: &str| {
        let line = format!("{{\"password\":\"a long password 7\"{code}}}");
        world.run_with("sign-in alice --reveal-secrets", &line)
    };
    let ran = sign_in("");
    assert_eq!(ran.json()["outcome"], "code_required", "{ran:?}");
    assert!(ran.json()["enrolment"].is_null(), "{ran:?}");
    let _ = sign_in(&format!(",\"code\":\"{}\"", touched(&key, 1))).ok();
}

/// The commands of a hint, as a shell would read them.
fn hinted(err: &str) -> Vec<String> {
    let rest = err.lines().find(|line| line.starts_with("hint:") || line.contains("hint: "));
    let rest = rest.unwrap_or_else(|| panic!("no hint in {err}")).to_owned();
    let parts = rest.split("mfactl ").skip(1);
    parts.map(|part| part.split(';').next().unwrap().trim().to_owned()).collect()
}

#[test]
fn what_reset_says_of_hardware_works_when_it_is_pasted() {
    for (kind, option) in [
        ("paper", "--output x.png"),
        ("paper", "--keep-until-confirmed"),
        ("external", "--output x.png"),
        ("external", "--keep-until-confirmed"),
        ("yubikey", "--output x.png"),
        ("yubikey", "--keep-until-confirmed"),
    ] {
        let world = World::new();
        let enrol =
            format!("enrol alice --create --no-confirm --json --reveal-secrets --kind {kind}");
        let made = match kind {
            "external" => world.run("enrol alice --create --kind external --mark k").ok(),
            _ => world.run(&enrol).ok(),
        };
        match kind {
            "paper" => {
                let code = made.json()["codes"][0].as_str().unwrap().to_owned();
                let _ = world.verify("alice", &code).ok();
            }
            "yubikey" => {
                let key = super::kinds::programmed(&made);
                let _ = world.verify("alice", &touched(&key, 1)).ok();
            }
            _ => {}
        }
        let refused = world.run(&format!("reset alice --device {kind} --yes {option}"));
        assert_eq!(refused.code, 64, "{refused:?}");
        let commands = hinted(&refused.err);
        assert_eq!(commands.len(), 2, "{refused:?}");
        for command in commands {
            let more = if command.starts_with("reset") {
                "reset --yes"
            } else {
                "enrol --no-confirm --json --reveal-secrets"
            };
            let line = command.replacen(command.split(' ').next().unwrap(), more, 1);
            let ran = world.run(&line);
            assert_eq!(ran.code, 0, "{kind} {option}: {line}: {ran:?}");
        }
        assert_eq!(world.listed("alice")["devices"].as_array().unwrap().len(), 1, "{kind}");
    }
}

#[test]
fn a_label_that_is_taken_is_refused_in_words_of_the_kind() {
    let world = World::new();
    let _ = world.run("enrol alice --create --kind external --mark k --device x").ok();
    let ran = world.run("enrol alice --device x --no-confirm --json");
    assert!(ran.code == 76 && ran.err.contains("to take the note back run: "), "{ran:?}");
    assert!(!ran.err.contains("phone"), "{ran:?}");
    let _ = world.active("bob");
    let ran = world.run("enrol bob --no-confirm");
    assert!(ran.code == 76 && ran.err.contains("for a lost or new phone run: "), "{ran:?}");
}
