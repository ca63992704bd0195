//! Proves one event of the log by its hash, and by its MAC if there is a key.

use crate::domain::audit::chain_error::ChainError;
use crate::domain::audit::event::{EventFields, Head, Subject};
use crate::domain::secret::KeyGeneration;

/// The stored values that an event is verified against.
#[derive(Clone, Copy, Debug)]
pub struct EventProof<'e> {
    pub seq: u64,
    /// Absent once the personal fields were erased.
    pub salt: Option<&'e [u8]>,
    pub personal: &'e [u8],
    pub hash: &'e [u8],
    pub mac: &'e [u8],
}

/// Computes the MAC of an event with this generation of the root key; `None` without that generation.
pub type Mac<'m> = &'m dyn Fn(&Head, Option<Subject<'_>>, KeyGeneration) -> Option<[u8; 32]>;

/// An event whose hash, and whose MAC if there was a key, were verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvedEvent {
    pub head: Head,
    /// Whether a program of schema 5 or later wrote it, as far as that can be told without a key: one for which a
    /// user's revision grows with an event and never without.
    pub counts_revisions: bool,
}

/// Verifies everything of one event but its personal fields, of which the hash in `proof` is enough. `previous` is
/// the hash of the event before it; it need not be verified, since the hash of this event covers it.
pub fn prove_event(
    entry: &EventFields<'_>,
    proof: &EventProof<'_>,
    previous: &[u8; 32],
    mac: Option<Mac<'_>>,
) -> Result<ProvedEvent, ChainError> {
    let personal = proof.personal.try_into().map_err(|_| ChainError::Personal)?;
    let previous = Head { seq: proof.seq.wrapping_sub(1), hash: *previous };
    let hash = entry.chain_hash(&previous, personal);
    if hash[..] != *proof.hash {
        return Err(ChainError::Hash);
    }
    let head = Head { seq: proof.seq, hash };
    let is_new_form = entry.was_rev.is_some() || entry.was_stamp.is_some();
    let proved = |counts_revisions| Ok(ProvedEvent { head, counts_revisions });
    let Some(mac) = mac else { return proved(is_new_form) };
    let matches = |subject| {
        let mac = mac(&head, subject, entry.generation);
        Ok(mac.ok_or(ChainError::Generation(entry.generation))?[..] == *proof.mac)
    };
    let subject = entry.subject();
    if matches(subject)? {
        return proved(subject.is_some());
    }
    // MACs of programs before schema 5 do not name the user. Their events have no earlier revision and no stamp.
    if subject.is_some() && !is_new_form && matches(None)? {
        return proved(false);
    }
    Err(ChainError::Mac)
}
