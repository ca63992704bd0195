//! A request to a second operator as columns.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{Reader, Row, Value, bytes, maybe_text, put, time};
use crate::domain::approval::Request;
use crate::domain::audit::event::{Canonical, Operator};
use crate::keyring::{MAC, Vault};

pub const REQUEST_COLUMNS: &[&str] =
    &["id", "made_at", "operator_uid", "operator_claim", "verb", "user_id", "request"];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RequestJson {
    user: String,
    words: Vec<String>,
}

pub fn request_values(request: &Request) -> Vec<Value> {
    let json = RequestJson { user: request.user.clone(), words: request.words.clone() };
    vec![
        bytes(request.id.bytes()),
        time(request.made_at),
        Value::Int(request.operator.uid.into()),
        maybe_text(request.operator.claim.as_deref()),
        Value::Text(request.verb.clone()),
        bytes(request.user_id.bytes()),
        // Serialising cannot fail: there are no map keys, only strings.
        Value::Text(serde_json::to_string(&json).unwrap_or_default()),
    ]
}

pub fn request_mac(vault: &Vault, request: &Request) -> [u8; MAC] {
    let mut row = Canonical::default();
    for (column, value) in REQUEST_COLUMNS.iter().zip(request_values(request)) {
        put(&mut row, column, &value);
    }
    vault.state_mac("request", &row)
}

pub fn request(row: &dyn Row) -> Result<Request> {
    let mut r = Reader::new(row, "requests", REQUEST_COLUMNS, 0);
    let (id, made_at) = (r.id()?, r.time()?);
    let operator = Operator { uid: r.number()?, claim: r.maybe_text()? };
    let (verb, user_id) = (r.text()?, r.id()?);
    let json: RequestJson = serde_json::from_str(&r.text()?).map_err(|_| r.damaged())?;
    let RequestJson { user, words } = json;
    Ok(Request { id, made_at, operator, verb, user_id, user, words })
}
