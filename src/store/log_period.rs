//! What the log has of a period, summed up by the database.

use anyhow::Result;

use crate::store::driver::first;
use crate::store::log::LogReader;
use crate::store::log_query::{EventCount, EventRange, EventView};
use crate::store::row;
use crate::store::row::Value;
use crate::store::sql;

impl EventRange {
    const fn values(self) -> [Value; 2] {
        [Value::Int(self.after.cast_signed()), Value::Int(self.last.cast_signed())]
    }
}

impl LogReader<'_> {
    /// Passes the number of events of each verb, outcome and operator to `visit`. What was done to a user's token counts
    /// once, with its user.
    pub fn period_counts(
        &mut self,
        range: EventRange,
        visit: &mut dyn FnMut(EventCount) -> Result<()>,
    ) -> Result<()> {
        self.driver.query(&sql::PERIOD_COUNTS, &range.values(), &mut |row| {
            let text = |column| Ok::<_, anyhow::Error>(row.text(column)?.unwrap_or_default());
            let number = |column| {
                let number = row.int(column)?.unwrap_or_default();
                Ok::<_, anyhow::Error>(number.cast_unsigned())
            };
            let uid = u32::try_from(number(2)?);
            visit(EventCount {
                verb: text(0)?,
                outcome: text(1)?,
                operator_uid: uid.map_err(|_| row::damaged_column("events", "operator_uid"))?,
                operator_claim: row.text(3)?,
                events: number(4)?,
                with_ticket: number(5)?,
            })?;
            Ok(true)
        })
    }

    /// Passes verb, outcome and details of each event that stands for several attempts to `visit`.
    pub fn period_attempts(
        &mut self,
        range: EventRange,
        visit: &mut dyn FnMut(&str, &str, &str) -> Result<()>,
    ) -> Result<()> {
        self.driver.query(sql::PERIOD_ATTEMPTS, &range.values(), &mut |row| {
            let text = |column| Ok::<_, anyhow::Error>(row.text(column)?.unwrap_or_default());
            visit(&text(0)?, &text(1)?, &text(2)?)?;
            Ok(true)
        })
    }

    /// How many locks began.
    pub fn period_locks(&mut self, range: EventRange) -> Result<u64> {
        let count = first(self.driver, sql::PERIOD_LOCKS, &range.values(), |row| row.int(0))?;
        Ok(count.flatten().unwrap_or_default().cast_unsigned())
    }

    /// Passes every event that is no attempt to sign in and no notice to `visit`, oldest first; of the two events about
    /// a user's token, the user's.
    pub fn period_events(
        &mut self,
        range: EventRange,
        visit: &mut dyn FnMut(EventView) -> Result<()>,
    ) -> Result<()> {
        self.driver.query(&sql::PERIOD_EVENTS, &range.values(), &mut |row| {
            visit(row::event_view(row)?)?;
            Ok(true)
        })
    }
}
