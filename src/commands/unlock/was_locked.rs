//! Why a user was locked, from their failure counter and their latest events.

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::domain::lockout::Throttle;
use crate::domain::secret::Id;
use crate::domain::text::{counted, shown};
use crate::domain::time::Timestamp;
use crate::store::{EventView, LogQuery, ReadTx, SubjectFilter};

/// The latest events that are read: as many attempts as a helpdesk asks about, however long the log is.
const EVENTS: u64 = 20;

#[derive(Serialize)]
pub struct WasLocked {
    /// When the lock began.
    since: Timestamp,
    /// When it would have ended; `None` if only by an unlock.
    until: Option<Timestamp>,
    /// Failed attempts in a row, of which so many were codes and the others passwords.
    failures: u32,
    pub wrong_codes: u32,
    /// The first and the last of them that the latest events have.
    first_failure_at: Option<Timestamp>,
    last_failure_at: Option<Timestamp>,
    /// The verb of the last one, and the login service that asked.
    last_failure_by: Option<String>,
    service: Option<String>,
}

impl WasLocked {
    pub fn new(
        throttle: &Throttle,
        until: Option<Timestamp>,
        failed: Vec<EventView>,
        now: Timestamp,
    ) -> Self {
        let first_failure_at = failed.last().map(|event| event.at);
        let last = failed.into_iter().next();
        let last_failure_at = last.as_ref().map(|event| event.at);
        let service = last.as_ref().and_then(|event| {
            let detail: Value = serde_json::from_str(event.detail.as_deref()?).ok()?;
            Some(shown(detail["from"].as_str()?).into_owned())
        });
        Self {
            since: throttle.lock.map(|lock| lock.start).or(last_failure_at).unwrap_or(now),
            until,
            failures: throttle.failures,
            wrong_codes: throttle.wrong_codes,
            first_failure_at,
            last_failure_at,
            last_failure_by: last.map(|event| shown(&event.verb).into_owned()),
            service,
        }
    }

    /// Such as "5 wrong codes since 10:02, the last by verify at 10:05".
    pub fn words(&self) -> String {
        let passwords = self.failures.saturating_sub(self.wrong_codes);
        let kinds = [(self.wrong_codes, "wrong code"), (passwords, "wrong password")];
        let kinds = kinds.into_iter().filter(|(n, _)| *n > 0).map(|(n, noun)| counted(n, noun));
        let kinds = kinds.collect::<Vec<_>>();
        let what = match kinds.as_slice() {
            [] => "too many wrong codes within an hour".to_owned(),
            kinds => kinds.join(" and "),
        };
        let since = self.first_failure_at.map_or(String::new(), |first| format!(" since {first}"));
        let service = self.service.as_ref().map_or(String::new(), |name| format!(" --from {name}"));
        let last = match (&self.last_failure_by, self.last_failure_at) {
            (Some(verb), Some(at)) => format!(", the last by {verb}{service} at {at}"),
            _ => String::new(),
        };
        format!("{what}{since}{last}")
    }
}

/// The failed attempts in a row among the user's latest events, the newest first. The newest event is the unlock itself,
/// unless that was a dry run.
pub fn failures(snapshot: &mut ReadTx<'_>, user: Id, dry_run: bool) -> Result<Vec<EventView>> {
    let wanted = LogQuery {
        user: Some(SubjectFilter::Id(user)),
        last: Some(EVENTS),
        is_newest_first: true,
        ..LogQuery::default()
    };
    let (mut failed, mut is_own) = (Vec::new(), !dry_run);
    snapshot.log().events(&wanted, &mut |event| {
        let is_own_event = std::mem::take(&mut is_own);
        // Each of these begins the count anew.
        let is_new_count = matches!(event.outcome.as_str(), "accepted" | "confirmed")
            || event.outcome == "done" && matches!(event.verb.as_str(), "unlock" | "reset");
        if is_new_count && !is_own_event {
            return Ok(false);
        }
        if event.outcome == "rejected" {
            failed.push(event);
        }
        Ok(true)
    })?;
    Ok(failed)
}
