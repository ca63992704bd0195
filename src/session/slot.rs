//! How many slow hashes this machine computes at once, over all processes: each takes tens of MiB, and
//! a login service starts as many as it is asked to.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::time::Duration;

use anyhow::Result;

use crate::domain::refusal::{Code, Refusal};
use crate::domain::secret::Id;

/// However many processors there are.
const MOST: usize = 8;
/// For a slot to come free.
const PATIENCE: Duration = Duration::from_secs(4);
const PAUSE: Duration = Duration::from_millis(5);

/// The right to compute one hash, given back when dropped, or when the process dies: a name that the
/// kernel knows to be taken, and no file that somebody would have to own.
pub struct Slot(#[expect(dead_code, reason = "holding it is its use")] UnixListener);

impl Slot {
    /// Waits for a free one.
    ///
    /// # Errors
    /// `busy` when none comes free in time.
    pub fn take(store: Id) -> Result<Self> {
        let count = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, MOST);
        let mut tries = PATIENCE.as_millis() / PAUSE.as_millis();
        loop {
            for n in 0..count {
                let name = SocketAddr::from_abstract_name(format!("mfactl-hash-{store}-{n}"))?;
                if let Ok(taken) = UnixListener::bind_addr(&name) {
                    return Ok(Self(taken));
                }
            }
            if tries == 0 {
                return Err(Refusal::new(Code::Busy, "too many passwords are checked at once")
                    .hint("try again in a moment")
                    .into());
            }
            tries -= 1;
            std::thread::sleep(PAUSE);
        }
    }
}
