//! Timestamps and spans in whole seconds; written as RFC 3339 in UTC.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::refuse;

/// A time: seconds since 1970-01-01T00:00:00Z, at least 0 and at most [`LAST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// The last second of the year 9998, which every library that reads or writes times can handle.
const LAST: u64 = 253_370_764_799;

impl Timestamp {
    /// Earlier than any clock says.
    pub const EARLIEST: Self = Self(0);

    /// From seconds since the epoch.
    ///
    /// Outside of 1970 to 9998 the refusal is `clock`: no code can be checked with such a clock.
    pub fn from_unix(seconds: i64) -> Result<Self, Refusal> {
        match u64::try_from(seconds) {
            Ok(s) if s <= LAST => Ok(Self(s)),
            _ => Err(Refusal::new(
                ErrorCode::Clock,
                "the clock of this machine is outside the years 1970 to 9998",
            )
            .hint("set the clock, then try again")),
        }
    }

    /// Parses a day such as 2026-03-01, which means its start in UTC, or a time in RFC 3339.
    pub fn parse(field: &str, text: &str) -> Result<Self, Refusal> {
        let day = |text: &str| {
            let day: jiff::civil::Date = text.parse().ok().filter(|_| text.len() == 10)?;
            let start = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
            Some(start.timestamp())
        };
        let moment = text.parse::<jiff::Timestamp>().ok().or_else(|| day(text));
        moment.and_then(|moment| Self::from_unix(moment.as_second()).ok()).ok_or_else(|| {
            refuse(field, text, "is not a date")
                .hint("write it as 2026-03-01, or as 2026-03-01T12:00:00Z")
        })
    }

    /// Parses a time in the past: as [`Timestamp::parse`], or `now`, `today` or `yesterday` (their start
    /// in UTC), a month such as 2026-11 (its start), or a span such as 24h, which means that long ago.
    pub fn parse_past(field: &str, text: &str, now: Self) -> Result<Self, Refusal> {
        const DAY: u64 = 24 * 3600;
        let today = Self(now.0 - now.0 % DAY);
        let moment = match text {
            "now" => now,
            "today" => today,
            "yesterday" => today.minus(Span(DAY)),
            _ => match Span::parse(field, text) {
                Ok(span) => now.minus(span),
                Err(_) => Self::parse_date(field, text).map_err(|refusal| {
                    refusal.hint("write it as 2026-03-01, 2026-03-01T12:00:00Z, yesterday or 24h")
                })?,
            },
        };
        if moment > now {
            return Err(refuse(field, text, "is in the future").hint("give a time in the past"));
        }
        Ok(moment)
    }

    /// Parses a time to come: as [`Timestamp::parse`], or `now`, `today` or `tomorrow` (their start in UTC), or a span
    /// such as 14d, which means so long from now. A date that has passed is taken.
    pub fn parse_coming(field: &str, text: &str, now: Self) -> Result<Self, Refusal> {
        const DAY: u64 = 24 * 3600;
        let today = Self(now.0 - now.0 % DAY);
        match text {
            "now" => Ok(now),
            "today" => Ok(today),
            "tomorrow" => Ok(today.plus(Span(DAY))),
            _ => match Span::parse(field, text) {
                Ok(span) => Ok(now.plus(span)),
                Err(_) => Self::parse(field, text).map_err(|refusal| {
                    refusal.hint("write it as 2026-03-01, 2026-03-01T12:00:00Z, tomorrow or 14d")
                }),
            },
        }
    }

    /// Parses the end of a period: as [`Timestamp::parse_past`], or a date in the future, such as the end of this
    /// month.
    pub fn parse_end(field: &str, text: &str, now: Self) -> Result<Self, Refusal> {
        Self::parse_past(field, text, now)
            .or_else(|refusal| Self::parse_date(field, text).map_err(|_| refusal))
    }

    /// As [`Timestamp::parse`], or a month such as 2026-11, which means its start.
    fn parse_date(field: &str, text: &str) -> Result<Self, Refusal> {
        let is_month = text.len() == 7 && text.as_bytes()[4] == b'-';
        let first_day = is_month.then(|| Self::parse(field, &format!("{text}-01")).ok());
        first_day.flatten().map_or_else(|| Self::parse(field, text), Ok)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn unix(self) -> u64 {
        self.0
    }

    /// Seconds since the epoch, for databases.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        self.0.cast_signed()
    }

    /// A span later, at most [`LAST`].
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0).min(LAST))
    }

    /// A span earlier, at least the epoch.
    #[must_use]
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// Whether this time was noted while the clock was ahead of now. Machines that share a store may differ by a
    /// minute, so that much says nothing.
    ///
    /// What ends a span after such a time must not count yet: it would be good for the whole jump of the clock.
    #[must_use]
    pub const fn is_ahead_of(self, now: Self) -> bool {
        self.0 > now.0.saturating_add(60)
    }

    /// The time since `earlier`; zero if that is in the future.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.as_i64()) {
            Ok(t) => write!(f, "{t}"),
            Err(_) => write!(f, "@{}", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let moment: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
        Self::from_unix(moment.as_second()).map_err(D::Error::custom)
    }
}

/// A length of time in whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub u64);

impl Span {
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    #[must_use]
    pub const fn minutes(minutes: u64) -> Self {
        Self(minutes * 60)
    }

    #[must_use]
    pub const fn hours(hours: u64) -> Self {
        Self(hours * 3600)
    }

    /// Parses `90d`, `2w`, `36h` or `1h 30m`; a day has 24 hours. Months and years are refused, since
    /// they have no fixed length, and so is anything under one second.
    pub fn parse(field: &str, text: &str) -> Result<Self, Refusal> {
        /// About three thousand years: longer than any store is used, and within what [`Timestamp`] holds.
        const LONGEST: f64 = 1e11;
        let span: jiff::Span = text.trim().parse().map_err(|_| unreadable(field, text))?;
        let seconds = span
            .total((jiff::Unit::Second, jiff::SpanRelativeTo::days_are_24_hours()))
            .map_err(|_| unreadable(field, text))?;
        if !(1.0..=LONGEST).contains(&seconds) {
            return Err(refuse(field, text, "is not a span of at least one second"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the range was checked just above"
        )]
        Ok(Self(seconds as u64))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (amount, unit) = match self.0 {
            s if s >= 2 * 86_400 => (s.div_ceil(86_400), "days"),
            s if s >= 2 * 3600 => (s.div_ceil(3600), "hours"),
            s if s >= 120 => (s.div_ceil(60), "minutes"),
            1 => (1, "second"),
            s => (s, "seconds"),
        };
        write!(f, "{amount} {unit}")
    }
}

fn unreadable(field: &str, text: &str) -> Refusal {
    refuse(field, text, "is not a span of time")
        .hint("write a number and a unit, such as 90d, 2w, 36h or 15m")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_with_their_units() {
        for (text, seconds) in [("90d", 7_776_000), ("2w", 1_209_600), ("36h", 129_600), ("1m", 60)]
        {
            assert_eq!(Span::parse("--for", text), Ok(Span(seconds)), "{text}");
        }
    }

    #[test]
    fn spans_without_a_fixed_positive_length_are_refused() {
        for text in ["90", "1mo", "-1d", "0s", "", "d", "٣d", "1e3", "1y", "9999999999999999d"] {
            assert!(Span::parse("--for", text).is_err(), "{text}");
        }
    }

    #[test]
    fn days_and_times_are_read_in_utc() {
        let read = |text| Timestamp::parse("--from", text).map(Timestamp::unix).ok();
        assert_eq!(read("2026-01-01"), Some(1_767_225_600));
        assert_eq!(read("2026-01-01T00:00:00Z"), Some(1_767_225_600));
        assert_eq!(read("2026-01-01T01:00:00+01:00"), Some(1_767_225_600));
        for text in [
            "2026-02-30",
            "2026-1-1",
            "01.03.2026",
            "",
            "0000-00-00",
            "1969-12-31",
            "now",
            "2026-01-01T00:00:00",
            "99999-01-01",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_month_is_its_start_and_an_end_may_be_in_the_future() {
        let now = Timestamp::parse("now", "2026-11-20").unwrap();
        let day = |text| Timestamp::parse("day", text).unwrap();
        assert_eq!(Timestamp::parse_past("--since", "2026-11", now), Ok(day("2026-11-01")));
        assert_eq!(Timestamp::parse_end("--until", "2026-12", now), Ok(day("2026-12-01")));
        assert_eq!(Timestamp::parse_end("--until", "24h", now), Ok(day("2026-11-19")));
        assert!(Timestamp::parse_past("--since", "2026-12", now).is_err());
        for wrong in ["2026-13", "2026-1", "26-11-1", "2026-ää", "tomorrow"] {
            assert!(Timestamp::parse_end("--until", wrong, now).is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_outside_the_calendar_are_refused() {
        assert!(Timestamp::from_unix(-1).is_err());
        assert!(Timestamp::from_unix(i64::MAX).is_err());
        assert_eq!(Timestamp::from_unix(59).unwrap().to_string(), "1970-01-01T00:00:59Z");
        assert_eq!(
            Timestamp::from_unix(LAST.cast_signed()).unwrap().plus(Span::hours(1)).unix(),
            LAST
        );
    }
}
