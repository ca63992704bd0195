//! Answers a login service in time, whatever hangs.

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::domain::refusal::no_thread;
use crate::env::SystemLog;

/// Counted from the start of the verb; process start and exit have the rest of two seconds.
const ANSWER: Duration = Duration::from_millis(1900);
/// The exit code for a busy store: try again.
const BUSY: u8 = 75;

/// Writes the answer that a service reads besides the exit code; the argument says if the user is let in.
type FinalReply = Box<dyn FnOnce(bool) + Send>;

/// Ends the process when the time is up. A silent database, a name service, a disk or an idle pipe can
/// block any thread except one that only waits.
pub struct Watchdog {
    exit: Arc<AtomicU8>,
    final_reply: Arc<Mutex<Option<FinalReply>>>,
    ends: Instant,
    /// Dropped when the answer is out.
    _answered: Sender<()>,
}

impl Watchdog {
    /// An end without an answer is a line in the system's log.
    pub fn start(end: fn(u8), system_log: SystemLog) -> Result<Self> {
        let ends = now() + ANSWER;
        let exit = Arc::new(AtomicU8::new(BUSY));
        let (answered, watched) = channel();
        let (late_exit, final_reply) = (exit.clone(), Arc::<Mutex<Option<FinalReply>>>::default());
        let late_reply = final_reply.clone();
        let started = thread::Builder::new().spawn(move || {
            if watched.recv_timeout(ANSWER) == Err(RecvTimeoutError::Timeout) {
                let exit = late_exit.load(Ordering::SeqCst);
                if let Some(reply) =
                    late_reply.lock().unwrap_or_else(PoisonError::into_inner).take()
                {
                    reply(exit == 0);
                }
                if exit == BUSY {
                    system_log("verify: refused: not decided in time");
                }
                end(exit);
            }
        });
        started.map_err(|_| no_thread())?;
        Ok(Self { exit, final_reply, ends, _answered: answered })
    }

    /// The time left.
    pub fn left(&self) -> Duration {
        self.ends.saturating_duration_since(now())
    }

    /// Sets what to do before the process is ended: a service may wait for more than the exit code.
    pub fn set_final_reply(&self, reply: impl FnOnce(bool) + Send + 'static) {
        let mut final_reply = self.final_reply.lock().unwrap_or_else(PoisonError::into_inner);
        *final_reply = Some(Box::new(reply));
    }

    /// Sets the exit code: the answer is committed, and what is still running may be cut short.
    pub fn set_exit(&self, exit: u8) {
        self.exit.store(exit, Ordering::SeqCst);
    }
}

#[expect(clippy::disallowed_methods, reason = "a timeout, not a time that decides anything")]
fn now() -> Instant {
    Instant::now()
}
