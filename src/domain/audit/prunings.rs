//! The prunings that a log records: where it may begin.

use serde_json::Value;

use crate::domain::audit::event::EventFields;

/// How the log records a pruning.
pub const PRUNE_VERB: &str = "log";
pub const PRUNE_OUTCOME: &str = "pruned";
/// In the details of that event: the number of the last event that was removed; 0 if there was none.
pub const LAST_PRUNED: &str = "last";

/// The prunings of a log, collected event by event. The newest is always among its events, because a pruning is logged
/// after the events that it leaves.
#[derive(Debug, Default)]
pub struct Prunings {
    /// The number of the event of the newest pruning that removed something.
    newest: Option<u64>,
    last_pruned: u64,
    /// Whether one of them does not say what it removed.
    is_vague: bool,
}

impl Prunings {
    /// Takes in the event with this number.
    pub fn add(&mut self, seq: u64, entry: &EventFields<'_>) {
        if (entry.verb, entry.outcome) != (PRUNE_VERB, PRUNE_OUTCOME) {
            return;
        }
        let detail = entry.personal.detail.and_then(|detail| serde_json::from_str(detail).ok());
        match detail.and_then(|detail: Value| detail[LAST_PRUNED].as_u64()) {
            // Prunings go forward, but one that finds nothing to remove names none.
            Some(last) if last > self.last_pruned => {
                (self.last_pruned, self.newest) = (last, Some(seq));
            }
            Some(_) => {}
            None => self.is_vague = true,
        }
    }

    /// What is wrong with a log that begins after event `start`; `None` if the newest pruning left it so.
    #[must_use]
    pub fn mismatch(&self, start: u64) -> Option<String> {
        if self.last_pruned == start || self.is_vague {
            return None;
        }
        let begins = match start {
            0 => "the log begins with event 1".to_owned(),
            _ => format!("the log begins after event {start}"),
        };
        Some(match self.newest {
            None => format!("{begins}, but no pruning is recorded"),
            Some(event) => format!(
                "{begins}, but event {event} records that the events up to {} were pruned",
                self.last_pruned
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::event::Personal;
    use crate::domain::secret::KeyGeneration;

    fn event<'e>(outcome: &'e str, detail: Option<&'e str>) -> EventFields<'e> {
        EventFields {
            at: 1000,
            verb: PRUNE_VERB,
            outcome,
            operator_uid: 7,
            operator_claim: None,
            ticket: None,
            proof: None,
            user_id: None,
            token_id: None,
            status: None,
            rev: None,
            factor: None,
            was_status: None,
            was_rev: None,
            was_stamp: None,
            generation: KeyGeneration::FIRST,
            personal: Personal { detail, ..Personal::default() },
        }
    }

    #[test]
    fn a_log_begins_where_its_newest_pruning_left_it() {
        let log = |events: &[(u64, &str, Option<&str>)]| {
            let mut prunings = Prunings::default();
            for (seq, outcome, detail) in events {
                prunings.add(*seq, &event(outcome, *detail));
            }
            prunings
        };
        let (six, none) = (Some(r#"{"last":6}"#), Some(r#"{"last":0}"#));
        for (events, start) in [
            (&[][..], 0),
            (&[(3, "kept", six)], 0),
            (&[(9, PRUNE_OUTCOME, six)], 6),
            (&[(9, PRUNE_OUTCOME, six), (12, PRUNE_OUTCOME, Some(r#"{"last":8}"#))], 8),
            (&[(9, PRUNE_OUTCOME, six), (12, PRUNE_OUTCOME, none)], 6),
        ] {
            assert_eq!(log(events).mismatch(start), None, "{events:?}");
            for other in (0..20).filter(|other| *other != start) {
                assert!(log(events).mismatch(other).is_some(), "{events:?}, {other}");
            }
        }
        assert_eq!(
            log(&[(9, PRUNE_OUTCOME, six)]).mismatch(0).unwrap(),
            "the log begins with event 1, but event 9 records that the events up to 6 were pruned"
        );
        assert_eq!(
            log(&[]).mismatch(6).unwrap(),
            "the log begins after event 6, but no pruning is recorded"
        );
        assert_eq!(log(&[(9, PRUNE_OUTCOME, Some("{}"))]).mismatch(6), None);
    }
}
