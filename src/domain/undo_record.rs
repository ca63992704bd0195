//! What is kept of an operator's last change to a user, so that it can be undone.

use crate::domain::password::PasswordChange;
use crate::domain::recovery::RecoverySet;
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;

/// A change that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undoable {
    Reset,
    Disable,
    Delete,
    ForceNewPassword,
}

impl Undoable {
    pub const ALL: [Self; 4] = [Self::Reset, Self::Disable, Self::Delete, Self::ForceNewPassword];

    /// The verb that makes this change.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Disable => "disable",
            Self::Delete => "delete",
            Self::ForceNewPassword => "force-new-password",
        }
    }
}

/// What a change replaced, kept so that it can be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoRecord {
    pub act: Undoable,
    pub at: Timestamp,
    /// Devices that the change revoked or switched off.
    pub devices: Vec<Id>,
    /// The new device that the change added.
    pub made: Option<Id>,
    pub recovery: Option<RecoverySet>,
    pub password_change: PasswordChange,
    pub enrolment_barred: bool,
}
