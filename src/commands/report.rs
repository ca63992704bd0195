//! `mfactl report`

mod chart;
mod course;
mod page;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use super::list_status::{Groups, Line, Summary};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::user::Status;
use crate::report::{Fields, Record, Report as Told, Verdict};
use crate::session::Session;
use crate::store::Order;
use course::Course;

/// Rows of the list of the unprotected; nobody reads more, and list-status has them all.
const MOST_ROWS: usize = 2000;

/// Coverage over time, as a page to look at
///
/// F.html is one self-contained page: the numbers, coverage over time from the log, coverage by group,
/// and who has no MFA. It has no script, loads nothing, and prints on A4. F.svg is the chart alone. A
/// file that is there already is replaced whole. Needs no key.
#[derive(Args, Debug)]
pub struct Report {
    /// Where it goes: F.html or F.svg
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    /// The chart begins here: 2026-01-01, or a span such as 365d, so long ago
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
}

/// What the page tells.
struct Content {
    at: Timestamp,
    summary: Summary,
    groups: Groups,
    unprotected: Vec<Line>,
    course: Course,
}

#[derive(Serialize)]
struct Written {
    schema: &'static str,
    output: String,
    users: u64,
    coverage: f64,
}

impl Verb for Report {
    const NAME: &'static str = "report";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl report --output mfa.html", "mfactl report --output mfa.svg --since 365d"];

    fn run(self, session: &mut Session<'_>) -> Result<Told> {
        let kind = self.output.extension().and_then(|e| e.to_str());
        let is_page = match kind {
            Some("html") => true,
            Some("svg") => false,
            _ => {
                return Err(Refusal::new(
                    Code::Usage,
                    "--output: the name ends neither in .html nor .svg",
                )
                .hint("name the file like report.html")
                .into());
            }
        };
        let now = session.env.clock.now()?;
        let since = self.since.as_deref().map(|t| Timestamp::parse_past("--since", t, now));
        let content = content(session, now, since.transpose()?)?;
        let text = if is_page { page::page(&content) } else { chart::alone(&content.course) };
        session.file(&self.output, "--output", 0o600)?.replace(text.as_bytes())?;
        let written = Written {
            schema: "mfactl.report/1",
            output: crate::domain::text::shown(&self.output.to_string_lossy()).into_owned(),
            users: content.summary.users,
            coverage: content.summary.coverage,
        };
        Ok(Told::one(written, Verdict::Yes))
    }
}

fn content(session: &mut Session<'_>, now: Timestamp, since: Option<Timestamp>) -> Result<Content> {
    let policy = session.config()?.policy.clone();
    let mut store = session.reader()?;
    let mut snapshot = store.read()?;
    let (mut summary, mut groups) = (Summary::default(), Groups::default());
    let mut unprotected = Vec::new();
    snapshot.users(Order::default(), &mut |user| {
        let line = Line::of(&user, &policy, now);
        summary.count(&line);
        groups.count(&line);
        if line.status != Status::Enabled && unprotected.len() < MOST_ROWS {
            unprotected.push(line);
        }
        Ok(())
    })?;
    let start = snapshot.start()?;
    snapshot.count_after(start.head.seq)?;
    let mut steps = course::Steps::new(snapshot.created_at()?, now);
    snapshot.steps(&mut |step| {
        steps.take(&step);
        Ok(())
    })?;
    let summary = summary.closed();
    let course = steps.course(summary.users, summary.enabled, since.max(start.at));
    Ok(Content { at: now, summary, groups, unprotected, course })
}

impl Record for Written {
    const COLUMNS: &'static [&'static str] = &["output", "users", "coverage"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.output);
        f.value(self.users);
        f.value(self.coverage);
    }

    fn sentence(&self) -> String {
        let coverage = (self.coverage * 10.0).floor() / 10.0;
        format!("{}: {} users, coverage {coverage:.1}%", self.output, self.users)
    }
}
