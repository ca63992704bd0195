//! The configuration file as it is written: TOML, every key known, every type checked.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

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

/// Reads the file.
///
/// # Errors
/// `config` with line, key and what is wrong with it.
pub fn parse(path: &Path) -> Result<File> {
    let refuse = |problem: String| Refusal::new(Code::Config, format!("{}{problem}", place(path)));
    let mut text = String::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text))
        .map_err(|e| refuse(format!(": can't be read: {e}")))?;
    if text.len() as u64 > LARGEST {
        return Err(refuse(format!(": is larger than {} KiB", LARGEST / 1024)).into());
    }
    toml::from_str(&text).map_err(|e: toml::de::Error| {
        let line =
            e.span().map_or(1, |s| 1 + text[..s.start.min(text.len())].matches('\n').count());
        let problem = e.message().lines().next().unwrap_or("can't be understood").to_owned();
        refuse(format!(", line {line}: {problem}")).hint("see mfactl(1), CONFIGURATION").into()
    })
}
