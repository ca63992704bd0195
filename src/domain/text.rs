//! Text from outside: what may be stored, and how it is printed safely.

use std::borrow::Cow;
use std::fmt::{Display, Write as _};

use unicode_normalization::UnicodeNormalization;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::domain::joiner;
use crate::domain::refusal::Refusal;

/// Whether this character must never reach a terminal, log or table unescaped.
///
/// Control characters (C0, DEL, C1), line and paragraph separators, bidirectional controls
/// (UAX 9), and invisible format characters that make two different strings look the same.
#[must_use]
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// As [`is_harmful`], but for a joiner where the script of its word needs it.
fn is_harmful_at(text: &str, (at, c): (usize, char)) -> bool {
    is_harmful(c) && !joiner::is_needed(text, at)
}

fn has_harmful(text: &str) -> bool {
    text.char_indices().any(|place| is_harmful_at(text, place))
}

/// The text with every harmful character escaped as `\u{…}`; borrowed if there is none.
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if !has_harmful(text) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for (at, c) in text.char_indices() {
        if is_harmful_at(text, (at, c)) {
            safe.extend(c.escape_unicode());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// At most so many characters, the last of them `…` where something is left out. Marks stay with their letter.
#[must_use]
pub fn cut(text: &str, most: usize) -> Cow<'_, str> {
    let is_mark = |c: char| c.width() == Some(0);
    let characters: Vec<(usize, char)> = text.char_indices().take(most.saturating_add(1)).collect();
    if characters.len() <= most {
        return Cow::Borrowed(text);
    }
    let mut kept = most.saturating_sub(1);
    while kept > 0 && is_mark(characters[kept].1) {
        kept -= 1;
    }
    Cow::Owned(format!("{}…", text[..characters[kept].0].trim_end()))
}

/// The words in lines of at most `columns`; a word that is longer is broken.
#[must_use]
pub fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let (mut lines, mut line, mut width) = (Vec::new(), String::new(), 0);
    for word in text.split(' ') {
        let gap = if line.is_empty() { "" } else { " " };
        let more = gap.len() + width_of(word);
        if width + more <= columns {
            line.push_str(gap);
            line.push_str(word);
            width += more;
            continue;
        }
        lines.push(std::mem::take(&mut line));
        for c in word.chars() {
            if line.width() + c.width().unwrap_or(0) > columns {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
        width = line.width();
    }
    lines.push(line);
    lines.retain(|line| !line.is_empty());
    lines
}

/// Columns of a word. Most have one letter a column, so that no table has to say so.
fn width_of(word: &str) -> usize {
    if word.bytes().all(|b| b.is_ascii_graphic()) { word.len() } else { word.width() }
}

/// A number and its noun, in the plural unless the number is 1.
#[must_use]
pub fn counted(number: impl Copy + Display + PartialEq + From<u8>, noun: &str) -> String {
    let plural = if number == 1.into() { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// A word as a POSIX shell reads it, and safe to print: as it is, or quoted. Every line that shows a command
/// puts its arguments through this. What must not be printed raw is in the form `$'…'` of bash, ksh and zsh.
#[must_use]
pub fn shell_word(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| {
        if c.is_ascii() {
            c.is_ascii_alphanumeric() || "%+,-./:=@_".contains(c)
        } else {
            c.is_alphanumeric()
        }
    };
    // A shell may expand what begins with `=`.
    if !text.is_empty() && !text.starts_with('=') && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    if !has_harmful(text) {
        return Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")));
    }
    let mut word = "$'".to_owned();
    for (at, c) in text.char_indices() {
        match c {
            '\'' | '\\' => word.extend(['\\', c]),
            c if is_harmful_at(text, (at, c)) => {
                let _ = write!(word, "\\U{:08x}", u32::from(c));
            }
            c => word.push(c),
        }
    }
    word.push('\'');
    Cow::Owned(word)
}

/// [`shell_word`] for an argument that no option comes before: behind `--` where it begins with a dash.
#[must_use]
pub fn shell_argument(text: &str) -> String {
    let separator = if text.starts_with('-') { "-- " } else { "" };
    format!("{separator}{}", shell_word(text))
}

/// JSON with the same value and no harmful characters. Inside strings they are escaped; outside of them
/// only tabs and line ends can occur, which become spaces.
#[must_use]
pub fn escaped(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_harmful) {
        return Cow::Borrowed(json);
    }
    let mut safe = String::with_capacity(json.len() + 8);
    for c in json.chars() {
        match c {
            '\t' | '\r' | '\n' => safe.push(' '),
            c if is_harmful(c) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(safe, "\\u{unit:04x}");
                }
            }
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// [`shown`] in double quotes, truncated to fit a message.
#[must_use]
pub fn quoted(text: &str) -> String {
    const LONGEST: usize = 64;
    let cut: String = text.chars().take(LONGEST).collect();
    let more = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!("\"{}{more}\"", shown(&cut))
}

/// Refuses typed words, and repeats them to whoever typed them: `--at: "soon" is not a date`.
#[must_use]
pub fn refuse(field: &str, typed: &str, problem: &str) -> Refusal {
    Refusal::bad_input(field, problem).quoting(format!("{} {problem}", quoted(typed)))
}

/// Validates one line that is compared with others: 1 to `most` characters, none of them harmful. Returns it in NFC.
pub fn line(field: &str, text: &str, most: usize) -> Result<String, Refusal> {
    checked_line(field, text, most, |_, (_, c)| is_harmful(c))
}

/// As [`line`], for words that people read: joiners may stand where a script needs them.
pub fn prose_line(field: &str, text: &str, most: usize) -> Result<String, Refusal> {
    checked_line(field, text, most, is_harmful_at)
}

fn checked_line(
    field: &str,
    text: &str,
    most: usize,
    is_refused: fn(&str, (usize, char)) -> bool,
) -> Result<String, Refusal> {
    let text: String = text.nfc().collect();
    if text.trim().is_empty() {
        return Err(refuse(field, &text, "is empty"));
    }
    if text.chars().count() > most {
        return Err(refuse(field, &text, &format!("is longer than {most} characters")));
    }
    if let Some((_, c)) = text.char_indices().find(|place| is_refused(&text, *place)) {
        let kind = if c.is_control() { "a control" } else { "an invisible" };
        let problem = format!("has {kind} character ({})", c.escape_unicode());
        return Err(refuse(field, &text, &problem));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_terminal_never_gets_an_escape_or_a_bidi_control() {
        let hostile = "a\u{1b}[2J\u{202e}b\u{9b}c\r\nd\u{200b}";
        let safe = shown(hostile);
        assert!(!safe.chars().any(is_harmful), "{safe}");
        assert!(safe.contains("\\u{1b}"), "{safe}");
    }

    #[test]
    fn escaped_json_has_the_same_value() {
        for value in ["\u{9b}31m\u{202e}\u{7f}", "\u{e0001}\u{10ffff}é", "\\ \" \n\u{0}"] {
            let json = serde_json::to_string(value).unwrap();
            let spaced = format!("[\t{json}\r]");
            let safe = escaped(&spaced);
            assert!(!safe.chars().any(is_harmful), "{safe}");
            assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap(), [value]);
        }
    }

    /// The words that a shell makes of a line.
    fn read_by_a_shell(line: &str) -> Vec<String> {
        let script = format!("printf '%s\\0' {line}");
        let output = std::process::Command::new("bash")
            .args(["--norc", "-c", &script])
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{line}: {output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.strip_suffix('\0').unwrap().split('\0').map(str::to_owned).collect()
    }

    #[test]
    fn s9_a_shell_reads_the_words_that_were_quoted() {
        let words = [
            "",
            "x",
            "x --dry-run -- bob",
            "a'b",
            "'",
            "''",
            "$HOME",
            "`id`",
            "$(id)",
            "~",
            "~root",
            "=ls",
            "*",
            "a\\b",
            "#x",
            "!x",
            "{a,b}",
            "a;b",
            "a\"b",
            "--reason=x y",
            "-x",
            "é",
            "a\u{a0}b",
            "\u{1b}[2J'\\",
            "\u{202e}x\n\t",
        ];
        let line: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
        assert!(!line.iter().any(|word| word.chars().any(is_harmful)));
        assert_eq!(read_by_a_shell(&line.join(" ")), words);
        assert_eq!(shell_word("HELP-12"), "HELP-12");
        assert_eq!(shell_word("phone lost"), "'phone lost'");
        assert_eq!(shell_argument("alice"), "alice");
        assert_eq!(shell_argument("-x y"), "-- '-x y'");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn s9_any_words_are_read_back(words in prop::collection::vec("[^\0]{0,12}", 1..20)) {
            let line: Vec<_> = words.iter().map(|word| shell_word(word)).collect();
            prop_assert_eq!(read_by_a_shell(&line.join(" ")), words);
        }
    }

    #[test]
    fn a_long_text_is_cut_at_a_letter_with_its_marks() {
        assert_eq!(cut("alice", 5), "alice");
        assert_eq!(cut("alice b", 6), "alice…", "no blank before the dots");
        assert_eq!(cut("alicia", 5), "alic…");
        assert_eq!(cut("abce\u{301}f", 6), "abce\u{301}f");
        assert_eq!(cut("abce\u{301}f", 5), "abc…", "the accent is not taken from its letter");
        assert_eq!(cut(&"é".repeat(4_000), 80).chars().count(), 80);
    }

    #[test]
    fn harmless_text_is_borrowed() {
        assert!(matches!(shown("éloïse 日本"), Cow::Borrowed(_)));
    }

    #[test]
    fn an_empty_long_or_harmful_line_is_refused() {
        assert!(line("reason", "  ", 10).is_err());
        assert!(line("reason", "12345678901", 10).is_err());
        assert!(line("reason", "a\nb", 10).is_err());
        assert_eq!(line("reason", "e\u{301}", 10).as_deref(), Ok("é"));
    }

    #[test]
    fn w16_a_joiner_that_a_script_needs_is_accepted_and_shown() {
        let name = "علی\u{200c}رضا";
        assert_eq!(prose_line("--display-name", name, 99).as_deref(), Ok(name));
        assert_eq!(shown(name), name);
        assert_eq!(shell_word(name), format!("'{name}'"));
        assert!(line("--ticket", name, 99).is_err(), "a ticket is compared");
        for name in ["a\u{200c}b", "x\u{202e}y", "علی\u{200c}"] {
            assert!(prose_line("--display-name", name, 99).is_err(), "{name:?}");
            assert_ne!(shown(name), name);
        }
    }
}
