//! Requests for a second operator's approval, each with a MAC.

use anyhow::Result;

use crate::domain::approval::Request;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::keyring::Vault;
use crate::store::checks::one_row;
use crate::store::driver::Driver;
use crate::store::row::{REQUEST_COLUMNS, StoredMac, request, request_mac, request_values};
use crate::store::sql;
use crate::store::write_tx::{WriteTx, bytes};

impl WriteTx<'_> {
    /// All requests, oldest first, after checking their MACs. `tampered` when a MAC does not match.
    pub fn requests(&mut self) -> Result<Vec<Request>> {
        requests(&mut *self.driver, self.vault)
    }

    /// Inserts a request.
    pub fn insert_request(&mut self, request: &Request) -> Result<()> {
        let mut values = request_values(request);
        values.push(StoredMac::value(self.vault, &request_mac(self.vault, request)));
        one_row(self.driver.execute(&sql::INSERT_REQUEST, &values)?)
    }

    /// Removes a request, which must exist.
    pub fn remove_request(&mut self, id: Id) -> Result<()> {
        one_row(self.driver.execute(sql::REMOVE_REQUEST, &[bytes(id.bytes())])?)
    }

    /// Removes the requests that are no longer open.
    pub fn remove_closed_requests(&mut self, now: Timestamp) -> Result<()> {
        for old in self.requests()?.iter().filter(|request| !request.is_open(now)) {
            self.remove_request(old.id)?;
        }
        Ok(())
    }
}

/// All requests, oldest first, after checking their MACs.
pub fn requests(driver: &mut dyn Driver, vault: &Vault) -> Result<Vec<Request>> {
    let mut found = Vec::new();
    driver.query(&sql::REQUESTS, &[], &mut |row| {
        let mac = StoredMac::read(row, REQUEST_COLUMNS.len())?;
        found.push((request(row)?, mac));
        Ok(true)
    })?;
    let proved = |(request, mac): (Request, StoredMac)| {
        if mac.is(vault, &request_mac(vault, &request))? {
            return Ok(request);
        }
        let message = "a request to a second operator was altered outside of mfactl";
        Err(Refusal::new(ErrorCode::Tampered, message)
            .hint("restore a backup, and find out who can write to the store")
            .into())
    };
    found.into_iter().map(proved).collect()
}
