//! Creating, checking and opening the file.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::files::file_trust::{
    FileKind, FilePolicy, display_path, folder_of, not_created, path_argument,
};
use crate::files::new_file::{Draft, is_empty};
use crate::keyring::{KeyId, Vault};
use crate::store::access::Access;
use crate::store::engine::InitialContent;
use crate::store::identity::Identity;
use crate::store::lock_scope::LockScope;
use crate::store::sqlite::disk::{disk_refusal, with_disk};
use crate::store::sqlite::driver::SqliteDriver;
use crate::store::sqlite::errors::store_error;
use crate::store::sqlite::files::{file_id, files, with_suffix};
use crate::store::sqlite::store::Sqlite;
use crate::store::sqlite::wal::checkpoint;
use crate::store::sqlite::write_queue::WriteQueue;
use crate::store::sqlite::{busy_timeout, schema};
use crate::store::write_tx::WriteTx;

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
        .hint(command("init").after("create one with: "))
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
    opened.map_err(|error| name_file(error, &path, access)).map(|(connection, identity)| Sqlite {
        connection,
        path,
        file_id,
        identity,
        queue,
        busy_timeout,
        has_written: false,
    })
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
        made => made.map_err(|error| with_disk(error, path)),
    }
}

/// Migrates an older schema in one transaction; `false` when it was up to date.
pub fn migrate(path: &Path, policy: &FilePolicy) -> Result<bool> {
    policy.check(path, FileKind::Store)?;
    migrate_file(path).map_err(|error| with_disk(error, path))
}

fn migrate_file(path: &Path) -> Result<bool> {
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
    let driver = SqliteDriver { tx, caches_statements: false, purges_wal: false, _turn: None };
    let mut tx = WriteTx::new(Box::new(driver), vault, LockScope::Store);
    content(&mut tx)?;
    tx.commit()?;
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
        .map_err(|_| Refusal::damaged("its identity is missing").hint("restore a backup"))?;
    Ok((connection, identity))
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

/// Names the disk or the file that keeps `SQLite` from opening the store, if it is one of the store's own.
fn name_file(error: anyhow::Error, path: &Path, access: Access) -> anyhow::Error {
    if let Some(refusal) = disk_refusal(&error, path) {
        return error.context(refusal);
    }
    let code = error.downcast_ref::<Refusal>().map(|refusal| refusal.code);
    if code != Some(ErrorCode::StoreUnavailable) {
        return error;
    }
    let mode = if access == Access::Read {
        rustix::fs::Access::READ_OK
    } else {
        rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK
    };
    let is_at_fault = |file: &PathBuf| file.exists() && rustix::fs::access(file, mode).is_err();
    let Some(file) = files(path).into_iter().find(is_at_fault) else { return error };
    let owner = file.metadata().map(|m| (m.uid(), m.mode() & 0o7777)).unwrap_or_default();
    let message = format!(
        "the store can't be opened: {} belongs to uid {} with mode {:04o}",
        display_path(&file),
        owner.0,
        owner.1
    );
    let hint = hint_on_owner(&file, path, owner.0);
    error.context(Refusal::new(ErrorCode::StoreUnavailable, message).hint(hint))
}

/// How a file of the store comes to belong to whoever uses it. A store of root in a folder of somebody else was made
/// by root for them.
fn hint_on_owner(file: &Path, store: &Path, owner: u32) -> String {
    let is_of_owner = |path: &PathBuf| path.symlink_metadata().is_ok_and(|m| m.uid() == owner);
    let (like, of, wrong) = if file != store {
        (store.to_owned(), "the store", vec![file.to_owned()])
    } else if !is_of_owner(&folder_of(store)) {
        let wrong = files(store).into_iter().filter(is_of_owner).collect();
        (folder_of(store), "its folder", wrong)
    } else {
        return format!("run mfactl as uid {owner}, or move the store to a folder of your own");
    };
    let wrong: Vec<_> = wrong.iter().map(|path| path_argument(path)).collect();
    let (like, wrong) = (path_argument(&like), wrong.join(" "));
    format!("give it the owner of {of}: chown --reference={like} {wrong}")
}

/// Whether the write-ahead log is empty or missing.
fn has_empty_wal(path: &Path) -> bool {
    !with_suffix(path, "-wal").metadata().is_ok_and(|m| m.len() > 0)
}
