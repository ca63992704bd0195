//! How new files are born: whole, durable, private, and over nothing that is there.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::custody::{folder_of, not_created};
use crate::domain::secret::Id;

/// Writes a new file beside its place, makes it durable and moves it there, if nothing is there;
/// `false` where something was, which is then left alone.
///
/// # Errors
/// `cannot_create`.
pub fn place_new(path: &Path, nonce: Id, content: &[u8]) -> Result<bool> {
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

/// The name under which a file is made before it is whole.
#[must_use]
pub fn draft(path: &Path, nonce: Id) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    folder_of(path).join(format!(".{name}.{nonce}.new"))
}

/// Moves a draft to its place for good; `false` where something is there already. Drafts that
/// somebody else left when they were killed are cleared away.
///
/// # Errors
/// `cannot_create`.
pub fn install(draft: &Path, path: &Path) -> Result<bool> {
    match renameat_with(CWD, draft, CWD, path, RenameFlags::NOREPLACE) {
        Ok(()) => {}
        Err(rustix::io::Errno::EXIST) => return Ok(false),
        // Whoever was quicker has cleared ours away.
        Err(rustix::io::Errno::NOENT) if path.exists() => return Ok(false),
        Err(e) => return Err(not_created(path, &e.into()).into()),
    }
    clear_drafts(path);
    File::open(folder_of(path))
        .and_then(|folder| folder.sync_all())
        .map_err(|e| not_created(path, &e))?;
    Ok(true)
}

/// Moves a draft over a file in which nothing is, for good; `false` where something is in it by now.
///
/// # Errors
/// `cannot_create`.
pub fn install_over_empty(draft: &Path, path: &Path) -> Result<bool> {
    let exchange = || renameat_with(CWD, draft, CWD, path, RenameFlags::EXCHANGE);
    exchange().map_err(|e| not_created(path, &e.into()))?;
    // What was there lies in the draft's place now.
    if !is_empty(draft) {
        exchange().map_err(|e| not_created(path, &e.into()))?;
        return Ok(false);
    }
    std::fs::remove_file(draft)
        .and_then(|()| File::open(folder_of(path))?.sync_all())
        .map_err(|e| not_created(path, &e))?;
    Ok(true)
}

/// Is there a file without anything in it?
#[must_use]
pub fn is_empty(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|m| m.is_file() && m.len() == 0)
}

/// Removes what is left of every [`draft`] for this place, with the side files of a database.
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
