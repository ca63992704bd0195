//! Prompts at a terminal, by dialoguer.
//!
//! A prompt changes the terminal (no echo, no cursor). An interrupt restores the terminal, prints what
//! has been changed so far, and exits with 130.

use std::io::{ErrorKind, Write as _};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Error, Result};
use dialoguer::{Confirm, Input, Password};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::env::{PickList, Prompt, picker};

/// The terminal as it was before the first prompt.
static ORIGINAL: OnceLock<Termios> = OnceLock::new();
/// What to print at an interrupt: what has been changed so far.
static INTERRUPT_MESSAGE: Mutex<String> = Mutex::new(String::new());

/// The longest time from a prompt's first output until it has changed the terminal.
const PROMPT_SETUP: Duration = Duration::from_millis(50);

#[derive(Default)]
pub struct Terminal {
    is_prepared: bool,
}

impl Terminal {
    fn prepare(&mut self) {
        if self.is_prepared {
            return;
        }
        self.is_prepared = true;
        if let Ok(termios) = tcgetattr(rustix::stdio::stdin()) {
            let _ = ORIGINAL.set(termios);
        }
        // Fails only where a handler is set already; this is the only one.
        let _ = ctrlc::set_handler(exit_interrupted);
    }
}

impl Prompt for Terminal {
    fn confirm(&mut self, question: &str) -> Result<bool> {
        self.prepare();
        terminal_result(Confirm::new().with_prompt(question).default(false).interact())
    }

    fn line(&mut self, question: &str) -> Result<Zeroizing<String>> {
        self.prepare();
        terminal_result(
            Input::new()
                .with_prompt(question)
                .allow_empty(true)
                .interact_text()
                .map(Zeroizing::new),
        )
    }

    fn hidden_line(&mut self, question: &str) -> Result<Zeroizing<String>> {
        self.prepare();
        let prompt = Password::new().with_prompt(question).allow_empty_password(true);
        terminal_result(prompt.interact().map(Zeroizing::new))
    }

    fn pick(
        &mut self,
        question: &str,
        search: &mut dyn FnMut(&str) -> Result<PickList>,
    ) -> Result<Option<usize>> {
        self.prepare();
        picker::pick(question, search).inspect_err(|error| {
            let kind = error.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
            if kind == Some(ErrorKind::Interrupted) {
                exit_interrupted();
            }
        })
    }

    fn set_interrupt_message(&mut self, message: &str) {
        message.clone_into(&mut INTERRUPT_MESSAGE.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn terminal_result<T>(answer: dialoguer::Result<T>) -> Result<T> {
    answer.map_err(|dialoguer::Error::IO(e)| {
        if e.kind() == ErrorKind::Interrupted {
            exit_interrupted();
        }
        Error::new(e).context("the terminal can't be read")
    })
}

#[expect(clippy::disallowed_methods, reason = "a signal ends the process from outside any verb")]
fn exit_interrupted() {
    static ONCE: Mutex<()> = Mutex::new(());
    // Never unlocked: a second caller waits here until the first has ended the process.
    let _guard = ONCE.lock();
    restore();
    let message = INTERRUPT_MESSAGE.lock().map(|m| m.clone()).unwrap_or_default();
    let message = if message.is_empty() { "nothing was changed" } else { &message };
    let _ = write!(std::io::stderr(), "\x1b[?25h\nmfactl: interrupted: {message}\n");
    // A prompt that has just begun may still change the terminal after this restore.
    std::thread::sleep(PROMPT_SETUP);
    restore();
    std::process::exit(130);
}

fn restore() {
    if let Some(original) = ORIGINAL.get() {
        let _ = tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, original);
    }
}
