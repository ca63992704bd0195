//! The values that are compared with the thresholds.

use std::fmt::Write as _;

use anyhow::Result;

use crate::app::App;
use crate::audit;
use crate::commands::check::What;
use crate::commands::left_out::LeftOut;
use crate::commands::list_status::{Summary, UserLine};
use crate::domain::factor::totp::Parameters;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::counted;
use crate::domain::time::Span;
use crate::maintain;
use crate::store::Order;

/// A measured value, and the sentence for people.
pub struct Measurement {
    /// The label in the performance data.
    pub name: &'static str,
    /// `None` if there is nothing to measure: CRITICAL, or WARNING if `is_uncertain`.
    pub value: Option<f64>,
    /// Its value is unknown or not all that matters: WARNING at least.
    pub is_uncertain: bool,
    pub unit: &'static str,
    pub max: Option<u64>,
    pub message: String,
}

pub fn measure(app: &mut App<'_>, what: What, left_out: &LeftOut) -> Result<Measurement> {
    if !what.is_about_users() && !left_out.is_empty() {
        return Err(Refusal::new(ErrorCode::Usage, "only what counts users can leave some out")
            .field("--not-group")
            .hint("leave it out, or check coverage, overdue, weak, bypasses or locked")
            .into());
    }
    match what {
        What::Log => log(app),
        What::Backup => backup(app),
        What::Key => key(app),
        What::Clock => clock(app),
        What::Coverage | What::Overdue | What::Weak | What::Bypasses | What::Locked => {
            users(app, what, left_out)
        }
    }
}

fn users(app: &mut App<'_>, what: What, left_out: &LeftOut) -> Result<Measurement> {
    let now = app.env.clock.now()?;
    let policy = app.config.policy.clone();
    let (mut summary, mut bypasses) = (Summary::default(), 0);
    let mut store = app.reader()?;
    let mut snapshot = store.read()?;
    left_out.require_known(&mut snapshot, &policy)?;
    snapshot.users(Order::default(), &mut |user| {
        if left_out.has(&user) {
            return Ok(());
        }
        let line = UserLine::of(&user, &policy, now);
        bypasses += u64::from(line.bypass);
        summary.count(&line);
        Ok(())
    })?;
    let users = summary.users;
    let count = |name, count: u64, text: &str| Measurement {
        name,
        value: Some(number(count)),
        is_uncertain: false,
        unit: "",
        max: Some(users),
        message: format!("{count} of {users} users {text}"),
    };
    Ok(match what {
        What::Overdue => {
            let none = match summary.weak {
                0 => "must have MFA and have none",
                _ => "must have MFA and have none, or weak kinds only",
            };
            count("overdue", summary.required_without_mfa, none)
        }
        What::Weak => count("weak", summary.weak, "have weak kinds of devices only"),
        What::Locked => count("locked", summary.locked, "are locked"),
        What::Bypasses => count("bypasses", bypasses, "have a valid bypass code"),
        _ if users == 0 => {
            return Err(Refusal::new(ErrorCode::UserNotFound, "there are no users to count").into());
        }
        _ => {
            let weak = match summary.weak {
                0 => String::new(),
                n => format!("; {n} more by weak kinds of devices only"),
            };
            let percent = (summary.exact_coverage() * 10.0).floor() / 10.0;
            Measurement {
                name: "coverage",
                value: Some(summary.exact_coverage()),
                is_uncertain: false,
                unit: "%",
                max: Some(100),
                message: format!("{percent:.1}% of {}{weak}", counted(users, "user")),
            }
        }
    })
}

fn log(app: &mut App<'_>) -> Result<Measurement> {
    let proved = audit::prove_log(app, &[])?;
    let damage = u64::from(proved.problem().is_some());
    let events = if proved.events == 1 { "event" } else { "events" };
    let limits = if proved.has_macs { "" } else { ", checked without the key" };
    let message = match proved.problem() {
        Some(problem) => format!("the log is damaged: {problem}"),
        None => format!("the log is intact: {} {events}{limits}", proved.events),
    };
    let value = Some(number(damage));
    Ok(Measurement { name: "damage", value, is_uncertain: false, unit: "", max: Some(1), message })
}

fn backup(app: &mut App<'_>) -> Result<Measurement> {
    let now = app.env.clock.now()?;
    let last = audit::last_backup_at(app)?;
    // A backup dated in the future, written while a clock was wrong, may be any age. It exists, so
    // CRITICAL would be too much; but OK would hide missing backups until that date.
    // Machines that share a store may differ by one time step.
    let tolerance = Span::seconds(Parameters::COMMON.period);
    let is_uncertain = last.is_some_and(|last| last > now.plus(tolerance));
    let age = last.filter(|_| !is_uncertain).map(|last| now.since(last).0);
    let message = match (last, age) {
        (Some(last), Some(age)) => {
            let hours = age / 3600;
            let plural = if hours == 1 { "" } else { "s" };
            format!("the last backup is {hours} hour{plural} old, from {last}")
        }
        (Some(last), None) => {
            format!("the last backup is dated {last}, in the future; take another")
        }
        (None, _) => "no backup has been taken".to_owned(),
    };
    let value = age.map(|seconds| number(seconds) / 3600.0);
    Ok(Measurement { name: "backup_age", value, is_uncertain, unit: "h", max: None, message })
}

fn key(app: &mut App<'_>) -> Result<Measurement> {
    let saved = audit::key_saved_at(app)?;
    let message = match saved {
        Some(at) => format!("a copy of the key is kept elsewhere, as confirmed on {at}"),
        None => "no copy of the key has been confirmed".to_owned(),
    };
    let value = Some(number(u64::from(saved.is_none())));
    Ok(Measurement {
        name: "key_unsaved",
        value,
        is_uncertain: false,
        unit: "",
        max: Some(1),
        message,
    })
}

fn clock(app: &mut App<'_>) -> Result<Measurement> {
    let clock = maintain::look_at_clock(app)?;
    let off = clock.off();
    let earlier = clock.earlier_event_ahead();
    let mut message = match (clock.last_event.zip(clock.last_event_ahead()), clock.database) {
        (Some((last, ahead)), _) => {
            format!("the newest event is of {last}, {ahead} ahead")
        }
        (None, None) if earlier.is_some() => "the clock agrees with the newest event".to_owned(),
        (None, Some(apart)) if off > 0 => {
            let way = if apart < 0 { "behind" } else { "ahead of" };
            format!("the clock is {off} s {way} the database's")
        }
        (None, Some(_)) => "the clock agrees with the database's and with the log".to_owned(),
        (None, None) => "the clock agrees with the log".to_owned(),
    };
    if let Some((at, ahead)) = earlier {
        let _ = write!(message, "; an event shortly before is of {at}, {ahead} ahead");
    }
    let _ = write!(message, "; {}", clock.ntp());
    if clock.devices_ahead > 0 {
        let devices = counted(clock.devices_ahead, "device");
        let _ = write!(message, "; the last code of {devices} is of a time ahead");
    }
    if let Some(codes_off) = clock.codes_off {
        let _ = write!(message, "; {}", codes_off.sentence());
    }
    Ok(Measurement {
        name: "clock_off",
        value: Some(number(off)),
        is_uncertain: clock.is_synchronised == Some(false)
            || clock.devices_ahead > 0
            || earlier.is_some()
            || clock.codes_off.is_some(),
        unit: "s",
        max: None,
        message,
    })
}

#[expect(clippy::cast_precision_loss, reason = "no store has 2^53 users or seconds")]
const fn number(n: u64) -> f64 {
    n as f64
}
