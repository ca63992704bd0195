//! The table of the inventory in a write transaction: rows with their MACs, each proved by the log before it is believed.

use anyhow::{Error, Result};

use crate::domain::audit::event::{Head, Subject, SubjectId};
use crate::domain::audit::logged_tokens::ADDITION;
use crate::domain::audit::proved_event::prove_event;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Stamp;
use crate::domain::serial::Serial;
use crate::domain::token::{Fingerprint, Token};
use crate::keyring::Vault;
use crate::store::checks::one_row;
use crate::store::driver::{Driver, first};
use crate::store::newest_event::{hash_before, newest_event};
use crate::store::row::{
    self, StoredMac, TOKEN_COLUMNS, Value, bytes, token, token_mac, token_values,
};
use crate::store::saved_token::{SavedToken, TokenChange};
use crate::store::sql;

/// The token with this folded serial, as its newest event left it. `tampered` for a row that was altered, or put
/// there from another copy of the store. `head` is the guarded end of the log.
pub fn find(
    driver: &mut dyn Driver,
    vault: &Vault,
    head: &Head,
    folded: &str,
) -> Result<Option<Token>> {
    let found = read_one(driver, &sql::TOKEN, Value::Text(folded.to_owned()))?;
    proved(driver, vault, head, found)
}

fn read_one(
    driver: &mut dyn Driver,
    sql: &str,
    value: Value,
) -> Result<Option<(Token, StoredMac)>> {
    first(driver, sql, &[value], |row| {
        Ok((token(row)?, StoredMac::read(row, TOKEN_COLUMNS.len())?))
    })
}

/// The token, if its row is the one that its newest event left.
fn proved(
    driver: &mut dyn Driver,
    vault: &Vault,
    head: &Head,
    found: Option<(Token, StoredMac)>,
) -> Result<Option<Token>> {
    let Some((token, mac)) = found else { return Ok(None) };
    check_mac(vault, &token, &mac)?;
    let is_newest = match newest_event(driver, vault, head, SubjectId::Token(token.id.bytes()))? {
        Some(newest) => newest.left(token.rev, Some(token.stamp)),
        None => token.rev == 0 && is_of_addition(driver, vault, head, &token)?,
    };
    if is_newest { Ok(Some(token)) } else { Err(altered(&token.serial)) }
}

/// The removed token that had this secret, as its newest event left it.
pub fn find_removed(
    driver: &mut dyn Driver,
    vault: &Vault,
    head: &Head,
    fingerprint: Fingerprint,
) -> Result<Option<Token>> {
    let found = read_one(driver, &sql::TOKEN_OF_SECRET, bytes(fingerprint.bytes()))?;
    proved(driver, vault, head, found.filter(|(token, _)| token.is_removed()))
}

/// `tampered` for a MAC that is not that of the token's row.
pub fn check_mac(vault: &Vault, token: &Token, mac: &StoredMac) -> Result<()> {
    if mac.is(vault, &token_mac(vault, &token_values(token)))? {
        Ok(())
    } else {
        Err(altered(&token.serial))
    }
}

/// The refusal of a token whose row is not what was written last.
pub fn altered(serial: &Serial) -> Error {
    altered_with(format!("the record of the token {serial} was altered outside of mfactl"))
}

pub fn altered_with(message: String) -> Error {
    Refusal::new(ErrorCode::Tampered, message)
        .hint("restore a backup, and find out who can write to the store")
        .into()
}

/// Whether the event that the token names is in the log, proves, and added the tokens of a file.
fn is_of_addition(
    driver: &mut dyn Driver,
    vault: &Vault,
    head: &Head,
    token: &Token,
) -> Result<bool> {
    let Some(seq) = token.added_by.filter(|seq| *seq <= head.seq) else { return Ok(false) };
    let Some(previous) = hash_before(driver, seq)? else { return Ok(false) };
    let number = [Value::Int(seq.cast_signed())];
    let mac = |head: &Head, subject: Option<Subject<'_>>, generation| {
        vault.event_mac_by(generation, head, subject)
    };
    let proved = first(driver, &sql::EVENT_TO_PROVE, &number, |row| {
        let (entry, proof) = row::proved_event(row)?;
        let proved = prove_event(&entry, &proof, &previous, Some(&mac));
        Ok(proved.is_ok_and(|proved| {
            entry.verb == ADDITION && Stamp::of(&proved.head.hash) == token.stamp
        }))
    })?;
    Ok(proved.unwrap_or(false))
}

/// Inserts the row of a new token. `Ok(false)` when another one has its serial or its secret.
pub fn insert(driver: &mut dyn Driver, vault: &Vault, token: &Token) -> Result<bool> {
    let mut values = token_values(token);
    values.push(StoredMac::value(vault, &token_mac(vault, &values)));
    Ok(driver.execute(&sql::INSERT_TOKEN, &values)? == 1)
}

/// Writes the row of a token whose event was appended.
pub fn write(driver: &mut dyn Driver, vault: &Vault, saved: &SavedToken) -> Result<()> {
    let by_id = |token: &Token| [bytes(token.id.bytes()), Value::Int(token.rev.cast_signed())];
    match &saved.change {
        TokenChange::Keep(_) => Ok(()),
        TokenChange::Insert(_) => {
            if insert(driver, vault, &saved.token)? {
                Ok(())
            } else {
                Err(taken(&saved.token.serial))
            }
        }
        TokenChange::Update { before, .. } => {
            let values = token_values(&saved.token);
            let mac = StoredMac::value(vault, &token_mac(vault, &values));
            let (columns, mut values) = row::changed(TOKEN_COLUMNS, &token_values(before), values);
            values.push(mac);
            values.extend(by_id(before));
            one_row(driver.execute(&sql::update_token(&columns), &values)?)
        }
    }
}

/// The refusal for a serial or a secret that the inventory has already.
fn taken(serial: &Serial) -> Error {
    let message = format!("the inventory has a token {serial} already, or one with its secret");
    Refusal::new(ErrorCode::BadInput, message).field("serial").into()
}

/// The folded serials of tokens of which neither the newest event nor the addition is later than this event.
pub fn logged_up_to(driver: &mut dyn Driver, last: u64) -> Result<Vec<String>> {
    let mut serials = Vec::new();
    let last = Value::Int(last.cast_signed());
    driver.query(sql::TOKENS_LOGGED_UP_TO, &[last.clone(), last], &mut |row| {
        serials.extend(row.text(0)?);
        Ok(true)
    })?;
    Ok(serials)
}
