//! A page on the terminal's alternate screen, which keeps nothing in the scrollback. Every row is erased before the
//! terminal goes back to its first screen, also for one that has no other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};
use zeroize::Zeroizing;

use crate::env::terminal::{size, write};
use crate::env::{Page, Size};

/// Whether the alternate screen is in view. Locked while a page is drawn, so that an interrupt never leaves half a
/// page on the first screen.
static IS_OPEN: Mutex<bool> = Mutex::new(false);

fn state() -> MutexGuard<'static, bool> {
    IS_OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

pub fn is_open() -> bool {
    *state()
}

/// Draws the page with the question in the rows below it, and opens the alternate screen if it isn't in view.
pub fn draw(
    page: &Page,
    size: Size,
    question: &str,
    typed: &str,
    room: usize,
) -> std::io::Result<()> {
    let columns = usize::from(size.columns);
    let question = clipped(question, (columns * usize::from(size.rows)).saturating_sub(room));
    let rows = (question.width() + typed.width() + room).div_ceil(columns);
    let left = size.rows.saturating_sub(u16::try_from(rows).unwrap_or(u16::MAX));
    let lines = page(Size { rows: left, ..size });
    let room = lines.iter().map(|line| line.len() + 8).sum::<usize>() + question.len() + 128;
    let mut text = Zeroizing::new(String::with_capacity(room + typed.len()));
    text.push_str("\x1b[H");
    for line in lines.iter().take(left.into()) {
        text.push_str("\x1b[2K");
        text.push_str(line);
        text.push_str("\r\n");
    }
    text.push_str("\x1b[J");
    text.push_str(question);
    text.push_str(typed);
    let mut is_open = state();
    if !*is_open {
        *is_open = true;
        write(&["\x1b[?1049h"])?;
    }
    write(&[&text])
}

/// The beginning of a text that takes so many columns.
fn clipped(text: &str, columns: usize) -> &str {
    let mut width = 0;
    let end = text.char_indices().find(|(_, c)| {
        width += c.width().unwrap_or(0);
        width > columns
    });
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

pub fn leave() {
    leave_locked(&mut state());
}

/// For a panic, which may have happened while the lock was held.
pub fn try_leave() {
    if let Ok(mut is_open) = IS_OPEN.try_lock() {
        leave_locked(&mut is_open);
    }
}

/// Leaves, and keeps every later page from being drawn.
pub fn leave_for_good() -> MutexGuard<'static, bool> {
    let mut is_open = state();
    leave_locked(&mut is_open);
    is_open
}

fn leave_locked(is_open: &mut bool) {
    if !std::mem::take(is_open) {
        return;
    }
    // Row by row: some terminals move a screen that is erased at once into the scrollback.
    let rows = vec!["\x1b[2K"; size().rows.into()].join("\r\n");
    let _ = write(&["\x1b[H", &rows, "\x1b[H\x1b[?1049l"]);
}

#[cfg(test)]
mod tests {
    use super::clipped;

    #[test]
    fn a_question_is_cut_where_the_terminal_ends() {
        assert_eq!(clipped("Code: ", 80), "Code: ");
        assert_eq!(clipped("Code: ", 2), "Co");
        assert_eq!(clipped("a漢字", 2), "a");
        assert_eq!(clipped("Code", 0), "");
    }
}
