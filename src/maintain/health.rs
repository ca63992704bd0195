//! Confirmed copies of the key, and data kept past its retention.

use anyhow::Result;
use serde_json::json;

use crate::app::App;
use crate::app::transaction::MAX_SET;
use crate::app::write_tx;
use crate::audit;
use crate::audit::AuditRecord;
use crate::domain::name::UserName;
use crate::store::{Change, Order};

const VERB: &str = "doctor";

/// Logs that a copy of the key is kept apart. Needs the key: without one there is nothing to copy.
pub fn record_key_saved(app: &mut App<'_>) -> Result<()> {
    let mut opened = app.open_store()?;
    write_tx(app, &mut opened, |app, mut write| {
        let record =
            AuditRecord { verb: VERB, outcome: audit::KEY_SAVED, ..AuditRecord::default() };
        audit::append_store_event(app.env, &mut write.tx, write.at, record)?;
        write.commit()
    })
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
    let purged = write_tx(app, &mut opened, |app, mut write| {
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
            audit::save_all(app.env, &mut write.tx, write.at, changes)?;
            bar.inc(names.len() as u64);
        }
        write.commit()?;
        Ok(purged)
    });
    bar.finish_and_clear();
    purged
}
