//! Creating, checking and opening the file.

use std::cell::Cell;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::wal::CheckpointMode;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::files::file_trust::{FileKind, FilePolicy, display_path, folder_of, not_created};
use crate::files::new_file::{Draft, is_empty};
use crate::keyring::{KeyId, Vault};
use crate::store::sqlite::driver::SqliteDriver;
use crate::store::sqlite::write_queue::WriteQueue;
use crate::store::sqlite::{Sqlite, busy_timeout, schema, store_error};
use crate::store::write_tx::WriteTx;
use crate::store::{Access, Identity, InitialContent, Transaction as _};

/// Length of the write-ahead log in pages (4 KiB) from which a commit also runs a checkpoint: every
/// process reads the whole log when it opens the store, but a checkpoint costs two syncs.
const MAX_WAL_PAGES: i32 = 128;
/// The same when checkpoints are deferred, but never more than a fraction of the file: pages in the log
/// take space twice, and on a disk that the log has filled no checkpoint can run.
const MAX_DEFERRED_PAGES: i32 = 4096;
const FILE_FRACTION: u64 = 8;
/// Length in bytes of a page in the log with its header.
const FRAME: u64 = 4096 + 24;

/// Opens an existing store.
///
/// `store_unavailable` when there is none, `not_permitted` for a file that is not trusted, `damaged`,
/// `tampered` or `config` for one with another schema.
pub fn open(path: &Path, access: Access, policy: &FilePolicy) -> Result<Sqlite> {
    if !policy.check(path, FileKind::Store)? {
        return Err(Refusal::new(
            ErrorCode::StoreUnavailable,
            format!("there is no store at {}", display_path(path)),
        )
        .hint("create one with: mfactl init")
        .into());
    }
    for file in &files(path)[1..] {
        policy.check(file, FileKind::Sidecar)?;
    }
    let path = resolved(path)?;
    let queue = WriteQueue::of(&path, policy);
    // Taken before opening, so that a file replaced in between counts as replaced.
    let file_id = file_id(&path);
    let opened = connect(&path, access, false).and_then(|c| configure(c, access));
    let opened = match opened {
        // SQLite can't create the side files in a folder that we may not write to; without them the
        // store opens only as immutable.
        Err(error)
            if access == Access::Read && has_empty_wal(&path) && needs_side_files(&error) =>
        {
            connect(&path, access, true).and_then(|c| configure(c, access))
        }
        opened => opened,
    };
    let busy_timeout = busy_timeout::limit(access);
    opened.map(|(connection, identity)| Sqlite {
        connection,
        path,
        file_id,
        identity,
        queue,
        busy_timeout,
        has_written: false,
    })
}

/// The file of the store, and its side files.
#[must_use]
pub fn files(path: &Path) -> Vec<PathBuf> {
    ["", "-wal", "-shm", "-journal", "-queue"].map(|suffix| with_suffix(path, suffix)).to_vec()
}

/// Whether there is no file, or an empty one that is trusted.
pub fn is_free(path: &Path, policy: &FilePolicy) -> Result<bool> {
    Ok(!policy.check(path, FileKind::Store)?
        || (is_empty(path) && !files(path)[1..].iter().any(|file| file.exists())))
}

/// Creates a store; `false` when there is a file with content already, which is left unchanged.
pub fn create(
    path: &Path,
    policy: &FilePolicy,
    vault: &Vault,
    content: InitialContent<'_>,
) -> Result<bool> {
    let draft = Draft::create(path, 0o600).map_err(|e| not_created(path, &e))?;
    let temporary = draft.temporary().to_owned();
    let made = write_draft(&temporary, vault, content)
        .and_then(|()| policy.share_file(&temporary, FileKind::Store))
        .and_then(|()| match draft.install()? {
            None => Ok(true),
            Some(draft) => Ok(is_free(path, policy)? && draft.install_over_empty()?),
        });
    if !matches!(made, Ok(true)) {
        for suffix in ["-journal", "-wal", "-shm"] {
            let _ = std::fs::remove_file(with_suffix(&temporary, suffix));
        }
    }
    match made {
        // A faster process has installed its own and removed our draft while we filled it.
        Err(_) if path.exists() => Ok(false),
        made => made,
    }
}

/// Migrates an older schema in one transaction; `false` when it was up to date.
pub fn migrate(path: &Path, policy: &FilePolicy) -> Result<bool> {
    policy.check(path, FileKind::Store)?;
    let mut connection = connect(&resolved(path)?, Access::Write, false)?;
    busy_timeout::start(busy_timeout::limit(Access::Write));
    connection.busy_handler(Some(busy_timeout::try_again)).map_err(store_error)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(store_error)?;
    let tx = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(store_error)?;
    let version = schema::version(&tx)?;
    if version < schema::VERSION {
        schema::migrate(&tx, version)?;
    }
    schema::check(&tx)?;
    tx.commit().map_err(store_error)?;
    Ok(version < schema::VERSION)
}

fn write_draft(draft: &Path, vault: &Vault, content: InitialContent<'_>) -> Result<()> {
    // SQLite gives its side files the mode of the file.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(draft, flags).map_err(store_error)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(store_error)?;
    let tx = connection.transaction().map_err(store_error)?;
    schema::migrate(&tx, 0)?;
    let mut tx = WriteTx::new(
        SqliteDriver { tx, caches_statements: false, purges_wal: false, _turn: None },
        vault,
    );
    content(&mut tx)?;
    Box::new(tx).commit()?;
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(store_error)?;
    if mode != "wal" {
        return Err(Refusal::new(ErrorCode::CannotCreate, "this file system can't hold a store")
            .hint("use a local disk: SQLite's write-ahead log needs shared memory")
            .into());
    }
    connection.close().map_err(|(_, e)| store_error(e))
}

fn connect(path: &Path, access: Access, immutable: bool) -> Result<Connection> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-');
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    flags |= match access {
        Access::Write | Access::Login => OpenFlags::SQLITE_OPEN_READ_WRITE,
        Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
    };
    if !immutable {
        return Connection::open_with_flags(path, flags).map_err(store_error);
    }
    let path = path.as_os_str().as_encoded_bytes();
    let uri = format!("file:{}?immutable=1", percent_encode(path, RESERVED));
    Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI).map_err(store_error)
}

fn configure(mut connection: Connection, access: Access) -> Result<(Connection, Identity)> {
    busy_timeout::start(busy_timeout::limit(access));
    connection.busy_handler(Some(busy_timeout::try_again)).map_err(store_error)?;
    for (setting, on) in [
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
        (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false),
        (DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false),
        // Otherwise SQLite prepares a cached statement again whenever its plan depends on a value.
        (DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true),
        (DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true),
    ] {
        connection.set_db_config(setting, on).map_err(store_error)?;
    }
    schema::check(&connection)?;
    if access != Access::Read {
        connection.pragma_update(None, "synchronous", "FULL").map_err(store_error)?;
        // Overwrites deleted data in the pages.
        connection
            .pragma_update_and_check(None, "secure_delete", "ON", |_| Ok(()))
            .map_err(store_error)?;
        connection.wal_hook(Some(checkpoint)).map_err(store_error)?;
    }
    let identity = connection
        .query_row("SELECT id, key_id FROM store", (), |row| {
            Ok(Identity { store: Id::new(row.get(0)?), key: KeyId(row.get(1)?) })
        })
        .map_err(|_| {
            Refusal::new(ErrorCode::Damaged, "the store is damaged: its identity is missing")
                .hint("restore a backup")
        })?;
    Ok((connection, identity))
}

/// The hook after a commit: runs a truncating checkpoint when the log is long.
///
/// SQLite's automatic checkpoint does not truncate the log; only a later writer in the same process
/// reuses it from the start. With one write a process it would grow without limit.
#[expect(clippy::unnecessary_wraps, reason = "the signature of SQLite's hook")]
fn checkpoint(log: &mut Wal, pages: i32) -> rusqlite::Result<()> {
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

/// Device and inode of the file at a path.
pub fn file_id(path: &Path) -> Option<(u64, u64)> {
    path.symlink_metadata().ok().map(|m| (m.dev(), m.ino()))
}

/// Resolves symbolic links in the folders above, which the administrator controls. The file itself must
/// not be one.
fn resolved(path: &Path) -> Result<PathBuf> {
    let folder = folder_of(path).canonicalize().map_err(|_| {
        Refusal::new(
            ErrorCode::StoreUnavailable,
            format!("there is no store at {}", display_path(path)),
        )
    })?;
    Ok(folder.join(path.file_name().unwrap_or_default()))
}

/// Whether opening may have failed because the side files can't be created.
fn needs_side_files(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<Refusal>().map(|refusal| refusal.code);
    matches!(code, Some(ErrorCode::StoreUnavailable | ErrorCode::NotPermitted))
}

/// Whether the write-ahead log is empty or missing.
fn has_empty_wal(path: &Path) -> bool {
    !with_suffix(path, "-wal").metadata().is_ok_and(|m| m.len() > 0)
}

pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;
    use crate::domain::time::Timestamp;
    use crate::keyring::RootKey;
    use crate::store::Store as _;

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
            init.initialize(identity, Timestamp::from_unix(1000)?)
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
