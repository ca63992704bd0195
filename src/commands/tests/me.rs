//! `me`: what users do themselves, and what they may not.

use serde_json::{Value, json};

use crate::domain::secret::Secret;
use crate::env::Size;
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

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
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
fn d23_wrong_second_codes_are_counted_and_lock() {
    let (world, phone) = world(ALL);
    let mut outcomes = Vec::new();
    for _ in 0..5 {
        let line = json!({ "password": OLD, "code": "000000", "next_code": "000000", "act": "switch-off" });
        outcomes.push(world.me(&line).json()["outcome"].clone());
    }
    assert_eq!(outcomes, vec![json!("rejected"); 5]);
    let ran = world.acts(&phone, "switch-off", &json!({}));
    // The lock of 30 seconds is over after the wait of `acts`.
    assert_eq!(ran.code, 0, "{ran:?}");
    let _ = world.run("undo alice --yes").ok();
    for _ in 0..5 {
        let _ = world.verify("alice", "000000");
    }
    let line = json!({ "password": OLD, "code": world.code(&phone, 1), "next_code": "1", "act": "switch-off" });
    let ran = world.me(&line);
    let locked =
        world.run_with("sign-in --json alice", &format!("{}\n", json!({ "password": OLD })));
    assert_eq!(ran.code, 1);
    for field in ["outcome", "locked_until"] {
        assert_eq!(ran.json()[field], locked.json()[field], "as at a sign-in: {ran:?}");
    }
    assert_eq!(world.listed("alice")["status"], "enabled");
}

#[test]
fn d23_the_door_tells_no_more_than_a_sign_in() {
    let (world, phone) = world(ALL);
    let wrong = json!({ "password": "hunter2", "code": world.code(&phone, 0), "act": "switch-off", "next_code": "1" });
    let answer = |line: &Value, name: &str| {
        let line = format!("{line}\n");
        let ran = world.run_with(&format!("me --json --name {name}"), &line);
        (ran.code, ran.out.replace(name, "NAME"), ran.err.replace(name, "NAME"))
    };
    let expected = answer(&wrong, "alice");
    assert_eq!(expected.0, 1);
    assert!(
        expected.1.contains("\"rejected\"") && !expected.1.contains("\"status\""),
        "{expected:?}"
    );
    assert_eq!(answer(&wrong, "mallory"), expected, "an unknown name");
    let wrong_code =
        json!({ "password": OLD, "code": "000000", "act": "switch-off", "next_code": "1" });
    assert_eq!(answer(&wrong_code, "alice"), expected, "a wrong code");
    let no_code = answer(&json!({ "password": OLD, "act": "switch-off" }), "alice");
    assert!(no_code.1.contains("code_required"), "{no_code:?}");
    let used = world.code(&phone, 0);
    let line = json!({ "password": OLD, "code": used });
    assert_eq!(answer(&line, "alice").0, 0);
    assert_eq!(answer(&line, "alice").1, expected.1.replace("\"switch-off\"", "null"), "used");
    assert_eq!(world.listed("alice")["status"], "enabled");
    assert_eq!(world.newest("sign-in", "outcome"), "rejected", "and it is logged as one");
}

#[test]
fn d23_recovery_and_bypass_codes_replace_a_device_and_do_nothing_else() {
    let (world, phone) = world(ALL);
    let made = world.run("recovery-codes alice --json --reveal-secrets --yes").ok().json();
    let recovery = |n: usize| made["codes"][n].as_str().unwrap().to_owned();
    for (n, act) in ["add-device", "switch-off", "remove-device", "rename-device", "recovery-codes"]
        .iter()
        .enumerate()
    {
        let ran =
            world.me(&json!({ "password": OLD, "code": recovery(n), "act": act, "label": "x" }));
        refused(&ran, 77, "not_permitted");
    }
    let ran =
        world.me(&json!({ "password": OLD, "code": recovery(6), "act": "replace-device" })).ok();
    let new = secret_of(&ran.json());
    assert_eq!(world.verify("alice", &world.code(&phone, 0)).code, 0, "not before the first code");
    let _ = world.verify("alice", &world.code(&new, 0)).ok();
    world.wait(30);
    assert_eq!(world.verify("alice", &world.code(&phone, 0)).code, 1);
    let bypass = world.run("bypass alice --for 1h --json --reveal-secrets --yes").ok().json();
    let bypass = bypass["code"].as_str().unwrap().to_owned();
    let line = json!({ "password": OLD, "code": bypass, "act": "replace-device" });
    assert_eq!(world.me(&line).ok().json()["enrolment"]["device"], "phone-2");
    assert_eq!(world.me(&line).json()["outcome"], "rejected", "it was good once");
}

#[test]
fn d23_the_password_alone_sets_up_a_first_device_only_where_a_sign_in_would() {
    for policy in [REQUIRED, ""] {
        let world = World::new();
        world.configure(&format!("{ALL}{policy}{CHEAP}"));
        let _ = world.run("add-user alice").ok();
        let _ = world.run_with("set-password alice", OLD).ok();
        for act in
            ["replace-device", "switch-off", "remove-device", "rename-device", "recovery-codes"]
        {
            let ran = world.me(&json!({ "password": OLD, "act": act, "label": "x" }));
            refused(&ran, 77, "not_permitted");
        }
        let status = world.me(&json!({ "password": OLD }));
        assert_eq!(status.json()["status"]["acts"], json!(["add-device"]), "{status:?}");
        assert_eq!(status.code, u8::from(!policy.is_empty()), "as at a sign-in: {status:?}");
        let ran = world.me(&json!({ "password": OLD, "act": "add-device" })).ok();
        let phone = secret_of(&ran.json());
        let _ = world.me(&json!({ "password": OLD, "code": world.code(&phone, 0) })).ok();
        assert_eq!(world.listed("alice")["status"], "enabled");
        let ran = world.me(&json!({ "password": OLD, "act": "add-device" }));
        assert_eq!((ran.code, &ran.json()["outcome"]), (1, &json!("code_required")));
        // After a reset or a removal the old password is no proof.
        for verb in ["delete", "reset --no-enrol"] {
            let _ = world.run(&format!("{verb} alice --yes")).ok();
            let ran = world.me(&json!({ "password": OLD, "act": "add-device" }));
            assert!(ran.code == 1 || ran.code == 77, "{verb}: {ran:?}");
            assert_eq!(world.listed("alice")["status"], "not_enabled", "{verb}");
        }
        // A forced password change sends the user to a sign-in.
        let forced =
            world.run("force-new-password alice --yes --json --reveal-secrets").ok().json();
        let temporary = forced["temporary_password"].as_str().unwrap();
        let ran = world.me(&json!({ "password": temporary, "act": "add-device" }));
        assert_eq!(ran.json()["outcome"], "password_change_required", "{ran:?}");
        world.wait(24 * 3600);
        let ran = world.me(&json!({ "password": temporary }));
        assert_eq!(ran.json()["reason"], "temporary_password_expired", "{ran:?}");
        assert_eq!(world.listed("alice")["status"], "not_enabled");
    }
}

#[test]
fn d23_a_protected_user_may_do_it_too() {
    let (world, phone) = world("");
    world.configure(&format!(
        "{ALL}[roles]\nadmin = [\"root\"]\nservice = [\"daemon\"]\nsecond_operator = [\"disable\"]\n{CHEAP}"
    ));
    world.uid.set(0);
    let _ = world.run("edit-user alice --protected").ok();
    world.uid.set(1);
    let _ = world.acts(&phone, "switch-off", &json!({})).ok();
}

#[test]
fn d23_the_user_is_the_one_who_called_sudo() {
    let (world, _) = world("");
    world.uid.set(0);
    let _ = world.run("add-user daemon").ok();
    let _ = world.run_with("set-password daemon", OLD).ok();
    let ask = |line: &str, uid| {
        world.sudo_uid.set(Some(uid));
        world.run_with(line, &format!("{}\n", json!({ "password": OLD })))
    };
    let own = ask("me", 1).ok();
    assert_eq!(own.json()["user"], "daemon");
    assert_eq!(ask("me --name DAEMON", 1).ok().json()["user"], "daemon");
    for name in ["alice", "mallory", "CORP\\daemon"] {
        let ran = ask(&format!("me --json --name {name}"), 1);
        refused(&ran, 77, "not_permitted");
        assert!(!ran.err.contains(name), "the answer is the same for every name: {ran:?}");
    }
    // No uid, root, and a uid without a name.
    for uid in [u32::MAX, 0, 4_000_000_000] {
        refused(&ask("me --json", uid), 77, "not_permitted");
    }
    // Somebody who is not in the store gets the answer of a sign-in.
    assert_eq!(ask("me", 3).json()["outcome"], "rejected");
    world.configure("[names]\nstrip_realm = [\"corp.example\"]\n");
    assert_eq!(ask("me --name daemon@corp.example", 1).ok().json()["user"], "daemon");
}

#[test]
fn d23_with_roles_only_services_and_admins_ask_about_others() {
    let (world, _) = world("");
    world.configure(&format!(
        "[roles]\nadmin = [\"games\"]\nservice = [\"daemon\"]\nhelpdesk = [\"sys\"]\nauditor = [\"bin\"]\n{CHEAP}"
    ));
    world.uid.set(0);
    let _ = world.run("add-user bin").ok();
    let _ = world.run_with("set-password bin", OLD).ok();
    for (uid, sudo, code) in [
        (0, None, 1),
        (0, Some(1), 1),
        (0, Some(5), 1),
        (0, Some(0), 1),
        (1, None, 1),
        (0, Some(3), 77),
        (0, Some(2), 77),
        (0, Some(65534), 77),
        (3, None, 77),
        (3, Some(0), 77),
    ] {
        world.uid.set(uid);
        world.sudo_uid.set(sudo);
        let ran = world.run_with("me --json --name alice", "{\"password\":\"x\"}\n");
        assert_eq!(ran.code, code, "{uid} {sudo:?}: {ran:?}");
    }
    // An auditor, or anybody, about themselves.
    world.uid.set(0);
    world.sudo_uid.set(Some(2));
    let _ = world.run_with("me", &format!("{}\n", json!({ "password": OLD }))).ok();
}

#[test]
fn d23_what_is_no_request_is_refused_without_echoing_it() {
    let (world, phone) = world(ALL);
    let events = world.sql("SELECT count(*) FROM events");
    for (line, code) in [
        ("", 64),
        ("hunter2", 65),
        ("{\"password\":\"hunter2\",\"pass\":1}", 65),
        ("[\"hunter2\"]", 65),
        ("{\"password\":\"hunter2\",\"act\":\"sudo\"}", 65),
        ("{\"password\":\"hunter2\",\"act\":\"rename-device\"}", 65),
        ("{\"password\":\"hunter2\",\"act\":\"add-device\",\"label\":\"a,b\"}", 65),
    ] {
        let ran = world.run_with("me --name alice --json --reveal-secrets", line);
        assert_eq!(ran.code, code, "{line}: {ran:?}");
        assert!(!ran.err.contains("hunter2") && ran.out.is_empty(), "{ran:?}");
    }
    let hidden = json!({ "password": OLD, "code": world.code(&phone, 0), "act": "recovery-codes" });
    for options in ["--json", "--reveal-secrets --format table", "--reveal-secrets --format csv"] {
        let ran = world.run_with(&format!("me --name alice {options}"), &hidden.to_string());
        assert!(ran.code == 64 || ran.code == 65, "{options}: {ran:?}");
    }
    assert_eq!(world.sql("SELECT count(*) FROM events"), events);
    assert_eq!(world.run("me --help").code, 64);
}

/// A terminal of 80 by 24 with these answers.
fn at_terminal(world: &mut World, answers: Vec<&'static str>) -> CommandResult {
    world.terminal = Some(Size { columns: 80, rows: 24 });
    world.has_pages = true;
    world.answers = Some(answers);
    let ran = world.run("me --name alice");
    world.answers = None;
    world.terminal = None;
    ran
}

#[test]
fn d23_a_terminal_offers_a_menu_and_proves_the_new_device() {
    let (mut world, phone) = world(ALL);
    let code = |steps| leaked(world.code(&phone, steps));
    let (first, next) = (code(-1), code(0));
    let ran = at_terminal(&mut world, vec![OLD, first, "1", "tablet", "000000", next, ""]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("1  set up a further device"), "{ran:?}");
    assert!(ran.err.contains("that code is wrong"), "{ran:?}");
    assert!(ran.pages.iter().any(|page| page.contains('█')), "{:?}", ran.pages);
    assert!(ran.out.starts_with("alice: tablet is pending; its first code confirms it"), "{ran:?}");
    assert_eq!(
        ran.prompts,
        [
            "Password of alice",
            "Code",
            "What do you want to do? Number, or Enter to leave",
            "Name of the new device (Enter: chosen for you)",
            "Next code of phone",
            "Next code of phone",
            "The 6 digits that the app shows (Enter: later)",
        ]
    );
    let messages = &ran.interrupt_messages;
    assert!(messages[1..6].iter().all(|words| words == "nothing was changed"), "{messages:?}");
    assert_eq!(messages[6], "the new device tablet is pending: its first code confirms it");

    // Rename takes one code; a number that is none is asked again.
    world.wait(60);
    let code = leaked(world.code(&phone, 0));
    let ran = at_terminal(&mut world, vec![OLD, code, "9", "5", "1", "a=b", "mobile"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "alice: phone is now called mobile\n"), "{ran:?}");
    // Enter leaves, and so does a no.
    for answers in [vec![""], vec!["3", ""], vec!["3", "n"]] {
        world.wait(60);
        let code = leaked(world.code(&phone, 0));
        let answers = [vec![OLD, code], answers].concat();
        let ran = at_terminal(&mut world, answers);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(world.listed("alice")["status"], "enabled");
    }
    world.wait(60);
    let codes = [leaked(world.code(&phone, -1)), leaked(world.code(&phone, 0))];
    let ran = at_terminal(&mut world, vec![OLD, codes[0], "6", codes[1], ""]);
    assert!(ran.pages[0].contains("Recovery codes of alice"), "{ran:?}");
    assert_eq!(ran.out, "alice: 10 new recovery codes; the earlier ones are void\n", "{ran:?}");
    world.wait(60);
    let codes = [leaked(world.code(&phone, -1)), leaked(world.code(&phone, 0))];
    let ran = at_terminal(&mut world, vec![OLD, codes[0], "3", "y", codes[1]]);
    assert!(ran.err.contains("afterwards: can sign in with the password alone"), "{ran:?}");
    assert_eq!(world.listed("alice")["status"], "disabled", "{ran:?}");
    let ran = at_terminal(&mut world, vec![OLD]);
    assert_eq!((ran.code, ran.prompts.len()), (0, 1), "only the status is left: {ran:?}");
}

#[test]
fn d23_a_terminal_answers_in_the_words_of_a_sign_in() {
    let (mut world, _) = world(ALL);
    for answers in [vec!["hunter2"], vec![OLD, "000000", "000000", "000000"], vec![OLD, ""]] {
        let ran = at_terminal(&mut world, answers.clone());
        assert_eq!(ran.code, 1, "{ran:?}");
        let _ = world.run("unlock alice").ok();
        world.terminal = Some(Size { columns: 80, rows: 24 });
        world.answers = Some(answers);
        let expected = world.run("sign-in alice");
        assert_eq!(ran.out, expected.out, "{ran:?}");
        world.answers = None;
        let _ = world.run("unlock alice").ok();
    }
}

#[test]
fn d23_each_act_sends_a_notice_that_says_who() {
    let (world, phone) = world("");
    let folder = world.folder.path().to_owned();
    let hook = folder.join("hook.sh");
    let script = format!("#!/bin/sh\ncat >>'{}'\n", folder.join("notices").display());
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
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
