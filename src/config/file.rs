//! The configuration file: TOML, unknown keys refused, types checked.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::display_path;

/// No real configuration is larger.
const MAX_BYTES: u64 = 256 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConfigFile {
    pub store: StoreSection,
    pub key: KeySection,
    pub enrolment: EnrolmentSection,
    pub policy: PolicySection,
    pub names: NamesSection,
    pub password: PasswordSection,
    pub helpdesk: HelpdeskSection,
    pub roles: Option<RolesSection>,
    pub self_service: SelfServiceSection,
    pub serve: ServeSection,
    pub services: BTreeMap<String, ServiceSection>,
    pub notify: NotifySection,
    pub site: SiteSection,
    pub handout: HandoutSection,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSection {
    pub location: Option<PathBuf>,
    /// Database passwords in the format of libpq's `.pgpass`.
    pub password_file: Option<PathBuf>,
    /// The group that may read the store.
    pub readers: Option<String>,
    /// The group that may write the store.
    pub writers: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeySection {
    pub file: Option<PathBuf>,
    /// The group that may read the key.
    pub group: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EnrolmentSection {
    pub issuer: Option<String>,
    pub expires_after: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySection {
    /// `optional` or `required`.
    pub mfa: Option<String>,
    /// Groups that must have MFA where it is optional for others.
    pub required_groups: Vec<String>,
    /// Groups of which it is not required, such as service accounts.
    pub except_groups: Vec<String>,
    /// The kinds of devices that meet the requirement.
    pub strong: Option<Vec<String>>,
    /// The kinds that meet it for the members of a group.
    pub strong_by_group: BTreeMap<String, Vec<String>>,
    /// A date or a time.
    pub since: Option<String>,
    pub grace: Option<String>,
    /// Time steps.
    pub window: Option<i64>,
    /// Counters.
    pub look_ahead: Option<i64>,
    pub free_failures: Option<u32>,
    pub longest_delay: Option<String>,
    pub wrong_codes: Option<u32>,
    pub undo_for: Option<String>,
    /// The maximum lifetime of a bypass code.
    pub bypass_for: Option<String>,
}

/// What the people of a site read and whom they ask.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SiteSection {
    /// `en` or `fr`: the answers of login services and of a sign-in before the right password, and whatever a user reads
    /// who has no language of their own.
    pub language: Option<String>,
    /// Where users find the helpdesk: a telephone number, a room.
    pub contact: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HandoutSection {
    /// A folder with templates of the site's own.
    pub templates: Option<PathBuf>,
    /// `a4` or `letter`.
    pub paper: Option<String>,
    /// Whether handouts with secrets are sent by mail.
    pub mail_secrets: Option<bool>,
}

/// What is taken off the names that other systems hand over.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NamesSection {
    /// As `CORP` of `CORP\alice`.
    pub strip_domain: Vec<String>,
    /// As `corp.example` of `alice@corp.example`.
    pub strip_realm: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordSection {
    /// MiB.
    pub memory: Option<u32>,
    pub passes: Option<u32>,
    pub lanes: Option<u32>,
    /// Characters.
    pub shortest: Option<usize>,
    /// The minimum zxcvbn score.
    pub strength: Option<u8>,
    pub forbidden: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HelpdeskSection {
    /// Verbs that require `--ticket`.
    pub ticket: Vec<String>,
    /// Verbs that require `--proof`.
    pub proof: Vec<String>,
}

/// The members of each role: users, and groups as `%group`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RolesSection {
    pub helpdesk: Vec<String>,
    pub auditor: Vec<String>,
    pub service: Vec<String>,
    pub admin: Vec<String>,
    /// Verbs that need two operators where the user is protected.
    pub second_operator: Vec<String>,
    /// Verbs whose roles differ from the default.
    pub verbs: BTreeMap<String, Vec<String>>,
}

/// What users may do themselves; each is off unless it says `true`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SelfServiceSection {
    pub add_device: Option<bool>,
    pub replace_device: Option<bool>,
    pub switch_off: Option<bool>,
    pub remove_device: Option<bool>,
    pub rename_device: Option<bool>,
    pub recovery_codes: Option<bool>,
}

/// The verifier of this machine.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServeSection {
    /// The group whose members may ask about anybody: the users of login services.
    pub group: Option<String>,
}

/// The rules of one login service.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, expecting = "a table [services.NAME]")]
pub struct ServiceSection {
    /// As `10.0.0.0/8`.
    pub exempt_networks: Option<Vec<String>>,
    pub exempt_groups: Option<Vec<String>>,
    /// `accept` or `refuse`.
    pub not_enabled: Option<String>,
    /// For how long an accepted code counts for its host.
    pub remember: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NotifySection {
    /// The mail server, as `smtps://host`.
    pub smtp: Option<String>,
    pub from: Option<String>,
    pub user: Option<String>,
    /// One line: the password of `user`.
    pub password_file: Option<PathBuf>,
    /// An absolute program path and its arguments.
    pub hook: Option<Vec<String>>,
}

/// Reads the file; also returns its text, in which later checks find the line of a key. Fails with
/// `config`, naming line and key.
pub fn parse(path: &Path) -> Result<(ConfigFile, String)> {
    let refuse =
        |problem: String| Refusal::new(ErrorCode::Config, problem).within(display_path(path));
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text))
        .map_err(|e| refuse(format!("can't be read: {e}")))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(refuse(format!("is larger than {} KiB", MAX_BYTES / 1024)).into());
    }
    let file = toml::from_str(&text).map_err(|e: toml::de::Error| {
        let at = e.span().map_or(0, |span| span.start);
        let line = line_at(&text, at);
        let (problem, is_known) = problem(e.message());
        let refusal = Refusal {
            field: key_at(&text, at).filter(|_| is_known),
            ..refuse(problem).within(format!("{}, line {line}", display_path(path)))
        };
        refusal.hint("see mfactl(1), CONFIGURATION")
    })?;
    Ok((file, text))
}

/// What the parser complains about, without the words of the file, which the parser repeats; and whether
/// the key is one that we know.
fn problem(message: &str) -> (String, bool) {
    let message = message.lines().next().unwrap_or_default();
    // Serde's own words come last: the names of keys, or of a type.
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    match expected {
        Some(known) if message.starts_with("unknown field") => {
            (format!("unknown key, expected {known}"), false)
        }
        Some(kind) if message.starts_with("invalid ") => {
            (format!("invalid type or value, expected {kind}"), true)
        }
        _ => ("is not valid TOML".to_owned(), false),
    }
}

/// The line number of a key.
#[must_use]
pub fn line_of(text: &str, name: &str) -> Option<usize> {
    let keys = keys(text);
    let (_, span) = keys.iter().find(|(key, _)| key == name)?;
    Some(line_at(text, span.start))
}

fn line_at(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}

/// The key at a byte offset: either the offset is in the key or in its value.
fn key_at(text: &str, at: usize) -> Option<String> {
    keys(text).into_iter().find(|(_, span)| span.contains(&at)).map(|(key, _)| key)
}

/// Every dotted key, with the byte range of key and value; of a section, of its name only.
fn keys(text: &str) -> Vec<(String, Range<usize>)> {
    fn visit(table: &DeTable<'_>, prefix: &str, keys: &mut Vec<(String, Range<usize>)>) {
        for (key, value) in table {
            let path = format!("{prefix}{}", key.get_ref());
            let (start, mut end) = (key.span().start, key.span().end);
            if let DeValue::Table(table) = value.get_ref() {
                visit(table, &format!("{path}."), keys);
            } else {
                end = end.max(value.span().end);
            }
            keys.push((path, start..end));
        }
    }
    let mut keys = Vec::new();
    if let Ok(table) = DeTable::parse(text) {
        visit(table.get_ref(), "", &mut keys);
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the parser says that a section may have.
    fn allowed(section: &str) -> Vec<String> {
        let text = format!("{section}no_such_key = 1\n");
        let error = toml::from_str::<ConfigFile>(&text).unwrap_err().to_string();
        let (_, names) = error.split_once("expected ").unwrap_or_else(|| panic!("{error}"));
        names.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn the_manual_shows_every_key() {
        let manual = include_str!("../commands/man/sections.roff");
        let (_, manual) = manual.split_once(".SH CONFIGURATION").unwrap();
        let sections = allowed("");
        assert!(sections.len() > 8, "{sections:?}");
        // The verbs of `[roles.verbs]` are no keys of this program's.
        for section in sections.iter().filter(|section| *section != "roles") {
            // Each service has a section of its own.
            let section = if section == "services" { "services.sshd" } else { section };
            let start = format!("\n[{section}]");
            let (_, shown) = manual.split_once(&start).unwrap_or_else(|| panic!("no {start}"));
            let shown = shown.split("\n[").next().unwrap();
            let keys = allowed(&format!("[{section}]\n"));
            let missing = |key: &&String| !shown.contains(&format!("\n{key} = "));
            assert_eq!(keys.iter().find(missing), None, "[{section}]");
        }
    }
}
