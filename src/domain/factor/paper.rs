//! A printed list of numbered codes: look-up secrets (NIST SP 800-63B-4, section 3.1.2). They are good in any order,
//! and each once.
//!
//! NIST asks for at least 20 bits where attempts are limited, as here; a code has 50. Only keyed hashes are stored.

use subtle::ConstantTimeEq as _;

use crate::domain::recovery::Tag;

/// The codes of a list, by their keyed hashes, which are bound to user and device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List(Vec<Code>);

/// A code. A used one stays, so that it is told from a wrong one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Code {
    hash: [u8; Code::HASH],
    is_used: bool,
}

impl Code {
    /// Bytes of the keyed hash that are kept: many more than a code of 50 bits has, and half of what every reading and
    /// writing of the row would else have to authenticate.
    const HASH: usize = 16;
    /// As stored, with whether it is used.
    const WIDTH: usize = Self::HASH + 1;

    fn new(tag: &Tag) -> Self {
        Self { hash: std::array::from_fn(|n| tag[n]), is_used: false }
    }
}

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
    /// A list of codes that nobody has used.
    #[must_use]
    pub fn new(tags: &[Tag]) -> Self {
        Self(tags.iter().map(Code::new).collect())
    }

    /// The number of unused codes.
    #[must_use]
    pub fn left(&self) -> usize {
        self.0.iter().filter(|code| !code.is_used).count()
    }

    /// The position of the code with this tag, used or not. Every code is compared, even after a match.
    #[must_use]
    pub fn position(&self, tag: &Tag) -> Option<u64> {
        let submitted = Code::new(tag).hash;
        let mut matching = None;
        for (position, code) in (0..).zip(&self.0) {
            let matches = bool::from(code.hash.ct_eq(&submitted));
            matching = if matches { Some(position) } else { matching };
        }
        matching
    }

    #[must_use]
    pub fn is_unused(&self, position: u64) -> bool {
        self.0.get(index(position)).is_some_and(|code| !code.is_used)
    }

    /// The list after its code at this position was used.
    #[must_use]
    pub fn used(mut self, position: u64) -> Self {
        if let Some(code) = self.0.get_mut(index(position)) {
            code.is_used = true;
        }
        self
    }

    /// The code that was used last, at this position.
    #[must_use]
    pub fn used_code(&self, position: u64) -> UsedCode {
        UsedCode { number: position.saturating_add(1), left: self.left() }
    }

    /// As stored: each code with a byte that says whether it is used.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let bytes = |code: &Code| code.hash.into_iter().chain([u8::from(code.is_used)]);
        self.0.iter().flat_map(bytes).collect()
    }

    /// From the stored form; `None` if it is none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (codes, rest) = bytes.as_chunks::<{ Code::WIDTH }>();
        let is_list = rest.is_empty() && (1..=Self::MOST).contains(&codes.len());
        let code = |[hash @ .., used]: &[u8; Code::WIDTH]| match used {
            0 | 1 => Some(Code { hash: *hash, is_used: *used == 1 }),
            _ => None,
        };
        if is_list { codes.iter().map(code).collect::<Option<_>>().map(Self) } else { None }
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
        List::new(&(1..=10).map(|n| [n; 32]).collect::<Vec<_>>())
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
            assert_eq!(list.position(&[code; 32]), Some(position), "it is still known");
            assert!(!list.is_unused(position));
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
        assert_eq!(bytes.len(), 170);
        assert_eq!(List::from_bytes(&bytes), Some(list));
        let all_used = [1; 170];
        assert_eq!(List::from_bytes(&all_used).map(|list| list.left()), Some(0));
        let too_many = [1; 101 * 17];
        for bytes in [&[][..], &[1; 16], &[1; 18], &[2; 17], &too_many] {
            assert_eq!(List::from_bytes(bytes), None, "{} bytes", bytes.len());
        }
    }
}
