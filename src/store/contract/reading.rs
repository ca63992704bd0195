//! What each store tells of its log, also where events are missing.

use crate::domain::event::Event;

use super::site::*;

/// A store whose events bear these times, after the first one of 1000.
fn dated(times: &[i64]) -> Site {
    let site = Site::new();
    for time in times {
        let event = Event { at: at(*time), ..event("x", None) };
        site.change(|tx| tx.append(&event, [3; 16]).unwrap());
    }
    site
}

#[test]
fn events_that_are_missing_are_missed_without_a_key() {
    let times = [1100, 1200, 1300, 1400, 1500];
    let found = |site: &Site, after| {
        let counted = site.open().read().unwrap().count_after(after);
        counted.err().map(|error| word(&error))
    };
    for after in 0..=6 {
        assert_eq!(found(&dated(&times), after), None, "{after}");
    }
    let pruned = dated(&times);
    pruned.change(|tx| tx.prune(3).unwrap());
    assert_eq!((found(&pruned, 3), found(&pruned, 5)), (None, None));
    for (edit, unseen_after) in [
        ("DELETE FROM events WHERE seq = 4", 4),
        ("DELETE FROM events WHERE seq > 4", 7),
        ("DELETE FROM events", 7),
        ("UPDATE events SET seq = 9 WHERE seq = 6", 7),
        ("UPDATE events SET seq = -4 WHERE seq = 4", 4),
        ("DELETE FROM audit_head", 7),
        ("UPDATE audit_head SET seq = 5", 7),
    ] {
        let site = dated(&times);
        site.sql(edit);
        for after in 0..=6 {
            let expected = (after < unseen_after).then_some("tampered");
            // Where all are gone the last number itself says nothing.
            if after < 6 || unseen_after < 6 {
                assert_eq!(found(&site, after), expected, "{edit}, after {after}");
            }
        }
    }
}
