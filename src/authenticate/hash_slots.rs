//! Limits how many password hashes all processes of this machine compute at once: each takes tens of
//! MiB, and a login service starts one process for each login.
//!
//! A slot is a lock on a file that only users of the store can open. A lock that anybody may take, such
//! as a name in the kernel's abstract namespace, would let anybody stop all sign-ins.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rustix::fs::OFlags;

use crate::app::App;
use crate::config::Config;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::{FileKind, FilePolicy};
use crate::files::side_file;
use crate::store::location::StoreLocation;

/// How long to wait for a free slot.
const MAX_WAIT: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(5);

/// Permission to compute one hash, released on drop or when the process dies.
pub struct HashSlot(#[expect(dead_code, reason = "held for its lock")] Option<File>);

/// The files to lock; nothing is ever written to them.
struct HashSlots {
    files: Vec<PathBuf>,
    purpose: FileKind,
    /// The store or the key.
    beside: PathBuf,
    file_policy: FilePolicy,
    key_file: PathBuf,
}

/// Waits for a slot; fails with `busy` if none becomes free in time.
pub fn hash_slot(app: &mut App<'_>) -> Result<HashSlot> {
    Ok(HashSlots::of(&app.config).take()?)
}

impl HashSlots {
    fn of(config: &Config) -> Self {
        let count = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        let (mut files, purpose) = config.store.hash_slots(&config.key_file);
        files.truncate(count);
        let key_file = config.key_file.clone();
        let beside = match &config.store {
            StoreLocation::Sqlite(path) => path.clone(),
            StoreLocation::Postgres(_) => key_file.clone(),
        };
        Self { files, purpose, beside, file_policy: config.file_policy, key_file }
    }

    fn take(&self) -> Result<HashSlot, Refusal> {
        let mut files = self.open();
        let mut tries = MAX_WAIT.as_millis() / PAUSE.as_millis();
        loop {
            if let Some(slot) = take_free(&mut files) {
                return Ok(slot);
            }
            if tries == 0 {
                return Err(Refusal::new(ErrorCode::Busy, "too many passwords are being checked")
                    .hint("try again in a moment"));
            }
            tries -= 1;
            std::thread::sleep(PAUSE);
        }
    }

    /// The slot files that can be opened. In a read-only folder there are none; then the key file,
    /// which is readable, is the one slot, and hashes are computed one at a time.
    fn open(&self) -> Vec<File> {
        let mut files: Vec<_> = self.files.iter().filter_map(|path| self.open_one(path)).collect();
        if files.is_empty() {
            files.extend(File::open(&self.key_file).ok());
        }
        files
    }

    fn open_one(&self, path: &Path) -> Option<File> {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let mut options = OpenOptions::new();
        options.read(true).mode(0o600).custom_flags(flags);
        // A group that shares the key may only read the files beside it, which a lock allows.
        let open = |options: &mut OpenOptions| {
            options.write(true).open(path).or_else(|_| options.write(false).open(path)).ok()
        };
        if let Some(file) = open(&mut options) {
            return Some(file);
        }
        let sharing = (&self.file_policy, self.purpose);
        let made = side_file::make(&options, path, &self.beside, sharing);
        // Where it can't be made, another process may have made it first.
        made.ok().or_else(|| open(&mut options))
    }
}

/// The first free slot. If not even the key file could be opened, the hash is computed without one.
fn take_free(files: &mut Vec<File>) -> Option<HashSlot> {
    if files.is_empty() {
        return Some(HashSlot(None));
    }
    let n = files.iter().position(|file| file.try_lock().is_ok())?;
    Some(HashSlot(Some(files.swap_remove(n))))
}

#[cfg(test)]
mod tests {
    use crate::authenticate::hash_slots::*;

    #[test]
    fn there_are_as_many_as_files_and_one_where_none_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("key");
        std::fs::write(&key_file, "").unwrap();
        let slots = |folder: &Path| HashSlots {
            files: (0..3).map(|n| folder.join(format!("s-slot{n}"))).collect(),
            purpose: FileKind::Sidecar,
            beside: key_file.clone(),
            file_policy: FilePolicy::default(),
            key_file: key_file.clone(),
        };
        for (slots, count) in [(slots(folder.path()), 3), (slots(Path::new("/nonexistent")), 1)] {
            for _ in 0..2 {
                let taken: Vec<_> = (0..count).map(|_| slots.take().unwrap()).collect();
                assert!(take_free(&mut slots.open()).is_none());
                drop(taken);
            }
            assert!(take_free(&mut slots.open()).is_some());
        }
    }
}
