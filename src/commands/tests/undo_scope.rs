//! What undo makes void, and that an approved undo is for one change.

use serde_json::json;

use super::undoing::{
    ADMIN, HELPDESK, OTHER_HELPDESK, ROLES, assert_right_phone, labels, listed, nothing_to_undo,
    wrong_caller,
};
use crate::testing::{World, secret};

#[test]
fn w4_a_plain_undo_cuts_off_every_device_that_was_set_up_since() {
    for first in [
        "reset alicia --yes",
        "reset alicia --yes --keep-until-confirmed",
        "reset alicia --yes --no-enrol",
        "delete alicia --yes",
        "force-new-password alicia --yes",
    ] {
        let mut world = World::new();
        let right = world.active("alicia");
        world.wait(60);
        let _ = world.run(&format!("{first} --json")).ok();
        let wrong = world.pending("alicia", "--device tablet");
        let list = listed(&world, "alicia");
        let cuts_off = list["acts"][0]["cuts_off"].clone();
        assert!(cuts_off.as_array().unwrap().contains(&json!("tablet")), "{first}: {list}");
        world.answers = Some(vec!["n"]);
        let question = world.run("undo alicia").prompts.join("");
        assert!(
            question.contains("phone will be restored") || first.contains("keep"),
            "{question}"
        );
        assert!(question.contains("tablet") && question.contains("cut off"), "{question}");
        world.answers = None;
        let undone = world.run("undo alicia --yes --json").ok().json();
        assert_eq!(undone["cut_off"], cuts_off, "{first}");
        assert_eq!(labels(&undone), ["phone"], "{first}");
        world.wait(60);
        assert_right_phone(&world, &[right, wrong]);
    }
}

#[test]
fn w4_a_device_that_was_set_up_before_the_new_one_was_proved_is_cut_off() {
    let world = World::new();
    let right = world.active("alicia");
    world.wait(60);
    let reset = "reset alicia --yes --keep-until-confirmed --json --reveal-secrets";
    let wrong = secret(&world.run(reset).ok());
    let second = world.pending("alicia", "--device tablet");
    world.wait(60);
    let _ = world.verify("alicia", &world.code(&wrong, 0)).ok();
    let undone = world.run("undo alicia --even-after-code --yes --json").ok().json();
    assert_eq!(undone["cut_off"], json!(["phone", "tablet"]));
    world.wait(60);
    assert_right_phone(&world, &[right, second]);
}

#[test]
fn w4_codes_that_were_made_since_are_void_although_a_device_remained() {
    let world = World::new();
    let _ = (world.active("alicia"), world.pending("alicia", "--device tablet"));
    world.wait(60);
    let _ = world.run("delete alicia --device tablet --yes").ok();
    let bypass = world.run("bypass alicia --for 1h --json --reveal-secrets").ok().json();
    let codes = world.run("recovery-codes alicia --json --reveal-secrets").ok().json();
    let told = world.run("undo alicia --yes").ok().out;
    assert!(told.contains("recovery and bypass codes that were made since"), "{told}");
    for code in [&bypass["code"], &codes["codes"][0]] {
        assert_eq!(world.verify("alicia", code.as_str().unwrap()).code, 1);
        world.wait(60);
    }
}

/// A helpdesk operator requests that the reset of a wrong caller be taken back.
fn requested(world: &World) -> String {
    world.configure(ROLES);
    world.uid.set(HELPDESK);
    let asked = world.run("undo alicia --even-after-code --json").ok().json();
    world.uid.set(OTHER_HELPDESK);
    asked["request"].as_str().unwrap().to_owned()
}

#[test]
fn w4_an_approved_undo_takes_back_no_other_change_than_the_requested_one() {
    for then in ["delete alicia --yes", "undo alicia --even-after-code --yes"] {
        let world = World::new();
        let _ = world.active("alicia");
        let _ = world.run("disable alicia --yes").ok();
        let _ = world.run("enable alicia").ok();
        world.wait(60);
        let _ = world.run("force-new-password alicia --keep-mfa --yes").ok();
        world.wait(60);
        let wrong = secret(&world.run("reset alicia --yes --json --reveal-secrets").ok());
        world.wait(60);
        let _ = world.verify("alicia", &world.code(&wrong, 0)).ok();
        world.wait(60);
        let id = requested(&world);
        world.uid.set(ADMIN);
        let _ = world.run(then).ok();
        let before = world.sql("SELECT count(*) FROM events");
        world.uid.set(OTHER_HELPDESK);
        let said = nothing_to_undo(&world.run(&format!("approve {id} --yes --json")));
        assert!(said.contains("not reset@2026-01-01T00:02:00Z"), "{said}");
        assert_eq!(world.sql("SELECT count(*) FROM events"), before, "{then}");
        world.wait(60);
        world.configure("");
        let wrongs = world.verify("alicia", &world.code(&wrong, 0));
        assert_ne!(wrongs.code, 0, "{then}: {wrongs:?}");
    }
}

#[test]
fn w4_the_second_operator_is_asked_about_the_change_and_its_devices() {
    let mut world = World::new();
    let phones = wrong_caller(&world, "reset alicia --yes");
    let id = requested(&world);
    world.answers = Some(vec!["y", "n"]);
    let refused = world.run(&format!("approve {id}"));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.prompts[0].contains("--of=reset@2026-01-01T00:01:00Z"), "{refused:?}");
    assert!(refused.prompts[1].contains("Take back the reset of alicia"), "{refused:?}");
    assert!(refused.prompts[1].contains("phone will be restored; the device phone"), "{refused:?}");
    world.answers = Some(vec!["y", "y"]);
    let _ = world.run(&format!("approve {id}")).ok();
    world.answers = None;
    world.configure("");
    assert_right_phone(&world, &phones);
}

#[test]
fn w4_nothing_to_undo_makes_no_request_and_one_without_a_change_is_refused() {
    let world = World::new();
    let _ = world.active("alicia");
    world.configure(ROLES);
    world.uid.set(HELPDESK);
    let _ = nothing_to_undo(&world.run("undo alicia --even-after-code --json"));
    assert_eq!(world.run("approve --json").ok().json()["summary"]["requests"], 0);
    world.configure("");
    let _ = world.run("disable alicia --yes").ok();
    let said =
        nothing_to_undo(&world.run("undo alicia --of delete@2026-01-01T00:00:00Z --yes --json"));
    assert!(said.contains("is disable@2026-01-01T00:00:00Z, not delete@"), "{said}");
    let _ = world.run("undo alicia --of disable@2026-01-01T00:00:00Z --yes").ok();
}

#[test]
fn w4_the_answer_says_that_an_older_closed_change_can_be_taken_back_too() {
    let world = World::new();
    let _ = world.active("alicia");
    let _ = world.run("force-new-password alicia --keep-mfa --yes").ok();
    world.wait(60);
    let wrong = secret(&world.run("reset alicia --yes --json --reveal-secrets").ok());
    world.wait(60);
    let _ = world.verify("alicia", &world.code(&wrong, 0)).ok();
    let told = world.run("undo alicia --even-after-code --yes").ok().out;
    assert!(told.contains("the force-new-password before it can be taken back too"), "{told}");
}
