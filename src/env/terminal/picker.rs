//! A search at a terminal: what is found is listed while the person types.
//!
//! Not dialoguer's `FuzzySelect`, which filters a list that it is given as a whole: here every text searches all users
//! anew, and only the lines that fit are ever in memory.

use std::io::Write as _;

use anyhow::Result;
use dialoguer::console::{Key, Term, measure_text_width, truncate_str};

use crate::domain::text::is_harmful;
use crate::env::PickList;
use crate::env::terminal::{keys, modes, suspend};

/// What is typed at most.
const LONGEST: usize = 60;

/// See [`crate::env::Prompt::pick`].
pub fn pick(
    question: &str,
    search: &mut dyn FnMut(&str) -> Result<PickList>,
) -> Result<Option<usize>> {
    let mut screen = Screen { term: Term::stderr(), rows: 0 };
    let (mut typed, mut found, mut chosen, mut is_old) =
        (String::new(), PickList::default(), 0, false);
    let result = loop {
        // Keys that were typed meanwhile come first: a search of many users takes longer than a key.
        if is_old && !keys::is_waiting() {
            (found, chosen, is_old) = (search(&typed)?, 0, false);
        }
        screen.draw(question, &typed, (!is_old).then_some(&found), chosen)?;
        match screen.term.read_key()? {
            // What nobody has seen yet is not chosen.
            Key::Enter if is_old => {
                (found, chosen, is_old) = (search(&typed)?, 0, false);
                continue;
            }
            Key::Enter => {}
            Key::Escape | Key::CtrlC | Key::Char('\u{4}') => break None,
            // ^Z
            Key::Char('\u{1a}') => {
                screen.clear()?;
                suspend();
                modes::be_quiet_key_by_key();
                continue;
            }
            Key::ArrowUp => {
                chosen = chosen.saturating_sub(1);
                continue;
            }
            Key::ArrowDown | Key::Tab => {
                chosen = (chosen + 1).min(found.lines.len().saturating_sub(1));
                continue;
            }
            Key::Backspace => {
                typed.pop();
                is_old = true;
                continue;
            }
            // ^U
            Key::Char('\u{15}') => {
                typed.clear();
                is_old = true;
                continue;
            }
            Key::Char(c) if !is_harmful(c) && typed.chars().count() < LONGEST => {
                typed.push(c);
                is_old = true;
                continue;
            }
            _ => continue,
        }
        if typed.trim().is_empty() {
            break None;
        }
        if chosen < found.lines.len() {
            break Some(chosen);
        }
    };
    let line = result.and_then(|index| found.lines.get(index));
    screen.end(question, line.map_or("", String::as_str))?;
    Ok(result)
}

struct Screen {
    term: Term,
    /// Rows that were written below the first one.
    rows: usize,
}

impl Screen {
    /// `found` is `None` while the search is still to come.
    fn draw(
        &mut self,
        question: &str,
        typed: &str,
        found: Option<&PickList>,
        chosen: usize,
    ) -> Result<()> {
        let (height, width) = self.term.size();
        let (height, width) = (usize::from(height), usize::from(width).max(2) - 1);
        let hint = "type a part of a name or an e-mail address; Esc leaves";
        let mut lines = Vec::new();
        match found {
            _ if typed.trim().is_empty() => lines.push(format!("  {hint}")),
            None => lines.push("  …".to_owned()),
            Some(found) if found.lines.is_empty() => lines.push("  nobody is found".to_owned()),
            Some(found) => {
                let room = height.saturating_sub(3).max(1);
                let first = (chosen + 1).saturating_sub(room);
                let hidden = found.lines.len().saturating_sub(room);
                let more = found.more.saturating_add(hidden as u64);
                let shown = found.lines.iter().enumerate().skip(first).take(room);
                lines
                    .extend(shown.map(|(n, line)| {
                        format!("{} {line}", if n == chosen { '>' } else { ' ' })
                    }));
                if more > 0 && room > 1 {
                    lines.push(format!("  and {more} more: type on"));
                }
            }
        }
        self.clear()?;
        let prompt = truncate_str(&format!("{question} {typed}"), width, "").into_owned();
        let mut text = prompt.clone();
        for line in lines.iter().take(height.saturating_sub(1)) {
            text.push_str("\r\n");
            text.push_str(&truncate_str(line, width, "…"));
            self.rows += 1;
        }
        self.term.write_all(text.as_bytes())?;
        if self.rows > 0 {
            self.term.move_cursor_up(self.rows)?;
        }
        self.term.write_all(b"\r")?;
        self.term.move_cursor_right(measure_text_width(&prompt))?;
        Ok(self.term.flush()?)
    }

    /// Removes what was drawn, and leaves the cursor at the beginning of its first row.
    fn clear(&mut self) -> Result<()> {
        self.rows = 0;
        self.term.write_all(b"\r")?;
        Ok(self.term.clear_to_end_of_screen()?)
    }

    /// Leaves the question and its answer.
    fn end(&mut self, question: &str, answer: &str) -> Result<()> {
        self.clear()?;
        Ok(self.term.write_line(&format!("{question} {answer}"))?)
    }
}
