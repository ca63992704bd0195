//! Somebody who can write the store's file but can't read the key.

use super::support::{CONFIG, Ran, Seed, World, has, is_harmful};

const USERS: &str = "users";
const DEVICES: &str = "devices";

fn tools() -> bool {
    let what = "changes to the store behind the program's back";
    has("sqlite3", what) && has("oathtool", what) && has("faketime", what)
}

/// Alice and bob, active; carol, disabled; dave, locked; eve, with a code that was used.
struct House {
    world: World,
    seeds: Vec<(&'static str, Seed)>,
}

const EVERYONE: [&str; 5] = ["alice", "bob", "carol", "dave", "eve"];

impl House {
    fn new() -> Self {
        let world = World::stopped();
        let mut seeds: Vec<_> = EVERYONE.map(|user| (user, world.active(user))).into();
        // Nobody is the first row's double: other times, other labels, other steps.
        world
            .run("edit-user bob --display-name Bob --email bob@example.org --language fr")
            .expect(0);
        world.run("enrol bob --device tablet --no-confirm --json").expect(0);
        world.run("disable carol --yes").expect(0);
        let dave = &seeds[3].1;
        let wrong = dave.wrong(world.step());
        for _ in 0..5 {
            world.verify("dave", &wrong).expect(1);
        }
        let used = world.next(&mut seeds[4].1);
        world.verify("eve", &used).expect(0);
        Self { world, seeds }
    }

    /// The code of the next step: right for everybody, used by eve.
    fn code(&self, user: &str) -> String {
        let seed = &self.seeds.iter().find(|(u, _)| *u == user).unwrap().1;
        seed.code(self.world.step() + 1)
    }

    fn verify(&self, world: &World, user: &str) -> Ran {
        world.verify(user, &self.code(user))
    }

    /// What everybody's right code meets in a store that nobody altered.
    fn baselines(&self) -> Vec<(&'static str, i32)> {
        EVERYONE.map(|user| (user, self.verify(&self.world.copy(), user).code)).into()
    }
}

/// Nobody comes in who was kept out before; and who was let in still is, or is told of tampering.
#[track_caller]
fn assert_nobody_gains(house: &House, world: &World, what: &str, baselines: &[(&str, i32)]) {
    for (user, before) in baselines {
        let ran = house.verify(&world.copy(), user);
        let told = ran.code == CONFIG && matches!(&*ran.error(), "tampered" | "damaged");
        assert!(told || ran.code == *before || ran.code == 67, "{what}: {user}: {ran:?}");
        assert!(ran.code != 0 || *before == 0, "{what}: {user} came in: {ran:?}");
    }
    assert_listed(world, what);
}

/// The list needs no key, and says nothing about MACs.
#[track_caller]
fn assert_listed(world: &World, what: &str) {
    for format in ["table", "json", "jsonl", "csv"] {
        let listed = world.run(&format!("list-status --format {format}"));
        let damaged = listed.code == CONFIG && listed.err.contains("damaged");
        assert!(listed.code == 0 || damaged, "{what}: {listed:?}");
        let told = format!("{}{}", listed.out, listed.err).to_lowercase();
        assert!(!told.contains("mac") && !told.contains("tamper"), "{what}: {listed:?}");
    }
}

/// The columns of a table, the row number and unique ids among them.
fn columns(world: &World, table: &str) -> Vec<String> {
    let query = format!("SELECT name FROM pragma_table_info('{table}')");
    world.sql(&query).lines().map(str::to_owned).collect()
}

#[test]
fn the_baselines_are_what_they_should_be() {
    if !tools() {
        return;
    }
    let expected = [("alice", 0), ("bob", 0), ("carol", 76), ("dave", 1), ("eve", 1)];
    assert_eq!(House::new().baselines(), expected);
}

/// Every column of every pair of rows, swapped.
fn swap_all(table: &str) {
    let house = House::new();
    let baselines = house.baselines();
    let rows = house.world.sql(&format!("SELECT count(*) FROM {table}")).parse::<u32>().unwrap();
    let mut swapped = 0;
    for column in columns(&house.world, table) {
        for (one, other) in (1..=rows).flat_map(|a| (a + 1..=rows).map(move |b| (a, b))) {
            let differs = format!(
                "SELECT (SELECT \"{column}\" FROM {table} WHERE rowid = {one}) IS NOT \
                 (SELECT \"{column}\" FROM {table} WHERE rowid = {other})"
            );
            // Users all with alice, devices all with hers: what matters is another's value.
            if one > 1 || house.world.sql(&differs) == "0" {
                continue;
            }
            let world = house.world.copy();
            world.alter(&swap(table, &column, one, other));
            let what = format!("{table}.{column} of {one} and {other}");
            assert_nobody_gains(&house, &world, &what, &baselines);
            swapped += 1;
        }
    }
    assert!(swapped > 20, "{table}: {swapped}");
}

/// Unique columns are swapped by way of a third value.
fn swap(table: &str, column: &str, one: u32, other: u32) -> String {
    let key = if column == "n" { "rowid" } else { column };
    let spare = match column {
        "n" => "-1".to_owned(),
        "label" | "name" | "kind" | "state" | "algorithm" => "'swapped'".to_owned(),
        _ => "x'00'".to_owned(),
    };
    let spare_works = matches!(column, "n" | "id" | "name");
    if !spare_works {
        return format!(
            "CREATE TEMP TABLE was AS SELECT rowid AS r, \"{key}\" AS v FROM {table};
             UPDATE {table} SET \"{key}\" = (SELECT v FROM was WHERE r = {other}) WHERE rowid = {one};
             UPDATE {table} SET \"{key}\" = (SELECT v FROM was WHERE r = {one}) WHERE rowid = {other};"
        );
    }
    if column == "n" {
        return format!(
            "UPDATE {table} SET n = -1 WHERE n = {one};
             UPDATE {table} SET n = {one} WHERE n = {other};
             UPDATE {table} SET n = {other} WHERE n = -1;"
        );
    }
    format!(
        "CREATE TEMP TABLE was AS SELECT n AS r, {key} AS v FROM {table};
         UPDATE {table} SET {key} = {spare} WHERE n = {one};
         UPDATE {table} SET {key} = (SELECT v FROM was WHERE r = {one}) WHERE n = {other};
         UPDATE {table} SET {key} = (SELECT v FROM was WHERE r = {other}) WHERE n = {one};"
    )
}

#[test]
fn no_column_of_users_can_be_another_users() {
    if tools() {
        swap_all(USERS);
    }
}

#[test]
fn no_column_of_devices_can_be_another_devices() {
    if tools() {
        swap_all(DEVICES);
    }
}

#[test]
fn a_whole_row_under_another_name_opens_nothing() {
    if !tools() {
        return;
    }
    let house = House::new();
    let world = house.world.copy();
    world.alter(
        "UPDATE devices SET \"user\" = (SELECT n FROM users WHERE name = 'dave')
         WHERE \"user\" = (SELECT n FROM users WHERE name = 'alice');",
    );
    for (user, code) in [("alice", "alice"), ("dave", "dave"), ("dave", "alice")] {
        let ran = world.copy().verify(user, &house.code(code)).expect(CONFIG);
        assert_eq!(ran.error(), "tampered", "{ran:?}");
    }
    assert_listed(&world, "a moved device");
}

/// An edit by hand, and the user whom it would help.
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
         was_disabled, last_step, created_at, last_used_at, mac FROM devices WHERE \"user\" = 1",
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

#[test]
fn an_edit_by_hand_is_tampering() {
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
        if ran.code != CONFIG || !matches!(&*ran.error(), "tampered" | "damaged") {
            unseen.push((edit, ran.code, ran.err));
            continue;
        }
        assert_eq!(world.state(), before, "{edit}");
        assert_listed(&world, edit);
    }
    assert!(unseen.is_empty(), "{unseen:#?}");
}

#[test]
fn other_verbs_see_an_edit_too() {
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
fn an_old_device_row_put_back_alone_is_tampering() {
    if !tools() {
        return;
    }
    let house = House::new();
    let world = house.world.copy();
    world.alter("CREATE TABLE was AS SELECT * FROM devices;");
    let table = world.sql(".mode insert devices\nSELECT * FROM was");
    world.alter("DROP TABLE was;");
    // The code is accepted and spent; then the row from before comes back.
    house.verify(&world, "alice").expect(0);
    world.alter(&format!("DELETE FROM devices;\n{table}"));
    let ran = house.verify(&world, "alice").expect(CONFIG);
    assert_eq!(ran.error(), "tampered");
}

#[test]
fn old_rows_of_user_and_device_put_back_together_are_seen_against_the_log() {
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
    // Nor does it help to take the event away that knows better.
    world.alter("DELETE FROM events WHERE seq = (SELECT max(seq) FROM events);");
    let ran = house.verify(&world, "alice").expect(CONFIG);
    assert_eq!(ran.error(), "tampered");
}

#[test]
fn deleted_events_are_seen_where_the_log_ends() {
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

fn harmful(text: &str) -> Option<char> {
    text.chars().find(|c| *c != '\n' && is_harmful(*c))
}

#[test]
fn hostile_text_in_the_store_reaches_no_output_raw() {
    if !tools() {
        return;
    }
    let house = House::new();
    let hostile = "char(65, 27) || '[2J' || char(13, 10, 0x202e, 0x9b) || '31m' || char(9, 7, 0x2066, 0x7f, 0xad, 0x2028)";
    for (column, table) in [
        ("name", USERS),
        ("display_name", USERS),
        ("email", USERS),
        ("groups", USERS),
        ("label", DEVICES),
        ("\"user\"", "events"),
        ("device", "events"),
        ("reason", "events"),
        ("ticket", "events"),
        ("operator_claim", "events"),
    ] {
        let world = house.world.copy();
        let rows = if column == "name" { "rowid = 1" } else { "1" };
        world.alter(&format!("UPDATE {table} SET {column} = {hostile} WHERE {rows};"));
        for line in [
            "list-status",
            "show-user bob",
            "show-user bob --format json",
            "verify bob",
            "verify al",
            "verify bob --json",
            "reset bob --yes --device x",
            "disable bob --device tablet --yes",
            "enrol al",
            "show-qr bob",
        ] {
            let ran = world.call(line).input("123456").run();
            assert!(ran.code != 101, "{column}: {ran:?}");
            assert_eq!(harmful(&ran.out), None, "{column}: {ran:?}");
            assert_eq!(harmful(&ran.err), None, "{column}: {ran:?}");
        }
        for format in ["table", "json", "jsonl", "csv"] {
            let ran = world.run(&format!("list-status --format {format}")).expect(0);
            // CSV ends its lines with CR LF.
            assert_eq!(harmful(&ran.out.replace("\r\n", "\n")), None, "{column}: {ran:?}");
            let lines = ran.out.lines().count();
            let plain = house.world.run(&format!("list-status --format {format}")).expect(0);
            assert_eq!(lines, plain.out.lines().count(), "{column}: no line was forged: {ran:?}");
            assert!(format != "json" || ran.document().is_object());
        }
    }
}
