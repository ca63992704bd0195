//! Taking the beginning of the log away.

use anyhow::Result;
use serde_json::json;

use super::Session;
use crate::domain::event::Ticket;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;

/// What the log says of a pruning.
pub(super) const VERB: &str = "log";
pub(super) const OUTCOME: &str = "pruned";

impl Session<'_> {
    /// How many events lie before a moment and can go: never the last one.
    ///
    /// # Errors
    /// As the store has them.
    pub fn prunable(&mut self, before: Timestamp) -> Result<u64> {
        let now = self.env.clock.now()?;
        let mut store = self.reader()?;
        let mut snapshot = store.read()?;
        let (start, end) = (snapshot.start()?.head.seq, snapshot.head()?.seq);
        let last = snapshot.last_before(before, now)?.min(end.saturating_sub(1));
        Ok(last.saturating_sub(start))
    }

    /// Proves the log, then takes the events before a moment out of it and says so in the log. Gives
    /// back how many went.
    ///
    /// # Errors
    /// `tampered` for a log that is not whole: what went could not be looked into any more.
    pub fn prune(&mut self, before: Timestamp, ticket: &Ticket) -> Result<u64> {
        let mut opened = self.opened()?;
        let proved = self.prove(&[])?;
        if let Some(damage) = proved.damage {
            let message = format!("the log is damaged: {}", damage.words);
            return Err(Refusal::new(Code::Tampered, message)
                .hint("nothing was pruned; find out who can write to the store")
                .into());
        }
        let now = self.env.clock.now()?;
        let last = self.reader()?.read()?.last_before(before, now)?;
        let lasting = self.lasting()?;
        self.unit(&mut opened, |session, mut write| {
            let up_to = write.tx.prune(last)?;
            let pruned = up_to.saturating_sub(proved.start.head.seq);
            let mut detail = json!({ "before": before, "events": pruned, "last": up_to });
            if let (Some(detail), Some(lasting)) = (detail.as_object_mut(), lasting.as_object()) {
                detail.extend(lasting.clone());
            }
            let (event, detail) = ((VERB, OUTCOME), Some(detail.to_string()));
            session.append_store_event(&mut *write.tx, write.at, event, ticket.clone(), detail)?;
            write.tx.commit()?;
            Ok(pruned)
        })
    }
}
