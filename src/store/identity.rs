//! Which store it is.

use crate::domain::secret::Id;
use crate::keyring::KeyId;

/// The ids of a store and of its key.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    pub store: Id,
    pub key: KeyId,
}
