//! `--from`: a list of users, one name a line or CSV with a header.

mod encoding;
mod header;
mod new_users;
mod own_header;
mod past_names;
mod table;

pub use new_users::{ListedProfile, NewUserList, read_new_users};

use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::app::App;
use crate::domain::name::UserName;
use crate::domain::refusal::Refusal;
use crate::domain::site_names::SiteNames;
use crate::domain::text::counted;
use crate::files::operator_file;
use crate::operate::user_list::header::FirstRow;
use crate::operate::user_list::own_header::OwnList;
use crate::operate::user_list::past_names::PastName;
use crate::operate::user_list::table::ListRow;
use crate::report::disarmed;

/// Bytes of the longest list.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// Names of users, each once.
#[derive(Debug, Default)]
pub struct UserList {
    pub names: Vec<UserName>,
    /// What was read; `None` if the names come from the store.
    pub source: Option<ListSource>,
    /// The line of each name in a file; empty if the names come from elsewhere. Errors then have these
    /// numbers: they repeat nothing that is in a file.
    lines: Vec<u64>,
    /// The names of a list that mfactl wrote, which may be names of other users today.
    past: Vec<PastName>,
}

/// Which part of a list was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListSource {
    /// The column of a list with a header.
    pub column: Option<&'static str>,
    /// The rows, without the header.
    pub rows: u64,
    /// Those of them, in a list from our own log, that are about no user.
    pub rows_without_user: u64,
}

impl ListSource {
    #[must_use]
    pub fn sentence(&self) -> String {
        let rows = counted(self.rows, "row");
        match self.column {
            Some(column) if self.rows_without_user > 0 => format!(
                "read the column {column} of the list, {rows}; passed over {} about no user",
                self.rows_without_user
            ),
            Some(column) => format!("read the column {column} of the list, {rows}"),
            None => format!("read the list as names without a header, {rows}"),
        }
    }
}

impl From<Vec<UserName>> for UserList {
    fn from(names: Vec<UserName>) -> Self {
        Self { names, ..Self::default() }
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
    read_list(app, path, |bytes, site, is_user| parse_names(bytes, site, is_user), |list| list)
}

/// Says whether a cell is the name of a user of the store.
type IsUser<'i> = &'i mut dyn FnMut(&str) -> Result<bool>;

/// Reads a file or standard input, and has its bytes parsed. What stands in a file is repeated to nobody.
fn read_list<T>(
    app: &mut App<'_>,
    path: &Path,
    parse: impl FnOnce(&[u8], &SiteNames, IsUser<'_>) -> Result<T>,
    list: impl Fn(&mut T) -> &mut UserList,
) -> Result<T> {
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
    if !is_file && app.env.prompt.is_none() && !app.options.no_input {
        app.env.prompt = (app.env.prompt_after_list)();
    }
    let names = app.config.names.clone();
    let has_store = app.config.store.exists(&app.config.file_policy).unwrap_or(true);
    let mut is_user = |cell: &str| {
        let Ok(name) = names.read(cell) else { return Ok(false) };
        // The verb makes the store, or says that there is none.
        Ok(has_store && app.reader()?.read()?.user(&name)?.is_some())
    };
    // Standard input belongs to the caller.
    let parsed = parse(&bytes, &names, &mut is_user).and_then(|mut parsed| {
        let past = std::mem::take(&mut list(&mut parsed).past);
        if has_store && !past.is_empty() {
            past_names::check(&mut app.reader()?.read()?, &past)?;
        }
        Ok(parsed)
    });
    match parsed {
        Ok(parsed) if is_file => Ok(parsed),
        Ok(mut parsed) => {
            list(&mut parsed).lines = Vec::new();
            Ok(parsed)
        }
        Err(error) if is_file => Err(match error.downcast::<Refusal>() {
            Ok(refusal) => refusal.unquoted().into(),
            Err(error) => error,
        }),
        Err(error) => Err(error),
    }
}

/// The rows of a list with the name in each.
struct NamedRows {
    header: Option<ListRow>,
    source: ListSource,
    rows: Vec<(ListRow, UserName)>,
    past: Vec<PastName>,
}

fn named_rows(bytes: &[u8], site: &SiteNames, is_user: IsUser<'_>) -> Result<NamedRows> {
    let mut rows = table::rows(&encoding::decode(bytes)?)?;
    let (mut index, mut source, mut own_list, mut header) = (0, ListSource::default(), None, None);
    if let FirstRow::Header { index: chosen, name, own } = header::first_row(&rows, is_user)? {
        (index, source.column, own_list) = (chosen, Some(name), own);
        header = Some(rows.remove(0));
    }
    let column = source.column.map(|name| format!(", column {name}")).unwrap_or_default();
    let (mut named, mut past) = (Vec::with_capacity(rows.len()), Vec::new());
    for row in rows {
        source.rows += 1;
        let cell = row.cells.get(index).map(String::as_str).unwrap_or_default();
        if cell.is_empty() && own_list == Some(OwnList::Log) {
            source.rows_without_user += 1;
            continue;
        }
        let within = format!("--from: line {}{column}", row.line);
        // A line of a file has no field but its column.
        let name =
            site.read(disarmed(cell)).map_err(|e| Refusal { field: None, ..e }.within(within))?;
        if let Some(own) = own_list {
            let seq = row.cells.first().filter(|_| own == OwnList::Log);
            let event = seq.and_then(|seq| seq.parse().ok());
            past.push(PastName { line: row.line, name: name.clone(), event });
        }
        named.push((row, name));
    }
    if named.is_empty() {
        return Err(Refusal::bad_input("--from", "the list has no names")
            .hint("write one name a line")
            .into());
    }
    Ok(NamedRows { header, source, rows: named, past })
}

/// [`read_user_list`] of bytes; `is_user` tells whether the store has a user of this name.
pub fn parse_names(
    bytes: &[u8],
    site: &SiteNames,
    mut is_user: impl FnMut(&str) -> Result<bool>,
) -> Result<UserList> {
    let NamedRows { source, rows, past, .. } = named_rows(bytes, site, &mut is_user)?;
    let (mut seen, mut list) = (BTreeSet::new(), UserList { past, ..UserList::default() });
    for (row, name) in rows {
        if seen.insert(name.spellings().collect::<Vec<_>>().join("\0")) {
            list.names.push(name);
            list.lines.push(row.line);
        }
    }
    Ok(UserList { source: Some(source), ..list })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::operate::user_list::*;

    fn parsed(bytes: &[u8]) -> Result<UserList, String> {
        parse_names(bytes, &SiteNames::default(), |_| Ok(false)).map_err(|error| error.to_string())
    }

    fn read(text: &str) -> Result<Vec<String>, String> {
        let list = parsed(text.as_bytes())?;
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
            ("a,b\n", "line 1 is no header"),
            ("user,email\nalice,1\nbob\n", "line 3"),
            ("alice\n-x\n", "line 2"),
            ("\n\r\nalice\r\n\n\n-x\n", "line 6"),
            ("user,email\n\n\"a\nb\",1\n-x,2\n", "line 3"),
            ("user,email\n\n\"alice\",\"1\n1\"\n-x,2\n", "line 5"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(words), "{text:?}: {message}");
        }
        assert!(parsed(b"al\xffice\n").is_err());
    }

    /// Names of users that are the names of columns too, or that CSV changes.
    const NASTY: [&str; 14] = [
        "user", "username", "name", "email", "status", "groups", "enabled", "verb", "seq", "at",
        "+1", "@x", "o'brien", "alice",
    ];

    /// The list as our own CSV has it: under this header, with names of users in the other cells too.
    fn written(header: &[&str], names: &[&str], others: &[&str]) -> Vec<u8> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(header).unwrap();
        for name in names {
            let armed = if name.starts_with(['+', '@']) { "'" } else { "" };
            let cells = header.iter().enumerate().map(|(n, column)| match *column {
                "user" => format!("{armed}{name}"),
                _ => others[n % others.len()].to_owned(),
            });
            csv.write_record(cells).unwrap();
        }
        csv.into_inner().unwrap()
    }

    proptest! {
        #[test]
        fn w16_our_own_csv_goes_back_whatever_users_are_called(
            names in prop::sample::subsequence(&NASTY, 1..=14),
            others in prop::collection::vec(prop::sample::select(&NASTY), 1..6),
            which in 0..own_header::HEADERS.len(),
            chosen in prop::sample::subsequence(own_header::HEADERS[0], 1..=14).prop_shuffle(),
        ) {
            prop_assume!(chosen.contains(&"user"));
            let read = |header: &[&str]| {
                let bytes = written(header, &names, &others);
                let is_user = |cell: &str| Ok(NASTY.contains(&cell));
                let list = parse_names(&bytes, &SiteNames::default(), is_user)?;
                Ok::<_, anyhow::Error>(list.names.iter().map(ToString::to_string).collect::<Vec<_>>())
            };
            prop_assert_eq!(read(own_header::HEADERS[which]).unwrap(), names.clone());
            match read(&chosen) {
                Ok(mut found) => {
                    found.sort_unstable();
                    let mut names = names.clone();
                    names.sort_unstable();
                    prop_assert_eq!(found, names);
                }
                // Refused where the names may stand in another column.
                Err(_) => prop_assert!(chosen[0] != "user" || chosen.len() == 1),
            }
        }
    }

    #[test]
    fn w16_rows_of_our_log_without_a_user_are_passed_over() {
        let log = own_header::HEADERS[1];
        let bytes = written(log, &["alice", "", "bob", "", "alice"], &["x"]);
        let list = parsed(&bytes).unwrap();
        assert_eq!(list.names.iter().map(UserName::as_str).collect::<Vec<_>>(), ["alice", "bob"]);
        assert_eq!(
            list.source.unwrap().sentence(),
            "read the column user of the list, 5 rows; passed over 2 about no user"
        );
        assert_eq!(list.unknown(&[1]), "line 4 names no user of this store");
        let error = parsed(&written(log, &["", ""], &["x"])).unwrap_err();
        assert!(error.contains("the list has no names"), "{error}");
        let error = parsed(&written(own_header::HEADERS[0], &["alice", ""], &["x"])).unwrap_err();
        assert!(error.contains("line 3, column user"), "{error}");
    }

    #[test]
    fn s8_a_file_of_names_is_called_by_its_lines() {
        let list = parsed(b"user\nalice\n\nbob\ncarol\n").unwrap();
        assert_eq!(list.unknown(&[1]), "line 4 names no user of this store");
        assert_eq!(list.unknown(&[0, 2]), "lines 2, 5 name no users of this store");
        let typed = UserList::from(list.names);
        assert_eq!(typed.unknown(&[1]), "there are no users bob");
    }
}
