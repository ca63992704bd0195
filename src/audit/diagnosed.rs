//! What a diagnosis needs of the log: the codes that were diagnosed lately, and what became of a user's devices and
//! backup codes.

use anyhow::Result;
use serde_json::Value;

use crate::domain::diagnose::LOCKED_SPAN;
use crate::domain::diagnosed_offsets::{DiagnosedOffsets, LATELY};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::store::{EventView, LogQuery, LogReader, ReadTx, SubjectFilter};

/// The verb whose events say by how many seconds a code was off.
pub const DIAGNOSE: &str = "diagnose";

/// The codes that were off, of the time before now.
pub fn diagnosed_offsets(snapshot: &mut ReadTx<'_>, now: Timestamp) -> Result<DiagnosedOffsets> {
    let query = LogQuery {
        verb: Some(DIAGNOSE.to_owned()),
        outcome: Some("done".to_owned()),
        since: Some(now.minus(LATELY)),
        ..LogQuery::default()
    };
    let mut found = DiagnosedOffsets::default();
    snapshot.log().events(&query, &mut |event| {
        let detail = event.detail.and_then(|detail| serde_json::from_str::<Value>(&detail).ok());
        let seconds = detail.and_then(|detail| detail["seconds"].as_i64());
        if let Some((user, seconds)) = event.user.zip(seconds) {
            found.add(user, seconds);
        }
        Ok(true)
    })?;
    Ok(found)
}

/// Whether the event is a diagnosis of a code that was compared while the user was locked.
fn is_of_locked(event: &EventView) -> bool {
    let detail = event.detail.as_deref().and_then(|d| serde_json::from_str::<Value>(d).ok());
    detail.is_some_and(|detail| detail["locked"] == true)
}

/// When codes of this user were compared although they were locked, of the time before now; the oldest first.
pub fn diagnoses_while_locked(
    log: &mut LogReader<'_>,
    user: Id,
    now: Timestamp,
) -> Result<Vec<Timestamp>> {
    let query = LogQuery {
        user: Some(SubjectFilter::Id(user)),
        verb: Some(DIAGNOSE.to_owned()),
        outcome: Some("done".to_owned()),
        since: Some(now.minus(LOCKED_SPAN)),
        ..LogQuery::default()
    };
    let mut times = Vec::new();
    log.events(&query, &mut |event| {
        if is_of_locked(&event) {
            times.push(event.at);
        }
        Ok(true)
    })?;
    Ok(times)
}

/// The newest event about this user that is one of those.
pub fn newest_of(
    log: &mut LogReader<'_>,
    user: Id,
    is_one: impl Fn(&EventView) -> bool,
) -> Result<Option<EventView>> {
    let query = LogQuery {
        user: Some(SubjectFilter::Id(user)),
        is_newest_first: true,
        ..LogQuery::default()
    };
    let mut found = None;
    log.events(&query, &mut |event| {
        found = is_one(&event).then_some(event);
        Ok(found.is_none())
    })?;
    Ok(found)
}
