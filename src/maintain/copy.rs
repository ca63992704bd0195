//! Copies a whole store to another location.

use anyhow::Result;

use crate::app::App;
use crate::app::transaction::require_agreement;
use crate::audit;
use crate::audit::AuditRecord;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::store::location::StoreLocation;
use crate::store::{RowCounts, WriteTx, import_rows};

/// Copies the store to a location without one, all of it or nothing. An existing store there is
/// `cannot_create`.
pub fn copy_store(app: &mut App<'_>, to: &StoreLocation) -> Result<RowCounts> {
    let at = app.env.clock.now()?;
    let record = AuditRecord { verb: "copy-store", outcome: "done", ..AuditRecord::default() };
    let event = audit::store_event(app.env, at, record)?;
    let file_policy = app.config.file_policy;
    // The key is needed to check every MAC.
    let opened = app.open_store()?;
    let (identity, vault) = (opened.store.identity(), opened.vault);
    drop(opened.store);
    let mut source = app.reader()?;
    let mut rows = source.read()?;
    let counts = rows.counts()?;
    let bar = app.progress_bar(counts.progress_steps());
    let clock = &*app.env.clock;
    let mut content = |copy: &mut WriteTx<'_>| {
        require_agreement(clock, copy.clock()?)?;
        import_rows(copy, identity, &mut rows, &mut || bar.inc(1))?;
        copy.save(Vec::new(), vec![event.clone()]).map(drop)
    };
    let made = to.create(&file_policy, &vault, &mut content);
    bar.finish_and_clear();
    if made? {
        app.store_changed.set(true);
        return Ok(counts);
    }
    Err(Refusal::new(ErrorCode::CannotCreate, format!("there is already a store at {to}"))
        .hint("name a location without a store; nothing was copied")
        .into())
}
