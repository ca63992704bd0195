//! What operators did in the period, and how users fared at sign-in.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use super::listed::Listed;
use crate::authenticate::code::NOT_ASKED;
use crate::commands::log::EventLine;
use crate::domain::approval::{APPROVE, REQUESTED};
use crate::domain::text::shown;
use crate::store::{EventCount, EventRange, EventView, ReadTx};

/// Events listed of each verb; `log` has all of them.
const MAX_EVENTS: usize = 200;
/// Rows of the table by verb and operator.
const MAX_COUNTS: usize = 500;

/// Verbs that take protection away, or prepare that, and those that move hardware tokens, each with the heading of its
/// list.
pub const LISTED: &[(&str, &str)] = &[
    ("reset", "Devices reset"),
    ("disable", "MFA switched off"),
    ("delete", "MFA deleted"),
    ("bypass", "Bypass codes"),
    ("force-new-password", "New passwords forced"),
    ("require-mfa", "Requirement lifted"),
    ("remove-user", "Users removed"),
    ("undo", "Changes undone"),
    ("unlock", "Locks ended by an operator"),
    ("recovery-codes", "Recovery codes replaced"),
    ("set-password", "Passwords set"),
    ("edit-user", "Groups, protection and names changed"),
    ("assign", "Hardware tokens assigned"),
    ("unassign", "Hardware tokens taken back"),
    ("add-tokens", "Hardware tokens added"),
    ("remove-token", "Hardware tokens removed"),
    ("restore", "Backups restored"),
    ("log", "Log pruned"),
];

/// What `edit-user` changes that policy, roles or the log depend on.
const WEIGHTY_FIELDS: [&str; 3] = ["groups", "protected", "not_protected"];

#[derive(Default, Serialize)]
pub struct Activity {
    /// Events by verb, outcome and operator.
    pub counts: Vec<EventCount>,
    pub counts_left_out: u64,
    /// By verb.
    pub changes: BTreeMap<&'static str, Listed<EventLine>>,
    pub approvals: Listed<EventLine>,
    pub requests: u64,
    pub attempts: Attempts,
}

/// Attempts to sign in.
#[derive(Default, Serialize)]
pub struct Attempts {
    pub accepted: u64,
    /// How many of these were let in by a rule, without a code.
    pub without_code: u64,
    /// Answered with the question for a code, a new device or a new password.
    pub further_steps: u64,
    pub wrong: u64,
    /// Codes that had been used before.
    pub replayed: u64,
    /// Not evaluated: while locked, disabled, not enabled and the like.
    pub refused: u64,
    /// The log has the attempts with unknown names once a minute.
    pub minutes_with_unknown_names: u64,
    pub locks: u64,
}

impl Activity {
    pub fn read(snapshot: &mut ReadTx<'_>, range: EventRange) -> Result<Self> {
        let mut activity = Self::default();
        snapshot.log().period_counts(range, &mut |count| {
            activity.count(count);
            Ok(())
        })?;
        snapshot.log().period_attempts(range, &mut |verb, outcome, detail| {
            activity.attempts.add_summed(verb, outcome, detail);
            Ok(())
        })?;
        activity.attempts.locks = snapshot.log().period_locks(range)?;
        snapshot.log().period_events(range, &mut |event| {
            activity.list(event);
            Ok(())
        })?;
        Ok(activity)
    }

    fn count(&mut self, count: EventCount) {
        match count.verb.as_str() {
            "verify" | "sign-in" => self.attempts.add(&count.outcome, count.events),
            "notify" => {}
            _ if self.counts.len() < MAX_COUNTS => {
                let safe = |text: String| shown(&text).into_owned();
                self.counts.push(EventCount {
                    verb: safe(count.verb),
                    outcome: safe(count.outcome),
                    operator_claim: count.operator_claim.map(safe),
                    ..count
                });
            }
            _ => self.counts_left_out += 1,
        }
    }

    fn list(&mut self, event: EventView) {
        let detail = event.detail.as_deref().and_then(|text| serde_json::from_str(text).ok());
        if event.outcome == REQUESTED {
            self.requests += 1;
        } else if event.verb == APPROVE {
            self.approvals.add(MAX_EVENTS, || EventLine::of(event));
        } else if let Some((verb, _)) = LISTED.iter().find(|(verb, _)| *verb == event.verb)
            && has_weight(verb, &event.outcome, detail.as_ref())
        {
            self.changes.entry(verb).or_default().add(MAX_EVENTS, || EventLine::of(event));
        }
    }
}

/// Whether an event of a listed verb is one to sign for.
fn has_weight(verb: &str, outcome: &str, detail: Option<&Value>) -> bool {
    let fields = || detail.and_then(|detail| detail["fields"].as_array()).into_iter().flatten();
    let has_field =
        |names: &[&str]| fields().filter_map(Value::as_str).any(|field| names.contains(&field));
    match verb {
        "edit-user" => {
            has_field(&WEIGHTY_FIELDS)
                || detail.is_some_and(|detail| !detail["renamed_from"].is_null())
        }
        "require-mfa" => has_field(&["not_required"]),
        // Users whose events a pruning removed get one that they were kept.
        "log" => outcome == "pruned",
        _ => true,
    }
}

impl Attempts {
    fn add(&mut self, outcome: &str, number: u64) {
        *self.of(outcome) += number;
        if outcome == NOT_ASKED {
            self.without_code += number;
        }
    }

    const fn of(&mut self, outcome: &str) -> &mut u64 {
        match outcome.as_bytes() {
            b"rejected" => &mut self.wrong,
            b"replayed" => &mut self.replayed,
            b"unknown" => &mut self.minutes_with_unknown_names,
            b"accepted" | b"confirmed" | b"not_asked" => &mut self.accepted,
            b"code_required"
            | b"enrolment_required"
            | b"password_change_required"
            | b"done"
            | b"pending" => &mut self.further_steps,
            _ => &mut self.refused,
        }
    }

    /// Adds the attempts that an event stands for beside itself.
    fn add_summed(&mut self, verb: &str, outcome: &str, detail: &str) {
        if !matches!(verb, "verify" | "sign-in") {
            return;
        }
        let Ok(detail) = serde_json::from_str::<Value>(detail) else { return };
        let attempts = detail["attempts"].as_u64().unwrap_or_default();
        *self.of(outcome) += attempts.saturating_sub(1);
        self.refused += detail["turned_away_before"].as_u64().unwrap_or_default();
    }
}
