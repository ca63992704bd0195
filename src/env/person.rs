//! The person at the terminal, asked through dialoguer.
//!
//! A prompt changes the terminal (no echo, no cursor); whoever interrupts it gets the terminal back
//! as it was, a word on what stands, and exit code 130.

use std::io::{ErrorKind, Write as _};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Error, Result};
use dialoguer::{Confirm, Input, Password};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::Person;

/// The terminal as it was before the first prompt.
static BEFORE: OnceLock<Termios> = OnceLock::new();
/// What stands if the person interrupts now.
static STANDING: Mutex<String> = Mutex::new(String::new());

/// From a prompt's first words until it has changed the terminal, at the most.
const PROMPT_BEGINS: Duration = Duration::from_millis(50);

#[derive(Default)]
pub struct Terminal {
    guarded: bool,
}

impl Terminal {
    fn guard(&mut self) {
        if self.guarded {
            return;
        }
        self.guarded = true;
        if let Ok(termios) = tcgetattr(rustix::stdio::stdin()) {
            let _ = BEFORE.set(termios);
        }
        // Fails only where a handler is set already, and this is the only one.
        let _ = ctrlc::set_handler(interrupted);
    }
}

impl Person for Terminal {
    fn confirm(&mut self, question: &str) -> Result<bool> {
        self.guard();
        answered(Confirm::new().with_prompt(question).default(false).interact())
    }

    fn line(&mut self, question: &str) -> Result<Zeroizing<String>> {
        self.guard();
        answered(
            Input::new()
                .with_prompt(question)
                .allow_empty(true)
                .interact_text()
                .map(Zeroizing::new),
        )
    }

    fn hidden_line(&mut self, question: &str) -> Result<Zeroizing<String>> {
        self.guard();
        let prompt = Password::new().with_prompt(question).allow_empty_password(true);
        answered(prompt.interact().map(Zeroizing::new))
    }

    fn standing(&mut self, words: &str) {
        words.clone_into(&mut STANDING.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn answered<T>(answer: dialoguer::Result<T>) -> Result<T> {
    answer.map_err(|dialoguer::Error::IO(e)| {
        if e.kind() == ErrorKind::Interrupted {
            interrupted();
        }
        Error::new(e).context("the terminal could not be asked")
    })
}

#[expect(clippy::disallowed_methods, reason = "a signal ends the process from outside any verb")]
fn interrupted() {
    static ONCE: Mutex<()> = Mutex::new(());
    // Never given back: the second caller waits here until the first has ended the process.
    let _guard = ONCE.lock();
    restore();
    let standing = STANDING.lock().map(|s| s.clone()).unwrap_or_default();
    let standing = if standing.is_empty() { "nothing was changed" } else { &standing };
    let _ = write!(std::io::stderr(), "\x1b[?25h\nmfactl: interrupted: {standing}\n");
    // A prompt that had just begun changes the terminal after us, and nothing can hold it up.
    std::thread::sleep(PROMPT_BEGINS);
    restore();
    std::process::exit(130);
}

fn restore() {
    if let Some(before) = BEFORE.get() {
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, before);
    }
}
