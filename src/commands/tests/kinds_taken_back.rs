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
