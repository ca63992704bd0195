//! `mfactl copy-store`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use super::backup::tokens_in_words;
use crate::app::App;
use crate::domain::text::counted;
use crate::maintain;
use crate::report::{Fields, Record, Report, Verdict};
use crate::store::location::StoreLocation;

/// Copy the store, from SQLite to PostgreSQL or back
///
/// Copies users, devices, used codes, counters and the audit log unchanged, so nobody has to enrol
/// again. Every row is read back and checked; if anything fails, no copy is left. Both stores use the
/// same key file. Use only one of them afterwards: a code used in one would be accepted by the other.
#[derive(Args, Debug)]
pub struct CopyStore {
    /// New store: a file, or `postgres://user@host/database`
    #[arg(long, value_name = "STORE")]
    to: PathBuf,
}

#[derive(Serialize)]
struct CopyRecord {
    schema: &'static str,
    from: String,
    to: String,
    users: u64,
    devices: u64,
    tokens: u64,
    events: u64,
    changed: bool,
}

impl Verb for CopyStore {
    const NAME: &'static str = "copy-store";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl copy-store --to postgres://mfactl@db.example.org/mfactl",
        "mfactl --store postgres://mfactl@db.example.org/mfactl copy-store --to ./mfactl.db",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let to = StoreLocation::parse(&self.to).map_err(|refusal| refusal.field("--to"))?;
        let from = app.config.store.to_string();
        let counts = maintain::copy_store(app, &to)?;
        let record = CopyRecord {
            schema: "mfactl.copy-store/1",
            from,
            to: to.to_string(),
            users: counts.users,
            devices: counts.devices,
            tokens: counts.tokens,
            events: counts.events,
            changed: true,
        };
        Ok(Report::one(record, Verdict::Yes))
    }
}

impl Record for CopyRecord {
    const COLUMNS: &'static [&'static str] =
        &["from", "to", "users", "devices", "events", "changed", "tokens"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.from);
        f.text(&self.to);
        f.text(&self.users.to_string());
        f.text(&self.devices.to_string());
        f.text(&self.events.to_string());
        f.flag(self.changed);
        f.value(self.tokens);
    }

    fn sentence(&self) -> String {
        format!(
            "copied {}, {}{} and {} from {} to {}; every row was checked",
            counted(self.users, "user"),
            counted(self.devices, "device"),
            tokens_in_words(self.tokens),
            counted(self.events, "event"),
            self.from,
            self.to
        )
    }
}
