//! `mfactl backup`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::files::file_trust::display_path;
use crate::maintain;
use crate::report::{Fields, Record, Report, Verdict};

/// Write a backup of the store to a new file
///
/// The backup is a consistent copy, taken while others keep writing. It can be restored into SQLite
/// or PostgreSQL. Secrets in it stay sealed, and the key is not in it: keep a copy of the key file
/// elsewhere. Every record and the audit log are checked on the way. If something was altered, the
/// file is still written, with a warning that `restore` will refuse it.
#[derive(Args, Debug)]
pub struct Backup {
    /// New file to write, created with mode 0600
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Serialize)]
struct BackupRecord {
    schema: &'static str,
    file: String,
    taken_at: Timestamp,
    store: String,
    key: String,
    users: u64,
    devices: u64,
    tokens: u64,
    events: u64,
    /// What is wrong with the store; `restore` refuses a backup of a damaged store.
    damage: Option<String>,
}

impl Verb for Backup {
    const NAME: &'static str = "backup";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl backup monday.backup",
        "mfactl --store postgres://mfactl@db.example.org/mfactl backup fleet.backup --quiet",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let (header, damage) = maintain::take_backup(app, &self.file)?;
        let identity = header.identity()?;
        let record = BackupRecord {
            schema: "mfactl.backup/1",
            file: display_path(&self.file),
            taken_at: header.taken_at,
            store: identity.store.to_string(),
            key: identity.key.to_string(),
            users: header.users,
            devices: header.devices,
            tokens: header.tokens,
            events: header.events,
            damage,
        };
        Ok(Report::one(record, Verdict::Yes))
    }
}

/// As a part of a list; a store without hardware tokens has no word for them.
pub fn tokens_in_words(tokens: u64) -> String {
    if tokens == 0 { String::new() } else { format!(", {}", counted(tokens, "token")) }
}

impl Record for BackupRecord {
    const COLUMNS: &'static [&'static str] =
        &["file", "taken_at", "store", "key", "users", "devices", "events", "tokens"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.file);
        f.value(self.taken_at);
        f.text(&self.store);
        f.text(&self.key);
        f.value(self.users);
        f.value(self.devices);
        f.value(self.events);
        f.value(self.tokens);
    }

    fn sentence(&self) -> String {
        format!(
            "wrote {}, {}{} and {} to {}; to restore it you need key {}, which is not in it",
            counted(self.users, "user"),
            counted(self.devices, "device"),
            tokens_in_words(self.tokens),
            counted(self.events, "event"),
            self.file,
            self.key
        )
    }
}
