//! Looks into the inventory without checking anything: for a plan, a hint, or the name of a user who is then loaded.

use anyhow::Result;

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

impl<'t> InventoryReader<'t> {
    pub fn of(snapshot: &'t mut ReadTx<'_>) -> Self {
        Self { driver: &mut *snapshot.driver }
    }

    pub fn under_lock(tx: &'t mut WriteTx<'_>) -> Self {
        Self { driver: &mut *tx.driver }
    }

    /// Passes each token's serial in its folded form, and the fingerprint of its secret, to `visit` until it returns
    /// `false`.
    pub fn marks(self, visit: &mut dyn FnMut(&str, Option<Fingerprint>) -> bool) -> Result<()> {
        self.driver.query(sql::TOKEN_MARKS, &[], &mut |row| {
            let fingerprint = row.bytes_ref(1)?.and_then(|bytes| bytes.try_into().ok());
            Ok(row
                .text_ref(0)?
                .is_none_or(|serial| visit(serial, fingerprint.map(Fingerprint::new))))
        })
    }

    /// The name of the user who has the token; `None` if nobody has it.
    pub fn holder(self, serial: &Serial) -> Result<Option<UserName>> {
        let folded = [Value::Text(serial.folded())];
        let name = first(self.driver, sql::TOKEN_HOLDER, &folded, |row| row.text(0))?.flatten();
        Ok(name.map(UserName::stored))
    }
}
