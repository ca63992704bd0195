//! `me`: what users do themselves, and what they may not.

mod door;
mod terminal;

use serde_json::{Value, json};

use super::kinds::{pending_yubikey, touched};
use crate::domain::secret::Secret;
use crate::testing::{CommandResult, World};

const CHEAP: &str = "[password]\nmemory = 19\n";
const OLD: &str = "correct horse battery staple";
const ALL: &str = "[self_service]\nadd_device = true\nreplace_device = true\nswitch_off = true\n\
                   remove_device = true\nrename_device = true\nrecovery_codes = true\n";
const REQUIRED: &str = "[policy]\nmfa = \"required\"\n";

/// A world with this configuration, and alice with a password and an active phone, two time steps later.
fn world(more: &str) -> (World, Secret) {
    let world = World::new();
    world.configure(&format!("{more}{CHEAP}"));
    let phone = world.active("alice");
    let _ = world.run_with("set-password alice", OLD).ok();
    world.wait(60);
    (world, phone)
}

impl World {
    fn me(&self, line: &Value) -> CommandResult {
        self.run_with("me --name alice --json --reveal-secrets", &format!("{line}\n"))
    }

    /// Carries an act out with two codes in a row, the later one of now.
    fn acts(&self, phone: &Secret, act: &str, more: &Value) -> CommandResult {
        self.wait(60);
        let mut line = json!({
            "password": OLD, "code": self.code(phone, -1), "next_code": self.code(phone, 0), "act": act,
        });
        for (name, value) in more.as_object().unwrap() {
            line[name] = value.clone();
        }
        self.me(&line)
    }

    fn newest(&self, verb: &str, column: &str) -> String {
        self.sql(&format!(
            "SELECT {column} FROM events WHERE verb = '{verb}' ORDER BY seq DESC LIMIT 1"
        ))
    }
}

#[track_caller]
fn refused(ran: &CommandResult, code: u8, error: &str) {
    assert_eq!((ran.code, ran.error().as_str()), (code, error), "{ran:?}");
    for secret in [OLD, "hunter2"] {
        assert!(!ran.err.contains(secret), "{ran:?}");
    }
}

fn secret_of(answer: &Value) -> Secret {
    let base32 = answer["enrolment"]["secret"].as_str().unwrap();
    let bytes = data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).unwrap();
    Secret::new(zeroize::Zeroizing::new(bytes))
}

#[test]
fn d23_without_an_act_a_user_sees_their_own_status() {
    let (world, phone) = world("");
    let ran = world.me(&json!({ "password": OLD, "code": world.code(&phone, 0) })).ok();
    let answer = ran.json();
    assert_eq!(answer["schema"], "mfactl.me/1");
    assert_eq!((&answer["outcome"], &answer["changed"]), (&json!("accepted"), &json!(false)));
    let status = &answer["status"];
    assert_eq!((&status["status"], &status["acts"]), (&json!("enabled"), &json!([])));
    assert_eq!(status["devices"][0]["device"], "phone");
    assert_eq!(status["recovery_codes_left"], 0);
    world.configure(&format!("{ALL}{CHEAP}"));
    world.wait(30);
    let ran = world.me(&json!({ "password": OLD, "code": world.code(&phone, 0) })).ok();
    assert_eq!(ran.json()["status"]["acts"].as_array().unwrap().len(), 6);
    world.configure(&format!("{ALL}{REQUIRED}{CHEAP}"));
    world.wait(30);
    let ran = world.me(&json!({ "password": OLD, "code": world.code(&phone, 0) })).ok();
    assert!(!ran.json()["status"]["acts"].to_string().contains("switch-off"), "{ran:?}");
}

#[test]
fn d23_what_is_turned_off_is_refused_before_a_code_is_used() {
    let (world, phone) = world("");
    let events = world.sql("SELECT count(*) FROM events");
    for act in [
        "add-device",
        "replace-device",
        "switch-off",
        "remove-device",
        "rename-device",
        "recovery-codes",
    ] {
        let ran = world.acts(&phone, act, &json!({ "label": "tablet" }));
        refused(&ran, 77, "not_permitted");
        assert!(ran.err.contains("is not turned on here"), "{ran:?}");
    }
    assert_eq!(world.sql("SELECT count(*) FROM events"), events);
    world.configure(&format!("[self_service]\nrename_device = true\n{CHEAP}"));
    refused(&world.acts(&phone, "switch-off", &json!({})), 77, "not_permitted");
    let _ = world.acts(&phone, "rename-device", &json!({ "label": "mobile" })).ok();
    world.configure("[self_service]\nadd_devices = true\n");
    assert_eq!(world.run("list-status").code, 78, "an unknown key");
}

#[test]
fn d23_a_further_device_is_set_up_and_cuts_nothing_off() {
    let (world, phone) = world(ALL);
    let answer = world.acts(&phone, "add-device", &json!({ "label": "tablet" })).ok().json();
    assert_eq!((&answer["outcome"], &answer["changed"]), (&json!("accepted"), &json!(true)));
    assert_eq!(answer["enrolment"]["device"], "tablet");
    let tablet = secret_of(&answer);
    assert!(answer["enrolment"]["uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    assert_eq!(world.listed("alice")["status"], "enabled");
    // The next call's code confirms it, at any door.
    let ran = world.me(&json!({ "password": OLD, "code": world.code(&tablet, 0) })).ok();
    let devices = ran.json()["status"]["devices"].clone();
    assert_eq!((&devices[0]["state"], &devices[1]["state"]), (&json!("active"), &json!("active")));
    assert_eq!((&devices[0]["kind"], &devices[1]["kind"]), (&json!("totp"), &json!("totp")));
    world.wait(30);
    assert_eq!(world.verify("alice", &world.code(&phone, 0)).code, 0, "the phone still works");
    assert_eq!(world.newest("enrol", "outcome"), "pending");
    assert_eq!(world.newest("enrol", "device"), "tablet");
    for verb in ["enrol", "sign-in"] {
        let detail = world.newest(verb, "detail");
        assert!(detail.contains("\"through\":\"self-service\""), "{verb}: {detail}");
    }
    // Without a label it gets a free one; a taken one is refused.
    let answer = world.acts(&phone, "add-device", &json!({})).ok().json();
    assert_eq!(answer["enrolment"]["device"], "phone-2");
    let ran = world.acts(&phone, "add-device", &json!({ "label": "Tablet" }));
    refused(&ran, 76, "already_enrolled");
}

#[test]
fn d23_a_replacement_takes_over_with_its_first_code_and_the_helpdesk_can_undo_it() {
    let (world, phone) = world(&format!("{ALL}{REQUIRED}"));
    let answer = world.acts(&phone, "replace-device", &json!({})).ok().json();
    assert_eq!(answer["enrolment"]["device"], "phone-2");
    let new = secret_of(&answer);
    world.wait(30);
    assert_eq!(
        world.verify("alice", &world.code(&phone, 0)).code,
        0,
        "until then the old one works"
    );
    let _ = world.me(&json!({ "password": OLD, "code": world.code(&new, 0) })).ok();
    world.wait(30);
    assert_eq!(world.verify("alice", &world.code(&phone, 0)).json()["outcome"], "rejected");
    assert_eq!(world.verify("alice", &world.code(&new, 0)).json()["outcome"], "accepted");
    assert_eq!(world.newest("reset", "outcome"), "done");
    let _ = world.run("undo alice --yes --even-after-code").ok();
    world.wait(30);
    assert_eq!(world.verify("alice", &world.code(&phone, 0)).json()["outcome"], "accepted");
    assert_eq!(world.verify("alice", &world.code(&new, 0)).json()["outcome"], "rejected");
}

#[test]
fn d23_switching_off_and_removing_are_for_those_of_whom_mfa_is_not_required() {
    let (world, phone) = world(&format!("{ALL}{REQUIRED}"));
    for (act, words) in [
        ("switch-off", "it is required of you"),
        ("remove-device", "the last device can't be removed"),
    ] {
        let ran = world.acts(&phone, act, &json!({}));
        refused(&ran, 77, "not_permitted");
        assert!(ran.err.contains(words), "{ran:?}");
        let next = world.verify("alice", &world.code(&phone, 0)).json();
        assert_eq!(next["outcome"], "accepted", "{act}: the second code was not used up");
    }
    world.configure(&format!("{ALL}{CHEAP}"));
    let answer = world.acts(&phone, "switch-off", &json!({})).ok().json();
    assert_eq!(answer["status"]["status"], "disabled");
    assert_eq!(world.newest("disable", "outcome"), "done");
    // Nothing but the status is left, as the password alone opens now.
    let answer = world.me(&json!({ "password": OLD })).ok().json();
    assert_eq!(answer["status"]["acts"], json!([]));
    refused(&world.me(&json!({ "password": OLD, "act": "add-device" })), 76, "disabled");
    let _ = world.run("undo alice --yes").ok();
    let answer = world.acts(&phone, "remove-device", &json!({ "device": "Phone" })).ok().json();
    assert_eq!(answer["status"]["status"], "not_enabled");
    let _ = world.run("undo alice --yes").ok();
    assert_eq!(world.listed("alice")["status"], "enabled");
    world.configure(&format!("[self_service]\nremove_device = true\n{CHEAP}"));
    let ran = world.acts(&phone, "remove-device", &json!({}));
    refused(&ran, 77, "not_permitted");
    assert!(ran.err.contains("switch-off is not turned on"), "{ran:?}");
}

#[test]
fn d23_a_device_is_removed_or_renamed_and_codes_are_made() {
    let (world, phone) = world(&format!("{ALL}{REQUIRED}"));
    let tablet = secret_of(&world.acts(&phone, "add-device", &json!({ "label": "tablet" })).json());
    let _ = world.verify("alice", &world.code(&tablet, 0)).ok();
    let line = json!({ "password": OLD, "code": world.code(&phone, 1), "act": "rename-device",
                       "device": "tablet", "label": "Marie's iPad" });
    let renamed = world.me(&line).ok();
    assert!(renamed.out.contains("Marie's iPad"), "a name takes one code: {renamed:?}");
    for hostile in ["a\u{1b}[2J", "x\u{202e}y", "-rf", "a\"b", &"x".repeat(33)] {
        let more = json!({ "device": "phone", "label": hostile });
        let ran = world.acts(&phone, "rename-device", &more);
        refused(&ran, 65, "bad_input");
        assert!(!ran.err.contains('\u{1b}') && !ran.err.contains('\u{202e}'), "{ran:?}");
    }
    let ran = world.acts(&phone, "rename-device", &json!({ "label": "mobile" }));
    refused(&ran, 76, "ambiguous_device");
    let ran = world.acts(&phone, "remove-device", &json!({ "device": "watch" }));
    refused(&ran, 67, "device_not_found");
    let answer = world.acts(&phone, "remove-device", &json!({ "device": "marie's ipad" })).ok();
    assert_eq!(answer.json()["status"]["devices"].as_array().unwrap().len(), 1);
    assert_eq!(world.newest("delete", "device"), "Marie's iPad");
    let answer = world.acts(&phone, "recovery-codes", &json!({})).ok().json();
    let codes = answer["codes"].as_array().unwrap();
    assert_eq!(codes.len(), 10);
    assert_eq!(world.verify("alice", codes[0].as_str().unwrap()).json()["outcome"], "accepted");
}

#[test]
fn d23_acts_take_two_codes_of_one_device() {
    let (world, phone) = world(ALL);
    let now = |steps| world.code(&phone, steps);
    let line = |code: String, next: Option<String>| {
        let mut line = json!({ "password": OLD, "code": code, "act": "add-device", "label": "x" });
        if let Some(next) = next {
            line["next_code"] = json!(next);
        }
        line
    };
    refused(&world.me(&line(now(0), None)), 65, "bad_input");
    for (what, next) in
        [("the same", now(0)), ("an earlier one", now(-1)), ("wrong", "000000".into())]
    {
        world.wait(60);
        let ran = world.me(&line(now(0), Some(next)));
        assert_eq!((ran.code, &ran.json()["outcome"]), (1, &json!("rejected")), "{what}: {ran:?}");
        assert_eq!(ran.json().get("status"), None);
    }
    world.wait(60);
    let used = line(now(0), Some(now(0)));
    assert_eq!(world.me(&used).json()["outcome"], "rejected", "the same code twice");
    // The second code of another device is no proof: a thief may have added that one.
    world.wait(60);
    let tablet = secret_of(&world.acts(&phone, "add-device", &json!({ "label": "tablet" })).json());
    let _ = world.verify("alice", &world.code(&tablet, 0)).ok();
    world.wait(60);
    let ran = world.me(&line(world.code(&phone, 0), Some(world.code(&tablet, 0))));
    assert_eq!(ran.json()["outcome"], "rejected", "{ran:?}");
    // A recovery code beside the phone's isn't one either.
    let codes = world.acts(&phone, "recovery-codes", &json!({})).ok().json();
    world.wait(60);
    let recovery = codes["codes"][0].as_str().unwrap().to_owned();
    let ran = world.me(&line(world.code(&phone, 0), Some(recovery)));
    assert_eq!(ran.json()["outcome"], "rejected", "{ran:?}");
    assert_eq!(world.listed("alice")["devices"].as_array().unwrap().len(), 2);
}

#[test]
fn d23_each_act_sends_a_notice_that_says_who() {
    let (world, phone) = world("");
    let folder = world.public();
    let hook = world.folder.path().join("hook.sh");
    let script = format!("#!/bin/sh\ncat >>'{}'\n", folder.join("notices").display());
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    world.configure(&format!("[notify]\nhook = [\"{}\"]\n{ALL}{CHEAP}", hook.display()));
    let answer = world.acts(&phone, "add-device", &json!({ "label": "tablet" })).ok().json();
    let line = json!({ "password": OLD, "code": world.code(&secret_of(&answer), 0) });
    let _ = world.me(&line).ok();
    for (act, device) in [
        ("rename-device", "tablet"),
        ("replace-device", "phone"),
        ("remove-device", "mobile"),
        ("recovery-codes", ""),
        ("switch-off", ""),
    ] {
        let _ = world.acts(&phone, act, &json!({ "device": device, "label": "mobile" })).ok();
    }
    let notices = std::fs::read_to_string(folder.join("notices")).unwrap();
    let notices: Vec<Value> =
        notices.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<_> = notices.iter().map(|notice| notice["event"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "new-device",
            "rename-device",
            "replace-device",
            "remove-device",
            "recovery-codes",
            "disable"
        ]
    );
    assert!(notices.iter().all(|notice| notice["self_service"] == json!(true)), "{notices:?}");
    assert_eq!((&notices[0]["device"], &notices[2]["device"]), (&json!("tablet"), &json!("phone")));
}

#[test]
fn d23_each_act_has_the_name_of_the_operators_verb_in_the_log() {
    for act in crate::domain::self_service::OwnAct::ALL {
        let verb = crate::commands::find_verb(act.verb()).unwrap();
        assert!(verb.changes_user, "{act:?}");
    }
}

#[test]
fn d23_doctor_lists_what_is_turned_on() {
    let (world, _) = world("[self_service]\nadd_device = true\nswitch_off = false\n");
    let words = |world: &World| {
        let found = world.run("doctor --json").json()["findings"].clone();
        let found = found.as_array().unwrap().iter();
        found
            .filter(|f| f["what"] == "self-service")
            .map(|f| f["words"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(words(&world), ["add-device, from the configuration"]);
    world.configure(CHEAP);
    assert!(words(&world).is_empty());
}

#[test]
fn a_yubikey_opens_the_door_of_its_user_and_no_app_takes_its_place() {
    let (world, phone) = world(ALL);
    let key = pending_yubikey(&world, "alice");
    let _ = world.verify("alice", &touched(&key, 1)).ok();
    let answer = world.me(&json!({ "password": OLD, "code": touched(&key, 2) })).ok().json();
    assert_eq!(answer["status"]["devices"][1]["device"], "yubikey", "{answer}");
    let ran = world.acts(&phone, "replace-device", &json!({ "device": "yubikey" }));
    refused(&ran, 77, "not_permitted");
    assert!(ran.err.contains("no app can replace it"), "{ran:?}");
    // Two touches are two codes in a row, and the same one twice is not.
    let renew = |code: u16, next: u16| {
        world.me(&json!({
            "password": OLD, "code": touched(&key, code), "next_code": touched(&key, next),
            "act": "recovery-codes",
        }))
    };
    assert_eq!(renew(3, 3).code, 1);
    let _ = renew(4, 5).ok();
    let _ = world.acts(&phone, "replace-device", &json!({ "device": "phone" })).ok();
    let _ = world.acts(&phone, "remove-device", &json!({ "device": "yubikey" })).ok();
}
