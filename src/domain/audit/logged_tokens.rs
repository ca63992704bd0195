//! What the log says about each token of the inventory: the newest revision.
//!
//! Tokens that were added from a file have no event of their own until they are assigned: their rows bear the stamp of
//! the event that added the file.

use std::collections::HashMap;

use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::{EventFields, Head};
use crate::domain::secret::{Id, Stamp};
use crate::domain::token::Token;

/// The verb of the event that adds the tokens of a file.
pub const ADDITION: &str = "add-tokens";

/// The tokens of a log, collected event by event.
#[derive(Debug, Default)]
pub struct LoggedTokens {
    tokens: HashMap<Id, LoggedToken>,
    /// The stamps that additions gave, by the numbers of their events.
    additions: HashMap<u64, Stamp>,
}

#[derive(Debug)]
struct LoggedToken {
    rev: u64,
    stamp: Option<Stamp>,
    /// The number of the newest event.
    last: u64,
    has_row: bool,
}

/// What is wrong with the row of a token, compared with the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenMismatch {
    /// No event added it.
    Unlogged,
    /// This event left the token with another row.
    Other { event: u64 },
}

impl TokenMismatch {
    #[must_use]
    pub fn words(self, serial: &str) -> String {
        match self {
            Self::Unlogged => format!("no event of the log added the token {serial}"),
            Self::Other { event } => format!(
                "the record of the token {serial} is not the one that event {event} left: it was put there from \
                 another copy of the store"
            ),
        }
    }
}

impl LoggedTokens {
    /// Adds the next event.
    pub fn add(&mut self, head: &Head, entry: &EventFields<'_>) -> Result<(), ChainError> {
        let Some(token) = entry.token_id else {
            if entry.verb == ADDITION {
                self.additions.insert(head.seq, Stamp::of(&head.hash));
            }
            return Ok(());
        };
        let token = Id::new(token.try_into().map_err(|_| ChainError::Revision)?);
        let rev = entry.rev.ok_or(ChainError::Revision)?;
        if entry.was_rev.is_some_and(|was_rev| was_rev.checked_add(1) != Some(rev)) {
            return Err(ChainError::Revision);
        }
        let stamp = entry.stamp_after(&head.hash);
        if let Some(known) = self.tokens.get(&token) {
            let continues = entry.was_rev.unwrap_or(rev) == known.rev
                && entry.was_stamp == known.stamp.as_ref().map(|stamp| &stamp.bytes()[..]);
            if !continues {
                return Err(ChainError::Revision);
            }
        }
        let logged = LoggedToken { rev, stamp, last: head.seq, has_row: false };
        self.tokens.insert(token, logged);
        Ok(())
    }

    /// Compares the row of a token with the log, and marks the token as present.
    pub fn compare(&mut self, token: &Token) -> Result<(), TokenMismatch> {
        let Some(known) = self.tokens.get_mut(&token.id) else {
            let added = token.added_by.and_then(|event| self.additions.get(&event));
            let is_new = token.rev == 0 && added == Some(&token.stamp);
            return if is_new { Ok(()) } else { Err(TokenMismatch::Unlogged) };
        };
        known.has_row = true;
        if token.rev != known.rev || Some(token.stamp) != known.stamp {
            return Err(TokenMismatch::Other { event: known.last });
        }
        Ok(())
    }

    /// The newest event of a token that was compared by nobody: its row is gone. That of a removed token stays.
    #[must_use]
    pub fn missing(&self) -> Option<u64> {
        let is_missing = |token: &&LoggedToken| !token.has_row;
        self.tokens.values().filter(is_missing).map(|token| token.last).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::audit::event::Personal;
    use crate::domain::factor::Factor;
    use crate::domain::secret::{KeyGeneration, Sealed};
    use crate::domain::serial::Serial;
    use crate::domain::time::Timestamp;
    use crate::domain::token::{Fingerprint, TokenState};

    const TOKEN: [u8; 16] = [1; 16];

    fn head(seq: u64) -> Head {
        let mut hash = [7; 32];
        hash[..8].copy_from_slice(&seq.to_be_bytes());
        Head { seq, hash }
    }

    fn stamp(seq: u64) -> Stamp {
        Stamp::of(&head(seq).hash)
    }

    fn event<'e>(
        verb: &'e str,
        token: Option<&'e [u8]>,
        was_rev: Option<u64>,
        rev: u64,
        was_stamp: Option<&'e Stamp>,
    ) -> EventFields<'e> {
        EventFields {
            at: 1000,
            verb,
            outcome: "done",
            operator_uid: 7,
            operator_claim: None,
            ticket: None,
            proof: None,
            user_id: None,
            token_id: token,
            status: None,
            rev: token.map(|_| rev),
            factor: None,
            was_status: None,
            was_rev,
            was_stamp: was_stamp.map(|stamp| &stamp.bytes()[..]),
            generation: KeyGeneration::FIRST,
            personal: Personal::default(),
        }
    }

    fn token(rev: u64, stamp: Stamp, added_by: Option<u64>) -> Token {
        Token {
            id: Id::new(TOKEN),
            serial: Serial::parse("A1").unwrap(),
            fingerprint: Fingerprint::new([1; 16]),
            factor: Factor::Yubikey,
            state: TokenState::Free(Sealed(Vec::new())),
            position: None,
            model: None,
            added_at: Timestamp::from_unix(1).unwrap(),
            rev,
            stamp,
            added_by,
        }
    }

    /// Added by event 1, assigned by event 2, and returned by event 3.
    fn log() -> LoggedTokens {
        let mut tokens = LoggedTokens::default();
        tokens.add(&head(1), &event(ADDITION, None, None, 0, None)).unwrap();
        let (first, second) = (stamp(1), stamp(2));
        tokens.add(&head(2), &event("assign", Some(&TOKEN), Some(0), 1, Some(&first))).unwrap();
        tokens.add(&head(3), &event("unassign", Some(&TOKEN), Some(1), 2, Some(&second))).unwrap();
        tokens
    }

    #[test]
    fn a_token_is_as_its_newest_event_left_it() {
        assert_eq!(log().missing(), Some(3));
        let mut tokens = log();
        assert_eq!(tokens.compare(&token(2, stamp(3), Some(1))), Ok(()));
        assert_eq!(tokens.missing(), None);
        let other = Err(TokenMismatch::Other { event: 3 });
        for wrong in
            [token(0, stamp(1), Some(1)), token(1, stamp(2), Some(1)), token(2, stamp(2), None)]
        {
            assert_eq!(log().compare(&wrong), other);
        }
    }

    #[test]
    fn a_token_without_an_event_bears_the_stamp_of_its_addition() {
        let mut tokens = LoggedTokens::default();
        tokens.add(&head(1), &event(ADDITION, None, None, 0, None)).unwrap();
        tokens.add(&head(2), &event("backup", None, None, 0, None)).unwrap();
        assert_eq!(tokens.compare(&token(0, stamp(1), Some(1))), Ok(()));
        for wrong in [
            token(0, stamp(2), Some(2)),
            token(0, stamp(2), Some(1)),
            token(0, stamp(1), None),
            token(1, stamp(1), Some(1)),
        ] {
            assert_eq!(tokens.compare(&wrong), Err(TokenMismatch::Unlogged));
        }
    }

    #[test]
    fn each_event_begins_where_the_one_before_ended() {
        let (second, third) = (stamp(2), stamp(3));
        for (was_rev, rev, was_stamp, is_good) in [
            (Some(2), 3, Some(&third), true),
            // A token that stays as it is, for a pruning.
            (None, 2, Some(&third), true),
            (Some(1), 2, Some(&second), false),
            (Some(2), 3, Some(&second), false),
            (Some(2), 3, None, false),
            (Some(2), 4, Some(&third), false),
            (None, 3, Some(&third), false),
        ] {
            let entry = event("assign", Some(&TOKEN), was_rev, rev, was_stamp);
            assert_eq!(log().add(&head(4), &entry).is_ok(), is_good, "{was_rev:?} {rev}");
        }
    }
}
