//! Every question is answered in time, whatever hangs: a thread that only waits refuses what is not answered by then.
//! Whoever takes a question out of the list has the right to answer it, so that none is answered twice.

use std::collections::BTreeMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::authenticate::verifier::socket::send;
use crate::domain::refusal::no_thread;
use crate::env::SystemLog;

/// How long a question may wait; the way back to the client and its exit have the rest of two seconds.
const ANSWER: Duration = Duration::from_millis(1800);

/// The questions that wait for an answer.
#[derive(Clone)]
pub struct Deadlines(Arc<Shared>);

struct Shared {
    list: Mutex<Questions>,
    changed: Condvar,
}

#[derive(Default)]
struct Questions {
    next: u64,
    waiting: BTreeMap<u64, Unanswered>,
    /// The thread wakes up by itself.
    is_timed: bool,
}

struct Unanswered {
    since: Instant,
    socket: Arc<OwnedFd>,
    /// What the client gets if there is no answer.
    refusal: Vec<u8>,
}

/// A question that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnswerRight(u64);

impl Deadlines {
    /// A question that is refused is a line in the system's log.
    pub fn start(system_log: SystemLog) -> Result<Self> {
        let shared = Arc::new(Shared { list: Mutex::default(), changed: Condvar::new() });
        let watched = Arc::clone(&shared);
        let started = std::thread::Builder::new().spawn(move || watched.watch(&system_log));
        started.map_err(|_| no_thread())?;
        Ok(Self(shared))
    }

    /// Notes a question that has just arrived.
    pub fn note(&self, socket: &Arc<OwnedFd>, refusal: Vec<u8>) -> AnswerRight {
        let mut list = self.0.lock();
        let number = list.next;
        list.next += 1;
        let waiting = Unanswered { since: now(), socket: Arc::clone(socket), refusal };
        list.waiting.insert(number, waiting);
        if !list.is_timed {
            self.0.changed.notify_one();
        }
        AnswerRight(number)
    }

    /// Whether the question still waits. If not, it must not be decided any more.
    pub fn is_waiting(&self, ticket: AnswerRight) -> bool {
        self.0.lock().waiting.contains_key(&ticket.0)
    }

    /// When the question arrived; `None` if it was refused meanwhile.
    pub fn since(&self, ticket: AnswerRight) -> Option<Instant> {
        self.0.lock().waiting.get(&ticket.0).map(|waiting| waiting.since)
    }

    /// Takes the right to answer; `false` if the question was refused meanwhile.
    #[must_use]
    pub fn take(&self, ticket: AnswerRight) -> bool {
        self.0.lock().waiting.remove(&ticket.0).is_some()
    }

    pub fn is_empty(&self) -> bool {
        self.0.lock().waiting.is_empty()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Questions> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self, system_log: &SystemLog) {
        let mut list = self.lock();
        loop {
            let now = now();
            // All wait for as long, so the first one is the next one.
            while let Some(first) =
                list.waiting.first_entry().filter(|w| w.get().since + ANSWER <= now)
            {
                let Unanswered { socket, refusal, .. } = first.remove();
                let _ = send(&socket, &refusal);
                system_log("verify: refused: not decided in time");
            }
            let next = list.waiting.first_key_value().map(|(_, waiting)| waiting.since + ANSWER);
            list.is_timed = next.is_some();
            list = match next {
                Some(until) => {
                    let left = until.saturating_duration_since(now);
                    let woken = self.changed.wait_timeout(list, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(list).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a timeout, not a time that decides anything")]
pub fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authenticate::verifier::socket::tests::pair;
    use rustix::net::RecvFlags;

    #[test]
    fn what_nobody_answers_is_refused_once_and_in_time() {
        let (server, client) = pair();
        let server = Arc::new(server);
        let lines = Arc::<Mutex<Vec<String>>>::default();
        let written = Arc::clone(&lines);
        let log = Arc::new(move |line: &str| written.lock().unwrap().push(line.to_owned()));
        let deadlines = Deadlines::start(log).unwrap();
        let started = now();
        let answered = deadlines.note(&server, b"late 1".to_vec());
        let forgotten = deadlines.note(&server, b"late 2".to_vec());
        assert!(deadlines.is_waiting(answered) && deadlines.take(answered));
        assert!(!deadlines.take(answered), "nobody answers twice");
        let mut line = [0; 16];
        let (_, length) = rustix::net::recv(&client, &mut line[..], RecvFlags::empty()).unwrap();
        assert_eq!(&line[..length], b"late 2");
        let took = now() - started;
        assert!(took >= ANSWER && took < ANSWER + Duration::from_secs(1), "{took:?}");
        assert!(!deadlines.is_waiting(forgotten) && !deadlines.take(forgotten));
        assert!(deadlines.is_empty());
        for _ in 0..100 {
            if !lines.lock().unwrap().is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(*lines.lock().unwrap(), ["verify: refused: not decided in time"]);
        let more = deadlines.note(&server, b"late 3".to_vec());
        assert!(deadlines.take(more));
    }
}
