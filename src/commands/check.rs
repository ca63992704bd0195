//! `mfactl check`

mod measurement;
use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::commands::check::measurement::Measurement;
use crate::commands::left_out::NotGroupOption;
use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::threshold::Threshold;
use crate::env::Env;
use crate::error_report;
use crate::report::{Fields, PluginStatus, Record, Report, Verdict};

/// Report status to a monitoring system (Nagios plugin)
///
/// Prints one line with performance data. Exit codes: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN, and 64
/// for a wrong command line. No other verb has these codes: never call `check` from a login service.
/// Thresholds are Nagios ranges: `10` alerts outside 0 to 10, `10:` below 10, `~:10` above 10, `5:10`
/// outside 5 to 10, `@5:10` inside 5 to 10.
#[derive(Args, Debug)]
pub struct Check {
    /// What to check
    #[arg(value_enum, default_value = "coverage", hide_default_value = true, value_name = "WHAT")]
    what: What,
    /// WARNING if the value is outside this range
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true)]
    warning: Option<String>,
    /// CRITICAL if the value is outside this range
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true)]
    critical: Option<String>,
    #[command(flatten)]
    left_out: NotGroupOption,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Percentage of users with MFA enabled by a strong kind of device (default 95: and 90:)
    Coverage,
    /// Users who must have MFA and have none, or weak kinds only (default 0 and 0)
    Overdue,
    /// Users with MFA enabled by weak kinds of devices only (default 5 and 20)
    Weak,
    /// Users with a valid bypass code (default 5 and 20)
    Bypasses,
    /// Locked users (default 5 and 20)
    Locked,
    /// Damage to the audit log
    Log,
    /// Hours since the last backup (default 26 and 50)
    Backup,
    /// No copy of the key confirmed with doctor --key-saved
    Key,
    /// Seconds by which the clock disagrees with the database's or with the log (default 10 and 30);
    /// WARNING also if NTP doesn't keep it, or if codes show that it is or was wrong
    Clock,
}

impl What {
    pub const fn is_about_users(self) -> bool {
        matches!(self, Self::Coverage | Self::Overdue | Self::Weak | Self::Bypasses | Self::Locked)
    }

    const fn defaults(self) -> (&'static str, &'static str) {
        match self {
            Self::Coverage => ("95:", "90:"),
            Self::Overdue | Self::Log => ("0", "0"),
            Self::Key => ("0", "1"),
            Self::Weak | Self::Bypasses | Self::Locked => ("5", "20"),
            Self::Backup => ("26", "50"),
            Self::Clock => ("10", "30"),
        }
    }
}

/// Environment variables that login services set.
const SERVICES: &[&str] =
    &["PAM_TYPE", "PAM_USER", "script_type", "auth_control_file", "USER_NAME"];

#[derive(Serialize)]
struct CheckRecord {
    schema: &'static str,
    state: &'static str,
    message: String,
    /// The exact value, then the ranges it was compared with.
    value: Option<f64>,
    unit: Option<&'static str>,
    warning: Option<String>,
    critical: Option<String>,
    #[serde(skip)]
    data: String,
}

impl Verb for Check {
    const NAME: &'static str = "check";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl check --warning 95: --critical 90:",
        "mfactl check overdue --critical 0",
        "mfactl check backup --warning 26 --critical 50",
        "mfactl check log",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        refuse_services(app.env)?;
        let (record, state) = self.evaluate(app).unwrap_or_else(|e| CheckRecord::unknown(&e));
        Ok(Report::one(record, Verdict::PluginStatus(state)).shown_when_quiet())
    }

    /// A monitoring system knows only the four plugin codes, so any other failure is UNKNOWN.
    fn on_denied(env: &Env, error: anyhow::Error) -> Result<Report> {
        refuse_services(env)?;
        let (record, state) = CheckRecord::unknown(&error);
        Ok(Report::one(record, Verdict::PluginStatus(state)).shown_when_quiet())
    }
}

/// `FreeRADIUS` takes exit code 3 for success, so `check` must never run as a login service.
fn refuse_services(env: &Env) -> Result<(), Refusal> {
    let Some(service) = SERVICES.iter().find(|name| (env.variables)(name).is_some()) else {
        return Ok(());
    };
    let message =
        format!("check does not verify codes, but {service} is set, as by a login service");
    Err(Refusal::new(ErrorCode::Usage, message).hint(
        command("verify").option("--from", "SERVICE").by_another().after("a login service runs: "),
    ))
}

impl Check {
    fn evaluate(&self, app: &mut App<'_>) -> Result<(CheckRecord, PluginStatus)> {
        let (warning, critical) = self.what.defaults();
        let range = |field: &str, text: &Option<String>, default: &str| {
            Threshold::parse(field, text.as_deref().unwrap_or(default))
        };
        let warning = range("--warning", &self.warning, warning)?;
        let critical = range("--critical", &self.critical, critical)?;
        let measurement = measurement::measure(app, self.what, &self.left_out.parse()?)?;
        Ok(CheckRecord::new(&measurement, &warning, &critical))
    }
}

impl CheckRecord {
    fn new(
        measurement: &Measurement,
        warning: &Threshold,
        critical: &Threshold,
    ) -> (Self, PluginStatus) {
        let Measurement { name, value: exact, unit, message, max, .. } = measurement;
        let state = match exact {
            None if measurement.is_uncertain => PluginStatus::Warning,
            None => PluginStatus::Critical,
            Some(value) if critical.alerts(*value) => PluginStatus::Critical,
            Some(value) if warning.alerts(*value) => PluginStatus::Warning,
            Some(_) if measurement.is_uncertain => PluginStatus::Warning,
            Some(_) => PluginStatus::Ok,
        };
        let value = exact.map_or("U".to_owned(), |value| {
            // Rounded down: 94.99 % must not show as 95 %. One second is 0.0003 h.
            let decimals = if *unit == "h" { 4 } else { 1 };
            let scale = 10_f64.powi(decimals);
            ((value * scale).floor() / scale).to_string()
        });
        let unit = if value == "U" { "" } else { unit };
        let max = max.map_or(String::new(), |max| max.to_string());
        let data = format!("{name}={value}{unit};{warning};{critical};0;{max}");
        let record = Self {
            value: *exact,
            unit: Some(measurement.unit).filter(|unit| !unit.is_empty()),
            warning: Some(warning.to_string()),
            critical: Some(critical.to_string()),
            ..Self::of(state, message, data.trim_end_matches(';').to_owned())
        };
        (record, state)
    }

    fn unknown(error: &anyhow::Error) -> (Self, PluginStatus) {
        let message = error_report::message(error);
        (Self::of(PluginStatus::Unknown, &message, String::new()), PluginStatus::Unknown)
    }

    fn of(state: PluginStatus, message: &str, data: String) -> Self {
        let state = match state {
            PluginStatus::Ok => "OK",
            PluginStatus::Warning => "WARNING",
            PluginStatus::Critical => "CRITICAL",
            PluginStatus::Unknown => "UNKNOWN",
        };
        // A monitoring system reads everything after a bar as performance data.
        let message = crate::domain::text::shown(message).replace('|', "/");
        Self {
            schema: "mfactl.check/1",
            state,
            message,
            value: None,
            unit: None,
            warning: None,
            critical: None,
            data,
        }
    }
}

impl Record for CheckRecord {
    const COLUMNS: &'static [&'static str] = &["state", "message"];

    fn fields(&self, f: &mut Fields) {
        f.text(self.state);
        f.text(&self.message);
    }

    fn sentence(&self) -> String {
        let data = if self.data.is_empty() { String::new() } else { format!(" | {}", self.data) };
        format!("MFA {} - {}{data}", self.state, self.message)
    }
}
