//! Lines for a terminal, broken between words. A command is never broken, so that it can be copied as it stands.

use unicode_width::UnicodeWidthStr;

/// A margin below the first line takes at most this part of the width.
const MOST_MARGIN: usize = 3;

/// The text in lines of at most `columns`, broken between words; a longer word is left to the terminal. Further lines
/// of a line stand below its value if it has a name before it, as in `  device       phone`, else two columns further in.
#[must_use]
pub fn wrapped(text: &str, columns: u16) -> String {
    let columns = usize::from(columns);
    let lines: Vec<_> = text.split('\n').map(|line| wrapped_line(line, columns)).collect();
    lines.join("\n")
}

fn wrapped_line(line: &str, columns: usize) -> String {
    if line.width() <= columns {
        return line.to_owned();
    }
    let margin = " ".repeat(margin(line).min(columns / MOST_MARGIN));
    let start = line.len() - line.trim_start().len();
    let (mut written, mut is_new) = (line[..start].to_owned(), true);
    let mut width = written.width();
    for word in units(&line[start..]) {
        let room = columns.saturating_sub(usize::from(!is_new));
        if !is_new && width + word.width() > room {
            written.truncate(written.trim_end().len());
            written.push('\n');
            written.push_str(&margin);
            (width, is_new) = (margin.width(), true);
        }
        if !is_new {
            written.push(' ');
            width += 1;
        }
        written.push_str(word);
        width += word.width();
        is_new = false;
    }
    written
}

/// The words of a line; a command, from `sudo` or `mfactl` to the next mark or the end, is one.
fn units(line: &str) -> Vec<&str> {
    let mut units = Vec::new();
    let (mut begin, mut at, mut quotes) = (0, 0, None);
    let words: Vec<&str> = line.split(' ').collect();
    for (n, word) in words.iter().enumerate() {
        let next = words.get(n + 1).copied().unwrap_or_default();
        if quotes.is_none() && begins_command(word, next) {
            quotes = Some(0);
        }
        let end = at + word.len();
        let goes_on = quotes.as_mut().is_some_and(|quotes| {
            *quotes += word.matches('\'').count();
            *quotes % 2 == 1 || !word.ends_with([';', ',', ')', ':'])
        });
        if !goes_on || n + 1 == words.len() {
            units.push(&line[begin..end]);
            (begin, quotes) = (end + 1, None);
        }
        at = end + 1;
    }
    units
}

fn begins_command(word: &str, next: &str) -> bool {
    let is_verb = || next.starts_with(|c: char| c.is_ascii_lowercase() || c == '-');
    match word.trim_start_matches('(') {
        "sudo" => matches!(next, "-u" | "mfactl"),
        "mfactl" | "mfa" => is_verb(),
        // A line of an anchor file, which is copied too.
        "mfactl-anchor" => true,
        _ => false,
    }
}

/// Where the value of a named line begins, or two columns after the beginning of the line.
fn margin(line: &str) -> usize {
    let start = line.len() - line.trim_start().len();
    let text = &line[start..];
    let value = text.find("  ").filter(|_| start > 0).map(|gap| {
        let after = &text[gap..];
        text[..gap].width() + after.len() - after.trim_start().len()
    });
    start + value.unwrap_or(2)
}

/// The width of the longest word.
#[must_use]
pub fn longest_word(text: &str) -> usize {
    text.split_whitespace().map(UnicodeWidthStr::width).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d20_lines_are_broken_between_words() {
        let line = "  device       phone: active (totp), since monday, last used now";
        assert_eq!(
            wrapped(line, 40),
            "  device       phone: active (totp),\n             since monday, last used now"
        );
        assert_eq!(wrapped(line, 80), line);
        assert_eq!(wrapped("alice: enabled; phone:active", 20), "alice: enabled;\n  phone:active");
        assert_eq!(wrapped("a\nbb cc", 4), "a\nbb\n cc");
        assert_eq!(wrapped("averyveryverylongword", 5), "averyveryverylongword");
        assert_eq!(wrapped("x averyveryverylongword y", 6), "x\n  averyveryverylongword\n  y");
        assert_eq!(wrapped("", 20), "");
        let hint =
            "mfactl: hint: to see it again, run: sudo -u mfactl mfactl show-qr -- alice; it waits";
        assert_eq!(
            wrapped(hint, 40),
            "mfactl: hint: to see it again, run:\n  sudo -u mfactl mfactl show-qr -- alice;\n  it waits"
        );
        let quoted = "run: mfactl edit-user --display-name 'A; B, C' -- alice";
        assert_eq!(
            wrapped(quoted, 20),
            "run:\n  mfactl edit-user --display-name 'A; B, C' -- alice"
        );
        let anchor = "anchor:  mfactl-anchor 1 03d2 6 2026-01-01T00:00:00Z";
        assert_eq!(wrapped(anchor, 20), "anchor:\n  mfactl-anchor 1 03d2 6 2026-01-01T00:00:00Z");
        assert_eq!(wrapped("as mfactl: one two", 11), "as mfactl:\n  one two");
        for columns in 1..80 {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&wrapped(line, columns)), words(line), "{columns}");
        }
    }
}
