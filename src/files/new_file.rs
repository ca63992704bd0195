//! Creating new files atomically: complete, durable, private, and never over an existing file.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use crate::domain::secret::Id;
use crate::files::file_trust::{folder_of, not_created};

/// Writes a file under a temporary name in the same folder, syncs it and renames it to `path`; `false`
/// when something exists at `path`, which is then left unchanged.
pub fn create_new_file(path: &Path, nonce: Id, content: &[u8]) -> Result<bool> {
    let draft = draft(path, nonce);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(content)?;
        file.sync_all()
    })();
    let placed =
        written.map_err(|e| not_created(path, &e).into()).and_then(|()| install(&draft, path));
    if !matches!(placed, Ok(true)) {
        let _ = std::fs::remove_file(&draft);
    }
    placed
}

/// The temporary name of a file until it is complete.
#[must_use]
pub fn draft(path: &Path, nonce: Id) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder_of(path).join(format!(".{name}.{nonce}.new"))
}

/// Renames a draft to `path` durably; `false` when something exists there already. Removes the drafts
/// that killed processes left behind.
pub fn install(draft: &Path, path: &Path) -> Result<bool> {
    match renameat_with(CWD, draft, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(rustix::io::Errno::EXIST) => return Ok(false),
        // A faster process has installed its own and removed our draft.
        Err(rustix::io::Errno::NOENT) if path.exists() => return Ok(false),
        Err(e) => return Err(not_created(path, &e.into()).into()),
    }
    clear_drafts(path);
    File::open(folder_of(path))
        .and_then(|folder| folder.sync_all())
        .map_err(|e| not_created(path, &e))?;
    Ok(true)
}

/// Renames a draft over an empty file durably; `false` when the file has content by now.
pub fn install_over_empty(draft: &Path, path: &Path) -> Result<bool> {
    let exchange = || renameat_with(CWD, draft, CWD, path, RenameFlags::EXCHANGE);
    exchange().map_err(|e| not_created(path, &e.into()))?;
    // The exchange has moved the old file to the draft's name.
    if !is_empty(draft) {
        exchange().map_err(|e| not_created(path, &e.into()))?;
        return Ok(false);
    }
    std::fs::remove_file(draft)
        .and_then(|()| File::open(folder_of(path))?.sync_all())
        .map_err(|e| not_created(path, &e))?;
    Ok(true)
}

/// Whether there is a regular file of length 0.
#[must_use]
pub fn is_empty(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|m| m.is_file() && m.len() == 0)
}

/// Removes every [`draft`] of this path that was left behind, with the side files of a database.
fn clear_drafts(path: &Path) {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Ok(entries) = std::fs::read_dir(folder_of(path)) else { return };
    for entry in entries.flatten() {
        let is_draft = |entry: &str| {
            let rest = entry.strip_prefix('.')?.strip_prefix(&name)?.strip_prefix('.')?;
            let (nonce, suffix) = rest.split_once(".new")?;
            let is_nonce = nonce.len() == 2 * Id::LENGTH
                && nonce.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
            (is_nonce && ["", "-journal", "-wal", "-shm"].contains(&suffix)).then_some(())
        };
        if entry.file_name().to_str().and_then(is_draft).is_some() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
