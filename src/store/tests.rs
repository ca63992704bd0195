//! Tests of the store's interface, for every database.

mod fixture;
mod reading;
mod requests;
mod tampering;

use std::path::Path;

use crate::domain::device::{Active, DeviceState};
use crate::domain::name::UserName;
use crate::domain::time::Span;
use crate::domain::user::User;
use crate::keyring::Vault;
use crate::store::{Access, sqlite};
use crate::store::{Identity, StoreInit};

use crate::store::tests::fixture::*;

#[test]
fn a_saved_user_is_read_back() {
    let fixture = TestStore::new();
    fixture.change(|tx| tx.insert(&alice()).unwrap());
    assert_eq!(fixture.user("alice").unwrap().unwrap(), alice());
    let mut seen = Vec::new();
    let mut keep = |user| {
        seen.push(user);
        Ok(())
    };
    fixture.open().read().unwrap().users(crate::store::Order::default(), &mut keep).unwrap();
    assert_eq!(seen, [alice()]);
    assert!(fixture.user("bob").unwrap().is_none());
}

#[test]
fn a_save_writes_the_differences_and_increments_the_revision() {
    let fixture = TestStore::new();
    fixture.change(|tx| tx.insert(&alice()).unwrap());
    let mut after = alice().revoke(None, at(600)).unwrap().user;
    after.devices.remove(0);
    after.devices.push(device(9, DeviceState::Active(Active { confirmed_at: at(1) })));
    assert_eq!(fixture.change(|tx| tx.save(&alice(), &after).unwrap()), 1);
    after.rev = 1;
    assert_eq!(fixture.user("alice").unwrap().unwrap(), after);
}

#[test]
fn a_save_over_another_revision_is_refused() {
    let fixture = TestStore::new();
    fixture.change(|tx| tx.insert(&alice()).unwrap());
    fixture.change(|tx| tx.save(&alice(), &alice()).unwrap());
    let mut store = fixture.open();
    let mut tx = store.begin(&fixture.vault).unwrap();
    assert_eq!(error_code(&tx.save(&alice(), &alice()).unwrap_err()), "damaged");
}

#[test]
fn a_dropped_transaction_changes_nothing() {
    let fixture = TestStore::new();
    let mut store = fixture.open();
    let mut tx = store.begin(&fixture.vault).unwrap();
    tx.insert(&alice()).unwrap();
    tx.append(&event("add-user", Some(&alice())), [1; 16]).unwrap();
    drop(tx);
    assert!(fixture.user("alice").unwrap().is_none());
    assert_eq!(fixture.change(|tx| tx.append(&event("x", None), [2; 16]).unwrap()), 2);
}

#[test]
fn removing_a_user_removes_all_devices() {
    let fixture = TestStore::new();
    fixture.change(|tx| tx.insert(&alice()).unwrap());
    fixture.change(|tx| tx.remove(&alice()).unwrap());
    assert!(fixture.user("alice").unwrap().is_none());
    fixture.change(|tx| tx.insert(&alice()).unwrap());
}

#[test]
fn a_second_writer_waits_for_the_first() {
    let fixture = TestStore::new();
    fixture.change(|tx| tx.insert(&alice()).unwrap());
    let total = 40;
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..total / 4 {
                    fixture.change(|tx| {
                        let before = tx.user(&alice().name).unwrap().unwrap();
                        let mut after = before.clone();
                        after.created_at = before.created_at.plus(Span::seconds(1));
                        tx.save(&before, &after).unwrap()
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
        fixture.change(|tx| tx.insert(&user).unwrap());
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
    let mut content = |init: &mut dyn StoreInit| init.initialize(identity, at(1));
    sqlite::create(&path, &policy(), &vault, &mut content).unwrap();
    assert_eq!(files(folder.path()), 1);
    assert!(sqlite::open(&path, Access::Write, &policy()).is_ok());
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}
