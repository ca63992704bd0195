//! No two devices of a user share a label, so that `--device` means one.

use serde_json::{Value, json};

use crate::testing::{World, secret};

const KEEP: &str = "--keep-until-confirmed --yes --json --reveal-secrets";

/// The devices of alice, such as `phone:active`.
fn devices(world: &World) -> Vec<String> {
    let text = |device: &Value, field: &str| device[field].as_str().unwrap_or_default().to_owned();
    let listed = world.listed("alice")["devices"].clone();
    let devices = listed.as_array().unwrap().iter();
    devices.map(|d| format!("{}:{}", text(d, "device"), text(d, "state"))).collect()
}

#[test]
fn a_replacement_has_a_label_of_its_own_until_it_takes_over_that_of_the_old_device() {
    let world = World::new();
    let old = world.active("alice");
    world.wait(60);
    let dry = world.run("reset alice --keep-until-confirmed --yes --dry-run").ok().out;
    assert!(dry.contains("phone-2 has to be confirmed by"), "{dry}");
    assert!(dry.contains(", and is then called phone"), "{dry}");
    let reset = world.run(&format!("reset alice {KEEP}")).ok();
    assert_eq!(reset.json()["device"], "phone-2");
    assert!(reset.json()["consequences"].to_string().contains("and is then called phone"));
    assert_eq!(devices(&world), ["phone:active", "phone-2:pending"]);
    let _ = world.run("disable alice --device phone --yes").ok();
    assert_eq!(devices(&world), ["phone:disabled", "phone-2:pending"]);
    let _ = world.run("enable alice --device phone").ok();
    let log = world.run("log --user alice --last 1 --json").ok().json();
    assert_eq!(log["events"][0]["detail"]["devices"], json!(["phone"]));
    assert_eq!(world.verify("alice", &world.code(&old, 0)).json()["device"], "phone");
    let confirmed = world.verify("alice", &world.code(&secret(&reset), 0)).ok().json();
    assert_eq!(
        (&confirmed["outcome"], &confirmed["device"]),
        (&"confirmed".into(), &"phone".into())
    );
    assert_eq!(devices(&world), ["phone:active"]);
    let undone = world.run("undo alice --even-after-code --yes --json").ok().json();
    assert_eq!((&undone["restored"], &undone["cut_off"]), (&json!(["phone"]), &json!(["phone"])));
    assert_eq!(undone["relabelled"], json!([]));
    assert_eq!(devices(&world), ["phone:active"]);
}

#[test]
fn a_replacement_of_one_of_several_devices_gets_the_next_number() {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.pending("alice", "--device phone-2");
    let reset = world.run(&format!("reset alice --device PHONE {KEEP}")).ok();
    assert_eq!(devices(&world), ["phone:active", "phone-2:pending", "phone-3:pending"]);
    let _ = world.run("delete alice --device phone-2 --yes").ok();
    world.wait(60);
    let _ = world.verify("alice", &world.code(&secret(&reset), 0)).ok();
    assert_eq!(devices(&world), ["phone:active"]);
}

#[test]
fn a_replacement_keeps_its_own_label_where_the_old_one_is_free_for_nobody() {
    let world = World::new();
    let _ = world.active("alice");
    let reset = world.run(&format!("reset alice {KEEP}")).ok();
    let _ = world.run("edit-user alice --relabel phone=old").ok();
    let other = world.pending("alice", "--device phone");
    world.wait(60);
    assert_eq!(world.verify("alice", &world.code(&secret(&reset), 0)).json()["device"], "phone-2");
    assert_eq!(devices(&world), ["phone-2:active", "phone:pending"]);
    let _ = world.run("undo alice --even-after-code --yes").ok();
    assert_eq!(devices(&world), ["old:active"]);
    assert_eq!(world.verify("alice", &world.code(&other, 0)).code, 1);
}

#[test]
fn the_list_of_changes_names_no_label_twice() {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.run(&format!("reset alice {KEEP}")).ok();
    let _ = world.run("delete alice --yes").ok();
    let acts = world.run("undo alice --list --json").ok().json()["acts"].clone();
    assert_eq!(acts[0]["restores"], json!(["phone", "phone-2"]));
    let _ = world.run("undo alice --yes").ok();
    assert_eq!(devices(&world), ["phone:active", "phone-2:pending"]);
}

#[test]
fn labels_that_differ_in_case_alone_are_one() {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.pending("alice", "--device tablet");
    for (line, says) in [
        ("edit-user alice --relabel tablet=Phone", "already has a device \"phone\""),
        ("enrol alice --device PHONE --no-confirm", "already has a device"),
    ] {
        let ran = world.run(&format!("{line} --json"));
        assert_eq!((ran.code, ran.error().as_str()), (76, "already_enrolled"), "{ran:?}");
        assert!(ran.err.contains(&says.replace('"', "\\\"")), "{ran:?}");
    }
    let again = world.run("enrol alice --device Tablet --no-confirm").ok();
    assert!(again.err.contains("already pending"), "{again:?}");
    assert_eq!(devices(&world), ["phone:active", "Tablet:pending"]);
    let _ = world.run("edit-user alice --relabel tablet=TABLET").ok();
    assert_eq!(devices(&world), ["phone:active", "TABLET:pending"]);
    let _ = world.run("disable alice --device PHONE --yes").ok();
    assert_eq!(devices(&world), ["phone:disabled", "TABLET:pending"]);
    let _ = world.run("delete alice --device phone --yes").ok();
    let _ = world.run("edit-user alice --relabel tablet=Phone").ok();
    let undone = world.run("undo alice --yes --json").ok().json();
    assert_eq!(undone["relabelled"], json!([{ "was": "phone", "is": "phone-2" }]));
    assert_eq!(world.run("delete alice --device telephone --yes").code, 67);
}

#[test]
fn w16_labels_that_look_the_same_are_one_and_may_have_joiners() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let _ = world.run("enrol alice --no-confirm --device ﬁ --json").ok();
    for same in ["FI", "fi", "ｆｉ", "ﬁ"] {
        let _ = world.run(&format!("enrol alice --no-confirm --device {same} --json")).ok();
        assert_eq!(devices(&world).len(), 1, "{same}");
    }
    let persian = "گوشی\u{200c}من";
    let _ = world.run(&format!("enrol alice --no-confirm --device {persian} --json")).ok();
    assert_eq!(devices(&world).len(), 2);
    assert!(world.run("show-user alice").ok().out.contains(persian));
    let _ = world.run("enrol alice --no-confirm --device گوشیمن --json").ok();
    assert_eq!(devices(&world).len(), 2, "the joiner can't be seen");
    assert_eq!(world.run("enrol alice --no-confirm --device a\u{200c}b --json").code, 65);
}
