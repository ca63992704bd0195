//! `mfactl metrics`

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::list_status::{Line, Summary};
use crate::domain::recovery::FEW;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::report::{Report, Verdict};
use crate::session::Session;
use crate::store::Order;

/// Numbers for Prometheus
///
/// Written whole or not at all, for the textfile collector of `node_exporter`, which must be able to read
/// it: the file has mode 0644, and no name of a user in it. Needs no key; where the key can be read,
/// `mfactl_audit_chain_ok` is about every MAC too.
#[derive(Args, Debug)]
pub struct Metrics {
    /// Put them into this file; - is standard output, as without it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Do not walk through the log: a long one takes seconds
    #[arg(long)]
    without_log: bool,
}

/// What is counted.
#[derive(Default)]
struct Counted {
    summary: Summary,
    few_codes: u64,
    bypasses: u64,
    events: Vec<(String, String, u64)>,
    is_whole: Option<bool>,
}

impl Verb for Metrics {
    const NAME: &'static str = "metrics";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl metrics",
        "mfactl metrics --output /var/lib/prometheus/node-exporter/mfactl.prom",
    ];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        if session.options.names_form() {
            let message = "metrics has one form, the text format of Prometheus";
            return Err(Refusal::new(Code::Usage, message)
                .hint("leave --json and --format out; list-status --summary has numbers as JSON")
                .into());
        }
        let now = session.env.clock.now()?;
        let mut counted = count(session, now)?;
        if !self.without_log {
            counted.is_whole = Some(session.prove(&[])?.damage.is_none());
        }
        let text = counted.text(now);
        let Some(path) = self.output.filter(|path| path.as_os_str() != "-") else {
            return Ok(Report::text(text));
        };
        session.file(&path, "--output", 0o644)?.replace(text.as_bytes())?;
        Ok(Report::silence(Verdict::Yes))
    }
}

fn count(session: &mut Session<'_>, now: Timestamp) -> Result<Counted> {
    let policy = session.config()?.policy.clone();
    let mut store = session.reader()?;
    let mut snapshot = store.read()?;
    let mut counted = Counted::default();
    snapshot.users(Order::default(), &mut |user| {
        let line = Line::of(&user, &policy, now);
        counted.few_codes += u64::from(user.recovery.is_some() && line.recovery_codes_left < FEW);
        counted.bypasses += u64::from(line.bypass);
        counted.summary.count(&line);
        Ok(())
    })?;
    counted.events = snapshot.tally()?;
    Ok(counted)
}

impl Counted {
    /// The text format of Prometheus, without times, which the collector refuses.
    fn text(&self, now: Timestamp) -> String {
        let mut page = Page(String::new());
        let s = &self.summary;
        page.metric("mfactl_users", "gauge", "Users by MFA status.");
        for (state, users) in [
            ("enabled", s.enabled),
            ("pending", s.pending),
            ("disabled", s.disabled),
            ("none", s.not_enabled),
        ] {
            page.value("mfactl_users", &[("state", state)], users);
        }
        page.one("mfactl_users_locked", "Users who are locked now.", s.locked);
        page.one(
            "mfactl_users_overdue",
            "Users without MFA of whom it is required.",
            s.required_without_mfa,
        );
        page.metric("mfactl_coverage_ratio", "gauge", "Enabled users as a part of all, 0 to 1.");
        page.value("mfactl_coverage_ratio", &[], s.coverage_ratio());
        page.one("mfactl_bypass_codes_open", "Bypass codes that are open.", self.bypasses);
        page.one(
            "mfactl_recovery_codes_left_low_users",
            "Users whose set of recovery codes is nearly used up.",
            self.few_codes,
        );
        page.metric("mfactl_events_total", "counter", "Events in the log by verb and outcome.");
        for (verb, outcome, count) in &self.events {
            page.value("mfactl_events_total", &[("event", verb), ("outcome", outcome)], count);
        }
        if let Some(is_whole) = self.is_whole {
            page.one("mfactl_audit_chain_ok", "1 if the log is whole.", u64::from(is_whole));
        }
        page.one(
            "mfactl_last_success_timestamp_seconds",
            "When these numbers were taken.",
            now.unix(),
        );
        page.0
    }
}

struct Page(String);

impl Page {
    fn metric(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string can't fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
        let quoted = |(label, text): &(&str, &str)| {
            let text = shown(text).replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
            format!("{label}=\"{text}\"")
        };
        let labels: Vec<String> = labels.iter().map(quoted).collect();
        let labels = match labels.join(",") {
            none if none.is_empty() => none,
            some => format!("{{{some}}}"),
        };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, help: &str, value: u64) {
        self.metric(name, "gauge", help);
        self.value(name, &[], value);
    }
}
