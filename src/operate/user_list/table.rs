//! The cells of a list: CSV (RFC 4180) with commas, semicolons or tabs. What a spreadsheet could have meant in two
//! ways is refused: a quotation mark that is not closed would swallow the users on the lines after it.

use std::iter::Peekable;
use std::str::Chars;

use crate::domain::refusal::Refusal;

/// The separators, and what they are called.
const SEPARATORS: [(char, &str); 3] = [(',', "commas"), (';', "semicolons"), ('\t', "tabs")];

/// The cells of one row, without the blanks around them.
#[derive(Debug)]
pub struct ListRow {
    /// The line on which the row begins.
    pub line: u64,
    pub cells: Vec<String>,
}

/// The rows that are not empty, all of the same number of cells.
pub fn rows(text: &str) -> Result<Vec<ListRow>, Refusal> {
    let mut reader = CellReader { rest: text.chars().peekable(), line: 1, separator: ',' };
    reader.separator = match declared(text) {
        Some(separator) => {
            reader.skip_line();
            separator
        }
        None => separator(text)?,
    };
    let mut rows: Vec<ListRow> = Vec::new();
    while reader.rest.peek().is_some() {
        let row = reader.row()?;
        if row.cells.iter().all(String::is_empty) {
            continue;
        }
        let has_one_cell = row.cells.len() == 1;
        let is_other = rows.first().is_some_and(|first| first.cells.len() != row.cells.len());
        // A list without a separator on its first line has none on the others.
        if is_other || has_one_cell && row.cells[0].contains(SEPARATORS.map(|(c, _)| c)) {
            return Err(bad(row.line, "has another number of fields than the first line"));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The separator on a first line `sep=;`, which is for a spreadsheet.
fn declared(text: &str) -> Option<char> {
    let line = text.lines().next()?.trim_matches('"');
    let separator = line.strip_prefix("sep=")?;
    SEPARATORS.into_iter().map(|(c, _)| c).find(|c| separator.chars().eq([*c]))
}

/// The separator that the first row shows.
fn separator(text: &str) -> Result<char, Refusal> {
    let first_line = text.trim_start_matches(['\r', '\n']);
    let (mut in_quotes, mut found) = (false, Vec::new());
    for c in first_line.chars() {
        match c {
            '"' => in_quotes = !in_quotes,
            '\r' | '\n' if !in_quotes => break,
            _ if in_quotes => {}
            c => found.extend(SEPARATORS.iter().filter(|(s, _)| *s == c)),
        }
    }
    found.sort_unstable();
    found.dedup();
    match found[..] {
        [] => Ok(','),
        [(only, _)] => Ok(only),
        _ => {
            let names: Vec<_> = found.iter().map(|(_, name)| *name).collect();
            let problem = format!("has {}: it is not clear what separates", names.join(" and "));
            Err(bad(1, &problem))
        }
    }
}

struct CellReader<'t> {
    rest: Peekable<Chars<'t>>,
    line: u64,
    separator: char,
}

/// What ends a cell.
enum CellEnd {
    Separator,
    Row,
}

impl CellReader<'_> {
    fn row(&mut self) -> Result<ListRow, Refusal> {
        let mut row = ListRow { line: self.line, cells: Vec::new() };
        loop {
            let mut cell = String::new();
            let end = self.cell(&mut cell, row.line)?;
            row.cells.push(cell.trim().to_owned());
            if matches!(end, CellEnd::Row) {
                return Ok(row);
            }
        }
    }

    fn cell(&mut self, cell: &mut String, line: u64) -> Result<CellEnd, Refusal> {
        let mut was_quoted = false;
        while let Some(c) = self.next() {
            match c {
                c if c == self.separator => return Ok(CellEnd::Separator),
                '\n' => return Ok(CellEnd::Row),
                '"' if cell.trim().is_empty() && !was_quoted => {
                    was_quoted = true;
                    self.quoted(cell, line)?;
                }
                '"' => return Err(bad(line, "has a quotation mark within a cell")),
                c if was_quoted && !c.is_whitespace() => {
                    return Err(bad(line, "has text beside a cell in quotation marks"));
                }
                c => cell.push(c),
            }
        }
        Ok(CellEnd::Row)
    }

    fn quoted(&mut self, cell: &mut String, line: u64) -> Result<(), Refusal> {
        while let Some(c) = self.next() {
            match c {
                '"' if self.rest.next_if_eq(&'"').is_some() => cell.push('"'),
                '"' => return Ok(()),
                c => cell.push(c),
            }
        }
        Err(bad(line, "has a quotation mark that is not closed"))
    }

    /// The next character; each line end is one `\n`.
    fn next(&mut self) -> Option<char> {
        let mut c = self.rest.next()?;
        if c == '\r' {
            let _ = self.rest.next_if_eq(&'\n');
            c = '\n';
        }
        self.line += u64::from(c == '\n');
        Some(c)
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|c| c != '\n') {}
    }
}

/// A line that can't be read, with what to write instead.
pub fn bad(line: u64, problem: &str) -> Refusal {
    Refusal::bad_input("--from", format!("line {line} {problem}"))
        .hint("write one name a line, or CSV with a header and a column user")
}

#[cfg(test)]
mod tests {
    use crate::operate::user_list::table::*;
    use proptest::prelude::*;

    fn cells(text: &str) -> Vec<Vec<String>> {
        rows(text).unwrap().into_iter().map(|row| row.cells).collect()
    }

    #[test]
    fn w16_commas_semicolons_and_tabs_separate() {
        let expected = [["user", "email"], ["alice", "a;b,c\td"], ["bob", "5\" \nx"]];
        for s in [",", ";", "\t"] {
            let text =
                format!("user{s}email\r\nalice {s}\"a;b,c\td\"\r\n{s}\r\n bob{s} \"5\"\" \nx\"\n");
            assert_eq!(cells(&text), expected, "{text:?}");
        }
        assert_eq!(cells("sep=;\nuser;x\n"), [["user", "x"]]);
        assert_eq!(cells("\"user\";\"email\"\na;b,c\n")[1], ["a", "b,c"]);
    }

    #[test]
    fn w16_doubt_about_cells_is_refused() {
        for (text, words) in [
            ("alice;x,y\n", "line 1 has commas and semicolons"),
            ("user,name\nalice,\"A\nbob,B\n", "line 2 has a quotation mark that is not closed"),
            ("user,name\nalice,5\" x\n", "line 2 has a quotation mark within"),
            ("user,name\nalice,\"A\" x\n", "line 2 has text beside"),
            ("alice\nbob;carol\n", "line 2 has another number of fields"),
            ("alice\nbob\tcarol\n", "line 2 has another number of fields"),
            ("user;x\n\n\nalice\n", "line 4 has another number of fields"),
        ] {
            let message = rows(text).map(|_| ()).unwrap_err().to_string();
            assert!(message.contains(words), "{text:?}: {message}");
        }
    }

    proptest! {
        #[test]
        fn w16_what_is_written_as_csv_is_read_back(
            table in prop::collection::vec(("[a-z]{1,4}", "[a-z,;\"\t]{0,6}"), 1..6), s in 0_usize..3,
        ) {
            let separator = [b',', b';', b'\t'][s];
            let mut writer = csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
            writer.write_record(["user", "email"]).unwrap();
            for (user, other) in &table {
                writer.write_record([user, other]).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read: Vec<_> = cells(&text).into_iter().skip(1).map(|c| (c[0].clone(), c[1].clone())).collect();
            let expected: Vec<_> = table.into_iter().map(|(a, b)| (a, b.trim().to_owned())).collect();
            prop_assert_eq!(read, expected);
        }

        #[test]
        fn w16_any_text_is_read_or_refused(text in "\\PC{0,30}|[a\",;\t\r\n]{0,30}") {
            let count = rows(&text).map(|rows| rows.len()).unwrap_or_default();
            prop_assert!(count <= text.len());
        }
    }
}
