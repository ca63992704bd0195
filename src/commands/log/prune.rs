//! `log --prune`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::app::App;
use crate::audit;
use crate::commands::Verb as _;
use crate::commands::log::Log;
use crate::commands::operator_options::not_confirmed;
use crate::commands::operator_options::require_case_options;
use crate::domain::audit::event::Ticket;
use crate::domain::text::{counted, line};
use crate::domain::time::Timestamp;
use crate::domain::verb::VerbSpec;
use crate::operate;
use crate::operate::UsedOptions;
use crate::report::{Fields, Record, Report, Verdict};

/// Auditors may read the log, but only admins may prune it.
const PRUNE: VerbSpec = VerbSpec { name: "log --prune", ..VerbSpec::ADMIN };

#[derive(Args, Debug)]
#[command(next_help_heading = "Pruning")]
pub struct PruneOptions {
    /// Delete old events
    ///
    /// The rest of the log can still be verified.
    #[arg(long, requires = "before")]
    pub prune: bool,
    /// Delete events before this time
    #[arg(long, value_name = "WHEN", requires = "prune")]
    before: Option<String>,
    /// Reason, for the log (see also --ticket)
    #[arg(long, value_name = "TEXT", requires = "prune")]
    reason: Option<String>,
    /// Show what would happen; change nothing
    #[arg(long, requires = "prune")]
    dry_run: bool,
    /// Skip the confirmation
    #[arg(short, long, requires = "prune")]
    yes: bool,
}

#[derive(Serialize)]
struct PruneRecord {
    schema: &'static str,
    before: Timestamp,
    #[serde(rename = "pruned")]
    events: u64,
    changed: bool,
    dry_run: bool,
}

impl PruneOptions {
    /// Fails with `tampered` if the log is damaged: pruning would hide the damage.
    pub fn run(self, app: &mut App<'_>, ticket: Option<&str>) -> Result<Report> {
        let used = UsedOptions { is_dry: self.dry_run, ..UsedOptions::default() };
        operate::authorize(app, &PRUNE, &used)?;
        require_case_options(app, Log::NAME, PRUNE.name, ticket, true)?;
        let now = app.env.clock.now()?;
        let text = self.before.as_deref().unwrap_or_default();
        let before = Timestamp::parse_past("--before", text, now)?;
        let one_line =
            |field: &str, text: Option<&str>| text.map(|text| line(field, text, 256)).transpose();
        let ticket = Ticket {
            ticket: one_line("--ticket", ticket)?,
            reason: one_line("--reason", self.reason.as_deref())?,
            proof: None,
        };
        let count = audit::prunable_events(app, before)?;
        if count > 0 && !self.yes && !self.dry_run {
            let events = counted(count, "event");
            let question = format!("Delete {events} before {before} from the log for ever?");
            if !app.confirm(&question)? {
                return Ok(not_confirmed(app));
            }
        }
        let pruned =
            if count == 0 || self.dry_run { count } else { audit::prune(app, before, &ticket)? };
        let changed = pruned > 0 && !self.dry_run;
        let schema = "mfactl.log-prune/1";
        let record = PruneRecord { schema, before, events: pruned, changed, dry_run: self.dry_run };
        Ok(Report::one(record, Verdict::Yes))
    }
}

impl Record for PruneRecord {
    const COLUMNS: &'static [&'static str] = &["before", "pruned", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.value(self.before);
        f.value(self.events);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        let before = self.before;
        let events = counted(self.events, "event");
        match (self.events, self.changed) {
            (0, _) => format!("no events before {before} to delete"),
            (_, true) => format!(
                "deleted {events} before {before}; the rest of the log can still be verified"
            ),
            (_, false) => {
                format!("would delete {events} before {before}; nothing was changed")
            }
        }
    }
}
