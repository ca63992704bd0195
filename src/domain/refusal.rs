//! Why a request was refused: an error code, the field, the problem and a hint.

use std::fmt;

use crate::domain::hint::Hint;
use crate::domain::password_fault::PasswordFault;

/// The stable error code, as programs see it in JSON; `error_report.rs` maps each to an exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    Usage,
    BadInput,
    UserNotFound,
    DeviceNotFound,
    RequestNotFound,
    TokenNotFound,
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
    NotActive,
    Locked,
    CannotResync,
    IncompatibleApp,
    PendingExpired,
    AmbiguousDevice,
    TooManyDevices,
    TokenAssigned,
    TokenLost,
    StoreNewer,
    NothingToUndo,
    NoPassword,
    TooManyChanges,
    NoAddress,
    AddressChanged,
    TooManyMails,
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
            Self::TokenNotFound => "token_not_found",
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
            Self::NotActive => "not_active",
            Self::Locked => "locked",
            Self::CannotResync => "cannot_resync",
            Self::IncompatibleApp => "incompatible_app",
            Self::PendingExpired => "pending_expired",
            Self::AmbiguousDevice => "ambiguous_device",
            Self::TooManyDevices => "too_many_devices",
            Self::TokenAssigned => "token_assigned",
            Self::TokenLost => "token_lost",
            Self::StoreNewer => "store_newer",
            Self::NothingToUndo => "nothing_to_undo",
            Self::NoPassword => "no_password",
            Self::TooManyChanges => "too_many_changes",
            Self::NoAddress => "no_address",
            Self::AddressChanged => "address_changed",
            Self::TooManyMails => "too_many_mails",
            Self::NotPermitted => "not_permitted",
            Self::Config => "config",
            Self::Key => "key",
            Self::Damaged => "damaged",
            Self::Tampered => "tampered",
            Self::Clock => "clock",
        }
    }
}

/// A refused request, in words for people: lower case, no full stop. `Display` gives the message,
/// `context: field: problem`.
///
/// Text from outside must go through [`crate::domain::text::shown`] before it enters any part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub code: ErrorCode,
    /// What the field or the problem is part of, such as a line of a file.
    pub context: Option<String>,
    /// The option, key or input that is wrong, as the user knows it.
    pub field: Option<String>,
    /// Repeats nothing of what was given.
    pub problem: String,
    /// The problem with the words that were given, for those who typed them.
    pub quotation: Option<Box<str>>,
    pub hint: Option<Hint>,
    /// Of a new password: the problem as a value, for a user who is told in their language.
    pub password: Option<PasswordFault>,
}

impl Refusal {
    pub fn new(code: ErrorCode, problem: impl Into<String>) -> Self {
        let (context, field, quotation, hint, password) = (None, None, None, None, None);
        Self { code, context, field, problem: problem.into(), quotation, hint, password }
    }

    /// Input that is not accepted.
    pub fn bad_input(field: &str, problem: impl fmt::Display) -> Self {
        Self::new(ErrorCode::BadInput, problem.to_string()).field(field)
    }

    /// A key of the configuration with a value that is not accepted.
    pub fn config(key: &str, problem: impl fmt::Display) -> Self {
        Self::new(ErrorCode::Config, problem.to_string()).field(key).within("configuration")
    }

    /// A part of the store that can't be read.
    pub fn damaged(problem: impl Into<String>) -> Self {
        Self::new(ErrorCode::Damaged, problem).within("the store is damaged")
    }

    /// A new password that is not accepted.
    pub fn bad_password(field: &str, problem: impl fmt::Display, fault: PasswordFault) -> Self {
        Self { password: Some(fault), ..Self::bad_input(field, problem) }
    }

    /// Sets the field, also to report the same problem for another one.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Sets the context.
    #[must_use]
    pub fn within(mut self, context: impl Into<String>) -> Self {
        self.context = Some(context.into());
        self
    }

    /// Sets the problem as it is told to whoever typed the words.
    #[must_use]
    pub fn quoting(mut self, problem: impl Into<String>) -> Self {
        self.quotation = Some(problem.into().into_boxed_str());
        self
    }

    /// The same without the words: what is in a file is repeated to nobody.
    #[must_use]
    pub fn unquoted(mut self) -> Self {
        self.quotation = None;
        self
    }

    /// Sets the hint: what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The machine has no room for another thread, which is no fault of ours or of the request.
#[must_use]
pub fn no_thread() -> Refusal {
    Refusal::new(ErrorCode::Busy, "no thread can be started: too many processes are running")
        .hint("try again; raise the limit of processes (TasksMax, nproc) if it happens often")
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [&self.context, &self.field].into_iter().flatten() {
            write!(f, "{part}: ")?;
        }
        f.write_str(self.quotation.as_deref().unwrap_or(&self.problem))
    }
}

impl std::error::Error for Refusal {}
