//! `mfactl metrics`

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::list_status::{Summary, UserLine};
use crate::app::App;
use crate::app::operator_files;
use crate::audit;
use crate::commands::left_out::{LeftOut, NotGroupOption};
use crate::domain::factor::paper::List;
use crate::domain::hint::command;
use crate::domain::recovery::FEW;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::report::{Report, Verdict};
use crate::store::Order;

/// Print metrics for Prometheus
///
/// With --output the file is replaced in one step, for the textfile collector of `node_exporter`. It
/// has mode 0644 and contains no user names. Needs no key; if the key can be read,
/// `mfactl_audit_chain_ok` covers the MACs too.
#[derive(Args, Debug)]
pub struct Metrics {
    /// File to replace; - is standard output (default)
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Skip verifying the log, which can take seconds
    #[arg(long)]
    without_log: bool,
    #[command(flatten)]
    left_out: NotGroupOption,
}

/// The values of the metrics.
#[derive(Default)]
struct Samples {
    summary: Summary,
    users_low_on_codes: u64,
    users_low_on_paper: u64,
    bypasses: u64,
    events: Vec<(String, String, u64)>,
    /// `None` if the log was not verified.
    log_is_intact: Option<bool>,
}

impl Verb for Metrics {
    const NAME: &'static str = "metrics";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl metrics",
        "mfactl metrics --output /var/lib/prometheus/node-exporter/mfactl.prom",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        if app.options.has_format_option() {
            let message = "metrics has only one format, the text format of Prometheus";
            return Err(Refusal::new(ErrorCode::Usage, message)
                .hint(
                    command("list-status")
                        .flag("--summary")
                        .flag("--json")
                        .after("leave the format out; for totals as JSON run: "),
                )
                .into());
        }
        let now = app.env.clock.now()?;
        let mut samples = count(app, now, &self.left_out.parse()?)?;
        if !self.without_log {
            samples.log_is_intact = Some(audit::prove_log(app, &[])?.problem().is_none());
        }
        let text = samples.text(now);
        let Some(path) = self.output.filter(|path| path.as_os_str() != "-") else {
            return Ok(Report::text(text));
        };
        operator_files::replaceable_file(app, &path, "--output", 0o644)?
            .replace(text.as_bytes())?;
        Ok(Report::empty(Verdict::Yes))
    }
}

fn count(app: &mut App<'_>, now: Timestamp, left_out: &LeftOut) -> Result<Samples> {
    let policy = app.config.policy.clone();
    let mut store = app.reader()?;
    let mut snapshot = store.read()?;
    left_out.require_known(&mut snapshot, &policy)?;
    let mut samples = Samples::default();
    snapshot.users(Order::default(), &mut |user| {
        if left_out.has(&user) {
            return Ok(());
        }
        let line = UserLine::of(&user, &policy, now);
        samples.users_low_on_codes +=
            u64::from(user.recovery.is_some() && line.recovery_codes_left < FEW);
        samples.users_low_on_paper +=
            u64::from(line.codes_left.is_some_and(|left| left <= List::FEW));
        samples.bypasses += u64::from(line.bypass);
        samples.summary.count(&line);
        Ok(())
    })?;
    samples.events = snapshot.log().outcome_counts()?;
    Ok(samples)
}

impl Samples {
    /// In the text format of Prometheus, without timestamps, which the textfile collector refuses.
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
        page.gauge("mfactl_users_locked", "Users locked now.", s.locked);
        page.gauge(
            "mfactl_users_overdue",
            "Users who must have MFA and have none, or weak kinds only.",
            s.required_without_mfa,
        );
        let help = "Users with MFA enabled by weak kinds of devices only.";
        page.gauge("mfactl_users_weak", help, s.weak);
        // Absent where there are no users: any number would be a judgement, and alerts take an absent one for what it is.
        if let Some(ratio) = s.coverage_ratio() {
            let help = "Share of users with MFA enabled by a strong kind of device, 0 to 1.";
            page.metric("mfactl_coverage_ratio", "gauge", help);
            page.value("mfactl_coverage_ratio", &[], ratio);
        }
        page.gauge("mfactl_bypass_codes_open", "Valid bypass codes.", self.bypasses);
        page.gauge(
            "mfactl_recovery_codes_left_low_users",
            "Users with few recovery codes left.",
            self.users_low_on_codes,
        );
        page.gauge(
            "mfactl_paper_codes_left_low_users",
            "Users with few codes left of a printed list.",
            self.users_low_on_paper,
        );
        page.metric("mfactl_events_total", "counter", "Events in the log by verb and outcome.");
        for (verb, outcome, count) in &self.events {
            page.value("mfactl_events_total", &[("event", verb), ("outcome", outcome)], count);
        }
        if let Some(is_intact) = self.log_is_intact {
            page.gauge("mfactl_audit_chain_ok", "1 if the log is intact.", u64::from(is_intact));
        }
        page.gauge("mfactl_last_success_timestamp_seconds", "Time of these metrics.", now.unix());
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

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.metric(name, "gauge", help);
        self.value(name, &[], value);
    }
}
