//! Undo takes back one change after the other, says the truth about each, and has its way after a wrong caller.

use serde_json::{Value, json};

use crate::testing::{CommandResult, World, secret};

pub(super) const HELPDESK: u32 = 1;
pub(super) const OTHER_HELPDESK: u32 = 8;
pub(super) const ADMIN: u32 = 3;
pub(super) const ROLES: &str = "[roles]\nhelpdesk = [\"daemon\", \"%mail\"]\nadmin = [\"sys\"]\n";

pub(super) fn labels(answer: &Value) -> Vec<&str> {
    let devices = answer["devices"].as_array().unwrap();
    devices.iter().map(|d| d["device"].as_str().unwrap()).collect()
}

pub(super) fn listed(world: &World, user: &str) -> Value {
    world.run(&format!("undo {user} --list --json")).ok().json()
}

/// The newest event of `undo`.
fn logged(world: &World) -> Value {
    let log = world.run("log --verb undo --newest-first --last 1 --json").ok().json();
    log["events"][0].clone()
}

#[track_caller]
pub(super) fn nothing_to_undo(ran: &CommandResult) -> String {
    assert_eq!((ran.code, ran.error().as_str()), (76, "nothing_to_undo"), "{ran:?}");
    let error: Value = serde_json::from_str(&ran.err).unwrap();
    error["error"]["message"].as_str().unwrap().to_owned()
}

/// Alicia's phone was reset for a caller who was Alice, and Alice proved the new one. Returns both secrets.
pub(super) fn wrong_caller(world: &World, reset: &str) -> [crate::domain::secret::Secret; 2] {
    let right = world.active("alicia");
    world.wait(60);
    let wrong = secret(&world.run(&format!("{reset} --json --reveal-secrets")).ok());
    world.wait(60);
    let _ = world.verify("alicia", &world.code(&wrong, 0)).ok();
    world.wait(60);
    [right, wrong]
}

#[track_caller]
pub(super) fn assert_right_phone(
    world: &World,
    [right, wrong]: &[crate::domain::secret::Secret; 2],
) {
    assert_eq!(world.verify("alicia", &world.code(wrong, 0)).json()["outcome"], "rejected");
    assert_eq!(world.verify("alicia", &world.code(right, 0)).json()["outcome"], "accepted");
}

#[test]
fn w2_a_label_that_another_device_has_by_now_is_made_distinct_and_told() {
    let world = World::new();
    let phone = world.active("carol");
    let tablet = world.pending("carol", "--device tablet");
    world.wait(60);
    let _ = world.verify("carol", &world.code(&tablet, 0)).ok();
    let _ = world.run("delete carol --device phone --yes").ok();
    let _ = world.run("edit-user carol --relabel tablet=phone").ok();
    let dry = world.run("undo carol --dry-run").ok().out;
    assert!(dry.contains("would be called phone-2"), "{dry}");
    let undone = world.run("undo carol --yes --json").ok().json();
    assert_eq!(labels(&undone), ["phone-2", "phone"]);
    assert_eq!(undone["relabelled"], json!([{ "was": "phone", "is": "phone-2" }]));
    assert_eq!(logged(&world)["detail"]["relabelled"], "phone=phone-2");
    world.wait(60);
    let _ = world.run("disable carol --device phone-2 --yes").ok();
    assert_eq!(world.verify("carol", &world.code(&phone, 0)).json()["outcome"], "rejected");
    assert_eq!(world.verify("carol", &world.code(&tablet, 0)).json()["outcome"], "accepted");
}

#[test]
fn w2_the_answer_to_a_person_says_the_new_label() {
    let world = World::new();
    let _ = (world.active("carol"), world.pending("carol", "--device tablet"));
    let _ = world.run("delete carol --device phone --yes").ok();
    let _ = world.run("edit-user carol --relabel tablet=phone").ok();
    let told = world.run("undo carol --yes").ok().out;
    // The tablet was there before the deletion, so it stays.
    assert!(told.contains("the restored phone is called phone-2"), "{told}");
}

#[test]
fn w3_each_change_is_taken_back_in_turn_newest_first() {
    let world = World::new();
    let phone = world.active("dave");
    world.wait(60);
    for verb in [
        "reset dave --yes --json",
        "disable dave --yes",
        "delete dave --yes",
        "force-new-password dave --yes --json",
    ] {
        let _ = world.run(verb).ok();
        world.wait(60);
    }
    let list = listed(&world, "dave");
    let acts: Vec<_> =
        list["acts"].as_array().unwrap().iter().map(|act| act["act"].clone()).collect();
    assert_eq!(acts, ["force-new-password", "delete", "disable", "reset"]);
    for (act, status, next) in [
        ("force-new-password", "not_enabled", json!("delete")),
        ("delete", "disabled", json!("disable")),
        ("disable", "pending", json!("reset")),
        ("reset", "enabled", Value::Null),
    ] {
        let undone = world.run("undo dave --yes --json").ok().json();
        assert_eq!(
            (&undone["undone"], &undone["status"], &undone["next"]),
            (&json!(act), &json!(status), &next)
        );
        let event = logged(&world);
        assert_eq!(event["detail"]["undone"], act, "{event}");
        assert_eq!(event["detail"]["undone_at"], undone["undone_at"]);
    }
    assert_eq!(world.verify("dave", &world.code(&phone, 0)).json()["outcome"], "accepted");
    let said = nothing_to_undo(&world.run("undo dave --yes --json"));
    assert!(said.contains("no reset, disable, delete or force-new-password"), "{said}");
}

#[test]
fn w3_two_resets_in_a_row_lose_no_phone() {
    for reset in ["reset dave --yes --json", "reset dave --yes --json --keep-until-confirmed"] {
        let world = World::new();
        let phone = world.active("dave");
        world.wait(60);
        let first = secret(&world.run(&format!("{reset} --reveal-secrets")).ok());
        let _ = world.run(reset).ok();
        let _ = world.run("undo dave --yes").ok();
        let shown = world.run("show-qr dave --json --reveal-secrets").ok();
        assert_eq!(secret(&shown).base32(), first.base32(), "the first new phone: {reset}");
        let _ = world.run("undo dave --yes").ok();
        let list = world.listed("dave");
        assert_eq!(list["devices"].as_array().unwrap().len(), 1, "{list}");
        assert_eq!(
            world.verify("dave", &world.code(&phone, 0)).json()["outcome"],
            "accepted",
            "{reset}"
        );
    }
}

#[test]
fn w3_what_was_switched_on_by_hand_hides_no_earlier_change() {
    let world = World::new();
    let _ = (world.active("dave"), world.pending("dave", "--device tablet"));
    let _ = world.run("delete dave --device tablet --yes").ok();
    let _ = world.run("disable dave --yes").ok();
    let _ = world.run("enable dave").ok();
    let undone = world.run("undo dave --yes --json").ok().json();
    assert_eq!((&undone["undone"], labels(&undone)), (&json!("delete"), vec!["phone", "tablet"]));
}

#[test]
fn w3_a_refusal_says_which_change_and_which_code() {
    let world = World::new();
    let phone = world.active("dave");
    world.wait(60);
    let _ = world.run("force-new-password dave --yes --keep-mfa --json").ok();
    world.wait(60);
    let _ = world.verify("dave", &world.code(&phone, 0)).ok();
    let said = nothing_to_undo(&world.run("undo dave --yes --json"));
    let expected = "a code of dave was accepted at 2026-01-01T00:02:00Z, after the force-new-password of 2026-01-01T00:01:00Z";
    assert_eq!(said, expected);
    let ran = world.run("undo dave --yes");
    assert!(ran.err.contains("mfactl undo --even-after-code -- dave"), "{ran:?}");
    world.wait(24 * 3600);
    let said = nothing_to_undo(&world.run("undo dave --yes --json"));
    assert!(said.ends_with("is more than 24 hours old"), "{said}");
}

#[test]
fn w3_the_list_says_what_each_change_would_restore() {
    let world = World::new();
    let _ = world.active("dave");
    assert_eq!(listed(&world, "dave")["acts"], json!([]));
    let empty = world.run("undo dave --list").ok();
    assert!(empty.err.contains("nothing can be taken back for dave"), "{empty:?}");
    let _ = world.run("recovery-codes dave --json --reveal-secrets").ok();
    let _ = world.run("reset dave --yes --json").ok();
    let _ = world.run("disable dave --yes").ok();
    let before = world.sql("SELECT count(*) FROM events");
    let list = listed(&world, "dave");
    assert_eq!((&list["schema"], &list["user"]), (&json!("mfactl.undo-list/1"), &json!("dave")));
    let [disable, reset] = list["acts"].as_array().unwrap().as_slice() else { panic!("{list}") };
    assert_eq!((&disable["act"], &disable["restores"]), (&json!("disable"), &json!(["phone"])));
    assert_eq!((&reset["restores"], &reset["cuts_off"]), (&json!(["phone"]), &json!(["phone"])));
    assert_eq!(
        (&reset["recovery_codes"], &reset["until"]),
        (&json!(10), &json!("2026-01-02T00:00:00Z"))
    );
    assert_eq!(list["summary"], json!({ "count": 2, "open": 2 }));
    let table = world.run("undo dave --list").ok().out;
    assert!(table.contains("phone, 10 recovery codes; cuts off phone"), "{table}");
    assert_eq!(world.sql("SELECT count(*) FROM events"), before, "a list is no event");
    assert_eq!(world.run("undo dave --list --yes").code, 64);
    assert_eq!(world.run("undo nobody --list").code, 67);
}

#[test]
fn w3_a_helpdesk_operator_sees_the_list_of_a_protected_user() {
    let world = World::new();
    let _ = world.active("dave");
    let _ = world.run("disable dave --yes").ok();
    let _ = world.run("edit-user dave --protected").ok();
    for more in ["", "second_operator = [\"undo\"]\n"] {
        world.configure(&format!("{ROLES}{more}"));
        world.uid.set(HELPDESK);
        assert_eq!(listed(&world, "dave")["summary"]["count"], 1, "{more}");
    }
}

#[test]
fn w4_a_wrong_callers_phone_is_cut_off_and_the_right_one_works() {
    for reset in ["reset alicia --yes", "reset alicia --yes --keep-until-confirmed"] {
        let world = World::new();
        let phones = wrong_caller(&world, reset);
        let _ = nothing_to_undo(&world.run("undo alicia --yes --json"));
        let undone = world.run("undo alicia --even-after-code --yes --json").ok().json();
        assert_eq!(undone["undone"], "reset");
        assert_eq!(
            (&undone["even_after_code"], &undone["cut_off"]),
            (&json!(true), &json!(["phone"]))
        );
        assert_eq!((&undone["status"], labels(&undone)), (&json!("enabled"), vec!["phone"]));
        let detail = &logged(&world)["detail"];
        assert_eq!(detail["even_after_code"], "2026-01-01T00:02:00Z", "{detail}");
        assert_eq!((&detail["undone"], &detail["cut_off"]), (&json!("reset"), &json!("phone")));
        assert_right_phone(&world, &phones);
    }
}

#[test]
fn w4_whatever_the_way_in_what_was_set_up_since_is_cut_off() {
    for (first, then) in [
        ("reset alicia --yes --no-enrol", "enrol alicia --no-confirm"),
        ("delete alicia --yes", "enrol alicia --no-confirm --device new"),
        ("force-new-password alicia --yes", "enrol alicia --no-confirm"),
    ] {
        let world = World::new();
        let right = world.active("alicia");
        let _ = world.run(first).ok();
        let wrong = secret(&world.run(&format!("{then} --json --reveal-secrets")).ok());
        world.wait(60);
        let _ = world.verify("alicia", &world.code(&wrong, 0)).ok();
        let bypass = world.run("bypass alicia --for 1h --json --reveal-secrets").ok().json();
        let codes = world.run("recovery-codes alicia --json --reveal-secrets").ok().json();
        let told = world.run("undo alicia --even-after-code --yes").ok().out;
        assert!(
            told.contains("recovery and bypass codes that were made since then are void"),
            "{told}"
        );
        world.wait(60);
        for code in [&bypass["code"], &codes["codes"][0]] {
            assert_eq!(world.verify("alicia", code.as_str().unwrap()).code, 1, "{first}");
        }
        world.wait(60);
        assert_right_phone(&world, &[right, wrong]);
    }
}

#[test]
fn w4_a_used_recovery_code_stays_used() {
    let world = World::new();
    let _ = (world.active("alicia"), world.pending("alicia", "--device tablet"));
    let made = world.run("recovery-codes alicia --json --reveal-secrets").ok().json();
    let code = made["codes"][0].as_str().unwrap();
    world.wait(60);
    let _ = world.run("delete alicia --device tablet --yes").ok();
    let _ = world.verify("alicia", code).ok();
    let _ = world.run("undo alicia --even-after-code --yes").ok();
    assert_eq!(world.verify("alicia", code).json()["outcome"], "rejected");
    let other = made["codes"][1].as_str().unwrap();
    assert_eq!(world.verify("alicia", other).json()["outcome"], "accepted");
}

#[test]
fn w4_it_needs_an_admin_or_a_second_operator() {
    let world = World::new();
    let phones = wrong_caller(&world, "reset alicia --yes");
    world.configure(ROLES);
    world.uid.set(HELPDESK);
    let line = "undo alicia --even-after-code --yes";
    let asked = world.run(&format!("{line} --json")).ok().json();
    assert_eq!((&asked["schema"], &asked["changed"]), (&json!("mfactl.request/1"), &json!(false)));
    let told = world.run(line).ok().out;
    assert!(told.contains("--even-after-code needs an admin or two operators"), "{told}");
    let id = asked["request"].as_str().unwrap();
    let alone = world.run(&format!("approve {id} --yes --json"));
    assert_eq!((alone.code, alone.error().as_str()), (77, "not_permitted"));
    world.uid.set(OTHER_HELPDESK);
    let undone = world.run(&format!("approve {id} --yes --json")).ok().json();
    assert_eq!((&undone["undone"], &undone["cut_off"]), (&json!("reset"), &json!(["phone"])));
    world.uid.set(ADMIN);
    assert_approved(&world);
    world.configure("");
    assert_right_phone(&world, &phones);
}

/// The second operator is in the log.
#[track_caller]
fn assert_approved(world: &World) {
    let verbs = world.sql(
        "SELECT verb || ' ' || outcome FROM events WHERE verb IN ('undo', 'approve') ORDER BY seq",
    );
    assert_eq!(verbs, "undo requested\napprove approved\nundo done");
}

#[test]
fn w4_an_admin_needs_nobody_else_and_is_asked_about_the_phone() {
    let mut world = World::new();
    let phones = wrong_caller(&world, "reset alicia --yes");
    world.configure(ROLES);
    world.uid.set(ADMIN);
    world.answers = Some(vec!["y"]);
    let ran = world.run("undo alicia --even-after-code").ok();
    assert_eq!(
        ran.prompts,
        [
            "A code of alicia was accepted since, at 2026-01-01T00:02:00Z. Take back the reset of alicia at \
          2026-01-01T00:01:00Z? There will be 1 device; phone will be restored; the device phone \
          that was set up since then will be cut off."
        ]
    );
    world.configure("");
    world.answers = None;
    assert_right_phone(&world, &phones);
}

#[test]
fn w3_the_oldest_change_makes_room_and_all_that_are_listed_can_be_taken_back() {
    let world = World::new();
    let _ = world.active("dave");
    for _ in 0..20 {
        world.wait(60);
        let _ = world.run("reset dave --yes --json").ok();
    }
    let list = listed(&world, "dave");
    assert_eq!(list["summary"]["count"], 16, "{list}");
    assert_eq!(list["acts"][15]["at"], "2026-01-01T00:05:00Z", "the first four made room");
    let revoked = world.run("show-user dave --json").ok().json()["revoked"].clone();
    assert_eq!(revoked.as_array().unwrap().len(), 16);
    for left in (0..16).rev() {
        let undone = world.run("undo dave --yes --json").ok().json();
        assert_eq!(undone["next"].is_null(), left == 0);
    }
    let ran = world.run("undo dave --yes --json");
    let said = nothing_to_undo(&ran);
    assert!(said.ends_with("force-new-password is left to take back"), "{said}");
    let kept = "at most 16 changes of a user are kept, each for 24 hours";
    assert!(ran.err.contains(kept), "four resets of today were not kept: {ran:?}");
    assert!(world.run("undo dave --list").ok().err.contains(kept));
    assert_eq!(listed(&world, "dave")["acts"], json!([]));
}

#[test]
fn w3_what_is_too_old_goes_with_all_that_lies_below_it() {
    let world = World::new();
    let _ = (world.active("dave"), world.pending("dave", "--device tablet"));
    let _ = world.run("delete dave --device tablet --yes").ok();
    world.wait(3600);
    let _ = world.run("disable dave --yes").ok();
    world.wait(23 * 3600 + 60);
    let list = listed(&world, "dave");
    assert_eq!(list["summary"]["count"], 1, "the deletion is too old: {list}");
    let undone = world.run("undo dave --yes --json").ok().json();
    assert_eq!((&undone["undone"], &undone["next"]), (&json!("disable"), &Value::Null));
    let _ = nothing_to_undo(&world.run("undo dave --yes --json"));
    // A clock that was set back makes nothing young again.
    world.wait(-20 * 3600);
    let _ = nothing_to_undo(&world.run("undo dave --yes --json"));
}

#[test]
fn w4_a_password_that_was_chosen_since_stays_and_that_is_told() {
    let world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let _ = world.active("alicia");
    let _ = world.run_with("set-password alicia", "correct horse battery staple").ok();
    let _ = world.run("force-new-password alicia --yes --json --reveal-secrets").ok();
    let again = world.run("force-new-password alicia --yes --json --reveal-secrets").ok().json();
    let _ = world.run("undo alicia --yes").ok();
    let line = json!({ "password": again["temporary_password"] }).to_string();
    assert_eq!(
        world.run_with("sign-in alicia", &line).json()["outcome"],
        "rejected",
        "the second one"
    );
    let _ = world.run_with("set-password alicia", "staple battery horse correct").ok();
    let told = world.run("undo alicia --yes").ok().out;
    assert!(told.contains("the password that was chosen since then stays"), "{told}");
}
