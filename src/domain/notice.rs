//! What a user is notified of.

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    Reset,
    Disabled,
    Deleted,
    NewPassword,
    RecoveryCodes,
    Bypass,
    Undone,
    Resynchronised,
    NewDevice,
    /// A new device is to take the place of one in use.
    Replacement,
    DeviceRemoved,
    DeviceRenamed,
}

impl NoticeKind {
    /// The name in the hook's document and in the log.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Disabled => "disable",
            Self::Deleted => "delete",
            Self::NewPassword => "force-new-password",
            Self::RecoveryCodes => "recovery-codes",
            Self::Bypass => "bypass",
            Self::Undone => "undo",
            Self::Resynchronised => "resync",
            Self::NewDevice => "new-device",
            Self::Replacement => "replace-device",
            Self::DeviceRemoved => "remove-device",
            Self::DeviceRenamed => "rename-device",
        }
    }
}
