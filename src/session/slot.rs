//! How many slow hashes this machine computes at once, over all processes: each takes tens of MiB, and
//! a login service starts as many as it is asked to.
//!
//! A slot is a lock on a file that only users of the store can open. A name that anybody may take, as in
//! the kernel's abstract namespace, would let anybody stop all sign-ins.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rustix::fs::OFlags;

use super::Session;
use crate::config::Config;
use crate::domain::refusal::{Code, Refusal};
use crate::store::custody::{Custody, Purpose};

/// For a slot to come free.
const MAX_WAIT: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(5);

/// The right to compute one hash, given back when dropped, or when the process dies.
pub struct HashSlot(#[expect(dead_code, reason = "held for its lock")] Option<File>);

/// The files that are locked; nothing is ever written to them.
struct HashSlots {
    files: Vec<PathBuf>,
    purpose: Purpose,
    custody: Custody,
    key_file: PathBuf,
}

impl Session<'_> {
    /// Waits for a slot.
    ///
    /// # Errors
    /// `busy` when none comes free in time; `config`.
    pub(super) fn hash_slot(&mut self) -> Result<HashSlot> {
        Ok(HashSlots::of(self.config()?).take()?)
    }
}

impl HashSlots {
    fn of(config: &Config) -> Self {
        let count = std::thread::available_parallelism().map_or(2, usize::from).max(2);
        let (mut files, purpose) = config.store.slots(&config.key_file);
        files.truncate(count);
        Self { files, purpose, custody: config.custody, key_file: config.key_file.clone() }
    }

    fn take(&self) -> Result<HashSlot, Refusal> {
        let mut files = self.open();
        let mut tries = MAX_WAIT.as_millis() / PAUSE.as_millis();
        loop {
            if let Some(slot) = take_free(&mut files) {
                return Ok(slot);
            }
            if tries == 0 {
                return Err(Refusal::new(Code::Busy, "too many passwords are checked at once")
                    .hint("try again in a moment"));
            }
            tries -= 1;
            std::thread::sleep(PAUSE);
        }
    }

    /// Those that can be had. Where that is none, in a folder that may not be written to, the key has
    /// been read and is one; then one hash is computed at a time.
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
        // A group that shares the key may read what lies beside it, and a lock takes no more.
        let open = |options: &mut OpenOptions| {
            options.write(true).open(path).or_else(|_| options.write(false).open(path)).ok()
        };
        if let Some(file) = open(&mut options) {
            return Some(file);
        }
        match options.clone().write(true).create_new(true).open(path) {
            Ok(file) => {
                // Without its group the others do without this slot.
                let _ = self.custody.share_file(path, self.purpose);
                Some(file)
            }
            // Somebody was quicker.
            Err(_) => open(&mut options),
        }
    }
}

/// The first that nobody holds. Where not even the key can be locked, the work goes on.
fn take_free(files: &mut Vec<File>) -> Option<HashSlot> {
    if files.is_empty() {
        return Some(HashSlot(None));
    }
    let n = files.iter().position(|file| file.try_lock().is_ok())?;
    Some(HashSlot(Some(files.swap_remove(n))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_files_and_one_where_none_can_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let key_file = folder.path().join("key");
        std::fs::write(&key_file, "").unwrap();
        let slots = |folder: &Path| HashSlots {
            files: (0..3).map(|n| folder.join(format!("s-slot{n}"))).collect(),
            purpose: Purpose::Sidecar,
            custody: Custody::default(),
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
