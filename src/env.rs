//! The world, handed in: time, chance, the person, the streams. The real ones are made here.

mod person;
mod real;

use std::ffi::OsString;
use std::io::{Read, Write};

use anyhow::Result;
use zeroize::Zeroizing;

use crate::domain::event::Operator;
use crate::domain::time::Timestamp;

/// Everything from outside that a run may touch, files excepted.
pub struct Env {
    pub clock: Box<dyn Clock>,
    pub chance: Box<dyn Chance>,
    /// Nobody to ask where standard input or standard error is no terminal.
    pub person: Option<Box<dyn Person>>,
    pub input: Box<dyn Read>,
    /// Nothing is read from a terminal that nobody was asked at.
    pub input_is_terminal: bool,
    /// Is there more to read, or the end, without waiting?
    pub is_more_waiting: fn() -> bool,
    pub out: Stream,
    pub err: Stream,
    /// The environment variables.
    pub variables: Variables,
    pub process: Process,
    /// Ends the process with an exit code, from any thread; nothing where a test runs us.
    pub end: fn(u8),
}

/// An environment variable by name.
pub type Variables = Box<dyn Fn(&str) -> Option<OsString>>;

/// Who runs us.
#[derive(Clone, Debug, Default)]
pub struct Process {
    pub operator: Operator,
    pub euid: u32,
    /// The uid that `sudo` acts for, where it ran us.
    pub sudo_uid: Option<u32>,
    /// A login service asks: files are where the system has them, whoever runs us.
    pub is_service: bool,
}

/// A stream, and how large the terminal is that it goes to.
pub struct Stream {
    pub writer: Box<dyn Write>,
    pub terminal: Option<Size>,
}

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    pub columns: u16,
    pub rows: u16,
}

pub trait Clock {
    /// The present moment.
    ///
    /// # Errors
    /// `clock` where the machine's clock can't be true.
    fn now(&self) -> Result<Timestamp>;

    /// Seconds by which a moment on this clock lies ahead of the same one on another.
    fn ahead(&self, now: Timestamp, theirs: Timestamp) -> i64 {
        now.as_i64() - theirs.as_i64()
    }
}

pub trait Chance {
    /// Fills with random bytes that nobody can foresee.
    ///
    /// # Errors
    /// `io` where the system has none to give; nothing weaker takes their place.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<()>;
}

/// Somebody at a terminal.
pub trait Person {
    /// A yes or no; no is the default.
    ///
    /// # Errors
    /// When the terminal is gone.
    fn confirm(&mut self, question: &str) -> Result<bool>;

    /// A line that may be seen while it is typed.
    ///
    /// # Errors
    /// When the terminal is gone.
    fn line(&mut self, question: &str) -> Result<Zeroizing<String>>;

    /// A line that is not shown.
    ///
    /// # Errors
    /// When the terminal is gone.
    fn hidden_line(&mut self, question: &str) -> Result<Zeroizing<String>>;

    /// What to say should the person interrupt from now on: what stands then.
    fn standing(&mut self, words: &str);
}

impl Env {
    /// The world as the process finds it.
    #[must_use]
    pub fn real() -> Self {
        real::env()
    }

    /// An array of random bytes.
    ///
    /// # Errors
    /// As [`Chance::fill`].
    pub fn random<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.chance.fill(&mut bytes)?;
        Ok(bytes)
    }
}
