//! Recovery codes: a set for one user, each code valid once (look-up secrets, NIST SP 800-63B-4,
//! section 3.1.2).

use subtle::ConstantTimeEq as _;

use crate::domain::secret::Id;
use crate::domain::time::Timestamp;

/// Codes in a set.
pub const CODES: usize = 10;
/// With this many codes left or fewer, it is time for a new set.
pub const FEW: usize = 3;

/// The keyed hash of a code, bound to its user and set; computed by the vault.
pub type Tag = [u8; 32];

/// A user's current recovery codes. Only their keyed hashes are stored; the codes were shown once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoverySet {
    /// The salt of the keyed hashes.
    pub id: Id,
    pub made_at: Timestamp,
    /// A used code becomes `None`.
    pub tags: Vec<Option<Tag>>,
}

impl RecoverySet {
    /// The number of unused codes.
    #[must_use]
    pub fn left(&self) -> usize {
        self.tags.iter().flatten().count()
    }

    /// Consumes the code with this tag; `None` if there is none. Every code is compared, even after a match.
    #[must_use]
    pub fn used(mut self, tag: &Tag) -> Option<Self> {
        let mut matching = None;
        for (index, stored) in self.tags.iter().enumerate() {
            let matches = stored.is_some_and(|stored| bool::from(stored.ct_eq(tag)));
            matching = if matches { Some(index) } else { matching };
        }
        self.tags[matching?] = None;
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
