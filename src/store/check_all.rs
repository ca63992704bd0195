//! The check of everything that has a MAC.

use anyhow::Result;

use crate::keyring::Vault;
use crate::store::checks::altered_log_end;
use crate::store::driver::Driver;
use crate::store::integrity::{check_chain, signed_head};
use crate::store::stored_requests::requests;
use crate::store::stored_user::check_users;
use crate::store::token_query::check_tokens;

/// Checks everything that has a MAC: the log with its guarded end, every user and device, every token, and every request.
/// Calls `progress` for each event and each user. `tampered` with what was found first.
pub fn check_all(driver: &mut dyn Driver, vault: &Vault, progress: &mut dyn FnMut()) -> Result<()> {
    let mut chain = check_chain(driver, vault, progress)?;
    let signed_head = signed_head(driver)?.filter(|signed_head| signed_head.head == chain.head);
    match signed_head {
        Some(signed_head) if signed_head.is_authentic(vault)? => {}
        _ => return Err(altered_log_end().into()),
    }
    check_users(driver, Some(vault), Some(&mut chain), progress)?.all_good()?;
    check_tokens(driver, Some(vault), Some(&mut chain))?;
    requests(driver, vault).map(drop)
}
