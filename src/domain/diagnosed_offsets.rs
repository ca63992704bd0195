//! By how much the codes that were diagnosed lately are off. Where several users' codes are off alike, it is rather
//! this machine's clock than their phones.

use std::collections::BTreeSet;

use crate::domain::diagnosis::apart;
use crate::domain::factor::totp::Parameters;
use crate::domain::time::Span;

/// How long ago a code may have been diagnosed.
pub const LATELY: Span = Span::hours(1);
/// Offsets that differ by no more are one: a phone may be a step off, and the operator takes a while to type.
const SAME: u64 = 2 * Parameters::COMMON.period;

/// Codes that fit another time.
#[derive(Clone, Debug, Default)]
pub struct DiagnosedOffsets(Vec<(String, i64)>);

/// An offset that the codes of several users share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SharedOffset {
    /// Positive if the phones are ahead of this machine.
    pub seconds: i64,
    pub users: u64,
}

impl DiagnosedOffsets {
    /// Adds a code of this user. `seconds` is positive if the phone is ahead.
    pub fn add(&mut self, user: String, seconds: i64) {
        self.0.push((user, seconds));
    }

    /// How many users beside this one have codes that are as far off.
    #[must_use]
    pub fn others(&self, user: &str, seconds: i64) -> u64 {
        self.users(seconds).into_iter().filter(|other| *other != user).count() as u64
    }

    /// The offset that most users share; `None` if no two do.
    #[must_use]
    pub fn shared(&self) -> Option<SharedOffset> {
        let shared = self.0.iter().map(|(_, seconds)| SharedOffset {
            seconds: *seconds,
            users: self.users(*seconds).len() as u64,
        });
        shared.filter(|offset| offset.users > 1).max_by_key(|offset| offset.users)
    }

    fn users(&self, seconds: i64) -> BTreeSet<&str> {
        let alike = self.0.iter().filter(|(_, other)| other.abs_diff(seconds) <= SAME);
        alike.map(|(user, _)| user.as_str()).collect()
    }
}

impl SharedOffset {
    /// What it says of the clock.
    #[must_use]
    pub fn sentence(&self) -> String {
        let slow = if self.seconds > 0 { "behind" } else { "ahead" };
        format!(
            "within an hour the codes of {} users fitted a time about {}, so this clock may be {slow}",
            self.users,
            apart(self.seconds)
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::diagnosed_offsets::*;

    #[test]
    fn w7_only_offsets_that_several_users_share_count() {
        let mut found = DiagnosedOffsets::default();
        assert_eq!(found.shared(), None);
        for (user, seconds) in [("alice", 300), ("alice", 330), ("bob", -300), ("carol", 90)] {
            found.add(user.to_owned(), seconds);
        }
        assert_eq!((found.shared(), found.others("alice", 300)), (None, 0));
        found.add("bob".to_owned(), 270);
        found.add("dave".to_owned(), -270);
        found.add("erin".to_owned(), -330);
        let shared = found.shared().unwrap();
        assert_eq!((shared.users, shared.seconds.signum()), (3, -1));
        assert!(shared.sentence().contains("this clock may be ahead"), "{}", shared.sentence());
        assert_eq!((found.others("alice", 300), found.others("x", 300)), (1, 2));
    }
}
