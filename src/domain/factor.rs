//! What a device proves a user by: the kinds of factor, and how each checks a submitted code.

pub mod totp;

use crate::domain::factor::totp::{Parameters, Window, matching_step, successive_steps};
use crate::domain::otp::Otp;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// The kind of a device, with the settings of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Factor {
    /// Time-based one-time codes (RFC 6238).
    Totp(Parameters),
}

impl Factor {
    /// The word of the contract.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Totp(_) => "totp",
        }
    }

    /// The position of a right code: the value of the moving factor (RFC 4226, section 5.1) for which
    /// the secret gives this code, here the time step. Whether it was used before is the device's to say;
    /// see [`crate::domain::device::Device::is_unused`].
    #[must_use]
    pub fn check(
        &self,
        secret: &Secret,
        submitted: &Otp,
        now: Timestamp,
        window: Window,
    ) -> Option<u64> {
        match self {
            Self::Totp(parameters) => matching_step(secret, *parameters, submitted, now, window),
        }
    }

    /// The position of the second of two successive right codes, the second of which is inside the window.
    #[must_use]
    pub fn check_successive(
        &self,
        secret: &Secret,
        codes: [&Otp; 2],
        now: Timestamp,
        window: Window,
    ) -> Option<u64> {
        match self {
            Self::Totp(parameters) => successive_steps(secret, *parameters, codes, now, window),
        }
    }

    /// The digits of a code.
    #[must_use]
    pub const fn digits(&self) -> u8 {
        match self {
            Self::Totp(parameters) => parameters.digits,
        }
    }

    /// Whether every app supports it, so that one right code is proof enough that the app does.
    #[must_use]
    pub fn is_common(&self) -> bool {
        match self {
            Self::Totp(parameters) => parameters.is_common(),
        }
    }
}
