use super::*;
use crate::domain::factor::drift::Drift;
use crate::domain::factor::hotp;
use crate::domain::factor::totp::Parameters;
use crate::domain::fixture::{active_state, alice, at, pending_state, with_phone};
use crate::domain::time::Span;
use crate::domain::undo::UndoReach;
use crate::domain::undo_record::{MOST_ACTS, Undoable};

const NOW: i64 = 1_000_000;

fn serial(text: &str) -> Serial {
    Serial::parse(text).unwrap()
}

fn token(factor: Factor) -> Token {
    Token {
        id: Id::new([7; 16]),
        serial: serial("GALT1"),
        fingerprint: Fingerprint::new([1; 16]),
        factor,
        state: TokenState::Free(Sealed(vec![1])),
        position: Some(41),
        model: Some("Example\u{7} C200".to_owned()),
        added_at: at(NOW),
        rev: 0,
        stamp: Stamp::NONE,
        added_by: None,
    }
}

fn hotp_token() -> Token {
    token(Factor::Hotp(hotp::CodeForm::COMMON))
}

/// Alice with a phone and a token.
fn with_token(state: DeviceState) -> User {
    let mut user = with_phone(alice(), active_state());
    let token = hotp_token();
    user.devices.push(token.device(Id::new([8; 16]), token.label(), state, at(NOW)));
    user
}

fn changed(user: User, act: Undoable, before: &User, now: i64) -> User {
    Changed { user, touched: Vec::new() }.with_undo(Some(act), before, at(now)).user
}

fn deleted(user: &User, label: Option<&str>, now: i64) -> User {
    let label = label.map(|label| Label::parse(label).unwrap());
    let revoked = user.clone().revoke(label.as_ref(), at(now)).unwrap().user;
    changed(revoked, Undoable::Delete, user, now)
}

#[test]
fn a_device_goes_on_where_the_token_stopped() {
    let device = hotp_token().device(
        Id::new([8; 16]),
        hotp_token().label(),
        pending_state(NOW + 60),
        at(NOW),
    );
    assert_eq!((device.position, device.serial), (Some(41), Some(serial("GALT1"))));
    let drifted = Factor::TotpToken(Parameters::COMMON, Drift::new(3).unwrap());
    let device = token(drifted.clone()).device(
        Id::new([8; 16]),
        hotp_token().label(),
        pending_state(NOW + 60),
        at(NOW),
    );
    assert_eq!(device.factor, drifted);
    assert_eq!(hotp_token().label().as_str(), "token");
    assert_eq!(token(Factor::Yubikey).label().as_str(), "yubikey");
    let words = hotp_token().words();
    assert!(words.starts_with("GALT1 (hotp, Example") && !words.contains('\u{7}'), "{words}");
}

#[test]
fn a_token_is_found_by_its_serial_in_any_case() {
    let user = with_token(pending_state(NOW + 60));
    assert!(device_of(&user, &serial("galt1")).is_some());
    assert!(device_of(&user, &serial("GALT2")).is_none());
    assert!(taken_from(user.clone(), &serial("GALT2")).is_none());
    let (changed, device) = taken_from(user, &serial("galt1")).unwrap();
    assert_eq!(changed.user.devices.len(), 1);
    assert_eq!(changed.touched, [device.label]);
}

#[test]
fn an_undo_brings_back_what_is_left() {
    let user = deleted(&with_token(active_state()), None, NOW);
    let (left, _) = taken_from(user, &serial("GALT1")).unwrap();
    let reach = UndoReach::ToLastCode;
    let (user, undone) = left.user.take_back(at(NOW + 1), Span::hours(24), reach).unwrap();
    assert_eq!(undone.restored.len(), 1);
    assert_eq!(user.live().count(), 1);
    assert!(device_of(&user, &serial("GALT1")).is_none());
    let only_token = deleted(&with_token(active_state()), Some("token"), NOW);
    let (left, _) = taken_from(only_token, &serial("GALT1")).unwrap();
    assert!(left.user.take_back(at(NOW + 1), Span::hours(24), reach).is_err());
}

#[test]
fn only_unassign_takes_a_revoked_token_away() {
    let mut user = deleted(&with_token(active_state()), None, NOW);
    user.purge(at(NOW + 48 * 3600), Span::hours(24));
    assert_eq!(user.devices.len(), 1, "the phone is gone");
    assert!(device_of(&user, &serial("GALT1")).is_some());
    for n in 0..2 * u8::try_from(MOST_ACTS).unwrap() {
        let mut enrolled = with_phone(user.clone(), active_state());
        enrolled.devices.last_mut().unwrap().id = Id::new([n + 20; 16]);
        user = deleted(&enrolled, None, NOW + 48 * 3600 + i64::from(n));
    }
    assert!(device_of(&user, &serial("GALT1")).is_some());
    assert_eq!(user.devices.len(), MOST_ACTS + 1);
}

#[test]
fn a_token_has_its_label_until_it_is_taken_back() {
    let user = with_token(pending_state(NOW + 60));
    let mut other = hotp_token().device(
        Id::new([9; 16]),
        hotp_token().label(),
        pending_state(NOW + 60),
        at(NOW),
    );
    other.serial = None;
    assert!(user.clone().enrol(other.clone()).is_err(), "a pending one is replaced otherwise");
    let (left, _) = taken_from(user, &serial("GALT1")).unwrap();
    assert!(left.user.enrol(other).is_ok());
}
