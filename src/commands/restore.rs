//! `mfactl restore`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use super::protection::{OperatorOptions, declined};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;
use crate::report::{Fields, Record, Report, Verdict};
use crate::session::{Plan, Session};

/// Put a backup where the store is, or where none is
///
/// The file is proved first, whole; then all of it is there, or nothing is. A store that has gone on
/// since the backup was taken is replaced only with --lose-newer, after being told what is lost: a
/// device that was reset since then opens again, and an erased name is back. Codes that were used
/// since then are not known any more. A damaged SQLite store has to be moved away first.
#[derive(Args, Debug)]
pub struct Restore {
    /// A file that `mfactl backup` wrote
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Lose what the store has and the backup has not
    #[arg(long)]
    lose_newer: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct Restored {
    schema: &'static str,
    store: String,
    taken_at: Timestamp,
    users: u64,
    devices: u64,
    events: u64,
    lost_events: u64,
    lost_users: Vec<String>,
    changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

impl Verb for Restore {
    const NAME: &'static str = "restore";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl restore monday.backup",
        "mfactl restore monday.backup --dry-run --lose-newer",
        "mfactl --store ./other.db restore monday.backup",
    ];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let ticket = self.operator.ticket(session, Self::NAME)?;
        let plan = session.plan_restore(&self.file)?;
        let store = session.config()?.store.to_string();
        let loss = loss(&plan);
        if let Some(loss) = &loss
            && !self.lose_newer
        {
            let message = format!("the store at {store} is newer than the backup; {loss}");
            return Err(Refusal::new(Code::StoreNewer, message)
                .hint("take a backup of it first; then add --lose-newer")
                .into());
        }
        let dry_run = self.operator.dry_run;
        if plan.replaces() && !self.yes && !dry_run {
            let loss = loss.map(|loss| format!(" ({loss})")).unwrap_or_default();
            let taken_at = plan.header.taken_at;
            let question =
                format!("Replace the store at {store} by its backup of {taken_at}{loss}?");
            if !session.confirm(&question)? {
                return Ok(declined(session));
            }
        }
        let lost_events = plan.lost_events();
        let lost_users = plan.lost.users.clone();
        let header =
            if dry_run { plan.header } else { session.restore(&self.file, plan, &ticket)? };
        let restored = Restored {
            schema: "mfactl.restore/1",
            store,
            taken_at: header.taken_at,
            users: header.users,
            devices: header.devices,
            events: header.events,
            lost_events,
            lost_users,
            changed: true,
            dry_run,
        };
        Ok(Report::one(restored, Verdict::Yes))
    }
}

/// What is lost, in words; `None` where nothing is.
fn loss(plan: &Plan) -> Option<String> {
    let count = plan.lost_events();
    if count == 0 {
        return None;
    }
    let acts: Vec<String> =
        plan.lost.acts.iter().map(|(verb, count)| format!("{count} × {verb}")).collect();
    let since = plan.lost.from.map(|t| format!(" since {t}")).unwrap_or_default();
    let parted = if plan.has_parted { "it has gone another way: " } else { "" };
    let users = &plan.lost.users;
    let whose = if users.is_empty() { String::new() } else { format!("; of {}", users.join(", ")) };
    let acts = acts.join(", ");
    Some(format!("{parted}{count} events{since} would be lost: {acts}{whose}"))
}

impl Record for Restored {
    const COLUMNS: &'static [&'static str] =
        &["store", "taken_at", "users", "devices", "events", "lost_events", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.store);
        f.value(self.taken_at);
        f.value(self.users);
        f.value(self.devices);
        f.value(self.events);
        f.value(self.lost_events);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        let would = if self.dry_run { "would put" } else { "put" };
        let end = if self.dry_run { "; nothing was changed" } else { "" };
        let lost = match self.lost_events {
            0 => String::new(),
            n => format!(", {n} newer events lost"),
        };
        format!(
            "{would} {} users, {} devices and {} events of {} into {}{lost}{end}",
            self.users, self.devices, self.events, self.taken_at, self.store
        )
    }
}
