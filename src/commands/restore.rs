//! `mfactl restore`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use super::backup::tokens_in_words;
use crate::app::App;
use crate::commands::operator_options::OperatorOptions;
use crate::commands::operator_options::not_confirmed;
use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::maintain;
use crate::maintain::backup::RestorePlan;
use crate::report::{Fields, Record, Report, Verdict};

/// Restore the store from a backup
///
/// The backup is verified first; then all of it is restored, or nothing. If the store has changed
/// since the backup was taken, --lose-newer is needed, and mfactl lists what will be lost. Later
/// changes are undone: devices revoked since then work again, erased names return, and used codes are
/// forgotten. Move a damaged SQLite store away first.
#[derive(Args, Debug)]
pub struct Restore {
    /// Backup to restore
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Discard changes that are newer than the backup
    #[arg(long)]
    lose_newer: bool,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct RestoreRecord {
    schema: &'static str,
    store: String,
    taken_at: Timestamp,
    users: u64,
    devices: u64,
    tokens: u64,
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

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let plan = maintain::plan_restore(app, &self.file)?;
        let store = app.config.store.to_string();
        let loss = loss(&plan);
        if let Some(loss) = &loss
            && !self.lose_newer
        {
            let message = format!("the store at {store} is newer than the backup; {loss}");
            return Err(Refusal::new(ErrorCode::StoreNewer, message)
                .hint(
                    command("backup")
                        .operand("FILE")
                        .after("add --lose-newer, but first back it up with: "),
                )
                .into());
        }
        let dry_run = self.operator.dry_run;
        if plan.replaces() && !self.yes && !dry_run {
            let loss = loss.map(|loss| format!(" ({loss})")).unwrap_or_default();
            let taken_at = plan.header.taken_at;
            let question =
                format!("Replace the store at {store} with its backup of {taken_at}{loss}?");
            if !app.confirm(&question)? {
                return Ok(not_confirmed(app));
            }
        }
        let lost_events = plan.lost_events();
        let lost_users = plan.lost.users.clone();
        let header =
            if dry_run { plan.header } else { maintain::restore(app, &self.file, plan, &ticket)? };
        let record = RestoreRecord {
            schema: "mfactl.restore/1",
            store,
            taken_at: header.taken_at,
            users: header.users,
            devices: header.devices,
            tokens: header.tokens,
            events: header.events,
            lost_events,
            lost_users,
            changed: true,
            dry_run,
        };
        Ok(Report::one(record, Verdict::Yes))
    }
}

/// Describes what will be lost; `None` if nothing will.
fn loss(plan: &RestorePlan) -> Option<String> {
    let count = plan.lost_events();
    if count == 0 {
        return None;
    }
    let verbs: Vec<String> =
        plan.lost.verbs.iter().map(|(verb, count)| format!("{count} × {verb}")).collect();
    let since = plan.lost.from.map(|t| format!(" since {t}")).unwrap_or_default();
    let diverged = if plan.has_diverged { "their logs have diverged: " } else { "" };
    let users = &plan.lost.users;
    let of_users =
        if users.is_empty() { String::new() } else { format!("; of {}", users.join(", ")) };
    let verbs = verbs.join(", ");
    let events = counted(count, "event");
    Some(format!("{diverged}{events}{since} would be lost: {verbs}{of_users}"))
}

impl Record for RestoreRecord {
    const COLUMNS: &'static [&'static str] =
        &["store", "taken_at", "users", "devices", "events", "lost_events", "changed", "tokens"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.store);
        f.value(self.taken_at);
        f.value(self.users);
        f.value(self.devices);
        f.value(self.events);
        f.value(self.lost_events);
        f.flag(self.changed);
        f.value(self.tokens);
    }

    fn sentence(&self) -> String {
        let verb = if self.dry_run { "would restore" } else { "restored" };
        let end = if self.dry_run { "; nothing was changed" } else { "" };
        let lost = match self.lost_events {
            0 => String::new(),
            n => format!(", {} lost", counted(n, "newer event")),
        };
        format!(
            "{verb} {}, {}{} and {} of {} to {}{lost}{end}",
            counted(self.users, "user"),
            counted(self.devices, "device"),
            tokens_in_words(self.tokens),
            counted(self.events, "event"),
            self.taken_at,
            self.store
        )
    }
}
