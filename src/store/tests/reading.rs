//! Tests of reading the log, with wrong clocks and with missing events.

use crate::store::SALT;
use crate::store::tests::fixture::*;

/// A store with events at these times, after the first event at 1000.
fn dated(times: &[i64]) -> TestStore {
    let fixture = TestStore::new();
    for time in times {
        let mut event = event("x", None, [3; SALT]);
        event.event.at = at(*time);
        fixture.change(|tx| append(tx, event).unwrap());
    }
    fixture
}

#[test]
fn the_last_event_before_a_moment_is_found_in_spite_of_wrong_clocks() {
    let last_seq_before = |fixture: &TestStore, moment, now| {
        fixture.open().read().unwrap().log().last_seq_before(at(moment), at(now)).unwrap()
    };
    let right = dated(&[1100, 1100, 1200]);
    for (moment, last) in
        [(999, 0), (1000, 0), (1001, 1), (1100, 1), (1101, 3), (1200, 3), (1201, 4)]
    {
        assert_eq!(last_seq_before(&right, moment, 1300), last, "{moment}");
    }
    // The clock was ahead for event 3 and behind for event 5.
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
        assert_eq!(last_seq_before(&wrong, moment, 1400), last, "{moment}");
    }
    // Once `now` has reached the date of an event, it counts like any other.
    assert_eq!(last_seq_before(&wrong, 4000, 6000), 2);
    let last = dated(&[1100, 5000]);
    assert_eq!((last_seq_before(&last, 1100, 1400), last_seq_before(&last, 1200, 1400)), (1, 2));
    last.change(|tx| tx.prune(2).unwrap());
    assert_eq!(last_seq_before(&last, 1000, 1400), 2, "the start of the log");
}

#[test]
fn missing_events_are_detected_without_a_key() {
    let times = [1100, 1200, 1300, 1400, 1500];
    let found = |fixture: &TestStore, after| {
        let counted = fixture.open().read().unwrap().log().check_count_after(after);
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
            // When all events are gone, there is nothing to count after the last number.
            if after < 6 || unseen_after < 6 {
                assert_eq!(found(&fixture, after), expected, "{edit}, after {after}");
            }
        }
    }
}
