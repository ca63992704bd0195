//! How many users there were, and how many of them enabled, day by day.

use std::collections::BTreeMap;

use crate::domain::past::ABSENT;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::Status;
use crate::store::Step;

const DAY: u64 = 24 * 3600;
/// More points than a chart has dots.
const MOST_POINTS: u64 = 720;

/// Changes of the numbers, by day.
#[derive(Clone)]
pub struct Steps {
    days: BTreeMap<u64, (i64, i64)>,
    /// Those from before the first time that a right clock may have shown.
    early: (i64, i64),
    /// The time of the event before.
    last: Option<Timestamp>,
    now: Timestamp,
}

/// Numbers at the ends of days, in their last second, the last one now.
pub struct Course {
    pub points: Vec<Point>,
}

/// The numbers at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    pub at: Timestamp,
    pub users: u64,
    pub enabled: u64,
}

impl Point {
    /// Percent of the users who are enabled; 100 where there are none.
    #[expect(clippy::cast_precision_loss, reason = "no store has 2^53 users")]
    pub fn coverage(&self) -> f64 {
        if self.users == 0 { 100.0 } else { self.enabled as f64 * 100.0 / self.users as f64 }
    }
}

impl Steps {
    /// Of a store that was made then.
    pub fn new(made_at: Timestamp, now: Timestamp) -> Self {
        let last = Some(made_at).filter(|at| *at <= now);
        Self { days: BTreeMap::new(), early: (0, 0), last, now }
    }

    /// The clock may have been wrong for a while: a time that is still to come, and one before that of
    /// the event before, count as that one's.
    pub fn take(&mut self, step: &Step) {
        let enabled = Status::Enabled.word();
        if step.at <= self.now {
            self.last = self.last.max(Some(step.at));
        }
        let (users, on) = match self.last {
            Some(at) => self.days.entry(at.unix() / DAY).or_default(),
            None => &mut self.early,
        };
        *users += i64::from(step.was == ABSENT) - i64::from(step.is_removal);
        *on += i64::from(step.is == enabled && !step.is_removal) - i64::from(step.was == enabled);
    }

    /// From what is there now back to `since`, or to the first step where there was nobody before it: the
    /// log may not begin with the first user.
    pub fn course(mut self, users: u64, enabled: u64, since: Option<Timestamp>) -> Course {
        let now = self.now;
        let today = now.unix() / DAY;
        let first_step = self.days.keys().next().copied().unwrap_or(today);
        if self.early != (0, 0) {
            let (more, on) = self.days.entry(first_step).or_default();
            *more += self.early.0;
            *on += self.early.1;
        }
        let added: i64 = self.days.values().map(|(more, _)| more).sum();
        let was_empty = users.cast_signed() <= added;
        let first = match since.map(|since| since.unix() / DAY) {
            Some(since) if was_empty => since.max(first_step),
            Some(since) => since,
            None => first_step,
        };
        let first = first.min(today);
        let every = ((today - first) / MOST_POINTS).max(1);
        let mut points = vec![Point { at: now, users, enabled }];
        let (mut users, mut enabled) = (users.cast_signed(), enabled.cast_signed());
        for day in (first..=today).rev() {
            if day != today && (today - day).is_multiple_of(every) {
                let end = now.minus(Span(now.unix() - (day + 1) * DAY + 1));
                points.push(Point {
                    at: end,
                    users: users.max(0).cast_unsigned(),
                    enabled: enabled.clamp(0, users.max(0)).cast_unsigned(),
                });
            }
            let (more, on) = self.days.get(&day).copied().unwrap_or_default();
            users -= more;
            enabled -= on;
        }
        points.reverse();
        Course { points }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_unix((20_000 + day) * 86_400 + 100).unwrap()
    }

    fn numbers(course: &Course) -> Vec<(u64, u64)> {
        course.points.iter().map(|p| (p.users, p.enabled)).collect()
    }

    fn step(day: i64, was: &str, is: &str) -> Step {
        Step { at: at(day), is_removal: is == "removed", was: was.into(), is: is.into() }
    }

    #[test]
    fn the_course_leads_to_what_is_there_now() {
        let mut steps = Steps::new(at(0), at(15));
        for step in [
            step(10, "absent", "not_enabled"),
            step(10, "absent", "not_enabled"),
            step(11, "not_enabled", "enabled"),
            step(13, "enabled", "disabled"),
            step(13, "not_enabled", "enabled"),
            step(13, "absent", "enabled"),
            step(14, "enabled", "removed"),
        ] {
            steps.take(&step);
        }
        let all = [(2, 0), (2, 1), (2, 1), (3, 2), (2, 1), (2, 1)];
        assert_eq!(numbers(&steps.clone().course(2, 1, None)), all);
        assert_eq!(numbers(&steps.clone().course(2, 1, Some(at(14)))), [(2, 1), (2, 1)]);
        assert_eq!(numbers(&Steps::new(at(0), at(15)).course(5, 2, None)), [(5, 2)]);
        let course = steps.clone().course(2, 1, Some(at(-5000)));
        assert_eq!(numbers(&course), all, "there was nobody before the first step");
        let day = |point: &Point| point.at.unix() / DAY;
        assert_eq!(
            course.points.iter().map(day).collect::<Vec<_>>(),
            (20_010..=20_015).collect::<Vec<_>>()
        );
        // Two users are older than what the log tells of.
        let older = steps.course(4, 1, Some(at(-5001)));
        assert_eq!(older.points.first().map(|p| (p.users, day(p))), Some((2, 14_999)));
        assert!((700..=900).contains(&older.points.len()), "{}", older.points.len());
    }

    #[test]
    fn a_clock_that_was_wrong_for_a_while_moves_nothing_but_its_own_steps() {
        let added = |day| step(day, "absent", "enabled");
        let course = |made, steps: &[Step]| {
            let mut taken = Steps::new(at(made), at(15));
            for step in steps {
                taken.take(step);
            }
            taken.course(steps.len() as u64, steps.len() as u64, None)
        };
        for wrong in [-7000, 5000] {
            let slip = course(0, &[added(10), added(wrong), added(12)]);
            assert_eq!(numbers(&slip)[..3], [(2, 2), (2, 2), (3, 3)], "{wrong}");
            let first = course(9, &[added(wrong), added(12)]);
            assert_eq!(first.points[0].at.unix() / DAY, 20_009, "{wrong}: as old as the store");
            assert_eq!(numbers(&first)[..4], [(1, 1), (1, 1), (1, 1), (2, 2)], "{wrong}");
        }
        let born = course(5000, &[added(5000), added(12)]);
        assert_eq!(numbers(&born), [(2, 2), (2, 2), (2, 2), (2, 2)], "made by a wrong clock");
    }
}
