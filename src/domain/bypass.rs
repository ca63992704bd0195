//! The temporary code that an operator can issue: one a user, with an end and a number of uses.

use subtle::ConstantTimeEq as _;

use crate::domain::recovery::Tag;
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;

/// A user's bypass code, stored as a keyed hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BypassCode {
    /// The salt of the keyed hash.
    pub id: Id,
    pub tag: Tag,
    pub starts_at: Timestamp,
    pub expires_at: Timestamp,
    /// Remaining uses.
    pub uses: u32,
}

impl BypassCode {
    /// Whether the code has expired or is used up.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.uses == 0 || self.expires_at <= now
    }

    /// Whether the code is accepted now.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.starts_at <= now && !self.is_over(now)
    }

    /// Whether it is this code, whatever it is worth.
    #[must_use]
    pub fn is_code(&self, tag: &Tag) -> bool {
        self.tag.ct_eq(tag).into()
    }

    /// Consumes one use; `None` if the code is wrong or not accepted now.
    #[must_use]
    pub fn used(self, tag: &Tag, now: Timestamp) -> Option<Self> {
        (self.is_code(tag) && self.is_open(now)).then(|| Self { uses: self.uses - 1, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_accepted_from_its_start_to_its_end_and_only_as_often_as_allowed() {
        let at = |s| Timestamp::from_unix(s).unwrap();
        let bypass = BypassCode {
            id: Id::new([1; 16]),
            tag: [7; 32],
            starts_at: at(100),
            expires_at: at(200),
            uses: 2,
        };
        let used = |b: &BypassCode, tag, s| b.clone().used(&[tag; 32], at(s));
        assert!(used(&bypass, 7, 99).is_none() && used(&bypass, 7, 200).is_none());
        assert!(used(&bypass, 8, 150).is_none());
        let once = used(&bypass, 7, 100).unwrap();
        let twice = used(&once, 7, 199).unwrap();
        assert!(used(&twice, 7, 199).is_none() && !twice.is_open(at(199)));
        assert!(!bypass.is_open(at(99)) && bypass.is_open(at(100)) && !bypass.is_open(at(200)));
        assert!(!bypass.is_over(at(99)) && bypass.is_over(at(200)) && twice.is_over(at(199)));
    }
}
