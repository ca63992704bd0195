//! Stores and keys that belong to something else, are truncated or are missing, and files left by earlier runs.

use std::fs;

use super::{House, set_mode, tools};
use crate::support::{CONFIG, STORE_UNAVAILABLE, USAGE, World};

/// Files that are not a store of this program and version, most of them made from a copy of a good one.
fn foreign_files(house: &House) -> Vec<(&'static str, World)> {
    let with = |name, content: &[u8]| {
        let world = house.world.copy();
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(world.path(&format!("s/m.db{suffix}")));
        }
        fs::write(world.store(), content).unwrap();
        (name, world)
    };
    let altered = |name, sql: &str| {
        let world = house.world.copy();
        world.alter(sql);
        (name, world)
    };
    let other = World::new();
    other.alter("PRAGMA wal_checkpoint(TRUNCATE);");
    let mut other = fs::read(other.store()).unwrap();
    other.truncate(4096 * 3);
    let foreign = World::new();
    fs::remove_file(foreign.store()).unwrap();
    foreign.alter("CREATE TABLE notes(text); INSERT INTO notes VALUES ('precious');");
    let foreign = fs::read(foreign.store()).unwrap();
    let mut all = vec![
        with("nothing", b""),
        with("one byte", b"\n"),
        with("text", b"user,code\nalice,123456\n"),
        with("zeros", &[0; 8192]),
        with("a header only", b"SQLite format 3\0"),
        with("another program's database", &foreign),
        with("a torn store", &other),
        altered("a newer schema", "PRAGMA user_version = 999;"),
        altered("an older schema", "PRAGMA user_version = 0;"),
        altered("a schema from the future", "PRAGMA user_version = -1;"),
        altered("another application", "PRAGMA application_id = 1;"),
    ];
    for (name, sql) in ALTERED_SCHEMAS {
        all.push(altered(name, sql));
    }
    all
}

/// Alterations of the schema that could make a store give wrong answers.
const ALTERED_SCHEMAS: &[(&str, &str)] = &[
    (
        "a trigger",
        "CREATE TRIGGER t AFTER UPDATE ON devices BEGIN
         UPDATE devices SET last_step = NULL WHERE n = new.n; END;",
    ),
    (
        "a trigger before",
        "CREATE TRIGGER t BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END;",
    ),
    ("a view", "CREATE VIEW v AS SELECT * FROM users;"),
    ("a view for a table", "ALTER TABLE users RENAME TO x; CREATE VIEW users AS SELECT * FROM x;"),
    ("an index", "CREATE INDEX i ON users(email);"),
    ("an index on an expression", "CREATE INDEX i ON users(abs(rev));"),
    ("a table", "CREATE TABLE more(x);"),
    ("a virtual table", "CREATE VIRTUAL TABLE more USING fts5(x);"),
    ("a column", "ALTER TABLE users ADD COLUMN admin INTEGER;"),
    ("a column of another name", "ALTER TABLE users RENAME COLUMN required TO requires;"),
    ("a table less", "DROP TABLE audit_head;"),
    ("an index less", "DROP INDEX devices_of_user;"),
    (
        "a check",
        "PRAGMA writable_schema = 1;
         UPDATE sqlite_schema SET sql = replace(sql, 'rev INTEGER NOT NULL',
         'rev INTEGER NOT NULL CHECK (rev < 2)') WHERE name = 'users';",
    ),
    (
        "no uniqueness",
        "PRAGMA writable_schema = 1;
         UPDATE sqlite_schema SET sql = replace(sql, 'name TEXT NOT NULL UNIQUE',
         'name TEXT NOT NULL') WHERE name = 'users';",
    ),
    ("statistics", "ANALYZE;"),
];

#[test]
fn a_file_that_is_not_our_store_is_refused_and_never_overwritten() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.world.next(&mut house.alice.clone());
    let mut wrong = Vec::new();
    for (name, world) in foreign_files(&house) {
        let before = fs::read(world.store()).unwrap();
        for line in [
            "init",
            "verify alice",
            "list-status",
            "enrol carol --create --no-confirm --json",
            "add-user carol",
            "reset alice --yes --no-enrol",
        ] {
            let ran = world.call(line).input(&code).run();
            let has_error =
                ran.err.starts_with("mfactl: error: ") || ran.err.starts_with("{\"error\"");
            if ran.code != CONFIG || !has_error || !ran.out.is_empty() {
                wrong.push((name, line, ran));
            }
        }
        assert_eq!(fs::read(world.store()).unwrap(), before, "{name}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_left_by_an_earlier_run_do_no_harm() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.world.next(&mut house.alice.clone());
    for name in ["m.db-journal", ".m.db.0011223344556677.new", "m.db~", "m.db.bak"] {
        for content in [&b""[..], b"torn", &[0; 4096]] {
            let world = house.world.copy();
            let path = world.path(&format!("s/{name}"));
            fs::write(&path, content).unwrap();
            set_mode(&path, 0o600);
            assert_eq!(world.verify("alice", &code).expect(0).outcome(), "accepted", "{name}");
        }
    }
    // The index of the write-ahead log is rebuilt.
    let world = house.world.copy();
    fs::write(world.path("s/m.db-shm"), vec![0xff; 32768]).unwrap();
    set_mode(&world.path("s/m.db-shm"), 0o600);
    assert_eq!(world.verify("alice", &code).expect(0).outcome(), "accepted");
}

#[test]
fn a_key_that_is_missing_truncated_or_of_another_store_uses_up_no_code() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.world.next(&mut house.alice.clone());
    let text = fs::read_to_string(house.world.key()).unwrap();
    let line = text.lines().find(|l| l.starts_with("v1 ")).unwrap();
    let secret = line.split(' ').next_back().unwrap();
    let other = fs::read_to_string(World::new().key()).unwrap();
    let short = format!("{}\n", &line[..line.len() - 8]);
    let long = line.replace('=', "AAAA");
    let flipped =
        if line.ends_with("A=") { line.replace("A=", "E=") } else { with_changed_character(line) };
    for content in [
        None,
        Some(""),
        Some("\n"),
        Some("# nothing\n"),
        Some(&*short),
        Some(&*long),
        Some(&*other),
        Some(&*flipped),
        Some("v1 0011223344556677 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"),
        Some(&*"x".repeat(1 << 20)),
    ] {
        let world = house.world.copy();
        let (state, events) = (world.state(), world.events());
        match content {
            Some(content) => fs::write(world.key(), content).unwrap(),
            None => fs::remove_file(world.key()).unwrap(),
        }
        for line in ["verify alice", "init", "reset alice --yes --json", "enrol alice --create"] {
            let ran = world.call(line).input(&code).run();
            // The secret that enrol would show has nowhere to go; that is checked first.
            let expected = if line.starts_with("enrol") { USAGE } else { CONFIG };
            assert_eq!(ran.code, expected, "{content:?}: {ran:?}");
            assert!(!ran.err.contains(secret), "{ran:?}");
        }
        assert_eq!((world.state(), world.events()), (state, events), "{content:?}");
        assert_eq!(world.key().exists(), content.is_some(), "no key is made for an old store");
        world.run("list-status").expect(0);
        fs::write(world.key(), &text).unwrap();
        set_mode(&world.key(), 0o600);
        assert_eq!(world.verify("alice", &code).expect(0).outcome(), "accepted");
    }
}

/// The line with one character of the key changed.
fn with_changed_character(line: &str) -> String {
    let (head, tail) = line.split_at(line.len() - 6);
    let mut letters: Vec<char> = tail.chars().collect();
    let odd = if letters[0] == 'Q' { 'R' } else { 'Q' };
    letters[0] = odd;
    format!("{head}{}", letters.into_iter().collect::<String>())
}

#[test]
fn a_missing_store_is_reported_and_reading_creates_none() {
    if !tools() {
        return;
    }
    let world = World::empty();
    for line in [
        "list-status",
        "verify alice",
        "reset alice --yes --json",
        "disable alice --yes",
        "show-user alice",
        "show-qr alice --json",
        "enrol alice --no-confirm --json",
        "unlock alice",
    ] {
        world.call(line).input("123456").run().expect(STORE_UNAVAILABLE);
    }
    assert!(!world.path("s").exists() && !world.path("k").exists());
}
