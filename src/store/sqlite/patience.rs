//! How long a program waits for another, in the queue and for SQLite's locks together.

#![expect(
    clippy::disallowed_methods,
    reason = "how long a lock is waited for is no moment that anything is decided by"
)]

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use crate::store::Access;

/// From the first lock that is asked for to the last.
pub const fn limit(access: Access) -> Duration {
    match access {
        Access::Write | Access::Read => Duration::from_secs(5),
        Access::Answer => Duration::from_millis(1500),
    }
}

/// Between two tries for a lock. SQLite's own handler sleeps up to 100 ms, which is forty commits.
const PAUSE: Duration = Duration::from_millis(1);

thread_local! {
    /// SQLite's handler is a bare function, so that what it goes by lies here. A connection is used
    /// on one thread only.
    static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Starts to wait anew, for a unit of work on this thread; tells the end.
pub fn start(timeout: Duration) -> Instant {
    let until = Instant::now() + timeout;
    UNTIL.set(Some(until));
    until
}

/// What is left of a wait.
pub fn remaining(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// SQLite's busy handler: whether to try again.
pub fn try_again(_: i32) -> bool {
    thread::sleep(PAUSE);
    UNTIL.get().is_some_and(|until| Instant::now() < until)
}

/// No lock is worth waiting for any more on this thread.
pub fn stop_waiting() {
    UNTIL.set(None);
}
