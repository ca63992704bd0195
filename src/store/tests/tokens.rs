//! The inventory: what is believed of it, and what is noticed.

use super::fixture::*;
use crate::domain::audit::event::Event;
use crate::domain::factor::Factor;
use crate::domain::factor::drift::Drift;
use crate::domain::factor::totp::Parameters;
use crate::domain::secret::{Sealed, Stamp};
use crate::domain::serial::Serial;
use crate::domain::token::{Token, TokenState};
use crate::store::row::TOKEN_COLUMNS;
use crate::store::{NewEvent, SALT, TokenChange, WriteTx};

fn serial(text: &str) -> Serial {
    Serial::parse(text).unwrap()
}

fn token(n: u8) -> Token {
    Token {
        id: id(n),
        serial: serial(&format!("GALT{n}")),
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
    let addition = tx.begin_adding(&about(None, "add-tokens", 1)).unwrap();
    tokens.into_iter().filter(|token| tx.add_token(token.clone(), addition).unwrap()).count()
}

fn update(tx: &mut WriteTx<'_>, after: impl Fn(Token) -> Token, salt: u8) -> Token {
    let before = tx.token(&serial("GALT1")).unwrap().unwrap();
    let after = after(before.clone());
    let event = about(Some(&after), "assign", salt);
    tx.save_token(TokenChange::Update { before, after }, &event).unwrap()
}

/// A store with two tokens, the first of which was assigned and returned.
fn used() -> TestStore {
    let fixture = TestStore::new();
    fixture.change(|tx| add(tx, [token(1), token(2)]));
    fixture.change(|tx| update(tx, |token| token.assigned(id(9)), 2));
    fixture.change(|tx| {
        update(tx, |t| t.returned(Sealed(vec![7; 40]), token(1).factor, Some(40)), 3)
    });
    fixture
}

fn found(fixture: &TestStore, of: &str) -> Result<Option<Token>, &'static str> {
    let mut store = fixture.open();
    let mut tx = store.begin(&fixture.vault).unwrap();
    tx.token(&serial(of)).map_err(|error| error_code(&error))
}

#[test]
fn a_token_is_read_back_as_it_was_saved() {
    let fixture = used();
    let second = found(&fixture, "galt2").unwrap().unwrap();
    assert_eq!((second.rev, second.added_by), (0, Some(1)));
    let (stamp, added_by) = (second.stamp, second.added_by);
    assert_eq!(second, Token { stamp, added_by, ..token(2) });
    let first = found(&fixture, "GALT1").unwrap().unwrap();
    assert_eq!((first.rev, first.position), (2, Some(40)));
    assert_ne!(first.stamp, second.stamp);
    assert_eq!(found(&fixture, "GALT3"), Ok(None));
    assert_eq!(fixture.check(), Ok(()));
}

#[test]
fn a_serial_is_unique_in_any_case() {
    let fixture = TestStore::new();
    let other = Token { id: id(5), serial: serial("galt1"), ..token(1) };
    assert_eq!(fixture.change(|tx| add(tx, [token(1), other, token(2)])), 2);
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
        fixture.sql("CREATE TABLE earlier AS SELECT * FROM tokens");
        let earlier = fixture.rows_of("earlier");
        fixture.sql("DROP TABLE earlier");
        fixture.change(|tx| update(tx, |token| token.assigned(id(9)), 2));
        if events == 2 {
            let returned = |t: Token| t.returned(Sealed(vec![7; 40]), token(1).factor, Some(40));
            fixture.change(|tx| update(tx, returned, 3));
        }
        assert_eq!(fixture.check(), Ok(()));
        fixture.sql("DELETE FROM tokens WHERE serial = 'GALT1'");
        assert_eq!(fixture.check(), Err("tampered"), "the row is gone");
        fixture.put_row("tokens", &earlier[0]);
        assert_eq!(found(&fixture, "GALT1"), Err("tampered"));
        assert_eq!(fixture.check(), Err("tampered"));
        assert!(found(&fixture, "GALT2").unwrap().is_some(), "the other one is as it was");
    }
}
