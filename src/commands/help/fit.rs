//! Fits the lines of a help page to the terminal.

use crate::env::Env;

/// Columns where there is no terminal.
const DEFAULT_WIDTH: usize = 80;
/// Longer lines are hard to read.
const MAX_WIDTH: usize = 100;
/// On a narrower terminal the text of an option is below it: beside it there is too little room for one line.
pub const MIN_WIDTH: usize = 60;

/// The least room for the second of two columns, that of the longest word.
const MIN_TEXT: usize = 18;

/// The columns of a page.
pub fn width(env: &Env) -> usize {
    let columns = env.out.terminal.map_or(DEFAULT_WIDTH, |size| size.columns.into());
    columns.clamp(1, MAX_WIDTH)
}

/// The page without lines that are too wide.
pub fn fitted(page: &str, width: usize) -> String {
    page.lines().flat_map(|line| pieces(line, width)).map(|line| line + "\n").collect()
}

/// Rows of two columns; each text goes on below its own beginning, or is below its label where little
/// room is left beside it.
pub fn rows(rows: &[(&str, &str)], width: usize) -> String {
    let column = rows.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
    let is_below = width < column + 4 + MIN_TEXT;
    let indent = if is_below { 4 } else { column + 4 };
    let mut text = String::new();
    for (label, words) in rows {
        let mut lines = wrapped(words, width.saturating_sub(indent)).into_iter();
        if is_below {
            text.extend(["  ", label, "\n"]);
        } else {
            let first = lines.next().unwrap_or_default();
            text.extend([format!("  {label:column$}  {first}\n")]);
        }
        text.extend(lines.map(|line| format!("{:indent$}{line}\n", "")));
    }
    text
}

/// Breaks a line that is wider than the terminal, where need be inside a word.
fn pieces(line: &str, width: usize) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest: Vec<char> = line.chars().collect();
    while rest.len() > width {
        let is_break = |at: &usize| rest[*at] == ' ' && rest[..*at].iter().any(|c| *c != ' ');
        let at = (0..=width).rev().find(is_break).unwrap_or(width);
        let after = rest.split_off(at);
        pieces.push(rest.into_iter().collect());
        rest = after.into_iter().skip_while(|c| *c == ' ').collect();
    }
    pieces.push(rest.into_iter().collect());
    pieces
}

/// The text in one line, cut after a word where there is no room for the whole.
pub fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let first = wrapped(text, width.saturating_sub(1)).swap_remove(0);
    let first = first.trim_end_matches([',', ';', ':']);
    if first.chars().count() < width { format!("{first}…") } else { String::new() }
}

/// Breaks text between words; a longer word stays whole.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { continue };
        let columns = line.chars().count() + 1 + word.chars().count();
        if line.is_empty() {
            line.push_str(word);
        } else if columns <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
