//! The state of store, key, log and clocks, and data kept past its retention.

use anyhow::Result;
use serde_json::{Value, json};

use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::audit::prune;
use crate::domain::name::UserName;
use crate::domain::time::Timestamp;
use crate::maintain::backup::TAKEN_AT;
use crate::operate;
use crate::operate::transaction::{MAX_SET, agreed_time};
use crate::store::{Change, EventView, LogQuery, Order};

const VERB: &str = "doctor";
const KEY_SAVED: &str = "key_saved";
const BACKUP: &str = "backup";
const RESTORE: &str = "restore";

/// How many seconds this machine's clock is ahead of the database's; `None` if both share one
/// clock. From here on reads ignore clock skew, so that the verb can go on looking for problems.
pub fn compare_clocks(app: &mut App<'_>) -> Result<Option<i64>> {
    app.ignore_clock_skew = true;
    let theirs = app.reader()?.clock();
    let now = agreed_time(&*app.env.clock, theirs)?;
    Ok(theirs.map(|theirs| app.env.clock.seconds_ahead(now, theirs)))
}

/// When an operator last confirmed that a copy of the key is kept apart.
pub fn key_saved_at(app: &mut App<'_>) -> Result<Option<Timestamp>> {
    last_time(app, VERB, KEY_SAVED, KEY_SAVED)
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
    let pruned = last_event(app, prune::VERB, prune::OUTCOME, None)?;
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
    app.reader()?.read()?.events(&query, &mut |event| {
        last = Some(event);
        Ok(false)
    })?;
    Ok(last)
}

/// Logs that a copy of the key is kept apart. Needs the key: without one there is nothing to copy.
pub fn record_key_saved(app: &mut App<'_>) -> Result<()> {
    let mut opened = app.open_store()?;
    operate::write_tx(app, &mut opened, |session, mut write| {
        let record = AuditRecord { verb: VERB, outcome: KEY_SAVED, ..AuditRecord::default() };
        audit::append_store_event(session.env, &mut write.tx, write.at, record)?;
        write.tx.commit()
    })
}

/// Checks the MAC of every row and returns the number of users. `tampered` names the first
/// altered user.
pub fn check_user_macs(app: &mut App<'_>, opened: &mut OpenStore) -> Result<u64> {
    let mut snapshot = opened.store.read()?;
    let users = snapshot.counts()?.users;
    let bar = app.progress_bar(users);
    let proved = snapshot.check_user_macs(&opened.vault, &mut || bar.inc(1));
    bar.finish_and_clear();
    proved.map(|()| users)
}

/// Users with sealed data that is kept past its retention time.
pub fn expired_users(app: &mut App<'_>) -> Result<Vec<UserName>> {
    let now = app.env.clock.now()?;
    let undo_for = app.config.undo_for;
    let mut names = Vec::new();
    app.reader()?.read()?.users(Order::default(), &mut |user| {
        let mut purged = user.clone();
        purged.purge(now, undo_for);
        if purged != user {
            names.push(user.name);
        }
        Ok(())
    })?;
    Ok(names)
}

/// Removes the expired sealed data of these users, in one transaction.
pub fn purge_expired(app: &mut App<'_>, names: &[UserName]) -> Result<u64> {
    let undo_for = app.config.undo_for;
    let mut opened = app.open_store()?;
    let bar = app.progress_bar(names.len() as u64);
    let purged = operate::write_tx(app, &mut opened, |session, mut write| {
        bar.set_position(0);
        let mut purged = 0;
        for names in names.chunks(MAX_SET) {
            let mut changes = Vec::new();
            for before in write.any_users(names)? {
                let mut after = before.clone();
                after.purge(write.at, undo_for);
                if after == before {
                    continue;
                }
                let gone = before.devices.len() - after.devices.len();
                let detail = Some(json!({ "devices": gone }).to_string());
                let record =
                    AuditRecord { verb: VERB, outcome: "purged", detail, ..AuditRecord::default() };
                changes.push((Change::Update { before, after }, Some(record)));
            }
            purged += changes.len() as u64;
            audit::save_all(session.env, &mut write.tx, write.at, changes)?;
            bar.inc(names.len() as u64);
        }
        write.tx.commit()?;
        Ok(purged)
    });
    bar.finish_and_clear();
    purged
}

/// A time in the details of an event.
fn time_in_detail(detail: &str, name: &str) -> Option<Timestamp> {
    let detail: Value = serde_json::from_str(detail).ok()?;
    Timestamp::parse(name, detail[name].as_str()?).ok()
}
