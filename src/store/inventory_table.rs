//! The inventory in a write transaction: each token is proved before it is believed, and each change is an event.

use anyhow::Result;

use crate::domain::secret::Stamp;
use crate::domain::serial::Serial;
use crate::domain::token::{Fingerprint, Token};
use crate::keyring::Vault;
use crate::store::change::NewEvent;
use crate::store::driver::Driver;
use crate::store::log_tail::{LogTail, SavedSubject};
use crate::store::saved_token::{SavedToken, TokenChange};
use crate::store::token_table;

/// The tokens, with the end of the log that their events go to.
pub struct InventoryTable<'i> {
    pub(super) driver: &'i mut dyn Driver,
    pub(super) vault: &'i Vault,
    pub(super) log: &'i mut LogTail,
}

impl InventoryTable<'_> {
    /// The token with this serial, in any case; `tampered` for a row that is not what the newest event about it left.
    pub fn token(&mut self, serial: &Serial) -> Result<Option<Token>> {
        Ok(self.any(&serial.folded())?.filter(|token| !token.is_removed()))
    }

    /// The token with this folded serial, also a removed one.
    pub fn any(&mut self, folded: &str) -> Result<Option<Token>> {
        let head = self.log.end(self.driver, self.vault)?;
        token_table::find(self.driver, self.vault, &head, folded)
    }

    /// The removed token that had this secret.
    pub fn removed(&mut self, fingerprint: Fingerprint) -> Result<Option<Token>> {
        let head = self.log.end(self.driver, self.vault)?;
        token_table::find_removed(self.driver, self.vault, &head, fingerprint)
    }

    /// Saves a token with the event about it. Returns the token with its new revision and stamp.
    pub fn save(&mut self, change: TokenChange, event: &NewEvent) -> Result<Token> {
        let mut saved = SavedToken::of(change);
        let subject = SavedSubject::Token(&mut saved);
        self.log.append(self.driver, self.vault, event, subject)?;
        token_table::write(self.driver, self.vault, &saved)?;
        Ok(saved.token)
    }

    /// Appends the event that adds tokens, of which [`InventoryTable::add`] is told.
    pub fn begin_adding(&mut self, event: &NewEvent) -> Result<Addition> {
        self.driver.expect_bulk()?;
        let head = self.log.append(self.driver, self.vault, event, SavedSubject::None)?;
        Ok(Addition { event: head.seq, stamp: Stamp::of(&head.hash) })
    }

    /// Inserts a token that an event adds together with others. `Ok(false)` when another
    /// one has its serial or its secret.
    pub fn add(&mut self, token: Token, addition: Addition) -> Result<bool> {
        let Addition { event, stamp } = addition;
        let token = Token { rev: 0, stamp, added_by: Some(event), ..token };
        token_table::insert(self.driver, self.vault, &token)
    }

    /// The folded serials of tokens of which neither the newest event nor the addition is later than this event.
    pub fn logged_up_to(&mut self, last: u64) -> Result<Vec<String>> {
        token_table::logged_up_to(self.driver, last)
    }
}

/// The event that adds tokens.
#[derive(Clone, Copy, Debug)]
pub struct Addition {
    event: u64,
    stamp: Stamp,
}
