//! The configuration file as it is written: TOML, every key known, every type checked.

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
    /// Steps.
    pub window: Option<i64>,
    pub undo_for: Option<String>,
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
