//! What a device proves a user by: the kinds of factor, and how each checks a submitted code.

pub mod totp;

use crate::domain::factor::totp::{
    Parameters, Window, matching_step, matching_steps, successive_steps,
};
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

    /// How many seconds ahead the clock is that a right code would come from, or behind if less than zero: the one
    /// that is the least off, up to `reach`. Never ask this of a device whose secret the asker may not know.
    #[must_use]
    pub fn seconds_off(
        &self,
        secret: &Secret,
        submitted: &Otp,
        now: Timestamp,
        reach: i64,
    ) -> Option<i64> {
        match self {
            Self::Totp(parameters) => {
                let steps = reach.unsigned_abs() / parameters.period;
                let found = matching_steps(secret, *parameters, submitted, now, steps);
                let current = parameters.step(now).cast_signed();
                let off = found.into_iter().map(|step| step.cast_signed() - current);
                let least = off.min_by_key(|steps| steps.abs())?;
                Some(least * parameters.period.cast_signed())
            }
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
