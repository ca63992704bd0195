//! What each store must keep, whichever database is behind it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use zeroize::Zeroizing;

use crate::domain::device::{Active, Device, Kind, Pending, State};
use crate::domain::event::{Event, Operator, Subject, Ticket};
use crate::domain::name::{Label, UserName};
use crate::domain::secret::{Id, Sealed};
use crate::domain::time::{Span, Timestamp};
use crate::domain::totp::{Algorithm, Parameters};
use crate::domain::user::{Language, PasswordChange, Profile, User};
use crate::failure::Failure;
use crate::store::custody::Custody;
use crate::store::sqlite::{self, Access};
use crate::store::{Identity, Store, Transaction};
use crate::vault::{RootKey, Vault};

/// A store of one of the databases, which can be opened more than once.
struct Site {
    vault: Vault,
    path: PathBuf,
    _folder: TempDir,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let root = root(1);
        let identity = Identity { store: id(99), key: root.id() };
        let vault = Vault::new(&root, identity.store);
        let first = event("init", None);
        assert!(sqlite::create(&path, &custody(), &vault, identity, &first, [0; 16]).unwrap());
        assert!(!sqlite::create(&path, &custody(), &vault, identity, &first, [0; 16]).unwrap());
        Self { vault, path, _folder: folder }
    }

    fn open(&self) -> Box<dyn Store> {
        Box::new(sqlite::open(&self.path, Access::Write, &custody()).unwrap())
    }

    /// One change in a transaction of its own.
    fn change<T>(&self, change: impl FnOnce(&mut dyn Transaction) -> T) -> T {
        let mut store = self.open();
        let mut tx = store.begin(&self.vault).unwrap();
        let value = change(&mut *tx);
        tx.commit().unwrap();
        value
    }

    fn user(&self, name: &str) -> anyhow::Result<Option<User>> {
        self.open().begin(&self.vault)?.user(&UserName::parse(name)?)
    }

    fn sql(&self, sql: &str) {
        rusqlite::Connection::open(&self.path).unwrap().execute_batch(sql).unwrap();
    }
}

fn custody() -> Custody {
    Custody { euid: rustix::process::geteuid().as_raw(), ..Custody::default() }
}

fn root(byte: u8) -> RootKey {
    RootKey::new(Zeroizing::new([byte; RootKey::LENGTH]))
}

fn id(byte: u8) -> Id {
    Id::new([byte; Id::LENGTH])
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

fn word(error: &anyhow::Error) -> &'static str {
    Failure::of(error).unwrap().code
}

/// A user in whom every column has a value.
fn alice() -> User {
    let pending =
        Pending { expires_at: at(500), first_proof: Some(7), replaces: vec![id(2), id(3)] };
    let active = Active { confirmed_at: at(200) };
    let states = [
        State::Pending(pending.clone()),
        State::Active(active.clone()),
        State::Disabled(crate::domain::device::Held::Pending(pending)),
    ];
    let mut devices: Vec<Device> =
        (2_u8..).zip(states).map(|(n, state)| device(n, state)).collect();
    devices.push(device(5, State::Active(active)).disabled().revoked(at(300)));
    let mut user = User::new(id(1), UserName::parse("alice").unwrap(), at(100));
    user.profile = Profile {
        display_name: Some("Alice".into()),
        email: Some("alice@example.com".into()),
        language: Some(Language::French),
        groups: vec!["admins".into(), "staff".into()],
    };
    (user.protected, user.required) = (true, true);
    user.password_change = PasswordChange::RequiredOldOpens;
    for _ in 0..6 {
        user.throttle = user.throttle.failed(crate::domain::throttle::Failure::Code, at(400));
    }
    user.throttle = user.throttle.turned_away(at(401)).0.turned_away(at(402)).0;
    user.last_verified_at = Some(at(350));
    user.devices = devices;
    user
}

fn device(n: u8, state: State) -> Device {
    Device {
        id: id(n),
        label: Label::parse(&format!("device {n}")).unwrap(),
        kind: Kind::Totp,
        parameters: Parameters { algorithm: Algorithm::Sha512, digits: 8, period: 60 },
        secret: Sealed(vec![n; 40]),
        state,
        last_step: Some(12),
        created_at: at(100),
        last_used_at: Some(at(350)),
    }
}

fn event(verb: &'static str, user: Option<&User>) -> Event {
    let subject = user.map(|u| Subject {
        id: u.id,
        name: u.name.as_str().into(),
        status: u.status().word(),
        rev: u.rev,
        device: Some("phone".into()),
        factor: Some("totp"),
    });
    Event {
        at: at(1000),
        verb,
        outcome: "done",
        operator: Operator { uid: 7, claim: Some("bob".into()) },
        ticket: Ticket {
            ticket: Some("T-1".into()),
            proof: Some("video".into()),
            reason: Some("because".into()),
        },
        subject,
        detail: Some("{}".into()),
    }
}

#[test]
fn a_user_comes_back_as_he_went() {
    let site = Site::new();
    site.change(|tx| tx.insert(&alice()).unwrap());
    assert_eq!(site.user("alice").unwrap().unwrap(), alice());
    let mut seen = Vec::new();
    let mut keep = |user| {
        seen.push(user);
        Ok(())
    };
    site.open().read().unwrap().users(&mut keep).unwrap();
    assert_eq!(seen, [alice()]);
    assert!(site.user("bob").unwrap().is_none());
}

#[test]
fn a_save_writes_what_differs_and_counts_the_revision() {
    let site = Site::new();
    site.change(|tx| tx.insert(&alice()).unwrap());
    let mut after = alice().revoke(None, at(600)).unwrap().user;
    after.devices.remove(0);
    after.devices.push(device(9, State::Active(Active { confirmed_at: at(1) })));
    assert_eq!(site.change(|tx| tx.save(&alice(), &after).unwrap()), 1);
    after.rev = 1;
    assert_eq!(site.user("alice").unwrap().unwrap(), after);
}

#[test]
fn a_save_over_another_revision_is_refused() {
    let site = Site::new();
    site.change(|tx| tx.insert(&alice()).unwrap());
    site.change(|tx| tx.save(&alice(), &alice()).unwrap());
    let mut store = site.open();
    let mut tx = store.begin(&site.vault).unwrap();
    assert_eq!(word(&tx.save(&alice(), &alice()).unwrap_err()), "damaged");
}

#[test]
fn what_is_dropped_never_happened() {
    let site = Site::new();
    let mut store = site.open();
    let mut tx = store.begin(&site.vault).unwrap();
    tx.insert(&alice()).unwrap();
    tx.append(&event("add-user", Some(&alice())), [1; 16]).unwrap();
    drop(tx);
    assert!(site.user("alice").unwrap().is_none());
    assert_eq!(site.change(|tx| tx.append(&event("x", None), [2; 16]).unwrap()), 2);
}

#[test]
fn a_removed_user_is_gone_with_all_devices() {
    let site = Site::new();
    site.change(|tx| tx.insert(&alice()).unwrap());
    site.change(|tx| tx.remove(&alice()).unwrap());
    assert!(site.user("alice").unwrap().is_none());
    site.change(|tx| tx.insert(&alice()).unwrap());
}

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

/// Each column is altered in turn; whatever it is, the user is no longer believed.
#[test]
fn an_altered_column_is_seen_whichever_it_is() {
    for (table, columns) in
        [("users", super::row::USER_COLUMNS), ("devices", super::row::DEVICE_COLUMNS)]
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

/// Every MAC fits, for the rows were ours once; but the log knows of a later revision.
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
fn a_second_writer_waits_for_the_first() {
    let site = Site::new();
    site.change(|tx| tx.insert(&alice()).unwrap());
    let total = 40;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..total / 4 {
                    site.change(|tx| {
                        let before = tx.user(&alice().name).unwrap().unwrap();
                        let mut after = before.clone();
                        after.created_at = before.created_at.plus(Span::seconds(1));
                        tx.save(&before, &after).unwrap()
                    });
                }
            });
        }
    });
    let user = site.user("alice").unwrap().unwrap();
    assert_eq!((user.rev, user.created_at), (total, at(100).plus(Span::seconds(total))));
}

#[test]
fn names_come_in_order_and_by_their_beginning() {
    let site = Site::new();
    for (n, name) in (10_u8..).zip(["bob", "alina", "alice", "al"]) {
        let user = User::new(id(n), UserName::parse(name).unwrap(), at(1));
        site.change(|tx| tx.insert(&user).unwrap());
    }
    let names = |prefix: &str, most: usize| {
        let mut found = Vec::new();
        let mut store = site.open();
        let mut snapshot = store.read().unwrap();
        let mut visit = |n: &str| {
            found.push(n.to_owned());
            found.len() < most
        };
        snapshot.names(prefix, &mut visit).unwrap();
        found
    };
    assert_eq!(names("", 9), ["al", "alice", "alina", "bob"]);
    assert_eq!(names("ali", 9), ["alice", "alina"]);
    assert_eq!(names("", 1), ["al"]);
    assert!(names("z", 9).is_empty());
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

#[test]
fn a_path_of_any_bytes_is_a_path() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(std::ffi::OsStr::from_bytes(b"a?b%20 #\xff.db"));
    let root = root(1);
    let identity = Identity { store: id(99), key: root.id() };
    let vault = Vault::new(&root, identity.store);
    sqlite::create(&path, &custody(), &vault, identity, &event("init", None), [0; 16]).unwrap();
    assert_eq!(files(folder.path()), 1);
    assert!(sqlite::open(&path, Access::Write, &custody()).is_ok());
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}
