//! Requests to a second operator against somebody who writes the database and has no key.

use crate::testing::{CommandResult, Engine, World};

const HELPDESK: u32 = 1;
const ADMIN: u32 = 3;
const CONFIGURATION: &str = "[roles]
helpdesk = [\"daemon\"]
admin = [\"sys\", \"games\"]
second_operator = [\"disable\", \"unlock\"]
";

/// A world with alice, who is protected, and a request to disable her.
fn requested() -> (World, String) {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.run("edit-user alice --protected").ok();
    world.configure(CONFIGURATION);
    let id = request(&world, "disable alice");
    (world, id)
}

pub fn by(world: &World, uid: u32, line: &str) -> CommandResult {
    world.uid.set(uid);
    world.run(line)
}

pub fn request(world: &World, line: &str) -> String {
    let ran = by(world, HELPDESK, &format!("{line} --json")).ok().json();
    ran["request"].as_str().unwrap().to_owned()
}

fn approve(world: &World, id: &str) -> (u8, String) {
    let ran = by(world, ADMIN, &format!("approve {id} --yes --json"));
    (ran.code, ran.error())
}

fn not_found() -> (u8, String) {
    (67, "request_not_found".to_owned())
}

/// A statement that puts all rows of requests back as they are now.
fn kept_rows(world: &World) -> String {
    if matches!(world.engine, Engine::Postgres { .. }) {
        let row = world.sql("SELECT quote_literal(r::text) FROM requests r");
        return format!("DELETE FROM requests; INSERT INTO requests SELECT ({row}::requests).*");
    }
    let columns = world.sql("SELECT name FROM pragma_table_info('requests')");
    let quoted: Vec<_> = columns.lines().map(|name| format!("quote({name})")).collect();
    let row = world.sql(&format!("SELECT {} FROM requests", quoted.join(" || ',' || ")));
    format!("DELETE FROM requests; INSERT INTO requests VALUES ({row})")
}

#[test]
fn s6_a_request_is_good_once_whatever_rows_are_put_back() {
    let (world, id) = requested();
    let rows = kept_rows(&world);
    assert_eq!(approve(&world, &id).0, 0);
    let _ = by(&world, ADMIN, "enable alice").ok();
    for _ in 0..2 {
        world.sql(&rows);
        assert_eq!(by(&world, ADMIN, "approve --json").ok().json()["summary"]["requests"], 0);
        assert_eq!(approve(&world, &id), not_found());
        assert_eq!(by(&world, 0, &format!("approve {id} --alone --yes --json")).code, 67);
        assert_eq!(world.listed("alice")["status"], "enabled");
        // The same again is a new request, and not the one that was put back.
        world.sql(&rows);
        let again = request(&world, "disable alice");
        assert_ne!(again, id);
        assert_eq!(approve(&world, &again).0, 0);
        let _ = by(&world, ADMIN, "enable alice").ok();
    }
    assert_eq!(by(&world, ADMIN, "verify-log").code, 0);
}

#[test]
fn s6_the_event_that_carried_it_out_cannot_be_hidden() {
    let blank = "UPDATE events SET \"user\" = NULL, device = NULL, reason = NULL, detail = NULL, was = NULL, \
                 salt = NULL WHERE verb = 'approve'";
    for (edit, expected) in [
        (blank, "request_not_found"),
        (
            "UPDATE events SET detail = replace(detail, 'request', 'requesT') WHERE verb = 'approve'",
            "tampered",
        ),
        ("UPDATE events SET verb = 'unlock' WHERE verb = 'approve'", "tampered"),
        ("UPDATE events SET user_id = NULL WHERE verb = 'approve'", "tampered"),
        ("DELETE FROM events WHERE verb = 'approve'", "tampered"),
        (
            "UPDATE events SET seq = seq + 100 WHERE seq >= (SELECT seq FROM events WHERE verb = 'approve')",
            "tampered",
        ),
        ("DELETE FROM events WHERE outcome = 'requested'", "request_not_found"),
        ("UPDATE events SET at = at + 1 WHERE outcome = 'requested'", "tampered"),
    ] {
        let (world, id) = requested();
        let rows = kept_rows(&world);
        assert_eq!(approve(&world, &id).0, 0);
        // Without a second one, the end of the log would show what is missing from it.
        let _ = by(&world, ADMIN, "add-user bob").ok();
        world.sql(edit);
        world.sql(&rows);
        assert_eq!(approve(&world, &id).1, expected, "{edit}");
        assert_eq!(world.listed("alice")["status"], "disabled");
    }
}

#[test]
fn s6_a_request_is_good_for_a_day_of_the_log_and_not_of_the_clock() {
    const DAY: i64 = 24 * 3600;
    let (world, id) = requested();
    let rows = kept_rows(&world);
    world.wait(DAY);
    // What the log has by then, it need not be about alice.
    let _ = by(&world, ADMIN, "add-user bob").ok();
    for back in [1, DAY, 30 * DAY] {
        world.wait(-back);
        world.sql(&rows);
        assert_eq!(approve(&world, &id), not_found(), "set back by {back}");
        assert_eq!(by(&world, ADMIN, "approve --json").ok().json()["summary"]["requests"], 0);
        world.wait(back);
    }
    // Times from before the request do not count: a clock that was ahead then ends no later request.
    world.wait(-DAY);
    let id = request(&world, "disable alice");
    assert_eq!(approve(&world, &id).0, 0);
}

#[test]
fn w12_a_request_of_a_clock_that_was_ahead_is_not_open() {
    let (world, id) = requested();
    world.wait(-10 * 24 * 3600);
    assert_eq!(approve(&world, &id), not_found());
    assert_eq!(by(&world, ADMIN, "approve --json").ok().json()["summary"]["requests"], 0);
    world.wait(10 * 24 * 3600);
    assert_eq!(approve(&world, &id).0, 0);
}

#[test]
fn s6_the_log_names_the_whole_id_of_a_request() {
    let (world, id) = requested();
    let full = by(&world, ADMIN, "approve --json").ok().json()["requests"][0]["id"].clone();
    let full = full.as_str().unwrap();
    assert!(full.len() == 32 && full.starts_with(&id));
    assert_eq!(approve(&world, full).0, 0);
    let details = world.sql("SELECT detail FROM events WHERE outcome IN ('requested', 'approved')");
    assert_eq!(details.matches(full).count(), 2, "{details}");
}

#[test]
fn s6_a_request_outlives_a_pruned_log_and_another_users_request() {
    let (world, first) = requested();
    let _ = by(&world, ADMIN, "add-user bob --protected").ok();
    world.wait(60);
    let second = request(&world, "unlock bob");
    assert_eq!(approve(&world, &second).0, 0);
    assert_eq!(approve(&world, &first).0, 0);
    let third = request(&world, "unlock bob");
    world.wait(60);
    let _ = by(&world, ADMIN, "add-user carol").ok();
    world.wait(60);
    let _ = by(&world, ADMIN, "log --prune --before now --yes").ok();
    assert_eq!(approve(&world, &third), not_found(), "its event is gone, and with it the proof");
    let fourth = request(&world, "unlock bob");
    assert_eq!(approve(&world, &fourth).0, 0);
}

#[test]
fn w5_a_request_is_never_for_the_user_of_the_shorter_name() {
    let (world, id) = requested();
    let site = format!("{CONFIGURATION}[names]\nstrip_realm = [\"corp.example\"]\n");
    assert_eq!(approve(&world, &id).0, 0);
    let _ = by(&world, ADMIN, "enable alice").ok();
    let _ = by(&world, ADMIN, "edit-user alice --no-protected").ok();
    let _ = world.active("alice@corp.example");
    let _ = world.run("edit-user alice@corp.example --protected").ok();
    world.configure(&site);
    let id = request(&world, "disable alice@corp.example");
    world.configure(CONFIGURATION);
    let _ = by(&world, ADMIN, "edit-user alice@corp.example --rename carol").ok();
    world.configure(&site);
    let (code, error) = approve(&world, &id);
    assert!(matches!(code, 67 | 77), "{code} {error}");
    assert_eq!(world.listed("alice")["status"], "enabled", "{}", world.listed("alice"));
}
