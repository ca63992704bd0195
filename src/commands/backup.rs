//! `mfactl backup`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::domain::time::Timestamp;
use crate::report::{Fields, Record, Report, Verdict};
use crate::session::Session;
use crate::store::custody::place;

/// Write the whole store to a new file
///
/// A consistent copy, taken while others go on writing, in a form that both SQLite and PostgreSQL
/// are restored from. Its first line tells version, store, key, number of users and the end of the
/// log. Secrets stay sealed in it, and the key is not in it: keep the key file apart. Every seal and
/// the whole log are proved on the way; where something was altered the file is written all the same,
/// and a warning says that it won't be restored.
#[derive(Args, Debug)]
pub struct Backup {
    /// The file, which must not be there yet; it gets mode 0600
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

#[derive(Serialize)]
struct Written {
    schema: &'static str,
    file: String,
    taken_at: Timestamp,
    store: String,
    key: String,
    users: u64,
    devices: u64,
    events: u64,
    /// What is wrong with the store; such a backup is not restored.
    damage: Option<String>,
}

impl Verb for Backup {
    const NAME: &'static str = "backup";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl backup monday.backup",
        "mfactl --store postgres://mfactl@db.example.org/mfactl backup fleet.backup --quiet",
    ];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let (header, damage) = session.backup(&self.file)?;
        let identity = header.identity()?;
        let written = Written {
            schema: "mfactl.backup/1",
            file: place(&self.file),
            taken_at: header.taken_at,
            store: identity.store.to_string(),
            key: identity.key.to_string(),
            users: header.users,
            devices: header.devices,
            events: header.events,
            damage,
        };
        Ok(Report::one(written, Verdict::Yes))
    }
}

impl Record for Written {
    const COLUMNS: &'static [&'static str] =
        &["file", "taken_at", "store", "key", "users", "devices", "events"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.file);
        f.value(self.taken_at);
        f.text(&self.store);
        f.text(&self.key);
        f.value(self.users);
        f.value(self.devices);
        f.value(self.events);
    }

    fn sentence(&self) -> String {
        format!(
            "wrote {} users, {} devices and {} events to {}; it opens with key {} only, which is not in it",
            self.users, self.devices, self.events, self.file, self.key
        )
    }
}
