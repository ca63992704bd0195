//! A list of new users: their names, and what other columns say of them.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;

use crate::app::App;
use crate::domain::name::UserName;
use crate::domain::profile;
use crate::domain::refusal::Refusal;
use crate::domain::site_names::SiteNames;
use crate::domain::user::Profile;
use crate::operate::user_list::header::known_columns;
use crate::operate::user_list::table::bad;
use crate::operate::user_list::{IsUser, NamedRows, UserList, named_rows, read_list};
use crate::report::disarmed;

/// The names of a list of new users, each once, with the profile of each.
#[derive(Debug)]
pub struct NewUserList {
    pub list: UserList,
    /// In the order of the names.
    pub profiles: Vec<ListedProfile>,
}

/// What a list says of one user.
#[derive(Clone, Debug, Default)]
pub struct ListedProfile {
    pub profile: Profile,
    /// The fields that the list gives.
    pub fields: Vec<&'static str>,
}

impl ListedProfile {
    /// The fields in which a user differs from what the list says.
    #[must_use]
    pub fn differing(&self, other: &Profile) -> Vec<&'static str> {
        let own = &self.profile;
        let is_other = |field: &str| match field {
            "display_name" => own.display_name != other.display_name,
            "email" => own.email != other.email,
            "language" => own.language != other.language,
            _ => own.groups.iter().any(|group| !other.groups.contains(group)),
        };
        self.fields.iter().copied().filter(|field| is_other(field)).collect()
    }
}

/// The fields of a profile, each with the columns that can hold it.
const FIELDS: [(&str, &[&str]); 4] = [
    ("display_name", &["displayname", "fullname"]),
    ("email", &["email", "emailaddress", "mail"]),
    ("language", &["language"]),
    ("groups", &["groups", "group"]),
];

/// What separates groups in a cell.
const BETWEEN_GROUPS: [char; 4] = [';', ',', ' ', '\t'];

/// Reads a list of new users; `-` is standard input. Any doubt is `bad_input` with the line and the column, and so is
/// a name that stands there twice. Columns that say nothing that is stored are named in a note.
pub fn read_new_users(app: &mut App<'_>, path: &Path) -> Result<NewUserList> {
    let parse = |bytes: &[u8], site: &SiteNames, is_user: IsUser<'_>| parse(bytes, site, is_user);
    let (new, unread) = read_list(app, path, parse, |(new, _)| &mut new.list)?;
    if !unread.is_empty() {
        app.note(&format!("these columns of the list are not read: {}", unread.join(", ")));
    }
    Ok(new)
}

fn parse(
    bytes: &[u8],
    site: &SiteNames,
    is_user: IsUser<'_>,
) -> Result<(NewUserList, Vec<&'static str>)> {
    let NamedRows { header, source, rows, past } = named_rows(bytes, site, is_user)?;
    let columns = header.as_ref().map(known_columns).unwrap_or_default();
    let header_line = header.map_or(1, |header| header.line);
    let (mut read, mut unread) = (Vec::new(), Vec::new());
    for (index, column) in columns.iter().enumerate() {
        match FIELDS.iter().find(|(_, names)| names.contains(column)) {
            Some((field, _)) if read.iter().any(|(_, other)| other == field) => {
                let problem = format!("has several columns for {field}");
                return Err(bad(header_line, &problem).hint("leave one of them").into());
            }
            Some((field, _)) => read.push((index, *field)),
            None if Some(*column) == source.column => {}
            None => unread.push(*column),
        }
    }
    let mut new = NewUserList { list: UserList::default(), profiles: Vec::new() };
    let mut lines: BTreeMap<String, u64> = BTreeMap::new();
    for (row, name) in rows {
        let name_column = source.column.map(|name| format!(", column {name}"));
        let within = |column: &str| format!("--from: line {}{column}", row.line);
        let name_within = within(&name_column.unwrap_or_default());
        let name = name.for_new_user().map_err(|e| of_cell(e, name_within))?;
        if let Some(first) = lines.insert(name.as_str().to_owned(), row.line) {
            return Err(twice(first, row.line, &name).into());
        }
        let mut listed = ListedProfile::default();
        for (index, field) in &read {
            let cell = row.cells.get(*index).map(String::as_str).unwrap_or_default();
            if !cell.is_empty() {
                set(&mut listed.profile, field, disarmed(cell))
                    .map_err(|e| of_cell(e, within(&format!(", column {field}"))))?;
                listed.fields.push(*field);
            }
        }
        new.list.names.push(name);
        new.list.lines.push(row.line);
        new.profiles.push(listed);
    }
    new.list.source = Some(source);
    new.list.past = past;
    Ok((new, unread))
}

fn set(profile: &mut Profile, field: &str, cell: &str) -> Result<(), Refusal> {
    match field {
        "display_name" => profile.display_name = Some(profile::display_name(field, cell)?),
        "email" => profile.email = Some(profile::email(field, cell)?),
        "language" => profile.language = Some(profile::language(field, cell)?),
        _ => {
            let names = cell.split(BETWEEN_GROUPS).filter(|name| !name.is_empty());
            profile.groups = profile::groups(names)?;
        }
    }
    Ok(())
}

/// A cell that is not accepted. Its own hint may repeat what stands in it.
fn of_cell(refusal: Refusal, within: String) -> Refusal {
    Refusal { field: None, ..refusal }.within(within).hint("nothing was changed; correct the list")
}

fn twice(first: u64, second: u64, name: &UserName) -> Refusal {
    Refusal::bad_input("--from", format!("lines {first} and {second} name the same user"))
        .quoting(format!("lines {first} and {second} both name {name}"))
        .hint("nothing was changed; leave one of them")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::user::Language;

    fn parsed(text: &str) -> Result<(NewUserList, Vec<&'static str>), String> {
        parse(text.as_bytes(), &SiteNames::default(), &mut |_| Ok(false))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn d4_the_columns_of_a_list_become_profiles() {
        let text = "name;Display Name;mail;language;groups;department\n\
                    alice;Alice Martin;alice@example.com;FR;staff,vpn;IT\nbob;;;;;\n";
        let (new, unread) = parsed(text).unwrap();
        let names: Vec<_> = new.list.names.iter().map(UserName::as_str).collect();
        assert_eq!((names, unread), (vec!["alice", "bob"], vec!["department"]));
        let alice = &new.profiles[0].profile;
        assert_eq!(alice.display_name.as_deref(), Some("Alice Martin"));
        assert_eq!(alice.email.as_deref(), Some("alice@example.com"));
        assert_eq!(alice.language, Some(Language::French));
        assert_eq!(alice.groups, ["staff", "vpn"]);
        assert_eq!(new.profiles[1].fields, [""; 0]);
        assert_eq!(new.profiles[0].differing(&Profile::default()).len(), 4);
        assert_eq!(new.profiles[0].differing(alice), [""; 0]);
        assert_eq!(parsed("alice\nbob\n").unwrap().0.profiles.len(), 2);
    }

    proptest! {
        /// What stands in a file is repeated to nobody, whatever is wrong with it.
        #[test]
        fn d4_a_refused_list_repeats_none_of_its_cells(
            cells in prop::collection::vec("(Zq7|[a-zΣé=@/'\"; ,.0-9\u{202e}]{0,6})", 10),
            columns in prop::sample::subsequence(vec!["user", "email", "language", "groups", "display_name"], 1..=5),
        ) {
            let rows = cells.chunks(columns.len()).map(|row| row.join(","));
            let text = [columns.join(",")].into_iter().chain(rows).collect::<Vec<_>>().join("\n");
            let read = parse(text.as_bytes(), &SiteNames::default(), &mut |_| Ok(false));
            if let Err(error) = read {
                let refusal = error.downcast::<Refusal>().unwrap().unquoted();
                prop_assert!(!format!("{refusal:?}").to_lowercase().contains("zq7"), "{refusal:?}");
            }
        }
    }

    #[test]
    fn d4_a_bad_row_is_refused_with_line_and_column() {
        for (text, words) in [
            ("user,email\nalice,a@x\nbob,none\n", "line 3, column email: "),
            ("user,language\nalice,de\n", "line 2, column language: "),
            ("user,groups\nalice,a/b\n", "line 2, column groups: "),
            ("user,display_name\nalice,\"A\u{202e}\"\n", "line 2, column display_name: "),
            ("user,email\nalice,\nbo b,\n", "line 3, column user: "),
            ("user,email\nalice,\nbob,\nALICE,\n", "lines 2 and 4 both name alice"),
            ("user,email,mail\nalice,,\n", "line 1 has several columns for email"),
            ("user,emial\nalice,\n", "cell 2, \"emial\", is not the name of a column"),
        ] {
            let message = parsed(text).unwrap_err();
            assert!(message.contains(words), "{text:?}: {message}");
        }
    }
}
