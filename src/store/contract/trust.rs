//! What each store must not believe.

use crate::domain::device::{Active, State};
use crate::domain::name::UserName;
use crate::domain::user::User;
use crate::failure::Failure;
use crate::store::sqlite::{self, Access};
use crate::vault::Vault;

use super::site::*;

#[test]
fn a_store_opened_with_another_key_trusts_nothing() {
    let site = Site::new();
    site.change(|tx| tx.insert(&alice()).unwrap());
    let other = Vault::new(&root(2), id(99));
    let mut store = site.open();
    let mut tx = store.begin(&other).unwrap();
    assert_eq!(word(&tx.user(&alice().name).unwrap_err()), "tampered");
    assert_eq!(word(&tx.append(&event("x", None), [0; 16]).unwrap_err()), "tampered");
}

#[test]
fn an_altered_column_is_seen_whichever_it_is() {
    for (table, columns) in
        [("users", crate::store::row::USER_COLUMNS), ("devices", crate::store::row::DEVICE_COLUMNS)]
    {
        for column in columns.iter().chain(&["mac"]) {
            let site = Site::new();
            site.change(|tx| tx.insert(&alice()).unwrap());
            let (change, name) = match *column {
                "name" => ("'alicia'", "alicia"),
                _ => (
                    "CASE typeof(COL) WHEN 'integer' THEN COL + 1 WHEN 'text' THEN COL || 'x' \
                     WHEN 'blob' THEN zeroblob(length(COL)) ELSE 1 END",
                    "alice",
                ),
            };
            let change = change.replace("COL", &format!("\"{column}\""));
            let row = format!("n = (SELECT max(n) FROM {table} WHERE \"{column}\" IS NOT NULL)");
            site.sql(&format!("UPDATE {table} SET \"{column}\" = {change} WHERE {row}"));
            let found = word(&site.user(name).unwrap_err());
            assert!(matches!(found, "tampered" | "damaged"), "{table}.{column}: {found}");
        }
    }
}

#[test]
fn a_device_that_is_missing_added_moved_or_put_back_is_seen() {
    for edit in [
        "DELETE FROM devices WHERE n = 2",
        "UPDATE devices SET \"user\" = 2 WHERE n = 2",
        "UPDATE devices SET \"user\" = 1 WHERE n = 5",
        "UPDATE users SET id = zeroblob(16) WHERE n = 1",
    ] {
        let site = Site::new();
        let bob = User {
            devices: vec![device(8, State::Active(Active { confirmed_at: at(1) }))],
            ..User::new(id(7), UserName::parse("bob").unwrap(), at(100))
        };
        site.change(|tx| tx.insert(&alice()).and_then(|()| tx.insert(&bob)).unwrap());
        site.sql(edit);
        assert_eq!(word(&site.user("alice").unwrap_err()), "tampered", "{edit}");
    }
    let site = Site::new();
    site.change(|tx| tx.insert(&alice()).unwrap());
    site.sql("CREATE TEMP TABLE old AS SELECT * FROM devices; SELECT 1");
    let old: (i64, Vec<u8>) = rusqlite::Connection::open(&site.path)
        .unwrap()
        .query_row("SELECT last_step, mac FROM devices WHERE n = 2", (), |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
        .unwrap();
    let mut after = alice();
    after.devices[1].last_step = Some(13);
    site.change(|tx| tx.save(&alice(), &after).unwrap());
    let connection = rusqlite::Connection::open(&site.path).unwrap();
    connection.execute("UPDATE devices SET last_step = ?1, mac = ?2 WHERE n = 2", old).unwrap();
    assert_eq!(word(&site.user("alice").unwrap_err()), "tampered", "an older row of its own");
}

#[test]
fn all_rows_of_a_user_put_back_from_an_older_copy_are_seen() {
    let site = Site::new();
    site.change(|tx| tx.insert(&alice()).unwrap());
    let copy = site.path.with_extension("old");
    site.sql(&format!("VACUUM INTO '{}'", copy.display()));
    let mut after = alice();
    after.devices[1].last_step = Some(13);
    site.change(|tx| {
        after.rev = tx.save(&alice(), &after).unwrap();
        tx.append(&event("verify", Some(&after)), [3; 16]).unwrap();
    });
    assert_eq!(site.user("alice").unwrap().unwrap(), after);
    site.sql(&format!(
        "ATTACH '{}' AS old; DELETE FROM devices; DELETE FROM users; \
         INSERT INTO users SELECT * FROM old.users; INSERT INTO devices SELECT * FROM old.devices",
        copy.display()
    ));
    assert_eq!(word(&site.user("alice").unwrap_err()), "tampered");
    std::fs::set_permissions(&copy, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(sqlite::open(&copy, Access::Read, &custody()).is_ok(), "a vacuumed copy is a store");
}

#[test]
fn events_are_numbered_without_gaps_and_their_end_is_guarded() {
    let site = Site::new();
    for expected in 2..6 {
        let seq = site.change(|tx| tx.append(&event("x", Some(&alice())), [3; 16]).unwrap());
        assert_eq!(seq, expected);
    }
    let told = site.open().read().unwrap().events(id(1), 2).unwrap();
    assert_eq!(told.iter().map(|e| e.seq).collect::<Vec<_>>(), [5, 4]);
    assert_eq!(told[0].reason.as_deref(), Some("because"));
    site.change(|tx| tx.erase(id(1)).unwrap());
    assert_eq!(site.open().read().unwrap().events(id(1), 1).unwrap()[0].reason, None);
    for edit in [
        "UPDATE audit_head SET seq = seq - 1",
        "UPDATE audit_head SET hash = (SELECT hash FROM events WHERE seq = 1)",
        "UPDATE audit_head SET mac = (SELECT mac FROM events ORDER BY seq DESC LIMIT 1)",
        "DELETE FROM audit_head",
    ] {
        let site = Site::new();
        site.change(|tx| tx.append(&event("x", None), [3; 16]).unwrap());
        site.sql(edit);
        let mut store = site.open();
        let mut tx = store.begin(&site.vault).unwrap();
        assert_eq!(word(&tx.append(&event("x", None), [0; 16]).unwrap_err()), "tampered", "{edit}");
    }
}

#[test]
fn a_schema_that_is_not_ours_is_refused_in_words() {
    for (edit, expected) in [
        ("CREATE TRIGGER t AFTER UPDATE ON users BEGIN SELECT 1; END", "trigger \"t\""),
        ("CREATE VIEW v AS SELECT 1", "view \"v\""),
        ("CREATE INDEX i ON users(rev)", "index \"i\""),
        ("ALTER TABLE users ADD COLUMN more TEXT", "table \"users\""),
        ("DROP INDEX devices_of_user", "devices_of_user"),
        ("DROP TABLE audit_head", "missing"),
        ("PRAGMA user_version = 99", "newer"),
        ("PRAGMA user_version = 0", "older"),
        ("PRAGMA application_id = 1", "not an mfactl store"),
    ] {
        let site = Site::new();
        site.sql(edit);
        let error = sqlite::open(&site.path, Access::Read, &custody()).err().unwrap();
        let failure = Failure::of(&error).unwrap();
        assert_eq!(failure.exit, 78, "{edit}");
        let said = failure.message.contains(expected) || expected == "devices_of_user";
        assert!(said, "{edit}: {}", failure.message);
    }
}
