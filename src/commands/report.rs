//! `mfactl report`

mod activity;
mod chart;
mod content;
mod coverage;
mod listed;
mod page;
mod period;
mod tables;
mod words;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;
use serde::{Serialize, Serializer};

use self::content::Content;
use super::Verb;
use crate::app::App;
use crate::app::operator_files;
use crate::commands::left_out::NotGroupOption;
use crate::domain::caller::Caller;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{counted, shown};
use crate::domain::time::Timestamp;
use crate::report::{Fields, Record, Report as VerbReport, Verdict};

/// Report on MFA for an auditor, as text, page (HTML) or chart (SVG)
///
/// For a period: coverage at its beginning and end, users without MFA, what operators did and with
/// which tickets, failed attempts and locks, and whether the log is intact. An .html file is one
/// page with places for signatures; it has no scripts, loads nothing, and prints on A4. An .svg
/// file is the chart of coverage alone. An existing file is replaced. Exits with 1 if the log is
/// damaged. Needs no key; without it, the MACs of the log are not checked.
#[derive(Args, Debug)]
pub struct Report {
    /// File to write: NAME.html or .svg; - prints the page
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Start: a day, a month such as 2026-11, or an age
    ///
    /// Such as 2026-11-01, 2026-11 or 30d; the default is the beginning of the log.
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// End, not included: a time as above [default: now]
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    #[command(flatten)]
    left_out: NotGroupOption,
    /// Skip verifying the log, which can take seconds
    #[arg(long)]
    without_log: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Page,
    Chart,
}

impl Kind {
    fn of(path: &Path) -> Result<Self, Refusal> {
        if path.as_os_str() == "-" {
            return Ok(Self::Page);
        }
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("html") => Ok(Self::Page),
            Some("svg") => Ok(Self::Chart),
            _ => {
                Err(Refusal::new(ErrorCode::Usage, "--output: the name must end in .html or .svg")
                    .hint("for example: --output report.html"))
            }
        }
    }
}

impl Verb for Report {
    const NAME: &'static str = "report";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl report --since 2026-11 --until 2026-12",
        "mfactl report --since 2026-11 --until 2026-12 --output - > november.html",
        "mfactl report --since 30d --json",
        "mfactl report --output mfa.svg --since 365d",
    ];

    fn run(self, app: &mut App<'_>) -> Result<VerbReport> {
        let kind = self.output.as_deref().map(Kind::of).transpose()?;
        let now = app.env.clock.now()?;
        let times = self.times(now)?;
        let left_out = self.left_out.parse()?;
        let is_printed = self.output.as_deref().is_some_and(|path| path.as_os_str() == "-");
        if is_printed && app.options.has_format_option() {
            let message = "--output - prints the page, which has no other format";
            return Err(Refusal::new(ErrorCode::Usage, message)
                .hint("leave --output or the format out")
                .into());
        }
        let shown_path = |path: &Path| shown(&path.to_string_lossy()).into_owned();
        let output = self.output.as_deref().map(shown_path);
        if kind == Some(Kind::Chart) {
            let (_, history) = content::history(app, times, &left_out, now)?;
            let end = history.points.last().copied();
            self.write(app, &chart::standalone(&history))?;
            let (users, coverage) = end.map_or((0, 100.0), |end| (end.users, end.coverage()));
            let record = ChartRecord {
                schema: "mfactl.report/1",
                output: output.unwrap_or_default(),
                users,
                coverage,
            };
            return Ok(VerbReport::one(record, Verdict::Yes));
        }
        let content = content::read(app, times, &left_out, now, !self.without_log)?;
        let is_damaged = content.log.is_some() && content.anchor.is_none();
        let verdict = if is_damaged { Verdict::No } else { Verdict::Yes };
        if is_printed {
            return Ok(VerbReport { verdict, ..VerbReport::text(page::page(&content)) });
        }
        if kind == Some(Kind::Page) {
            self.write(app, &page::page(&content))?;
        }
        let caller = app.env.caller.clone();
        Ok(VerbReport::one(ReportRecord { content, output, caller }, verdict).shown_when_quiet())
    }
}

impl Report {
    fn times(&self, now: Timestamp) -> Result<(Option<Timestamp>, Option<Timestamp>), Refusal> {
        let since = self.since.as_deref().map(|t| Timestamp::parse_past("--since", t, now));
        let until = self.until.as_deref().map(|t| Timestamp::parse_end("--until", t, now));
        let (since, until) = (since.transpose()?, until.transpose()?);
        if let (Some(since), Some(until)) = (since, until)
            && until <= since
        {
            let problem = format!("{until} is not after --since {since}");
            return Err(
                Refusal::bad_input("--until", problem).hint("give the earlier time with --since")
            );
        }
        Ok((since, until))
    }

    fn write(&self, app: &mut App<'_>, text: &str) -> Result<()> {
        let Some(path) = &self.output else { return Ok(()) };
        let file = operator_files::replaceable_file(app, path, "--output", 0o600)?;
        Ok(file.replace(text.as_bytes())?)
    }
}

/// What was written to an SVG file.
#[derive(Serialize)]
struct ChartRecord {
    schema: &'static str,
    output: String,
    users: u64,
    coverage: f64,
}

/// The report itself.
struct ReportRecord {
    content: Content,
    output: Option<String>,
    /// Who is to run the command that it names.
    caller: Caller,
}

impl Serialize for ReportRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.content.document(self.output.as_deref()).serialize(serializer)
    }
}

fn summary(output: &str, users: u64, coverage: f64) -> String {
    if users == 0 {
        return format!("{output}: no users");
    }
    let coverage = (coverage * 10.0).floor() / 10.0;
    format!("{output}: {}, coverage {coverage:.1}%", counted(users, "user"))
}

impl Record for ChartRecord {
    const COLUMNS: &'static [&'static str] = &["output", "users", "coverage"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.output);
        f.value(self.users);
        f.value(self.coverage);
    }

    fn sentence(&self) -> String {
        summary(&self.output, self.users, self.coverage)
    }
}

impl Record for ReportRecord {
    const COLUMNS: &'static [&'static str] = &[
        "output",
        "users",
        "coverage",
        "since",
        "until",
        "users_at_start",
        "enabled_at_start",
        "enabled",
        "overdue",
        "disabled",
        "exempt",
        "changes",
        "approvals",
        "wrong",
        "locks",
        "log",
        "weak",
    ];

    fn fields(&self, f: &mut Fields) {
        let Content { period, start, end, users, activity, anchor, log, .. } = &self.content;
        f.maybe_text(self.output.as_deref());
        f.value(end.users);
        f.value(end.coverage());
        f.value(period.since);
        f.value(period.until);
        f.maybe_value(start.map(|start| start.users));
        f.maybe_value(start.map(|start| start.enabled));
        f.value(end.enabled);
        f.value(users.overdue.total);
        f.value(users.disabled.total);
        f.value(users.exempt.total);
        f.value(activity.changes.values().map(|listed| listed.total).sum::<u64>());
        f.value(activity.approvals.total);
        f.value(activity.attempts.wrong);
        f.value(activity.attempts.locks);
        f.text(match (log, anchor) {
            (None, _) => "not_verified",
            (_, None) => "damaged",
            _ => "whole",
        });
        f.value(users.weak.total);
    }

    fn sentence(&self) -> String {
        let Content { end, log, anchor, .. } = &self.content;
        let Some(output) = &self.output else {
            return words::words(&self.content, &self.caller);
        };
        let written = summary(output, end.users, end.coverage());
        match log {
            Some(log) if anchor.is_none() => format!("{written}; {}", log.sentence()),
            _ => written,
        }
    }
}
