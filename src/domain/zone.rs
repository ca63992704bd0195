//! Times as people read them: by the clock on their wall, and how long until then or since. Programs get UTC.

use std::borrow::Cow;

use jiff::tz::TimeZone;

use crate::domain::audit::anchor::Anchor;
use crate::domain::text::counted;
use crate::domain::time::Timestamp;

/// A time zone; UTC where none is known.
#[derive(Clone, Debug, Default)]
pub struct Zone(Option<TimeZone>);

/// What a clock on the wall shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WallTime {
    pub year: i16,
    pub month: i8,
    pub day: i8,
    pub hour: i8,
    pub minute: i8,
    /// Such as CET.
    pub zone: String,
}

/// The length of a time such as 2026-03-01T12:00:00Z.
const LENGTH: usize = 20;
/// A time that is farther away has no "in 5 minutes": its date says more.
const NEAR: u64 = 48 * 3600;

impl Zone {
    /// The zone of a compiled file of the time zone database; UTC if the file has no such form, or is that of UTC.
    #[must_use]
    pub fn of_file(name: &str, content: &[u8]) -> Self {
        Self::of(TimeZone::tzif(name, content).ok())
    }

    /// The zone of a text such as `CET-1CEST,M3.5.0,M10.5.0/3`; UTC if it is none.
    #[must_use]
    pub fn of_rule(rule: &str) -> Self {
        Self::of(TimeZone::posix(rule).ok())
    }

    fn of(zone: Option<TimeZone>) -> Self {
        let is_utc = |zone: &TimeZone| {
            let info = zone.to_offset_info(jiff::Timestamp::UNIX_EPOCH);
            matches!(info.abbreviation(), "UTC" | "UCT" | "Zulu")
        };
        Self(zone.filter(|zone| !is_utc(zone)))
    }

    /// The text with each time in it as `2026-03-01 13:00:00 CET (in 5 minutes)`. A text that is a time and no more,
    /// such as a cell under a header, has its local time only. The value of an option is left alone, because the
    /// command is to be copied.
    #[must_use]
    pub fn for_people<'t>(&self, text: &'t str, now: Timestamp) -> Cow<'t, str> {
        if let Some(at) = time(text) {
            return self.local(at, "%Y-%m-%d %H:%M:%S").map_or(Cow::Borrowed(text), Cow::Owned);
        }
        let mut written = String::new();
        let mut from = 0;
        for (place, _) in text.match_indices('T') {
            // The date before the T, and the time after it.
            let Some(start) = place.checked_sub(10).filter(|start| *start >= from) else {
                continue;
            };
            let Some(at) = text.get(start..start + LENGTH).and_then(time) else { continue };
            if !stands_alone(text, start) {
                continue;
            }
            written.push_str(&text[from..start]);
            let local = self.local(at, "%Y-%m-%d %H:%M:%S %Z");
            written.push_str(&local.unwrap_or_else(|| at.to_string()));
            if let Some(apart) = apart(at, now) {
                written.extend([" (", &apart, ")"]);
            }
            from = start + LENGTH;
        }
        if from == 0 {
            return Cow::Borrowed(text);
        }
        written.push_str(&text[from..]);
        Cow::Owned(written)
    }

    /// What the clock on the wall shows then.
    #[must_use]
    pub fn wall_time(&self, at: Timestamp) -> WallTime {
        let zone = self.0.clone().unwrap_or(TimeZone::UTC);
        let moment = jiff::Timestamp::from_second(at.as_i64()).unwrap_or_default();
        let abbreviation = zone.to_offset_info(moment).abbreviation().to_owned();
        let wall = moment.to_zoned(zone);
        WallTime {
            year: wall.year(),
            month: wall.month(),
            day: wall.day(),
            hour: wall.hour(),
            minute: wall.minute(),
            zone: abbreviation,
        }
    }

    /// `None` in UTC.
    fn local(&self, at: Timestamp, form: &str) -> Option<String> {
        let zone = self.0.clone()?;
        let moment = jiff::Timestamp::from_second(at.as_i64()).ok()?.to_zoned(zone);
        jiff::fmt::strtime::format(form, &moment).ok()
    }
}

fn time(text: &str) -> Option<Timestamp> {
    let is_form = text.len() == LENGTH && text.ends_with('Z');
    is_form.then(|| Timestamp::parse("time", text).ok()).flatten()
}

/// Whether the time is a word of a sentence, and neither part of a longer one, nor the value of an option, nor in an
/// anchor, which is compared later as it stands.
fn stands_alone(text: &str, start: usize) -> bool {
    let (before, after) = (&text[..start], &text[start + LENGTH..]);
    let is_anchor = before.rsplit('\n').next().is_some_and(Anchor::occurs_in);
    let is_part = |c: char| c.is_alphanumeric() || "-_@=:/'\"".contains(c);
    let word = before.strip_suffix(' ').and_then(|words| words.rsplit(' ').next());
    let is_value = word.is_some_and(|word| word.starts_with("--"));
    !before.ends_with(is_part)
        && !after.starts_with(|c: char| c.is_alphanumeric() || "-_@=/'\"".contains(c))
        && !is_value
        && !is_anchor
}

fn apart(at: Timestamp, now: Timestamp) -> Option<String> {
    let seconds = at.unix().abs_diff(now.unix());
    let length = match seconds {
        0 => return Some("now".to_owned()),
        NEAR.. => return None,
        1..120 => format!("{seconds} s"),
        120..5400 => counted((seconds + 30) / 60, "minute"),
        _ => counted((seconds + 1800) / 3600, "hour"),
    };
    Some(if at > now { format!("in {length}") } else { format!("{length} ago") })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    fn now() -> Timestamp {
        Timestamp::parse("now", "2026-01-01T00:00:00Z").unwrap()
    }

    fn read(text: &str) -> String {
        Zone::of_rule(RULE).for_people(text, now()).into_owned()
    }

    #[test]
    fn d18_people_read_local_time_and_how_far_away_it_is() {
        for (text, expected) in [
            ("locked until 2026-01-01T00:00:30Z", "locked until 2026-01-01 01:00:30 CET (in 30 s)"),
            ("2026-01-01T00:00:00Z: so", "2026-01-01 01:00:00 CET (now): so"),
            ("used 2025-12-31T23:55:00Z, so", "used 2026-01-01 00:55:00 CET (5 minutes ago), so"),
            ("(2025-12-31T20:00:00Z)", "(2025-12-31 21:00:00 CET (4 hours ago))"),
            ("until 2026-07-01T00:00:00Z", "until 2026-07-01 02:00:00 CEST"),
            ("2026-01-01T00:00:30Z", "2026-01-01 01:00:30"),
            (
                "2026-01-01T00:01:29Z to 2026-01-01T08:00:00Z",
                "2026-01-01 01:01:29 CET (in 89 s) to 2026-01-01 09:00:00 CET (in 8 hours)",
            ),
        ] {
            assert_eq!(read(text), expected);
        }
    }

    #[test]
    fn d18_what_is_copied_and_what_is_no_time_stays() {
        for text in [
            "run: mfactl log --since 2026-01-01T00:00:00Z",
            "--of=reset@2026-01-01T00:00:00Z",
            "anchor: mfactl-anchor 1 92dc 47 5310 2026-01-01T00:00:00Z 65442ad5",
            "T",
            "été T2026-01-01T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "x2026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Zx",
            "2026-01-01",
            "",
        ] {
            assert_eq!(read(text), text);
        }
    }

    #[test]
    fn d18_without_a_zone_the_z_stays() {
        let zone = Zone::default();
        assert_eq!(zone.for_people("2026-01-01T00:00:30Z", now()), "2026-01-01T00:00:30Z");
        let words = zone.for_people("until 2026-01-01T00:00:30Z", now());
        assert_eq!(words, "until 2026-01-01T00:00:30Z (in 30 s)");
        for zone in [Zone::of_rule("UTC0"), Zone::of_rule("no zone"), Zone::of_file("x", b"TZif")] {
            assert!(zone.0.is_none());
        }
    }
}
