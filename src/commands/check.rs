//! `mfactl check`

mod measure;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::Serialize;

use super::Verb;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::threshold::Threshold;
use crate::report::{Fields, Record, Report, State, Verdict};
use crate::session::Session;
use measure::Measured;

/// Say to a monitoring system how it stands
///
/// One line with performance data, and the exit codes of a monitoring plugin: 0 OK, 1 WARNING, 2
/// CRITICAL, 3 UNKNOWN. This is the only verb with such codes: a login service must never be given it.
/// Thresholds are ranges: `10` and `:10` are 0 to 10, `10:` is 10 and more, `~:10`, `5:10`, `@5:10` for
/// outside of it. What can't be measured is UNKNOWN; words of the command line that make no sense are 64,
/// as of any verb.
#[derive(Args, Debug)]
pub struct Check {
    /// What is looked at
    #[arg(value_enum, default_value = "coverage", hide_default_value = true, value_name = "WHAT")]
    what: What,
    /// WARNING outside this range
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true)]
    warning: Option<String>,
    /// CRITICAL outside this range
    #[arg(short, long, value_name = "RANGE", allow_hyphen_values = true)]
    critical: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Enabled users in percent of all; 95: and 90: where nothing is said
    Coverage,
    /// Users without MFA of whom it is required; 0 and 0
    Overdue,
    /// Open bypass codes; 5 and 20
    Bypasses,
    /// Locked users; 5 and 20
    Locked,
    /// Whether the log is whole
    Log,
    /// Hours since the last backup; 26 and 50
    Backup,
    /// Whether a copy of the key is kept apart, as doctor --key-saved confirms
    Key,
}

impl What {
    const fn defaults(self) -> (&'static str, &'static str) {
        match self {
            Self::Coverage => ("95:", "90:"),
            Self::Overdue | Self::Log => ("0", "0"),
            Self::Key => ("0", "1"),
            Self::Bypasses | Self::Locked => ("5", "20"),
            Self::Backup => ("26", "50"),
        }
    }
}

/// What login services set, each in its own way.
const SERVICES: &[&str] =
    &["PAM_TYPE", "PAM_USER", "script_type", "auth_control_file", "USER_NAME"];

#[derive(Serialize)]
struct Checked {
    schema: &'static str,
    state: &'static str,
    message: String,
    /// What was measured, exactly, and the ranges it was held against.
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

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        refuse_services(session)?;
        let (checked, state) = self.checked(session).unwrap_or_else(|e| Checked::unknown(&e));
        Ok(Report::one(checked, Verdict::State(state)).alarming())
    }

    /// A monitoring system knows no other codes than these four, whatever is in the way.
    fn barred(session: &Session<'_>, error: anyhow::Error) -> Result<Report> {
        refuse_services(session)?;
        let (checked, state) = Checked::unknown(&error);
        Ok(Report::one(checked, Verdict::State(state)).alarming())
    }
}

/// Some login services take 3 for a yes.
fn refuse_services(session: &Session<'_>) -> Result<(), Refusal> {
    let Some(service) = SERVICES.iter().find(|name| (session.env.variables)(name).is_some()) else {
        return Ok(());
    };
    let message = format!("check does not say whether a code is right, and {service} is set");
    Err(Refusal::new(Code::Usage, message)
        .hint("a login service takes: mfactl verify --from SERVICE"))
}

impl Check {
    fn checked(&self, session: &mut Session<'_>) -> Result<(Checked, State)> {
        let (warning, critical) = self.what.defaults();
        let range = |field: &str, text: &Option<String>, default: &str| {
            Threshold::parse(field, text.as_deref().unwrap_or(default))
        };
        let warning = range("--warning", &self.warning, warning)?;
        let critical = range("--critical", &self.critical, critical)?;
        let measured = measure::measure(session, self.what)?;
        Ok(Checked::new(&measured, &warning, &critical))
    }
}

impl Checked {
    fn new(measured: &Measured, warning: &Threshold, critical: &Threshold) -> (Self, State) {
        let Measured { name, value: exact, unit, words, most, .. } = measured;
        let state = match exact {
            None if measured.is_in_doubt => State::Warning,
            None => State::Critical,
            Some(value) if critical.alerts(*value) => State::Critical,
            Some(value) if warning.alerts(*value) => State::Warning,
            Some(_) => State::Ok,
        };
        let value = exact.map_or("U".to_owned(), |value| {
            // Cut and not rounded: 94.99 % is not 95 %. A second is 0.0003 h.
            let decimals = if *unit == "h" { 4 } else { 1 };
            let scale = 10_f64.powi(decimals);
            ((value * scale).floor() / scale).to_string()
        });
        let unit = if value == "U" { "" } else { unit };
        let most = most.map_or(String::new(), |most| most.to_string());
        let data = format!("{name}={value}{unit};{warning};{critical};0;{most}");
        let checked = Self {
            value: *exact,
            unit: Some(measured.unit).filter(|unit| !unit.is_empty()),
            warning: Some(warning.to_string()),
            critical: Some(critical.to_string()),
            ..Self::of(state, words, data.trim_end_matches(';').to_owned())
        };
        (checked, state)
    }

    fn unknown(error: &anyhow::Error) -> (Self, State) {
        let refusal = error.chain().find_map(|cause| cause.downcast_ref::<Refusal>());
        let words = refusal.map_or_else(|| error.to_string(), |refusal| refusal.message.clone());
        (Self::of(State::Unknown, &words, String::new()), State::Unknown)
    }

    fn of(state: State, message: &str, data: String) -> Self {
        let state = match state {
            State::Ok => "OK",
            State::Warning => "WARNING",
            State::Critical => "CRITICAL",
            State::Unknown => "UNKNOWN",
        };
        // What comes after a bar is data to a monitoring system.
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

impl Record for Checked {
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
