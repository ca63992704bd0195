//! Why a code fails, for an operator who helps a user.

use crate::domain::authenticate::Keys;
use crate::domain::device::Device;
use crate::domain::factor::Factor;
use crate::domain::factor::totp::{Algorithm, Parameters, Window, matching_steps};
use crate::domain::name::Label;
use crate::domain::otp::Otp;
use crate::domain::refusal::Refusal;
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::domain::user::User;

/// Time steps before and after the current one that are searched.
const REACH: u64 = 20;

/// The reason why a code fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Diagnosis {
    /// It does not fail: it would be accepted.
    Right {
        device: Label,
        pending: bool,
    },
    AlreadyUsed {
        device: Label,
    },
    /// It is right, but a code was accepted while the clock was ahead: until then no code is later than that.
    ClockWasAhead {
        device: Label,
        until: Timestamp,
    },
    /// The phone's clock is off by `steps` time steps of `period` seconds; positive if it is ahead.
    ClockOff {
        device: Label,
        steps: i64,
        period: u64,
    },
    /// The codes of other users fit a time that is as far off, so it is this machine's clock rather than the
    /// phones'. `seconds` is positive if the phones are ahead of it.
    ServerClock {
        device: Label,
        seconds: i64,
        others: u64,
    },
    /// The app computes codes with other settings than those it was given.
    OtherSettings {
        device: Label,
        given: Parameters,
        used: Parameters,
    },
    Disabled {
        device: Label,
    },
    Revoked {
        device: Label,
        at: Timestamp,
    },
    Expired {
        device: Label,
    },
    /// It matches none of the user's devices.
    Unknown,
    /// It does not have the form of a code.
    NoCode,
}

impl Diagnosis {
    /// The value in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Right { .. } => "right",
            Self::AlreadyUsed { .. } => "already_used",
            Self::ClockWasAhead { .. } => "clock_was_ahead",
            Self::ClockOff { .. } => "clock_off",
            Self::ServerClock { .. } => "server_clock",
            Self::OtherSettings { .. } => "other_settings",
            Self::Disabled { .. } => "disabled",
            Self::Revoked { .. } => "revoked",
            Self::Expired { .. } => "expired",
            Self::Unknown => "unknown",
            Self::NoCode => "no_code",
        }
    }

    #[must_use]
    pub const fn device(&self) -> Option<&Label> {
        match self {
            Self::Right { device, .. }
            | Self::AlreadyUsed { device }
            | Self::ClockWasAhead { device, .. }
            | Self::ServerClock { device, .. }
            | Self::ClockOff { device, .. }
            | Self::OtherSettings { device, .. }
            | Self::Disabled { device }
            | Self::Revoked { device, .. }
            | Self::Expired { device } => Some(device),
            Self::Unknown | Self::NoCode => None,
        }
    }

    /// When right codes are accepted again.
    #[must_use]
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::ClockWasAhead { until, .. } => Some(*until),
            _ => None,
        }
    }

    /// By how many seconds the phone's clock is ahead of this machine's.
    #[must_use]
    pub fn seconds_off(&self) -> Option<i64> {
        match self {
            Self::ClockOff { steps, period, .. } => Some(steps * period.cast_signed()),
            Self::ServerClock { seconds, .. } => Some(*seconds),
            _ => None,
        }
    }

    /// The finding, given how many other users' codes were as far off lately.
    #[must_use]
    pub fn with_others(self, others: u64) -> Self {
        match self.seconds_off() {
            Some(seconds) if others > 0 => match self {
                Self::ClockOff { device, .. } => Self::ServerClock { device, seconds, others },
                same => same,
            },
            _ => self,
        }
    }

    /// The reason and the remedy in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Right { device, pending: false } => {
                format!("the code of {device} is right: sign in with the next one")
            }
            Self::Right { device, pending: true } => {
                format!(
                    "the code of {device} is right: confirm the device by giving the next one to verify"
                )
            }
            Self::AlreadyUsed { device } => {
                format!("the code of {device} was already used: wait for the next one")
            }
            Self::ClockWasAhead { device, until } => format!(
                "the code of {device} is right, but codes are refused until {until}: one was accepted while this \
                 server's clock was ahead, or the clock is behind now"
            ),
            Self::ServerClock { seconds, others, .. } => {
                let way = if *seconds > 0 { "behind" } else { "ahead" };
                format!(
                    "this server's clock may be about {} s {way}: within an hour the codes of {} were as far off",
                    seconds.unsigned_abs(),
                    counted(others + 1, "user")
                )
            }
            Self::ClockOff { device, steps, period } => {
                let seconds = steps.unsigned_abs() * period;
                let way = if *steps > 0 { "ahead" } else { "behind" };
                format!(
                    "the clock of {device} is about {seconds} s {way}: set the phone's time to automatic"
                )
            }
            Self::OtherSettings { device, given, used } => format!(
                "the app of {device} uses {used} instead of {given}: enrol the device again with {used}"
            ),
            Self::Disabled { device } => {
                format!("the code belongs to {device}, which is switched off: use enable")
            }
            Self::Revoked { device, at } => format!(
                "the code belongs to {device}, which was revoked on {at}: remove the old account from the app"
            ),
            Self::Expired { device } => {
                format!(
                    "the code belongs to {device}, which was not confirmed in time: enrol it again"
                )
            }
            Self::Unknown => "the code belongs to none of this user's devices: check that the \
                              app shows the right account, or use reset"
                .to_owned(),
            Self::NoCode => "this is not a code: a code has 6 to 8 digits".to_owned(),
        }
    }

    /// The most likely reason has the lowest rank.
    const fn rank(&self) -> u8 {
        match self {
            Self::Right { .. } => 0,
            Self::AlreadyUsed { .. } | Self::ClockWasAhead { .. } => 1,
            Self::Disabled { .. } => 2,
            Self::Revoked { .. } => 3,
            Self::Expired { .. } => 4,
            Self::ClockOff { .. } | Self::ServerClock { .. } => 5,
            Self::OtherSettings { .. } => 6,
            Self::Unknown | Self::NoCode => 7,
        }
    }
}

/// Compares a code with every device that the user has or had.
pub fn diagnose(
    user: &User,
    keys: &dyn Keys,
    code: Option<&Otp>,
    now: Timestamp,
    window: Window,
) -> Result<Diagnosis, Refusal> {
    let Some(code) = code else { return Ok(Diagnosis::NoCode) };
    let mut best = Diagnosis::Unknown;
    for device in &user.devices {
        let secret = keys.secret(user.id, device)?;
        let Factor::Totp(given) = device.factor;
        for used in possible_settings(given) {
            let current = used.step(now);
            for step in matching_steps(&secret, used, code, now, REACH) {
                let candidate = reason(device, (given, used), (step, current), now, window);
                if candidate.rank() < best.rank() {
                    best = candidate;
                }
            }
        }
    }
    Ok(best)
}

fn reason(
    device: &Device,
    (given, used): (Parameters, Parameters),
    (step, current): (u64, u64),
    now: Timestamp,
    window: Window,
) -> Diagnosis {
    let label = device.label.clone();
    // Setting the clock or changing the settings does not help a device that is out of use.
    if let crate::domain::device::DeviceState::Revoked(revoked) = &device.state {
        return Diagnosis::Revoked { device: label, at: revoked.at };
    }
    if device.is_disabled() {
        return Diagnosis::Disabled { device: label };
    }
    if device.is_expired(now) {
        return Diagnosis::Expired { device: label };
    }
    if used != given {
        return Diagnosis::OtherSettings { device: label, given, used };
    }
    if step.abs_diff(current) > window.steps() {
        let steps = i64::try_from(step).unwrap_or(i64::MAX) - i64::try_from(current).unwrap_or(0);
        return Diagnosis::ClockOff { device: label, steps, period: used.period };
    }
    if let Some(until) = device.refused_until(now, window) {
        return Diagnosis::ClockWasAhead { device: label, until };
    }
    if !device.is_unused(step) {
        return Diagnosis::AlreadyUsed { device: label };
    }
    Diagnosis::Right { device: label, pending: device.is_pending() }
}

/// The device's own settings first, then all that apps are known to use instead.
fn possible_settings(own: Parameters) -> impl Iterator<Item = Parameters> {
    let algorithms = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
    let others = algorithms.into_iter().flat_map(|algorithm| {
        [6, 8].into_iter().flat_map(move |digits| {
            [30, 60].into_iter().map(move |period| Parameters { algorithm, digits, period })
        })
    });
    std::iter::once(own).chain(others.filter(move |other| *other != own))
}

#[cfg(test)]
mod tests {
    use crate::domain::device::{DeviceState, Pending};
    use crate::domain::diagnose::*;
    use crate::domain::factor::totp::code_at;
    use crate::domain::fixture;
    use crate::domain::fixture::{OneSecret, active_state, at, phone, secret};

    const NOW: i64 = 1_800_000_000;

    fn alice(parameters: Parameters) -> User {
        let factor = Factor::Totp(parameters);
        let device = Device { factor, ..phone(2, active_state()) };
        User { devices: vec![device], ..fixture::alice() }
    }

    fn reason_of(user: &User, made_with: Parameters, seconds: i64) -> Diagnosis {
        let code = Otp::read(code_at(&secret(), made_with, seconds).as_bytes());
        diagnose(user, &OneSecret, code.as_ref(), at(NOW), Window::DEFAULT).unwrap()
    }

    #[test]
    fn each_reason_is_found() {
        let common = Parameters::COMMON;
        let user = alice(common);
        let label = Label::parse("phone").unwrap();
        let device = label.clone();
        assert_eq!(reason_of(&user, common, NOW), Diagnosis::Right { device, pending: false });
        for steps in [-20, -2, 2, 20] {
            let device = label.clone();
            let expected = Diagnosis::ClockOff { device, steps, period: 30 };
            assert_eq!(reason_of(&user, common, NOW + 30 * steps), expected);
        }
        assert_eq!(reason_of(&user, common, NOW + 30 * 21), Diagnosis::Unknown);
        let sha256 = Parameters { algorithm: Algorithm::Sha256, digits: 8, period: 60 };
        assert_eq!(reason_of(&alice(sha256), common, NOW).word(), "other_settings");
        assert_eq!(reason_of(&user, sha256, NOW).word(), "other_settings");
        let mut spent = user.clone();
        spent.devices[0].position = Some(common.step(at(NOW)));
        assert_eq!(reason_of(&spent, common, NOW).word(), "already_used");
        spent.devices[0].position = Some(common.step(at(NOW)) + 1);
        assert_eq!(reason_of(&spent, common, NOW).word(), "already_used", "a fast phone");
        spent.devices[0].position = Some(common.step(at(NOW)) + 10);
        let until = at(NOW - NOW % 30 + 30 * 11);
        let device = label.clone();
        assert_eq!(reason_of(&spent, common, NOW), Diagnosis::ClockWasAhead { device, until });
        assert_eq!(
            reason_of(&user.clone().disable(None).unwrap().user, common, NOW).word(),
            "disabled"
        );
        let revoked = user.clone().revoke(None, at(NOW)).unwrap().user;
        assert_eq!(reason_of(&revoked, common, NOW).word(), "revoked");
        let none = diagnose(&user, &OneSecret, None, at(NOW), Window::DEFAULT).unwrap();
        assert_eq!(none, Diagnosis::NoCode);
    }

    #[test]
    fn that_a_device_is_out_of_use_ranks_before_its_clock_and_its_settings() {
        let common = Parameters::COMMON;
        let sha256 = Parameters { algorithm: Algorithm::Sha256, digits: 8, period: 60 };
        let user = alice(common);
        let mut expired = user.clone();
        expired.devices[0].state = DeviceState::Pending(Pending {
            expires_at: at(NOW - 1),
            first_proof: None,
            replaces: Vec::new(),
        });
        for (user, word) in [
            (user.clone().disable(None).unwrap().user, "disabled"),
            (user.clone().revoke(None, at(NOW)).unwrap().user, "revoked"),
            (expired, "expired"),
        ] {
            for steps in [-20, -1, 0, 2, 20] {
                assert_eq!(reason_of(&user, common, NOW + 30 * steps).word(), word, "{steps}");
                assert_eq!(reason_of(&user, sha256, NOW + 60 * steps).word(), word, "{steps}");
            }
        }
    }

    #[test]
    fn no_sentence_contains_a_code() {
        let user = alice(Parameters::COMMON);
        for offset in -21..=21 {
            let code = code_at(&secret(), Parameters::COMMON, NOW + 30 * offset);
            assert!(
                !reason_of(&user, Parameters::COMMON, NOW + 30 * offset).sentence().contains(&code)
            );
        }
    }
}
