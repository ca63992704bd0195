//! The apps whose steps a handout can give.

use crate::domain::otpauth::AppSettings;
use crate::domain::refusal::Refusal;

/// The app on a user's phone, as far as a handout needs to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandoutApp {
    Google,
    Microsoft,
    Okta,
    Duo,
    Yubico,
    /// The user chooses; the steps fit each.
    Any,
}

impl HandoutApp {
    pub const ALL: [Self; 6] =
        [Self::Google, Self::Microsoft, Self::Okta, Self::Duo, Self::Yubico, Self::Any];

    /// The value of `--app`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Microsoft => "microsoft",
            Self::Okta => "okta",
            Self::Duo => "duo",
            Self::Yubico => "yubico",
            Self::Any => "any",
        }
    }

    /// Refuses settings that the app can't follow.
    pub fn check(self, _settings: &AppSettings) -> Result<(), Refusal> {
        Ok(())
    }
}
