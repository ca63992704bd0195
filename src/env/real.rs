//! The real environment.

use std::io::{ErrorKind, IsTerminal as _, Read, Write};
use std::os::fd::AsFd;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::{Clock, Env, Process, Prompt, RandomSource, Size, Stream};
use crate::domain::audit::event::Operator;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::env::terminal::Terminal;

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the real clock comes from")]
    fn now(&self) -> Result<Timestamp> {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(-1, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
        Ok(Timestamp::from_unix(seconds)?)
    }
}

struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|_| {
            Refusal::new(ErrorCode::Io, "the system has no random numbers; nothing was changed")
                .into()
        })
    }
}

/// Standard input, locked only while it is read.
struct Input;

impl Read for Input {
    #[expect(clippy::disallowed_methods, reason = "this is where standard input comes from")]
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match std::io::stdin().read(buffer) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    is_ready(&rustix::stdio::stdin(), PollFlags::IN, None);
                }
                read => return read,
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where standard input comes from")]
pub fn env() -> Env {
    let (out, err) = (std::io::stdout(), std::io::stderr());
    let input_is_terminal = std::io::stdin().is_terminal();
    let is_interactive = input_is_terminal && err.is_terminal();
    Env {
        clock: Box::new(SystemClock),
        rng: Box::new(SystemRandom),
        prompt: is_interactive.then(|| Box::new(Terminal::default()) as Box<dyn Prompt>),
        input: Box::new(Input),
        input_is_terminal,
        has_pending_input: || is_ready(&rustix::stdio::stdin(), PollFlags::IN, Some(&NO_WAIT)),
        out: Stream { terminal: size(&out), writer: Box::new(std::io::BufWriter::new(RawOut)) },
        err: Stream { terminal: size(&err), writer: Box::new(err) },
        variables: Box::new(|name| std::env::var_os(name)),
        process: process(),
        end,
    }
}

#[expect(clippy::disallowed_methods, reason = "a thread that hangs can't be made to return")]
fn end(code: u8) {
    std::process::exit(code.into());
}

const NO_WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// Waits until a stream can be read or written, at most `wait`, or without limit; `false` after a
/// timeout. The parent process may have handed over a non-blocking descriptor.
fn is_ready(stream: &impl AsFd, event: PollFlags, wait: Option<&Timespec>) -> bool {
    poll(&mut [PollFd::new(stream, event)], wait).is_ok_and(|ready| ready > 0)
}

/// Standard output without Rust's line buffer: ours is larger.
struct RawOut;

impl Write for RawOut {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        loop {
            match rustix::io::write(rustix::stdio::stdout(), bytes) {
                Err(Errno::AGAIN) => {
                    is_ready(&rustix::stdio::stdout(), PollFlags::OUT, None);
                }
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn process() -> Process {
    let variable = |name| std::env::var(name).ok();
    Process {
        operator: Operator {
            uid: rustix::process::getuid().as_raw(),
            claim: variable("SUDO_USER").map(|u| u.chars().take(64).collect()),
        },
        euid: rustix::process::geteuid().as_raw(),
        sudo_uid: variable("SUDO_UID").and_then(|u| u.parse().ok()),
        is_service: false,
    }
}

fn size(stream: &(impl std::io::IsTerminal + AsFd)) -> Option<Size> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok();
    let size = size.filter(|s| s.ws_col > 0 && s.ws_row > 0);
    Some(
        size.map_or(Size { columns: 80, rows: 24 }, |s| Size { columns: s.ws_col, rows: s.ws_row }),
    )
}
