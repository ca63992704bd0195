//! `mfactl copy-store`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::report::{Fields, Record, Report, Verdict};
use crate::session::Session;
use crate::store::location::Location;

/// Copy the whole store to another place, from SQLite to PostgreSQL or back
///
/// Users, devices, used codes, counters and the log with its chain, as they are: nobody enrols
/// again. Every row is read back, and every seal of users, devices and log is checked; then the copy
/// is there, or nothing is. The key file stays where it is and fits both. From then on use one of
/// the two only: a code that was used in one is not known to the other.
#[derive(Args, Debug)]
pub struct CopyStore {
    /// Where to: a file or `postgres://user@host/database`, where there is no store yet
    #[arg(long, value_name = "STORE")]
    to: PathBuf,
}

#[derive(Serialize)]
struct Copied {
    schema: &'static str,
    from: String,
    to: String,
    users: u64,
    devices: u64,
    events: u64,
    changed: bool,
}

impl Verb for CopyStore {
    const NAME: &'static str = "copy-store";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl copy-store --to postgres://mfactl@db.example.org/mfactl",
        "mfactl --store postgres://mfactl@db.example.org/mfactl copy-store --to ./mfactl.db",
    ];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let to = Location::parse(&self.to).map_err(|refusal| refusal.of_option("--to"))?;
        let from = session.config()?.store.to_string();
        let counts = session.copy_store(&to)?;
        let copied = Copied {
            schema: "mfactl.copy-store/1",
            from,
            to: to.to_string(),
            users: counts.users,
            devices: counts.devices,
            events: counts.events,
            changed: true,
        };
        Ok(Report::one(copied, Verdict::Yes))
    }
}

impl Record for Copied {
    const COLUMNS: &'static [&'static str] =
        &["from", "to", "users", "devices", "events", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.from);
        f.text(&self.to);
        f.text(&self.users.to_string());
        f.text(&self.devices.to_string());
        f.text(&self.events.to_string());
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        format!(
            "copied {} users, {} devices and {} events from {} to {}; every row and every seal was checked",
            self.users, self.devices, self.events, self.from, self.to
        )
    }
}
