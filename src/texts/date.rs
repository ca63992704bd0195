//! Dates and spans, as they are read out loud.

use crate::domain::time::{Span, Timestamp};
use crate::domain::zone::Zone;
use crate::texts::{Text, Texts};

const MONTHS: [Text; 12] = [
    Text::Month1,
    Text::Month2,
    Text::Month3,
    Text::Month4,
    Text::Month5,
    Text::Month6,
    Text::Month7,
    Text::Month8,
    Text::Month9,
    Text::Month10,
    Text::Month11,
    Text::Month12,
];

/// A time that is farther away needs no "in 5 minutes": its date says more.
const NEAR: u64 = 48 * 3600;

impl Texts {
    /// Such as "14 March 2025 at 15:04 (UTC)": for mail and paper, whose reader may be anywhere.
    #[must_use]
    pub fn date(self, at: Timestamp) -> String {
        self.date_in(&Zone::default(), at)
    }

    /// The same by the clock on the reader's wall.
    #[must_use]
    pub fn date_in(self, zone: &Zone, at: Timestamp) -> String {
        let wall = zone.wall_time(at);
        let month = usize::try_from(wall.month - 1).ok().and_then(|month| MONTHS.get(month));
        let day = match wall.day {
            1 => self.text(Text::FirstOfMonth).to_owned(),
            day => day.to_string(),
        };
        let hour = wall.hour;
        let hour = if self.table().pads_hour { format!("{hour:02}") } else { hour.to_string() };
        let values = [
            ("day", day.as_str()),
            ("month", month.map_or("", |month| self.text(*month))),
            ("year", &wall.year.to_string()),
            ("hour", &hour),
            ("minute", &format!("{:02}", wall.minute)),
            ("zone", &wall.zone),
        ];
        self.fill(Text::Date, &values)
    }

    /// The end of a wait, such as "1 January 2026 at 00:01 (UTC), in 30 s". The minute is that after the end, so that
    /// nobody comes back too early.
    #[must_use]
    pub fn end_of_wait(self, zone: &Zone, until: Timestamp, now: Timestamp) -> String {
        let date = self.date_in(zone, until.plus(Span(59)));
        match until.since(now).0 {
            0 | NEAR.. => date,
            seconds => self.fill(Text::Soon, &[("date", &date), ("span", &self.span(seconds))]),
        }
    }

    /// A span in its largest unit, rounded up.
    fn span(self, seconds: u64) -> String {
        let count = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        match seconds {
            0..120 => self.fill(Text::Seconds, &[("count", &seconds.to_string())]),
            120..5400 => self.counted(count(seconds.div_ceil(60)), Text::Minute, Text::Minutes),
            _ => self.counted(count(seconds.div_ceil(3600)), Text::Hour, Text::Hours),
        }
    }

    /// Hours and minutes, such as "7 hours 30 minutes".
    #[must_use]
    pub fn hours_and_minutes(self, minutes: usize) -> String {
        let hours = |hours| self.counted(hours, Text::Hour, Text::Hours);
        let left = |minutes| self.counted(minutes, Text::Minute, Text::Minutes);
        match (minutes / 60, minutes % 60) {
            (0, minutes) => left(minutes),
            (all, 0) => hours(all),
            (all, minutes) => format!("{} {}", hours(all), left(minutes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::Language;

    const ENGLISH: Texts = Texts(Language::English);
    const FRENCH: Texts = Texts(Language::French);

    fn at(text: &str) -> Timestamp {
        Timestamp::parse("at", text).unwrap()
    }

    #[test]
    fn a_date_is_written_in_words() {
        for (time, english, french) in [
            (
                "2025-03-14T15:04:59Z",
                "14 March 2025 at 15:04 (UTC)",
                "14 mars 2025 à 15\u{a0}h\u{a0}04 (UTC)",
            ),
            (
                "2026-08-01T09:00:00Z",
                "1 August 2026 at 09:00 (UTC)",
                "1er août 2026 à 9\u{a0}h\u{a0}00 (UTC)",
            ),
            (
                "2025-12-31T23:59:59Z",
                "31 December 2025 at 23:59 (UTC)",
                "31 décembre 2025 à 23\u{a0}h\u{a0}59 (UTC)",
            ),
        ] {
            assert_eq!(ENGLISH.date(at(time)), english);
            assert_eq!(FRENCH.date(at(time)), french);
        }
        let paris = Zone::of_rule("CET-1CEST,M3.5.0,M10.5.0/3");
        assert_eq!(
            FRENCH.date_in(&paris, at("2025-12-31T23:30:00Z")),
            "1er janvier 2026 à 0\u{a0}h\u{a0}30 (CET)"
        );
        assert_eq!(
            ENGLISH.date_in(&paris, at("2025-07-14T10:00:00Z")),
            "14 July 2025 at 12:00 (CEST)"
        );
    }

    #[test]
    fn the_end_of_a_wait_is_never_too_early_and_says_how_long_it_is() {
        let now = at("2026-01-01T00:00:00Z");
        for (until, english) in [
            ("2026-01-01T00:00:30Z", "1 January 2026 at 00:01 (UTC), in 30 s"),
            ("2026-01-01T00:15:00Z", "1 January 2026 at 00:15 (UTC), in 15 minutes"),
            ("2026-01-01T04:00:01Z", "1 January 2026 at 04:01 (UTC), in 5 hours"),
            ("2026-02-01T00:00:00Z", "1 February 2026 at 00:00 (UTC)"),
            ("2025-12-31T00:00:00Z", "31 December 2025 at 00:00 (UTC)"),
        ] {
            assert_eq!(ENGLISH.end_of_wait(&Zone::default(), at(until), now), english);
        }
        assert_eq!(
            FRENCH.end_of_wait(&Zone::default(), at("2026-01-01T00:02:00Z"), now),
            "1er janvier 2026 à 0\u{a0}h\u{a0}02 (UTC), dans 2 minutes"
        );
    }

    #[test]
    fn hours_and_minutes_are_said_in_the_words_of_a_clock() {
        for (minutes, english, french) in [
            (4, "4 minutes", "4 minutes"),
            (1, "1 minute", "1 minute"),
            (60, "1 hour", "1 heure"),
            (450, "7 hours 30 minutes", "7 heures 30 minutes"),
        ] {
            assert_eq!(ENGLISH.hours_and_minutes(minutes), english);
            assert_eq!(FRENCH.hours_and_minutes(minutes), french);
        }
    }
}
