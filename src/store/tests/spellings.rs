//! Users whose names an earlier version spelt in another way are found by what was typed then, and by what is typed
//! now.

use crate::domain::name::UserName;
use crate::domain::user::User;
use crate::store::tests::fixture::*;
use crate::store::{Change, WriteTx};

fn insert(tx: &mut WriteTx<'_>, number: u8, name: &str) {
    let user = User::new(id(number), UserName::stored(name.to_owned()), at(100));
    save(tx, Change::Insert(user)).unwrap();
}

/// The stored name of the user who is found, under the lock and without it.
fn found(fixture: &TestStore, typed: &str) -> Option<String> {
    let user = fixture.user(typed).unwrap();
    let name = UserName::parse(typed).unwrap();
    let read = fixture.open().read().unwrap().user(&name).unwrap();
    assert_eq!(user, read, "{typed}");
    user.map(|user| user.name.as_str().to_owned())
}

#[test]
fn w5_a_user_who_was_stored_in_capitals_is_found_by_every_spelling() {
    let fixture = TestStore::new();
    fixture.change(|tx| {
        insert(tx, 1, "νίκοσ");
        insert(tx, 2, "weiß");
    });
    for typed in ["ΝΊΚΟΣ", "νίκος", "νίκοσ", "Νίκος"] {
        assert_eq!(found(&fixture, typed).as_deref(), Some("νίκοσ"), "{typed}");
    }
    for typed in ["weiß", "WEIẞ", "WEISS", "weiss"] {
        assert_eq!(found(&fixture, typed).as_deref(), Some("weiß"), "{typed}");
    }
    assert_eq!(found(&fixture, "νίκο"), None);
}

#[test]
fn w5_of_two_users_who_are_one_today_each_is_found_by_what_they_typed() {
    let fixture = TestStore::new();
    fixture.change(|tx| {
        insert(tx, 1, "νίκοσ");
        insert(tx, 2, "νίκος");
        insert(tx, 3, "weiß");
        insert(tx, 4, "weiss");
    });
    for (typed, name) in [
        ("ΝΊΚΟΣ", "νίκοσ"),
        ("νίκοσ", "νίκοσ"),
        ("νίκος", "νίκος"),
        ("Νίκος", "νίκος"),
        ("weiß", "weiß"),
        ("WEISS", "weiss"),
    ] {
        assert_eq!(found(&fixture, typed).as_deref(), Some(name), "{typed}");
    }
}

#[test]
fn w5_an_old_name_can_be_changed_and_saved() {
    let fixture = TestStore::new();
    fixture.change(|tx| insert(tx, 1, "νίκοσ"));
    let name = UserName::parse("ΝΊΚΟΣ").unwrap();
    fixture.change(|tx| {
        let before = load(tx, &name).unwrap().unwrap();
        let after = User { name: name.for_new_user().unwrap(), ..before.clone() };
        save(tx, Change::Update { before, after }).unwrap();
    });
    assert_eq!(found(&fixture, "ΝΊΚΟΣ").as_deref(), Some("νίκος"));
    fixture.open().read().unwrap().check_records(Some(&fixture.vault), None, &mut || {}).unwrap();
}
