//! Lines and their columns, as spreadsheets and scripts write them. No field of a token's line spans lines, so each line
//! is read alone, and its number is exact.

use crate::domain::refusal::Refusal;
use crate::formats::TokenPlace;
use crate::formats::tokens::at;

/// Bytes of the longest line.
const LONGEST: usize = 4096;

/// The first line that is neither blank nor a comment.
pub fn first(text: &str) -> Option<&str> {
    text.lines().map(str::trim).find(|line| !is_passed_over(line))
}

/// The lines with their numbers, without blank ones and comments.
///
/// The last one must have a line end: the end of a file that was cut off may read as a token with another key.
pub fn lines(text: &str) -> Result<impl Iterator<Item = (TokenPlace, &str)>, Refusal> {
    let numbered = || (1..).map(TokenPlace::Line).zip(text.lines());
    if !text.ends_with('\n') {
        let place = numbered().last().map_or(TokenPlace::Line(1), |(place, _)| place);
        let problem = "has no line end, so that the file may be cut off";
        return Err(at(
            place,
            Refusal::bad_input("line", problem)
                .hint("see whether the last line is whole, and add a line end"),
        ));
    }
    Ok(numbered().filter(|(_, line)| !is_passed_over(line.trim())))
}

fn is_passed_over(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

/// The columns of a line, without blanks around them and without quotation marks.
pub fn columns(line: &str, separator: char) -> Result<Vec<&str>, Refusal> {
    if line.len() > LONGEST {
        return Err(Refusal::bad_input("line", format!("is longer than {LONGEST} bytes")));
    }
    if line.chars().any(|c| c.is_control() && c != '\t') {
        return Err(Refusal::bad_input("line", "has a control character"));
    }
    let mut columns = Vec::with_capacity(20);
    let mut rest = line;
    loop {
        let (column, more) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => {
                let cut = quoted.split_once('"').filter(|(_, after)| {
                    let after = after.trim_start();
                    after.is_empty() || after.starts_with(separator)
                });
                let (column, after) = cut.ok_or_else(|| {
                    Refusal::bad_input(
                        "line",
                        "has a quotation mark inside a column, or one too few",
                    )
                })?;
                (column, after.trim_start().strip_prefix(separator))
            }
            None => match rest.split_once(separator) {
                Some((column, more)) => (column, Some(more)),
                None => (rest, None),
            },
        };
        columns.push(column.trim());
        match more {
            Some(more) => rest = more,
            None => return Ok(columns),
        }
    }
}
