//! Copies a whole store to another location.

use anyhow::Result;

use crate::app::App;
use crate::domain::audit::event::{Event, Ticket};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::operate::transaction::require_agreement;
use crate::store::location::StoreLocation;
use crate::store::{RowCounts, StoreInit};

/// Copies the store to a location without one, all of it or nothing. An existing store there is
/// `cannot_create`.
pub fn copy_store(app: &mut App<'_>, to: &StoreLocation) -> Result<RowCounts> {
    let event = Event {
        at: app.env.clock.now()?,
        verb: "copy-store",
        outcome: "done",
        operator: app.env.process.operator.clone(),
        ticket: Ticket::default(),
        subject: None,
        detail: None,
    };
    let salt = app.env.random()?;
    let file_policy = app.config()?.file_policy;
    // The key is needed to check every MAC.
    let opened = app.open_store()?;
    let (identity, vault) = (opened.store.identity(), opened.vault);
    drop(opened.store);
    let mut source = app.reader()?;
    let mut rows = source.read()?;
    let counts = rows.counts()?;
    let bar = app.progress_bar(counts.progress_steps());
    let clock = &*app.env.clock;
    let mut content = |birth: &mut dyn StoreInit| {
        require_agreement(clock, birth.clock()?)?;
        birth.import_rows(identity, &mut *rows, &mut || bar.inc(1))?;
        birth.append(&event, salt).map(|_| ())
    };
    let made = to.create(&file_policy, &vault, &mut content);
    bar.finish_and_clear();
    if made? {
        return Ok(counts);
    }
    Err(Refusal::new(ErrorCode::CannotCreate, format!("there is already a store at {to}"))
        .hint("name a location without a store; nothing was copied")
        .into())
}
