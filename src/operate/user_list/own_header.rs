//! The headers of mfactl's own CSV. They are headers whatever the users are called.

use anyhow::Result;

use crate::operate::user_list::table::ListRow;

/// The column that holds the names.
pub const USER: &str = "user";

/// `list-status`; `--columns` chooses some of them, in any order.
const STATUS: &[&str] = &[
    "user",
    "display_name",
    "email",
    "groups",
    "status",
    "required",
    "locked",
    "locked_until",
    "password_change_required",
    "bypass",
    "devices",
    "recovery_codes_left",
    "last_verified_at",
    "due_at",
    "weak",
    "codes_left",
];

/// `log`, where some events are about no user.
const LOG: &[&str] = &[
    "seq",
    "at",
    "verb",
    "outcome",
    "user",
    "device",
    "factor",
    "status",
    "operator_uid",
    "operator_claim",
    "ticket",
    "proof",
    "reason",
    "detail",
];

/// Every header with the column user; a test keeps the list whole.
pub const HEADERS: [&[&str]; 20] = [
    STATUS,
    LOG,
    &["request", "made_at", "expires_at", "operator_uid", "operator_claim", "verb", "user"],
    &["serial", "kind", "state", "user", "model", "added_at"],
    &["user", "changed", "request", "expires_at"],
    &["user", "changes", "was", "is", "at", "verb", "operator_uid", "operator_claim", "ticket"],
    &["user", "device", "state", "issuer", "account", "algorithm", "digits", "period"],
    &["user", "device", "state", "language", "form", "output", "recovery_codes_left", "sent"],
    &["user", "erased", "changed"],
    &["user", "finding", "device", "locked_until", "refused_until", "sentence", "locked", "next"],
    &["user", "left", "changed"],
    &["user", "outcome", "act", "changed", "locked_until"],
    &["user", "outcome", "device", "factor", "locked_until"],
    &["user", "outcome", "device", "locked_until", "changed"],
    &["user", "outcome", "factor", "locked_until"],
    &["user", "starts_at", "expires_at", "uses", "changed"],
    &["user", "status", "result", "reason", "consequences"],
    &["user", "status", "devices", "locked", "password_change_required", "changed", "consequences"],
    &[
        "user",
        "status",
        "devices",
        "locked",
        "password_change_required",
        "changed",
        "undone",
        "undone_at",
    ],
    &[
        "user",
        "status",
        "devices",
        "locked",
        "password_change_required",
        "changed",
        "consequences",
        "serial",
        "device",
    ],
];

/// What mfactl wrote under its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnList {
    /// Names as they were at some time.
    Names,
    /// Events, where a row may be about no user. Their numbers are in the first column.
    Log,
}

/// What is under this header of ours.
pub fn kind(row: &ListRow) -> OwnList {
    if row.cells == LOG { OwnList::Log } else { OwnList::Names }
}

/// Whether the row is a header that mfactl wrote. `below` are the rows under it.
///
/// A whole header is one. So are chosen columns of `list-status`, unless a table of users could begin like this:
/// a column before `user` then has the name of a user, and nothing but users below. Words such as `enabled` under
/// `status` are no users there.
pub fn is_own_header(
    row: &ListRow,
    below: &[ListRow],
    is_user: &mut impl FnMut(&str) -> Result<bool>,
) -> Result<bool> {
    if HEADERS.iter().any(|header| row.cells == *header) {
        return Ok(true);
    }
    let is_repeated = (1..row.cells.len()).any(|n| row.cells[..n].contains(&row.cells[n]));
    let is_chosen = row.cells.iter().all(|cell| STATUS.contains(&cell.as_str()));
    let place = row.cells.iter().position(|cell| cell == USER);
    let Some(place) = place.filter(|_| row.cells.len() > 1 && is_chosen && !is_repeated) else {
        return Ok(false);
    };
    for (column, title) in row.cells[..place].iter().enumerate() {
        let cells = || below.iter().map(|row| row.cells[column].as_str());
        let is_ours = !below.is_empty() && cells().all(|cell| is_own_value(title, cell));
        if is_user(title)? && !is_ours && all_users(cells(), is_user)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether `list-status` writes this cell in this column, which holds no names and no free text.
fn is_own_value(title: &str, cell: &str) -> bool {
    match title {
        "status" => ["enabled", "pending", "disabled", "not_enabled"].contains(&cell),
        "required" | "locked" | "password_change_required" | "bypass" => {
            ["true", "false"].contains(&cell)
        }
        "recovery_codes_left" => cell.parse::<u8>().is_ok(),
        _ => false,
    }
}

fn all_users<'r>(
    cells: impl Iterator<Item = &'r str>,
    is_user: &mut impl FnMut(&str) -> Result<bool>,
) -> Result<bool> {
    for cell in cells {
        if !is_user(cell)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::PathBuf;

    use crate::operate::user_list::own_header::*;

    fn row(line: &str) -> ListRow {
        ListRow { line: 1, cells: line.split(',').map(str::to_owned).collect() }
    }

    fn is_own(header: &str, below: &[&str], users: &[&str]) -> bool {
        let below: Vec<_> = below.iter().map(|line| row(line)).collect();
        is_own_header(&row(header), &below, &mut |cell| Ok(users.contains(&cell))).unwrap()
    }

    #[test]
    fn w16_whole_headers_are_headers_whatever_users_are_called() {
        for header in HEADERS {
            assert!(is_own(&header.join(","), &[], header), "{header:?}");
            assert!(header.contains(&USER));
        }
        assert_eq!(kind(&row(&LOG.join(","))), OwnList::Log);
        assert_eq!((kind(&row(&STATUS.join(","))), LOG[0]), (OwnList::Names, "seq"));
    }

    /// The columns of every record that the sources define.
    fn written_headers() -> Vec<Vec<String>> {
        let mut folders = vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
        let mut headers = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let text = fs::read_to_string(path).unwrap_or_default();
                for rest in text.split("    const COLUMNS: &'static [&'static str] =").skip(1) {
                    let list = rest.split(';').next().unwrap();
                    let columns = list.split('"').skip(1).step_by(2).map(str::to_owned);
                    headers.push(columns.collect());
                }
            }
        }
        headers
    }

    #[test]
    fn w16_every_header_with_the_column_user_is_known() {
        let written = written_headers().into_iter().filter(|header| header.contains(&USER.into()));
        let written: BTreeSet<Vec<String>> = written.collect();
        let known = HEADERS.map(|header| header.iter().map(ToString::to_string).collect());
        assert_eq!(written, BTreeSet::from(known));
    }

    #[test]
    fn w16_chosen_columns_are_a_header_unless_users_could_stand_there() {
        let users = ["user", "email", "status", "enabled", "bob"];
        for (header, below) in [
            ("user,email", &["bob,x"][..]),
            ("user,email", &[]),
            ("status,user", &["enabled,bob"]),
            ("email,user", &["bob,bob", ",user"]),
            ("groups,user", &["bob,bob"]),
        ] {
            assert!(is_own(header, below, &users), "{header}");
        }
        for (header, below) in [
            ("email,user", &["bob,admin"][..]),
            ("email,user", &[]),
            ("status,user", &["enabled,x", "bob,x"]),
            ("status,user", &[]),
            ("status,email,user", &["enabled,bob,x"]),
            ("user", &["bob"]),
            ("user,user", &["bob,x"]),
            ("email,status", &["bob,x"]),
            ("user,name", &["bob,x"]),
            ("User,email", &["bob,x"]),
            ("alice,user", &["bob,x"]),
        ] {
            assert!(!is_own(header, below, &users), "{header}");
        }
    }
}
