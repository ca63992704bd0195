//! The inventory: what is believed of it, and what is noticed.

use super::fixture::*;
use crate::domain::audit::event::Event;
use crate::domain::factor::Factor;
use crate::domain::factor::drift::Drift;
use crate::domain::factor::totp::Parameters;
use crate::domain::secret::{Sealed, Stamp};
use crate::domain::serial::Serial;
use crate::domain::token::{Fingerprint, Token, TokenState};
use crate::store::row::TOKEN_COLUMNS;
use crate::store::{NewEvent, SALT, Store, TokenChange, WriteTx};

fn serial(text: &str) -> Serial {
    Serial::parse(text).unwrap()
}

fn token(n: u8) -> Token {
    Token {
        id: id(n),
        serial: serial(&format!("GALT{n}")),
        fingerprint: Fingerprint::new([n; 16]),
        factor: Factor::TotpToken(Parameters::COMMON, Drift::new(-2).unwrap()),
        state: TokenState::Free(Sealed(vec![n; 40])),
        position: Some(12),
        model: Some("Example, C200".into()),
        added_at: at(1000),
        rev: 0,
        stamp: Stamp::NONE,
        added_by: None,
    }
}

fn about(token: Option<&Token>, verb: &'static str, salt: u8) -> NewEvent {
    let NewEvent { event, salt } = event(verb, None, [salt; SALT]);
    NewEvent { event: Event { token: token.map(|token| token.id), ..event }, salt }
}

fn add(tx: &mut WriteTx<'_>, tokens: impl IntoIterator<Item = Token>) -> usize {
    let addition = tx.inventory().begin_adding(&about(None, "add-tokens", 1)).unwrap();
    tokens.into_iter().filter(|token| tx.inventory().add(token.clone(), addition).unwrap()).count()
}

fn update(tx: &mut WriteTx<'_>, after: impl Fn(Token) -> Token, salt: u8) -> Token {
    let before = tx.inventory().token(&serial("GALT1")).unwrap().unwrap();
    let after = after(before.clone());
    let event = about(Some(&after), "assign", salt);
    tx.inventory().save(TokenChange::Update { before, after }, &event).unwrap()
}

/// A store with two tokens, the first of which was assigned and returned.
fn used() -> TestStore {
    let fixture = TestStore::new();
    fixture.change(|tx| add(tx, [token(1), token(2)]));
    fixture.change(|tx| update(tx, |token| token.assigned(id(9)), 2));
    fixture
        .change(|tx| update(tx, |t| t.returned(Sealed(vec![7; 40]), token(1).factor, Some(40)), 3));
    fixture
}

fn found(fixture: &TestStore, of: &str) -> Result<Option<Token>, &'static str> {
    found_with(&mut fixture.open(), fixture, of)
}

fn found_with(
    store: &mut Box<dyn Store>,
    fixture: &TestStore,
    of: &str,
) -> Result<Option<Token>, &'static str> {
    let mut tx = store.begin(&fixture.vault).unwrap();
    tx.inventory().token(&serial(of)).map_err(|error| error_code(&error))
}

#[test]
fn a_token_is_read_back_as_it_was_saved() {
    let fixture = used();
    let second = found(&fixture, "galt2").unwrap().unwrap();
    assert_eq!((second.rev, second.added_by), (0, Some(2)));
    let (stamp, added_by) = (second.stamp, second.added_by);
    assert_eq!(second, Token { stamp, added_by, ..token(2) });
    let first = found(&fixture, "GALT1").unwrap().unwrap();
    assert_eq!((first.rev, first.position), (2, Some(40)));
    assert_ne!(first.stamp, second.stamp);
    assert_eq!(found(&fixture, "GALT3"), Ok(None));
    assert_eq!(fixture.check(), Ok(()));
}

#[test]
fn a_serial_is_unique_in_any_case_and_so_is_a_secret() {
    let fixture = TestStore::new();
    let other = Token { id: id(5), serial: serial("galt1"), ..token(3) };
    let twin = Token { fingerprint: token(1).fingerprint, ..token(4) };
    assert_eq!(fixture.change(|tx| add(tx, [token(1), other, twin, token(2)])), 2);
    assert_eq!(found(&fixture, "galt1").unwrap().unwrap().id, id(1));
}

#[test]
fn an_alteration_of_any_column_is_detected() {
    for column in TOKEN_COLUMNS.iter().chain(&["mac"]) {
        let fixture = used();
        if *column == "holder" {
            fixture.change(|tx| update(tx, |token| token.assigned(id(9)), 4));
        }
        let change = match *column {
            "serial" => "'galt1'".to_owned(),
            "folded" => "'galt7'".to_owned(),
            _ => fixture.engine.another("tokens", column),
        };
        let row = "serial = 'GALT1'";
        fixture.sql(&format!("UPDATE tokens SET {column} = {change} WHERE {row}"));
        let serial = if *column == "folded" { "GALT7" } else { "GALT1" };
        let error = found(&fixture, serial).unwrap_err();
        assert!(matches!(error, "tampered" | "damaged"), "{column}: {error}");
        let error = fixture.check().unwrap_err();
        assert!(matches!(error, "tampered" | "damaged"), "{column}: {error}");
    }
}

#[test]
fn a_row_of_another_time_is_not_believed() {
    for events in 1..=2 {
        let fixture = TestStore::new();
        fixture.change(|tx| add(tx, [token(1), token(2)]));
        // Opened before the edit: opening refuses an additional table.
        let mut store = fixture.open();
        fixture.sql("CREATE TABLE earlier AS SELECT * FROM tokens");
        let mut tx = store.begin(&fixture.vault).unwrap();
        update(&mut tx, |token| token.assigned(id(9)), 2);
        if events == 2 {
            let returned = |t: Token| t.returned(Sealed(vec![7; 40]), token(1).factor, Some(40));
            update(&mut tx, returned, 3);
        }
        tx.commit().unwrap();
        fixture.sql("DELETE FROM tokens WHERE serial = 'GALT1'");
        assert_eq!(fixture.check_with(&mut store), Err("tampered"), "the row is gone");
        fixture.sql(
            "INSERT INTO tokens SELECT * FROM earlier WHERE serial = 'GALT1'; DROP TABLE earlier",
        );
        assert_eq!(found(&fixture, "GALT1"), Err("tampered"));
        assert_eq!(fixture.check_with(&mut store), Err("tampered"));
        assert!(found(&fixture, "GALT2").unwrap().is_some(), "the other one is as it was");
    }
}

#[test]
fn a_removed_token_does_not_come_back_also_after_a_pruning() {
    for prunes in [false, true] {
        let fixture = TestStore::new();
        fixture.change(|tx| add(tx, [token(1), token(2)]));
        let mut store = fixture.open();
        fixture.sql("CREATE TABLE earlier AS SELECT * FROM tokens");
        let mut tx = store.begin(&fixture.vault).unwrap();
        let removed = tx.inventory().token(&serial("GALT1")).unwrap().unwrap();
        let event = about(Some(&removed), "remove-token", 2);
        let after = removed.clone().removed(None);
        tx.inventory().save(TokenChange::Update { before: removed, after }, &event).unwrap();
        tx.commit().unwrap();
        assert_eq!(found_with(&mut store, &fixture, "GALT1"), Ok(None));
        assert_eq!(fixture.check_with(&mut store), Ok(()));
        if prunes {
            let mut tx = store.begin(&fixture.vault).unwrap();
            append(&mut tx, about(None, "backup", 3)).unwrap();
            for folded in tx.inventory().logged_up_to(3).unwrap() {
                let kept = tx.inventory().any(&folded).unwrap().unwrap();
                let event = about(Some(&kept), "log", 4);
                tx.inventory().save(TokenChange::Keep(kept), &event).unwrap();
            }
            assert_eq!(tx.prune(3).unwrap(), 3);
            tx.commit().unwrap();
            let second = found_with(&mut store, &fixture, "GALT2").unwrap().unwrap();
            assert_eq!((second.rev, second.added_by), (0, Some(2)));
        }
        fixture.sql(
            "DELETE FROM tokens WHERE serial = 'GALT1'; \
             INSERT INTO tokens SELECT * FROM earlier WHERE serial = 'GALT1'; DROP TABLE earlier",
        );
        assert_eq!(found(&fixture, "GALT1"), Err("tampered"), "pruned: {prunes}");
        assert_eq!(fixture.check_with(&mut store), Err("tampered"), "pruned: {prunes}");
    }
}

#[test]
fn a_token_that_nobody_added_is_not_believed() {
    let fixture = TestStore::new();
    fixture.change(|tx| {
        append(tx, event("backup", None, [9; SALT])).unwrap();
        add(tx, [token(1)])
    });
    for wrong in ["added_by = 1", "added_by = 2", "added_by = NULL", "added_by = 4", "rev = 1"] {
        fixture.sql(&format!("UPDATE tokens SET {wrong}"));
        assert_eq!(found(&fixture, "GALT1"), Err("tampered"), "{wrong}");
        fixture.sql("UPDATE tokens SET added_by = 3, rev = 0");
        assert!(found(&fixture, "GALT1").unwrap().is_some());
    }
}

#[test]
fn what_nobody_changed_is_not_written_and_what_somebody_changed_is_refused() {
    let fixture = used();
    let old = found(&fixture, "GALT1").unwrap().unwrap();
    fixture.change(|tx| update(tx, |token| token.assigned(id(9)), 4));
    let mut store = fixture.open();
    let mut tx = store.begin(&fixture.vault).unwrap();
    let event = about(Some(&old), "assign", 5);
    let change = TokenChange::Update { before: old.clone(), after: old.assigned(id(8)) };
    assert_eq!(error_code(&tx.inventory().save(change, &event).unwrap_err()), "damaged");
}

impl TestStore {
    fn check(&self) -> Result<(), &'static str> {
        self.check_with(&mut self.open())
    }

    fn check_with(&self, store: &mut Box<dyn Store>) -> Result<(), &'static str> {
        let mut read = store.read().unwrap();
        read.check_all(&self.vault, &mut || {}).map_err(|error| error_code(&error))
    }
}

#[test]
fn a_removed_token_is_known_by_its_secret_and_leaves_its_serial_to_another() {
    let fixture = used();
    let removed = fixture.change(|tx| update(tx, |token| token.removed(None), 6));
    assert_eq!(found(&fixture, "GALT1"), Ok(None));
    let other = Token { id: id(7), fingerprint: Fingerprint::new([7; 16]), ..token(1) };
    assert_eq!(fixture.change(|tx| add(tx, [other.clone(), token(1)])), 1);
    assert_eq!(found(&fixture, "GALT1").unwrap().unwrap().id, other.id);
    let mut store = fixture.open();
    let mut tx = store.begin(&fixture.vault).unwrap();
    assert_eq!(tx.inventory().removed(other.fingerprint).unwrap(), None);
    let known = tx.inventory().removed(token(1).fingerprint).unwrap().unwrap();
    assert_eq!(known, removed);
    let again = known.added_again(Token { serial: serial("NEW1"), position: Some(3), ..token(1) });
    assert_eq!((again.id, again.position), (id(1), Some(40)), "the position is kept");
    drop(tx);
    assert_eq!(fixture.check(), Ok(()));
    fixture.sql("UPDATE tokens SET position = 3 WHERE secret IS NULL AND holder IS NULL");
    let mut tx = store.begin(&fixture.vault).unwrap();
    let found = tx.inventory().removed(token(1).fingerprint).map_err(|error| error_code(&error));
    assert_eq!(found, Err("tampered"));
}
