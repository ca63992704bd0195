//! What is handed over to each user of a list: codes, passwords. All of it is in one new file, or in the JSON, and
//! durable before the store changes, so that nothing is in force that nobody has seen.

use anyhow::Result;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use zeroize::Zeroizing;

use crate::app::App;
use crate::domain::caller::SYSTEM_USER;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::operator_file::NewFile;
use crate::operate::bulk::BulkRow;
use crate::report::{Format, push_csv_row};
use crate::show::secret_output::write_file;
use crate::show::show_once::ShowOnceOptions;

/// A secret that one user gets, or what they have to know of it.
#[derive(Clone, Serialize)]
#[serde(untagged)]
pub enum SecretField {
    Text(Zeroizing<String>),
    List(Vec<Zeroizing<String>>),
    /// No secret, but about one.
    Number(u32),
}

impl SecretField {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }
}

/// The secrets of one user, each with its name in JSON and in the file.
#[derive(Clone, Default)]
pub struct SecretFields(pub Vec<(&'static str, SecretField)>);

impl Serialize for SecretFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, field) in &self.0 {
            map.serialize_entry(name, field)?;
        }
        map.end()
    }
}

/// Where the secrets go.
pub enum HandOver {
    /// There are none.
    Nothing,
    File(NewFile),
    /// A page for each user, which the verb writes into a folder.
    Pages,
    /// The JSON on standard output.
    Document,
}

impl HandOver {
    /// `secrets` are such as "the recovery codes of many users". Fails with `usage` where there is no place for them.
    pub fn choose(app: &mut App<'_>, options: &ShowOnceOptions, secrets: &str) -> Result<Self> {
        if let Some(file) = options.new_file(app)? {
            return Ok(Self::File(file));
        }
        if options.reveal_secrets && matches!(app.options.format(), Format::Json | Format::Jsonl) {
            return Ok(Self::Document);
        }
        let hint = if app.env.caller.sudo_user.as_deref() == Some(SYSTEM_USER) {
            "somebody who is root can run it with --output FILE.csv; the sample rules of sudo take no file"
        } else {
            "add --output FILE.csv, or --json --reveal-secrets"
        };
        Err(Refusal::new(ErrorCode::Usage, format!("{secrets} need a file"))
            .field("--from")
            .hint(hint)
            .into())
    }
}

/// The columns of the file before those of the secrets.
const PERSON: [&str; 3] = ["user", "display_name", "email"];

/// Bytes of nearly every row.
const ROW: usize = 512;

/// Writes the file, a row each, and syncs it.
pub fn write_secrets<'r>(
    file: NewFile,
    rows: impl Iterator<Item = (&'r BulkRow, SecretFields)>,
) -> Result<NewFile> {
    // Room for all: a string that grows leaves copies of the secrets behind.
    let most = rows.size_hint().1.unwrap_or_default() + 1;
    let mut text = Zeroizing::new(String::with_capacity(most * ROW));
    for (row, secrets) in rows {
        if text.is_empty() {
            let names = PERSON.iter().copied().chain(secrets.0.iter().map(|(name, _)| *name));
            push_csv_row(&mut text, names);
        }
        let profile = &row.profile;
        let person = [
            row.name.as_str(),
            profile.display_name.as_deref().unwrap_or_default(),
            profile.email.as_deref().unwrap_or_default(),
        ];
        let cells: Vec<Zeroizing<String>> =
            secrets.0.iter().map(|(_, field)| cell(field)).collect();
        push_csv_row(&mut text, person.into_iter().chain(cells.iter().map(|cell| cell.as_str())));
    }
    write_file(file, text.as_bytes())
}

fn cell(field: &SecretField) -> Zeroizing<String> {
    match field {
        SecretField::Text(text) => text.clone(),
        SecretField::Number(number) => Zeroizing::new(number.to_string()),
        SecretField::List(list) => {
            let mut joined = Zeroizing::new(String::new());
            for text in list {
                if !joined.is_empty() {
                    joined.push(' ');
                }
                joined.push_str(text);
            }
            joined
        }
    }
}
