//! Number of users, and of users with MFA enabled, over time.

use std::collections::BTreeMap;

use crate::domain::audit::history::ABSENT;
use crate::domain::text::counted;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::Status;
use crate::store::StatusChange;

const HOUR: u64 = 3600;
/// In hours.
const DAY: u64 = 24;
/// A history that is not longer than this, in hours, has a point for each hour.
const HOURLY: u64 = 2 * DAY;
/// As many points as the chart is wide.
const MAX_POINTS: u64 = 720;

/// Changes of the two numbers, by hour.
#[derive(Clone)]
pub struct StatusChanges {
    /// Users added and users enabled, by hours since 1970.
    hours: BTreeMap<u64, (i64, i64)>,
    /// Changes before the first event with a plausible time.
    early: (i64, i64),
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
}

/// The numbers of users and of users with MFA enabled, which may be wrong for a damaged log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Numbers(i64, i64);

impl Numbers {
    fn at(self, at: Timestamp) -> Point {
        let users = self.0.max(0);
        let enabled = self.1.clamp(0, users).cast_unsigned();
        Point { at, users: users.cast_unsigned(), enabled }
    }
}

impl Point {
    /// Percentage of users with MFA enabled; 100 if there are no users.
    #[expect(clippy::cast_precision_loss, reason = "no store has 2^53 users")]
    pub fn coverage(&self) -> f64 {
        if self.users == 0 { 100.0 } else { self.enabled as f64 * 100.0 / self.users as f64 }
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

/// How many users were added, and how many got MFA, by one change; less than none were removed or lost it.
fn difference(step: &StatusChange) -> (i64, i64) {
    let enabled = Status::Enabled.word();
    let added = i64::from(step.was == ABSENT) - i64::from(step.is_removal);
    let on = i64::from(step.is == enabled && !step.is_removal) - i64::from(step.was == enabled);
    (added, on)
}

/// The numbers after an event, counted back from today's.
#[derive(Clone, Copy)]
pub struct NumbersAfter {
    event: u64,
    numbers: Numbers,
}

impl NumbersAfter {
    pub fn new(event: u64, users_today: u64, enabled_today: u64) -> Self {
        let numbers = Numbers(users_today.cast_signed(), enabled_today.cast_signed());
        Self { event, numbers }
    }

    pub fn take_back(&mut self, step: &StatusChange) {
        if step.seq > self.event {
            let (added, on) = difference(step);
            self.numbers.0 -= added;
            self.numbers.1 -= on;
        }
    }

    pub fn at(self, at: Timestamp) -> Point {
        self.numbers.at(at)
    }
}

impl StatusChanges {
    pub fn new(store_created_at: Timestamp, now: Timestamp) -> Self {
        let last = Some(store_created_at).filter(|at| *at <= now);
        Self { hours: BTreeMap::new(), early: (0, 0), last, now }
    }

    /// Because clocks jump, an event dated in the future, or before its predecessor, counts at the time
    /// of its predecessor.
    pub fn add(&mut self, step: &StatusChange) {
        if step.at <= self.now {
            self.last = self.last.max(Some(step.at));
        }
        let (added, turned_on) = match self.last {
            Some(at) => self.hours.entry(at.unix() / HOUR).or_default(),
            None => &mut self.early,
        };
        let (more, on) = difference(step);
        *added += more;
        *turned_on += on;
    }

    /// Counts back from today's numbers to `since`, and leaves out what is later than `end`. The history begins no
    /// earlier than the first change, unless there were users before it: the log may have been pruned.
    pub fn history(
        mut self,
        users: u64,
        enabled: u64,
        since: Option<Timestamp>,
        end: Point,
    ) -> CoverageHistory {
        let (this_hour, end_hour) = (self.now.unix() / HOUR, end.at.unix() / HOUR);
        let first_change = self.hours.keys().next().copied().unwrap_or(this_hour);
        if self.early != (0, 0) {
            let (added, turned_on) = self.hours.entry(first_change).or_default();
            *added += self.early.0;
            *turned_on += self.early.1;
        }
        let added: i64 = self.hours.values().map(|(added, _)| added).sum();
        let was_empty = users.cast_signed() <= added;
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
        let mut numbers = Numbers(users.cast_signed(), enabled.cast_signed());
        for hour in (first..=this_hour).rev() {
            if is_shown(hour) {
                let last_second = self.now.minus(Span(self.now.unix() + 1 - (hour + 1) * HOUR));
                points.push(numbers.at(last_second));
            }
            let (added, turned_on) = self.hours.get(&hour).copied().unwrap_or_default();
            numbers.0 -= added;
            numbers.1 -= turned_on;
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
        history.points.iter().map(|p| (p.users, p.enabled)).collect()
    }

    fn step(day: i64, was: &str, is: &str) -> StatusChange {
        let is_removal = is == "removed";
        let seq = day.unsigned_abs();
        StatusChange { seq, at: at(day), is_removal, was: was.into(), is: is.into() }
    }

    /// The history until today.
    fn history(
        changes: &StatusChanges,
        (users, enabled): (u64, u64),
        since: Option<Timestamp>,
    ) -> CoverageHistory {
        let end = Point { at: changes.now, users, enabled };
        changes.clone().history(users, enabled, since, end)
    }

    #[test]
    fn the_history_ends_with_the_present_numbers() {
        let mut changes = StatusChanges::new(at(0), at(15));
        let mut after = NumbersAfter::new(12, 2, 1);
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
        assert_eq!(numbers(&history(&StatusChanges::new(at(0), at(15)), (5, 2), None)), [(5, 2)]);
        assert_eq!(
            numbers(&CoverageHistory { points: vec![after.at(at(12))], is_hourly: false }),
            [(2, 1)]
        );
        let ended = changes.clone().history(2, 1, None, after.at(at(13)));
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
        let course = |created, steps: &[StatusChange]| {
            let mut changes = StatusChanges::new(at(created), at(15));
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
}
