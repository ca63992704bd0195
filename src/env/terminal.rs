//! Prompts at a terminal, each read as a line.
//!
//! A prompt changes the terminal's modes, and a page is on its alternate screen. Both are put back before anything
//! ends or stops the process: an answer, an error, a panic, ^Z, or an interrupt, which prints what has been changed
//! so far and exits with 130.

mod keys;
mod modes;
mod page;
mod picker;

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result};
use unicode_width::UnicodeWidthStr as _;
use zeroize::Zeroizing;

use self::keys::{Key, Line, LineChange};
use crate::domain::text::wrapped;
use crate::env::{OpenPage, Page, PickList, Prompt, Settled, Size};

/// What to print at an interrupt: what has been changed so far.
static INTERRUPT_MESSAGE: Mutex<String> = Mutex::new(String::new());
/// What to do about files before an interrupt ends the process.
static SETTLE: OnceLock<fn() -> Settled> = OnceLock::new();

/// The longest time from a prompt's first output until it has changed the terminal.
const PROMPT_SETUP: Duration = Duration::from_millis(50);
/// Columns that are kept free for an answer.
const ROOM: usize = 10;

pub struct Terminal {
    is_prepared: bool,
    has_pages: bool,
    page: Option<Page>,
}

impl Terminal {
    /// `has_pages`: the terminal has an alternate screen.
    pub const fn new(has_pages: bool) -> Self {
        Self { is_prepared: false, has_pages, page: None }
    }

    fn prepare(&mut self) {
        if !page::is_open() {
            self.page = None;
        }
        if self.is_prepared {
            return;
        }
        self.is_prepared = true;
        modes::remember();
        // Fails only where a handler is set already; this is the only one.
        let _ = ctrlc::set_handler(exit_interrupted);
    }

    fn ask(&mut self, question: &str, is_hidden: bool) -> Result<Zeroizing<String>> {
        self.prepare();
        let answer = self.read_answer(question, is_hidden);
        modes::restore();
        answer.context("the terminal can't be read")
    }

    fn read_answer(&self, question: &str, is_hidden: bool) -> std::io::Result<Zeroizing<String>> {
        let mut line = Line::default();
        modes::read_keys();
        let mut drawn = self.draw(question, shown_part(&line, is_hidden))?;
        loop {
            let key = keys::next(self.page.is_some())?;
            match key {
                Key::Tick if self.page.is_some() && drawn != size() => {
                    drawn = self.draw(question, shown_part(&line, is_hidden))?;
                }
                Key::Interrupt => exit_interrupted(),
                Key::Suspend => {
                    suspend();
                    modes::read_keys();
                    drawn = self.draw(question, shown_part(&line, is_hidden))?;
                }
                Key::End if !line.text().is_empty() => {}
                Key::Escape if is_hidden => {}
                Key::End | Key::Escape => {
                    self.finish(false)?;
                    return Ok(Zeroizing::default());
                }
                Key::Enter => {
                    self.finish(is_hidden)?;
                    return Ok(line.into_text());
                }
                key => {
                    let edit = line.edit(key);
                    if !is_hidden {
                        self.echo(question, &line, edit)?;
                    }
                }
            }
        }
    }

    /// Draws the question and what has been typed, below the page if there is one.
    fn draw(&self, question: &str, typed: &str) -> std::io::Result<Size> {
        let size = size();
        if let Some(page) = &self.page {
            page::draw(page, size, &format!("{question}: "), typed, ROOM)?;
        } else {
            let question = wrapped(&format!("{question}:"), size.columns.into()).join("\n");
            write(&[&question, " ", typed])?;
        }
        Ok(size)
    }

    fn echo(&self, question: &str, line: &Line, edit: LineChange) -> std::io::Result<()> {
        match edit {
            LineChange::None => Ok(()),
            LineChange::Added(c) => write(&[c.encode_utf8(&mut [0; 4])]),
            LineChange::Removed(columns) => {
                let width = question.width() + 2 + line.text().width() + columns;
                if width < usize::from(size().columns) {
                    write(&[&"\x08 \x08".repeat(columns)])
                } else {
                    // A terminal goes back no further than the start of its row.
                    if self.page.is_none() {
                        write(&["\n"])?;
                    }
                    self.draw(question, line.text()).map(|_| ())
                }
            }
        }
    }

    /// A page has no row for a line end.
    fn finish(&self, is_hidden: bool) -> std::io::Result<()> {
        if self.page.is_some() {
            return Ok(());
        }
        write(&[if is_hidden { "[hidden]\n" } else { "\n" }])
    }
}

impl Prompt for Terminal {
    fn line(&mut self, question: &str) -> Result<Zeroizing<String>> {
        self.ask(question, false)
    }

    fn hidden_line(&mut self, question: &str) -> Result<Zeroizing<String>> {
        self.ask(question, true)
    }

    fn has_pages(&self) -> bool {
        self.has_pages
    }

    fn open_page(&mut self, page: Page) -> Result<OpenPage> {
        self.prepare();
        // What nobody has seen yet is not answered: an Enter that was typed ahead would wipe it.
        modes::forget_typed();
        let open = OpenPage::new(leave_page);
        modes::be_quiet();
        page::draw(&page, size(), "", "", 1).context("the terminal can't be written to")?;
        self.page = Some(page);
        Ok(open)
    }

    fn pick(
        &mut self,
        question: &str,
        search: &mut dyn FnMut(&str) -> Result<PickList>,
    ) -> Result<Option<usize>> {
        self.prepare();
        modes::be_quiet_key_by_key();
        let picked = picker::pick(question, search);
        modes::restore();
        picked.inspect_err(|error| {
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

fn shown_part(line: &Line, is_hidden: bool) -> &str {
    if is_hidden { "" } else { line.text() }
}

/// The terminal's size now; it may change while a prompt waits.
fn size() -> Size {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stderr()).ok();
    let size = size.filter(|s| s.ws_col > 0 && s.ws_row > 0);
    size.map_or(Size { columns: 80, rows: 24 }, |s| Size { columns: s.ws_col, rows: s.ws_row })
}

fn write(parts: &[&str]) -> std::io::Result<()> {
    let mut err = std::io::stderr().lock();
    parts.iter().try_for_each(|part| err.write_all(part.as_bytes()))?;
    err.flush()
}

fn leave_page() {
    page::leave();
    modes::restore();
}

/// Puts the terminal back at once, for a process that is about to end.
pub fn abandon() {
    page::try_leave();
    modes::restore();
}

/// Ends the process with a word at an interrupt from now on, unless the caller has it ignored.
pub fn watch_interrupts(settle: fn() -> Settled) {
    let _ = SETTLE.set(settle);
    let _ = ctrlc::try_set_handler(exit_interrupted);
}

/// Stops the process as ^Z does, with the terminal as it was and no page on it.
fn suspend() {
    let was_open = page::is_open();
    page::leave();
    modes::restore();
    if !was_open {
        let _ = write(&["\n"]);
    }
    // The whole group, as the terminal would: a `sudo` before us stops too.
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
}

#[expect(clippy::disallowed_methods, reason = "a signal ends the process from outside any verb")]
fn exit_interrupted() {
    static ONCE: Mutex<()> = Mutex::new(());
    // Never unlocked: a second caller waits here until the first has ended the process.
    let _guard = ONCE.lock();
    // Never unlocked either: nothing of a page is drawn after this.
    let _page = page::leave_for_good();
    modes::restore();
    let told = INTERRUPT_MESSAGE.lock().map(|m| m.clone()).unwrap_or_default();
    let Settled { change, files } = SETTLE.get().map(|settle| settle()).unwrap_or_default();
    let change = if told.is_empty() { change } else { Some(told) };
    let change = change.unwrap_or_else(|| "nothing was changed".to_owned());
    let message = std::iter::once(change).chain(files).collect::<Vec<_>>().join("; ");
    // What a search lists below the cursor would stand behind the message.
    let below = if std::io::stderr().is_terminal() { "\x1b[?25h\x1b[J\n" } else { "" };
    let _ = writeln!(std::io::stderr(), "{below}mfactl: interrupted: {message}");
    // A prompt that has just begun may still change the terminal after this restore.
    std::thread::sleep(PROMPT_SETUP);
    modes::restore();
    std::process::exit(130);
}
