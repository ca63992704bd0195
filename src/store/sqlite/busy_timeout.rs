//! The time limit for waiting for other programs, in the write queue and for SQLite's locks together.

#![expect(
    clippy::disallowed_methods,
    reason = "waiting for a lock needs the monotonic clock, and decides nothing about users"
)]

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use crate::store::access::Access;

/// The limit for all locks of one transaction.
pub const fn limit(access: Access) -> Duration {
    match access {
        Access::Write | Access::Read => Duration::from_secs(5),
        Access::Login => Duration::from_millis(1500),
    }
}

/// The pause between two attempts to lock. SQLite's own handler sleeps up to 100 ms, the time of forty
/// commits.
const PAUSE: Duration = Duration::from_millis(1);

thread_local! {
    /// SQLite's busy handler is a plain function without captures, hence a thread local; a connection is
    /// used on one thread only.
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Starts the time limit of a transaction on this thread, and returns its end.
pub fn start(timeout: Duration) -> Instant {
    let until = Instant::now() + timeout;
    UNTIL.set(Some(until));
    until
}

/// The time left until `until`.
pub fn remaining(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// SQLite's busy handler; returns whether to try again.
pub fn try_again(_: i32) -> bool {
    thread::sleep(PAUSE);
    UNTIL.get().is_some_and(|until| Instant::now() < until)
}

/// From now on waits for no lock on this thread.
pub fn stop_waiting() {
    UNTIL.set(None);
}
