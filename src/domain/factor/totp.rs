//! Time-based one-time codes (RFC 6238). The only module that imports `totp_rs`.

use std::fmt;
use std::ops::RangeInclusive;

use totp_rs::{Builder, Totp};

use crate::domain::otp::Otp;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;
use crate::domain::text::quoted;
use crate::domain::time::Timestamp;

/// The hash under the HMAC (RFC 6238, section 1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    /// The name in key URIs and in the store; in capitals, because one app refuses lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.to_ascii_uppercase().as_str() {
            "SHA1" => Ok(Self::Sha1),
            "SHA256" => Ok(Self::Sha256),
            "SHA512" => Ok(Self::Sha512),
            _ => Err(Refusal::bad_input("--algorithm", format!("{} is unknown", quoted(text)))
                .hint("use SHA1, SHA256 or SHA512")),
        }
    }
}

/// How codes are computed from a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    pub algorithm: Algorithm,
    /// 6, 7 or 8.
    pub digits: u8,
    /// Length of a time step in seconds.
    pub period: u64,
}

impl Parameters {
    /// The settings every authenticator app supports: SHA1, 6 digits, 30 seconds.
    pub const COMMON: Self = Self { algorithm: Algorithm::Sha1, digits: 6, period: 30 };

    /// Accepts 6 to 8 digits and 15 to 300 seconds.
    pub fn new(algorithm: Algorithm, digits: u64, period: u64) -> Result<Self, Refusal> {
        let in_range = u8::try_from(digits).ok().filter(|digits| (6..=8).contains(digits));
        let digits = in_range
            .ok_or_else(|| Refusal::bad_input("--digits", format!("{digits} is not 6, 7 or 8")))?;
        if !(15..=300).contains(&period) {
            return Err(Refusal::bad_input(
                "--period",
                format!("{period} is not 15 to 300 seconds"),
            ));
        }
        Ok(Self { algorithm, digits, period })
    }

    #[must_use]
    pub fn is_common(&self) -> bool {
        *self == Self::COMMON
    }

    /// The time step T at this time (RFC 6238, section 4.2).
    #[must_use]
    pub const fn step(&self, now: Timestamp) -> u64 {
        now.unix() / self.period
    }

    /// Built without the library's checks: the settings were checked by [`Parameters::new`], and a secret
    /// that was made elsewhere may be shorter than the 128 bits that RFC 4226 (section 4, R6) demands. Who
    /// accepts such a secret decides that when it is stored, not when a code is checked.
    fn generator(&self, secret: &Secret) -> Totp {
        let algorithm = match self.algorithm {
            Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
            Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
            Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
        };
        Builder::new()
            .with_algorithm(algorithm)
            .with_digits(self.digits)
            .with_step_duration(self.period)
            .with_skew(0)
            .with_secret(secret.expose())
            .build_noncompliant()
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} digits, {} s", self.algorithm.as_str(), self.digits, self.period)
    }
}

/// How many time steps before and after the current one are accepted (RFC 6238, section 5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window(u8);

impl Window {
    /// One step, for a phone whose clock is slightly off.
    pub const DEFAULT: Self = Self(1);
    /// The widest that can be configured: a code is then valid for five steps.
    pub const WIDEST: u8 = 2;

    /// Accepts 0 to [`Window::WIDEST`].
    pub fn new(steps: i64) -> Result<Self, Refusal> {
        match u8::try_from(steps) {
            Ok(steps) if steps <= Self::WIDEST => Ok(Self(steps)),
            _ => {
                let problem = format!("{steps} is not 0 to {} steps", Self::WIDEST);
                Err(Refusal::bad_input("window", problem))
            }
        }
    }

    #[must_use]
    pub const fn steps(self) -> u64 {
        self.0 as u64
    }

    /// The time steps that are accepted at this one.
    #[must_use]
    pub const fn around(self, step: u64) -> RangeInclusive<u64> {
        step.saturating_sub(self.steps())..=step.saturating_add(self.steps())
    }
}

/// The newest of these time steps that has this code.
///
/// Every step is computed and compared in constant time, even after a match. Two steps can have the
/// same digits; the newest is returned, because using up the older one would leave the code valid
/// for the newer.
pub(super) fn newest_match(
    secret: &Secret,
    parameters: Parameters,
    code: &Otp,
    steps: RangeInclusive<u64>,
) -> Option<u64> {
    let generator = parameters.generator(secret);
    steps.fold(None, |newest, step| {
        generator.check(code.digits(), step * parameters.period).map(|_| step).or(newest)
    })
}

/// The newest of these time steps that has the second code, and the step before it the first. Every pair is computed
/// and compared.
pub(super) fn newest_successive(
    secret: &Secret,
    parameters: Parameters,
    [first, second]: [&Otp; 2],
    steps: RangeInclusive<u64>,
) -> Option<u64> {
    let generator = parameters.generator(secret);
    let has =
        |code: &Otp, step: u64| generator.check(code.digits(), step * parameters.period).is_some();
    let steps = (*steps.start()).max(1)..=*steps.end();
    steps.fold(
        None,
        |newest, step| {
            if has(first, step - 1) & has(second, step) { Some(step) } else { newest }
        },
    )
}

/// All time steps that have this code, up to `reach` before and after the current one. For diagnosis.
pub fn matching_steps(
    secret: &Secret,
    parameters: Parameters,
    code: &Otp,
    now: Timestamp,
    reach: u64,
) -> Vec<u64> {
    let current = parameters.step(now);
    matches(secret, parameters, code, current.saturating_sub(reach)..=current + reach)
}

/// All of these time steps that have this code, in ascending order. For diagnosis.
pub(super) fn matches(
    secret: &Secret,
    parameters: Parameters,
    code: &Otp,
    steps: RangeInclusive<u64>,
) -> Vec<u64> {
    let generator = parameters.generator(secret);
    let has = |step: &u64| generator.check(code.digits(), step * parameters.period).is_some();
    steps.filter(has).collect()
}

/// The code at a time. Only tests compute codes; the program itself never does.
#[cfg(test)]
pub fn code_at(secret: &Secret, parameters: Parameters, seconds: i64) -> String {
    parameters.generator(secret).generate(seconds.unsigned_abs()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    const NOW_ONLY: Window = Window(0);

    fn secret(bytes: &[u8]) -> Secret {
        Secret::new(Zeroizing::new(bytes.to_vec()))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds).unwrap()
    }

    fn step(secret: &Secret, p: Parameters, code: &str, t: i64, w: Window) -> Option<u64> {
        let code = Otp::read(code.as_bytes()).unwrap();
        newest_match(secret, p, &code, w.around(p.step(at(t))))
    }

    /// RFC 6238, appendix B.
    #[test]
    fn rfc_6238_vectors() {
        let seed = b"1234567890".repeat(7);
        let rows: [(i64, [&str; 3]); 6] = [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ];
        let kinds = [(Algorithm::Sha1, 20), (Algorithm::Sha256, 32), (Algorithm::Sha512, 64)];
        for (t, codes) in rows {
            for ((algorithm, length), code) in kinds.into_iter().zip(codes) {
                let key = secret(&seed[..length]);
                let p = Parameters { algorithm, digits: 8, period: 30 };
                assert_eq!(
                    step(&key, p, code, t, NOW_ONLY),
                    Some(t.unsigned_abs() / 30),
                    "{t} {algorithm:?}"
                );
                let six = Parameters { digits: 6, ..p };
                assert_eq!(step(&key, six, &code[2..], t, NOW_ONLY), Some(t.unsigned_abs() / 30));
            }
        }
    }

    /// RFC 4226, appendix D: a counter of n is the time step that begins at 30 n seconds.
    #[test]
    fn rfc_4226_vectors() {
        let key = secret(b"12345678901234567890");
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, code) in codes.into_iter().enumerate() {
            let t = i64::try_from(counter).unwrap() * 30;
            assert_eq!(step(&key, Parameters::COMMON, code, t, NOW_ONLY), Some(counter as u64));
        }
    }

    /// Secrets of other tools are often 80 bits long. The codes are those of `oathtool -w 4`.
    #[test]
    fn a_secret_of_80_bits_gives_codes() {
        let key = secret(b"Hello!\xDE\xAD\xBE\xEF");
        for (counter, code) in ["282760", "996554", "602287", "143627", "960129"].iter().enumerate()
        {
            let t = i64::try_from(counter).unwrap() * 30;
            assert_eq!(step(&key, Parameters::COMMON, code, t, NOW_ONLY), Some(counter as u64));
        }
        assert_eq!(step(&key, Parameters::COMMON, "282761", 0, Window::DEFAULT), None);
        assert_eq!(
            step(&secret(b"12345678901234567890"), Parameters::COMMON, "282760", 0, NOW_ONLY),
            None
        );
    }

    #[test]
    fn leading_zeros_and_length_count() {
        let key = secret(b"12345678901234567890");
        let p = Parameters::COMMON;
        assert!(step(&key, p, "081804", 1_111_111_109, NOW_ONLY).is_some());
        assert!(step(&key, p, "0081804", 1_111_111_109, NOW_ONLY).is_none());
        assert!(step(&key, p, "00081804", 1_111_111_109, NOW_ONLY).is_none());
        assert!(step(&key, p, "000000", 1_720_006_830, NOW_ONLY).is_some());
    }

    #[test]
    fn codes_inside_the_window_match_and_codes_outside_do_not() {
        let key = secret(b"12345678901234567890");
        for width in 0..=Window::WIDEST {
            let window = Window::new(width.into()).unwrap();
            for second in [0, 29] {
                for offset in -4_i64..=4 {
                    let now = 59_700_000 * 30 + second;
                    let code = code_at(&key, Parameters::COMMON, now + offset * 30);
                    let matches = step(&key, Parameters::COMMON, &code, now, window).is_some();
                    assert_eq!(
                        matches,
                        offset.unsigned_abs() <= u64::from(width),
                        "{offset} {second}"
                    );
                }
            }
        }
        assert!(Window::new(3).is_err());
    }

    #[test]
    fn of_two_steps_with_the_same_code_the_newer_is_returned() {
        let key = secret(b"12345678901234567890");
        let t = 1_732_990_050;
        assert_eq!(
            step(&key, Parameters::COMMON, "251166", t, Window::DEFAULT),
            Some(t.unsigned_abs() / 30 + 1)
        );
    }

    #[test]
    fn the_window_at_the_epoch_does_not_underflow() {
        let key = secret(b"12345678901234567890");
        assert_eq!(step(&key, Parameters::COMMON, "755224", 0, Window::DEFAULT), Some(0));
        assert_eq!(step(&key, Parameters::COMMON, "755224", 59, Window::DEFAULT), Some(0));
    }
}
