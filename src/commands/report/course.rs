//! How many users there were, and how many of them enabled, day by day.

use std::collections::BTreeMap;

use crate::domain::past::ABSENT;
use crate::domain::time::Timestamp;
use crate::domain::user::Status;
use crate::store::Step;

const DAY: u64 = 24 * 3600;
/// More points than a chart has dots.
const MOST_POINTS: u64 = 720;

/// Changes of the numbers, by day.
#[derive(Default)]
pub struct Steps(BTreeMap<u64, (i64, i64)>);

/// Numbers at the ends of days, the last one now.
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
    pub fn take(&mut self, step: &Step) {
        let enabled = Status::Enabled.word();
        let (users, on) = self.0.entry(step.at.unix() / DAY).or_default();
        *users += i64::from(step.was == ABSENT) - i64::from(step.is_removal);
        *on += i64::from(step.is == enabled && !step.is_removal) - i64::from(step.was == enabled);
    }

    /// From what is there now back to the first step, or to `since`: the log may not begin with the
    /// first user.
    pub fn course(
        &self,
        users: u64,
        enabled: u64,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Course {
        let today = now.unix() / DAY;
        let first = self.0.keys().next().copied().unwrap_or(today);
        let first = since.map_or(first, |since| since.unix() / DAY).min(today);
        let every = ((today - first) / MOST_POINTS).max(1);
        let mut points = vec![Point { at: now, users, enabled }];
        let (mut users, mut enabled) = (users.cast_signed(), enabled.cast_signed());
        for day in (first..=today).rev() {
            if day != today && (today - day).is_multiple_of(every) {
                let end = now.minus(crate::domain::time::Span(now.unix() - (day + 1) * DAY));
                points.push(Point {
                    at: end,
                    users: users.max(0).cast_unsigned(),
                    enabled: enabled.clamp(0, users.max(0)).cast_unsigned(),
                });
            }
            let (more, on) = self.0.get(&day).copied().unwrap_or_default();
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

    fn step(day: i64, was: &str, is: &str) -> Step {
        Step { at: at(day), is_removal: is == "removed", was: was.into(), is: is.into() }
    }

    #[test]
    fn the_course_leads_to_what_is_there_now() {
        let mut steps = Steps::default();
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
        let numbers = |course: Course| -> Vec<_> {
            course.points.iter().map(|p| (p.users, p.enabled)).collect()
        };
        let all = numbers(steps.course(2, 1, None, at(15)));
        assert_eq!(all, [(2, 0), (2, 1), (2, 1), (3, 2), (2, 1), (2, 1)]);
        assert_eq!(numbers(steps.course(2, 1, Some(at(14)), at(15))), [(2, 1), (2, 1)]);
        assert_eq!(numbers(Steps::default().course(5, 2, None, at(15))), [(5, 2)]);
        let long = steps.course(2, 1, Some(at(15 - 5000)), at(15)).points.len();
        assert!((700..=900).contains(&long), "{long}");
    }
}
