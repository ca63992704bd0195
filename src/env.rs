//! Everything a run gets from outside: clock, random numbers, prompts, streams. Tests hand in their own.

mod ntp;
mod real;
mod system_log;
mod terminal;
mod zone;

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use anyhow::Result;
use zeroize::Zeroizing;

use crate::domain::audit::event::Operator;
use crate::domain::caller::Caller;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::domain::zone::Zone;

/// What a run uses of the outside, except files.
pub struct Env {
    pub clock: Box<dyn Clock>,
    pub rng: Box<dyn RandomSource>,
    /// `None` unless both standard input and standard error are terminals.
    pub prompt: Option<Box<dyn Prompt>>,
    pub input: Box<dyn Read>,
    /// The person at the terminal of this process, once a list on standard input was read to its end.
    pub prompt_after_list: Box<dyn Fn() -> Option<Box<dyn Prompt>>>,
    /// Input is never read from a terminal without a prompt.
    pub input_is_terminal: bool,
    /// Whether a read would return at once, with data or the end of input.
    pub has_pending_input: fn() -> bool,
    pub out: Stream,
    pub err: Stream,
    pub variables: Variables,
    /// The time zone of the person at the terminal.
    pub zone: Box<dyn Fn() -> Zone>,
    /// The name of a uid on this machine.
    pub user_name: fn(u32) -> Option<String>,
    pub process: Process,
    /// How commands are written in hints.
    pub caller: Caller,
    /// Writes a line to the system's log, where administrators look for refused logins.
    pub system_log: SystemLog,
    /// From now on an interrupt ends the process with a word, also where nothing is asked. It calls the function first;
    /// does nothing in tests.
    pub watch_interrupts: fn(fn() -> Settled),
    /// The same world for another thread.
    pub for_thread: fn() -> Self,
    /// Ends the process with an exit code, from any thread; does nothing in tests.
    pub end: fn(u8),
}

/// What an interrupt leaves, in words for the person.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// What became of the change; `None` where none was begun.
    pub change: Option<String>,
    pub files: Vec<String>,
}

/// Makes a text one for people, such as its times local ones.
pub type ForPeople = Rc<dyn Fn(&str) -> String>;

/// The system's log. Any thread may write to it, and none waits for it.
pub type SystemLog = Arc<dyn Fn(&str) + Send + Sync>;

/// An environment variable by name.
pub type Variables = Box<dyn Fn(&str) -> Option<OsString>>;

/// The process and its user.
#[derive(Clone, Debug, Default)]
pub struct Process {
    pub operator: Operator,
    pub euid: u32,
    /// Below it are the machine's folders; only tests have another one.
    pub root: PathBuf,
    /// The machine's name, as `hostname` prints it.
    pub host_name: String,
    /// `SUDO_UID`: the user who called `sudo`; the uid that nobody has if the variable holds no uid.
    pub sudo_uid: Option<u32>,
    /// A login service calls, so default paths are the system's, whatever the uid.
    pub is_service: bool,
    /// The user acts for themselves, so events say so.
    pub is_self_service: bool,
    /// The program file is setuid or setgid or has capabilities: its caller has rights of somebody else.
    pub is_elevated: bool,
}

/// A stream, and the size of its terminal if it is one.
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
    /// Fails with `clock` where the machine's clock is impossibly wrong.
    fn now(&self) -> Result<Timestamp>;

    /// Seconds by which this clock is fast, compared with another one read at the same time.
    fn seconds_ahead(&self, now: Timestamp, other: Timestamp) -> i64 {
        now.as_i64() - other.as_i64()
    }

    /// Whether NTP keeps this clock; `None` where that is not known.
    fn is_synchronised(&self) -> Option<bool>;
}

pub trait RandomSource {
    /// Cryptographically secure random bytes. Fails with `io` where the system has none; there is no
    /// weaker fallback.
    fn fill(&mut self, bytes: &mut [u8]) -> Result<()>;
}

/// What the alternate screen of a terminal shows, laid out for a size, which changes with the window. At most so many
/// lines, none of them wider. They may hold a secret.
pub type Page = Box<dyn Fn(Size) -> Vec<Zeroizing<String>>>;

/// A page that is in view until this is dropped; then it is wiped.
#[must_use]
pub struct OpenPage(fn());

impl OpenPage {
    pub const fn new(close: fn()) -> Self {
        Self(close)
    }
}

impl Drop for OpenPage {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// What is found for a text, to choose from.
#[derive(Debug, Default)]
pub struct PickList {
    /// Safe to print.
    pub lines: Vec<String>,
    /// How many more there are, which are not listed.
    pub more: u64,
}

/// How a question is put that takes a yes or a no.
pub struct YesNo<'w> {
    /// Behind the question, such as `[y/N]`.
    pub choice: &'w str,
    /// In place of the question after another answer.
    pub again: &'w str,
    /// The answers, with blanks between them. An empty line is a no.
    pub yes: &'w str,
    pub no: &'w str,
}

impl YesNo<'_> {
    /// For operators.
    pub const ENGLISH: Self =
        Self { choice: "[y/N]", again: "Please answer y or n", yes: "y yes", no: "n no q" };
}

/// Prompts at a terminal. Every method fails when the terminal is gone.
pub trait Prompt {
    /// Asks until the answer is a yes or a no. An empty line is a no.
    fn confirm(&mut self, question: &str, words: &YesNo<'_>) -> Result<bool> {
        let YesNo { choice, again, yes, no } = words;
        let mut asked = format!("{question} {choice}");
        loop {
            let answer = self.line(&asked)?.trim().to_lowercase();
            let is_among = |words: &str| words.split(' ').any(|word| word == answer);
            if is_among(yes) {
                return Ok(true);
            }
            if answer.is_empty() || is_among(no) {
                return Ok(false);
            }
            asked = format!("{again} {choice}");
        }
    }

    /// A line that is echoed; empty at Esc and ^D.
    fn line(&mut self, question: &str) -> Result<Zeroizing<String>>;

    /// A line that is not echoed.
    fn hidden_line(&mut self, question: &str) -> Result<Zeroizing<String>>;

    /// Whether a page can be shown.
    fn has_pages(&self) -> bool;

    /// Shows a page on the terminal's alternate screen. What is asked while it is open is asked below it.
    fn open_page(&mut self, page: Page) -> Result<OpenPage>;

    /// Lets the person choose one of the lines that `search` finds for what is typed so far, and returns its index in
    /// the last list; `None` if they leave.
    fn pick(
        &mut self,
        question: &str,
        search: &mut dyn FnMut(&str) -> Result<PickList>,
    ) -> Result<Option<usize>>;

    /// The message for an interrupt from now on: what has been changed so far.
    fn set_interrupt_message(&mut self, message: &str);
}

impl Env {
    #[must_use]
    pub fn real() -> Self {
        real::env()
    }

    /// Times for people, in their zone; `None` where what is written goes to no terminal: files, mail and programs
    /// keep UTC.
    #[must_use]
    pub fn for_people(&self, terminal: Option<Size>) -> Option<ForPeople> {
        terminal?;
        let (zone, now) = ((self.zone)(), self.clock.now().ok()?);
        Some(Rc::new(move |text| zone.for_people(text, now).into_owned()))
    }

    /// The zone of whoever reads at the terminal; UTC where there is none.
    #[must_use]
    pub fn zone_for_people(&self) -> Zone {
        let terminal = self.out.terminal.or(self.err.terminal);
        terminal.map_or_else(Zone::default, |_| (self.zone)())
    }

    /// A line for standard error, safe to print, with times for people.
    #[must_use]
    pub fn words(&self, text: &str) -> String {
        let text = shown(text);
        if !text.contains('T') {
            return text.into_owned();
        }
        self.for_people(self.err.terminal).map_or_else(|| text.to_string(), |local| local(&text))
    }

    /// Puts the terminal back, for a process that ends without returning.
    pub fn abandon_terminal() {
        terminal::abandon();
    }

    pub fn random<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.rng.fill(&mut bytes)?;
        Ok(bytes)
    }
}
