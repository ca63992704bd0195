//! `mfactl report`

mod chart;
mod coverage;
mod page;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use super::list_status::{Groups, Summary, UserLine};
use crate::app::App;
use crate::app::operator_files;
use crate::commands::report::coverage::CoverageHistory;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::domain::user::Status;
use crate::report::{Fields, Record, Report as VerbReport, Verdict};
use crate::store::{Order, RowSource as _};

/// Users listed on the page; `list-status` has all of them.
const MAX_ROWS: usize = 2000;

/// Write a report on MFA coverage over time (HTML or SVG)
///
/// An .html file is one self-contained page: totals, coverage over time, coverage by group, and users
/// without MFA. It has no scripts, loads nothing, and prints on A4. An .svg file is the chart alone.
/// An existing file is replaced. Needs no key.
#[derive(Args, Debug)]
pub struct Report {
    /// File to write: NAME.html or NAME.svg
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// Start of the chart: 2026-01-01, or an age such as 365d
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
}

/// The data of the page.
struct PageData {
    at: Timestamp,
    summary: Summary,
    groups: Groups,
    unprotected: Vec<UserLine>,
    history: CoverageHistory,
}

#[derive(Serialize)]
struct ReportRecord {
    schema: &'static str,
    output: String,
    users: u64,
    coverage: f64,
}

impl Verb for Report {
    const NAME: &'static str = "report";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl report --output mfa.html", "mfactl report --output mfa.svg --since 365d"];

    fn run(self, app: &mut App<'_>) -> Result<VerbReport> {
        let kind = self.output.extension().and_then(|e| e.to_str());
        let is_page = match kind {
            Some("html") => true,
            Some("svg") => false,
            _ => {
                return Err(Refusal::new(
                    ErrorCode::Usage,
                    "--output: the name must end in .html or .svg",
                )
                .hint("for example: --output report.html")
                .into());
            }
        };
        let now = app.env.clock.now()?;
        let since = self.since.as_deref().map(|t| Timestamp::parse_past("--since", t, now));
        let data = page_data(app, now, since.transpose()?)?;
        let text = if is_page { page::page(&data) } else { chart::standalone(&data.history) };
        operator_files::replaceable_file(app, &self.output, "--output", 0o600)?
            .replace(text.as_bytes())?;
        let record = ReportRecord {
            schema: "mfactl.report/1",
            output: crate::domain::text::shown(&self.output.to_string_lossy()).into_owned(),
            users: data.summary.users,
            coverage: data.summary.coverage,
        };
        Ok(VerbReport::one(record, Verdict::Yes))
    }
}

fn page_data(app: &mut App<'_>, now: Timestamp, since: Option<Timestamp>) -> Result<PageData> {
    let policy = app.config.policy.clone();
    let mut store = app.reader()?;
    let mut snapshot = store.read()?;
    let (mut summary, mut groups) = (Summary::default(), Groups::default());
    let mut unprotected = Vec::new();
    snapshot.users(Order::default(), &mut |user| {
        let line = UserLine::of(&user, &policy, now);
        summary.count(&line);
        groups.count(&line);
        if line.status != Status::Enabled && unprotected.len() < MAX_ROWS {
            unprotected.push(line);
        }
        Ok(())
    })?;
    let start = snapshot.log().start()?;
    snapshot.log().check_count_after(start.head.seq)?;
    let mut changes = coverage::StatusChanges::new(snapshot.created_at()?, now);
    snapshot.log().status_history(&mut |step| {
        changes.add(&step);
        Ok(())
    })?;
    let summary = summary.with_coverage();
    let history = changes.history(summary.users, summary.enabled, since.max(start.at));
    Ok(PageData { at: now, summary, groups, unprotected, history })
}

impl Record for ReportRecord {
    const COLUMNS: &'static [&'static str] = &["output", "users", "coverage"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.output);
        f.value(self.users);
        f.value(self.coverage);
    }

    fn sentence(&self) -> String {
        let coverage = (self.coverage * 10.0).floor() / 10.0;
        format!("{}: {}, coverage {coverage:.1}%", self.output, counted(self.users, "user"))
    }
}
