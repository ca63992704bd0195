//! A token of the inventory as columns.

use anyhow::Result;

use super::device::{factor, factor_values};
use super::{
    Reader, Row, Value, bytes, damaged_column, maybe_number, maybe_text, number, put_columns, time,
};
use crate::domain::audit::event::Canonical;
use crate::domain::factor::Factor;
use crate::domain::factor::drift::Drift;
use crate::domain::secret::{Id, Sealed, Stamp};
use crate::domain::serial::Serial;
use crate::domain::token::{Fingerprint, Token, TokenState};
use crate::keyring::{MAC, Vault};

/// The columns of `tokens`, without the row id and the MAC. `folded` is the serial in the form in which it is unique.
/// A free token has a secret, an assigned one has a holder, and a removed one has neither.
pub const TOKEN_COLUMNS: &[&str] = &[
    "id",
    "serial",
    "folded",
    "fingerprint",
    "kind",
    "algorithm",
    "digits",
    "period",
    "drift",
    "secret",
    "holder",
    "position",
    "model",
    "added_at",
    "rev",
    "stamp",
    "added_by",
];

/// The values of [`TOKEN_COLUMNS`].
pub fn token_values(token: &Token) -> Vec<Value> {
    let [kind, algorithm, digits, period, drift] = factor_values(&token.factor);
    vec![
        bytes(token.id.bytes()),
        Value::Text(token.serial.as_str().to_owned()),
        Value::Text(folded(&token.serial, token.id, token.is_removed())),
        bytes(token.fingerprint.bytes()),
        kind,
        algorithm,
        digits,
        period,
        drift,
        token.secret().map_or(Value::Null, |secret| bytes(&secret.0)),
        token.holder().map_or(Value::Null, |user| bytes(user.bytes())),
        maybe_number(token.position),
        maybe_text(token.model.as_deref()),
        time(token.added_at),
        number(token.rev),
        bytes(token.stamp.bytes()),
        maybe_number(token.added_by),
    ]
}

/// The serial in the form in which it is unique. That of a removed token may be another token's now.
fn folded(serial: &Serial, id: Id, is_removed: bool) -> String {
    if is_removed { id.to_string() } else { serial.folded() }
}

/// The MAC of a token's row.
pub fn token_mac(vault: &Vault, values: &[Value]) -> [u8; MAC] {
    let mut row = Canonical::default();
    put_columns(&mut row, TOKEN_COLUMNS, values);
    vault.state_mac("token", &row)
}

/// A token from [`TOKEN_COLUMNS`] starting at index 0.
pub fn token(row: &dyn Row) -> Result<Token> {
    let mut r = Reader::new(row, "tokens", TOKEN_COLUMNS, 0);
    let id = r.id()?;
    let serial = Serial::stored(r.text()?);
    let found = r.text()?;
    let fingerprint = Fingerprint::new(r.bytes()?.try_into().map_err(|_| r.damaged())?);
    let factor = factor(&mut r)?;
    let factor = match (r.maybe_int()?, factor) {
        (Some(steps), Factor::Totp(parameters)) => {
            Factor::TotpToken(parameters, Drift::new(steps).ok_or_else(|| r.damaged())?)
        }
        (None, factor @ (Factor::Hotp(_) | Factor::Yubikey)) => factor,
        _ => return Err(r.damaged()),
    };
    let secret = r.maybe_bytes()?;
    let holder = r.maybe_bytes()?.map(Id::try_from_bytes);
    let state = match (secret, holder) {
        (Some(secret), None) => TokenState::Free(Sealed(secret)),
        (None, Some(Some(user))) => TokenState::Assigned(user),
        (None, None) => TokenState::Removed,
        _ => return Err(damaged_column("tokens", "holder").into()),
    };
    if found != folded(&serial, id, matches!(state, TokenState::Removed)) {
        return Err(damaged_column("tokens", "folded").into());
    }
    Ok(Token {
        id,
        serial,
        fingerprint,
        factor,
        state,
        position: r.maybe_number()?,
        model: r.maybe_text()?,
        added_at: r.time()?,
        rev: r.number()?,
        stamp: Stamp::new(r.bytes()?.try_into().map_err(|_| r.damaged())?),
        added_by: r.maybe_number()?,
    })
}
