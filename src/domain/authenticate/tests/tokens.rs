//! Tokens with a counter, tokens with a clock, and the `YubiKey`.

use proptest::prelude::*;

use crate::domain::authenticate::*;
use crate::domain::factor::totp::{Parameters, code_at};
use crate::domain::factor::{Factor, hotp, yubikey};
use crate::domain::fixture;
use crate::domain::fixture::{
    OneSecret, active_state, at, hotp_code, id, pending_state, secret, with_devices,
};
use crate::domain::lockout::Throttle;
use crate::domain::otp::Otp;
use crate::domain::resync::resync;
use crate::domain::time::Span;
use crate::domain::undo::UndoReach;
use crate::domain::undo_record::Undoable;
use crate::domain::user::User;

const START: i64 = 1_800_000_000;

fn attempt(user: User, code: &str, now: i64) -> (User, Outcome) {
    let submitted = &Submitted::read(code.as_bytes());
    let attempt = Attempt { submitted, device: None, now: at(now), bounds: Bounds::DEFAULT };
    match authenticate(user, &attempt, &OneSecret).unwrap() {
        Authentication::Evaluated(user, outcome) => (user, outcome),
        Authentication::NotEvaluated(_, refusal) => panic!("{refusal:?}"),
    }
}

fn hotp_user() -> User {
    with_devices([fixture::hotp(2, active_state())])
}

fn yubikey_code(uses: u16, session: u8) -> String {
    yubikey::tests::code(uses, session, |_| {})
}

fn token_code(seconds: i64) -> String {
    code_at(&secret(), Parameters::COMMON, seconds)
}

fn drift(user: &User) -> i64 {
    user.devices[0].factor.clock().unwrap().drift.unwrap().steps()
}

/// RFC 4226, appendix D, one code after the other.
#[test]
fn the_codes_of_rfc_4226_are_accepted_in_their_order_and_once() {
    struct RfcKeys;
    impl Keys for RfcKeys {
        fn secret(&self, _: Id, _: &Device) -> Result<Secret, Refusal> {
            Ok(Secret::new(zeroize::Zeroizing::new(b"12345678901234567890".to_vec())))
        }
        fn backup_code_tag(&self, _: Id, _: Id, _: &BackupCode) -> Tag {
            Tag::default()
        }
    }
    let codes = [
        "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871",
        "520489",
    ];
    let mut user = hotp_user();
    for (n, code) in (0_u64..).zip(codes) {
        for expected in ["accepted", "replayed"] {
            let submitted = &Submitted::read(code.as_bytes());
            let (now, bounds) = (at(START), Bounds::DEFAULT);
            let attempt = Attempt { submitted, device: None, now, bounds };
            let done = authenticate(user, &attempt, &RfcKeys).unwrap();
            let Authentication::Evaluated(after, outcome) = done else { panic!("not evaluated") };
            assert_eq!((outcome.word(), outcome.factor()), (expected, Some("hotp")), "{n}");
            assert_eq!(after.devices[0].position, Some(n));
            user = after;
        }
    }
}

#[test]
fn a_counter_only_goes_forward_and_no_further_than_the_look_ahead() {
    let (user, outcome) = attempt(hotp_user(), &hotp_code(5), START);
    assert_eq!(outcome.word(), "accepted", "presses without a sign-in are skipped");
    let (user, outcome) = attempt(user, &hotp_code(4), START);
    assert_eq!((outcome.word(), user.throttle.failures), ("replayed", 0), "a code behind");
    let (user, outcome) = attempt(user, &hotp_code(16), START);
    assert_eq!((outcome, user.devices[0].position), (Outcome::Rejected, Some(5)), "one too far");
    let (user, outcome) = attempt(user, &hotp_code(15), START);
    assert_eq!((outcome.word(), user.devices[0].position), ("accepted", Some(15)));
    assert_eq!(user.throttle.failures, 0);
    let (user, outcome) = attempt(user, &hotp_code(15), START + 999_999);
    assert_eq!(outcome.word(), "replayed", "time makes nothing of it new");
    let (user, outcome) = attempt(user, &hotp_code(5), START + 999_999);
    assert_eq!(outcome.word(), "replayed", "ten behind");
    let (user, outcome) = attempt(user, &hotp_code(4), START + 999_999);
    assert_eq!((outcome, user.throttle.failures), (Outcome::Rejected, 1));
}

#[test]
fn the_first_code_confirms_a_pending_device_of_each_kind() {
    let pending = || pending_state(START + 1000);
    for (device, code) in [
        (fixture::hotp(2, pending()), hotp_code(0)),
        (fixture::hotp(2, pending()), hotp_code(9)),
        (fixture::token(2, pending()), token_code(START)),
        (fixture::yubikey(2, pending()), yubikey_code(1, 0)),
    ] {
        let (user, outcome) = attempt(with_devices([device]), &code, START);
        assert_eq!(outcome.word(), "confirmed");
        assert!(user.devices[0].is_active());
        let (_, outcome) = attempt(user, &code, START);
        assert_eq!(outcome.word(), "replayed");
    }
    let (_, outcome) = attempt(with_devices([fixture::hotp(2, pending())]), &hotp_code(10), START);
    assert_eq!(outcome, Outcome::Rejected);
}

#[test]
fn a_counter_with_uncommon_settings_is_proved_by_two_successive_codes() {
    let parameters = hotp::CodeForm { digits: 8, ..hotp::CodeForm::COMMON };
    let code = |counter| hotp::code_at(&secret(), parameters, counter);
    let factor = Factor::Hotp(parameters);
    let device = Device { factor, ..fixture::hotp(2, pending_state(START + 1000)) };
    let (user, outcome) = attempt(with_devices([device]), &code(0), START);
    assert!(matches!(outcome, Outcome::FirstOfTwo { .. }));
    let (user, outcome) = attempt(user, &code(2), START);
    assert!(matches!(outcome, Outcome::FirstOfTwo { .. }), "not successive");
    let (user, outcome) = attempt(user, &code(3), START);
    assert_eq!(outcome.word(), "confirmed");
    assert!(user.devices[0].is_active());
}

#[test]
fn a_token_learns_its_drift_by_one_step_a_code_and_ten_at_most() {
    let mut user = with_devices([fixture::token(2, active_state())]);
    let mut learned = Vec::new();
    for n in 1..=15_i64 {
        let now = START + 3600 * n;
        let shown = n.min(11);
        let (after, outcome) = attempt(user, &token_code(now + 30 * shown), now);
        assert_eq!(outcome.word(), "accepted", "{n}");
        user = after;
        learned.push(drift(&user));
    }
    assert_eq!(learned, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10, 10, 10]);
    let now = START + 3600 * 20;
    let (user, outcome) = attempt(user, &token_code(now + 30 * 12), now);
    assert_eq!((outcome, drift(&user)), (Outcome::Rejected, 10), "twelve steps ahead");
    let (user, outcome) = attempt(user, &token_code(now), now);
    assert_eq!((outcome, drift(&user)), (Outcome::Rejected, 10), "the server's own time");
    let (user, outcome) = attempt(user, &token_code(now + 30 * 9), now);
    assert_eq!((outcome.word(), drift(&user)), ("accepted", 9));
    let (user, outcome) = attempt(user, &token_code(now + 30 * 9), now);
    assert_eq!((outcome.word(), drift(&user)), ("replayed", 9), "a used code teaches nothing");
}

#[test]
fn a_token_is_accepted_behind_too_and_a_phone_learns_nothing() {
    let mut user = with_devices([fixture::token(2, active_state())]);
    let mut phone = with_devices([fixture::phone(2, active_state())]);
    let factor = phone.devices[0].factor.clone();
    for n in 1..=12_i64 {
        let now = START + 3600 * n;
        let (after, outcome) = attempt(user, &token_code(now - 30 * n.min(10)), now);
        assert_eq!(outcome.word(), "accepted", "{n}");
        user = after;
        let (after, outcome) = attempt(phone, &token_code(now - 30), now);
        assert_eq!((outcome.word(), &after.devices[0].factor), ("accepted", &factor));
        phone = after;
    }
    assert_eq!(drift(&user), -10);
    let now = START + 3600 * 20;
    assert_eq!(attempt(phone, &token_code(now - 60), now).1, Outcome::Rejected);
}

#[test]
fn a_yubikey_is_accepted_once_and_only_later_than_the_last() {
    let user = with_devices([fixture::yubikey(2, active_state())]);
    let (user, outcome) = attempt(user, &yubikey_code(7, 3), START);
    assert_eq!((outcome.word(), outcome.factor()), ("accepted", Some("yubikey")));
    for (uses, session) in [(7, 3), (7, 2), (6, 255), (0, 0)] {
        let (same, outcome) = attempt(user.clone(), &yubikey_code(uses, session), START);
        assert_eq!(outcome.word(), "replayed", "{uses} {session}");
        assert_eq!(same.devices[0].position, Some(7 << 8 | 3));
    }
    let (user, outcome) = attempt(user, &yubikey_code(7, 4).to_uppercase(), START);
    assert_eq!(outcome.word(), "accepted", "in capitals");
    let (user, outcome) = attempt(user, &yubikey_code(7, 4), START);
    assert_eq!(outcome.word(), "replayed", "the same in small letters");
    let (user, outcome) = attempt(user, &yubikey_code(8, 0), START);
    assert_eq!(outcome.word(), "accepted", "plugged in again");
    let foreign = yubikey_code(9, 0).replace("ccccccnrhbfu", "ccccccnrhbfv");
    let crc = yubikey::tests::code(9, 0, |block| block[15] ^= 1);
    for wrong in [foreign, crc, "123456".to_owned()] {
        assert_eq!(attempt(user.clone(), &wrong, START).1, Outcome::Rejected, "{wrong}");
    }
}

/// Each change leaves the device where it is, so that no code is accepted twice by way of it.
#[test]
fn no_change_of_the_user_takes_a_device_back() {
    let now = at(START);
    for (device, first, second) in [
        (fixture::hotp(2, active_state()), hotp_code(5), hotp_code(6)),
        (fixture::token(2, active_state()), token_code(START), token_code(START + 30)),
        (fixture::yubikey(2, active_state()), yubikey_code(5, 0), yubikey_code(5, 1)),
    ] {
        let (user, outcome) = attempt(with_devices([device]), &first, START);
        assert_eq!(outcome.word(), "accepted");
        let label = user.devices[0].label.clone();
        let off =
            user.clone().disable(None).unwrap().with_undo(Some(Undoable::Disable), &user, now);
        let on = off.user.clone().enable(None).unwrap().user;
        let undone = off.user.take_back(now, Span::hours(1), UndoReach::EvenAfterCode).unwrap().0;
        let new = fixture::phone(9, pending_state(START + 1000));
        let reset = user.clone().reset(None, Some(new), false, now).unwrap();
        let reset = reset.with_undo(Some(Undoable::Reset), &user, now).user;
        assert!(!reset.devices[0].is_live());
        assert_eq!(reset.devices[0].position, user.devices[0].position, "kept while revoked");
        let back = reset.take_back(now, Span::hours(1), UndoReach::EvenAfterCode).unwrap().0;
        let renamed = user.clone().relabel(&label, &Label::parse("other").unwrap()).unwrap().user;
        for (changed, what) in [
            (on, "enable"),
            (undone, "undo of disable"),
            (back, "undo of reset"),
            (renamed, "label"),
        ] {
            let kept = changed.devices.iter().find(|d| d.id == id(2)).unwrap();
            assert_eq!(kept.position, user.devices[0].position, "{what}");
            assert_eq!(kept.accepted, user.devices[0].accepted, "{what}");
            assert_eq!(kept.factor, user.devices[0].factor, "{what}");
            let (changed, outcome) = attempt(changed, &first, START);
            assert_eq!(outcome.word(), "replayed", "{what}");
            assert_eq!(attempt(changed, &second, START).1.word(), "accepted", "{what}");
        }
    }
}

/// What can happen to a device that counts.
#[derive(Clone, Debug)]
enum Action {
    /// The code so many counters from the last accepted one.
    Code(i64),
    Resync(i64),
    Disable,
    Enable,
    ResetAndUndo,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        5 => (-3_i64..14).prop_map(Action::Code),
        2 => (-3_i64..1003).prop_map(Action::Resync),
        1 => Just(Action::Disable),
        1 => Just(Action::Enable),
        1 => Just(Action::ResetAndUndo),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_counter_is_accepted_twice_and_none_goes_back(
        actions in prop::collection::vec(action(), 1..40),
    ) {
        let mut user = hotp_user();
        let mut last: Option<u64> = None;
        for action in actions {
            let near = |by: i64| last.unwrap_or(0).saturating_add_signed(by);
            let can_try = user.status() == Status::Enabled;
            user.throttle = Throttle::default();
            match action {
                Action::Code(by) if can_try => {
                    let code = hotp_code(near(by));
                    let (after, outcome) = attempt(user, &code, START);
                    user = after;
                    // Two counters may have the same digits.
                    let mut next = last.map_or(0..=9, |last| last + 1..=last + 10);
                    prop_assert_eq!(outcome.lets_in(), next.any(|n| hotp_code(n) == code));
                }
                Action::Resync(by) if can_try => {
                    let second = near(by).max(1);
                    let codes = [second - 1, second]
                        .map(|counter| Otp::read(hotp_code(counter).as_bytes()).unwrap());
                    let [first, next] = &codes;
                    let (now, bounds) = (at(START), Bounds::DEFAULT);
                    let done = resync(user, None, [first, next], &OneSecret, now, bounds).unwrap();
                    user = done.0;
                    let ahead = last.map_or(1..=999, |last| last + 2..=last + 1000);
                    prop_assert_eq!(done.1.word() == "done", ahead.contains(&second));
                }
                Action::Code(_) | Action::Resync(_) => {}
                Action::Disable => user = user.disable(None).unwrap().user,
                Action::Enable => user = user.enable(None).unwrap().user,
                Action::ResetAndUndo => {
                    let reset = user.clone().reset(None, None, false, at(START)).unwrap();
                    let reset = reset.with_undo(Some(Undoable::Reset), &user, at(START)).user;
                    let reach = UndoReach::EvenAfterCode;
                    user = reset.take_back(at(START), Span::hours(1), reach).unwrap().0;
                }
            }
            let now = user.devices[0].position;
            prop_assert!(now >= last, "from {:?} to {:?}", last, now);
            last = now;
        }
    }
}

#[test]
fn a_code_is_compared_with_the_devices_of_its_form_only() {
    let user = with_devices([
        fixture::phone(2, active_state()),
        fixture::yubikey(3, active_state()),
        fixture::hotp(4, active_state()),
    ]);
    let (user, outcome) = attempt(user, &yubikey_code(1, 0), START);
    assert_eq!(outcome.factor(), Some("yubikey"));
    let (user, outcome) = attempt(user, &token_code(START), START);
    assert_eq!(outcome.factor(), Some("totp"));
    let (_, outcome) = attempt(user, &hotp_code(3), START);
    assert_eq!(outcome.factor(), Some("hotp"));
}
