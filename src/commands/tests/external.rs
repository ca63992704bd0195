//! Devices that are noted and not verified.

use serde_json::json;

use crate::testing::World;

const NOTE: &str = "enrol alice --create --kind external --mark FIDO2";

#[test]
fn an_external_device_is_active_at_once_and_no_code_of_it_is_accepted() {
    let world = World::new();
    let ran = world.run(NOTE).ok();
    assert!(ran.out.starts_with("alice: external is noted: FIDO2; is refused here"), "{ran:?}");
    let listed = world.listed("alice");
    assert_eq!(
        (&listed["status"], &listed["devices"][0]["kind"]),
        (&json!("enabled"), &json!("external"))
    );
    assert_eq!(listed["devices"][0]["mark"], "FIDO2");
    let shown = world.run("show-user alice").ok().out;
    assert!(
        shown.contains("external: active (external)") && shown.contains("not verified here: FIDO2"),
        "{shown}"
    );
    for code in ["123456", "00000-00000", "0000-0000-0000-0000", "x"] {
        let ran = world.verify("alice", code);
        assert_eq!((ran.code, ran.error().as_str()), (76, "not_enabled"), "{ran:?}");
        assert!(ran.err.contains("which is not verified here"), "{ran:?}");
    }
    assert_eq!(world.sql("SELECT failures FROM users"), "0", "no guess is counted");
    let _ = world.run_with("set-password alice", "correct horse battery staple").ok();
    for code in ["", ",\"code\":\"123456\""] {
        let line = format!("{{\"password\":\"correct horse battery staple\"{code}}}");
        let ran = world.run_with("sign-in alice --json", &line);
        assert_eq!((ran.code, &ran.json()["outcome"]), (1, &json!("rejected")), "{ran:?}");
        assert_eq!(ran.json()["reason"], "not_enabled", "the password was right");
    }
    let ran = world.run_with("sign-in alice --json", "{\"password\":\"wrong\"}");
    assert_eq!((&ran.json()["outcome"], &ran.json()["reason"]), (&json!("rejected"), &json!(null)));
    let ran = world.run("show-qr alice --active --json --reveal-secrets");
    assert!(ran.code == 64 && ran.err.contains("has no secret here"), "{ran:?}");
    assert!(ran.err.contains("show-user -- alice"), "{ran:?}");
    let _ = world.run("show-user -- alice").ok();
    let _ = world.run("verify-log").ok();
}

#[test]
fn the_changes_of_any_device_work_and_beside_a_phone_the_phone_is_asked() {
    let world = World::new();
    let secret = world.active("alice");
    let _ = world.run("enrol alice --kind external --mark FIDO2 --device key").ok();
    world.wait(30);
    assert_eq!(world.verify("alice", &world.code(&secret, 0)).ok().json()["device"], "phone");
    let state = || world.listed("alice")["devices"][1]["state"].clone();
    for (line, after) in [
        ("disable alice --yes --device key", json!("disabled")),
        ("undo alice --yes", json!("active")),
        ("edit-user alice --relabel key=safe", json!("active")),
        ("delete alice --yes --device safe", json!(null)),
        ("undo alice --yes", json!("active")),
        ("reset alice --yes --json", json!(null)),
    ] {
        let _ = world.run(line).ok();
        assert_eq!(state(), after, "{line}");
    }
    let _ = world.run("undo alice --yes").ok();
    assert_eq!(world.listed("alice")["devices"][1]["mark"], "FIDO2");
    let copy = world.run("list-status --json").ok().out;
    assert!(copy.contains("\"external\""), "{copy}");
}

#[test]
fn a_diagnosis_asks_for_no_code_of_a_user_with_only_a_note() {
    let mut world = World::new();
    let _ = world.run(NOTE).ok();
    let ran = world.run("diagnose alice --json").ok();
    let report = ran.json();
    assert_eq!((&report["finding"], &report["device"]), (&json!("other_kind"), &json!("external")));
    let sentence = report["sentence"].as_str().unwrap();
    assert!(
        sentence.contains("the only device is \"FIDO2\", which is not verified here"),
        "{sentence}"
    );
    assert_eq!(report["next"], "mfactl enrol -- alice");
    let _ = world.run_with("diagnose alice", "123456").ok();
    assert_eq!(world.sql("SELECT failures FROM users"), "0", "nothing was compared");
    world.answers = Some(vec![]);
    let ran = world.run("diagnose alice").ok();
    assert!(ran.out.contains("not verified here") && !ran.out.contains("app"), "{ran:?}");
}

#[test]
fn a_person_is_asked_before_a_note_ends_the_sign_in_by_password() {
    let mut world = World::new();
    let _ = world.run("add-user bob").ok();
    let secret = world.active("carol");
    world.answers = Some(vec!["n"]);
    let ran = world.run("enrol bob --kind external --mark FIDO2");
    assert!(
        ran.err.contains("afterwards: is refused here, where no code of an external"),
        "{ran:?}"
    );
    assert_eq!((ran.code, ran.prompts.len()), (1, 1), "{ran:?}");
    assert_eq!(world.listed("bob")["status"], "not_enabled");
    world.answers = Some(vec!["y"]);
    let _ = world.run("enrol bob --kind external --mark FIDO2").ok();
    assert_eq!(world.listed("bob")["status"], "enabled");
    world.answers = Some(vec![]);
    let _ = world.run("enrol carol --kind external --mark FIDO2").ok();
    let _ = world.run("add-user dora").ok();
    let _ = world.run("enrol dora --kind external --mark FIDO2 --yes").ok();
    world.answers = None;
    world.wait(30);
    let _ = world.verify("carol", &world.code(&secret, 0)).ok();
}

#[test]
fn a_resync_of_a_note_is_refused_before_codes_are_asked_for() {
    let world = World::new();
    let _ = world.run(NOTE).ok();
    let ran = world.run("resync alice --json");
    assert_eq!((ran.code, ran.error().as_str()), (76, "cannot_resync"), "{ran:?}");
    assert!(ran.err.contains("verified by another program"), "{ran:?}");
    let secret = world.active("bob");
    let _ = world.run("enrol bob --kind external --mark FIDO2").ok();
    assert_eq!(world.run("resync bob --json").error(), "bad_input", "of the phone");
    drop(secret);
}

#[test]
fn with_another_device_or_spare_code_a_diagnosis_asks() {
    let world = World::new();
    let _ = world.run(NOTE).ok();
    let _ = world.run("recovery-codes alice --yes --json --reveal-secrets").ok();
    assert_eq!(world.run("diagnose alice").code, 64, "a recovery code may be meant");
    let secret = world.active("bob");
    let _ = world.run("enrol bob --kind external --mark FIDO2").ok();
    world.wait(30);
    let report = world.run_with("diagnose bob --json", &world.code(&secret, 0)).ok().json();
    assert_eq!(report["finding"], "right");
}

#[test]
fn a_note_needs_its_text_and_no_other_kind_takes_one() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    for (line, code, words) in [
        ("enrol alice --kind external", 64, "needs a note of what it is"),
        (
            "enrol alice --mark FIDO2",
            64,
            "--mark: is for a device of kind external, and this is totp",
        ),
        (
            "enrol alice --kind external --mark FIDO2 --codes 10",
            64,
            "--codes: is for a device of kind paper",
        ),
        ("enrol alice --kind external --mark FIDO2 --digits 8", 64, "has no such setting"),
    ] {
        let ran = world.run(line);
        assert!(ran.code == code && ran.err.contains(words), "{line}: {ran:?}");
    }
    for (more, words) in [
        ("--kind external --mark yk", "enrol --kind external --mark yk -- NAME"),
        (
            "--kind paper --codes 20 --device safe",
            "enrol --kind paper --device safe --codes 20 -- NAME",
        ),
    ] {
        let ran = world.run(&format!("enrol --from list.csv {more}"));
        let error = ran.err.replace("\n  ", " ");
        assert!(ran.code == 64 && error.contains(words), "{ran:?}");
        let _ = world.run(&format!("enrol alice {more} --dry-run")).ok();
    }
    for option in ["--mark", "--device"] {
        let options = if option == "--mark" { "" } else { "--mark k" };
        for value in ["", "a\u{7}b", &"x".repeat(5000)] {
            let line = format!("enrol alice --kind external {options} {option}={value}");
            let ran = world.run(&line);
            assert!(ran.code == 65 && ran.err.contains("hint: "), "{option}: {ran:?}");
        }
    }
    let ran = world.run("enrol alice --kind external --mark FIDO2 --dry-run").ok();
    assert!(ran.out.contains("would be enrolled"), "{ran:?}");
    assert_eq!(world.listed("alice")["status"], "not_enabled");
}
