//! The end of a login service's patience: an answer in time, whatever hangs.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

/// From the start of the verb; the start of the process and its end have the rest of two seconds.
const ANSWER: Duration = Duration::from_millis(1900);
/// The contract's number for a store that is busy: try again.
const BUSY: u8 = 75;

/// What a service has to be told besides the exit code: is somebody let in?
type FinalReply = Box<dyn FnOnce(bool) + Send>;

/// Ends the process when the time is over. A database that says nothing, a name service, a disk or a
/// pipe that nobody writes to may hold up any thread but one that does nothing else than wait.
pub struct Watchdog {
    exit: Arc<AtomicU8>,
    last_words: Arc<Mutex<Option<FinalReply>>>,
    ends: Instant,
    /// Dropped when the answer is given.
    _answered: Sender<()>,
}

impl Watchdog {
    /// # Errors
    /// As the system has them, where it has no thread to give.
    pub fn start(end: fn(u8)) -> Result<Self> {
        let ends = now() + ANSWER;
        let exit = Arc::new(AtomicU8::new(BUSY));
        let (answered, answered_or_late) = channel();
        let (exit_at_the_end, last_words) =
            (exit.clone(), Arc::<Mutex<Option<FinalReply>>>::default());
        let reply_at_the_end = last_words.clone();
        thread::Builder::new().spawn(move || {
            if answered_or_late.recv_timeout(ANSWER) == Err(RecvTimeoutError::Timeout) {
                let exit = exit_at_the_end.load(Ordering::SeqCst);
                if let Some(reply) =
                    reply_at_the_end.lock().unwrap_or_else(PoisonError::into_inner).take()
                {
                    reply(exit == 0);
                }
                end(exit);
            }
        })?;
        Ok(Self { exit, last_words, ends, _answered: answered })
    }

    /// What is left until the end.
    pub fn left(&self) -> Duration {
        self.ends.saturating_duration_since(now())
    }

    /// What is done before the process is ended: a service may wait for more than its exit code.
    pub fn last_words(&self, reply: impl FnOnce(bool) + Send + 'static) {
        let mut words = self.last_words.lock().unwrap_or_else(PoisonError::into_inner);
        *words = Some(Box::new(reply));
    }

    /// The answer stands, and what is still done beside it may be cut short.
    pub fn decided(&self, exit: u8) {
        self.exit.store(exit, Ordering::SeqCst);
    }
}

#[expect(clippy::disallowed_methods, reason = "how long somebody waits is no moment of a decision")]
fn now() -> Instant {
    Instant::now()
}
