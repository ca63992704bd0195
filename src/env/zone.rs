//! The time zone of the person at the terminal: `TZ`, else that of the machine, else UTC.

use std::path::{Component, Path};

use crate::domain::zone::Zone;

const DATABASE: &str = "/usr/share/zoneinfo";
const OF_THE_MACHINE: &str = "/etc/localtime";
/// No file of the time zone database is as long.
const LONGEST: u64 = 64 * 1024;

/// The zone by the value of `TZ`, which names an entry of the time zone database or is a rule. It names no other
/// file, because `sudo` may hand over the value of somebody with fewer rights.
pub fn zone(tz: Option<&str>) -> Zone {
    let Some(tz) = tz else { return of_file("local", Path::new(OF_THE_MACHINE)) };
    let name = tz.strip_prefix(':').unwrap_or(tz);
    let path = Path::new(name);
    let is_entry = path.components().all(|part| matches!(part, Component::Normal(_)));
    if is_entry && !name.is_empty() && Path::new(DATABASE).join(path).is_file() {
        return of_file(name, &Path::new(DATABASE).join(path));
    }
    Zone::of_rule(name)
}

fn of_file(name: &str, path: &Path) -> Zone {
    let is_short = |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.len() <= LONGEST);
    let content = is_short(path).then(|| std::fs::read(path).ok()).flatten();
    content.map_or_else(Zone::default, |content| Zone::of_file(name, &content))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Timestamp;

    fn read(tz: &str) -> String {
        let at = Timestamp::parse("at", "2026-01-01T00:00:00Z").unwrap();
        zone(Some(tz)).for_people("2026-01-01T00:00:00Z", at).into_owned()
    }

    #[test]
    fn d18_what_is_no_entry_and_no_rule_is_utc() {
        for tz in
            ["", "Nowhere/At_All", "/etc/passwd", ":/etc/passwd", "../../../etc/passwd", "x\0y"]
        {
            assert_eq!(read(tz), "2026-01-01T00:00:00Z", "{tz}");
        }
        assert_eq!(read("JST-9"), "2026-01-01 09:00:00");
        if Path::new("/usr/share/zoneinfo/Asia/Tokyo").is_file() {
            for tz in ["Asia/Tokyo", ":Asia/Tokyo"] {
                assert_eq!(read(tz), "2026-01-01 09:00:00");
            }
        }
    }
}
