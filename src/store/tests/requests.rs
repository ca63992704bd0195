//! Tests of requests for approval: stored unchanged, and rejected when altered.

use crate::domain::approval::Request;
use crate::domain::audit::event::Operator;
use crate::keyring::Vault;
use crate::store::Change;
use crate::store::row::REQUEST_COLUMNS;
use crate::store::tests::fixture::*;

fn request(n: u8, made_at: i64) -> Request {
    Request {
        id: id(n),
        made_at: at(made_at),
        operator: Operator { uid: u32::MAX - 1, claim: Some("hana".into()) },
        verb: "disable".into(),
        user_id: id(1),
        user: "alice".into(),
        words: vec!["--reason=\"é\"".into(), "--".into(), "alice".into()],
    }
}

fn found(fixture: &TestStore) -> anyhow::Result<Vec<Request>> {
    fixture.open().begin(&fixture.vault)?.requests().all()
}

#[test]
fn requests_are_read_back_until_they_are_removed() {
    let fixture = TestStore::new();
    let plain = Request { operator: Operator::default(), ..request(9, 1000) };
    let all = [request(8, 2000), plain, request(7, 90_000)];
    for request in &all {
        fixture.change(|tx| tx.requests().insert(request).unwrap());
    }
    assert_eq!(found(&fixture).unwrap(), all);
    fixture.change(|tx| tx.requests().remove_all_but(&all[1..]).unwrap());
    assert_eq!(found(&fixture).unwrap(), all[1..]);
    let open = fixture.change(|tx| tx.requests().open(at(1000)).unwrap());
    assert_eq!(open, [], "the log has no event of them");
}

#[test]
fn removing_a_user_removes_their_requests() {
    let fixture = TestStore::new();
    fixture.change(|tx| {
        save(tx, Change::Insert(alice()))
            .and_then(|_| tx.requests().insert(&request(8, 1000)))
            .unwrap();
    });
    fixture.change(|tx| save(tx, Change::Remove(alice())).unwrap());
    assert_eq!(found(&fixture).unwrap(), []);
}

#[test]
fn an_alteration_of_any_column_of_a_request_is_detected() {
    for column in REQUEST_COLUMNS.iter().chain(&["mac"]) {
        let fixture = TestStore::new();
        fixture.change(|tx| tx.requests().insert(&request(8, 1000)).unwrap());
        let change = match *column {
            "request" => "replace(request, 'alice', 'bob')".to_owned(),
            _ => fixture.engine.another("requests", column),
        };
        fixture.sql(&format!("UPDATE requests SET \"{column}\" = {change}"));
        assert_eq!(error_code(&found(&fixture).unwrap_err()), "tampered", "{column}");
    }
    let fixture = TestStore::new();
    fixture.change(|tx| tx.requests().insert(&request(8, 1000)).unwrap());
    let other = Vault::new(&root(2), id(99));
    assert_eq!(
        error_code(&fixture.open().begin(&other).unwrap().requests().all().unwrap_err()),
        "tampered"
    );
}
