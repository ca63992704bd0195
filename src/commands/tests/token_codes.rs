//! Each kind of token, and the `YubiKey`, through the verbs.

use serde_json::{Value, json};

use crate::domain::device::Device;
use crate::domain::factor::Factor;
use crate::domain::factor::hotp::CodeForm;
use crate::domain::factor::hotp::code_at as code_at_counter;
use crate::domain::factor::totp::{Algorithm, Parameters, code_at};
use crate::domain::factor::yubikey;
use crate::domain::fixture;
use crate::domain::fixture::{active_state, hotp_code, pending_state, secret};
use crate::testing::{START, World};

const PASSWORD: &str = "correct horse battery 9";

fn yubikey_code(uses: u16, session: u8) -> String {
    yubikey::tests::code(uses, session, |_| {})
}

/// Alice with one device.
fn alice(device: Device) -> World {
    let world = World::new();
    world.hand_over("alice", device, &secret());
    world
}

fn with_yubikey() -> World {
    let world = World::new();
    world.hand_over("alice", fixture::yubikey(2, active_state()), &yubikey::tests::key());
    world
}

/// The exit code of a login with password and code in one line.
fn split(world: &mut World, user: &str, typed: &str) -> u8 {
    let (store, folder) = (world.engine.location(), world.folder.path().to_owned());
    let paths = format!(
        "--store {} --key-file {} --config {}",
        store.display(),
        folder.join("key/mfactl.key").display(),
        folder.join("config.toml").display()
    );
    let service = [("PAM_USER", user), ("PAM_TYPE", "auth")];
    world.variables = service.map(|(name, value)| (name.to_owned(), value.into())).to_vec();
    let ran =
        world.run_with(&format!("{paths} verify --from pam --split last"), &format!("{typed}\0"));
    world.variables = Vec::new();
    ran.code
}

fn token_code(world: &World, steps: i64) -> String {
    code_at(&secret(), Parameters::COMMON, world.now.get() + 30 * steps)
}

fn outcome(world: &World, code: &str) -> String {
    world.verify("alice", code).json()["outcome"].as_str().unwrap().to_owned()
}

fn diagnosed(world: &World, code: &str) -> Value {
    world.run_with("diagnose alice --json", code).json()
}

fn shown(world: &World) -> Value {
    world.run("show-user alice --json").ok().json()["devices"][0].clone()
}

#[test]
fn d17_each_kind_is_accepted_once_and_proves_afterwards() {
    for (world, first, second, kind) in [
        (alice(fixture::hotp(2, active_state())), hotp_code(3), hotp_code(4), "hotp"),
        (with_yubikey(), yubikey_code(3, 0), yubikey_code(3, 1), "yubikey"),
    ] {
        let report = world.verify("alice", &first).ok().json();
        assert_eq!((&report["outcome"], &report["factor"]), (&"accepted".into(), &kind.into()));
        let replayed = world.run_with("verify alice", &first);
        assert!(
            replayed.out.contains("used already: ") && !replayed.out.contains("wait"),
            "{kind}"
        );
        let _ = world.run("disable alice --yes").ok();
        let _ = world.run("enable alice").ok();
        assert_eq!(outcome(&world, &first), "replayed", "{kind}");
        let _ = world.run("reset alice --no-enrol --yes").ok();
        let _ = world.run("undo alice --yes").ok();
        assert_eq!(outcome(&world, &first), "replayed", "{kind}");
        assert_eq!(outcome(&world, &second), "accepted", "{kind}");
        let batch = format!("alice\t{second}\t1\nalice\t{}\t2\n", "000000");
        let batch = world.run_with("verify --batch", &batch).ok().out;
        assert!(batch.contains("replayed") && batch.contains("rejected"), "{batch}");
        let _ = world.run("verify-log").ok();
    }
}

#[test]
fn d17_a_counter_beyond_the_look_ahead_is_named_and_resynchronised() {
    let world = alice(fixture::hotp(2, active_state()));
    world.configure("[policy]\nlook_ahead = 2\n");
    assert_eq!(outcome(&world, &hotp_code(12)), "rejected");
    world.configure("[policy]\nlook_ahead = 20\n");
    assert_eq!(outcome(&world, &hotp_code(12)), "accepted");
    assert_eq!(outcome(&world, &hotp_code(33)), "rejected", "verify says no more");
    assert_eq!(outcome(&world, &hotp_code(12)), "replayed");
    assert_eq!(outcome(&world, &hotp_code(13)), "accepted", "a sign-in clears the count");
    let found = diagnosed(&world, &hotp_code(40));
    assert_eq!((&found["finding"], &found["device"]), (&"counter_ahead".into(), &"button".into()));
    assert!(found["sentence"].as_str().unwrap().contains("7 codes beyond"), "{found}");
    assert_eq!(found["next"], "mfactl resync --device button -- alice");
    assert_eq!(world.sql("SELECT wrong_codes FROM users"), "1", "it counts as a wrong one");
    let codes = format!("{}\n{}\n", hotp_code(339), hotp_code(340));
    let ran = world.run_with("resync alice", &codes).ok();
    assert_eq!(
        ran.out,
        "alice: the counter of button went from 13 to 340; the next code is accepted\n"
    );
    let log = world.run("log --json --last 1").ok().out;
    assert!(log.contains("\"factor\":\"hotp\"") && log.contains("\"to\":340"), "{log}");
    assert_eq!(shown(&world)["counter"], 340);
    assert_eq!(shown(&world)["serial"], "S-2");
    assert_eq!(outcome(&world, &hotp_code(341)), "accepted");
    let text = world.run("show-user alice").ok().out;
    assert!(text.contains("(hotp)") && text.contains("serial S-2, counter 341"), "{text}");
    let _ = world.run("verify-log").ok();
}

#[test]
fn d17_a_code_before_the_last_one_is_replayed_and_not_counted() {
    let world = alice(fixture::hotp(2, active_state()));
    let failures = || world.sql("SELECT failures || '/' || wrong_codes FROM users");
    world.configure("[policy]\nlook_ahead = 20\n");
    assert_eq!(outcome(&world, &hotp_code(14)), "accepted");
    for counter in (4..=14).rev() {
        assert_eq!(outcome(&world, &hotp_code(counter)), "replayed", "{counter}");
    }
    assert_eq!(failures(), "0/0");
    assert_eq!(outcome(&world, &hotp_code(3)), "rejected", "too long ago to be known");
    assert_eq!(failures(), "1/1");
    assert_eq!(outcome(&world, &hotp_code(15)), "accepted");
}

#[test]
fn d17_wrong_codes_of_a_token_count_as_two_and_lock() {
    let world = alice(fixture::hotp(2, active_state()));
    for n in 0..3 {
        let ran = world.run_with("resync alice --json", "000000\n000001\n");
        if n < 2 {
            assert_eq!((ran.code, &ran.json()["outcome"]), (1, &"rejected".into()), "{ran:?}");
        }
    }
    let codes = format!("{}\n{}\n", hotp_code(0), hotp_code(1));
    let locked = world.run_with("resync alice --json", &codes);
    assert_eq!((locked.code, locked.error()), (76, "locked".to_owned()));
    let _ = world.run("unlock alice").ok();
    let ran = world.run_with("resync alice", &codes).ok();
    assert_eq!(ran.out, "alice: the counter of button is 1; the next code is accepted\n");
    let used = world.run_with("resync alice", &codes);
    assert!(used.out.contains("one of these codes of button was already used"), "{used:?}");
    assert_eq!(world.sql("SELECT failures FROM users"), "0");
    let wrong = world.run_with("resync alice", "000000\n000001\n");
    assert!(wrong.out.contains("not two successive codes of a device"), "{wrong:?}");
}

#[test]
fn d17_the_drift_of_a_token_is_learned_shown_and_set() {
    let world = alice(fixture::token(2, active_state()));
    assert_eq!((&shown(&world)["drift"], &shown(&world)["drift_seconds"]), (&json!(0), &json!(0)));
    for n in 1..=2 {
        world.wait(3600);
        assert_eq!(outcome(&world, &token_code(&world, -n)), "accepted");
    }
    assert_eq!(
        (&shown(&world)["drift"], &shown(&world)["drift_seconds"]),
        (&json!(-2), &json!(-60))
    );
    assert_eq!(shown(&world)["kind"], "totp");
    let text = world.run("show-user alice").ok().out;
    assert!(text.contains("clock 2 steps (60 s) behind"), "{text}");
    world.wait(3600);
    let right = diagnosed(&world, &token_code(&world, -2));
    assert_eq!(right["finding"], "right");
    assert!(right["sentence"].as_str().unwrap().contains("2 steps (60 s) behind"), "{right}");
    let off = diagnosed(&world, &token_code(&world, 40));
    assert_eq!(
        (&off["finding"], &off["next"]),
        (&"drifted".into(), &"mfactl resync --device token -- alice".into())
    );
    let codes = format!("{}\n{}\n", token_code(&world, 39), token_code(&world, 40));
    let ran = world.run_with("resync alice", &codes).ok();
    assert_eq!(
        ran.out,
        "alice: the clock of token is 40 steps (20 minutes) ahead, which is allowed for from now on; the next code \
         is accepted\n"
    );
    assert_eq!(shown(&world)["drift"], 40);
    assert_eq!(outcome(&world, &token_code(&world, 40)), "replayed");
    assert_eq!(outcome(&world, &token_code(&world, 41)), "accepted");
    let phone = World::new();
    let _ = phone.active("alice");
    assert!(shown(&phone).get("drift").is_none() && shown(&phone).get("serial").is_none());
}

#[test]
fn d17_a_yubikey_is_diagnosed_and_not_resynchronised() {
    let world = with_yubikey();
    assert_eq!(outcome(&world, &yubikey_code(5, 2)), "accepted");
    assert_eq!(
        (&shown(&world)["counter"], &shown(&world)["session_counter"]),
        (&json!(5), &json!(2))
    );
    let text = world.run("show-user alice").ok().out;
    assert!(text.contains("use counter 5, use 2 of it"), "{text}");
    for (code, finding) in [
        (yubikey_code(5, 3), "right"),
        (yubikey_code(5, 2), "already_used"),
        (yubikey_code(6, 0).replace("ccccccnrhbfu", "ccccccnrhbfv"), "other_key"),
        (yubikey::tests::code(6, 0, |block| block[14] ^= 1), "altered_code"),
        ("123456".to_owned(), "other_kind"),
    ] {
        assert_eq!(diagnosed(&world, &code)["finding"], finding, "{code}");
        assert_eq!(
            world.sql("SELECT wrong_codes FROM users"),
            "1",
            "{finding} counts as a wrong one"
        );
        let _ = world.run("unlock alice").ok();
    }
    let before = world.sql("SELECT wrong_codes FROM users");
    assert_eq!(diagnosed(&world, &"s".repeat(44))["finding"], "no_modhex");
    assert_eq!(world.sql("SELECT wrong_codes FROM users"), before, "nothing was compared");
    let ran = world.run_with("resync alice --json", "123456\n654321\n");
    assert_eq!((ran.code, ran.error()), (76, "cannot_resync".to_owned()));
    assert!(ran.err.contains("YubiKey") && ran.err.contains("mfactl diagnose -- alice"), "{ran:?}");
}

#[test]
fn d17_the_questions_fit_the_device() {
    let mut world = with_yubikey();
    world.answers = Some(vec![yubikey_code(5, 3).leak()]);
    let ran = world.run("diagnose alice").ok();
    assert_eq!(ran.prompts, ["The line that the YubiKey types when it is touched"]);
    let mut world = alice(fixture::hotp(2, active_state()));
    world.answers = Some(vec![hotp_code(20).leak(), hotp_code(21).leak()]);
    let ran = world.run("resync alice").ok();
    assert!(ran.prompts.len() == 2 && ran.prompts.iter().all(|words| !words.contains("app")));
}

#[test]
fn d17_a_user_with_only_a_yubikey_signs_in_and_uses_me() {
    let mut world = with_yubikey();
    world.configure(
        "[password]\nmemory = 19\n[self_service]\nswitch_off = true\nrecovery_codes = true\n",
    );
    let _ = world.run_with("set-password alice", &format!("{PASSWORD}\n")).ok();
    world.answers = Some(vec![PASSWORD, "hello", yubikey_code(1, 0).leak()]);
    let ran = world.run("sign-in alice").ok();
    assert!(ran.err.contains("touch the YubiKey, which types the code"), "{ran:?}");
    world.answers = Some(vec![PASSWORD, yubikey_code(1, 0).leak(), yubikey_code(1, 1).leak()]);
    let ran = world.run("sign-in alice").ok();
    assert!(ran.err.contains("touch the YubiKey for the next one"), "{ran:?}");
    world.answers = None;
    let line = json!({ "password": PASSWORD, "code": yubikey_code(1, 2) }).to_string();
    let report = world.run_with("sign-in alice", &line).ok().json();
    assert_eq!((&report["outcome"], &report["factor"]), (&"accepted".into(), &"yubikey".into()));

    let me = |line: &Value| {
        world.run_with("me --name alice --json --reveal-secrets", &format!("{line}\n"))
    };
    let mut line =
        json!({ "password": PASSWORD, "code": yubikey_code(1, 3), "act": "recovery-codes" });
    assert_eq!(me(&line).error(), "bad_input", "it takes the next code too");
    line["next_code"] = yubikey_code(1, 3).into();
    assert_eq!(me(&line).code, 1, "the same code twice");
    line["code"] = yubikey_code(1, 4).into();
    line["next_code"] = yubikey_code(1, 5).into();
    let _ = me(&line).ok();
    let answers =
        vec![PASSWORD, yubikey_code(1, 6).leak(), "1", "y", "123456x", yubikey_code(1, 7).leak()];
    world.answers = Some(answers);
    let ran = world.run("me --name alice").ok();
    assert!(ran.err.contains("this takes the next code of key too: touch it once more"), "{ran:?}");
    assert!(ran.err.contains("that is no code: touch the YubiKey"), "{ran:?}");
    assert_eq!(world.listed("alice")["status"], "disabled");
}

#[test]
fn d17_a_password_alone_shows_nothing_of_a_token_that_is_pending() {
    let pending = pending_state(START + 86_400);
    for (device, key, code) in [
        (fixture::yubikey(2, pending.clone()), yubikey::tests::key(), yubikey_code(1, 0)),
        (fixture::hotp(2, pending.clone()), secret(), hotp_code(0)),
        (fixture::token(2, pending), secret(), code_at(&secret(), Parameters::COMMON, START)),
    ] {
        let world = World::new();
        world.configure("[password]\nmemory = 19\n");
        world.hand_over("alice", device, &key);
        let _ = world.run("require-mfa alice").ok();
        let _ = world.run_with("set-password alice", &format!("{PASSWORD}\n")).ok();
        let line = json!({ "password": PASSWORD }).to_string();
        let ran = world.run_with("sign-in alice --reveal-secrets", &line);
        assert_eq!((ran.code, &ran.json()["outcome"]), (1, &"code_required".into()), "{ran:?}");
        assert!(ran.json().get("enrolment").is_none(), "{ran:?}");
        let line = json!({ "password": PASSWORD, "code": code }).to_string();
        assert_eq!(world.run_with("sign-in alice", &line).ok().json()["outcome"], "accepted");
        assert_eq!(world.listed("alice")["status"], "enabled");
    }
}

#[test]
fn d17_a_yubikey_types_right_behind_a_password() {
    let mut world = with_yubikey();
    world.configure("[password]\nmemory = 19\n");
    let _ = world.active("bob");
    for user in ["alice", "bob"] {
        let _ = world.run_with(&format!("set-password {user}"), &format!("{PASSWORD}\n")).ok();
    }
    let both = |code: &str| format!("{PASSWORD}{code}");
    assert_eq!(split(&mut world, "alice", &yubikey_code(1, 0)), 1, "the code alone");
    assert_eq!(split(&mut world, "alice", &format!("wrong{}", yubikey_code(1, 0))), 1);
    assert_eq!(split(&mut world, "bob", &both(&yubikey_code(1, 0))), 1, "not bob's");
    assert_eq!(split(&mut world, "nobody", &both(&yubikey_code(1, 0))), 1);
    assert_eq!(split(&mut world, "alice", &both(&yubikey_code(1, 0))), 0);
    assert_eq!(split(&mut world, "alice", &both(&yubikey_code(1, 0))), 1, "replayed");
    assert_eq!(split(&mut world, "alice", &both(&yubikey_code(1, 1).to_uppercase())), 0);
    let dvorak = |letter| match "cbdefghijklnrtuv".find(letter) {
        Some(place) => char::from(b"jxe.uidchtnbpygk"[place]),
        None => letter,
    };
    let on_dvorak = |code: &str| both(&code.chars().map(dvorak).collect::<String>());
    assert_eq!(split(&mut world, "bob", &on_dvorak(&yubikey_code(1, 2))), 1, "not bob's");
    assert_eq!(split(&mut world, "alice", &on_dvorak(&yubikey_code(1, 2))), 0);
    assert_eq!(split(&mut world, "alice", &on_dvorak(&yubikey_code(1, 2))), 1, "replayed");
    let log = world.run("log --user alice").ok().out;
    assert_eq!(log.matches("no password with a code").count(), 1, "the code alone: {log}");
}

#[test]
fn d17_seven_digits_follow_a_password_too() {
    let form = CodeForm::new(Algorithm::Sha1, 7).unwrap();
    let mut world =
        alice(Device { factor: Factor::Hotp(form), ..fixture::hotp(2, active_state()) });
    world.configure("[password]\nmemory = 19\n");
    let _ = world.run_with("set-password alice", &format!("{PASSWORD}\n")).ok();
    let code = code_at_counter(&secret(), form, 3);
    assert_eq!(split(&mut world, "alice", &format!("{PASSWORD}{}", &code[1..])), 1, "six of them");
    assert_eq!(split(&mut world, "alice", &format!("{PASSWORD}{code}")), 0);
    let _ = world.run("verify-log").ok();
}
