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

/// Reads a list of users, each once, in the order of the file; `-` is standard input. Any doubt
/// is `bad_input` with the line.
pub fn read_user_list(app: &mut App<'_>, path: &Path) -> Result<Vec<UserName>> {
    let mut bytes = Vec::new();
    let source: &mut dyn Read = if path == Path::new("-") {
        &mut app.env.input
    } else {
        &mut operator_file::open(path, &app.env.process, "--from")?
    };
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes).context("--from: can't be read")?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Refusal::bad_input("--from", "is longer than 64 MiB").into());
    }
    Ok(parse_names(&bytes)?)
}

fn parse_names(bytes: &[u8]) -> Result<Vec<UserName>, Refusal> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bad = |line: u64, problem: &str| {
        Refusal::bad_input("--from", format!("line {line} {problem}"))
            .hint("write one name a line, or CSV with a column `user`")
    };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).trim(csv::Trim::All).from_reader(bytes);
    let mut column = None;
    let mut seen = BTreeSet::new();
    let mut names = Vec::new();
    for (n, record) in (1_u64..).zip(reader.byte_records()) {
        let record = record.map_err(|error| {
            bad(
                error.position().map_or(n, csv::Position::line),
                "has another number of fields than the first line",
            )
        })?;
        let line = record.position().map_or(n, csv::Position::line);
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
            if header.is_none() {
                push_name(line, fields[0], &mut seen, &mut names)?;
            }
            continue;
        };
        push_name(line, fields[column], &mut seen, &mut names)?;
    }
    if names.is_empty() {
        return Err(Refusal::bad_input("--from", "has no names").hint("write one name a line"));
    }
    Ok(names)
}

fn push_name(
    line: u64,
    text: &str,
    seen: &mut BTreeSet<String>,
    names: &mut Vec<UserName>,
) -> Result<(), Refusal> {
    let name =
        UserName::parse(text).map_err(|refusal| refusal.within(format!("--from: line {line}")))?;
    if seen.insert(name.as_str().to_owned()) {
        names.push(name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::operate::user_list::*;

    fn read(text: &str) -> Result<Vec<String>, String> {
        let names = parse_names(text.as_bytes()).map_err(|refusal| refusal.to_string())?;
        Ok(names.iter().map(ToString::to_string).collect())
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
            ("", "has no names"),
            ("user\n", "has no names"),
            ("alice\nb c\n", "line 2"),
            ("a,b\n", "line 1 has no column"),
            ("user,x\nalice,1\nbob\n", "line 3"),
            ("alice\n-x\n", "line 2"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(words), "{text:?}: {message}");
        }
        assert!(parse_names(b"al\xffice\n").is_err());
    }
}
