//! The numbers that thresholds are held against.

use anyhow::Result;

use super::What;
use crate::commands::list_status::{Line, Summary};
use crate::session::Session;
use crate::store::Order;

/// A number, and what it says.
pub struct Measured {
    /// In the performance data.
    pub name: &'static str,
    /// None where there is nothing to measure, which is as bad as can be.
    pub value: Option<f64>,
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
    let words = match proved.damage {
        Some(damage) => format!("the log is damaged: {}", damage.words),
        None if proved.has_macs => format!("the log is whole: {} events", proved.events),
        None => format!("the log is whole: {} events, checked without the key", proved.events),
    };
    Ok(Measured { name: "damage", value: Some(number(damage)), unit: "", most: Some(1), words })
}

fn backup(session: &mut Session<'_>) -> Result<Measured> {
    let now = session.env.clock.now()?;
    let last = session.last_backup()?;
    let hours = last.map(|last| now.since(last).0 / 3600);
    let words = match (last, hours) {
        (Some(last), Some(hours)) => format!("the last backup is {hours} hours old, of {last}"),
        _ => "no backup was ever taken".to_owned(),
    };
    Ok(Measured { name: "backup_age", value: hours.map(number), unit: "h", most: None, words })
}

fn key(session: &mut Session<'_>) -> Result<Measured> {
    let saved = session.key_saved()?;
    let words = match saved {
        Some(at) => format!("a copy of the key is kept apart, as confirmed on {at}"),
        None => "nobody has confirmed that a copy of the key is kept apart".to_owned(),
    };
    let value = Some(number(u64::from(saved.is_none())));
    Ok(Measured { name: "key_unsaved", value, unit: "", most: Some(1), words })
}

#[expect(clippy::cast_precision_loss, reason = "no store has 2^53 users")]
const fn number(n: u64) -> f64 {
    n as f64
}
