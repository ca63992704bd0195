//! Counter-based one-time codes (RFC 4226). A code is right at a counter, and the counter only goes forward.

use std::fmt;

use crate::domain::factor::totp;
use crate::domain::factor::totp::Algorithm;
use crate::domain::otp::Otp;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Secret;

/// The form of a code: what is computed from a secret and a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeForm {
    pub algorithm: Algorithm,
    /// 6, 7 or 8.
    pub digits: u8,
}

impl CodeForm {
    /// The settings of RFC 4226, which every token and every app has: SHA1, 6 digits.
    pub const COMMON: Self = Self { algorithm: Algorithm::Sha1, digits: 6 };

    /// Accepts 6 to 8 digits.
    pub fn new(algorithm: Algorithm, digits: u64) -> Result<Self, Refusal> {
        let checked = totp::Parameters::new(algorithm, digits, totp::Parameters::COMMON.period)?;
        Ok(Self { algorithm, digits: checked.digits })
    }

    #[must_use]
    pub fn is_common(self) -> bool {
        self == Self::COMMON
    }

    /// As those of a time-based code whose time step is one second: the counter is its time.
    const fn by_counter(self) -> totp::Parameters {
        totp::Parameters { algorithm: self.algorithm, digits: self.digits, period: 1 }
    }
}

impl fmt::Display for CodeForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} digits", self.algorithm.as_str(), self.digits)
    }
}

/// How many counters after the last one are accepted: a token counts each press of its button, and some codes are
/// never submitted (the look-ahead window s of RFC 4226, section 7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LookAhead(u8);

impl LookAhead {
    pub const DEFAULT: Self = Self(10);
    /// The most that can be configured. Each counter is a further code that a guess may hit.
    pub const WIDEST: u8 = 50;

    /// Accepts 1 to [`LookAhead::WIDEST`].
    pub fn new(counters: i64) -> Result<Self, Refusal> {
        let in_range = u8::try_from(counters).ok().filter(|n| (1..=Self::WIDEST).contains(n));
        let problem = || format!("{counters} is not 1 to {} codes", Self::WIDEST);
        let hint = format!("{} is usual: the wider, the more wrong codes fit", Self::DEFAULT.0);
        in_range.map(Self).ok_or_else(|| Refusal::bad_input("look_ahead", problem()).hint(hint))
    }

    #[must_use]
    pub const fn counters(self) -> u64 {
        self.0 as u64
    }
}

/// How far ahead two successive codes are looked for.
pub const RESYNC_REACH: u64 = 1000;

/// The highest counter. The store keeps numbers of 63 bits; no token gets there.
pub const LAST_COUNTER: u64 = i64::MAX.unsigned_abs();

/// How many counters before the last used one are recognised as used: a code that was written down, or read out twice,
/// is a repeated code and no guess. Few, because each is a further HMAC at every attempt.
const LOOK_BACK: u64 = 10;

/// The newest counter that has this code, from [`LOOK_BACK`] before the last used one, which shows a repeated code, to
/// the end of the look-ahead. Whether it is unused is for the caller to ask.
///
/// Every counter is computed and compared in constant time, even after a match. Of two counters with the same digits
/// the newer is returned, because using up the older one would leave the code valid for the newer.
pub fn matching_counter(
    secret: &Secret,
    form: CodeForm,
    code: &Otp,
    last: Option<u64>,
    look_ahead: LookAhead,
) -> Option<u64> {
    let first = last.map_or(0, |last| last.saturating_sub(LOOK_BACK));
    let end = end_of(last, look_ahead.counters());
    totp::newest_match(secret, form.by_counter(), code, first..=end)
}

/// The newest counter that has the second code, and the one before it the first, from [`REACH_BEHIND`] before the last
/// used one, which shows repeated codes, to [`RESYNC_REACH`] after it. Whether both are unused is for the caller to ask.
/// Every pair is computed and compared.
pub fn successive_counters(
    secret: &Secret,
    form: CodeForm,
    codes: [&Otp; 2],
    last: Option<u64>,
) -> Option<u64> {
    let first = last.map_or(1, |last| last.saturating_sub(REACH_BEHIND).max(1));
    let end = end_of(last, RESYNC_REACH);
    totp::newest_successive(secret, form.by_counter(), codes, first..=end)
}

/// Where a code stands that is not accepted, or no more; see [`counter_near`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NearCounter {
    Next(u64),
    /// The last used one, or an earlier one.
    Used(u64),
    /// So many counters after the look-ahead.
    Beyond(u64),
}

/// How far behind the last used counter a code is looked for, for a diagnosis and for two successive codes. One wrong
/// code in 10,000 fits there by chance.
const REACH_BEHIND: u64 = 100;

/// The counter that has this code, from [`REACH_BEHIND`] before the last used one to [`RESYNC_REACH`] after it: for a
/// diagnosis. One that would be accepted comes first, then a used one, then the nearest ahead.
pub fn counter_near(
    secret: &Secret,
    form: CodeForm,
    code: &Otp,
    last: Option<u64>,
    look_ahead: LookAhead,
) -> Option<NearCounter> {
    let first = last.map_or(0, |last| last.saturating_sub(REACH_BEHIND));
    let found = totp::matches(secret, form.by_counter(), code, first..=end_of(last, RESYNC_REACH));
    let end = end_of(last, look_ahead.counters());
    let is_used = |counter: &u64| last.is_some_and(|last| *counter <= last);
    let next = found.iter().copied().rfind(|counter| !is_used(counter) && *counter <= end);
    let used = found.iter().copied().rfind(is_used);
    let beyond = found.iter().copied().find(|counter| *counter > end);
    next.map(NearCounter::Next)
        .or(used.map(NearCounter::Used))
        .or(beyond.map(|counter| NearCounter::Beyond(counter - end)))
}

/// The code at a counter. Only tests compute codes.
#[cfg(test)]
pub fn code_at(secret: &Secret, form: CodeForm, counter: u64) -> String {
    totp::code_at(secret, form.by_counter(), counter.cast_signed())
}

/// The counter of the next code: what an app is to begin with.
#[must_use]
pub const fn next_counter(last: Option<u64>) -> u64 {
    match last {
        Some(last) if last < LAST_COUNTER => last + 1,
        Some(_) => LAST_COUNTER,
        None => 0,
    }
}

/// The last of so many counters after the last used one.
const fn end_of(last: Option<u64>, counters: u64) -> u64 {
    let end = match last {
        Some(last) => last.saturating_add(counters),
        None => counters - 1,
    };
    if end < LAST_COUNTER { end } else { LAST_COUNTER }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn secret() -> Secret {
        Secret::new(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    fn otp(digits: &str) -> Otp {
        Otp::read(digits.as_bytes()).unwrap()
    }

    fn code(counter: u64) -> String {
        code_at(&secret(), CodeForm::COMMON, counter)
    }

    fn counter(code: &str, last: Option<u64>) -> Option<u64> {
        matching_counter(&secret(), CodeForm::COMMON, &otp(code), last, LookAhead::DEFAULT)
    }

    /// RFC 4226, appendix D.
    #[test]
    fn rfc_4226_vectors() {
        let codes = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (n, code) in (0..).zip(codes) {
            assert_eq!(counter(code, None), Some(n));
            assert_eq!(counter(code, Some(n)), Some(n), "the last used one");
            assert_eq!(counter(code, Some(n + 1)), Some(n), "an earlier one");
            assert_eq!(counter(code, Some(n + LOOK_BACK)), Some(n), "the earliest recognised one");
            assert_eq!(counter(code, Some(n + LOOK_BACK + 1)), None, "too long ago");
        }
    }

    #[test]
    fn the_look_ahead_ends_where_it_says() {
        for counters in [1, 10, 50] {
            let look_ahead = LookAhead::new(counters).unwrap();
            let counters = counters.unsigned_abs();
            let found = |last, code: &str| {
                matching_counter(&secret(), CodeForm::COMMON, &otp(code), last, look_ahead)
            };
            assert_eq!(found(Some(100), &code(100 + counters)), Some(100 + counters));
            assert_eq!(found(Some(100), &code(101 + counters)), None);
            assert_eq!(found(None, &code(counters - 1)), Some(counters - 1));
            assert_eq!(found(None, &code(counters)), None);
        }
        assert!(LookAhead::new(0).is_err() && LookAhead::new(51).is_err());
        assert!(LookAhead::new(-1).is_err() && LookAhead::new(266).is_err());
    }

    #[test]
    fn two_successive_codes_are_found_a_thousand_ahead() {
        let found = |last, first: u64, second: u64| {
            let codes = [&otp(&code(first)), &otp(&code(second))];
            successive_counters(&secret(), CodeForm::COMMON, codes, last)
        };
        assert_eq!(found(Some(5), 1004, 1005), Some(1005));
        assert_eq!(found(Some(5), 1005, 1006), None, "too far ahead");
        assert_eq!(found(Some(5), 900, 902), None, "not successive");
        assert_eq!(found(Some(5), 901, 900), None, "the wrong way round");
        assert_eq!(found(Some(5), 5, 6), Some(6), "the first one is used");
        assert_eq!(found(Some(500), 499, 500), Some(500), "both are used");
        assert_eq!(found(Some(500), 399, 400), Some(400));
        assert_eq!(found(Some(500), 398, 399), None, "too long ago");
        assert_eq!(found(Some(5), 6, 7), Some(7));
        assert_eq!(found(None, 0, 1), Some(1));
        assert_eq!(found(None, 998, 999), Some(999));
        assert_eq!(found(None, 999, 1000), None);
    }

    #[test]
    fn the_counter_does_not_wrap() {
        assert_eq!(counter(&code(LAST_COUNTER), Some(LAST_COUNTER)), Some(LAST_COUNTER));
        assert_eq!(counter(&code(LAST_COUNTER), Some(LAST_COUNTER - 3)), Some(LAST_COUNTER));
        assert_eq!(counter("755224", Some(LAST_COUNTER)), None);
        let codes = [&otp("755224"), &otp("287082")];
        for last in [LAST_COUNTER, u64::MAX] {
            assert_eq!(successive_counters(&secret(), CodeForm::COMMON, codes, Some(last)), None);
        }
    }

    #[test]
    fn a_diagnosis_finds_codes_far_ahead_and_some_behind() {
        let near = |counter, last| {
            let code = &otp(&code(counter));
            counter_near(&secret(), CodeForm::COMMON, code, last, LookAhead::DEFAULT)
        };
        assert_eq!(near(510, Some(500)), Some(NearCounter::Next(510)));
        assert_eq!(near(511, Some(500)), Some(NearCounter::Beyond(1)));
        assert_eq!(near(1500, Some(500)), Some(NearCounter::Beyond(990)));
        assert_eq!(near(1501, Some(500)), None);
        for used in [500, 499, 400] {
            assert_eq!(near(used, Some(500)), Some(NearCounter::Used(used)));
        }
        assert_eq!(near(399, Some(500)), None);
        assert_eq!(near(9, None), Some(NearCounter::Next(9)));
        assert_eq!(near(10, None), Some(NearCounter::Beyond(1)));
        assert_eq!(near(LAST_COUNTER, Some(LAST_COUNTER)), Some(NearCounter::Used(LAST_COUNTER)));
    }
}
