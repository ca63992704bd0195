//! Passwords and `sign-in`.

use serde_json::{Value, json};

use crate::keyring::argon2::HASHES_COMPUTED;
use crate::testing::{CommandResult, START, World};

const CHEAP: &str = "[password]\nmemory = 19\n";
const OLD: &str = "correct horse battery staple";
const NEW: &str = "vurmel taktor ninety-three";

/// A world with the cheapest allowed hashing, and alice with a password.
fn world(more: &str) -> World {
    let world = World::new();
    world.configure(&format!("{more}{CHEAP}"));
    let _ = world.run("add-user alice").ok();
    let _ = world.run_with("set-password alice", OLD).ok();
    world
}

impl World {
    fn sign_in(&self, line: &Value) -> CommandResult {
        self.run_with("sign-in --json --reveal-secrets alice", &format!("{line}\n"))
    }

    #[track_caller]
    fn signs_in(&self, line: &Value, outcome: &str) -> Value {
        let ran = self.sign_in(line);
        let answer = ran.json();
        assert_eq!(answer["outcome"], outcome, "{ran:?}");
        assert_eq!(ran.code, u8::from(outcome != "accepted"), "{ran:?}");
        answer
    }
}

fn secret_of(answer: &Value) -> crate::domain::secret::Secret {
    let base32 = answer["enrolment"]["secret"].as_str().unwrap();
    let bytes = data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).unwrap();
    crate::domain::secret::Secret::new(zeroize::Zeroizing::new(bytes))
}

#[test]
fn sign_in_through_reset_and_enrolment() {
    let world = world("[policy]\nmfa = \"required\"\n");
    let given = world.signs_in(&json!({ "password": OLD }), "enrolment_required");
    let phone = secret_of(&given);
    let again = world.signs_in(&json!({ "password": OLD }), "enrolment_required");
    assert_eq!(again["enrolment"], given["enrolment"], "the device that waits already");
    let code = world.code(&phone, 0);
    let answer = world.signs_in(&json!({ "password": OLD, "code": code }), "accepted");
    assert_eq!(answer["factor"], "totp");
    world.signs_in(&json!({ "password": OLD, "code": code }), "rejected");
    world.signs_in(&json!({ "password": OLD }), "code_required");
    world.signs_in(&json!({ "password": OLD, "code": "" }), "code_required");

    // The phone is lost.
    let forced = world.run("force-new-password alice --yes --json --reveal-secrets").ok().json();
    let temporary = forced["temporary_password"].as_str().unwrap().to_owned();
    world.wait(60);
    let code = world.code(&phone, 0);
    world.signs_in(&json!({ "password": OLD, "code": code }), "rejected");
    world.signs_in(&json!({ "password": temporary }), "password_change_required");
    for bad in ["short", "password1234", OLD, &temporary] {
        let ran = world.sign_in(&json!({ "password": temporary, "new_password": bad }));
        assert_eq!((ran.code, ran.error().as_str()), (65, "bad_input"), "{bad}: {ran:?}");
        assert!(!ran.err.contains(bad), "{ran:?}");
    }
    let line = json!({ "password": temporary, "new_password": NEW });
    let tablet = secret_of(&world.signs_in(&line, "enrolment_required"));
    world.signs_in(&json!({ "password": temporary }), "rejected");
    world.signs_in(&json!({ "password": OLD }), "rejected");
    let line = json!({ "password": NEW, "code": world.code(&tablet, 0) });
    world.signs_in(&line, "accepted");
    assert_eq!(world.listed("alice")["status"], "enabled");
    assert_eq!(
        world.sql("SELECT count(*) FROM events WHERE detail LIKE '%\"password\":\"changed\"%'"),
        "1"
    );
}

#[test]
fn an_unknown_user_and_a_wrong_password_get_one_answer() {
    let world = world("");
    let wrong = world.sign_in(&json!({ "password": "wrong" }));
    let line = "sign-in --json --reveal-secrets mallory";
    let unknown = world.run_with(line, "{\"password\":\"wrong\"}");
    assert_eq!(unknown.out.replace("mallory", "alice"), wrong.out);
    assert_eq!((unknown.code, &unknown.err), (wrong.code, &wrong.err));
    let none = world.run("add-user bob").ok();
    drop(none);
    let without = world.run_with("sign-in --json bob", "{\"password\":\"wrong\"}");
    assert_eq!(without.out.replace("bob", "alice"), wrong.out);
}

#[test]
fn wrong_passwords_and_wrong_codes_share_one_counter() {
    let world = world("");
    let phone = world.active("alice");
    for _ in 0..2 {
        world.signs_in(&json!({ "password": "wrong" }), "rejected");
    }
    for _ in 0..2 {
        world.signs_in(&json!({ "password": OLD, "code": "000000" }), "rejected");
    }
    assert_eq!(
        world.verify("ALICE", "000000").json()["locked_until"],
        json!("2026-01-01T00:00:30Z")
    );
    let code = world.code(&phone, 1);
    let answer = world.signs_in(&json!({ "password": OLD, "code": code }), "locked");
    assert_eq!(answer["locked_until"], "2026-01-01T00:00:30Z");
    world.signs_in(&json!({ "password": "wrong", "code": code }), "rejected");
    world.wait(30);
    world.signs_in(&json!({ "password": OLD, "code": code }), "accepted");
}

#[test]
fn malformed_json_is_refused_without_echoing_it() {
    let world = world("");
    for (line, code) in [
        ("", 64),
        ("hunter2", 65),
        ("{\"password\":\"hunter2\"", 65),
        ("{\"password\":7}", 65),
        ("{\"code\":\"hunter2\"}", 65),
        ("{\"password\":\"x\",\"pass\":\"hunter2\"}", 65),
        (&"x".repeat(20_000), 65),
    ] {
        let ran = world.run_with("sign-in alice", line);
        assert_eq!(ran.code, code, "{line:.40}: {ran:?}");
        assert!(!ran.err.contains("hunter2") && ran.out.is_empty(), "{ran:?}");
    }
    let ran = world.sign_in(&json!({ "password": "a\u{0}b" }));
    assert_eq!(ran.json()["outcome"], "rejected", "no password, and no error that reveals it");
    assert_eq!(world.run("sign-in --help").code, 64);
}

#[test]
fn passwords_are_checked_and_set() {
    let world = world("");
    let before = world.sql("SELECT rev FROM users");
    for (nothing, code, words) in [("", 64, "no password to set"), ("\n", 65, "is empty")] {
        let ran = world.run_with("set-password alice", nothing);
        assert!(ran.code == code && ran.err.contains(words), "{nothing:?}: {ran:?}");
    }
    for (bad, words) in [
        ("short", "has 5 characters"),
        ("password1234", "too easy to guess"),
        ("alicealice", "too easy to guess"),
        ("12345678901", "too easy to guess"),
    ] {
        let ran = world.run_with("set-password alice", bad);
        assert!(ran.code == 65 && ran.err.contains(words), "{bad}: {ran:?}");
        assert!(!ran.err.contains(bad), "{ran:?}");
    }
    assert_eq!(world.sql("SELECT rev FROM users"), before);
    let _ = world.run_with("set-password alice", " blanks count: vurmel \n").ok();
    world.signs_in(&json!({ "password": "blanks count: vurmel" }), "rejected");
    world.signs_in(&json!({ "password": " blanks count: vurmel " }), "accepted");
    assert_eq!(world.run_with("set-password nobody", NEW).code, 67);
    let mut terminal = World::new();
    terminal.configure(CHEAP);
    let _ = terminal.run("add-user alice").ok();
    terminal.answers = Some(vec![NEW, "another"]);
    assert_eq!(terminal.run("set-password alice").code, 65);
    terminal.answers = Some(vec![NEW, NEW]);
    let _ = terminal.run("set-password alice").ok();
}

#[test]
fn a_password_is_rehashed_at_the_next_sign_in_when_the_cost_rises() {
    let world = world("");
    let revision = || world.sql("SELECT rev FROM users").parse::<u32>().unwrap();
    world.signs_in(&json!({ "password": OLD }), "accepted");
    let before = revision();
    world.configure("[password]\nmemory = 20\npasses = 3\n");
    world.signs_in(&json!({ "password": OLD }), "accepted");
    assert_eq!(revision(), before + 1, "rehashed once");
    world.signs_in(&json!({ "password": OLD }), "accepted");
    assert_eq!(revision(), before + 1);
}

/// The number of Argon2 hashes of one sign-in, and its result.
fn price(world: &World, user: &str, line: &Value) -> (u32, CommandResult) {
    let before = HASHES_COMPUTED.get();
    let ran = world.run_with(&format!("sign-in --json {user}"), &format!("{line}\n"));
    (HASHES_COMPUTED.get() - before, ran)
}

#[test]
fn a_password_change_during_a_lock_does_not_reveal_the_old_password() {
    let world = world("");
    for _ in 0..10 {
        world.signs_in(&json!({ "password": "wrong" }), "rejected");
    }
    let mut answers = Vec::new();
    for password in ["wrong", OLD] {
        for new in [None, Some("x"), Some("password1234"), Some(OLD), Some(NEW)] {
            let mut line = json!({ "password": password });
            if let Some(new) = new {
                line["new_password"] = json!(new);
            }
            let (hashes, ran) = price(&world, "alice", &line);
            assert_eq!(hashes, 1, "{line}");
            answers.push((ran.code, ran.out, ran.err));
        }
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, 1);
    world.wait(31);
    let weak = world.sign_in(&json!({ "password": OLD, "new_password": "x" }));
    assert_eq!(weak.code, 65, "reported after the lock: {weak:?}");
    world.signs_in(&json!({ "password": OLD, "new_password": NEW }), "accepted");
}

#[test]
fn every_rejection_costs_the_same_number_of_hashes() {
    let world = world("");
    world.configure("[password]\nmemory = 20\n");
    for user in ["none", "fresh"] {
        let _ = world.run(&format!("add-user {user}")).ok();
    }
    let _ = world.run_with("set-password fresh", OLD).ok();
    let hashes = |user, password| price(&world, user, &json!({ "password": password })).0;
    assert_eq!(
        [hashes("nobody", "wrong"), hashes("none", "wrong"), hashes("fresh", "wrong")],
        [1; 3]
    );
    // An old, cheaper hash costs little compared with the dummy hash that is always computed.
    assert_eq!([hashes("alice", "wrong"), hashes("alice", OLD), hashes("alice", OLD)], [2, 2, 1]);
}

#[test]
fn a_temporary_password_expires_and_the_old_one_works_only_with_the_option() {
    let world = world("");
    let forced = world.run("force-new-password alice --yes --json --reveal-secrets").ok().json();
    let temporary = forced["temporary_password"].as_str().unwrap();
    world.wait(24 * 3600);
    world.signs_in(&json!({ "password": temporary, "new_password": NEW }), "rejected");
    let _ = world.run("force-new-password alice --yes --old-password-opens").ok();
    world.wait(60);
    world.signs_in(&json!({ "password": OLD }), "password_change_required");
    world.signs_in(&json!({ "password": OLD, "new_password": NEW }), "accepted");
    world.signs_in(&json!({ "password": OLD }), "rejected");
    let ran = world.run("force-new-password alice --yes");
    assert_eq!(ran.code, 64, "can't be shown, and nothing changed: {ran:?}");
    assert_eq!(world.listed("alice")["password_change_required"], false);
}

#[test]
fn after_a_reset_the_old_password_alone_gets_no_new_device() {
    let world = world("[policy]\nmfa = \"required\"\n");
    let _ = world.active("alice");
    let _ = world.run("delete alice --yes").ok();
    let answer = world.signs_in(&json!({ "password": OLD }), "enrolment_required");
    assert_eq!(answer.get("enrolment"), None, "no QR code for the old password");
    let enrolled = world.run("enrol alice --no-confirm --json --reveal-secrets").ok();
    let phone = crate::testing::secret(&enrolled);
    world.signs_in(&json!({ "password": OLD }), "code_required");
    world.signs_in(&json!({ "password": OLD, "code": world.code(&phone, 1) }), "accepted");
}

#[test]
fn grace_is_reported_and_ends() {
    let world = world("[policy]\nmfa = \"required\"\nsince = \"2026-01-01\"\ngrace = \"7d\"\n");
    let due = "2026-01-08T00:00:00Z";
    let answer = world.signs_in(&json!({ "password": OLD }), "accepted");
    assert_eq!((&answer["due_at"], &answer["factor"]), (&json!(due), &Value::Null));
    let listed = world.listed("alice");
    assert_eq!((&listed["due_at"], &listed["required"]), (&json!(due), &json!(false)));
    assert_eq!(world.run("list-status --due --fail-if-any").code, 1);
    world.wait(7 * 24 * 3600);
    assert_eq!(world.now.get(), START + 7 * 24 * 3600);
    world.signs_in(&json!({ "password": OLD }), "enrolment_required");
    assert_eq!(world.listed("alice")["required"], true);
    assert_eq!(world.run("list-status --overdue --fail-if-any").code, 1);
}

#[test]
fn grace_runs_from_the_day_a_user_joins_a_group() {
    let world =
        world("[policy]\nrequired_groups = [\"staff\"]\nsince = \"2026-01-01\"\ngrace = \"14d\"\n");
    world.wait(100 * 24 * 3600);
    let _ = world.run("edit-user alice --group staff").ok();
    let due = "2026-04-25T00:00:00Z";
    let answer = world.signs_in(&json!({ "password": OLD }), "accepted");
    assert_eq!(answer["due_at"], due);
    assert_eq!(world.run("require-mfa alice --effective 2026-04-20").code, 64);
    let later = world.run("require-mfa alice --effective 2026-05-01 --json").ok().json();
    assert_eq!(later["changed"], false, "it is due before");
    let _ = world.run("require-mfa alice --not").ok();
    assert_eq!(world.listed("alice")["due_at"], due);
    let _ = world.run("edit-user alice --clear groups").ok();
    assert_eq!(world.listed("alice")["due_at"], Value::Null);
    let _ = world.run("edit-user alice --group staff").ok();
    world.wait(14 * 24 * 3600);
    world.signs_in(&json!({ "password": OLD }), "enrolment_required");
}

#[test]
fn a_terminal_sign_in_prompts_for_each_step() {
    let mut world = world("");
    let phone = world.active("alice");
    world.wait(30);
    let code: &'static str = Box::leak(world.code(&phone, 0).into_boxed_str());
    world.answers = Some(vec![OLD, "000000", code]);
    let ran = world.run("sign-in alice").ok();
    assert_eq!(ran.out, "alice: signed in\n");
    assert_eq!(ran.prompts, ["Password of alice", "Code", "Code"]);
    world.answers = Some(vec!["wrong"]);
    assert_eq!(world.run("sign-in alice").code, 1);
}

#[test]
fn an_interrupted_user_gets_a_message_for_users() {
    let mut world = world("[policy]\nmfa = \"required\"\n");
    let forced = world.run("force-new-password alice --yes --json --reveal-secrets").ok().json();
    let temporary: &'static str = forced["temporary_password"].as_str().unwrap().to_owned().leak();
    world.terminal = Some(crate::env::Size { columns: 80, rows: 40 });
    world.answers = Some(vec![temporary, NEW, OLD, "x", OLD, OLD, NEW, NEW, ""]);
    let ran = world.run("sign-in alice");
    assert_eq!(ran.prompts.last().map(String::as_str), Some("Code"), "{ran:?}");
    for message in
        ["the new password was not the same both times", "the new password is the same as before"]
    {
        assert!(ran.err.contains(message), "{message}: {ran:?}");
    }
    assert!(!ran.err.contains("new_password") && !ran.err.contains("password: "), "{ran:?}");
    let message = ran.interrupt_messages.last().unwrap();
    assert_eq!(message, "the new password is set; sign in again to set up the device");
    assert!(ran.interrupt_messages.iter().all(|words| !words.contains("show-user")), "{ran:?}");
    world.answers = None;
    world.signs_in(&json!({ "password": NEW }), "enrolment_required");
}

#[test]
fn without_a_terminal_the_default_format_is_json() {
    let world = world("");
    let line = json!({ "password": OLD }).to_string();
    assert_eq!(world.run_with("sign-in alice", &line).ok().json()["outcome"], "accepted");
    let words = world.run_with("sign-in --format table alice", &line).ok();
    assert_eq!(words.out, "alice: signed in\n");
    let array = world.run_with("sign-in alice", &json!([OLD, null, null]).to_string());
    assert_eq!((array.code, array.out.as_str()), (65, ""), "{array:?}");
}
