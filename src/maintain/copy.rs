//! Copies a whole store to another location.

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::app::Session;
use crate::domain::audit::event::{Event, Ticket};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::operate::transaction::require_agreement;
use crate::store::location::StoreLocation;
use crate::store::{RowCounts, StoreInit};

impl Session<'_> {
    /// Copies the store to a location without one, all of it or nothing. An existing store there is
    /// `cannot_create`.
    pub fn copy_store(&mut self, to: &StoreLocation) -> Result<RowCounts> {
        let event = Event {
            at: self.env.clock.now()?,
            verb: "copy-store",
            outcome: "done",
            operator: self.env.process.operator.clone(),
            ticket: Ticket::default(),
            subject: None,
            detail: None,
        };
        let (nonce, salt) = (Id::new(self.env.random()?), self.env.random()?);
        let file_policy = self.config()?.file_policy;
        // The key is needed to check every MAC.
        let opened = self.open_store()?;
        let (identity, vault) = (opened.store.identity(), opened.vault);
        drop(opened.store);
        let mut source = self.reader()?;
        let mut rows = source.read()?;
        let counts = rows.counts()?;
        let bar = self.progress_bar(counts.progress_steps());
        let clock = &*self.env.clock;
        let mut content = |birth: &mut dyn StoreInit| {
            require_agreement(clock, birth.clock()?)?;
            birth.import_rows(identity, &mut *rows, &mut || bar.inc(1))?;
            birth.append(&event, salt).map(|_| ())
        };
        let made = to.create(&file_policy, &vault, nonce, &mut content);
        bar.finish_and_clear();
        if made? {
            return Ok(counts);
        }
        Err(Refusal::new(ErrorCode::CannotCreate, format!("there is already a store at {to}"))
            .hint("name a location without a store; nothing was copied")
            .into())
    }

    /// A progress bar on a terminal; hidden anywhere else and with `--quiet`.
    #[must_use]
    pub fn progress_bar(&self, steps: u64) -> ProgressBar {
        let is_seen = self.env.err.terminal.is_some() && !self.options.quiet;
        let target =
            if is_seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let style = ProgressStyle::with_template("{wide_bar} {percent}%, {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        ProgressBar::with_draw_target(Some(steps), target).with_style(style)
    }
}
