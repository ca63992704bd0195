//! Tests of the store's interface, for every database.

mod fixture;
mod fleet;
mod interleavings;
mod reading;
mod requests;
mod spellings;
mod tampering;
mod tokens;

use std::path::Path;

use crate::domain::device::{Active, DeviceState};
use crate::domain::name::UserName;
use crate::domain::remembered::RememberedLogins;
use crate::domain::time::Span;
use crate::domain::user::User;
use crate::keyring::Vault;
use crate::store::{Access, Change, Identity, LoggedChange, SALT, WriteTx, initialize, sqlite};

use crate::store::tests::fixture::*;

#[test]
fn a_saved_user_is_read_back() {
    let fixture = TestStore::new();
    fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
    assert_eq!(fixture.user("alice").unwrap().map(unstamped), Some(alice()));
    let mut seen = Vec::new();
    let mut keep = |user| {
        seen.push(unstamped(user));
        Ok(())
    };
    fixture.open().read().unwrap().users(crate::store::Order::default(), &mut keep).unwrap();
    assert_eq!(seen, [alice()]);
    assert!(fixture.user("bob").unwrap().is_none());
}

#[test]
fn a_save_writes_the_differences_and_increments_the_revision() {
    let fixture = TestStore::new();
    fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
    let mut after = alice().revoke(None, at(600)).unwrap().user;
    after.devices.remove(0);
    after.devices.push(device(9, DeviceState::Active(Active { confirmed_at: at(1) })));
    let change = Change::Update { before: alice(), after: after.clone() };
    after.rev = 1;
    // A device in use was taken away.
    after.remembered = RememberedLogins::default();
    let saved = fixture.change(|tx| save(tx, change).unwrap());
    assert_eq!(fixture.user("alice").unwrap(), Some(saved.clone()));
    assert_eq!(unstamped(saved), after);
}

#[test]
fn a_save_over_another_revision_is_refused() {
    let fixture = TestStore::new();
    fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
    let change = || {
        let after = User { required: false, ..alice() };
        Change::Update { before: alice(), after }
    };
    fixture.change(|tx| save(tx, change()).unwrap());
    let mut store = fixture.open();
    let mut tx = store.begin(&fixture.vault).unwrap();
    // A database on a server writes with the commit.
    let refused = save(&mut tx, change()).and_then(|_| tx.commit());
    assert_eq!(error_code(&refused.unwrap_err()), "damaged");
    assert_eq!(fixture.user("alice").unwrap().unwrap().rev, 1);
}

#[test]
fn a_change_without_a_difference_writes_nothing() {
    let fixture = TestStore::new();
    let added = fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
    let same = Change::Update { before: added.clone(), after: added.clone() };
    for change in [same, Change::Keep(added.clone())] {
        assert_eq!(fixture.change(|tx| save(tx, change).unwrap()), added);
        assert_eq!(fixture.user("alice").unwrap(), Some(added.clone()));
    }
}

#[test]
fn users_are_loaded_and_saved_in_sets() {
    let fixture = TestStore::new();
    let bob = User::new(id(7), UserName::parse("bob").unwrap(), at(100));
    let carol = User::new(id(8), UserName::parse("carol").unwrap(), at(100));
    fixture.change(|tx| {
        save(tx, Change::Insert(alice())).unwrap();
        save(tx, Change::Insert(bob.clone())).unwrap()
    });
    let names = [bob.name.clone(), carol.name.clone(), alice().name];
    let loaded = fixture.change(|tx| tx.load(&names).unwrap());
    let loaded: Vec<_> = loaded.into_iter().map(|user| user.map(unstamped)).collect();
    assert_eq!(loaded, [Some(bob.clone()), None, Some(alice())]);
    let events = |users: [&User; 4]| {
        users.map(|user| {
            let verb = if user.name == alice().name { "remove-user" } else { "x" };
            event(verb, Some(user), [5; SALT])
        })
    };
    let saved = fixture.change(|tx| {
        let mut users = tx.load(&names).unwrap().into_iter().flatten();
        let (before, removed) = (users.next().unwrap(), users.next().unwrap());
        let after = User { required: true, ..before.clone() };
        let changes = vec![
            Change::Update { before, after },
            Change::Insert(carol.clone()),
            Change::Remove(removed),
        ];
        tx.save(changes, events([&alice(), &bob, &carol, &bob]).to_vec()).unwrap()
    });
    assert_eq!(saved.iter().map(|user| user.rev).collect::<Vec<_>>(), [1, 0, 1]);
    let mut logged = Vec::new();
    let mut visit = |change: LoggedChange| {
        logged.push((change.seq, change.user, change.was.unwrap_or_default()));
        Ok(())
    };
    fixture.open().read().unwrap().log().logged_changes(3, &mut visit).unwrap();
    // The second event about bob records no change.
    let recorded: Vec<_> = logged.iter().map(|(seq, user, _)| (*seq, *user)).collect();
    assert_eq!(recorded, [(6, id(8)), (5, id(7)), (4, id(1))]);
    assert!(logged[0].2.contains("absent") && logged[2].2.contains("created_at"));
    assert_eq!(logged[1].2, r#"{"required":false}"#);
    assert!(fixture.user("alice").unwrap().is_none());
    assert!(fixture.open().read().unwrap().check_all(&fixture.vault, &mut || {}).is_ok());
}

#[test]
fn an_event_about_a_user_who_is_not_among_the_changes_is_refused() {
    let fixture = TestStore::new();
    let mut store = fixture.open();
    let mut tx = store.begin(&fixture.vault).unwrap();
    let event = event("x", Some(&alice()), [1; SALT]);
    assert_eq!(error_code(&append(&mut tx, event).unwrap_err()), "internal");
}

#[test]
fn a_dropped_transaction_changes_nothing() {
    let fixture = TestStore::new();
    let mut store = fixture.open();
    let mut tx = store.begin(&fixture.vault).unwrap();
    let event = event("add-user", Some(&alice()), [1; SALT]);
    tx.save(vec![Change::Insert(alice())], vec![event]).unwrap();
    drop(tx);
    assert!(fixture.user("alice").unwrap().is_none());
    assert_eq!(fixture.open().read().unwrap().log().head().unwrap().seq, 1);
}

#[test]
fn removing_a_user_removes_all_devices() {
    let fixture = TestStore::new();
    fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
    fixture.change(|tx| save(tx, Change::Remove(alice())).unwrap());
    assert!(fixture.user("alice").unwrap().is_none());
    fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
}

#[test]
fn a_second_writer_waits_for_the_first() {
    let fixture = TestStore::new();
    fixture.change(|tx| save(tx, Change::Insert(alice())).unwrap());
    let total = 40;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..total / 4 {
                    fixture.change(|tx| {
                        let before = load(tx, &alice().name).unwrap().unwrap();
                        let mut after = before.clone();
                        after.created_at = before.created_at.plus(Span::seconds(1));
                        save(tx, Change::Update { before, after }).unwrap()
                    });
                }
            });
        }
    });
    let user = fixture.user("alice").unwrap().unwrap();
    assert_eq!((user.rev, user.created_at), (total, at(100).plus(Span::seconds(total))));
}

#[test]
fn names_are_listed_in_order_by_prefix() {
    let fixture = TestStore::new();
    for (n, name) in (10_u8..).zip(["bob", "alina", "alice", "al"]) {
        let user = User::new(id(n), UserName::parse(name).unwrap(), at(1));
        fixture.change(|tx| save(tx, Change::Insert(user)).unwrap());
    }
    let names = |prefix: &str, most: usize| {
        let mut found = Vec::new();
        let mut store = fixture.open();
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
fn a_path_may_contain_any_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(std::ffi::OsStr::from_bytes(b"a?b%20 #\xff.db"));
    let root = root(1);
    let identity = Identity { store: id(99), key: root.id() };
    let vault = Vault::new(&root, identity.store);
    let mut content = |init: &mut WriteTx<'_>| initialize(init, identity, at(1));
    sqlite::create(&path, &policy(), &vault, &mut content).unwrap();
    assert_eq!(files(folder.path()), 1);
    assert!(sqlite::open(&path, Access::Write, &policy()).is_ok());
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}
