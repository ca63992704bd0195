//! Rate limiting against guessing (NIST SP 800-63B-4, section 3.2.2): one counter a user over all
//! factors.

use crate::domain::factor::totp::Window;
use crate::domain::time::{Span, Timestamp};

/// With this many consecutive failures the delays begin.
pub const FREE_FAILURES: u32 = 5;
/// The first delay; each further failure doubles it.
pub const FIRST_DELAY: Span = Span::seconds(30);
pub const LONGEST_DELAY: Span = Span::minutes(15);
/// Wrong codes, consecutive or within one hour, after which no code is evaluated.
pub const MOST_WRONG_CODES: u32 = 100;
/// Attempts while locked are summed up in one event each time this span has passed.
pub const RECORD_EVERY: Span = Span::minutes(1);

/// The configured limits. They can only be stricter than the constants above, which are the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// With this many consecutive failures the delays begin.
    pub free_failures: u32,
    pub longest_delay: Span,
    /// Wrong codes, consecutive or within one hour, after which no code is evaluated.
    pub wrong_codes: u32,
}

impl Limits {
    pub const DEFAULT: Self = Self {
        free_failures: FREE_FAILURES,
        longest_delay: LONGEST_DELAY,
        wrong_codes: MOST_WRONG_CODES,
    };
    /// The least that can be configured; fewer would lock out users who only mistype.
    pub const FEWEST_WRONG_CODES: u32 = 10;
    /// The longest delay that can be configured; a longer one would be a lockout.
    pub const LONGEST: Span = Span::hours(24);
}

/// What bounds guessing: the window of accepted time steps, and the limits on failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub window: Window,
    pub limits: Limits,
}

#[cfg(test)]
impl Bounds {
    pub const DEFAULT: Self = Self { window: Window::DEFAULT, limits: Limits::DEFAULT };
}

/// The factor that failed. Wrong passwords only cause delays: if they could lock until an unlock, knowing
/// a name would be enough to shut a user out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailedFactor {
    Code,
    Password,
}

/// The state of the rate limiting of one user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Throttle {
    /// Consecutive failures of any factor.
    pub failures: u32,
    /// Consecutive wrong codes.
    pub wrong_codes: u32,
    /// Wrong codes since `hour_start`; not cleared when a code is accepted.
    pub hour_codes: u32,
    pub hour_start: Option<Timestamp>,
    pub lock: Option<Lock>,
    /// Passwords evaluated during this lock.
    pub lock_looks: u32,
    /// Attempts while locked that no event has recorded yet.
    pub turned_away: u32,
    pub told_at: Option<Timestamp>,
}

/// A temporary lock. It keeps its start, so that setting the clock back can't shorten it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    pub start: Timestamp,
    pub length: Span,
}

/// Whether an attempt may be evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Lockout {
    Unlocked,
    LockedUntil(Timestamp),
    /// Until an operator unlocks the user.
    UntilUnlocked,
}

impl Throttle {
    /// The decision for an attempt at this time.
    pub fn lockout(&self, now: Timestamp) -> Lockout {
        if self.wrong_codes >= MOST_WRONG_CODES {
            return Lockout::UntilUnlocked;
        }
        match self.lock {
            Some(Lock { start, length }) if now < start || now < start.plus(length) => {
                Lockout::LockedUntil(start.plus(length))
            }
            _ => Lockout::Unlocked,
        }
    }

    /// The state after an evaluated attempt failed.
    #[must_use]
    pub fn failed(mut self, failure: FailedFactor, now: Timestamp, limits: Limits) -> Self {
        self.failures = self.failures.saturating_add(1);
        let mut delay = delay(self.failures, limits);
        if failure == FailedFactor::Code {
            self.wrong_codes = self.wrong_codes.saturating_add(1);
            if self.wrong_codes >= limits.wrong_codes {
                // The lock is stored as this one number, so that raising the limit unlocks nobody.
                self.wrong_codes = self.wrong_codes.max(MOST_WRONG_CODES);
            }
            let start = self.hour_start.filter(|s| *s <= now && now < s.plus(Span::hours(1)));
            self.hour_codes = if start.is_some() { self.hour_codes.saturating_add(1) } else { 1 };
            self.hour_start = start.or(Some(now));
            if self.hour_codes >= limits.wrong_codes {
                let end = start.unwrap_or(now).plus(Span::hours(1));
                delay = delay.max(Some(end.since(now)));
            }
        }
        self.lock = delay.map(|length| Lock { start: now, length });
        self.lock_looks = 0;
        self
    }

    /// Whether a password may be evaluated while locked; counts it if so. A right password is answered
    /// with the lock, and answering it without limit would turn a lockout into a password oracle.
    #[must_use]
    pub fn count_password_check(mut self) -> (Self, bool) {
        let may_evaluate = self.lock_looks < FREE_FAILURES;
        self.lock_looks = self.lock_looks.saturating_add(u32::from(may_evaluate));
        (self, may_evaluate)
    }

    /// The state after a full acceptance: only the hour's count is kept.
    #[must_use]
    pub fn accepted(self) -> Self {
        Self { hour_codes: self.hour_codes, hour_start: self.hour_start, ..Self::default() }
    }

    /// The state after an unlock; unchanged if there is nothing to clear.
    #[must_use]
    pub fn cleared(self) -> Self {
        let idle = self.failures == 0 && self.wrong_codes == 0 && self.lock.is_none();
        if idle { self } else { Self::default() }
    }

    /// The state after an attempt while locked, and how many such attempts an event should record now.
    #[must_use]
    pub fn turned_away(mut self, now: Timestamp) -> (Self, Option<u32>) {
        self.turned_away = self.turned_away.saturating_add(1);
        let due = self.told_at.is_none_or(|t| now < t || now.since(t) >= RECORD_EVERY);
        if !due {
            return (self, None);
        }
        let count = std::mem::take(&mut self.turned_away);
        self.told_at = Some(now);
        (self, Some(count))
    }
}

fn delay(failures: u32, limits: Limits) -> Option<Span> {
    let doublings = failures.checked_sub(limits.free_failures)?;
    let seconds = FIRST_DELAY.0.checked_shl(doublings).filter(|s| *s >= FIRST_DELAY.0);
    Some(seconds.map_or(limits.longest_delay, |s| Span(s).min(limits.longest_delay)))
}

#[cfg(test)]
mod tests {
    use crate::domain::lockout::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds).unwrap()
    }

    #[test]
    fn the_delays_are_those_of_the_manual() {
        let expected =
            [None, None, None, None, Some(30), Some(60), Some(120), Some(240), Some(480)];
        for (n, seconds) in (1..).zip(expected) {
            assert_eq!(delay(n, Limits::DEFAULT).map(|s| s.0), seconds, "{n}");
        }
        for n in [10, 11, 69, 70, 99, 1000, u32::MAX] {
            assert_eq!(delay(n, Limits::DEFAULT), Some(LONGEST_DELAY), "{n}");
        }
    }

    #[test]
    fn stricter_limits_delay_sooner_and_longer_and_lock_earlier() {
        let strict = Limits { free_failures: 2, longest_delay: Span::hours(2), wrong_codes: 10 };
        let after = |n: i64| {
            (0..n).fold(Throttle::default(), |t, i| {
                t.failed(FailedFactor::Code, at(i * 100_000), strict)
            })
        };
        assert_eq!(after(1).lockout(at(0)), Lockout::Unlocked);
        assert_eq!(after(2).lockout(at(100_000)), Lockout::LockedUntil(at(100_030)));
        assert_eq!(after(9).lockout(at(800_000)), Lockout::LockedUntil(at(800_000 + 3840)));
        assert_eq!(after(10).lockout(at(100_000_000)), Lockout::UntilUnlocked);
        let hour = (0..12).fold(Throttle::default(), |t, i| {
            t.accepted().failed(FailedFactor::Code, at(i * 60), strict)
        });
        assert_eq!(hour.lockout(at(3000)), Lockout::LockedUntil(at(3600)), "ten within an hour");
    }

    #[test]
    fn a_lock_ends_on_time_and_a_clock_set_back_does_not_shorten_it() {
        let t = (0..5).fold(Throttle::default(), |t, _| {
            t.failed(FailedFactor::Code, at(1000), Limits::DEFAULT)
        });
        assert_eq!(t.lockout(at(1000)), Lockout::LockedUntil(at(1030)));
        assert_eq!(t.lockout(at(1029)), Lockout::LockedUntil(at(1030)));
        assert_eq!(t.lockout(at(1030)), Lockout::Unlocked);
        assert_eq!(t.lockout(at(10)), Lockout::LockedUntil(at(1030)));
    }

    #[test]
    fn a_hundred_wrong_codes_lock_until_unlocked_and_passwords_never_do() {
        let wrong = |f| {
            (0..100).fold(Throttle::default(), |t, i| t.failed(f, at(i * 10_000), Limits::DEFAULT))
        };
        assert_eq!(wrong(FailedFactor::Code).lockout(at(100_000_000)), Lockout::UntilUnlocked);
        assert_eq!(wrong(FailedFactor::Password).lockout(at(100_000_000)), Lockout::Unlocked);
        assert_eq!(wrong(FailedFactor::Code).accepted().lockout(at(0)), Lockout::Unlocked);
    }

    #[test]
    fn acceptances_in_between_do_not_allow_more_than_a_hundred_guesses_an_hour() {
        let mut t = Throttle::default();
        let mut evaluated = 0;
        for second in 0..3600 {
            let now = at(1_000_000 + second);
            if t.lockout(now) == Lockout::Unlocked {
                evaluated += 1;
                t = if evaluated % 4 == 0 {
                    t.accepted()
                } else {
                    t.failed(FailedFactor::Code, now, Limits::DEFAULT)
                };
            }
        }
        assert_eq!(t.hour_codes, MOST_WRONG_CODES);
        assert!(evaluated <= 134, "{evaluated}");
    }

    #[test]
    fn attempts_during_a_lock_are_summed_by_the_minute() {
        let mut t = Throttle::default();
        let mut counts = Vec::new();
        for second in 0..150 {
            let (next, count) = t.turned_away(at(second));
            t = next;
            counts.extend(count);
        }
        assert_eq!(counts, [1, 60, 60]);
        assert_eq!(t.turned_away, 29);
    }

    proptest! {
        #[test]
        fn no_hour_has_more_guesses_than_the_limit(gaps in prop::collection::vec(0_i64..2000, 1..400)) {
            let mut now = 0;
            let mut t = Throttle::default();
            let mut evaluated = Vec::new();
            for gap in gaps {
                now += gap;
                if t.lockout(at(now)) == Lockout::Unlocked {
                    evaluated.push(now);
                    t = t.failed(FailedFactor::Code, at(now), Limits::DEFAULT);
                }
            }
            prop_assert!(evaluated.len() <= 100);
        }
    }
}
