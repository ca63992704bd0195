//! A printed list of numbered codes: look-up secrets (NIST SP 800-63B-4, section 3.1.2). They are good in any order,
//! and each once.
//!
//! NIST asks for at least 20 bits where attempts are limited, as here; a code has 50. Only keyed hashes are stored.

use subtle::ConstantTimeEq as _;

use crate::domain::recovery::Tag;

/// The codes of a list, by their keyed hashes, which are bound to user and device. A used code becomes `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List(Vec<Option<Tag>>);

/// A used code of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsedCode {
    /// As it is printed: the first is 1.
    pub number: u64,
    /// How many codes are left.
    pub left: usize,
}

impl List {
    /// A list that is known only by its kind, such as one from the log.
    pub const UNKNOWN: Self = Self(Vec::new());
    /// The number of codes that a new list may have.
    pub const FEWEST: usize = 10;
    pub const MOST: usize = 100;
    /// And has if nobody says otherwise.
    pub const USUAL: usize = 50;
    /// With this many codes left or fewer, it is time for a new list.
    pub const FEW: usize = 5;
    /// A used code as stored. No keyed hash is all zeros.
    const USED: Tag = [0; size_of::<Tag>()];

    /// A list of codes that nobody has used.
    #[must_use]
    pub fn new(tags: Vec<Tag>) -> Self {
        Self(tags.into_iter().map(Some).collect())
    }

    /// The number of unused codes.
    #[must_use]
    pub fn left(&self) -> usize {
        self.0.iter().flatten().count()
    }

    /// The position of an unused code with this tag. Every code is compared, even after a match.
    #[must_use]
    pub fn position(&self, tag: &Tag) -> Option<u64> {
        let mut matching = None;
        for (position, stored) in (0..).zip(&self.0) {
            let matches = bool::from(stored.unwrap_or(Self::USED).ct_eq(tag)) && stored.is_some();
            matching = if matches { Some(position) } else { matching };
        }
        matching
    }

    #[must_use]
    pub fn is_unused(&self, position: u64) -> bool {
        self.0.get(index(position)).is_some_and(Option::is_some)
    }

    /// The list after its code at this position was used.
    #[must_use]
    pub fn used(mut self, position: u64) -> Self {
        if let Some(code) = self.0.get_mut(index(position)) {
            *code = None;
        }
        self
    }

    /// The code that was used last, at this position.
    #[must_use]
    pub fn used_code(&self, position: u64) -> UsedCode {
        UsedCode { number: position.saturating_add(1), left: self.left() }
    }

    /// As stored.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|tag| tag.unwrap_or(Self::USED)).collect()
    }

    /// From the stored form; `None` if it is none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (tags, rest) = bytes.as_chunks::<{ size_of::<Tag>() }>();
        let is_list = rest.is_empty() && (1..=Self::MOST).contains(&tags.len());
        let tag = |tag: &Tag| Some(*tag).filter(|tag| *tag != Self::USED);
        is_list.then(|| Self(tags.iter().map(tag).collect()))
    }
}

/// A position beyond every list stays so.
fn index(position: u64) -> usize {
    usize::try_from(position).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list() -> List {
        List::new((1..=10).map(|n| [n; 32]).collect())
    }

    #[test]
    fn codes_are_good_in_any_order_and_each_once() {
        let mut list = list();
        for (left, code) in [(9, 7), (8, 1), (7, 10), (6, 2)] {
            let position = list.position(&[code; 32]).unwrap();
            assert!(list.is_unused(position));
            list = list.used(position);
            let used = UsedCode { number: code.into(), left };
            assert_eq!(list.used_code(position), used);
            assert!(!list.is_unused(position) && list.position(&[code; 32]).is_none());
        }
        assert!(list.position(&[3; 32]).is_some(), "one before the last used");
        assert!(list.position(&[11; 32]).is_none() && list.position(&[0; 32]).is_none());
        assert!(!list.is_unused(10) && !list.is_unused(u64::MAX));
        assert_eq!(list.clone().used(u64::MAX), list);
    }

    #[test]
    fn bytes_are_read_back_and_no_others() {
        let list = list().used(3).used(9);
        let bytes = list.to_bytes();
        assert_eq!(bytes.len(), 320);
        assert_eq!(List::from_bytes(&bytes), Some(list));
        let all_used = [0; 320];
        assert_eq!(List::from_bytes(&all_used).map(|list| list.left()), Some(0));
        let too_many = [1; 101 * 32];
        for bytes in [&[][..], &[1; 31], &[1; 33], &too_many] {
            assert_eq!(List::from_bytes(bytes), None, "{} bytes", bytes.len());
        }
    }
}
