//! `--from`: a list of users, one name a line or CSV with a header.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::app::App;
use crate::domain::name::UserName;
use crate::domain::refusal::Refusal;
use crate::files::operator_file;

/// Bytes of the longest list.
const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// Accepted CSV headers of the name column.
const HEADERS: [&str; 3] = ["user", "name", "username"];

/// Names of users, each once.
#[derive(Debug, Default)]
pub struct UserList {
    pub names: Vec<UserName>,
    /// The line of each name in a file; empty if the names come from elsewhere. Errors then have these
    /// numbers: they repeat nothing that is in a file.
    lines: Vec<u64>,
}

impl From<Vec<UserName>> for UserList {
    fn from(names: Vec<UserName>) -> Self {
        Self { names, lines: Vec::new() }
    }
}

impl UserList {
    /// How errors call the names at these indexes.
    #[must_use]
    pub fn unknown(&self, indexes: &[usize]) -> String {
        const SHOWN: usize = 10;
        let is_file = !self.lines.is_empty();
        let word = |index: &usize| match self.lines.get(*index) {
            Some(line) => line.to_string(),
            None => self.names[*index].to_string(),
        };
        let words: Vec<String> = indexes.iter().take(SHOWN).map(word).collect();
        let words = words.join(", ");
        let more = match indexes.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        match (is_file, indexes.len()) {
            (false, _) => format!("there are no users {words}{more}"),
            (true, 1) => format!("line {words} names no user of this store"),
            (true, _) => format!("lines {words}{more} name no users of this store"),
        }
    }
}

/// Reads a list of users in the order of the file; `-` is standard input. Any doubt is `bad_input` with the
/// line.
pub fn read_user_list(app: &mut App<'_>, path: &Path) -> Result<UserList> {
    let mut bytes = Vec::new();
    let is_file = path != Path::new("-");
    let source: &mut dyn Read = if is_file {
        &mut operator_file::open(path, &app.env.process, "--from")?
    } else {
        &mut app.env.input
    };
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes).context("--from: the list can't be read")?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Refusal::bad_input("--from", "the list is longer than 64 MiB").into());
    }
    // Standard input belongs to the caller.
    match parse_names(&bytes) {
        Ok(list) if is_file => Ok(list),
        Ok(list) => Ok(list.names.into()),
        Err(refusal) if is_file => Err(refusal.unquoted().into()),
        Err(refusal) => Err(refusal.into()),
    }
}

fn parse_names(bytes: &[u8]) -> Result<UserList, Refusal> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bad = |line: u64, problem: &str| {
        Refusal::bad_input("--from", format!("line {line} {problem}"))
            .hint("write one name a line, or CSV with a column `user`")
    };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(bytes);
    let mut column = None;
    // One of [`HEADERS`].
    let mut named = String::new();
    let mut seen = BTreeSet::new();
    let mut list = UserList::default();
    let mut lines = LineNumbers { bytes, at: 0, line: 1 };
    for record in reader.byte_records() {
        let record = record.map_err(|error| {
            let line = lines.of(error.position());
            bad(line, "has another number of fields than the first line")
        })?;
        let line = lines.of(record.position());
        let fields: Vec<&str> = record
            .iter()
            .map(|field| std::str::from_utf8(field).map_err(|_| bad(line, "is not UTF-8")))
            .collect::<Result<_, _>>()?;
        let Some(column) = column else {
            let header = fields
                .iter()
                .position(|field| HEADERS.contains(&field.to_ascii_lowercase().as_str()));
            if header.is_none() && fields.len() > 1 {
                return Err(bad(line, "has no column `user`"));
            }
            column = Some(header.unwrap_or(0));
            match header {
                Some(column) => named = format!(", column {}", fields[column].to_ascii_lowercase()),
                None => push_name((line, &named), fields[0], &mut seen, &mut list)?,
            }
            continue;
        };
        push_name((line, &named), fields[column], &mut seen, &mut list)?;
    }
    if list.names.is_empty() {
        return Err(
            Refusal::bad_input("--from", "the list has no names").hint("write one name a line")
        );
    }
    Ok(list)
}

/// Counts lines from one record to the next. The parser's own numbers stop at empty lines before a record.
struct LineNumbers<'b> {
    bytes: &'b [u8],
    at: usize,
    line: u64,
}

impl LineNumbers<'_> {
    fn of(&mut self, record: Option<&csv::Position>) -> u64 {
        let begin = record.and_then(|position| usize::try_from(position.byte()).ok());
        let mut begin = begin.unwrap_or(self.at);
        while self.bytes.get(begin).is_some_and(|byte| b"\r\n".contains(byte)) {
            begin += 1;
        }
        let passed = self.bytes.get(self.at..begin).unwrap_or_default();
        self.line += passed.iter().map(|byte| u64::from(*byte == b'\n')).sum::<u64>();
        self.at = self.at.max(begin);
        self.line
    }
}

fn push_name(
    (line, column): (u64, &str),
    text: &str,
    seen: &mut BTreeSet<String>,
    list: &mut UserList,
) -> Result<(), Refusal> {
    // A line of a file has no field but its column.
    let name = UserName::parse(text)
        .map_err(|e| Refusal { field: None, ..e }.within(format!("--from: line {line}{column}")))?;
    if seen.insert(name.as_str().to_owned()) {
        list.names.push(name);
        list.lines.push(line);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::operate::user_list::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let list = parse_names(text.as_bytes()).map_err(|refusal| refusal.to_string())?;
        assert_eq!(list.names.len(), list.lines.len());
        Ok(list.names.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn lines_and_csv_give_each_name_once() {
        for text in [
            "alice\nbob\n",
            "\u{feff}alice\r\nbob",
            "\nalice\n\n bob \nALICE\n",
            "user\nalice\nbob\n",
            "email,User\na@x,alice\n\"b,x\",bob\n",
        ] {
            assert_eq!(read(text).unwrap(), ["alice", "bob"], "{text:?}");
        }
    }

    #[test]
    fn a_bad_list_is_refused_with_its_line() {
        for (text, words) in [
            ("", "the list has no names"),
            ("user\n", "the list has no names"),
            ("alice\nb c\n", "line 2"),
            ("a,b\n", "line 1 has no column"),
            ("user,x\nalice,1\nbob\n", "line 3"),
            ("alice\n-x\n", "line 2"),
            ("\n\r\nalice\r\n\n\n-x\n", "line 6"),
            ("user,x\n\n\"a\nb\",1\n-x,2\n", "line 3"),
            ("user,x\n\n\"alice\",\"1\n1\"\n-x,2\n", "line 5"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(words), "{text:?}: {message}");
        }
        assert!(parse_names(b"al\xffice\n").is_err());
    }

    #[test]
    fn s8_a_file_of_names_is_called_by_its_lines() {
        let list = parse_names(b"user\nalice\n\nbob\ncarol\n").unwrap();
        assert_eq!(list.unknown(&[1]), "line 4 names no user of this store");
        assert_eq!(list.unknown(&[0, 2]), "lines 2, 5 name no users of this store");
        let typed = UserList::from(list.names);
        assert_eq!(typed.unknown(&[1]), "there are no users bob");
    }
}
