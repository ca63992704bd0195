//! Keeps the key of a process that lives long out of the swap area.

use nix::sys::mman::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};

/// `MCL_ONFAULT` of Linux: pages are locked once they are used, so that what is only reserved takes no memory.
const WHEN_USED: i32 = 4;

/// Locks all memory where there is no limit; with one, allocations would fail. That the process can't be dumped is seen
/// to at its start.
pub fn lock() {
    if getrlimit(Resource::Memlock).current.is_some() {
        return;
    }
    let all = MlockAllFlags::MCL_CURRENT | MlockAllFlags::MCL_FUTURE;
    // Defence in depth: a failure is no reason not to serve.
    let _ = mlockall(all | MlockAllFlags::from_bits_retain(WHEN_USED));
}
