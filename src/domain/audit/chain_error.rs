//! What can be wrong with an event of the audit log, in words.

use crate::domain::secret::KeyGeneration;

/// What is wrong with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainError {
    /// The sequence numbers have a gap before it.
    Missing { expected: u64 },
    /// Its personal fields were altered.
    Personal,
    /// It was altered, or does not follow from the previous event.
    Hash,
    /// It was not written with this store's key.
    Mac,
    /// It lies beyond the guarded end of the log.
    Beyond { end: u64 },
    /// It does not continue the newest revision of its user.
    Revision,
    /// Its personal fields are gone, but its user was not erased.
    Blank,
    /// It erased its user, whose personal fields are still in an event, or again.
    NotErased,
    /// Its MAC can't be checked: another generation of the root key made it.
    Generation(KeyGeneration),
}

impl ChainError {
    #[must_use]
    pub fn words(self, seq: u64) -> String {
        match self {
            Self::Missing { expected } if expected + 1 >= seq => {
                format!("event {expected} is missing")
            }
            Self::Missing { expected } => format!("events {expected} to {} are missing", seq - 1),
            Self::Personal => {
                format!("event {seq} was altered: its user, device, reason or details")
            }
            Self::Hash => format!("event {seq} was altered, or does not follow the previous one"),
            Self::Mac => format!("event {seq} was not written with this store's key"),
            Self::Beyond { end } => {
                format!("event {seq} was added beyond the end of the log, which is event {end}")
            }
            Self::Revision => format!(
                "event {seq} does not continue the newest state of its user or token: an older record was put back from a \
                 copy when it was written"
            ),
            Self::Blank => format!(
                "the user, device, reason and details of event {seq} were removed, and no \
                 `remove-user --erase` removed them"
            ),
            Self::NotErased => format!(
                "event {seq} erased a user whose name, reasons or details are in an earlier event"
            ),
            Self::Generation(generation) => {
                format!("event {seq} needs generation {} of the root key", generation.number())
            }
        }
    }
}
