//! Reading the audit log: events for display, the hash chain for verification, and earlier states of
//! users.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::domain::audit::event::{EventFields, Head};
use crate::domain::audit::history::{ABSENT, Rewind};
use crate::domain::audit::proved_event::EventProof;
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::store::driver::{Driver, first};
use crate::store::integrity::{
    at, check_count, end_of_log, log_start, seq, signed_head, walk_chain,
};
use crate::store::log_ends::{LogStart, SignedHead};
use crate::store::log_query::{CoverageEvent, EventView, LogQuery, LoggedChange};
use crate::store::naming::Naming;
use crate::store::row::{self, Value};
use crate::store::sql;
use crate::store::user_query::ActivitySince;

/// Stands for a verb or an outcome that is not text.
const UNREADABLE: &str = "unreadable";

/// The log in a read transaction.
pub struct LogReader<'r> {
    pub(super) driver: &'r mut dyn Driver,
}

impl<'r> LogReader<'r> {
    pub fn of(driver: &'r mut dyn Driver) -> Self {
        Self { driver }
    }

    /// The names in it.
    pub fn naming(self) -> Naming<'r> {
        Naming { driver: self.driver }
    }

    /// Passes the events that match the query to `visit` until it returns `false`.
    pub fn events(
        &mut self,
        query: &LogQuery,
        visit: &mut dyn FnMut(EventView) -> Result<bool>,
    ) -> Result<()> {
        let mut bounds = (query.after.map_or(1, |seq| seq + 1), None);
        if query.since.is_some() || query.until.is_some() {
            let Some((low, high)) = self.seq_range(query.since, query.until)? else {
                return Ok(());
            };
            bounds = (bounds.0.max(low), Some(high));
        }
        let (text, values) = sql::events(query, bounds);
        self.driver.query(&text, &values, &mut |row| visit(row::event_view(row)?))
    }

    /// Passes every event with its hashes and MAC, in order, to `visit` until it returns `false`.
    pub fn chain(
        &mut self,
        visit: &mut dyn FnMut(&EventFields<'_>, &EventProof<'_>) -> Result<bool>,
    ) -> Result<()> {
        walk_chain(self.driver, visit)
    }

    /// The last event of the log; its MAC is not checked.
    pub fn head(&mut self) -> Result<Head> {
        end_of_log(self.driver)
    }

    /// The latest time among the newest events, so many of them.
    pub fn latest_time(&mut self, events: u32) -> Result<Option<Timestamp>> {
        let events = [Value::Int(events.into())];
        let at = first(self.driver, sql::LATEST_TIME, &events, |row| row.int(0))?.flatten();
        Ok(at.map(Timestamp::from_unix).transpose()?)
    }

    /// The hash of an event.
    pub fn event_hash(&mut self, seq: u64) -> Result<Option<Vec<u8>>> {
        let seq = Value::Int(seq.cast_signed());
        Ok(first(self.driver, sql::EVENT_HASH, &[seq], |row| row.bytes(0))?.flatten())
    }

    /// A summary of the events after `seq`, with at most `limit` user names.
    pub fn activity_since(&mut self, seq: u64, limit: u32) -> Result<ActivitySince> {
        let mut since = ActivitySince::default();
        let seq = Value::Int(seq.cast_signed());
        self.driver.query(sql::VERBS_SINCE, std::slice::from_ref(&seq), &mut |row| {
            let count = row.int(1)?.unwrap_or_default().cast_unsigned();
            since.verbs.push((row.text(0)?.unwrap_or_default(), count));
            let at = row.int(2)?.map(Timestamp::from_unix).transpose()?;
            since.from = since.from.into_iter().chain(at).min();
            Ok(true)
        })?;
        self.driver.query(sql::USERS_SINCE, &[seq, Value::Int(limit.into())], &mut |row| {
            since.users.extend(row.text(0)?);
            Ok(true)
        })?;
        Ok(since)
    }

    /// The start of the log; events before it were pruned.
    pub fn start(&mut self) -> Result<LogStart> {
        log_start(self.driver)
    }

    /// The end of the log as stored with its MAC; `None` when that row is missing.
    pub fn signed_head(&mut self) -> Result<Option<SignedHead>> {
        signed_head(self.driver)
    }

    /// The number of the last event before `moment`; the start of the log when there is none. Because
    /// clocks can be wrong for a while, an event that is dated after `now` hides no later one, and one
    /// that is dated too early drops none.
    pub fn last_seq_before(&mut self, moment: Timestamp, now: Timestamp) -> Result<u64> {
        let moment = Value::Int(moment.as_i64());
        let span = [moment.clone(), Value::Int(now.as_i64())];
        let next = first(self.driver, sql::FIRST_SEQ_OF_TIME, &span, |row| row.int(0))?.flatten();
        let bounds = [Value::Int(next.unwrap_or(i64::MAX)), moment];
        let last = first(self.driver, sql::LAST_SEQ_BEFORE, &bounds, |row| seq(row, "events"))?;
        Ok(log_start(self.driver)?.head.seq.max(last.flatten().unwrap_or_default()))
    }

    /// Checks that all events after this number are present, by counting them up to the signed head;
    /// `tampered` when one is missing. Needs no key.
    pub fn check_count_after(&mut self, after: u64) -> Result<()> {
        let signed_head = self.signed_head()?;
        check_count(self.driver, signed_head.as_ref(), after)
    }

    /// Passes the events after this number that changed a user's state to `visit`, newest first.
    pub fn logged_changes(
        &mut self,
        after: u64,
        visit: &mut dyn FnMut(LoggedChange) -> Result<()>,
    ) -> Result<()> {
        self.driver.query(&sql::CHANGES, &[Value::Int(after.cast_signed())], &mut |row| {
            visit(row::logged_change(row)?)?;
            Ok(true)
        })
    }

    /// How many users who existed before the events after this number can't be listed because their
    /// names were erased from the log, or because they were given up.
    pub fn count_lost(&mut self, after: u64) -> Result<u64> {
        let mut stood = BTreeMap::new();
        self.driver.query(sql::LOST_STATUSES, &[Value::Int(after.cast_signed())], &mut |row| {
            let was_there = row.text_ref(1)? != Some(ABSENT);
            // The first later event has the status before it.
            stood.entry(row.bytes(0)?.unwrap_or_default()).or_insert(was_there);
            Ok(true)
        })?;
        Ok(stood.into_values().filter(|was_there| *was_there).count() as u64)
    }

    /// The changes to a user by the events after this number, to be reverted.
    pub fn changes_to_revert(&mut self, user: Id, after: u64) -> Result<Rewind> {
        let values = [Value::Bytes(user.bytes().to_vec()), Value::Int(after.cast_signed())];
        let mut undoing = Rewind::default();
        self.driver.query(sql::CHANGES_OF, &values, &mut |row| {
            undoing.rewind(row.text_ref(0)?.unwrap_or_default())?;
            Ok(true)
        })?;
        Ok(undoing)
    }

    /// Every change of anybody's MFA status, devices or groups, from the newest to the oldest.
    pub fn coverage_events(
        &mut self,
        visit: &mut dyn FnMut(CoverageEvent) -> Result<()>,
    ) -> Result<()> {
        self.driver.query(sql::COVERAGE_EVENTS, &[], &mut |row| {
            let status = row.text(4)?.unwrap_or_default();
            visit(CoverageEvent {
                seq: seq(row, "events")?.unwrap_or_default(),
                at: at(row, 1, "events")?.unwrap_or(Timestamp::from_unix(0)?),
                user: row.bytes_ref(5)?.and_then(|id| id.try_into().ok()).map(Id::new),
                is_removal: row.text_ref(2)? == Some("remove-user"),
                was_status: row.text(3)?.unwrap_or_else(|| status.clone()),
                status,
                was: row.text(6)?,
            })?;
            Ok(true)
        })
    }

    /// How often each verb had each outcome. What was done to a user's token counts once, though the log has an event for
    /// the user and one for the token.
    pub fn outcome_counts(&mut self) -> Result<Vec<(String, String, u64)>> {
        let mut outcome_counts: BTreeMap<(String, String), u64> = BTreeMap::new();
        let queries = [(sql::OUTCOME_COUNTS, true), (sql::SECOND_OUTCOME_COUNTS.as_str(), false)];
        for (query, adds) in queries {
            self.driver.query(query, &[], &mut |row| {
                // Metrics must still be written for a damaged log, so that they can report the damage.
                let text = |column| match row.text(column) {
                    Ok(text) => text.unwrap_or_default(),
                    Err(_) => UNREADABLE.to_owned(),
                };
                let number = row.int(2)?.unwrap_or_default().cast_unsigned();
                let count = outcome_counts.entry((text(0), text(1))).or_default();
                *count = if adds { *count + number } else { count.saturating_sub(number) };
                Ok(true)
            })?;
        }
        Ok(outcome_counts
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|((verb, outcome), count)| (verb, outcome, count))
            .collect())
    }

    /// The lowest and the highest number of the events in a time span. The clock may have gone back, so
    /// there can be events outside the span between them.
    fn seq_range(
        &mut self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Option<(u64, u64)>> {
        let since = since.map_or(0, Timestamp::as_i64);
        let until = until.map_or(i64::MAX, Timestamp::as_i64);
        let range =
            first(self.driver, sql::SEQ_RANGE, &[Value::Int(since), Value::Int(until)], |row| {
                Ok(row.int(0)?.zip(row.int(1)?))
            })?;
        Ok(range.flatten().map(|(low, high)| (low.cast_unsigned(), high.cast_unsigned())))
    }
}
