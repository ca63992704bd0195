//! A fair queue for the write lock.
//!
//! SQLite polls its lock: with many writers, some wait for long and all of them use the processor. Waiting
//! on a file lock costs nothing and is first come, first served. The queue only improves waiting; mutual
//! exclusion comes from `BEGIN IMMEDIATE`.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Instant;

use rustix::fs::OFlags;

use crate::files::file_trust::{FileKind, FilePolicy};
use crate::files::side_file;
use crate::store::sqlite::busy_timeout;
use crate::store::sqlite::files::with_suffix;

/// The file that is locked; it stays empty.
pub struct WriteQueue {
    path: PathBuf,
    store: PathBuf,
    policy: FilePolicy,
}

/// The turn of the first in the queue; dropping it passes the turn on.
pub struct Turn(#[expect(dead_code, reason = "held for its lock")] Option<File>);

impl WriteQueue {
    pub fn of(store: &Path, policy: &FilePolicy) -> Self {
        Self { path: with_suffix(store, "-queue"), store: store.to_owned(), policy: *policy }
    }

    /// Waits for the turn; `None` when it has not come by `until`. If the file can't be opened, there is no
    /// queue and the turn comes at once.
    pub fn wait(&self, until: Instant) -> Option<Turn> {
        let Some(file) = self.open() else { return Some(Turn(None)) };
        match file.try_lock() {
            Ok(()) => return Some(Turn(Some(file))),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(_)) => return Some(Turn(None)),
        }
        let (sender, receiver) = mpsc::channel();
        let started = std::thread::Builder::new().spawn(move || {
            let locked = file.lock().is_ok();
            // If the receiver has timed out, the message and the lock in it are dropped.
            let _ = sender.send(Turn(locked.then_some(file)));
        });
        if started.is_err() {
            // Without a thread there is no wait that ends in time: SQLite polls its lock.
            return Some(Turn(None));
        }
        receiver.recv_timeout(busy_timeout::remaining(until)).ok()
    }

    fn open(&self) -> Option<File> {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600).custom_flags(flags);
        if let Ok(file) = options.open(&self.path) {
            return Some(file);
        }
        side_file::make(&options, &self.path, &self.store, (&self.policy, FileKind::Sidecar)).ok()
    }
}
