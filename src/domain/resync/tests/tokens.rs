//! Resynchronisation of tokens, and of what needs none.

use super::code;
use crate::domain::authenticate::{Attempt, Authentication, authenticate};
use crate::domain::backup_code::Submitted;
use crate::domain::factor::drift::Drift;
use crate::domain::factor::totp::Parameters;
use crate::domain::fixture;
use crate::domain::fixture::{OneSecret, active_state, at, hotp_code, pending_state, with_devices};
use crate::domain::resync::*;

const NOW: i64 = 1_800_000_000;
const STEP: u64 = NOW.unsigned_abs() / 30;

fn resync_with(user: &User, first: &str, second: &str) -> Result<(User, ResyncOutcome), Refusal> {
    let [first, second] = [first, second].map(|code| Otp::read(code.as_bytes()).unwrap());
    resync(user.clone(), None, [&first, &second], &OneSecret, at(NOW), Bounds::DEFAULT)
}

fn word(user: &User, first: &str, second: &str) -> &'static str {
    resync_with(user, first, second).unwrap().1.word()
}

fn verify(user: User, code: &str) -> (User, &'static str) {
    let submitted = &Submitted::read(code.as_bytes());
    let attempt = Attempt { submitted, device: None, now: at(NOW), bounds: Bounds::DEFAULT };
    match authenticate(user, &attempt, &OneSecret).unwrap() {
        Authentication::Evaluated(user, outcome) => (user, outcome.word()),
        Authentication::NotEvaluated(_, refusal) => panic!("{refusal:?}"),
    }
}

fn used(device: Device, position: u64) -> User {
    with_devices([device.used(position, at(NOW - 3600))])
}

#[test]
fn a_counter_goes_forward_by_a_thousand_and_never_back() {
    let user = used(fixture::hotp(2, active_state()), 12);
    let (after, outcome) = resync_with(&user, &hotp_code(339), &hotp_code(340)).unwrap();
    let ResyncOutcome::Done { from, to, .. } = outcome else { panic!("{outcome:?}") };
    assert_eq!((from, to, after.devices[0].position), (Some(12), 340, Some(340)));
    assert_eq!(after.devices[0].factor, user.devices[0].factor);
    for used in [12, 339, 340] {
        assert_ne!(verify(after.clone(), &hotp_code(used)).1, "accepted", "{used}");
    }
    assert_eq!(verify(after.clone(), &hotp_code(341)).1, "accepted");
    assert_eq!(word(&user, &hotp_code(1011), &hotp_code(1012)), "done", "1,000 ahead");
    assert_eq!(word(&user, &hotp_code(1012), &hotp_code(1013)), "rejected");
    for (first, second) in [(10, 11), (11, 12), (12, 13)] {
        let (same, outcome) = resync_with(&user, &hotp_code(first), &hotp_code(second)).unwrap();
        assert_eq!(outcome.word(), "replayed", "{first} {second}");
        assert_eq!((same.devices, same.throttle.failures), (user.devices.clone(), 0));
    }
    for (first, second) in [(11, 10), (340, 339), (339, 341)] {
        let (same, outcome) = resync_with(&user, &hotp_code(first), &hotp_code(second)).unwrap();
        assert_eq!(outcome, ResyncOutcome::Rejected, "{first} {second}");
        assert_eq!(same.devices, user.devices);
        assert_eq!(same.throttle.failures, 2, "both count");
    }
    let again = resync_with(&after, &hotp_code(339), &hotp_code(340)).unwrap().1;
    assert_eq!(again.word(), "replayed");
}

#[test]
fn a_clock_is_found_a_hundred_steps_away_and_sets_the_drift() {
    let user = used(fixture::token(2, active_state()), STEP - 120);
    for off in [-100_i64, -7, 0, 3, 99, 100] {
        let step = STEP.checked_add_signed(off).unwrap();
        let (after, outcome) = resync_with(&user, &code(step - 1), &code(step)).unwrap();
        assert_eq!(outcome.word(), "done", "{off}");
        let drift = after.devices[0].factor.clock().unwrap().drift;
        assert_eq!(drift, Drift::new(off), "{off}");
        assert_eq!(verify(after.clone(), &code(step)).1, "replayed", "{off}");
        assert_eq!(verify(after, &code(step + 1)).1, "accepted", "{off}");
    }
    for off in [-101_i64, 101] {
        let step = STEP.checked_add_signed(off).unwrap();
        assert_eq!(word(&user, &code(step - 1), &code(step)), "rejected", "{off}");
    }
}

#[test]
fn a_clock_that_went_back_goes_on_with_codes_that_were_not_used() {
    let user = used(fixture::token(2, active_state()), STEP - 200);
    let (user, outcome) = verify(user, &code(STEP));
    assert_eq!(outcome, "accepted");
    // The battery was weak, and the token is half an hour behind.
    let (user, outcome) = resync_with(&user, &code(STEP - 61), &code(STEP - 60)).unwrap();
    assert_eq!((outcome.word(), user.devices[0].position), ("done", Some(STEP - 60)));
    assert_eq!(verify(user.clone(), &code(STEP - 60)).1, "replayed");
    assert_eq!(verify(user.clone(), &code(STEP - 59)).1, "accepted");
    // The code of before stays used, also when the token comes to it again.
    let ahead = Attempt {
        submitted: &Submitted::read(code(STEP).as_bytes()),
        device: None,
        now: at(NOW + 30 * 60),
        bounds: Bounds::DEFAULT,
    };
    let Authentication::Evaluated(_, outcome) = authenticate(user, &ahead, &OneSecret).unwrap()
    else {
        panic!("not evaluated");
    };
    assert_eq!(outcome.word(), "replayed");
}

#[test]
fn a_phone_has_no_drift_and_no_reach_beyond_its_window() {
    let user = with_devices([fixture::phone(2, active_state())]);
    assert_eq!(word(&user, &code(STEP + 4), &code(STEP + 5)), "rejected");
    let (after, outcome) = resync_with(&user, &code(STEP - 1), &code(STEP)).unwrap();
    assert_eq!(outcome.word(), "done");
    assert_eq!(after.devices[0].factor, Factor::Totp(Parameters::COMMON));
}

#[test]
fn a_yubikey_has_nothing_to_resynchronise() {
    let check = |user: &User| check(user, None, at(NOW), Bounds::DEFAULT);
    let yubikey = with_devices([fixture::yubikey(2, active_state())]);
    let refusal = check(&yubikey).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::CannotResync);
    assert!(refusal.problem.contains("YubiKey"), "{refusal:?}");
    let both = [fixture::yubikey(2, active_state()), fixture::hotp(3, active_state())];
    assert_eq!(check(&with_devices(both)), Ok(CodeSource::Button));
    assert_eq!(check(&with_devices([fixture::token(3, active_state())])), Ok(CodeSource::Token));
}

#[test]
fn a_pending_token_is_found_and_its_next_code_confirms_it() {
    let user = with_devices([fixture::hotp(2, pending_state(NOW + 1000))]);
    assert_eq!(verify(user.clone(), &hotp_code(500)).1, "rejected");
    let (user, outcome) = resync_with(&user, &hotp_code(500), &hotp_code(501)).unwrap();
    assert_eq!(outcome.word(), "done");
    assert!(user.devices[0].is_pending(), "an operator's two codes confirm nothing");
    let (user, outcome) = verify(user, &hotp_code(502));
    assert_eq!((outcome, user.devices[0].is_active()), ("confirmed", true));
    let phone = with_devices([fixture::phone(2, pending_state(NOW + 1000))]);
    let expired = with_devices([fixture::hotp(2, pending_state(NOW))]);
    for user in [phone, expired] {
        let refusal = check(&user, None, at(NOW), Bounds::DEFAULT).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::NotActive);
    }
}
