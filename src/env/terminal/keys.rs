//! Keys as a terminal sends them, and the line that they make.

use std::io::{Error, ErrorKind, Result};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};
use zeroize::Zeroizing;

/// How often a page looks whether the terminal has another size.
const TICK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
/// The rest of what one key sends comes with its first byte, or a little later from far away.
const REST: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
/// Bytes of the longest line. Reserved at once: a string that grows leaves copies behind.
const LONGEST: usize = 4096;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Char(char),
    Enter,
    Backspace,
    /// ^W
    EraseWord,
    /// ^U
    EraseLine,
    /// ^D
    End,
    Escape,
    /// ^C or ^\
    Interrupt,
    /// ^Z
    Suspend,
    /// An arrow, or anything else that a line has no use for.
    Other,
    /// Nothing was pressed for a while.
    Tick,
}

/// The next key. With `ticks`, [`Key::Tick`] if none comes.
pub fn next(ticks: bool) -> Result<Key> {
    if !is_ready(ticks.then_some(&TICK))? {
        return Ok(Key::Tick);
    }
    let first = byte()?;
    decode(first, &mut || if is_ready(Some(&REST))? { byte().map(Some) } else { Ok(None) })
}

/// `rest` gives the next byte of the same key.
fn decode(first: u8, rest: &mut dyn FnMut() -> Result<Option<u8>>) -> Result<Key> {
    Ok(match first {
        b'\r' | b'\n' => Key::Enter,
        0x7f | 0x08 => Key::Backspace,
        0x17 => Key::EraseWord,
        0x15 => Key::EraseLine,
        0x04 => Key::End,
        0x03 | 0x1c => Key::Interrupt,
        0x1a => Key::Suspend,
        0x1b => match rest()? {
            None => Key::Escape,
            Some(b'[') => {
                while rest()?.is_some_and(|byte| !(0x40..=0x7e).contains(&byte)) {}
                Key::Other
            }
            Some(b'O') => rest()?.map_or(Key::Other, |_| Key::Other),
            Some(_) => Key::Other,
        },
        0x20..=0x7e => Key::Char(first.into()),
        0..=0x1f => Key::Other,
        0x80.. => character(first, rest)?,
    })
}

/// The rest of a character in UTF-8; what is none is replaced.
fn character(first: u8, rest: &mut dyn FnMut() -> Result<Option<u8>>) -> Result<Key> {
    let more = match first {
        0xc2..=0xdf => 1,
        0xe0..=0xef => 2,
        0xf0..=0xf4 => 3,
        _ => 0,
    };
    let mut bytes = Zeroizing::new([first, 0, 0, 0]);
    for place in 1..=more {
        let Some(byte) = rest()? else { break };
        bytes[place] = byte;
    }
    let read = std::str::from_utf8(&bytes[..=more]).ok().and_then(|text| text.chars().next());
    Ok(Key::Char(read.unwrap_or(char::REPLACEMENT_CHARACTER)))
}

/// Whether a key was typed already.
pub fn is_waiting() -> bool {
    is_ready(Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap_or_default()
}

fn is_ready(wait: Option<&Timespec>) -> Result<bool> {
    let stdin = rustix::stdio::stdin();
    loop {
        match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], wait) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn byte() -> Result<u8> {
    let mut byte = [0];
    loop {
        match rustix::io::read(rustix::stdio::stdin(), &mut byte) {
            Ok(0) => return Err(Error::new(ErrorKind::UnexpectedEof, "it was closed")),
            Ok(_) => return Ok(byte[0]),
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                is_ready(None)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// What a key did to the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineChange {
    None,
    Added(char),
    /// So many columns at its end.
    Removed(usize),
}

/// A line that is being typed. It may be a secret, so it is wiped.
pub struct Line(Zeroizing<String>);

impl Default for Line {
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(LONGEST)))
    }
}

impl Line {
    pub fn text(&self) -> &str {
        &self.0
    }

    pub fn into_text(self) -> Zeroizing<String> {
        self.0
    }

    pub fn edit(&mut self, key: Key) -> LineChange {
        let kept = match key {
            Key::Char(c) if self.0.len() + c.len_utf8() <= LONGEST => {
                self.0.push(c);
                return LineChange::Added(c);
            }
            Key::Backspace => self.without_last(),
            Key::EraseWord => {
                let words = self.0.trim_end();
                words.rfind(' ').map_or(0, |blank| blank + 1)
            }
            Key::EraseLine => 0,
            _ => return LineChange::None,
        };
        let columns = self.0[kept..].width();
        self.0.truncate(kept);
        LineChange::Removed(columns)
    }

    /// The length without the last character and what combines with it.
    fn without_last(&self) -> usize {
        let takes_room = |c: char| c.width().unwrap_or(0) > 0;
        let last = self.0.char_indices().rev().find(|(_, c)| takes_room(*c));
        last.map_or(0, |(at, _)| at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(typed: &[u8]) -> Vec<Key> {
        let mut bytes = typed.iter().copied();
        let mut keys = Vec::new();
        while let Some(first) = bytes.next() {
            keys.push(decode(first, &mut || Ok(bytes.next())).unwrap());
        }
        keys
    }

    fn line(typed: &[u8]) -> String {
        let mut line = Line::default();
        for key in keys(typed) {
            line.edit(key);
        }
        line.text().to_owned()
    }

    #[test]
    fn d8_keys_that_make_no_text_are_told_apart() {
        assert_eq!(keys(b"\r\n"), [Key::Enter, Key::Enter]);
        assert_eq!(
            keys(b"\x03\x1c\x1a\x04"),
            [Key::Interrupt, Key::Interrupt, Key::Suspend, Key::End]
        );
        assert_eq!(keys(b"\x1b"), [Key::Escape]);
        for arrow in [&b"\x1b[A"[..], b"\x1bOA", b"\x1b[1;5C", b"\x1b[3~", b"\x1bx"] {
            assert_eq!(keys(&[arrow, b"y"].concat()), [Key::Other, Key::Char('y')], "{arrow:?}");
        }
    }

    #[test]
    fn a_line_is_edited_as_a_terminal_would() {
        assert_eq!(line(b"123456"), "123456");
        assert_eq!(line(b"12\x7f\x7f\x7f3"), "3");
        assert_eq!(line("é漢\x7f".as_bytes()), "é");
        assert_eq!(line("xe\u{301}\x7f".as_bytes()), "x");
        assert_eq!(line(b"one two \x17three"), "one three");
        assert_eq!(line(b"one\x15two"), "two");
        assert_eq!(line(b"\xff1"), "\u{fffd}1");
        assert_eq!(line(&[b'a'; LONGEST + 9]).len(), LONGEST);
    }

    #[test]
    fn what_is_removed_takes_its_columns_off_the_screen() {
        let mut line = Line::default();
        line.edit(Key::Char('漢'));
        assert_eq!(line.edit(Key::Backspace), LineChange::Removed(2));
        assert_eq!(line.edit(Key::Backspace), LineChange::Removed(0));
        assert_eq!(line.edit(Key::Other), LineChange::None);
    }
}
