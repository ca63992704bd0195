//! Many logins at once: what the locks of users and of the end of the log are for.

use std::collections::BTreeMap;
use std::sync::{Barrier, Mutex};
use std::thread;

use anyhow::Result;

use crate::domain::device::{Active, DeviceState};
use crate::domain::name::UserName;
use crate::domain::secret::Id;
use crate::domain::user::User;
use crate::store::tests::fixture::*;
use crate::store::{Change, Conflict, LockScope, SALT, WriteTx};

const USERS: u8 = 20;
const BATCHES: u8 = 16;
/// Each batch brings these codes of all users, one round after the other.
const CODES: std::ops::Range<u64> = 100..103;

fn name(n: u8) -> UserName {
    UserName::parse(&format!("user{n}")).unwrap()
}

/// A store with users whose ids are in another order than their names.
fn crowd() -> TestStore {
    let fixture = TestStore::new();
    fixture.change(|tx| {
        for n in 0..USERS {
            let mut user = User::new(id(200 - n * 7 % 100), name(n), at(1));
            user.devices.push(device(100 + n, DeviceState::Active(Active { confirmed_at: at(1) })));
            save(tx, Change::Insert(user)).unwrap();
        }
    });
    fixture
}

/// Accepts the code of each user for whom it is unused, and logs every try. Returns who was accepted.
fn decide(tx: &mut WriteTx<'_>, names: &[UserName], code: u64) -> Result<Vec<Id>> {
    let (mut changes, mut events, mut accepted) = (Vec::new(), Vec::new(), Vec::new());
    for before in tx.load(names)?.into_iter().flatten() {
        let mut after = before.clone();
        if before.devices[0].position < Some(code) {
            after.devices[0].position = Some(code);
            accepted.push(before.id);
        } else {
            after.throttle.turned_away += 1;
        }
        events.push(event("verify", Some(&before), [1; SALT]));
        changes.push(Change::Update { before, after });
    }
    tx.save(changes, events)?;
    Ok(accepted)
}

/// Runs a transaction, and again where it waited for too long: many tests may run on this machine. A deadlock fails the
/// test.
fn run<T>(
    fixture: &TestStore,
    scope: LockScope,
    work: impl Fn(&mut WriteTx<'_>) -> Result<T>,
) -> T {
    let mut store = fixture.open();
    for _ in 0..30 {
        let mut attempt = || {
            let mut tx = store.begin_scope(&fixture.vault, scope)?;
            let done = work(&mut tx)?;
            tx.commit()?;
            Ok(done)
        };
        match attempt() {
            Ok(done) => return done,
            Err(error) => {
                let error: anyhow::Error = error;
                assert!(error.downcast_ref::<Conflict>().is_none(), "{error:?}");
                assert_eq!(error_code(&error), "busy");
            }
        }
    }
    panic!("the store is busy")
}

#[test]
fn batches_of_the_same_users_end_without_a_deadlock_and_accept_each_code_once() {
    let fixture = crowd();
    let (start, accepted) = (Barrier::new(BATCHES.into()), Mutex::new(BTreeMap::new()));
    thread::scope(|scope| {
        for batch in 0..BATCHES {
            let (fixture, start, accepted) = (&fixture, &start, &accepted);
            scope.spawn(move || {
                // Each in another order.
                let mut names: Vec<_> = (0..USERS).map(name).collect();
                names.rotate_left((batch * 3 % USERS).into());
                if batch % 2 == 0 {
                    names.reverse();
                }
                start.wait();
                for code in CODES {
                    let new = run(fixture, LockScope::Users, |tx| decide(tx, &names, code));
                    let mut accepted = accepted.lock().unwrap();
                    for user in new {
                        *accepted.entry((user, code)).or_insert(0) += 1;
                    }
                }
            });
        }
    });
    let accepted = accepted.into_inner().unwrap();
    // Of a user whose later code came first, the earlier one is refused.
    assert!(accepted.values().all(|times| *times == 1), "{accepted:?}");
    let last = CODES.end - 1;
    assert_eq!(accepted.keys().filter(|(_, code)| *code == last).count(), usize::from(USERS));
    let mut store = fixture.open();
    let mut snapshot = store.read().unwrap();
    snapshot.check_all(&fixture.vault, &mut || {}).unwrap();
    let tries = u64::from(BATCHES) * u64::from(USERS) * (CODES.end - CODES.start);
    assert_eq!(snapshot.log().head().unwrap().seq, 1 + u64::from(USERS) + tries);
}

#[test]
fn operators_and_logins_change_the_same_users_at_once() {
    let fixture = crowd();
    let names: Vec<_> = (0..USERS).map(name).collect();
    thread::scope(|scope| {
        for worker in 0..6 {
            let (fixture, names) = (&fixture, &names);
            scope.spawn(move || {
                for n in 0..5 {
                    if worker % 3 > 0 {
                        run(fixture, LockScope::Users, |tx| decide(tx, names, 60 + n));
                        continue;
                    }
                    // Somebody who has the store may take users as they come.
                    run(fixture, LockScope::Store, |tx| {
                        let few = names.iter().rev().take(3).map(std::slice::from_ref);
                        few.map(|name| decide(tx, name, 50 + n)).collect::<Result<Vec<_>>>()
                    });
                }
            });
        }
    });
    fixture.open().read().unwrap().check_all(&fixture.vault, &mut || {}).unwrap();
}

/// Two refused attempts at once are two, though no event counts them.
#[test]
fn no_count_is_lost_where_nothing_is_logged() {
    let fixture = crowd();
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    run(&fixture, LockScope::Users, |tx| {
                        let before = load(tx, &name(3))?.unwrap();
                        let mut after = before.clone();
                        after.throttle.turned_away += 1;
                        tx.save(vec![Change::Update { before, after }], Vec::new())
                    });
                }
            });
        }
    });
    assert_eq!(fixture.user("user3").unwrap().unwrap().throttle.turned_away, 40);
}

#[test]
fn a_login_of_one_user_does_not_wait_for_that_of_another() {
    let fixture = crowd();
    if !fixture.engine.is_postgres() {
        return;
    }
    let (mut one, mut other) = (fixture.open(), fixture.open());
    let mut first = one.begin_scope(&fixture.vault, LockScope::Users).unwrap();
    assert!(load(&mut first, &name(1)).unwrap().is_some());
    let mut second = other.begin_scope(&fixture.vault, LockScope::Users).unwrap();
    decide(&mut second, &[name(2)], 70).unwrap();
    second.commit().unwrap();
    // The first one has seen an earlier end of the log, and goes on from the new one.
    assert_eq!(decide(&mut first, &[name(1)], 70).unwrap().len(), 1);
    // An operator waits for every login that has begun.
    assert!(other.begin(&fixture.vault).is_err());
    first.commit().unwrap();
    assert!(other.begin(&fixture.vault).is_ok());
    fixture.open().read().unwrap().check_all(&fixture.vault, &mut || {}).unwrap();
}

#[test]
fn a_login_loads_its_users_once() {
    let fixture = crowd();
    let mut store = fixture.open();
    let mut tx = store.begin_scope(&fixture.vault, LockScope::Users).unwrap();
    assert!(tx.load(&[name(1), name(2)]).is_ok());
    assert!(load(&mut tx, &name(2)).unwrap().is_some());
    assert_eq!(error_code(&load(&mut tx, &name(3)).unwrap_err()), "internal");
    drop(tx);
    let mut tx = store.begin(&fixture.vault).unwrap();
    assert!(
        load(&mut tx, &name(2)).unwrap().is_some() && load(&mut tx, &name(3)).unwrap().is_some()
    );
}

/// A set is written by one statement, which counts.
#[test]
fn a_set_with_a_row_that_is_gone_is_refused_as_a_whole() {
    let fixture = crowd();
    let mut store = fixture.open();
    let mut tx = store.begin(&fixture.vault).unwrap();
    let users: Vec<_> = tx.load(&[name(1), name(2)]).unwrap().into_iter().flatten().collect();
    let events: Vec<_> = users.iter().map(|user| event("verify", Some(user), [1; SALT])).collect();
    let changes = users.into_iter().map(|user| {
        let mut before = user.clone();
        before.rev += u64::from(before.name == name(2));
        Change::Update { after: User { required: true, ..before.clone() }, before }
    });
    let refused = tx.save(changes.collect(), events).and_then(|_| tx.commit());
    assert_eq!(error_code(&refused.unwrap_err()), "damaged");
    for n in [1, 2] {
        let user = fixture.user(name(n).as_str()).unwrap().unwrap();
        assert!(!user.required && user.rev == 0, "{user:?}");
    }
    assert_eq!(fixture.open().read().unwrap().log().head().unwrap().seq, 1 + u64::from(USERS));
}
