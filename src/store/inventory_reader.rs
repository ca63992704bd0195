//! Looks into the inventory without checking anything: for a plan, a hint, or the name of a user who is then loaded.

use anyhow::Result;

use crate::domain::name::UserName;
use crate::domain::serial::Serial;
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

    /// Passes every serial that is in use, by a token or by a device that was never one, in its folded form to `visit`
    /// until it returns `false`.
    pub fn serials(self, visit: &mut dyn FnMut(&str) -> bool) -> Result<()> {
        self.driver.query(sql::SERIALS, &[], &mut |row| {
            Ok(row.text(0)?.is_none_or(|serial| visit(&Serial::stored(serial).folded())))
        })
    }

    /// The name of the user who has the token; `None` if nobody has it.
    pub fn holder(self, serial: &Serial) -> Result<Option<UserName>> {
        let folded = [Value::Text(serial.folded())];
        let name = first(self.driver, sql::TOKEN_HOLDER, &folded, |row| row.text(0))?.flatten();
        Ok(name.map(UserName::stored))
    }
}
