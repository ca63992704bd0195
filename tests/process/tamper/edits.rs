//! Values that are changed, and rows that are restored or deleted.

use super::{House, assert_listed, tools};
use crate::support::is_root;
use crate::support::{CONFIG, World};

/// The user whose code is tried, and the edit.
const EDITS: &[(&str, &str)] = &[
    ("carol", "UPDATE devices SET state = 'active' WHERE state = 'disabled'"),
    ("dave", "UPDATE users SET lock_start = NULL, lock_length = NULL"),
    ("dave", "UPDATE users SET lock_length = 0 WHERE lock_length > 0"),
    ("dave", "UPDATE users SET lock_start = lock_start - 3600 WHERE lock_start > 0"),
    ("dave", "UPDATE users SET failures = 0, wrong_codes = 0, lock_start = NULL, lock_length = NULL"),
    ("dave", "UPDATE users SET hour_codes = 0"),
    ("dave", "UPDATE users SET failures = -1"),
    ("eve", "UPDATE devices SET last_step = NULL"),
    ("eve", "UPDATE devices SET last_step = last_step - 10"),
    ("eve", "UPDATE devices SET last_step = 0"),
    ("eve", "UPDATE devices SET last_step = -1"),
    ("alice", "UPDATE users SET required = 1 - required"),
    ("alice", "UPDATE users SET protected = 1 - protected"),
    ("alice", "UPDATE users SET required = 2"),
    (
        "alice",
        "UPDATE users SET remembered = '[{\"host\":\"192.0.2.1\",\"service\":\"sshd\",\"since\":1,\"until\":9999999999}]'",
    ),
    ("alice", "UPDATE users SET remembered = '[{}]'"),
    ("alice", "UPDATE users SET password_change = 'required'"),
    ("alice", "UPDATE users SET password_change = 'anything'"),
    ("alice", "UPDATE users SET rev = rev + 1"),
    ("alice", "UPDATE users SET wrong_codes = 100"),
    ("alice", "UPDATE users SET mac = x''"),
    ("alice", "UPDATE users SET mac = zeroblob(32)"),
    ("alice", "UPDATE users SET mac = (SELECT mac FROM users WHERE name = 'bob')"),
    ("alice", "UPDATE users SET id = randomblob(16) WHERE name = 'alice'"),
    ("alice", "UPDATE users SET id = x'' WHERE name = 'alice'"),
    ("alice", "UPDATE users SET created_at = created_at - 1"),
    ("alice", "UPDATE users SET created_at = -1"),
    ("alice", "UPDATE users SET created_at = 9223372036854775807"),
    ("alice", "UPDATE users SET email = 'mallory@example.org' WHERE name = 'alice'"),
    ("alice", "UPDATE users SET groups = 'admins'"),
    ("alice", "UPDATE devices SET confirmed_at = confirmed_at + 1"),
    ("alice", "UPDATE devices SET confirmed_at = NULL, expires_at = 1900000000, state = 'pending'"),
    ("alice", "UPDATE devices SET state = 'pending'"),
    ("alice", "UPDATE devices SET state = 'revoked', revoked_at = 1, was_disabled = 0"),
    ("alice", "UPDATE devices SET label = 'other'"),
    ("alice", "UPDATE devices SET kind = 'hotp'"),
    ("alice", "UPDATE devices SET algorithm = 'SHA256'"),
    ("alice", "UPDATE devices SET digits = 8"),
    ("alice", "UPDATE devices SET digits = 1"),
    ("alice", "UPDATE devices SET digits = 0"),
    ("alice", "UPDATE devices SET period = 300"),
    ("alice", "UPDATE devices SET period = 0"),
    ("alice", "UPDATE devices SET period = 9223372036854775807"),
    ("alice", "UPDATE devices SET algorithm = NULL"),
    ("alice", "UPDATE devices SET digits = NULL"),
    ("alice", "UPDATE devices SET period = NULL"),
    ("alice", "UPDATE devices SET mac = CAST(mac || x'00000001' AS BLOB)"),
    ("alice", "UPDATE audit_head SET mac = CAST(mac || x'00' AS BLOB)"),
    ("alice", "UPDATE devices SET secret = x''"),
    ("alice", "UPDATE devices SET secret = zeroblob(length(secret))"),
    ("alice", "UPDATE devices SET secret = substr(secret, 1, 40)"),
    ("alice", "UPDATE devices SET secret = zeroblob(1000000)"),
    ("alice", "UPDATE devices SET created_at = created_at + 1"),
    ("alice", "UPDATE devices SET last_used_at = NULL"),
    ("alice", "UPDATE devices SET mac = zeroblob(32)"),
    ("alice", "UPDATE devices SET replaces = zeroblob(16)"),
    ("alice", "UPDATE devices SET replaces = x'00'"),
    ("alice", "UPDATE devices SET id = randomblob(16) WHERE \"user\" = 1"),
    ("bob", "DELETE FROM devices WHERE label = 'tablet'"),
    ("bob", "DELETE FROM devices WHERE label = 'phone'"),
    ("alice", "DELETE FROM devices"),
    (
        "alice",
        "INSERT INTO devices SELECT 99, \"user\", randomblob(16), 'x', kind, algorithm, digits,
         period, secret, state, confirmed_at, expires_at, first_proof, replaces, revoked_at,
         was_disabled, last_step, created_at, last_used_at, mac, accepted, serial, drift, codes, note \
         FROM devices WHERE \"user\" = 1",
    ),
    ("alice", "UPDATE store SET id = randomblob(16)"),
    ("alice", "UPDATE audit_head SET seq = seq - 1"),
    ("alice", "UPDATE audit_head SET hash = zeroblob(32)"),
    ("alice", "UPDATE audit_head SET mac = zeroblob(32)"),
    ("alice", "UPDATE audit_head SET mac = (SELECT mac FROM events ORDER BY seq DESC LIMIT 1)"),
    ("alice", "DELETE FROM audit_head"),
    (
        "alice",
        "UPDATE audit_head SET seq = (SELECT seq FROM events WHERE seq = 3),
         hash = (SELECT hash FROM events WHERE seq = 3), mac = (SELECT mac FROM events WHERE seq = 3)",
    ),
];

/// Those edits that leave an impossible value: the store is then damaged.
const UNREADABLE: &[&str] = &[
    "UPDATE users SET failures = -1",
    "UPDATE devices SET last_step = -1",
    "UPDATE users SET required = 2",
    "UPDATE users SET password_change = 'anything'",
    "UPDATE users SET remembered = '[{}]'",
    "UPDATE users SET id = x'' WHERE name = 'alice'",
    "UPDATE users SET created_at = -1",
    "UPDATE users SET created_at = 9223372036854775807",
    "UPDATE devices SET state = 'pending'",
    "UPDATE devices SET kind = 'hotp'",
    "UPDATE devices SET digits = 1",
    "UPDATE devices SET digits = 0",
    "UPDATE devices SET period = 0",
    "UPDATE devices SET period = 9223372036854775807",
    "UPDATE devices SET algorithm = NULL",
    "UPDATE devices SET digits = NULL",
    "UPDATE devices SET period = NULL",
    "UPDATE devices SET replaces = zeroblob(16)",
    "UPDATE devices SET replaces = x'00'",
];

#[test]
fn every_edit_by_hand_is_tampering_or_damage() {
    if !tools() {
        return;
    }
    let house = House::new();
    let mut unseen = Vec::new();
    for (user, edit) in EDITS {
        let world = house.world.copy();
        world.alter(edit);
        let before = world.state();
        let ran = house.verify(&world, user);
        let expected = if UNREADABLE.contains(edit) { "damaged" } else { "tampered" };
        if ran.code != CONFIG || ran.error() != expected {
            unseen.push((edit, ran.code, ran.err));
            continue;
        }
        assert_eq!(world.state(), before, "{edit}");
        assert_listed(&world, edit, expected);
    }
    assert!(unseen.is_empty(), "{unseen:#?}");
}

#[test]
fn a_mac_of_another_key_generation_is_never_accepted() {
    if !tools() {
        return;
    }
    let house = House::new();
    let second = "mac = CAST(mac || x'00000002' AS BLOB)";
    for edit in [
        format!("UPDATE users SET {second} WHERE name = 'alice'"),
        format!("UPDATE devices SET {second}"),
        format!("UPDATE audit_head SET {second}"),
    ] {
        let world = house.world.copy();
        world.alter(&edit);
        let before = world.state();
        let ran = house.verify(&world, "alice").expect(CONFIG);
        assert_eq!(ran.error(), "key", "{edit}: {ran:?}");
        assert_eq!(world.state(), before, "{edit}");
    }
    // The hash chain covers the generation, so this edit is found without the key.
    let world = house.world.copy();
    world.alter(&format!("UPDATE events SET {second} WHERE seq = 3"));
    let ran = world.run("verify-log").expect(1);
    assert!(ran.out.contains("event 3 was altered"), "{ran:?}");
    std::fs::remove_file(world.key()).unwrap();
    let mut call = world.bare(["--store", &world.place(), "verify-log"]);
    if is_root("a store without a key") && std::path::Path::new("/etc/mfactl").exists() {
        // The key of this machine's own store must not be found.
        let hide = "mount -t tmpfs none /etc/mfactl; exec \"$@\"";
        call = call.under(["unshare", "-m", "sh", "-c", hide, "sh"]);
    }
    let unkeyed = call.run().expect(1);
    assert!(unkeyed.out.contains("event 3 was altered"), "{unkeyed:?}");
}

#[test]
fn other_verbs_detect_an_edit_too() {
    if !tools() {
        return;
    }
    let house = House::new();
    let edit = "UPDATE users SET rev = rev + 1";
    for line in [
        "enrol alice --device new --no-confirm --json",
        "reset alice --yes --json",
        "disable alice --yes",
        "enable carol",
        "delete alice --yes",
        "unlock dave",
        "force-new-password alice --yes",
        "show-qr bob --device tablet --json",
        "edit-user alice --display-name Alice",
        "remove-user alice --yes",
    ] {
        let world = house.world.copy();
        world.alter(edit);
        let before = world.state();
        let ran = world.run(&format!("{line} --no-input")).expect(CONFIG);
        assert!(ran.err.contains("altered"), "{line}: {ran:?}");
        assert_eq!(world.state(), before, "{line}");
    }
}

#[test]
fn restoring_an_old_device_row_alone_is_tampering() {
    if !tools() {
        return;
    }
    let house = House::new();
    let world = house.world.copy();
    world.alter("CREATE TABLE was AS SELECT * FROM devices;");
    let table = world.sql(".mode insert devices\nSELECT * FROM was");
    world.alter("DROP TABLE was;");
    // The code is accepted and used up; then the earlier row is restored.
    house.verify(&world, "alice").expect(0);
    world.alter(&format!("DELETE FROM devices;\n{table}"));
    let ran = house.verify(&world, "alice").expect(CONFIG);
    assert_eq!(ran.error(), "tampered");
}

#[test]
fn restoring_old_rows_of_user_and_device_is_detected_by_the_log() {
    if !tools() {
        return;
    }
    let house = House::new();
    let world = house.world.copy();
    let rows = |table: &str| world.sql(&format!(".mode insert {table}\nSELECT * FROM {table}"));
    let (users, devices) = (rows("users"), rows("devices"));
    house.verify(&world, "alice").expect(0);
    world.alter(&format!("DELETE FROM devices;\nDELETE FROM users;\n{users}\n{devices}"));
    let ran = house.verify(&world.copy(), "alice").expect(CONFIG);
    assert_eq!(ran.error(), "tampered");
    // Deleting the event of the accepted code does not help.
    world.alter("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events);");
    let ran = house.verify(&world, "alice").expect(CONFIG);
    assert_eq!(ran.error(), "tampered");
}

#[test]
fn deleting_the_last_events_is_detected() {
    if !tools() {
        return;
    }
    let house = House::new();
    let last = "(SELECT max(seq) FROM events)";
    let mut unseen = Vec::new();
    for edit in [
        format!("DELETE FROM events WHERE seq = {last}"),
        "DELETE FROM events".to_owned(),
        format!("UPDATE audit_head SET seq = seq - 1; DELETE FROM events WHERE seq = {last}"),
        format!("UPDATE events SET hash = zeroblob(32) WHERE seq = {last}"),
    ] {
        let world = house.world.copy();
        world.alter(&edit);
        let ran = house.verify(&world, "alice");
        if ran.code != CONFIG || ran.error() != "tampered" {
            unseen.push((edit, ran.code, ran.err));
        }
    }
    assert!(unseen.is_empty(), "{unseen:#?}");
}

#[test]
fn a_value_of_another_type_is_damage_and_no_bug() {
    if !tools() {
        return;
    }
    let house = House::new();
    for edit in [
        "UPDATE devices SET confirmed_at = x'00'",
        "UPDATE devices SET label = x'00'",
        "UPDATE devices SET secret = 'text'",
        "UPDATE users SET created_at = 'text'",
        "UPDATE users SET display_name = x'00'",
        "UPDATE users SET mac = 1",
    ] {
        let world = house.world.copy();
        // A strict table refuses such a value, but a flipped bit could leave it.
        let strict = |sql: &str| {
            world.alter(&format!(
                "PRAGMA writable_schema = 1; UPDATE sqlite_schema SET sql = {sql}
                 WHERE type = 'table' AND name IN ('users', 'devices');"
            ));
        };
        strict("replace(sql, ') STRICT', ')')");
        world.alter(edit);
        strict("sql || ' STRICT'");
        let ran = house.verify(&world, "alice").expect(CONFIG);
        assert_eq!(ran.error(), "damaged", "{edit}: {ran:?}");
        for line in ["list-status", "list-status --json", "show-user alice"] {
            let ran = world.run(line);
            // These verbs read no MAC.
            let is_read = !edit.contains("SET mac");
            assert_eq!(ran.code, if is_read { CONFIG } else { 0 }, "{edit}: {ran:?}");
            assert_eq!(ran.err.contains("damaged"), is_read, "{edit}: {ran:?}");
        }
    }
}

#[test]
fn restoring_the_rows_of_a_removed_user_is_detected_by_the_log() {
    if !tools() {
        return;
    }
    for line in ["remove-user alice --yes", "remove-user alice --yes --erase"] {
        let world = World::new();
        let mut seed = world.active("alice");
        let rows = world.path("rows.sql");
        let dump = ".mode insert users\nSELECT * FROM users;\n.mode insert devices\nSELECT * FROM devices;";
        std::fs::write(&rows, world.sql(dump)).unwrap();
        world.run(line).expect(0);
        world.alter(&std::fs::read_to_string(&rows).unwrap());
        let code = world.next(&mut seed);
        let ran = world.verify("alice", &code).expect(CONFIG);
        assert_eq!(ran.error(), "tampered", "{line}: {ran:?}");
    }
}
