//! How guessing is slowed down and stopped (NIST SP 800-63B-4, section 3.2.2).
//!
//! One counter a user over all factors. Pure: the present moment is handed in.

use crate::domain::time::{Span, Timestamp};
use crate::domain::totp::Window;

/// Consecutive failures that are free.
pub const FREE_FAILURES: u32 = 5;
/// The first delay; each further failure doubles it.
pub const FIRST_DELAY: Span = Span::seconds(30);
/// The longest delay.
pub const LONGEST_DELAY: Span = Span::minutes(15);
/// Wrong codes, in a row or within one hour, after which no code is looked at.
pub const MOST_WRONG_CODES: u32 = 100;
/// Attempts during a lock are told in one event per this time.
pub const TELL_EVERY: Span = Span::minutes(1);

/// How many failures an installation bears. It can only be stricter than the constants above, which
/// stand where nothing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Consecutive failures that are free.
    pub free_failures: u32,
    pub longest_delay: Span,
    /// Wrong codes, in a row or within one hour, after which no code is looked at.
    pub wrong_codes: u32,
}

impl Limits {
    pub const DEFAULT: Self = Self {
        free_failures: FREE_FAILURES,
        longest_delay: LONGEST_DELAY,
        wrong_codes: MOST_WRONG_CODES,
    };
    /// Fewer wrong codes than this would shut people out who mistype.
    pub const FEWEST_WRONG_CODES: u32 = 10;
    /// A longer delay is no delay any more.
    pub const LONGEST: Span = Span::hours(24);
}

/// What bounds guessing: how far a code may be off, and how many may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub window: Window,
    pub limits: Limits,
}

impl Bounds {
    pub const DEFAULT: Self = Self { window: Window::DEFAULT, limits: Limits::DEFAULT };
}

/// What failed. Passwords only delay: were they to shut, knowing a name would be enough to keep
/// somebody out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Code,
    Password,
}

/// The memory of the throttle, part of a user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Throttle {
    /// Consecutive failures of any factor.
    pub failures: u32,
    /// Consecutive wrong codes.
    pub wrong_codes: u32,
    /// Wrong codes since `hour_start`; an acceptance does not clear these.
    pub hour_codes: u32,
    pub hour_start: Option<Timestamp>,
    pub lock: Option<Lock>,
    /// Passwords that were looked at during this lock.
    pub lock_looks: u32,
    /// Attempts during a lock that no event has told of yet.
    pub turned_away: u32,
    pub told_at: Option<Timestamp>,
}

/// A lock keeps its start, so that a clock set back can't shorten it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    pub start: Timestamp,
    pub length: Span,
}

/// May an attempt be evaluated?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Gate {
    Open,
    LockedUntil(Timestamp),
    /// Until somebody unlocks.
    Shut,
}

impl Throttle {
    /// The decision for an attempt at this moment.
    pub fn gate(&self, now: Timestamp) -> Gate {
        if self.wrong_codes >= MOST_WRONG_CODES {
            return Gate::Shut;
        }
        match self.lock {
            Some(Lock { start, length }) if now < start || now < start.plus(length) => {
                Gate::LockedUntil(start.plus(length))
            }
            _ => Gate::Open,
        }
    }

    /// The state after a failure that was evaluated.
    #[must_use]
    pub fn failed(mut self, failure: Failure, now: Timestamp, limits: Limits) -> Self {
        self.failures = self.failures.saturating_add(1);
        let mut delay = delay(self.failures, limits);
        if failure == Failure::Code {
            self.wrong_codes = self.wrong_codes.saturating_add(1);
            if self.wrong_codes >= limits.wrong_codes {
                // The gate knows one number, so that a limit which is raised opens nothing.
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

    /// May a password be looked at during a lock? Who has the right one is told of the lock; were
    /// that told without end, a lock would be the best time to guess.
    #[must_use]
    pub fn looked(mut self) -> (Self, bool) {
        let may = self.lock_looks < FREE_FAILURES;
        self.lock_looks = self.lock_looks.saturating_add(u32::from(may));
        (self, may)
    }

    /// The state after a full acceptance: everything but the hour's count is forgotten.
    #[must_use]
    pub fn accepted(self) -> Self {
        Self { hour_codes: self.hour_codes, hour_start: self.hour_start, ..Self::default() }
    }

    /// The state after somebody unlocked; as it was where there is nothing to clear.
    #[must_use]
    pub fn cleared(self) -> Self {
        let idle = self.failures == 0 && self.wrong_codes == 0 && self.lock.is_none();
        if idle { self } else { Self::default() }
    }

    /// The state after an attempt during a lock, and how many such attempts to tell of now.
    #[must_use]
    pub fn turned_away(mut self, now: Timestamp) -> (Self, Option<u32>) {
        self.turned_away = self.turned_away.saturating_add(1);
        let due = self.told_at.is_none_or(|t| now < t || now.since(t) >= TELL_EVERY);
        if !due {
            return (self, None);
        }
        let told = std::mem::take(&mut self.turned_away);
        self.told_at = Some(now);
        (self, Some(told))
    }
}

fn delay(failures: u32, limits: Limits) -> Option<Span> {
    let doublings = failures.checked_sub(limits.free_failures)?;
    let seconds = FIRST_DELAY.0.checked_shl(doublings).filter(|s| *s >= FIRST_DELAY.0);
    Some(seconds.map_or(limits.longest_delay, |s| Span(s).min(limits.longest_delay)))
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn a_stricter_limit_delays_sooner_and_longer_and_shuts_earlier() {
        let strict = Limits { free_failures: 2, longest_delay: Span::hours(2), wrong_codes: 10 };
        let after = |n: i64| {
            (0..n)
                .fold(Throttle::default(), |t, i| t.failed(Failure::Code, at(i * 100_000), strict))
        };
        assert_eq!(after(1).gate(at(0)), Gate::Open);
        assert_eq!(after(2).gate(at(100_000)), Gate::LockedUntil(at(100_030)));
        assert_eq!(after(9).gate(at(800_000)), Gate::LockedUntil(at(800_000 + 3840)));
        assert_eq!(after(10).gate(at(100_000_000)), Gate::Shut);
        let hour = (0..12).fold(Throttle::default(), |t, i| {
            t.accepted().failed(Failure::Code, at(i * 60), strict)
        });
        assert_eq!(hour.gate(at(3000)), Gate::LockedUntil(at(3600)), "ten within an hour");
    }

    #[test]
    fn a_lock_ends_on_time_and_a_clock_set_back_does_not_shorten_it() {
        let t = (0..5)
            .fold(Throttle::default(), |t, _| t.failed(Failure::Code, at(1000), Limits::DEFAULT));
        assert_eq!(t.gate(at(1000)), Gate::LockedUntil(at(1030)));
        assert_eq!(t.gate(at(1029)), Gate::LockedUntil(at(1030)));
        assert_eq!(t.gate(at(1030)), Gate::Open);
        assert_eq!(t.gate(at(10)), Gate::LockedUntil(at(1030)));
    }

    #[test]
    fn a_hundred_wrong_codes_shut_and_passwords_never_do() {
        let wrong = |f| {
            (0..100).fold(Throttle::default(), |t, i| t.failed(f, at(i * 10_000), Limits::DEFAULT))
        };
        assert_eq!(wrong(Failure::Code).gate(at(100_000_000)), Gate::Shut);
        assert_eq!(wrong(Failure::Password).gate(at(100_000_000)), Gate::Open);
        assert_eq!(wrong(Failure::Code).accepted().gate(at(0)), Gate::Open);
    }

    #[test]
    fn acceptances_do_not_buy_more_than_a_hundred_guesses_an_hour() {
        let mut t = Throttle::default();
        let mut evaluated = 0;
        for second in 0..3600 {
            let now = at(1_000_000 + second);
            if t.gate(now) == Gate::Open {
                evaluated += 1;
                t = if evaluated % 4 == 0 {
                    t.accepted()
                } else {
                    t.failed(Failure::Code, now, Limits::DEFAULT)
                };
            }
        }
        assert_eq!(t.hour_codes, MOST_WRONG_CODES);
        assert!(evaluated <= 134, "{evaluated}");
    }

    #[test]
    fn attempts_during_a_lock_are_summed_by_the_minute() {
        let mut t = Throttle::default();
        let mut told = Vec::new();
        for second in 0..150 {
            let (next, tell) = t.turned_away(at(second));
            t = next;
            told.extend(tell);
        }
        assert_eq!(told, [1, 60, 60]);
        assert_eq!(t.turned_away, 29);
    }

    proptest! {
        #[test]
        fn no_hour_sees_more_than_the_limit(gaps in prop::collection::vec(0_i64..2000, 1..400)) {
            let mut now = 0;
            let mut t = Throttle::default();
            let mut evaluated = Vec::new();
            for gap in gaps {
                now += gap;
                if t.gate(at(now)) == Gate::Open {
                    evaluated.push(now);
                    t = t.failed(Failure::Code, at(now), Limits::DEFAULT);
                }
            }
            prop_assert!(evaluated.len() <= 100);
        }
    }
}
