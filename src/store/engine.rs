//! The interface of a database that holds a store.

use anyhow::Result;

use crate::domain::audit::event::Head;
use crate::domain::time::Timestamp;
use crate::keyring::Vault;
use crate::store::identity::Identity;
use crate::store::lock_scope::LockScope;
use crate::store::read_tx::ReadTx;
use crate::store::write_tx::WriteTx;

/// An open store.
pub trait Store {
    /// The ids of the store and of the key that seals it, read once at opening.
    fn identity(&self) -> Identity;

    /// The database server's time at opening; `None` where the database uses this machine's clock.
    fn clock(&self) -> Option<Timestamp> {
        None
    }

    /// Whether the open store is still the one at its location: the file may have been replaced since,
    /// or the server may have closed the connection.
    fn is_there(&self) -> bool;

    /// The settings of the database's server that are off although a commit is safe only with them; `None`
    /// where the database has no server.
    fn settings_off(&mut self) -> Result<Option<Vec<String>>> {
        Ok(None)
    }

    /// Moves the maintenance that a commit does (checkpoints) to [`Store::upkeep`], for a caller that
    /// makes many commits and has to answer quickly between them.
    fn defer_upkeep(&mut self) {}

    /// Does the deferred maintenance while nobody waits. A failure only postpones it.
    fn upkeep(&mut self) {}

    /// Takes the whole store until the commit; `busy` when another writer holds it for too long.
    fn begin<'a>(&'a mut self, vault: &'a Vault) -> Result<WriteTx<'a>> {
        self.begin_scope(vault, LockScope::Store)
    }

    /// Begins a change. What is not in its scope is locked as it is needed; `busy` when another writer holds it for
    /// too long.
    fn begin_scope<'a>(&'a mut self, vault: &'a Vault, scope: LockScope) -> Result<WriteTx<'a>>;

    /// Begins again after a [`crate::store::Conflict`], within the time limit that started with
    /// [`Store::begin_scope`]; `None` once that has passed.
    fn begin_again<'a>(
        &'a mut self,
        vault: &'a Vault,
        scope: LockScope,
    ) -> Result<Option<WriteTx<'a>>> {
        self.begin_scope(vault, scope).map(Some)
    }

    /// Takes the write lock to replace the whole content; `busy` when the log no longer ends at `head`,
    /// or when another writer holds the lock for too long.
    fn replace_all<'a>(&'a mut self, vault: &'a Vault, head: &Head) -> Result<WriteTx<'a>>;

    /// A consistent view for verbs that only read: no lock, no key, no writes.
    fn read(&mut self) -> Result<ReadTx<'_>>;
}

/// Writes the initial content of a new store.
pub type InitialContent<'c> = &'c mut dyn FnMut(&mut WriteTx<'_>) -> Result<()>;
