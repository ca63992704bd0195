//! Times that end something are in JSON where the thing is.

use serde_json::{Value, json};

use crate::testing::World;

const EXPIRY: &str = "2026-01-04T00:00:00Z";

/// Every device object of a document that has a state.
fn devices(document: &Value) -> Vec<&Value> {
    match document {
        Value::Array(items) => items.iter().flat_map(devices).collect(),
        Value::Object(fields) if fields.contains_key("device") && fields.contains_key("state") => {
            vec![document]
        }
        Value::Object(fields) => fields.values().flat_map(devices).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn w13_a_pending_device_has_its_end_in_all_json_that_lists_it() {
    for line in [
        "list-status",
        "find alice",
        "show-user alice",
        "unlock alice",
        "enable alice",
        "require-mfa alice",
        "edit-user alice --email a@example.com",
        "show-qr alice",
        "enrol alice --no-confirm",
        "reset alice --yes",
        "delete alice --device tablet --yes",
    ] {
        let world = World::new();
        let _ = world.active("alice");
        let _ = world.run("enrol alice --device other --no-confirm --json").ok();
        let _ = world.run("disable alice --device other --yes").ok();
        let _ = world.pending("alice", "--device tablet");
        let line =
            if line.starts_with("enrol") { "enrol alice --device more --no-confirm" } else { line };
        let document = world.run(&format!("{line} --json")).ok().json();
        let devices = devices(&document);
        assert!(!devices.is_empty(), "{line}: {document}");
        for device in devices {
            let expected = if device["state"] == "pending" { json!(EXPIRY) } else { Value::Null };
            assert_eq!(device["expires_at"], expected, "{line}: {device}");
        }
    }
}

#[test]
fn w13_users_see_the_end_of_their_own_pending_device() {
    let world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let phone = world.active("alice");
    let _ = world.run_with("set-password alice", "correct horse battery staple").ok();
    let _ = world.pending("alice", "--device tablet");
    world.wait(60);
    let line = json!({ "password": "correct horse battery staple", "code": world.code(&phone, 0) });
    let ran = world.run_with("me --name alice --json", &line.to_string());
    let document = ran.ok().json();
    let ends: Vec<_> = devices(&document).into_iter().map(|d| d["expires_at"].clone()).collect();
    assert_eq!(ends, [Value::Null, json!(EXPIRY)], "{document}");
}

#[test]
fn w13_for_an_earlier_time_the_end_is_unknown_and_left_out() {
    let world = World::new();
    let _ = world.pending("alice", "");
    world.wait(60);
    let _ = world.run("delete alice --yes").ok();
    let past = world.run("list-status --at 2026-01-01T00:00:30Z --json").ok().json();
    let device = &past["users"][0]["devices"][0];
    assert_eq!((&device["state"], device.get("expires_at")), (&json!("pending"), None), "{past}");
}
