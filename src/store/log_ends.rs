//! The two ends of the log: where it starts after a pruning, and where it ends, each with its MAC.

use anyhow::Result;

use crate::domain::audit::event::Head;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::keyring::Vault;
use crate::store::row::StoredMac;

/// The start of a log.
#[derive(Clone, Debug)]
pub struct LogStart {
    /// The last event that was pruned.
    pub head: Head,
    /// The log has no record of the time before this.
    pub at: Option<Timestamp>,
    /// `None` when the log has no record of its start.
    pub mac: Option<StoredMac>,
}

impl LogStart {
    /// Whether the MAC of the start is valid; a log that was never pruned needs none. `key` when another
    /// generation of the root key made it.
    pub fn is_authentic(&self, vault: &Vault) -> Result<bool, Refusal> {
        match (self.at, &self.mac) {
            (None, _) => Ok(true),
            _ if self.head == Head::START => Ok(true),
            (Some(at), Some(mac)) => mac.is(vault, &vault.start_mac(&self.head, at)),
            (Some(_), None) => Ok(false),
        }
    }
}

/// The stored end of a log with its MAC.
#[derive(Clone, Debug)]
pub struct SignedHead {
    pub head: Head,
    mac: StoredMac,
}

impl SignedHead {
    pub const fn new(head: Head, mac: StoredMac) -> Self {
        Self { head, mac }
    }

    /// Whether the MAC is valid; `key` when another generation of the root key made it.
    pub fn is_authentic(&self, vault: &Vault) -> Result<bool, Refusal> {
        self.mac.is(vault, &vault.head_mac(&self.head))
    }
}
