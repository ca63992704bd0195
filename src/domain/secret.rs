//! Secrets: in memory, and sealed for the store.

use std::fmt;

use data_encoding::{BASE32_NOPAD, HEXLOWER};
use zeroize::Zeroizing;

/// The shared secret of a device. Wiped when dropped; can be neither printed nor serialised.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Bytes of a new secret: 160 bits, as RFC 4226 (section 4, R6) recommends; 32 letters in base 32,
    /// without padding.
    pub const LENGTH: usize = 20;

    #[must_use]
    pub const fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The raw bytes, for the MAC and the seal only.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Base 32 (RFC 4648), upper case without padding, as authenticator apps expect it.
    #[must_use]
    pub fn base32(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE32_NOPAD.encode(&self.0))
    }

    /// [`Secret::base32`] in groups of four, for typing.
    #[must_use]
    pub fn grouped(&self) -> Zeroizing<String> {
        let mut text = String::with_capacity(self.0.len() * 2);
        for (i, c) in self.base32().chars().enumerate() {
            if i > 0 && i % 4 == 0 {
                text.push(' ');
            }
            text.push(c);
        }
        Zeroizing::new(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// An encrypted secret; only the vault seals and opens it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed(pub Vec<u8>);

/// The identity of a user or device: random and, unlike a name, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id([u8; Id::LENGTH]);

impl Id {
    /// Length in bytes.
    pub const LENGTH: usize = 16;

    #[must_use]
    pub const fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// `None` for another number of bytes.
    #[must_use]
    pub fn try_from_bytes(bytes: Vec<u8>) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    #[must_use]
    pub const fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// Names one state of a user's rows: the first bytes of the hash of the event that made it. No two histories of a store
/// share one after they parted, because the salt of each event is random.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp([u8; Stamp::LENGTH]);

impl Stamp {
    /// Length in bytes.
    pub const LENGTH: usize = 16;

    /// Of rows that no event has stamped: those of a user who is new, or whose last change was before schema 6.
    pub const NONE: Self = Self([0; Self::LENGTH]);

    #[must_use]
    pub const fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    /// Of the rows that the event with this hash made.
    #[must_use]
    pub fn of(event_hash: &[u8; 32]) -> Self {
        let mut stamp = Self::NONE;
        stamp.0.copy_from_slice(&event_hash[..Self::LENGTH]);
        stamp
    }

    #[must_use]
    pub const fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

/// Which of the successive root keys of a store made a MAC: 1 is the first, and each exchange of the key
/// adds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyGeneration(u32);

impl KeyGeneration {
    pub const FIRST: Self = Self(1);

    /// The generation with this number; `None` for 0.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }

    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// The number that is stored with a MAC and covered by it. The first has none, because its oldest MACs
    /// were made before there were generations.
    #[must_use]
    pub const fn explicit(self) -> Option<u32> {
        match self {
            Self::FIRST => None,
            Self(number) => Some(number),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_never_shows_the_secret() {
        let secret = Secret::new(Zeroizing::new(b"12345678901234567890".to_vec()));
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_eq!(secret.base32().as_str(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(secret.grouped().as_str(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
