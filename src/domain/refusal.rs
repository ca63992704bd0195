//! Why a request was refused: an error code, a message and a hint.

use std::fmt;

/// The stable error code, as programs see it in JSON; `failure.rs` maps each to an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    Usage,
    BadInput,
    UserNotFound,
    DeviceNotFound,
    RequestNotFound,
    StoreUnavailable,
    Internal,
    CannotCreate,
    Io,
    Busy,
    UserExists,
    NotEnabled,
    Disabled,
    AlreadyEnrolled,
    NotPending,
    PendingExpired,
    AmbiguousDevice,
    TooManyDevices,
    StoreNewer,
    NothingToUndo,
    NoPassword,
    TooManyChanges,
    NotPermitted,
    Config,
    Key,
    Damaged,
    Tampered,
    Clock,
}

impl ErrorCode {
    /// The value of `{"error":{"code":…}}`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::BadInput => "bad_input",
            Self::UserNotFound => "user_not_found",
            Self::DeviceNotFound => "device_not_found",
            Self::RequestNotFound => "request_not_found",
            Self::StoreUnavailable => "store_unavailable",
            Self::Internal => "internal",
            Self::CannotCreate => "cannot_create",
            Self::Io => "io",
            Self::Busy => "busy",
            Self::UserExists => "user_exists",
            Self::NotEnabled => "not_enabled",
            Self::Disabled => "disabled",
            Self::AlreadyEnrolled => "already_enrolled",
            Self::NotPending => "not_pending",
            Self::PendingExpired => "pending_expired",
            Self::AmbiguousDevice => "ambiguous_device",
            Self::TooManyDevices => "too_many_devices",
            Self::StoreNewer => "store_newer",
            Self::NothingToUndo => "nothing_to_undo",
            Self::NoPassword => "no_password",
            Self::TooManyChanges => "too_many_changes",
            Self::NotPermitted => "not_permitted",
            Self::Config => "config",
            Self::Key => "key",
            Self::Damaged => "damaged",
            Self::Tampered => "tampered",
            Self::Clock => "clock",
        }
    }
}

/// A refused request, with a message for people: lower case, no full stop.
///
/// Text from outside must go through [`crate::domain::text::shown`] before it enters the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: ErrorCode,
    pub message: String,
    pub hint: Option<String>,
}

impl Refusal {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Input that is not accepted; `field` is the option or field as the user knows it.
    pub fn bad_input(field: &str, problem: impl fmt::Display) -> Self {
        Self::new(ErrorCode::BadInput, format!("{field}: {problem}"))
    }

    /// The same problem, reported for another option.
    #[must_use]
    pub fn for_option(mut self, option: &str) -> Self {
        if let Some((_, problem)) = self.message.split_once(": ") {
            self.message = format!("{option}: {problem}");
        }
        self
    }

    /// Sets the hint: what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
