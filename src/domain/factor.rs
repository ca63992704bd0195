//! What a device proves a user by: the kinds of factor, and how each checks a submitted code.

pub mod drift;
pub mod external;
pub mod hotp;
pub mod kind;
pub mod paper;
pub mod totp;
pub mod yubikey;

use crate::domain::backup_code::Submitted;
use crate::domain::factor::drift::Drift;
use crate::domain::factor::totp::{
    Algorithm, Parameters, Window, matching_steps, newest_match, newest_successive,
};
use crate::domain::otp::Otp;
use crate::domain::recovery::Tag;
use crate::domain::secret::Secret;
use crate::domain::time::Timestamp;

/// The kind of a device, with the settings of that kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Factor {
    /// Time-based one-time codes (RFC 6238) of an app.
    Totp(Parameters),
    /// The same of a token, whose clock nobody sets.
    TotpToken(Parameters, Drift),
    /// Counter-based one-time codes (RFC 4226).
    Hotp(hotp::CodeForm),
    /// Yubico OTP.
    Yubikey,
    /// A printed list of codes.
    Paper(paper::List),
    /// What another program verifies.
    External(external::Mark),
}

/// What a code is compared with, beside the kind.
#[derive(Clone, Copy)]
pub struct Comparison<'c> {
    pub secret: &'c Secret,
    /// The position of the device's last accepted code.
    pub last: Option<u64>,
    pub now: Timestamp,
    pub window: Window,
    pub look_ahead: hotp::LookAhead,
    /// The keyed hash of a code of letters, for this device.
    pub tag: Option<Tag>,
}

impl Factor {
    /// The word of the contract.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Totp(_) | Self::TotpToken(..) => "totp",
            Self::Hotp(_) => "hotp",
            Self::Yubikey => "yubikey",
            Self::Paper(_) => "paper",
            Self::External(_) => "external",
        }
    }

    /// A factor of this kind for a listing of the past, which knows no settings.
    #[must_use]
    pub fn listed(kind: &str) -> Option<Self> {
        let kinds = [
            Self::Totp(Parameters::COMMON),
            Self::Hotp(hotp::CodeForm::COMMON),
            Self::Yubikey,
            Self::Paper(paper::List::UNKNOWN),
            Self::External(external::Mark::UNKNOWN),
        ];
        kinds.into_iter().find(|factor| factor.kind() == kind)
    }

    /// The position of a right code: the value of the moving factor (RFC 4226, section 5.1) for which
    /// the secret gives this code, which is the time step, or the counter, or on paper the place of a code that is
    /// still unused. Whether it was used before is the device's to say; see [`crate::domain::device::Device::is_unused`].
    #[must_use]
    pub fn check(&self, submitted: &Submitted, with: Comparison<'_>) -> Option<u64> {
        let Comparison { secret, last, now, window, look_ahead, tag } = with;
        match (self, submitted) {
            (Self::Totp(_) | Self::TotpToken(..), Submitted::Otp(code)) => {
                let clock = self.clock()?;
                newest_match(secret, clock.parameters, code, clock.steps(now, window))
            }
            (Self::Hotp(parameters), Submitted::Otp(code)) => {
                hotp::matching_counter(secret, *parameters, code, last, look_ahead)
            }
            (Self::Yubikey, Submitted::Yubico(code)) => yubikey::position(secret, code),
            (Self::Paper(list), Submitted::BackupCode(_)) => list.position(&tag?),
            _ => None,
        }
    }

    /// The position of the second of two successive right codes. The second is inside the window, or for a token within
    /// the reach of a resynchronisation.
    #[must_use]
    pub fn check_successive(&self, codes: [&Otp; 2], with: Comparison<'_>) -> Option<u64> {
        let Comparison { secret, last, now, window, .. } = with;
        match self {
            Self::Totp(parameters) => {
                let steps = window.around(parameters.step(now));
                newest_successive(secret, *parameters, codes, steps)
            }
            Self::TotpToken(parameters, _) => {
                let (current, reach) = (parameters.step(now), Drift::MOST.unsigned_abs().into());
                let steps = current.saturating_sub(reach)..=current + reach;
                newest_successive(secret, *parameters, codes, steps)
            }
            Self::Hotp(parameters) => hotp::successive_counters(secret, *parameters, codes, last),
            Self::Yubikey | Self::Paper(_) | Self::External(_) => None,
        }
    }

    /// Whether the device has a secret that is sealed.
    #[must_use]
    pub const fn has_secret(&self) -> bool {
        !matches!(self, Self::Paper(_) | Self::External(_))
    }

    /// The codes of a list; `None` for a kind that computes them.
    #[must_use]
    pub const fn list(&self) -> Option<&paper::List> {
        match self {
            Self::Paper(list) => Some(list),
            _ => None,
        }
    }

    /// What it is in the operator's words; `None` for a factor that is verified here.
    #[must_use]
    pub const fn mark(&self) -> Option<&external::Mark> {
        match self {
            Self::External(mark) => Some(mark),
            _ => None,
        }
    }

    /// How the factor reads the time; `None` for one that counts.
    #[must_use]
    pub const fn clock(&self) -> Option<FactorClock> {
        match self {
            Self::Totp(parameters) => Some(FactorClock { parameters: *parameters, drift: None }),
            Self::TotpToken(parameters, drift) => {
                Some(FactorClock { parameters: *parameters, drift: Some(*drift) })
            }
            Self::Hotp(_) | Self::Yubikey | Self::Paper(_) | Self::External(_) => None,
        }
    }

    /// After a code at this position was accepted: what a token's drift learns from it.
    #[must_use]
    pub fn learned(self, position: u64, now: Timestamp) -> Self {
        match self {
            Self::TotpToken(parameters, drift) => {
                Self::TotpToken(parameters, drift.learned(observed(parameters, position, now)))
            }
            same => same,
        }
    }

    /// After two successive codes, the second at this position: a token's drift is what they show.
    #[must_use]
    pub fn resynchronised(self, position: u64, now: Timestamp) -> Self {
        match self {
            Self::TotpToken(parameters, drift) => {
                let shown = Drift::new(observed(parameters, position, now));
                Self::TotpToken(parameters, shown.unwrap_or(drift))
            }
            same => same,
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
        let parameters = self.clock()?.parameters;
        let steps = reach.unsigned_abs() / parameters.period;
        let found = matching_steps(secret, parameters, submitted, now, steps);
        let current = parameters.step(now).cast_signed();
        let off = found.into_iter().map(|step| step.cast_signed() - current);
        let least = off.min_by_key(|steps| steps.abs())?;
        Some(least * parameters.period.cast_signed())
    }

    /// Hash and digits of a one-time code; `None` for a kind that has none.
    #[must_use]
    pub const fn code_form(&self) -> Option<(Algorithm, u8)> {
        match self {
            Self::Totp(p) | Self::TotpToken(p, _) => Some((p.algorithm, p.digits)),
            Self::Hotp(p) => Some((p.algorithm, p.digits)),
            Self::Yubikey | Self::Paper(_) | Self::External(_) => None,
        }
    }

    /// The digits of a code; `None` for a code of letters.
    #[must_use]
    pub fn digits(&self) -> Option<u8> {
        self.code_form().map(|(_, digits)| digits)
    }

    /// Whether one right code is proof enough: of an app only where every app supports the settings, because others
    /// may use settings of their own and give a right code by chance.
    #[must_use]
    pub fn is_proved_by_one_code(&self) -> bool {
        match self {
            Self::Totp(parameters) => parameters.is_common(),
            Self::Hotp(parameters) => *parameters == hotp::CodeForm::COMMON,
            Self::TotpToken(..) | Self::Yubikey | Self::Paper(_) | Self::External(_) => true,
        }
    }
}

/// A factor's clock.
#[derive(Clone, Copy, Debug)]
pub struct FactorClock {
    pub parameters: Parameters,
    /// `None` for an app.
    pub drift: Option<Drift>,
}

impl FactorClock {
    /// The time step that it shows now.
    #[must_use]
    pub fn step(self, now: Timestamp) -> u64 {
        let step = self.parameters.step(now);
        self.drift.map_or(step, |drift| drift.applied_to(step))
    }

    /// The time steps that are accepted now.
    #[must_use]
    pub fn steps(self, now: Timestamp, window: Window) -> std::ops::RangeInclusive<u64> {
        window.around(self.step(now))
    }
}

/// How many steps ahead of the server's time this step is.
const fn observed(parameters: Parameters, step: u64, now: Timestamp) -> i64 {
    step.cast_signed() - parameters.step(now).cast_signed()
}
