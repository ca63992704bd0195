//! Files that are written under a temporary name in their folder and renamed when they are complete and
//! durable.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{ErrorKind, Result as IoResult, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Result;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use tempfile::TempPath;

use crate::files::file_trust::{folder_of, not_created};

/// Random letters and digits in the name of a draft.
const RANDOM: usize = 12;
/// How the name of a draft ends.
const SUFFIX: &str = ".new";

/// A file under a temporary name beside its final path. It is removed on drop unless it is renamed.
pub struct Draft {
    temporary: TempPath,
    path: PathBuf,
}

impl Draft {
    /// An empty draft with this mode, whatever the umask.
    pub fn create(path: &Path, mode: u32) -> IoResult<Self> {
        Self::with_content(path, mode, &[])
    }

    /// A draft with this content, synced.
    pub fn with_content(path: &Path, mode: u32, content: &[u8]) -> IoResult<Self> {
        let mut draft = tempfile::Builder::new()
            .prefix(&prefix(path))
            .suffix(SUFFIX)
            .rand_bytes(RANDOM)
            .make_in(folder_of(path), |temporary| {
                OpenOptions::new().write(true).create_new(true).mode(mode).open(temporary)
            })?;
        let file = draft.as_file_mut();
        file.set_permissions(Permissions::from_mode(mode))?;
        file.write_all(content)?;
        file.sync_all()?;
        Ok(Self { temporary: draft.into_temp_path(), path: path.to_owned() })
    }

    /// Where the draft is until it is renamed.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Renames the draft durably, and removes the drafts that killed processes left behind. Where
    /// something exists at the path already, leaves that unchanged and returns the draft.
    pub fn install(self) -> Result<Option<Self>> {
        let Self { temporary, path } = self;
        if let Err(e) = temporary.persist_noclobber(&path) {
            return match e.error.kind() {
                ErrorKind::AlreadyExists => Ok(Some(Self { temporary: e.path, path })),
                // A faster process has installed its own and removed our draft.
                ErrorKind::NotFound if path.exists() => Ok(Some(Self { temporary: e.path, path })),
                _ => Err(not_created(&path, &e.error).into()),
            };
        }
        clear_drafts(&path);
        sync_folder(&path).map_err(|e| not_created(&path, &e))?;
        Ok(None)
    }

    /// Renames the draft over an empty file durably; `false` when the file has content by now.
    pub fn install_over_empty(self) -> Result<bool> {
        let Self { temporary, path } = self;
        let refuse = |e: std::io::Error| not_created(&path, &e);
        let exchange = || renameat_with(CWD, &*temporary, CWD, &path, RenameFlags::EXCHANGE);
        exchange().map_err(|e| refuse(e.into()))?;
        // The exchange has moved the old file to the draft's name.
        if !is_empty(&temporary) {
            exchange().map_err(|e| refuse(e.into()))?;
            return Ok(false);
        }
        temporary.close().and_then(|()| sync_folder(&path)).map_err(refuse)?;
        Ok(true)
    }

    /// Renames the draft durably, over an existing file too.
    pub fn replace(self) -> IoResult<()> {
        self.temporary.persist(&self.path).map_err(|e| e.error)?;
        sync_folder(&self.path)
    }
}

/// Creates a private file with this content; `false` when something exists at the path, which is then
/// left unchanged.
pub fn create_new_file(path: &Path, content: &[u8]) -> Result<bool> {
    let draft = Draft::with_content(path, 0o600, content).map_err(|e| not_created(path, &e))?;
    Ok(draft.install()?.is_none())
}

/// Whether there is a regular file of length 0.
#[must_use]
pub fn is_empty(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|m| m.is_file() && m.len() == 0)
}

fn sync_folder(path: &Path) -> IoResult<()> {
    File::open(folder_of(path))?.sync_all()
}

/// How the name of a draft of this path begins.
fn prefix(path: &Path) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    prefix
}

/// Removes every [`Draft`] of this path that was left behind, with the side files of a database.
fn clear_drafts(path: &Path) {
    let prefix = prefix(path);
    let is_draft = |name: &OsString| {
        let rest = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes())?;
        let (random, suffix) = rest.split_at_checked(RANDOM)?;
        let suffix = suffix.strip_prefix(SUFFIX.as_bytes())?;
        let is_draft = random.iter().all(u8::is_ascii_alphanumeric)
            && [&b""[..], b"-journal", b"-wal", b"-shm"].contains(&suffix);
        is_draft.then_some(())
    };
    let Ok(entries) = std::fs::read_dir(folder_of(path)) else { return };
    for entry in entries.flatten() {
        if is_draft(&entry.file_name()).is_some() {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}
