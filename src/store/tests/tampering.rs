//! Tests that altered rows, logs and schemas are rejected.

use data_encoding::HEXLOWER;

use crate::domain::accepted::Accepted;
use crate::domain::audit::prunings::{LAST_PRUNED, PRUNE_OUTCOME, PRUNE_VERB};
use crate::domain::device::{Active, DeviceState};
use crate::domain::factor::Factor;
use crate::domain::lockout::Lock;
use crate::domain::name::UserName;
use crate::domain::secret::KeyGeneration;
use crate::domain::user::User;
use crate::error_report::ErrorReport;
use crate::keyring::Vault;
use crate::store::{Access, Change, SALT, Store, sqlite};

use crate::store::location::StoreLocation;
use crate::store::row::UserRows;
use crate::store::tests::fixture::*;
use crate::testing::Engine;

#[test]
fn with_another_key_every_row_is_rejected() {
    let fixture = TestStore::new();
    fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
    let other = Vault::new(&root(2), id(99));
    let mut store = fixture.open();
    let mut tx = store.begin(&other).unwrap();
    assert_eq!(error_code(&load(&mut tx, &alice().name).unwrap_err()), "tampered");
    assert_eq!(error_code(&append(&mut tx, event("x", None, [0; SALT])).unwrap_err()), "tampered");
}

#[test]
fn an_alteration_of_any_column_is_detected() {
    for (table, columns) in
        [("users", crate::store::row::USER_COLUMNS), ("devices", crate::store::row::DEVICE_COLUMNS)]
    {
        for column in columns.iter().chain(&["mac"]) {
            let fixture = TestStore::new();
            fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
            let (change, name) = match *column {
                "name" => ("'alicia'".to_owned(), "alicia"),
                _ => (fixture.engine.another(table, column), "alice"),
            };
            let row = format!("n = (SELECT max(n) FROM {table} WHERE \"{column}\" IS NOT NULL)");
            fixture.sql(&format!("UPDATE {table} SET \"{column}\" = {change} WHERE {row}"));
            let found = error_code(&fixture.user(name).unwrap_err());
            assert!(matches!(found, "tampered" | "damaged"), "{table}.{column}: {found}");
        }
    }
}

#[test]
fn a_device_that_is_removed_added_moved_or_restored_is_detected() {
    for edit in [
        "DELETE FROM devices WHERE n = 2",
        "UPDATE devices SET \"user\" = 2 WHERE n = 2",
        "UPDATE devices SET \"user\" = 1 WHERE n = (SELECT max(n) FROM devices)",
        "UPDATE users SET id = NOBODY WHERE n = 1",
    ] {
        let fixture = TestStore::new();
        let bob = User {
            devices: vec![device(8, DeviceState::Active(Active { confirmed_at: at(1) }))],
            ..User::new(id(7), UserName::parse("bob").unwrap(), at(100))
        };
        fixture.change(|tx| {
            save(tx, Change::Insert(alice())).unwrap();
            save(tx, Change::Insert(bob)).unwrap()
        });
        fixture.sql(&edit.replace("NOBODY", fixture.engine.nobody()));
        assert_eq!(error_code(&fixture.user("alice").unwrap_err()), "tampered", "{edit}");
    }
    let fixture = TestStore::new();
    fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
    // Opened before the edit: opening refuses an additional table.
    let mut store = fixture.open();
    fixture.sql("CREATE TABLE old_devices AS SELECT * FROM devices");
    let mut after = alice();
    after.devices[1].position = Some(13);
    let mut tx = store.begin(&fixture.vault).unwrap();
    save(&mut tx, Change::Update { before: alice(), after }).unwrap();
    tx.commit().unwrap();
    fixture.sql(
        "UPDATE devices SET last_step = (SELECT last_step FROM old_devices WHERE n = 2), \
         mac = (SELECT mac FROM old_devices WHERE n = 2) WHERE n = 2",
    );
    fixture.sql("DROP TABLE old_devices");
    assert_eq!(
        error_code(&fixture.user("alice").unwrap_err()),
        "tampered",
        "an older version of the row"
    );
}

/// Every MAC is valid, but the newest event has a later revision.
#[test]
fn restoring_all_rows_of_a_user_from_an_older_copy_is_detected() {
    let fixture = TestStore::new();
    fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
    let mut store = fixture.open();
    fixture.sql("CREATE TABLE old_users AS SELECT * FROM users");
    fixture.sql("CREATE TABLE old_devices AS SELECT * FROM devices");
    let mut after = alice();
    after.devices[1].position = Some(13);
    let mut tx = store.begin(&fixture.vault).unwrap();
    let event = event("verify", Some(&after), [3; SALT]);
    let change = Change::Update { before: alice(), after };
    let after = tx.save(vec![change], vec![event]).unwrap().remove(0);
    tx.commit().unwrap();
    let user = |store: &mut Box<dyn Store>| {
        load(&mut store.begin(&fixture.vault).unwrap(), &UserName::parse("alice").unwrap())
    };
    assert_eq!(user(&mut store).unwrap().unwrap(), after);
    fixture.sql(
        "DELETE FROM devices; DELETE FROM users; INSERT INTO users SELECT * FROM old_users; \
         INSERT INTO devices SELECT * FROM old_devices; \
         DROP TABLE old_devices; DROP TABLE old_users",
    );
    assert_eq!(error_code(&user(&mut store).unwrap_err()), "tampered");
    assert_eq!(error_code(&fixture.user("alice").unwrap_err()), "tampered");
}

/// Reverts everything after the first migration.
const TO_FIRST: &str = "DROP TABLE tokens; DROP INDEX events_of_token; ALTER TABLE events DROP COLUMN token_id; \
    DROP INDEX events_of_user; ALTER TABLE events DROP COLUMN was_rev; \
    ALTER TABLE events DROP COLUMN was_stamp; ALTER TABLE users DROP COLUMN stamp; ALTER TABLE users DROP COLUMN lock_again; ALTER TABLE users DROP COLUMN remembered; \
    ALTER TABLE devices DROP COLUMN note; ALTER TABLE devices DROP COLUMN codes; ALTER TABLE devices DROP COLUMN drift; DROP INDEX devices_serial; ALTER TABLE devices DROP COLUMN serial; ALTER TABLE devices DROP COLUMN accepted; \
    CREATE INDEX events_of_user ON events(user_id, seq, rev) WHERE user_id IS NOT NULL; DROP INDEX users_required_from; DROP INDEX users_created_at; \
    DROP INDEX events_at; DROP TABLE log_start; ALTER TABLE events DROP COLUMN was_status; \
    ALTER TABLE events DROP COLUMN was; DROP TABLE requests; ALTER TABLE users DROP COLUMN password; \
    ALTER TABLE users DROP COLUMN temporary_password; ALTER TABLE users DROP COLUMN temporary_until; \
    ALTER TABLE users DROP COLUMN required_from; ALTER TABLE users DROP COLUMN enrolment_barred; \
    ALTER TABLE users DROP COLUMN lock_looks; ALTER TABLE users DROP COLUMN recovery; \
    ALTER TABLE users DROP COLUMN bypass; ALTER TABLE users DROP COLUMN undo; ";

#[test]
fn migrating_a_store_of_the_first_schema_keeps_every_user() {
    let fixture = TestStore::new();
    let mut plain = alice();
    (plain.password, plain.temporary, plain.required_from) = (None, None, None);
    (plain.recovery, plain.bypass) = (None, None);
    plain.undo = crate::domain::undo_record::UndoStack::default();
    plain.remembered = crate::domain::remembered::RememberedLogins::default();
    (plain.enrolment_barred, plain.throttle.lock_looks) = (false, 0);
    plain.devices.retain(|device| device.factor.clock().is_some());
    for device in &mut plain.devices {
        (device.accepted, device.serial) = (Accepted::default(), None);
        let clock = device.factor.clock().unwrap();
        device.factor = Factor::Totp(clock.parameters);
    }
    plain.throttle.lock = plain.throttle.lock.map(|lock| Lock::new(lock.start, lock.length));
    fixture.change(|tx| save(tx, Change::Insert(plain.clone())).unwrap());
    // Rows as a program without stamps wrote them, and an event that has nothing in the columns that go.
    let mac = HEXLOWER.encode(&UserRows::of(&plain).macs(&fixture.vault, plain.id).user);
    let mac = if fixture.engine.is_postgres() {
        format!("decode('{mac}', 'hex')")
    } else {
        format!("x'{mac}'")
    };
    fixture.sql(&format!("UPDATE users SET stamp = NULL, mac = {mac}"));
    fixture.change(|tx| save(tx, Change::Keep(plain.clone())).unwrap());
    let version = if fixture.engine.is_postgres() {
        "UPDATE store SET schema_version = 1"
    } else {
        "PRAGMA user_version = 1"
    };
    fixture.sql(&format!("{TO_FIRST}{version}"));
    assert_eq!(error_code(&fixture.try_open().err().unwrap()), "config");
    let location = StoreLocation::parse(&fixture.engine.location()).unwrap();
    assert!(location.migrate(&policy()).unwrap());
    assert!(!location.migrate(&policy()).unwrap());
    assert_eq!(fixture.user("alice").unwrap(), Some(plain.clone()));
    let start = fixture.open().read().unwrap().log().start().unwrap();
    assert_eq!(
        (start.head.seq, start.at),
        (0, Some(at(1000))),
        "the log has no record of the time before"
    );
    let mut after = alice();
    after.rev = plain.rev + 1;
    let change = Change::Update { before: plain, after: alice() };
    fixture.change(|tx| save(tx, change).unwrap());
    let stored = fixture.user("alice").unwrap().unwrap();
    assert!(stored.stamp.is_some());
    assert_eq!(unstamped(stored), after);
}

impl TestStore {
    /// SQL that makes the MACs of some rows those of the second generation of the key.
    fn as_second(&self, table: &str, rows: &str) -> String {
        let second = if self.engine.is_postgres() {
            "mac || decode('00000002', 'hex')"
        } else {
            "CAST(mac || x'00000002' AS BLOB)"
        };
        format!("UPDATE {table} SET mac = {second} WHERE {rows}")
    }
}

#[test]
fn a_mac_of_another_generation_is_not_ours_and_not_altered() {
    for (table, id) in [("users", "n = 1"), ("devices", "n = 2")] {
        let fixture = TestStore::new();
        fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
        fixture.sql(&fixture.as_second(table, id));
        assert_eq!(error_code(&fixture.user("alice").unwrap_err()), "key", "{table}");
        // Numbers that are never stored, and bytes that are too many.
        for more in ["00000000", "00000001", "02", "000000000002"] {
            let edit = fixture.as_second(table, id).replace("mac ||", "substr(mac, 1, 32) ||");
            fixture.sql(&edit.replace("00000002", more));
            assert_eq!(error_code(&fixture.user("alice").unwrap_err()), "tampered", "{more}");
        }
    }
}

/// The same root key as two generations: only the number differs.
#[test]
fn every_mac_covers_the_generation_of_its_key() {
    let second = KeyGeneration::new(2).unwrap();
    let fixture = TestStore::new();
    let vault = Vault::new(&root(1), id(99)).of_generation(second);
    let logged_under = |fixture: &TestStore, vault: &Vault| {
        let mut store = fixture.open();
        let mut tx = store.begin(vault)?;
        append(&mut tx, event("x", None, [3; SALT]))?;
        tx.commit()
    };
    assert_eq!(error_code(&logged_under(&fixture, &vault).unwrap_err()), "key", "the end");
    fixture.sql(&fixture.as_second("audit_head", "one = 1"));
    assert_eq!(error_code(&logged_under(&fixture, &vault).unwrap_err()), "tampered", "the end");
    assert_eq!(error_code(&logged_under(&fixture, &fixture.vault).unwrap_err()), "key", "the end");

    let fixture = TestStore::of_generation(second);
    let first = Vault::new(&root(1), id(99));
    let user = |vault: &Vault| load(&mut fixture.open().begin(vault)?, &alice().name);
    fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
    assert_eq!(user(&vault).unwrap().map(unstamped), Some(alice()));
    assert_eq!(error_code(&user(&first).unwrap_err()), "key");
    for table in ["devices", "users"] {
        fixture.sql(&format!("UPDATE {table} SET mac = substr(mac, 1, 32)"));
        assert_eq!(error_code(&user(&vault).unwrap_err()), "key", "{table}");
    }
    assert_eq!(error_code(&user(&first).unwrap_err()), "tampered");
}

#[test]
fn altering_the_generation_of_an_event_or_of_the_start_of_a_log_is_detected() {
    let fixture = TestStore::new();
    for _ in 0..4 {
        fixture.change(|tx| append(tx, event("x", None, [3; SALT])).unwrap());
    }
    let proved = || fixture.open().read().unwrap().check_all(&fixture.vault, &mut || {});
    proved().unwrap();
    fixture.sql(&fixture.as_second("events", "seq = 3"));
    assert_eq!(error_code(&proved().unwrap_err()), "tampered");
    fixture.sql("UPDATE events SET mac = substr(mac, 1, 32)");
    fixture.change(|tx| {
        assert_eq!(tx.prune(2).unwrap(), 2);
        let mut pruned = event(PRUNE_VERB, None, [3; SALT]);
        pruned.event.outcome = PRUNE_OUTCOME;
        pruned.event.detail = Some(format!("{{\"{LAST_PRUNED}\":2}}"));
        append(tx, pruned).unwrap();
    });
    proved().unwrap();
    fixture.sql(&fixture.as_second("log_start", "one = 1"));
    assert_eq!(error_code(&proved().unwrap_err()), "key");
    fixture.sql("UPDATE log_start SET mac = substr(mac, 1, 32)");
    fixture.sql(&fixture.as_second("audit_head", "one = 1"));
    assert_eq!(error_code(&proved().unwrap_err()), "key");
}

#[test]
fn a_vacuumed_copy_can_be_opened() {
    let fixture = TestStore::new();
    let Engine::Sqlite(path) = &fixture.engine else { return };
    let copy = path.with_extension("old");
    fixture.sql(&format!("VACUUM INTO '{}'", copy.display()));
    std::fs::set_permissions(&copy, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(sqlite::open(&copy, Access::Read, &policy()).is_ok());
}

#[test]
fn events_are_numbered_without_gaps_and_their_end_is_authenticated() {
    let fixture = TestStore::new();
    for expected in 2..6 {
        let event = event("x", Some(&alice()), [3; SALT]);
        fixture.change(|tx| tx.save(vec![Change::Keep(alice())], vec![event]).unwrap());
        assert_eq!(fixture.open().read().unwrap().log().head().unwrap().seq, expected);
    }
    let events = fixture.events(2);
    assert_eq!(events.iter().map(|e| e.seq).collect::<Vec<_>>(), [5, 4]);
    assert_eq!(events[0].reason.as_deref(), Some("because"));
    fixture.change(|tx| tx.erase(id(1)).unwrap());
    assert_eq!(fixture.events(1)[0].reason, None);
    for edit in [
        "UPDATE audit_head SET seq = seq - 1",
        "UPDATE audit_head SET hash = (SELECT hash FROM events WHERE seq = 1)",
        "UPDATE audit_head SET mac = (SELECT mac FROM events ORDER BY seq DESC LIMIT 1)",
        "DELETE FROM audit_head",
    ] {
        let fixture = TestStore::new();
        fixture.change(|tx| append(tx, event("x", None, [3; SALT])).unwrap());
        fixture.sql(edit);
        let mut store = fixture.open();
        let appended = store
            .begin(&fixture.vault)
            .and_then(|mut tx| append(&mut tx, event("x", None, [0; SALT])));
        assert_eq!(error_code(&appended.unwrap_err()), "tampered", "{edit}");
    }
}

#[test]
fn another_schema_is_refused_with_the_difference() {
    let sqlite = [
        ("CREATE TRIGGER t AFTER UPDATE ON users BEGIN SELECT 1; END", "trigger \"t\""),
        ("CREATE VIEW v AS SELECT 1", "view \"v\""),
        ("CREATE INDEX i ON users(rev)", "index \"i\""),
        ("ALTER TABLE users ADD COLUMN more TEXT", "table \"users\""),
        ("DROP INDEX devices_of_user", "missing"),
        ("DROP TABLE audit_head", "missing"),
        ("PRAGMA user_version = 99", "newer"),
        ("PRAGMA user_version = 0", "older"),
        ("PRAGMA application_id = 1", "not an mfactl store"),
    ];
    let postgres = [
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; \
             CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f()",
            "trigger t",
        ),
        ("CREATE VIEW v AS SELECT 1", "relation v"),
        ("CREATE RULE r AS ON UPDATE TO users DO INSTEAD NOTHING", "rule r"),
        ("ALTER TABLE users ADD COLUMN more TEXT", "users.more"),
        ("ALTER TABLE users ALTER COLUMN rev DROP NOT NULL", "users.rev"),
        ("CREATE TABLE more(x BIGINT)", "more.x"),
        ("ALTER TABLE users DROP CONSTRAINT users_name_key", "users.users_name_key"),
        ("ALTER TABLE devices DROP CONSTRAINT devices_user_fkey", "devices.devices_user_fkey"),
        ("DROP INDEX devices_of_user", "devices.devices_of_user"),
        ("CREATE INDEX i ON users(rev)", "users.i"),
        ("ALTER TABLE users ADD CHECK (rev < 5)", "users.users_rev_check"),
        ("DROP TABLE audit_head", "missing"),
        ("UPDATE store SET schema_version = 99", "newer"),
        ("UPDATE store SET schema_version = 0", "older"),
        ("ALTER TABLE store DROP COLUMN schema_version", "another program's"),
    ];
    let edits = if TestStore::new().engine.is_postgres() { &postgres[..] } else { &sqlite[..] };
    for (edit, expected) in edits {
        let fixture = TestStore::new();
        fixture.sql(edit);
        let error = fixture.try_open().err().unwrap();
        let failure = ErrorReport::of(&error);
        assert_eq!(failure.exit, 78, "{edit}");
        assert!(failure.message.contains(expected), "{edit}: {}", failure.message);
    }
}
