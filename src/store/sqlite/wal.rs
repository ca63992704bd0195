//! When the write-ahead log is copied into the file and truncated.

use std::cell::Cell;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;

use crate::store::sqlite::busy_timeout;
use crate::store::sqlite::files::with_suffix;

/// Length of the write-ahead log in pages (4 KiB) from which a commit also runs a checkpoint: every
/// process reads the whole log when it opens the store, but a checkpoint costs two syncs.
const MAX_WAL_PAGES: i32 = 128;
/// The same when checkpoints are deferred: a checkpoint of twice as many pages keeps everybody waiting twice
/// as long, and saves nothing. Never more than a fraction of the file: pages in the log take space twice, and on
/// a disk that the log has filled no checkpoint can run.
const MAX_DEFERRED_PAGES: i32 = 2048;
const FILE_FRACTION: u64 = 8;
/// Length in bytes of a page in the log with its header.
const FRAME: u64 = 4096 + 24;

/// The hook after a commit: runs a truncating checkpoint when the log is long.
///
/// SQLite's automatic checkpoint does not truncate the log; only a later writer in the same process
/// reuses it from the start. With one write a process it would grow without limit.
#[expect(clippy::unnecessary_wraps, reason = "the signature of SQLite's hook")]
pub fn checkpoint(log: &mut Wal, pages: i32) -> rusqlite::Result<()> {
    if pages > MAX_WAL_PAGES {
        // The commit is already durable: if a reader is active, the next commit tries again.
        busy_timeout::stop_waiting();
        let _ = log.checkpoint_v2(CheckpointMode::TRUNCATE);
    }
    Ok(())
}

thread_local! {
    /// SQLite's hook is a plain function without captures, hence a thread local; a connection is used on
    /// one thread only.
    static CHECKPOINT_AT: Cell<i32> = const { Cell::new(MAX_WAL_PAGES) };
}

/// From now on a commit runs a checkpoint only when the log is very long.
pub fn defer_checkpoint(connection: &mut Connection, path: &Path) {
    fn checkpoint_late(log: &mut Wal, pages: i32) -> rusqlite::Result<()> {
        if pages > CHECKPOINT_AT.get() { checkpoint(log, pages) } else { Ok(()) }
    }
    let part = path.metadata().map_or(0, |m| m.len() / FRAME / FILE_FRACTION);
    let most = i32::try_from(part).unwrap_or(MAX_DEFERRED_PAGES);
    CHECKPOINT_AT.set(most.clamp(MAX_WAL_PAGES, MAX_DEFERRED_PAGES));
    let _ = connection.wal_hook(Some(checkpoint_late));
}

/// Runs a truncating checkpoint on a long log without waiting for locks.
pub fn checkpoint_if_long(connection: &Connection, path: &Path) {
    let longest = FRAME * u64::from(MAX_WAL_PAGES.unsigned_abs());
    if with_suffix(path, "-wal").metadata().is_ok_and(|m| m.len() > longest) {
        busy_timeout::stop_waiting();
        truncate_wal(connection);
    }
}

/// Copies the log into the file and truncates it, as far as active readers allow.
pub fn truncate_wal(connection: &Connection) {
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::domain::secret::Id;
    use crate::domain::time::Timestamp;
    use crate::files::file_trust::FilePolicy;
    use crate::keyring::{RootKey, Vault};
    use crate::store::initialize;
    use crate::store::sqlite::open::{create, open};
    use crate::store::sqlite::store::Sqlite;
    use crate::store::{Access, Identity, Store as _};

    /// Length of the write-ahead log in bytes after so many commits.
    fn wal_length_after(store: &mut Sqlite, vault: &Vault, commits: u32) -> u64 {
        for _ in 0..commits {
            let mut tx = store.begin(vault).unwrap();
            tx.dummy_write().unwrap();
            tx.commit().unwrap();
        }
        with_suffix(&store.path, "-wal").metadata().unwrap().len()
    }

    #[test]
    fn a_long_log_is_truncated_by_a_commit_or_by_deferred_upkeep() {
        let folder = tempfile::tempdir().unwrap();
        let (path, id) = (folder.path().join("m.db"), Id::new([1; Id::LENGTH]));
        let policy =
            FilePolicy { euid: rustix::process::geteuid().as_raw(), ..FilePolicy::default() };
        let root = RootKey::new(Zeroizing::new([7; RootKey::LENGTH]));
        let (identity, vault) = (Identity { store: id, key: root.id() }, Vault::new(&root, id));
        let made = create(&path, &policy, &vault, &mut |init| {
            initialize(init, identity, Timestamp::from_unix(1000)?)
        });
        assert!(made.unwrap());
        let mut store = open(&path, Access::Write, &policy).unwrap();
        let longest = FRAME * u64::from(MAX_WAL_PAGES.unsigned_abs());
        assert!(wal_length_after(&mut store, &vault, 300) < longest + 10 * FRAME);
        store.defer_upkeep();
        assert!(
            wal_length_after(&mut store, &vault, 300) < longest + 10 * FRAME,
            "a small file defers little"
        );
        CHECKPOINT_AT.set(MAX_DEFERRED_PAGES);
        assert!(wal_length_after(&mut store, &vault, 300) > longest + 10 * FRAME);
        store.upkeep();
        assert_eq!(wal_length_after(&mut store, &vault, 0), 0);
        wal_length_after(&mut store, &vault, 1);
        store.upkeep();
        assert_ne!(wal_length_after(&mut store, &vault, 0), 0, "a short one stays");
    }
}
