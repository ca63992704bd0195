//! What the log says about each user: the newest revision, whether they were removed, and what was erased.

use std::collections::{BTreeMap, HashMap};

use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::EventFields;
use crate::domain::audit::proved_event::ProvedEvent;
use crate::domain::secret::{Id, Stamp};

/// The verb and the outcomes of the event that removes a user.
pub const REMOVAL: &str = "remove-user";
pub const ERASED: &str = "erased";

/// The users of a log, collected event by event.
///
/// A change begins at the newest revision and ends at the next one. An event that continues an
/// earlier revision was written when the user's rows had been put back from an older copy.
#[derive(Debug, Default)]
pub struct LoggedUsers {
    users: HashMap<Id, LoggedUser>,
    /// Events without their personal fields, by user.
    blank: BTreeMap<Id, BlankEvents>,
}

#[derive(Debug)]
struct LoggedUser {
    rev: u64,
    stamp: Option<Stamp>,
    /// The number of the newest event.
    last: u64,
    events: u32,
    fate: Fate,
    /// Whether the newest event is one after which the revision grows with the next event only.
    counts_revisions: bool,
    has_rows: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Stayed,
    Removed,
    Erased,
}

#[derive(Debug)]
struct BlankEvents {
    first: u64,
    events: u32,
}

/// What is wrong with the rows of a user, compared with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserMismatch {
    /// The log has no event about the user.
    Unlogged,
    /// This event removed the user.
    Removed { event: u64 },
    /// The log has a newer revision, in this event.
    Older { event: u64 },
    /// The log has no revision as new as that of the rows; this is its newest event about the user.
    Newer { event: u64 },
    /// This event left the user with other rows of the same revision.
    OfAnotherHistory { event: u64 },
}

impl UserMismatch {
    #[must_use]
    pub fn words(self, name: &str) -> String {
        match self {
            Self::Unlogged => format!("the log has no event about {name}"),
            Self::Removed { event } => {
                format!("{name} is in the store again, although event {event} removed them")
            }
            Self::Newer { event } => {
                format!(
                    "the record of {name} is none that any event made: the newest is event {event}"
                )
            }
            Self::OfAnotherHistory { event } => {
                format!(
                    "the record of {name} is not the one that event {event} left: it was put there from another \
                     copy of the store"
                )
            }
            Self::Older { event } => {
                format!(
                    "the record of {name} is older than event {event}: it was put back from a copy"
                )
            }
        }
    }
}

impl LoggedUsers {
    /// Adds the next event, and says whether it is the first one about its user. `is_blank`: its personal fields are
    /// gone.
    pub fn add(
        &mut self,
        proved: &ProvedEvent,
        entry: &EventFields<'_>,
        is_blank: bool,
    ) -> Result<bool, ChainError> {
        let ProvedEvent { head, counts_revisions } = *proved;
        let seq = head.seq;
        let Some(user) = entry.user_id else {
            // Only a removed user is erased.
            return if is_blank { Err(ChainError::Blank) } else { Ok(false) };
        };
        let user = Id::new(user.try_into().map_err(|_| ChainError::Revision)?);
        let rev = entry.rev.ok_or(ChainError::Revision)?;
        if entry.was_rev.is_some_and(|was_rev| was_rev.checked_add(1) != Some(rev)) {
            return Err(ChainError::Revision);
        }
        let stamp = entry.stamp_after(&head.hash);
        let fate = match (entry.verb, entry.outcome) {
            (REMOVAL, ERASED) => Fate::Erased,
            (REMOVAL, _) => Fate::Removed,
            _ => Fate::Stayed,
        };
        if is_blank {
            self.blank.entry(user).or_insert(BlankEvents { first: seq, events: 0 }).events += 1;
        }
        let Some(known) = self.users.get_mut(&user) else {
            let new = LoggedUser {
                rev,
                stamp,
                last: seq,
                events: 1,
                fate,
                counts_revisions,
                has_rows: false,
            };
            self.users.insert(user, new);
            return Ok(true);
        };
        let before = entry.was_rev.unwrap_or(rev);
        let continues =
            if known.counts_revisions { before == known.rev } else { before >= known.rev };
        let continues_stamp = match known.stamp {
            Some(stamp) => entry.was_stamp == Some(&stamp.bytes()[..]),
            None => entry.was_stamp.is_none_or(|stamp| stamp == Stamp::NONE.bytes()),
        };
        if known.fate != Fate::Stayed || !continues || !continues_stamp {
            return Err(ChainError::Revision);
        }
        (known.rev, known.stamp, known.last, known.fate) = (rev, stamp, seq, fate);
        known.counts_revisions |= counts_revisions;
        known.events += 1;
        Ok(false)
    }

    /// Whether the personal fields of all events of erased users are gone, and of nobody else's; otherwise the
    /// number of an event for which that is wrong.
    ///
    /// To be asked once the whole log was added, because the erasure comes last.
    pub fn check_erasures(&self) -> Result<(), (u64, ChainError)> {
        let fate = |user: &Id| self.users.get(user).map(|user| user.fate);
        let wrong = self.blank.iter().filter(|(user, _)| fate(user) != Some(Fate::Erased));
        if let Some(first) = wrong.map(|(_, blank)| blank.first).min() {
            return Err((first, ChainError::Blank));
        }
        let blank = |user| self.blank.get(user).map_or(0, |blank| blank.events);
        let erased = self.users.iter().filter(|(_, user)| user.fate == Fate::Erased);
        let kept = erased.filter(|(id, user)| blank(id) != user.events);
        match kept.map(|(_, user)| user.last).min() {
            Some(removal) => Err((removal, ChainError::NotErased)),
            None => Ok(()),
        }
    }

    /// The number of events whose personal fields are gone.
    #[must_use]
    pub fn blank_events(&self) -> u64 {
        self.blank.values().map(|blank| u64::from(blank.events)).sum()
    }

    /// The number of users whom no event removed.
    #[must_use]
    pub fn present(&self) -> u64 {
        self.users.values().filter(|user| user.fate == Fate::Stayed).count() as u64
    }

    /// Compares the rows of a user with the log, and marks that user as present.
    pub fn compare(
        &mut self,
        user: Id,
        rev: u64,
        stamp: Option<Stamp>,
    ) -> Result<(), UserMismatch> {
        let Some(known) = self.users.get_mut(&user) else { return Err(UserMismatch::Unlogged) };
        known.has_rows = true;
        if known.fate != Fate::Stayed {
            return Err(UserMismatch::Removed { event: known.last });
        }
        if rev < known.rev {
            return Err(UserMismatch::Older { event: known.last });
        }
        if rev > known.rev && known.counts_revisions {
            return Err(UserMismatch::Newer { event: known.last });
        }
        if stamp != known.stamp {
            return Err(UserMismatch::OfAnotherHistory { event: known.last });
        }
        Ok(())
    }

    /// The newest event of a user who was compared by nobody and removed by no event: their rows are gone.
    #[must_use]
    pub fn missing(&self) -> Option<u64> {
        let is_missing = |user: &&LoggedUser| user.fate == Fate::Stayed && !user.has_rows;
        self.users.values().filter(is_missing).map(|user| user.last).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::event::{Head, Personal};
    use crate::domain::secret::KeyGeneration;

    const ALICE: [u8; 16] = [1; 16];
    const BOB: [u8; 16] = [2; 16];

    fn event(
        user: &'static [u8],
        verb: &'static str,
        was_rev: Option<u64>,
        rev: u64,
    ) -> EventFields<'static> {
        EventFields {
            at: 1000,
            verb,
            outcome: "done",
            operator_uid: 7,
            operator_claim: None,
            ticket: None,
            proof: None,
            user_id: Some(user),
            token_id: None,
            status: None,
            rev: Some(rev),
            factor: None,
            was_status: None,
            was_rev,
            was_stamp: None,
            generation: KeyGeneration::FIRST,
            personal: Personal::default(),
        }
    }

    /// The hash of an event, and its proof.
    fn proved(seq: u64, counts_revisions: bool) -> ProvedEvent {
        let mut hash = [7; 32];
        hash[..8].copy_from_slice(&seq.to_be_bytes());
        ProvedEvent { head: Head { seq, hash }, counts_revisions }
    }

    fn add(users: &mut LoggedUsers, seq: u64, entry: &EventFields<'_>) -> Result<bool, ChainError> {
        users.add(&proved(seq, true), entry, false)
    }

    /// Adds events about alice, each as earlier revision and revision.
    fn alice(events: &[(Option<u64>, u64)]) -> Result<LoggedUsers, ChainError> {
        let mut users = LoggedUsers::default();
        for (seq, (was_rev, rev)) in (1..).zip(events) {
            let entry = event(&ALICE, "verify", *was_rev, *rev);
            users.add(&proved(seq, was_rev.is_some()), &entry, false)?;
        }
        Ok(users)
    }

    #[test]
    fn s1_a_change_begins_at_the_newest_revision() {
        for good in [
            &[(None, 0), (Some(0), 1), (Some(1), 2)][..],
            // A notice.
            &[(None, 0), (Some(0), 1), (None, 1), (Some(1), 2), (None, 2)],
            // A program before schema 5, which did not log every change.
            &[(None, 0), (None, 1), (None, 1), (None, 4), (Some(6), 7), (Some(7), 8)],
            // After a pruning.
            &[(Some(7), 8), (Some(8), 9)],
        ] {
            assert!(alice(good).is_ok(), "{good:?}");
        }
        for bad in [
            // Rows that are one change older, and several.
            &[(None, 0), (Some(0), 1), (Some(0), 1)][..],
            &[(None, 0), (Some(0), 1), (Some(1), 2), (Some(0), 1)],
            &[(None, 3), (None, 2)],
            // Rows that no event made.
            &[(None, 0), (Some(0), 1), (Some(4), 5)],
            &[(None, 0), (Some(0), 1), (None, 2)],
            &[(None, 3), (Some(3), 3)],
            &[(None, 3), (Some(3), 5)],
            &[(None, 3), (Some(u64::MAX), 0)],
        ] {
            assert_eq!(alice(bad).err(), Some(ChainError::Revision), "{bad:?}");
        }
        let unknown = EventFields { rev: None, ..event(&ALICE, "verify", None, 0) };
        let mut users = LoggedUsers::default();
        assert_eq!(add(&mut users, 1, &unknown), Err(ChainError::Revision));
    }

    /// Each event as earlier revision, revision and earlier stamp.
    type Events<'e> = &'e [(Option<u64>, u64, Option<Stamp>)];

    #[test]
    fn s1_each_event_begins_with_the_rows_that_the_one_before_left() {
        let of = |seq| Stamp::of(&proved(seq, true).head.hash);
        let none = Some(Stamp::NONE);
        let log = |events: Events<'_>| {
            let mut users = LoggedUsers::default();
            for (seq, (was_rev, rev, was_stamp)) in (1..).zip(events) {
                let was_stamp = was_stamp.as_ref().map(|stamp| &stamp.bytes()[..]);
                let entry = EventFields { was_stamp, ..event(&ALICE, "verify", *was_rev, *rev) };
                add(&mut users, seq, &entry)?;
            }
            Ok(users)
        };
        let added = (None, 0, none);
        let goods: [(Events<'_>, Option<Stamp>); 6] = [
            (&[added], Some(of(1))),
            (&[added, (Some(0), 1, Some(of(1))), (Some(1), 2, Some(of(2)))], Some(of(3))),
            // A notice.
            (&[added, (None, 0, Some(of(1))), (Some(0), 1, Some(of(1)))], Some(of(3))),
            // After a pruning.
            (&[(None, 7, Some(of(90))), (Some(7), 8, Some(of(90)))], Some(of(2))),
            // The first change and the first notice since a program before schema 6.
            (&[(None, 0, None), (None, 0, None), (Some(0), 1, none)], Some(of(3))),
            (&[(Some(4), 5, None), (None, 5, None)], None),
        ];
        for (good, stamp) in goods {
            let mut users = log(good).unwrap();
            let rev = good[good.len() - 1].1;
            assert_eq!(users.compare(Id::new(ALICE), rev, stamp), Ok(()), "{good:?}");
            let other = Err(UserMismatch::OfAnotherHistory { event: good.len() as u64 });
            for another in [Some(of(70)), stamp.xor(Some(of(3)))] {
                assert_eq!(users.compare(Id::new(ALICE), rev, another), other, "{good:?}");
            }
        }
        let bads: [Events<'_>; 6] = [
            &[added, (Some(0), 1, Some(of(70)))],
            &[added, (Some(0), 1, none)],
            &[added, (Some(0), 1, None)],
            &[added, (None, 0, None)],
            &[added, (Some(0), 1, Some(of(1))), (Some(1), 2, Some(of(1)))],
            // The first stamp of an unstamped user is of no event.
            &[(None, 0, None), (Some(0), 1, Some(of(70)))],
        ];
        for bad in bads {
            assert_eq!(log(bad).err(), Some(ChainError::Revision), "{bad:?}");
        }
    }

    #[test]
    fn s2_only_the_events_of_erased_users_are_blank_and_all_of_them() {
        let erasure = EventFields { outcome: ERASED, ..event(&ALICE, REMOVAL, Some(0), 1) };
        let log = |blank: [bool; 4], removal: &EventFields<'_>| {
            let mut users = LoggedUsers::default();
            let events = [
                event(&ALICE, "enrol", None, 0),
                event(&BOB, "enrol", None, 0),
                *removal,
                EventFields { user_id: None, ..event(&BOB, "backup", None, 0) },
            ];
            for (seq, (entry, is_blank)) in (1..).zip(events.iter().zip(blank)) {
                users.add(&proved(seq, true), entry, is_blank).map_err(|error| (seq, error))?;
            }
            users.check_erasures().map(|()| users.blank_events())
        };
        assert_eq!(log([true, false, true, false], &erasure), Ok(2));
        let removal = event(&ALICE, REMOVAL, Some(0), 1);
        assert_eq!(log([false; 4], &removal), Ok(0));
        for (blank, removal, wrong) in [
            ([true, false, true, false], &removal, (1, ChainError::Blank)),
            ([true, true, true, false], &erasure, (2, ChainError::Blank)),
            ([true, false, true, true], &erasure, (4, ChainError::Blank)),
            ([false, false, true, false], &erasure, (3, ChainError::NotErased)),
            ([false; 4], &erasure, (3, ChainError::NotErased)),
        ] {
            assert_eq!(log(blank, removal), Err(wrong), "{blank:?}");
        }
    }

    #[test]
    fn s3_users_and_log_agree_on_who_is_there() {
        let log = || {
            let mut users = alice(&[(None, 0), (Some(0), 1)]).unwrap();
            add(&mut users, 3, &event(&BOB, "enrol", None, 0)).unwrap();
            add(&mut users, 4, &event(&BOB, REMOVAL, Some(0), 1)).unwrap();
            users
        };
        let (alice, bob) = (Id::new(ALICE), Id::new(BOB));
        let mut users = log();
        assert_eq!(users.missing(), Some(2));
        assert_eq!(users.compare(alice, 0, None), Err(UserMismatch::Older { event: 2 }));
        assert_eq!(users.compare(alice, 1, None), Ok(()));
        assert_eq!(users.compare(alice, 2, None), Err(UserMismatch::Newer { event: 2 }));
        assert_eq!(users.missing(), None);
        assert_eq!(users.compare(bob, 9, None), Err(UserMismatch::Removed { event: 4 }));
        assert_eq!(users.compare(Id::new([3; 16]), 0, None), Err(UserMismatch::Unlogged));
        assert_eq!(
            add(&mut log(), 5, &event(&BOB, "enrol", Some(1), 2)),
            Err(ChainError::Revision),
            "nothing happens to a user who was removed"
        );
    }
}
