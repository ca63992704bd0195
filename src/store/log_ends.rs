//! The two ends of the log: where it starts after a pruning, and where it ends, each with its MAC.

use anyhow::Result;

use crate::domain::audit::beginning::Beginning;
use crate::domain::audit::chain::Chain;
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

/// What is wrong where [`LogStart::beginning`] is not true.
const WRONG_BEGINNING: &str =
    "the time of its creation, or since when it records changes, was altered";

impl LogStart {
    /// Whether the MAC of the start is valid; a log that was never pruned needs none. `key` when another
    /// generation of the root key made it.
    pub fn is_authentic(&self, vault: &Vault) -> Result<bool, Refusal> {
        Ok(self.at.is_none()
            || self.head == Head::START
            || self.is_pruned(vault, true)?
            || self.is_pruned(vault, false)?)
    }

    /// Whether the log may lack users: a program before schema 5 pruned it, which kept no event about those to whom
    /// nothing had happened since.
    pub fn may_lack_users(&self, vault: &Vault) -> Result<bool, Refusal> {
        Ok(self.head != Head::START && self.is_pruned(vault, false)?)
    }

    /// What the start and the store say about how the log begins.
    #[must_use]
    pub fn beginning(&self, created_at: Timestamp) -> Beginning {
        Beginning::claimed(created_at.unix(), self.at.map(Timestamp::unix))
    }

    /// What is wrong with the start, once the whole log was added to the chain.
    #[must_use]
    pub fn mismatch(&self, chain: &Chain) -> Option<String> {
        let is_wrong = self.head == Head::START && !chain.beginning.is_true();
        let wrong_times = is_wrong.then(|| WRONG_BEGINNING.to_owned());
        chain.prunings.mismatch(self.head.seq).or(wrong_times)
    }

    fn is_pruned(&self, vault: &Vault, names_everybody: bool) -> Result<bool, Refusal> {
        let Some((at, mac)) = self.at.zip(self.mac.as_ref()) else { return Ok(false) };
        mac.is(vault, &vault.start_mac(&self.head, at, names_everybody))
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
