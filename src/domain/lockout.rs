//! Rate limiting against guessing (NIST SP 800-63B-4, section 3.2.2): one counter a user over all
//! factors.

mod hour_counts;

use crate::domain::factor::hotp::LookAhead;
use crate::domain::factor::totp::Window;
use crate::domain::lockout::hour_counts::HourCounts;
use crate::domain::time::{Span, Timestamp};

/// With this many consecutive failures the delays begin.
pub const FREE_FAILURES: u32 = 5;
/// The first delay; each further failure doubles it.
pub const FIRST_DELAY: Span = Span::seconds(30);
pub const LONGEST_DELAY: Span = Span::minutes(15);
/// Wrong codes, consecutive or within any hour, after which no code is evaluated.
pub const MOST_WRONG_CODES: u32 = 100;
/// Attempts while locked are summed up in one event each time this span has passed.
pub const RECORD_EVERY: Span = Span::minutes(1);

/// The configured limits. They can only be stricter than the constants above, which are the defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// With this many consecutive failures the delays begin.
    pub free_failures: u32,
    pub longest_delay: Span,
    /// Wrong codes, consecutive or within any hour, after which no code is evaluated.
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

/// What bounds guessing: the window of accepted time steps, the look-ahead of counters, and the limits on failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub window: Window,
    pub look_ahead: LookAhead,
    pub limits: Limits,
}

#[cfg(test)]
impl Bounds {
    pub const DEFAULT: Self =
        Self { window: Window::DEFAULT, look_ahead: LookAhead::DEFAULT, limits: Limits::DEFAULT };
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
    /// Wrong codes of the last hour, packed by [`HourCounts`]; not cleared when a code is accepted.
    pub hour_codes: u32,
    /// When the newest part of [`HourCounts`] began.
    pub hour_start: Option<Timestamp>,
    pub lock: Option<Lock>,
    /// Passwords evaluated during this lock.
    pub lock_looks: u32,
    /// Attempts while locked that no event has recorded yet.
    pub turned_away: u32,
    pub told_at: Option<Timestamp>,
}

/// A temporary lock. It keeps its start, so that setting the clock back can't shorten it.
///
/// A lock that was set while the clock was ahead would last for the whole jump. So where the clock reads a time
/// before its start, the lock lasts for its length from the first attempt of that time. It holds at its own time too:
/// a clock that is set back, and then right again, ends no lock early. One that is set forward does, also where it was
/// set back before and is set forward in part: nothing tells that from time that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lock {
    pub start: Timestamp,
    pub length: Span,
    /// The earliest attempt before the start, if there was one by a clock that was set back.
    pub again: Option<Timestamp>,
}

impl Lock {
    #[must_use]
    pub const fn new(start: Timestamp, length: Span) -> Self {
        Self { start, length, again: None }
    }

    /// When it ends, as seen at this time.
    #[must_use]
    pub fn end(self, now: Timestamp) -> Timestamp {
        let begin = self.again.filter(|again| *again <= now).unwrap_or(now);
        let end = begin.plus(self.length);
        // If it lasts until its own start, it goes on until its own end.
        let is_before = now < self.start && end < self.start;
        if is_before { end } else { self.start.plus(self.length) }
    }

    /// The lock after an attempt at this time, which may be the first since the clock was set back.
    fn seen(self, now: Timestamp) -> Self {
        let is_set_back = now.plus(self.length) < self.start;
        let is_first = self.again.is_none_or(|again| now < again);
        if is_set_back && is_first { Self { again: Some(now), ..self } } else { self }
    }
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
            Some(lock) if now < lock.end(now) => Lockout::LockedUntil(lock.end(now)),
            _ => Lockout::Unlocked,
        }
    }

    /// The state after an evaluated attempt failed.
    #[must_use]
    pub fn failed(mut self, failure: FailedFactor, now: Timestamp, limits: Limits) -> Self {
        self.failures = self.failures.saturating_add(1);
        if failure == FailedFactor::Code {
            self.wrong_codes = self.wrong_codes.saturating_add(1);
            let hour = HourCounts::unpack(self.hour_codes, self.hour_start, now).with_one_more();
            (self.hour_codes, self.hour_start) = (hour.pack(), Some(hour.start));
            if self.wrong_codes >= limits.wrong_codes || hour.total() >= limits.wrong_codes {
                // The lock is stored as this one number, so that raising the limit unlocks nobody.
                self.wrong_codes = self.wrong_codes.max(MOST_WRONG_CODES);
            }
        }
        let delay = delay(self.failures, limits);
        self.lock = delay.map(|length| Lock::new(now, length));
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

    /// The state after an attempt that was looked at although the user is locked, and that counts elsewhere.
    #[must_use]
    pub fn looked_at(self, now: Timestamp) -> Self {
        Self { lock: self.lock.map(|lock| lock.seen(now)), ..self }
    }

    /// The state after an attempt while locked, and how many such attempts an event should record now.
    #[must_use]
    pub fn turned_away(mut self, now: Timestamp) -> (Self, Option<u32>) {
        self.turned_away = self.turned_away.saturating_add(1);
        let lock = self.lock.map(|lock| lock.seen(now));
        // A change of the lock needs its event.
        let due = lock != self.lock
            || self.told_at.is_none_or(|t| now < t || now.since(t) >= RECORD_EVERY);
        self.lock = lock;
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
        let hour = (0..10).fold(Throttle::default(), |t, i| {
            t.accepted().failed(FailedFactor::Code, at(i * 60), strict)
        });
        assert_eq!(hour.lockout(at(3000)), Lockout::UntilUnlocked, "ten within an hour");
    }

    #[test]
    fn a_lock_ends_on_time_and_a_clock_set_back_does_not_shorten_it() {
        let t = (0..5).fold(Throttle::default(), |t, _| {
            t.failed(FailedFactor::Code, at(1000), Limits::DEFAULT)
        });
        assert_eq!(t.lockout(at(1000)), Lockout::LockedUntil(at(1030)));
        assert_eq!(t.lockout(at(1029)), Lockout::LockedUntil(at(1030)));
        assert_eq!(t.lockout(at(1030)), Lockout::Unlocked);
        assert_eq!(t.lockout(at(999)), Lockout::LockedUntil(at(1030)));
        assert_eq!(t.lockout(at(10)), Lockout::LockedUntil(at(40)));
    }

    fn locked_at(seconds: i64) -> Throttle {
        (0..5).fold(Throttle::default(), |t, _| {
            t.failed(FailedFactor::Code, at(seconds), Limits::DEFAULT)
        })
    }

    #[test]
    fn w12_a_lock_of_a_clock_that_was_ahead_lasts_for_its_length() {
        let t = locked_at(86_400);
        assert_eq!(t.lockout(at(1000)), Lockout::LockedUntil(at(1030)), "as any lock");
        let (t, recorded) = t.turned_away(at(1000));
        assert!(recorded.is_some(), "a change of the lock is in the log");
        for now in [1000, 1029] {
            assert_eq!(t.lockout(at(now)), Lockout::LockedUntil(at(1030)), "{now}");
        }
        assert_eq!(t.lockout(at(1030)), Lockout::Unlocked);
        let (t, recorded) = t.turned_away(at(1010));
        assert_eq!((t.lockout(at(1030)), recorded), (Lockout::Unlocked, None), "once");
    }

    #[test]
    fn w12_a_clock_set_back_and_right_again_ends_no_lock_early() {
        let (t, _) = locked_at(86_400).turned_away(at(1000));
        assert_eq!(t.lockout(at(86_400)), Lockout::LockedUntil(at(86_430)));
        assert_eq!(t.lockout(at(86_430)), Lockout::Unlocked);
        let (t, _) = t.turned_away(at(500));
        assert_eq!(t.lockout(at(529)), Lockout::LockedUntil(at(530)), "set back once more");
        assert_eq!(t.lockout(at(100)), Lockout::LockedUntil(at(130)));
        let (t, _) = locked_at(1000).turned_away(at(980));
        assert_eq!(
            t.lockout(at(1010)),
            Lockout::LockedUntil(at(1030)),
            "a clock that differs a bit"
        );
    }

    #[test]
    fn w12_a_clock_set_forward_ends_a_lock_also_where_it_was_set_back_before() {
        let (t, _) = locked_at(86_400).turned_away(at(1000));
        assert_eq!(t.lockout(at(1029)), Lockout::LockedUntil(at(1030)));
        // By the clock a day has almost passed since then, and nothing says that it was set forward.
        assert_eq!(t.lockout(at(85_000)), Lockout::Unlocked);
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

    /// Evaluates a wrong code unless locked; a right one before it has cleared what an acceptance clears.
    fn guess(t: Throttle, now: i64, limits: Limits) -> (Throttle, bool) {
        let t = if t.lockout(at(now)) == Lockout::Unlocked { t.accepted() } else { t };
        let is_evaluated = t.lockout(at(now)) == Lockout::Unlocked;
        let t = if is_evaluated { t.failed(FailedFactor::Code, at(now), limits) } else { t };
        (t, is_evaluated)
    }

    #[test]
    fn s7_a_straddled_hour_has_no_more_than_a_hundred_wrong_codes() {
        let mut t = Throttle::default();
        let mut evaluated = 0;
        // What an end of a fixed hour would have let through: many before it, as many after it.
        for second in (0..3600).step_by(40).chain(3600..5400) {
            let (next, is_evaluated) = guess(t, second, Limits::DEFAULT);
            t = next;
            evaluated += u32::from(is_evaluated);
        }
        assert_eq!(evaluated, MOST_WRONG_CODES);
        assert_eq!(t.lockout(at(1_000_000_000)), Lockout::UntilUnlocked);
        assert_eq!(t.cleared().lockout(at(5400)), Lockout::Unlocked);
    }

    #[test]
    fn s7_wrong_codes_are_forgotten_in_time_and_not_before() {
        let ninety_nine = (0..99).fold(Throttle::default(), |t, n| guess(t, n, Limits::DEFAULT).0);
        let after = |seconds| {
            guess(ninety_nine.clone(), seconds, Limits::DEFAULT).0.lockout(at(i64::MAX >> 30))
        };
        assert_eq!(after(98 + 3600), Lockout::UntilUnlocked);
        assert_eq!(after(4800), Lockout::Unlocked);
        let spread =
            (0..10_000).fold(Throttle::default(), |t, n| guess(t, n * 50, Limits::DEFAULT).0);
        assert_eq!(spread.lockout(at(500_000)), Lockout::Unlocked, "96 in 80 minutes");
    }

    #[test]
    fn s7_a_clock_set_back_forgets_no_wrong_code() {
        let mut t = Throttle::default();
        let mut evaluated = 0;
        for n in 0..200 {
            let (next, is_evaluated) = guess(t, 10_000_000 - n * 5000, Limits::DEFAULT);
            t = next;
            evaluated += u32::from(is_evaluated);
        }
        assert_eq!(evaluated, MOST_WRONG_CODES);
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

    /// The most wrong codes that were evaluated within an hour, wherever it begins.
    fn most_in_an_hour(evaluated: &[i64]) -> usize {
        let in_hour =
            |first: &i64| evaluated.iter().filter(|t| (0..3600).contains(&(*t - first))).count();
        evaluated.iter().map(in_hour).max().unwrap_or(0)
    }

    /// Times between attempts: bursts, the pace of a program, pauses about as long as a part of an hour.
    fn gaps() -> impl Strategy<Value = Vec<i64>> {
        let gap =
            prop_oneof![6 => Just(0_i64), 6 => 0_i64..60, 2 => 0_i64..400, 1 => 1000_i64..4000];
        prop::collection::vec(gap, 1..600)
    }

    proptest! {
            /// The clock runs, and now and then is set back or forward. By the time that really passed, and that by
            /// which the clock was set forward since, a lock that was met lasts at least its length.
            #[test]
            fn w12_a_clock_set_back_shortens_no_lock(
                steps in prop::collection::vec(
                    (0_i64..40, prop_oneof![6 => Just(0_i64), 2 => -200_i64..0, 1 => Just(-86_400), 1 => 1_i64..200]),
                    1..200,
                ),
            ) {
                let (mut passed, mut clock) = (0, 100_000_000);
                let mut t = Throttle::default();
                let mut free_at = 0;
                for (seconds, jump) in steps {
                    passed += seconds + jump.max(0);
                    clock += seconds + jump;
                    if t.lockout(at(clock)) == Lockout::Unlocked {
                        prop_assert!(passed >= free_at, "at {passed}, not before {free_at}");
                        t = t.failed(FailedFactor::Code, at(clock), Limits::DEFAULT);
                        free_at = passed + t.lock.map_or(0, |lock| lock.length.0.cast_signed());
                    } else {
                        t = t.turned_away(at(clock)).0;
                    }
                }
            }

            #[test]
            fn s7_a_sliding_hour_holds_for_any_times(
                gaps in gaps(),
                is_right in prop::collection::vec(prop::bool::weighted(0.25), 600),
                wrong_codes in Limits::FEWEST_WRONG_CODES..=MOST_WRONG_CODES,
                begin in 0_i64..10_000,
            ) {
                let limits = Limits { wrong_codes, ..Limits::DEFAULT };
                let mut now = begin;
                let mut t = Throttle::default();
                let mut evaluated = Vec::new();
                for (gap, is_right) in gaps.into_iter().zip(is_right) {
                    now += gap;
                    match t.lockout(at(now)) {
                        Lockout::UntilUnlocked => {
    prop_assert!(evaluated.len() >= wrong_codes as usize);
                            break;
                        }
                        Lockout::LockedUntil(_) => {}
                        Lockout::Unlocked if is_right => t = t.accepted(),
                        Lockout::Unlocked => {
                            evaluated.push(now);
                            t = t.failed(FailedFactor::Code, at(now), limits);
                        }
                    }
                }
                prop_assert!(most_in_an_hour(&evaluated) <= wrong_codes as usize);
            }

            #[test]
            fn s7_a_sliding_hour_holds_where_only_guesses_are_evaluated(gaps in gaps()) {
                let (mut now, mut t, mut evaluated) = (0, Throttle::default(), Vec::new());
                for gap in gaps {
                    now += gap;
                    let (next, is_evaluated) = guess(t, now, Limits::DEFAULT);
                    t = next;
                    if is_evaluated {
                        evaluated.push(now);
                    }
                    let within = |seconds: i64| evaluated.iter().filter(|t| **t > now - seconds).count();
                    let is_shut = t.lockout(at(now)) == Lockout::UntilUnlocked;
                    prop_assert!(is_shut || within(3600) < 100, "too many");
                    prop_assert!(!is_shut || within(4800) >= 100, "too few to shut anybody out");
                    if is_shut {
                        break;
                    }
                }
            }

            #[test]
            fn s7_the_count_of_an_earlier_version_is_read_as_the_newest_it_can_be(
                mut before in prop::collection::vec(0_i64..3600, 1..100),
                pause in 0_i64..4000,
                gaps in gaps(),
            ) {
                before.sort_unstable();
                let hour_codes = u32::try_from(before.len()).unwrap();
                let hour_start = Some(at(before[0]));
                let mut t = Throttle { hour_codes, hour_start, ..Throttle::default() };
                let mut now = before[before.len() - 1] + pause;
                let mut evaluated = before;
                for gap in gaps {
                    now += gap;
                    let (next, is_evaluated) = guess(t, now, Limits::DEFAULT);
                    t = next;
                    if is_evaluated {
                        evaluated.push(now);
                    }
                }
                prop_assert!(most_in_an_hour(&evaluated) <= 100);
            }
        }
}
