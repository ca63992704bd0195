//! The configuration file as it is written: TOML, every key known, every type checked.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;
use toml::de::{DeTable, DeValue};

use crate::domain::refusal::{Code, Refusal};
use crate::store::custody::place;

/// More bytes than any configuration has.
const LARGEST: u64 = 256 * 1024;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    pub store: Store,
    pub key: Key,
    pub enrolment: Enrolment,
    pub policy: Policy,
    pub password: Password,
    pub helpdesk: Helpdesk,
    pub roles: Option<Roles>,
    pub notify: Notify,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Store {
    pub location: Option<PathBuf>,
    /// Passwords of databases, as libpq's `.pgpass` has them.
    pub password_file: Option<PathBuf>,
    /// The group that may read the store.
    pub readers: Option<String>,
    /// The group that may write the store.
    pub writers: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Key {
    pub file: Option<PathBuf>,
    /// The group that may read the key.
    pub group: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Enrolment {
    pub issuer: Option<String>,
    pub expires_after: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// `optional` or `required`.
    pub mfa: Option<String>,
    /// Groups of whom MFA is required where it is optional for the others.
    pub required_groups: Vec<String>,
    /// A day, or a moment.
    pub since: Option<String>,
    pub grace: Option<String>,
    /// Steps.
    pub window: Option<i64>,
    pub free_failures: Option<u32>,
    pub longest_delay: Option<String>,
    pub wrong_codes: Option<u32>,
    pub undo_for: Option<String>,
    /// The longest that a bypass code may be good.
    pub bypass_for: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Password {
    /// MiB.
    pub memory: Option<u32>,
    pub passes: Option<u32>,
    pub lanes: Option<u32>,
    /// Characters.
    pub shortest: Option<usize>,
    /// The least score of zxcvbn.
    pub strength: Option<u8>,
    pub forbidden: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Helpdesk {
    /// Verbs that must name a ticket.
    pub ticket: Vec<String>,
    /// Verbs that must name a proof.
    pub proof: Vec<String>,
}

/// Users, and groups as `%group`, of each role.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Roles {
    pub helpdesk: Vec<String>,
    pub auditor: Vec<String>,
    pub service: Vec<String>,
    pub admin: Vec<String>,
    /// Verbs that take two operators where the user is protected.
    pub second_operator: Vec<String>,
    /// Verbs for other roles than usual.
    pub verbs: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// The mail server, as `smtps://host`.
    pub smtp: Option<String>,
    pub from: Option<String>,
    pub user: Option<String>,
    /// The password of that user, on one line.
    pub password_file: Option<PathBuf>,
    /// A program and its arguments.
    pub hook: Option<Vec<String>>,
}

/// Reads the file; gives back its text too, in which later trouble is looked up.
///
/// # Errors
/// `config` with line, key and what is wrong with it.
pub fn parse(path: &Path) -> Result<(File, String)> {
    let refuse = |problem: String| Refusal::new(Code::Config, format!("{}{problem}", place(path)));
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
        .map_err(|e| refuse(format!(": can't be read: {e}")))?;
    if text.len() as u64 > LARGEST {
        return Err(refuse(format!(": is larger than {} KiB", LARGEST / 1024)).into());
    }
    let file = toml::from_str(&text).map_err(|e: toml::de::Error| {
        let at = e.span().map_or(0, |span| span.start);
        let line = line_at(&text, at);
        let key = key_at(&text, at).map(|key| format!("{key}: ")).unwrap_or_default();
        let problem = e.message().lines().next().unwrap_or("can't be understood").to_owned();
        refuse(format!(", line {line}: {key}{problem}")).hint("see mfactl(1), CONFIGURATION")
    })?;
    Ok((file, text))
}

/// The line on which a key stands, if it does.
#[must_use]
pub fn line_of(text: &str, wanted: &str) -> Option<usize> {
    let keys = keys(text);
    let (_, span) = keys.iter().find(|(key, _)| key == wanted)?;
    Some(line_at(text, span.start))
}

fn line_at(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count()
}

/// The key that stands there, or whose value does.
fn key_at(text: &str, at: usize) -> Option<String> {
    keys(text).into_iter().find(|(_, span)| span.contains(&at)).map(|(key, _)| key)
}

/// Every key with its sections in front, from its first letter to the end of its value. A section's
/// value is elsewhere.
fn keys(text: &str) -> Vec<(String, Range<usize>)> {
    fn visit(table: &DeTable<'_>, before: &str, found: &mut Vec<(String, Range<usize>)>) {
        for (key, value) in table {
            let path = format!("{before}{}", key.get_ref());
            let (start, mut end) = (key.span().start, key.span().end);
            if let DeValue::Table(table) = value.get_ref() {
                visit(table, &format!("{path}."), found);
            } else {
                end = end.max(value.span().end);
            }
            found.push((path, start..end));
        }
    }
    let mut found = Vec::new();
    if let Ok(table) = DeTable::parse(text) {
        visit(table.get_ref(), "", &mut found);
    }
    found
}
