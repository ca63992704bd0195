//! What each store tells of its log, also where a clock was wrong, and where events are missing.

use crate::domain::event::Event;

use super::site::*;

/// A store whose events bear these times, after the first one of 1000.
fn dated(times: &[i64]) -> TestStore {
    let fixture = TestStore::new();
    for time in times {
        let event = Event { at: at(*time), ..event("x", None) };
        fixture.change(|tx| tx.append(&event, [3; 16]).unwrap());
    }
    fixture
}

#[test]
fn the_last_event_before_a_moment_is_found_whatever_a_clock_did() {
    let last_before = |fixture: &TestStore, moment, now| {
        fixture.open().read().unwrap().last_before(at(moment), at(now)).unwrap()
    };
    let right = dated(&[1100, 1100, 1200]);
    for (moment, last) in
        [(999, 0), (1000, 0), (1001, 1), (1100, 1), (1101, 3), (1200, 3), (1201, 4)]
    {
        assert_eq!(last_before(&right, moment, 1300), last, "{moment}");
    }
    // Number 3 by a clock that was ahead, number 5 by one that was behind.
    let wrong = dated(&[1100, 5000, 1200, 500, 1300, 1400]);
    for (moment, last) in [
        (400, 0),
        (600, 0),
        (1000, 0),
        (1001, 1),
        (1100, 1),
        (1101, 2),
        (1200, 2),
        (1201, 5),
        (1301, 6),
        (1400, 6),
        (1401, 7),
    ] {
        assert_eq!(last_before(&wrong, moment, 1400), last, "{moment}");
    }
    // Once its time has come it is one of that time, and nothing is left out.
    assert_eq!(last_before(&wrong, 4000, 6000), 2);
    let last = dated(&[1100, 5000]);
    assert_eq!((last_before(&last, 1100, 1400), last_before(&last, 1200, 1400)), (1, 2));
    last.change(|tx| tx.prune(2).unwrap());
    assert_eq!(last_before(&last, 1000, 1400), 2, "where the log begins");
}

#[test]
fn events_that_are_missing_are_missed_without_a_key() {
    let times = [1100, 1200, 1300, 1400, 1500];
    let found = |fixture: &TestStore, after| {
        let counted = fixture.open().read().unwrap().count_after(after);
        counted.err().map(|error| error_code(&error))
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
        let fixture = dated(&times);
        fixture.sql(edit);
        for after in 0..=6 {
            let expected = (after < unseen_after).then_some("tampered");
            // Where all are gone the last number itself says nothing.
            if after < 6 || unseen_after < 6 {
                assert_eq!(found(&fixture, after), expected, "{edit}, after {after}");
            }
        }
    }
}
