//! What the log knows of the key and of backups, also after the events that said so were pruned.

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::App;
use crate::domain::audit::prunings::{PRUNE_OUTCOME, PRUNE_VERB};
use crate::domain::time::Timestamp;
use crate::store::{EventView, LogQuery};

/// How the log records that a user was there, where their last event was pruned.
pub const KEPT_OUTCOME: &str = "kept";

const DOCTOR: &str = "doctor";
pub const KEY_SAVED: &str = "key_saved";
const BACKUP: &str = "backup";
const RESTORE: &str = "restore";
/// In the details of a restore event: when the backup was taken.
pub const TAKEN_AT: &str = "taken_at";

/// When an operator last confirmed that a copy of the key is kept apart.
pub fn key_saved_at(app: &mut App<'_>) -> Result<Option<Timestamp>> {
    last_time(app, DOCTOR, KEY_SAVED, KEY_SAVED)
}

/// When the last backup was taken. In a restored store only the restore event knows of the
/// backup that it came from.
pub fn last_backup_at(app: &mut App<'_>) -> Result<Option<Timestamp>> {
    let backup = last_event(app, BACKUP, "done", None)?;
    // Later than the backup only: otherwise this scans all of a log of millions of events.
    let restore = last_event(app, RESTORE, "done", backup.as_ref().map(|event| event.seq))?;
    let detail = restore.and_then(|event| event.detail).unwrap_or_default();
    match (time_in_detail(&detail, TAKEN_AT), backup) {
        (Some(taken_at), _) => Ok(Some(taken_at)),
        (None, Some(backup)) => Ok(Some(backup.at)),
        (None, None) => retained_time(app, BACKUP),
    }
}

/// Facts from the log that must survive pruning.
pub fn retained_times(app: &mut App<'_>) -> Result<Value> {
    Ok(json!({ KEY_SAVED: key_saved_at(app)?, BACKUP: last_backup_at(app)? }))
}

/// When such an event was last written, or the time that a pruning retained under this name.
fn last_time(
    app: &mut App<'_>,
    verb: &str,
    outcome: &str,
    name: &str,
) -> Result<Option<Timestamp>> {
    match last_event(app, verb, outcome, None)? {
        Some(event) => Ok(Some(event.at)),
        None => retained_time(app, name),
    }
}

/// The time that the last pruning retained under this name.
fn retained_time(app: &mut App<'_>, name: &str) -> Result<Option<Timestamp>> {
    let pruned = last_event(app, PRUNE_VERB, PRUNE_OUTCOME, None)?;
    let detail = pruned.and_then(|event| event.detail).unwrap_or_default();
    Ok(time_in_detail(&detail, name))
}

fn last_event(
    app: &mut App<'_>,
    verb: &str,
    outcome: &str,
    after: Option<u64>,
) -> Result<Option<EventView>> {
    let query = LogQuery {
        verb: Some(verb.to_owned()),
        outcome: Some(outcome.to_owned()),
        after,
        last: Some(1),
        ..LogQuery::default()
    };
    let mut last = None;
    app.reader()?.read()?.log().events(&query, &mut |event| {
        last = Some(event);
        Ok(false)
    })?;
    Ok(last)
}

/// A time in the details of an event.
fn time_in_detail(detail: &str, name: &str) -> Option<Timestamp> {
    let detail: Value = serde_json::from_str(detail).ok()?;
    Timestamp::parse(name, detail[name].as_str()?).ok()
}
