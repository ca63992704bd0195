//! Number of users, of users with MFA enabled, and of users who are covered, over time.

use std::collections::BTreeMap;
use std::ops::{AddAssign, SubAssign};

use crate::domain::audit::earlier_coverage::CountedUser;
use crate::domain::text::counted;
use crate::domain::time::{Span, Timestamp};

const HOUR: u64 = 3600;
/// In hours.
const DAY: u64 = 24;
/// A history that is not longer than this, in hours, has a point for each hour.
const HOURLY: u64 = 2 * DAY;
/// As many points as the chart is wide.
const MAX_POINTS: u64 = 720;

/// Changes of the numbers, by hour.
#[derive(Clone)]
pub struct CoverageChanges {
    /// By hours since 1970.
    hours: BTreeMap<u64, Numbers>,
    /// Changes before the first event with a plausible time.
    early: Numbers,
    /// The latest plausible time so far.
    last: Option<Timestamp>,
    now: Timestamp,
}

/// The numbers at the last second of each day, or of each hour of a short history, and at its end.
pub struct CoverageHistory {
    pub points: Vec<Point>,
    pub is_hourly: bool,
}

/// The numbers at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub at: Timestamp,
    pub users: u64,
    pub enabled: u64,
    /// Enabled by a device of a strong kind.
    pub covered: u64,
}

/// The numbers of users, of users with MFA enabled, and of those who are covered; or how much they change by. They may be
/// wrong for a damaged log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    users: i64,
    enabled: i64,
    covered: i64,
}

impl Numbers {
    pub const fn new(users: u64, enabled: u64, covered: u64) -> Self {
        Self {
            users: users.cast_signed(),
            enabled: enabled.cast_signed(),
            covered: covered.cast_signed(),
        }
    }

    fn of(user: CountedUser) -> Self {
        let CountedUser { exists, is_enabled, is_covered } = user;
        Self { users: exists.into(), enabled: is_enabled.into(), covered: is_covered.into() }
    }

    fn at(self, at: Timestamp) -> Point {
        let users = self.users.max(0);
        let enabled = self.enabled.clamp(0, users);
        let covered = self.covered.clamp(0, enabled).cast_unsigned();
        Point { at, users: users.cast_unsigned(), enabled: enabled.cast_unsigned(), covered }
    }
}

impl AddAssign for Numbers {
    fn add_assign(&mut self, more: Self) {
        self.users += more.users;
        self.enabled += more.enabled;
        self.covered += more.covered;
    }
}

impl SubAssign for Numbers {
    fn sub_assign(&mut self, less: Self) {
        self.users -= less.users;
        self.enabled -= less.enabled;
        self.covered -= less.covered;
    }
}

/// How one event changed the numbers.
#[derive(Clone, Copy, Debug)]
pub struct CoverageStep {
    seq: u64,
    at: Timestamp,
    change: Numbers,
}

impl CoverageStep {
    /// `None` where nothing changed.
    pub fn new(seq: u64, at: Timestamp, before: CountedUser, after: CountedUser) -> Option<Self> {
        let mut change = Numbers::of(after);
        change -= Numbers::of(before);
        (before != after).then_some(Self { seq, at, change })
    }
}

impl Point {
    /// Percentage of users who are covered; 100 if there are no users.
    #[expect(clippy::cast_precision_loss, reason = "no store has 2^53 users")]
    pub fn coverage(&self) -> f64 {
        if self.users == 0 { 100.0 } else { self.covered as f64 * 100.0 / self.users as f64 }
    }

    /// As the percentage is shown: rounded down to tenths.
    pub fn percent(&self) -> String {
        if self.users == 0 {
            return "unknown".to_owned();
        }
        format!("{:.1}%", (self.coverage() * 10.0).floor() / 10.0)
    }

    /// The percentage and the users it is of. Nobody is not covered by 100%.
    pub fn words(&self) -> String {
        if self.users == 0 {
            return "no users".to_owned();
        }
        format!("{} of {}", self.percent(), counted(self.users, "user"))
    }
}

/// The numbers after an event, counted back from today's.
#[derive(Clone, Copy)]
pub struct NumbersAfter {
    event: u64,
    numbers: Numbers,
}

impl NumbersAfter {
    pub const fn new(event: u64, today: Numbers) -> Self {
        Self { event, numbers: today }
    }

    pub fn take_back(&mut self, step: &CoverageStep) {
        if step.seq > self.event {
            self.numbers -= step.change;
        }
    }

    pub fn at(self, at: Timestamp) -> Point {
        self.numbers.at(at)
    }
}

impl CoverageChanges {
    pub fn new(store_created_at: Timestamp, now: Timestamp) -> Self {
        let last = Some(store_created_at).filter(|at| *at <= now);
        Self { hours: BTreeMap::new(), early: Numbers::default(), last, now }
    }

    /// Because clocks jump, an event dated in the future, or before its predecessor, counts at the time
    /// of its predecessor.
    pub fn add(&mut self, step: &CoverageStep) {
        if step.at <= self.now {
            self.last = self.last.max(Some(step.at));
        }
        *match self.last {
            Some(at) => self.hours.entry(at.unix() / HOUR).or_default(),
            None => &mut self.early,
        } += step.change;
    }

    /// Counts back from today's numbers to `since`, and leaves out what is later than `end`. The history begins no
    /// earlier than the first change, unless there were users before it: the log may have been pruned.
    pub fn history(
        mut self,
        today: Numbers,
        since: Option<Timestamp>,
        end: Point,
    ) -> CoverageHistory {
        let (this_hour, end_hour) = (self.now.unix() / HOUR, end.at.unix() / HOUR);
        let first_change = self.hours.keys().next().copied().unwrap_or(this_hour);
        if self.early != Numbers::default() {
            *self.hours.entry(first_change).or_default() += self.early;
        }
        let added: i64 = self.hours.values().map(|change| change.users).sum();
        let was_empty = today.users <= added;
        let first = match since.map(|since| since.unix() / HOUR) {
            Some(since) if was_empty => since.max(first_change),
            Some(since) => since,
            None => first_change,
        };
        let first = first.min(end_hour);
        let is_hourly = end_hour - first <= HOURLY;
        let interval = ((end_hour - first) / DAY / MAX_POINTS).max(1);
        let is_shown = |hour: u64| {
            hour < end_hour
                && (is_hourly
                    || (hour % DAY == DAY - 1
                        && (end_hour / DAY - hour / DAY).is_multiple_of(interval)))
        };
        let mut points = vec![end];
        let mut numbers = today;
        for hour in (first..=this_hour).rev() {
            if is_shown(hour) {
                let last_second = self.now.minus(Span(self.now.unix() + 1 - (hour + 1) * HOUR));
                points.push(numbers.at(last_second));
            }
            numbers -= self.hours.get(&hour).copied().unwrap_or_default();
        }
        points.reverse();
        CoverageHistory { points, is_hourly }
    }
}

#[cfg(test)]
mod tests {
    use crate::commands::report::coverage::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_unix((20_000 + day) * 86_400 + 100).unwrap()
    }

    fn numbers(history: &CoverageHistory) -> Vec<(u64, u64)> {
        history.points.iter().map(|p| (p.users, p.covered)).collect()
    }

    /// Everybody who is enabled is covered.
    fn today(users: u64, enabled: u64) -> Numbers {
        Numbers::new(users, enabled, enabled)
    }

    fn step(day: i64, was: &str, is: &str) -> CoverageStep {
        let user = |word: &str| {
            let is_enabled = word == "enabled";
            CountedUser {
                exists: !["absent", "removed"].contains(&word),
                is_enabled,
                is_covered: is_enabled,
            }
        };
        CoverageStep::new(day.unsigned_abs(), at(day), user(was), user(is)).expect("a change")
    }

    /// The history until today.
    fn history(
        changes: &CoverageChanges,
        (users, enabled): (u64, u64),
        since: Option<Timestamp>,
    ) -> CoverageHistory {
        let end = Point { at: changes.now, users, enabled, covered: enabled };
        changes.clone().history(today(users, enabled), since, end)
    }

    #[test]
    fn the_history_ends_with_the_present_numbers() {
        let mut changes = CoverageChanges::new(at(0), at(15));
        let mut after = NumbersAfter::new(12, today(2, 1));
        for step in [
            step(10, "absent", "not_enabled"),
            step(10, "absent", "not_enabled"),
            step(11, "not_enabled", "enabled"),
            step(13, "enabled", "disabled"),
            step(13, "not_enabled", "enabled"),
            step(13, "absent", "enabled"),
            step(14, "enabled", "removed"),
        ] {
            changes.add(&step);
            after.take_back(&step);
        }
        let all = [(2, 0), (2, 1), (2, 1), (3, 2), (2, 1), (2, 1)];
        assert_eq!(numbers(&history(&changes, (2, 1), None)), all);
        let short = history(&changes, (2, 1), Some(at(14)));
        assert!(short.is_hourly && short.points.len() == 25, "{}", short.points.len());
        assert_eq!(numbers(&history(&CoverageChanges::new(at(0), at(15)), (5, 2), None)), [(5, 2)]);
        assert_eq!(
            numbers(&CoverageHistory { points: vec![after.at(at(12))], is_hourly: false }),
            [(2, 1)]
        );
        let ended = changes.clone().history(today(2, 1), None, after.at(at(13)));
        assert_eq!(numbers(&ended), [(2, 0), (2, 1), (2, 1), (2, 1)], "nothing later than its end");
        let past = history(&changes, (2, 1), Some(at(-5000)));
        assert_eq!(numbers(&past), all, "no users before the first change");
        let day = |point: &Point| point.at.unix() / HOUR / DAY;
        assert_eq!(
            past.points.iter().map(day).collect::<Vec<_>>(),
            (20_010..=20_015).collect::<Vec<_>>()
        );
        // Two users are older than the log.
        let older = history(&changes, (4, 1), Some(at(-5001)));
        assert_eq!(older.points.first().map(|p| (p.users, day(p))), Some((2, 14_999)));
        assert!((700..=900).contains(&older.points.len()), "{}", older.points.len());
    }

    #[test]
    fn a_wrong_clock_misplaces_only_its_own_events() {
        let added = |day| step(day, "absent", "enabled");
        let course = |created, steps: &[CoverageStep]| {
            let mut changes = CoverageChanges::new(at(created), at(15));
            for step in steps {
                changes.add(step);
            }
            history(&changes, (steps.len() as u64, steps.len() as u64), None)
        };
        for wrong in [-7000, 5000] {
            let jump = course(0, &[added(10), added(wrong), added(12)]);
            assert_eq!(numbers(&jump)[..3], [(2, 2), (2, 2), (3, 3)], "{wrong}");
            let first = course(9, &[added(wrong), added(12)]);
            assert_eq!(
                first.points[0].at.unix() / HOUR / DAY,
                20_009,
                "{wrong}: as old as the store"
            );
            assert_eq!(numbers(&first)[..4], [(1, 1), (1, 1), (1, 1), (2, 2)], "{wrong}");
        }
        let created = course(5000, &[added(5000), added(12)]);
        assert_eq!(
            numbers(&created),
            [(2, 2), (2, 2), (2, 2), (2, 2)],
            "created while the clock was wrong"
        );
    }

    #[test]
    fn coverage_counts_strong_kinds_only() {
        let weak = CountedUser { exists: true, is_enabled: true, is_covered: false };
        let strong = CountedUser { is_covered: true, ..weak };
        let mut changes = CoverageChanges::new(at(0), at(15));
        let mut after = NumbersAfter::new(12, Numbers::new(1, 1, 0));
        for step in [
            CoverageStep::new(10, at(10), CountedUser::default(), strong),
            CoverageStep::new(13, at(13), strong, weak),
        ] {
            changes.add(&step.unwrap());
            after.take_back(&step.unwrap());
        }
        assert!(CoverageStep::new(14, at(14), weak, weak).is_none());
        let end = Point { at: at(15), users: 1, enabled: 1, covered: 0 };
        let history = changes.history(Numbers::new(1, 1, 0), None, end);
        let covered: Vec<_> = history.points.iter().map(|p| (p.enabled, p.covered)).collect();
        assert_eq!(covered, [(1, 1), (1, 1), (1, 1), (1, 0), (1, 0), (1, 0)]);
        assert_eq!((after.at(at(12)).coverage(), end.coverage()), (100.0, 0.0));
        assert_eq!(end.words(), "0.0% of 1 user");
    }
}
