//! A fair queue in front of the write lock.
//!
//! SQLite's lock is not waited for but tried again and again: of many that try, some try for long,
//! and all of them keep the processor busy. Waiting on a file lock costs nothing and is first come,
//! first served. The queue is a courtesy: what keeps writers apart is `BEGIN IMMEDIATE`.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Instant;

use rustix::fs::OFlags;

use super::patience;
use crate::store::custody::{Custody, Purpose};

/// The file that is locked; nothing is ever written to it.
pub struct WriteQueue {
    path: PathBuf,
    policy: Custody,
}

/// Being first; the next one's turn comes when this is dropped.
pub struct Turn(#[expect(dead_code, reason = "held for its lock")] Option<File>);

impl WriteQueue {
    pub fn of(store: &Path, policy: &Custody) -> Self {
        Self { path: super::open::with_suffix(store, "-queue"), policy: *policy }
    }

    /// Stands in line; `None` when the turn did not come until then. Where the file can't be had there
    /// is no line, and everybody is first.
    pub fn wait(&self, until: Instant) -> Option<Turn> {
        let Some(file) = self.open() else { return Some(Turn(None)) };
        match file.try_lock() {
            Ok(()) => return Some(Turn(Some(file))),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(_)) => return Some(Turn(None)),
        }
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let locked = file.lock().is_ok();
            // Whoever has stopped waiting drops the lock with the channel.
            let _ = sender.send(Turn(locked.then_some(file)));
        });
        receiver.recv_timeout(patience::remaining(until)).ok()
    }

    fn open(&self) -> Option<File> {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600).custom_flags(flags);
        if let Ok(file) = options.open(&self.path) {
            return Some(file);
        }
        let file = options.create_new(true).open(&self.path).ok()?;
        // Without its group the others do without a queue.
        let _ = self.policy.share_file(&self.path, Purpose::Sidecar);
        Some(file)
    }
}
