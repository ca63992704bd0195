//! Taking old events out of the log.

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::commands::protection::declined;
use crate::domain::event::Ticket;
use crate::domain::text::line;
use crate::domain::time::Timestamp;
use crate::report::{Fields, Record, Report, Verdict};
use crate::session::Session;

/// For admins: roles go by verbs, and reading the log is for auditors too.
const ROLE: &str = "log --prune";

#[derive(Args, Debug)]
#[command(next_help_heading = "Pruning")]
pub struct PruneOptions {
    /// Take old events out of the log; what is left still proves itself
    #[arg(long, requires = "before")]
    pub prune: bool,
    /// Events before this moment go
    #[arg(long, value_name = "WHEN", requires = "prune")]
    before: Option<String>,
    /// Why; --ticket names the case
    #[arg(long, value_name = "TEXT", requires = "prune")]
    reason: Option<String>,
    /// Check and say what would happen; change nothing
    #[arg(long, requires = "prune")]
    dry_run: bool,
    /// Prune without asking
    #[arg(short, long, requires = "prune")]
    yes: bool,
}

#[derive(Serialize)]
struct Pruned {
    schema: &'static str,
    before: Timestamp,
    #[serde(rename = "pruned")]
    events: u64,
    changed: bool,
    dry_run: bool,
}

impl PruneOptions {
    /// # Errors
    /// `tampered` for a log that is not whole.
    pub fn run(self, session: &mut Session<'_>, ticket: Option<&str>) -> Result<Report> {
        session.admit(ROLE, self.dry_run)?;
        let now = session.env.clock.now()?;
        let text = self.before.as_deref().unwrap_or_default();
        let before = Timestamp::parse_past("--before", text, now)?;
        let words =
            |field: &str, text: Option<&str>| text.map(|text| line(field, text, 256)).transpose();
        let ticket = Ticket {
            ticket: words("--ticket", ticket)?,
            reason: words("--reason", self.reason.as_deref())?,
            proof: None,
        };
        let old = session.prunable(before)?;
        if old > 0 && !self.yes && !self.dry_run {
            let question = format!("Take {old} events before {before} out of the log for ever?");
            if !session.confirm(&question)? {
                return Ok(declined(session));
            }
        }
        let pruned = if old == 0 || self.dry_run { old } else { session.prune(before, &ticket)? };
        let changed = pruned > 0 && !self.dry_run;
        let schema = "mfactl.log-prune/1";
        let done = Pruned { schema, before, events: pruned, changed, dry_run: self.dry_run };
        Ok(Report::one(done, Verdict::Yes))
    }
}

impl Record for Pruned {
    const COLUMNS: &'static [&'static str] = &["before", "pruned", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.value(self.before);
        f.value(self.events);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        let Self { before, events, .. } = self;
        match (events, self.changed) {
            (0, _) => format!("no event before {before} can go"),
            (_, true) => format!(
                "{events} events before {before} are gone; the log still proves what is left"
            ),
            (_, false) => format!("{events} events before {before} would go; nothing was changed"),
        }
    }
}
