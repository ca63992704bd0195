//! The numbers that thresholds are held against.

use anyhow::Result;

use super::What;
use crate::commands::list_status::{Line, Summary};
use crate::domain::time::Span;
use crate::domain::totp::Parameters;
use crate::session::Session;
use crate::store::Order;

/// A number, and what it says.
pub struct Measured {
    /// In the performance data.
    pub name: &'static str,
    /// None where there is nothing to measure, which is as bad as can be unless it is in doubt.
    pub value: Option<f64>,
    /// There is something that has no measure: never OK, and no alarm either.
    pub is_in_doubt: bool,
    pub unit: &'static str,
    pub most: Option<u64>,
    pub words: String,
}

/// # Errors
/// As the store has them.
pub fn measure(session: &mut Session<'_>, what: What) -> Result<Measured> {
    match what {
        What::Log => log(session),
        What::Backup => backup(session),
        What::Key => key(session),
        What::Coverage | What::Overdue | What::Bypasses | What::Locked => users(session, what),
    }
}

fn users(session: &mut Session<'_>, what: What) -> Result<Measured> {
    let now = session.env.clock.now()?;
    let policy = session.config()?.policy.clone();
    let (mut summary, mut bypasses) = (Summary::default(), 0);
    session.reader()?.read()?.users(Order::default(), &mut |user| {
        let line = Line::of(&user, &policy, now);
        bypasses += u64::from(line.bypass);
        summary.count(&line);
        Ok(())
    })?;
    let users = summary.users;
    let count = |name, count: u64, words: &str| Measured {
        name,
        value: Some(number(count)),
        is_in_doubt: false,
        unit: "",
        most: Some(users),
        words: format!("{count} of {users} users {words}"),
    };
    Ok(match what {
        What::Overdue => {
            count("overdue", summary.required_without_mfa, "must have MFA and have none")
        }
        What::Locked => count("locked", summary.locked, "are locked"),
        What::Bypasses => count("bypasses", bypasses, "have an open bypass code"),
        _ => {
            let percent = (summary.exact_coverage() * 10.0).floor() / 10.0;
            Measured {
                name: "coverage",
                value: Some(summary.exact_coverage()),
                is_in_doubt: false,
                unit: "%",
                most: Some(100),
                words: format!("{percent:.1}% of {users} users"),
            }
        }
    })
}

fn log(session: &mut Session<'_>) -> Result<Measured> {
    let proved = session.prove(&[])?;
    let damage = u64::from(proved.damage.is_some());
    let events = if proved.events == 1 { "event" } else { "events" };
    let how = if proved.has_macs { "" } else { ", checked without the key" };
    let words = match proved.damage {
        Some(damage) => format!("the log is damaged: {}", damage.words),
        None => format!("the log is whole: {} {events}{how}", proved.events),
    };
    let value = Some(number(damage));
    Ok(Measured { name: "damage", value, is_in_doubt: false, unit: "", most: Some(1), words })
}

fn backup(session: &mut Session<'_>) -> Result<Measured> {
    let now = session.env.clock.now()?;
    let last = session.last_backup()?;
    // A backup that is dated ahead may be of today or years old. It is there, so that nobody need be
    // woken; but a clock that is put right again must not keep this quiet until that day.
    // Machines that share a store agree on the time as far as that.
    let apart = Span::seconds(Parameters::COMMON.period);
    let is_in_doubt = last.is_some_and(|last| last > now.plus(apart));
    let age = last.filter(|_| !is_in_doubt).map(|last| now.since(last).0);
    let words = match (last, age) {
        (Some(last), Some(age)) => {
            let hours = age / 3600;
            let plural = if hours == 1 { "" } else { "s" };
            format!("the last backup is {hours} hour{plural} old, of {last}")
        }
        (Some(last), None) => {
            format!("the last backup is dated {last}, which is still to come: take another")
        }
        (None, _) => "no backup was ever taken".to_owned(),
    };
    let value = age.map(|seconds| number(seconds) / 3600.0);
    Ok(Measured { name: "backup_age", value, is_in_doubt, unit: "h", most: None, words })
}

fn key(session: &mut Session<'_>) -> Result<Measured> {
    let saved = session.key_saved()?;
    let words = match saved {
        Some(at) => format!("a copy of the key is kept apart, as confirmed on {at}"),
        None => "nobody has confirmed that a copy of the key is kept apart".to_owned(),
    };
    let value = Some(number(u64::from(saved.is_none())));
    Ok(Measured { name: "key_unsaved", value, is_in_doubt: false, unit: "", most: Some(1), words })
}

#[expect(clippy::cast_precision_loss, reason = "no store has 2^53 users or seconds")]
const fn number(n: u64) -> f64 {
    n as f64
}
