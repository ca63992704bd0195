//! Looks into the inventory without checking anything: for a plan, a hint, or the name of a user who is then loaded.

use anyhow::Result;

use crate::domain::factor::hotp;
use crate::domain::name::UserName;
use crate::domain::serial::Serial;
use crate::domain::token::Fingerprint;
use crate::store::driver::{Driver, first};
use crate::store::read_tx::ReadTx;
use crate::store::row::Value;
use crate::store::sql;
use crate::store::write_tx::WriteTx;

/// The inventory as a transaction sees it.
pub struct InventoryReader<'t> {
    driver: &'t mut dyn Driver,
}

/// What no two tokens share.
pub struct TokenMarks<'m> {
    /// The serial in its folded form.
    pub folded: &'m str,
    /// Of the secret.
    pub fingerprint: Option<Fingerprint>,
    pub state: MarkState,
}

/// Whether the inventory still has a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkState {
    There,
    /// It may be added once more.
    Removed,
    /// Nobody knows which of its codes are used up.
    RemovedLost,
}

impl<'t> InventoryReader<'t> {
    pub fn of(snapshot: &'t mut ReadTx<'_>) -> Self {
        Self { driver: &mut *snapshot.driver }
    }

    pub fn under_lock(tx: &'t mut WriteTx<'_>) -> Self {
        Self { driver: &mut *tx.driver }
    }

    /// Passes the marks of each token to `visit` until it returns `false`.
    pub fn marks(self, visit: &mut dyn FnMut(&TokenMarks<'_>) -> bool) -> Result<()> {
        self.driver.query(sql::TOKEN_MARKS, &[], &mut |row| {
            let fingerprint = row.bytes_ref(1)?.and_then(|bytes| bytes.try_into().ok());
            let Some(folded) = row.text_ref(0)? else { return Ok(true) };
            let is_lost = row.int(3)?.is_some_and(|n| n.cast_unsigned() == hotp::LAST_COUNTER);
            let state = match (row.is_null(2)?, is_lost) {
                (true, _) => MarkState::There,
                (false, false) => MarkState::Removed,
                (false, true) => MarkState::RemovedLost,
            };
            Ok(visit(&TokenMarks { folded, fingerprint: fingerprint.map(Fingerprint::new), state }))
        })
    }

    /// Whether a device has this serial, whatever the row of the token says.
    pub fn has_device(self, serial: &Serial) -> Result<bool> {
        let value = [Value::Text(serial.as_str().to_owned())];
        Ok(first(self.driver, sql::DEVICE_OF_SERIAL, &value, |_| Ok(()))?.is_some())
    }

    /// The name of the user who has the token; `None` if nobody has it.
    pub fn holder(self, serial: &Serial) -> Result<Option<UserName>> {
        let folded = [Value::Text(serial.folded())];
        let name = first(self.driver, sql::TOKEN_HOLDER, &folded, |row| row.text(0))?.flatten();
        Ok(name.map(UserName::stored))
    }
}
