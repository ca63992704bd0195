//! The period of a report, as times and as numbers of events.

use anyhow::Result;

use crate::audit;
use crate::domain::refusal::Refusal;
use crate::domain::time::{Span, Timestamp};
use crate::store::{EventRange, ReadTx, RowSource as _};

/// The period, as far as the store reaches.
#[derive(Clone, Copy)]
pub struct Period {
    /// As given, else the beginning of the store or of its log.
    pub since: Timestamp,
    /// Not later than now.
    pub until: Timestamp,
    pub is_over: bool,
    pub store_created_at: Timestamp,
    /// The log was pruned, or an earlier version did not record what changed, and it begins here.
    pub log_begins_at: Option<Timestamp>,
    is_pruned: bool,
    /// Because clocks jump, the times are mapped to numbers of events, as `list-status --at` does.
    pub events: EventRange,
}

impl Period {
    pub fn locate(
        snapshot: &mut ReadTx<'_>,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Self> {
        let store_created_at = snapshot.created_at()?;
        let start = snapshot.log().start()?;
        snapshot.log().check_count_after(start.head.seq)?;
        let earlier_end = until.filter(|until| *until <= now);
        let last = match earlier_end {
            Some(until) => {
                let last = snapshot.log().last_seq_before(until, now)?;
                if until <= store_created_at {
                    let problem = format!("the store begins at {store_created_at}");
                    return Err(Refusal::bad_input("--until", problem)
                        .hint("give a later time")
                        .into());
                }
                audit::check_log_covers(snapshot, "--until", last, until)?;
                last
            }
            None => snapshot.log().head()?.seq,
        };
        let after = match since {
            Some(since) => snapshot.log().last_seq_before(since, now)?.min(last),
            None => start.head.seq,
        };
        // A store that was created while the clock was ahead is as old as now.
        let from = since.or(start.at).unwrap_or(store_created_at);
        let until = earlier_end.unwrap_or(now);
        Ok(Self {
            since: from.min(until),
            until,
            is_over: earlier_end.is_some(),
            store_created_at,
            log_begins_at: start.at,
            is_pruned: start.head.seq > 0,
            events: EventRange { after, last },
        })
    }

    /// The last second of the period.
    pub fn last_second(&self) -> Timestamp {
        if self.is_over { self.until.minus(Span::seconds(1)) } else { self.until }
    }

    /// Whether the log reaches back to the beginning. Before the store was created there was nobody.
    pub fn is_start_known(&self) -> bool {
        self.log_begins_at.is_none_or(|begin| self.since >= begin)
    }

    /// The part of the period that the log does not have, in words.
    pub fn gap(&self) -> Option<String> {
        let Self { since, store_created_at, .. } = self;
        if let Some(begin) = self.log_begins_at.filter(|begin| since < begin) {
            let from = since.max(store_created_at);
            let why =
                if self.is_pruned { "the log was pruned and" } else { "the log with what changed" };
            return Some(format!(
                "{why} begins at {begin}: this report has nothing of what happened from {from} to then"
            ));
        }
        (since < store_created_at).then(|| {
            format!("the store was created at {store_created_at}: there is nothing before it")
        })
    }
}
