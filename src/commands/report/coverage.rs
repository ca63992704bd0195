//! Number of users, and of users with MFA enabled, day by day.

use std::collections::BTreeMap;

use crate::domain::audit::history::ABSENT;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::Status;
use crate::store::StatusChange;

const DAY: u64 = 24 * 3600;
/// As many points as the chart is wide.
const MAX_POINTS: u64 = 720;

/// Changes of the two numbers, by day.
#[derive(Clone)]
pub struct StatusChanges {
    /// Users added and users enabled, by days since 1970.
    days: BTreeMap<u64, (i64, i64)>,
    /// Changes before the first event with a plausible time.
    early: (i64, i64),
    /// The latest plausible time so far.
    last: Option<Timestamp>,
    now: Timestamp,
}

/// The numbers at the last second of each day, and now.
pub struct CoverageHistory {
    pub points: Vec<Point>,
}

/// The numbers at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub at: Timestamp,
    pub users: u64,
    pub enabled: u64,
}

impl Point {
    /// Percentage of users with MFA enabled; 100 if there are no users.
    #[expect(clippy::cast_precision_loss, reason = "no store has 2^53 users")]
    pub fn coverage(&self) -> f64 {
        if self.users == 0 { 100.0 } else { self.enabled as f64 * 100.0 / self.users as f64 }
    }
}

impl StatusChanges {
    pub fn new(store_created_at: Timestamp, now: Timestamp) -> Self {
        let last = Some(store_created_at).filter(|at| *at <= now);
        Self { days: BTreeMap::new(), early: (0, 0), last, now }
    }

    /// Because clocks jump, an event dated in the future, or before its predecessor, counts at the time
    /// of its predecessor.
    pub fn add(&mut self, step: &StatusChange) {
        let enabled = Status::Enabled.word();
        if step.at <= self.now {
            self.last = self.last.max(Some(step.at));
        }
        let (added, turned_on) = match self.last {
            Some(at) => self.days.entry(at.unix() / DAY).or_default(),
            None => &mut self.early,
        };
        *added += i64::from(step.was == ABSENT) - i64::from(step.is_removal);
        *turned_on +=
            i64::from(step.is == enabled && !step.is_removal) - i64::from(step.was == enabled);
    }

    /// Counts back from today's numbers to `since`. The history begins no earlier than the first change,
    /// unless there were users before it: the log may have been pruned.
    pub fn history(
        mut self,
        users: u64,
        enabled: u64,
        since: Option<Timestamp>,
    ) -> CoverageHistory {
        let now = self.now;
        let today = now.unix() / DAY;
        let first_change = self.days.keys().next().copied().unwrap_or(today);
        if self.early != (0, 0) {
            let (added, turned_on) = self.days.entry(first_change).or_default();
            *added += self.early.0;
            *turned_on += self.early.1;
        }
        let added: i64 = self.days.values().map(|(added, _)| added).sum();
        let was_empty = users.cast_signed() <= added;
        let first = match since.map(|since| since.unix() / DAY) {
            Some(since) if was_empty => since.max(first_change),
            Some(since) => since,
            None => first_change,
        };
        let first = first.min(today);
        let interval = ((today - first) / MAX_POINTS).max(1);
        let mut points = vec![Point { at: now, users, enabled }];
        let (mut users, mut enabled) = (users.cast_signed(), enabled.cast_signed());
        for day in (first..=today).rev() {
            if day != today && (today - day).is_multiple_of(interval) {
                let end = now.minus(Span(now.unix() - (day + 1) * DAY + 1));
                points.push(Point {
                    at: end,
                    users: users.max(0).cast_unsigned(),
                    enabled: enabled.clamp(0, users.max(0)).cast_unsigned(),
                });
            }
            let (added, turned_on) = self.days.get(&day).copied().unwrap_or_default();
            users -= added;
            enabled -= turned_on;
        }
        points.reverse();
        CoverageHistory { points }
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
        StatusChange { at: at(day), is_removal: is == "removed", was: was.into(), is: is.into() }
    }

    #[test]
    fn the_history_ends_with_the_present_numbers() {
        let mut changes = StatusChanges::new(at(0), at(15));
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
        }
        let all = [(2, 0), (2, 1), (2, 1), (3, 2), (2, 1), (2, 1)];
        assert_eq!(numbers(&changes.clone().history(2, 1, None)), all);
        assert_eq!(numbers(&changes.clone().history(2, 1, Some(at(14)))), [(2, 1), (2, 1)]);
        assert_eq!(numbers(&StatusChanges::new(at(0), at(15)).history(5, 2, None)), [(5, 2)]);
        let history = changes.clone().history(2, 1, Some(at(-5000)));
        assert_eq!(numbers(&history), all, "no users before the first change");
        let day = |point: &Point| point.at.unix() / DAY;
        assert_eq!(
            history.points.iter().map(day).collect::<Vec<_>>(),
            (20_010..=20_015).collect::<Vec<_>>()
        );
        // Two users are older than the log.
        let older = changes.history(4, 1, Some(at(-5001)));
        assert_eq!(older.points.first().map(|p| (p.users, day(p))), Some((2, 14_999)));
        assert!((700..=900).contains(&older.points.len()), "{}", older.points.len());
    }

    #[test]
    fn a_wrong_clock_misplaces_only_its_own_events() {
        let added = |day| step(day, "absent", "enabled");
        let history = |created, steps: &[StatusChange]| {
            let mut changes = StatusChanges::new(at(created), at(15));
            for step in steps {
                changes.add(step);
            }
            changes.history(steps.len() as u64, steps.len() as u64, None)
        };
        for wrong in [-7000, 5000] {
            let jump = history(0, &[added(10), added(wrong), added(12)]);
            assert_eq!(numbers(&jump)[..3], [(2, 2), (2, 2), (3, 3)], "{wrong}");
            let first = history(9, &[added(wrong), added(12)]);
            assert_eq!(first.points[0].at.unix() / DAY, 20_009, "{wrong}: as old as the store");
            assert_eq!(numbers(&first)[..4], [(1, 1), (1, 1), (1, 1), (2, 2)], "{wrong}");
        }
        let created = history(5000, &[added(5000), added(12)]);
        assert_eq!(
            numbers(&created),
            [(2, 2), (2, 2), (2, 2), (2, 2)],
            "created while the clock was wrong"
        );
    }
}
