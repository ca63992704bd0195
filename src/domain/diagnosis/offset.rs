//! How far off a clock is, as people say it, and what to do about it.

use crate::domain::text::counted;

/// Offsets up to this many seconds are no time zone.
const NEAR: u64 = 12 * 60;
/// Offsets from this many seconds on are said in minutes.
const IN_MINUTES: u64 = 120;
const QUARTER: u64 = 15 * 60;
/// A clock that was set by hand is not exact.
const BY_HAND: u64 = 3 * 60;

/// The whole quarter of an hour that an offset is about, as time zones differ by these.
fn time_zones_apart(seconds: u64) -> Option<u64> {
    let quarters = (seconds + QUARTER / 2) / QUARTER * QUARTER;
    (seconds > NEAR && quarters.abs_diff(seconds) <= BY_HAND).then_some(quarters)
}

/// How far off, for people; with its direction.
#[must_use]
pub fn apart(seconds: i64) -> String {
    let way = if seconds > 0 { "ahead" } else { "behind" };
    format!("{} {way}", about(seconds))
}

/// How far off, for people.
#[must_use]
pub fn about(seconds: i64) -> String {
    let seconds = seconds.unsigned_abs();
    if seconds < IN_MINUTES {
        return format!("{seconds} s");
    }
    let minutes = (time_zones_apart(seconds).unwrap_or(seconds) + 30) / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => counted(minutes, "minute"),
        (hours, 0) => counted(hours, "hour"),
        (hours, minutes) => format!("{} {}", counted(hours, "hour"), counted(minutes, "minute")),
    }
}

/// What to do with a phone that is so far off.
#[must_use]
pub fn remedy(seconds: i64) -> &'static str {
    if time_zones_apart(seconds.unsigned_abs()).is_some() {
        "time or time zone was set by hand; set date, time and time zone to automatic"
    } else {
        "set the phone's time to automatic"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d11_offsets_are_said_as_people_say_them() {
        for (seconds, words) in [
            (-300, "5 minutes behind"),
            (900, "15 minutes ahead"),
            (-7200, "2 hours behind"),
            (-7110, "2 hours behind"),
            (3600, "1 hour ahead"),
            (19_800, "5 hours 30 minutes ahead"),
            (-50_400, "14 hours behind"),
            (2280, "38 minutes ahead"),
        ] {
            assert_eq!(apart(seconds), words);
        }
        assert!(remedy(-7110).contains("time zone") && !remedy(2400).contains("time zone"));
        assert!(!remedy(300).contains("time zone"), "a clock that is a little off");
    }
}
