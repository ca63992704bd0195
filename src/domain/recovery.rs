//! Recovery codes: a set for one user, each code good once (NIST SP 800-63B-4, section 3.1.2).

use subtle::ConstantTimeEq as _;

use crate::domain::secret::Id;
use crate::domain::time::Timestamp;

/// Codes of a set.
pub const CODES: usize = 10;
/// As few as this are left: time for a new set.
pub const FEW: usize = 3;

/// A keyed hash of a code, which binds it to user and set; the vault makes it.
pub type Tag = [u8; 32];

/// The codes of a user that are in force. The codes themselves are nowhere: they were shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverySet {
    /// Salts the tags.
    pub id: Id,
    pub made_at: Timestamp,
    /// A used code leaves its place.
    pub tags: Vec<Option<Tag>>,
}

impl RecoverySet {
    /// How many are unused.
    #[must_use]
    pub fn left(&self) -> usize {
        self.tags.iter().flatten().count()
    }

    /// Uses up the code with this tag; all places are compared, whichever fits.
    #[must_use]
    pub fn used(mut self, tag: &Tag) -> Option<Self> {
        let mut found = None;
        for (place, there) in self.tags.iter().enumerate() {
            let fits = there.is_some_and(|there| bool::from(there.ct_eq(tag)));
            found = if fits { Some(place) } else { found };
        }
        self.tags[found?] = None;
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_used_once() {
        let at = Timestamp::from_unix(1).unwrap();
        let set = RecoverySet {
            id: Id::new([1; 16]),
            made_at: at,
            tags: vec![Some([1; 32]), Some([2; 32])],
        };
        let once = set.used(&[2; 32]).unwrap();
        assert_eq!(once.left(), 1);
        assert!(once.clone().used(&[2; 32]).is_none());
        assert!(once.clone().used(&[3; 32]).is_none());
        assert_eq!(once.used(&[1; 32]).unwrap().left(), 0);
    }
}
