//! Reading the whole inventory: for a listing, and for a check of every row.

use anyhow::Result;

use crate::domain::audit::chain::Chain;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::keyring::Vault;
use crate::store::driver::{Driver, first};
use crate::store::row::{self, StoredMac, TOKEN_COLUMNS, Value};
use crate::store::sql;
use crate::store::token_table::{altered_with, check_mac};

/// A token as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedToken {
    pub serial: String,
    pub kind: String,
    /// `free`, or the state of the device that it is, or `lost` if its user is gone.
    pub state: String,
    pub user: Option<String>,
    pub model: Option<String>,
    pub added_at: Timestamp,
}

/// The word for a token in the drawer.
pub const FREE: &str = "free";
/// The word for a token whose user or device is gone, and its secret with it.
pub const LOST: &str = "lost";

/// Passes every token, by serial, to `visit` until it returns `false`. No MAC is checked and no secret is read.
pub fn tokens(
    driver: &mut dyn Driver,
    visit: &mut dyn FnMut(ListedToken) -> Result<bool>,
) -> Result<()> {
    let damaged = |column| -> Refusal { row::damaged_column("tokens", column) };
    driver.query(sql::TOKENS_LISTED, &[], &mut |row| {
        let text =
            |column, name| Ok::<_, anyhow::Error>(row.text(column)?.ok_or_else(|| damaged(name))?);
        let added_at = row.int(2)?.map(Timestamp::from_unix).and_then(Result::ok);
        let is_free = row.is_null(4)?;
        let state = row.text(6)?.unwrap_or_else(|| (if is_free { FREE } else { LOST }).to_owned());
        visit(ListedToken {
            serial: text(0, "serial")?,
            kind: text(1, "kind")?,
            added_at: added_at.ok_or_else(|| damaged("added_at"))?,
            model: row.text(3)?,
            user: row.text(5)?,
            state,
        })
    })
}

/// Checks the MAC of every token if there is a key, and that tokens and log agree if the whole log was verified.
/// `tampered` with what was found first. Returns their number.
pub fn check_tokens(
    driver: &mut dyn Driver,
    vault: Option<&Vault>,
    mut log: Option<&mut Chain>,
) -> Result<u64> {
    let mut count = 0;
    driver.query(&sql::TOKENS_WITH_MACS, &[], &mut |row| {
        let token = row::token(row)?;
        let mac = StoredMac::read(row, TOKEN_COLUMNS.len())?;
        vault.map_or(Ok(()), |vault| check_mac(vault, &token, &mac))?;
        if let Some(log) = &mut log {
            let compared = log.tokens.compare(&token);
            compared.map_err(|mismatch| altered_with(mismatch.words(token.serial.as_str())))?;
        }
        count += 1;
        Ok(true)
    })?;
    let Some(event) = log.and_then(|log| log.tokens.missing()) else { return Ok(count) };
    let seq = [Value::Int(event.cast_signed())];
    let device = first(driver, sql::EVENT_DEVICE, &seq, |row| row.text(0))?.flatten();
    Err(altered_with(format!(
        "the token {} is not in the store any more, although no event removed it (the newest about it is event {event})",
        crate::domain::text::shown(&device.unwrap_or_default())
    )))
}
