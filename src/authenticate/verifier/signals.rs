//! Signals as something that the loop waits for.

use std::os::fd::{AsFd, BorrowedFd};

use anyhow::Result;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Nothing,
    /// Read configuration and key anew.
    Reload,
    End,
}

/// The signals that the loop handles. A second handler beside it would be asynchronous, and is not needed.
pub struct Signals(SignalFd);

impl Signals {
    /// Blocks the signals for this thread and all that it starts.
    pub fn new() -> Result<Self> {
        let mut handled = SigSet::empty();
        for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
            handled.add(signal);
        }
        handled.thread_block()?;
        Ok(Self(SignalFd::with_flags(&handled, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?))
    }

    /// What all signals ask for that have arrived; an end comes before everything else.
    pub fn read(&self) -> Asks {
        let mut asks = Asks::Nothing;
        while let Ok(Some(signal)) = self.0.read_signal() {
            if i32::try_from(signal.ssi_signo) == Ok(Signal::SIGHUP as i32) {
                if asks == Asks::Nothing {
                    asks = Asks::Reload;
                }
            } else {
                asks = Asks::End;
            }
        }
        asks
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
