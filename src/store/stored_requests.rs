//! Requests as stored, and the check of their MACs.

use anyhow::Result;

use crate::domain::approval::Request;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::keyring::Vault;
use crate::store::driver::Driver;
use crate::store::row::{REQUEST_COLUMNS, StoredMac, request, request_mac};
use crate::store::sql;

/// All requests, oldest first, after checking their MACs. `tampered` when one does not match.
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
