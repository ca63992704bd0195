//! The end of a login service's patience: an answer in time, whatever hangs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use anyhow::Result;

/// From the start of the verb; the start of the process and its end have the rest of two seconds.
const ANSWER: Duration = Duration::from_millis(1900);
/// The contract's number for a store that is busy: try again.
const BUSY: u8 = 75;

/// Ends the process when the time is over. A database that says nothing, a name service, a disk or a
/// pipe that nobody writes to may hold up any thread but one that does nothing else than wait.
pub struct Deadline {
    exit: Arc<AtomicU8>,
    /// Dropped when the answer is given.
    _answered: Sender<()>,
}

impl Deadline {
    /// # Errors
    /// As the system has them, where it has no thread to give.
    pub fn start(end: fn(u8)) -> Result<Self> {
        let exit = Arc::new(AtomicU8::new(BUSY));
        let (answered, waits) = channel();
        let at_the_end = exit.clone();
        thread::Builder::new().spawn(move || {
            if waits.recv_timeout(ANSWER) == Err(RecvTimeoutError::Timeout) {
                end(at_the_end.load(Ordering::SeqCst));
            }
        })?;
        Ok(Self { exit, _answered: answered })
    }

    /// The answer stands, and what is still done beside it may be cut short.
    pub fn decided(&self, exit: u8) {
        self.exit.store(exit, Ordering::SeqCst);
    }
}
