//! The findings of a diagnosis, each a word that programs read.

use serde::Serialize;

/// The words of JSON and of the log, and no others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DiagnosisWord {
    Right,
    Locked,
    AlreadyUsed,
    ClockWasAhead,
    ClockOff,
    MaybeClockOff,
    ServerClock,
    OtherSettings,
    Disabled,
    Revoked,
    Expired,
    NoDevice,
    Unknown,
    NoCode,
    RecoveryCode,
    RecoveryCodeUnknown,
    BypassCode,
    BypassCodeNotYet,
    BypassCodeExpired,
    BypassCodeUsed,
    BypassCodeUnknown,
    PaperCode,
    PaperCodeUsed,
    PaperCodeUnknown,
    TooManyDiagnoses,
}

impl DiagnosisWord {
    #[cfg(test)]
    pub const ALL: [Self; 25] = [
        Self::Right,
        Self::Locked,
        Self::AlreadyUsed,
        Self::ClockWasAhead,
        Self::ClockOff,
        Self::MaybeClockOff,
        Self::ServerClock,
        Self::OtherSettings,
        Self::Disabled,
        Self::Revoked,
        Self::Expired,
        Self::NoDevice,
        Self::Unknown,
        Self::NoCode,
        Self::RecoveryCode,
        Self::RecoveryCodeUnknown,
        Self::BypassCode,
        Self::BypassCodeNotYet,
        Self::BypassCodeExpired,
        Self::BypassCodeUsed,
        Self::BypassCodeUnknown,
        Self::PaperCode,
        Self::PaperCodeUsed,
        Self::PaperCodeUnknown,
        Self::TooManyDiagnoses,
    ];

    /// The value in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Locked => "locked",
            Self::AlreadyUsed => "already_used",
            Self::ClockWasAhead => "clock_was_ahead",
            Self::ClockOff => "clock_off",
            Self::MaybeClockOff => "maybe_clock_off",
            Self::ServerClock => "server_clock",
            Self::OtherSettings => "other_settings",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::NoDevice => "no_device",
            Self::Unknown => "unknown",
            Self::NoCode => "no_code",
            Self::RecoveryCode => "recovery_code",
            Self::RecoveryCodeUnknown => "recovery_code_unknown",
            Self::BypassCode => "bypass_code",
            Self::BypassCodeNotYet => "bypass_code_not_yet",
            Self::BypassCodeExpired => "bypass_code_expired",
            Self::BypassCodeUsed => "bypass_code_used",
            Self::BypassCodeUnknown => "bypass_code_unknown",
            Self::PaperCode => "paper_code",
            Self::PaperCodeUsed => "paper_code_used",
            Self::PaperCodeUnknown => "paper_code_unknown",
            Self::TooManyDiagnoses => "too_many_diagnoses",
        }
    }
}
