//! The first row of a list: a header, or already a user.

use anyhow::Result;

use crate::domain::refusal::Refusal;
use crate::domain::text::quoted;
use crate::operate::user_list::own_header::{self, OwnList, is_own_header};
use crate::operate::user_list::table::ListRow;
use crate::operate::user_list::table::bad;

/// The columns that can hold the name of a user; the first of them that a header has is read.
const NAME_COLUMNS: [&str; 3] = ["user", "username", "name"];

/// The other columns, as mfactl, directories and personnel lists call them, in lower case and without blanks,
/// hyphens and underscores.
const OTHER_COLUMNS: &[&str] = &[
    "account",
    "active",
    "algorithm",
    "at",
    "bypass",
    "changed",
    "changes",
    "city",
    "cn",
    "code",
    "codes",
    "comment",
    "company",
    "confirmedat",
    "consequences",
    "costcenter",
    "costcentre",
    "country",
    "created",
    "createdat",
    "date",
    "department",
    "description",
    "detail",
    "device",
    "devices",
    "digits",
    "disabled",
    "displayname",
    "due",
    "dueat",
    "email",
    "emailaddress",
    "employeeid",
    "employeenumber",
    "enabled",
    "erased",
    "expiresat",
    "factor",
    "finding",
    "firstname",
    "fullname",
    "gid",
    "givenname",
    "group",
    "groups",
    "id",
    "initials",
    "is",
    "issuer",
    "language",
    "lastname",
    "lastusedat",
    "lastverifiedat",
    "left",
    "location",
    "locked",
    "lockeduntil",
    "madeat",
    "mail",
    "manager",
    "managermail",
    "mfa",
    "mobile",
    "no",
    "note",
    "notes",
    "number",
    "office",
    "operatorclaim",
    "operatoruid",
    "outcome",
    "passwordchangerequired",
    "period",
    "phone",
    "postalcode",
    "proof",
    "protected",
    "realname",
    "reason",
    "recoverycodesleft",
    "request",
    "refuseduntil",
    "required",
    "requiredfrom",
    "result",
    "role",
    "samaccountname",
    "sentence",
    "seq",
    "site",
    "startsat",
    "state",
    "status",
    "street",
    "surname",
    "team",
    "telephone",
    "temporarypassword",
    "ticket",
    "title",
    "uid",
    "upn",
    "userprincipalname",
    "uses",
    "verb",
    "was",
];

/// What the first row is.
#[derive(Debug, PartialEq, Eq)]
pub enum FirstRow {
    /// The only column holds names, from this row on.
    User,
    Header {
        /// The index of the column that holds the names.
        index: usize,
        name: &'static str,
        /// Where mfactl wrote the list.
        own: Option<OwnList>,
    },
}

/// Decides what the first of these rows is. `is_user` looks for a user of the store. Any doubt is refused, since a
/// wrong column changes other people.
pub fn first_row(
    rows: &[ListRow],
    mut is_user: impl FnMut(&str) -> Result<bool>,
) -> Result<FirstRow> {
    let Some((row, below)) = rows.split_first() else { return Ok(FirstRow::User) };
    if is_own_header(row, below, &mut is_user)? {
        let index = row.cells.iter().position(|cell| cell == own_header::USER).unwrap_or_default();
        let own = Some(own_header::kind(row));
        return Ok(FirstRow::Header { index, name: own_header::USER, own });
    }
    let unknown = row.cells.iter().position(|cell| column(cell).is_none());
    match (unknown, row.cells.len()) {
        (Some(_), 1) => return Ok(FirstRow::User),
        (Some(index), _) => return Err(no_header(row, index).into()),
        (None, _) => {}
    }
    let columns = known_columns(row);
    let chosen = NAME_COLUMNS.into_iter().find(|name| columns.contains(name));
    for (cell, column) in row.cells.iter().zip(&columns) {
        if !is_user(cell)? {
            continue;
        }
        if columns.len() == 1 {
            // Whoever is named again below is in the list either way.
            let is_repeated = below.iter().any(|row| row.cells[0].eq_ignore_ascii_case(cell));
            if chosen.is_none() || is_repeated {
                return Ok(FirstRow::User);
            }
        }
        let problem = format!("can be a header, but \"{column}\" is also a user of this store");
        let hint = if columns.len() == 1 {
            "leave the header out; or list with another column: --columns user,status"
        } else {
            "leave that column out; the names may stand under user, username or name"
        };
        return Err(bad(row.line, &problem).hint(hint).into());
    }
    let Some(name) = chosen else {
        let problem = format!("has no column user, username or name, but {}", columns.join(", "));
        return Err(bad(row.line, &problem).into());
    };
    let places: Vec<String> = (1..)
        .zip(&columns)
        .filter(|(_, column)| **column == name)
        .map(|(place, _)| place.to_string())
        .collect();
    if places.len() > 1 {
        let problem = format!("has several columns called \"{name}\": {}", places.join(", "));
        return Err(bad(row.line, &problem).hint("leave one of them").into());
    }
    let index = columns.iter().position(|column| *column == name).unwrap_or_default();
    // The column has our name, so mfactl may have written the list before a spreadsheet did.
    let own = (name == own_header::USER).then_some(OwnList::Names);
    Ok(FirstRow::Header { index, name, own })
}

fn no_header(row: &ListRow, index: usize) -> Refusal {
    let place = index + 1;
    let cell = &row.cells[index];
    let problem = format!("is no header: cell {place} is not the name of a column");
    let quotation = if cell.is_empty() {
        format!("line {} is no header: cell {place} is empty", row.line)
    } else {
        format!(
            "line {} is no header: cell {place}, {}, is not the name of a column",
            row.line,
            quoted(cell)
        )
    };
    bad(row.line, &problem).quoting(quotation).hint(
        "write one name a line; or above the columns a header of known names such as user, display_name, email",
    )
}

/// The columns of a header, in the form that they are compared in.
pub fn known_columns(row: &ListRow) -> Vec<&'static str> {
    row.cells.iter().filter_map(|cell| column(cell)).collect()
}

/// The known column of this name.
fn column(cell: &str) -> Option<&'static str> {
    let is_ignored = |c: char| matches!(c, '_' | '-' | ' ');
    let squashed: String =
        cell.chars().filter(|c| !is_ignored(*c)).map(|c| c.to_ascii_lowercase()).collect();
    NAME_COLUMNS.iter().chain(OTHER_COLUMNS).find(|known| **known == squashed).copied()
}

#[cfg(test)]
mod tests {
    use crate::operate::user_list::header::*;

    fn read(line: &str, users: &[&str]) -> Result<FirstRow, String> {
        let row =
            |line: &str| ListRow { line: 1, cells: line.split(',').map(str::to_owned).collect() };
        let rows: Vec<_> = line.split('\n').map(row).collect();
        first_row(&rows, |cell| Ok(users.contains(&cell))).map_err(|error| error.to_string())
    }

    /// The first row, whoever wrote the list.
    fn first(line: &str, users: &[&str]) -> Result<FirstRow, String> {
        Ok(match read(line, users)? {
            FirstRow::Header { index, name, .. } => header(index, name),
            FirstRow::User => FirstRow::User,
        })
    }

    fn own(line: &str) -> Option<OwnList> {
        match read(line, &[]) {
            Ok(FirstRow::Header { own, .. }) => own,
            _ => None,
        }
    }

    #[test]
    fn w1_our_own_lists_are_known_by_their_headers() {
        // A spreadsheet may have written our list anew, with a capital or a column of its own.
        let edited = ["User", "USER", "user,department"];
        for ours in ["user", "user,email", "status,user\nenabled,bob"].into_iter().chain(edited) {
            assert_eq!(own(ours), Some(OwnList::Names), "{ours}");
        }
        assert_eq!(own(&own_header::HEADERS[1].join(",")), Some(OwnList::Log));
        for other in ["username", "name,email", "bob"] {
            assert_eq!(own(other), None, "{other}");
        }
    }

    fn header(index: usize, name: &'static str) -> FirstRow {
        FirstRow::Header { index, name, own: None }
    }

    #[test]
    fn w1_a_header_has_known_columns_only_and_no_user() {
        for (line, index, name) in [
            ("user", 0, "user"),
            ("Name", 0, "name"),
            ("name,User", 1, "user"),
            ("name,username,user", 2, "user"),
            ("name,User Name", 1, "username"),
            ("email,display_name,name", 2, "name"),
        ] {
            assert_eq!(first(line, &["alice"]), Ok(header(index, name)), "{line}");
        }
        for line in ["alice", "status"] {
            assert_eq!(first(line, &["alice", "status"]), Ok(FirstRow::User), "{line}");
        }
    }

    #[test]
    fn w1_any_doubt_is_refused_and_names_the_cells() {
        for (line, users, words) in [
            ("alice,user", &["alice", "user"][..], "cell 1, \"alice\", is not the name"),
            ("user,alice", &[], "cell 2, \"alice\", is not the name"),
            ("user,", &[], "cell 2 is empty"),
            ("user", &["user"], "\"user\" is also a user"),
            ("user\nbob", &["user"], "\"user\" is also a user"),
            ("username,email", &["email"], "\"email\" is also a user"),
            ("email,user\nbob,x", &["email", "bob"], "\"email\" is also a user"),
            ("user,name", &["name"], "\"name\" is also a user"),
            ("user,email,USER", &[], "several columns called \"user\": 1, 3"),
            ("user_name,username", &[], "several columns called \"username\": 1, 2"),
            ("email,status", &[], "no column user, username or name, but email, status"),
            ("email", &[], "no column user"),
        ] {
            let message = first(line, users).unwrap_err();
            assert!(message.contains(words), "{line}: {message}");
        }
    }

    #[test]
    fn w16_our_own_headers_are_headers_whatever_users_are_called() {
        assert_eq!(first("user,email", &["user", "email"]), Ok(header(0, "user")));
        assert_eq!(first("status,user\nx,bob", &["status", "bob"]), Ok(header(1, "user")));
        let again = first("user\nbob\nUser", &["user", "bob"]);
        assert_eq!(again, Ok(FirstRow::User), "the same users, whatever the first row is");
        let log = own_header::HEADERS[1].join(",");
        assert_eq!(first(&log, &["seq", "user", "verb"]), Ok(header(4, "user")));
    }

    #[test]
    fn w1_the_known_columns_are_in_the_form_that_they_are_compared_in() {
        for known in NAME_COLUMNS.iter().chain(OTHER_COLUMNS) {
            assert_eq!(column(known), Some(*known));
        }
    }
}
