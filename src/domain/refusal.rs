//! Why a request was not carried out: one word, one sentence, one hint.

use std::fmt;

/// The stable word of a refusal, as JSON readers see it; `failure.rs` gives each its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
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

impl Code {
    /// The word as it stands in `{"error":{"code":…}}`.
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

/// A request that is not carried out, in words for a person: lower case, no full stop.
///
/// Whatever goes into the message from outside has been through [`crate::domain::text::shown`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: Code,
    pub message: String,
    pub hint: Option<String>,
}

impl Refusal {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// Input that is not acceptable; `field` is what the person would call it.
    pub fn bad_input(field: &str, problem: impl fmt::Display) -> Self {
        Self::new(Code::BadInput, format!("{field}: {problem}"))
    }

    /// The same about another option than the one it names.
    #[must_use]
    pub fn of_option(mut self, option: &str) -> Self {
        if let Some((_, problem)) = self.message.split_once(": ") {
            self.message = format!("{option}: {problem}");
        }
        self
    }

    /// Adds what to do next.
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
