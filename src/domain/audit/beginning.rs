//! How a log that was never pruned begins.

use crate::domain::audit::event::EventFields;

/// Whether the times fit the log that a store names for its creation, and for the beginning of its records of what
/// changed. No MAC covers them.
///
/// A store is created in its first event. Only a migration from a schema before 3 writes such a time, without the key: that of the newest event. No event
/// before it records an earlier status, and the first one about a user who was made since then does.
#[derive(Debug, Default)]
pub struct Beginning {
    /// The time of the first event.
    first: Option<u64>,
    created_at: u64,
    /// The newest time so far, until the first event that records an earlier status.
    newest: u64,
    is_recording: bool,
    /// Whether `claimed` was the newest time after some event.
    claimed: Option<u64>,
    is_possible: bool,
    /// Whether somebody was made before the records began.
    has_older_user: bool,
}

impl Beginning {
    /// The times in seconds that the store names. `records_since` is `None` where it names none.
    #[must_use]
    pub fn claimed(created_at: u64, records_since: Option<u64>) -> Self {
        Self { created_at, claimed: records_since, ..Self::default() }
    }

    /// Takes in the next event. `is_first`: the log has no earlier one about its user.
    pub fn add(&mut self, entry: &EventFields<'_>, is_first: bool) {
        self.first.get_or_insert(entry.at);
        self.is_recording |= entry.was_status.is_some();
        if !self.is_recording {
            self.newest = self.newest.max(entry.at);
            self.is_possible |= self.claimed == Some(self.newest);
            self.has_older_user |= is_first;
        }
    }

    /// Whether what the store claims fits its events.
    #[must_use]
    pub const fn is_true(&self) -> bool {
        let is_first = match self.first {
            Some(first) => first == self.created_at,
            None => true,
        };
        let has_records = match self.claimed {
            Some(_) => self.is_possible,
            None => !self.has_older_user,
        };
        is_first && has_records
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::event::Personal;
    use crate::domain::secret::KeyGeneration;

    #[test]
    fn records_begin_where_a_migration_can_have_been() {
        let event = |at, was_status| EventFields {
            at,
            verb: "x",
            outcome: "done",
            operator_uid: 0,
            operator_claim: None,
            ticket: None,
            proof: None,
            user_id: None,
            token_id: None,
            status: None,
            rev: None,
            factor: None,
            was_status,
            was_rev: None,
            was_stamp: None,
            generation: KeyGeneration::FIRST,
            personal: Personal::default(),
        };
        let is_true = |claimed, log: &[(u64, Option<&'static str>, bool)]| {
            let mut beginning = Beginning::claimed(10, claimed);
            for (at, was_status, is_first) in log {
                beginning.add(&event(*at, *was_status), *is_first);
            }
            beginning.is_true()
        };
        let new = [(10, None, false), (20, Some("absent"), true), (30, None, false)];
        let migrated =
            [(10, None, false), (20, None, true), (15, None, false), (30, Some("absent"), true)];
        assert!(is_true(None, &new) && is_true(None, &[]));
        assert!(!is_true(None, &migrated));
        assert!(!is_true(None, &new[1..]), "another time than that of the creation");
        for (claimed, in_new, in_migrated) in [
            (5, false, false),
            (10, true, true),
            (15, false, false),
            (20, false, true),
            (30, false, false),
        ] {
            assert_eq!(is_true(Some(claimed), &new), in_new, "{claimed}");
            assert_eq!(is_true(Some(claimed), &migrated), in_migrated, "{claimed}");
        }
    }
}
