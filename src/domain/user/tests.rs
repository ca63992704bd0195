use super::*;
use crate::domain::factor::Factor;
use crate::domain::fixture::{active_state, alice, at, id, pending_state, phone};
use crate::domain::serial::Serial;
use crate::domain::time::Span;

/// A YubiKey or token with a label and a serial of its own.
fn hardware(byte: u8, factor: Factor, state: DeviceState) -> Device {
    let label = Label::parse(&format!("key{byte}")).unwrap();
    let serial = Some(Serial::parse(&format!("GALT{byte}")).unwrap());
    Device { label, factor, serial, ..phone(byte, state) }
}

fn yubikey(byte: u8, state: DeviceState) -> Device {
    hardware(byte, Factor::Yubikey, state)
}

fn ids(user: &User) -> Vec<Id> {
    user.devices.iter().map(|d| d.id).collect()
}

#[test]
fn after_the_undo_time_a_revoked_app_is_forgotten_and_hardware_is_kept() {
    let mut user = alice();
    user.devices = vec![
        phone(2, active_state()).revoked(at(10)),
        yubikey(3, active_state()).revoked(at(10)),
        phone(4, active_state()),
    ];
    let mut early = user.clone();
    early.purge(at(110), Span(100));
    assert_eq!(ids(&early), [id(2), id(3), id(4)]);
    user.purge(at(111), Span(100));
    assert_eq!(ids(&user), [id(3), id(4)]);
}

#[test]
fn the_limit_of_revoked_devices_counts_apps_only() {
    let many = u8::try_from(MOST_REVOKED).unwrap();
    let mut user = alice();
    for n in 0..=many {
        user.devices.push(yubikey(10 + n, active_state()).revoked(at(n.into())));
        user.devices.push(phone(100 + n, active_state()).revoked(at(50 + i64::from(n))));
    }
    user.forget_oldest_revoked();
    let is_hardware = |d: &&Device| d.serial.is_some();
    assert_eq!(user.devices.iter().filter(is_hardware).count(), MOST_REVOKED + 1);
    assert_eq!(user.devices.len(), 2 * MOST_REVOKED + 1);
    assert!(!ids(&user).contains(&id(100)), "the oldest app goes");
}

#[test]
fn an_expired_app_makes_room_and_an_expired_token_does_not() {
    let most = u8::try_from(MOST_DEVICES).unwrap();
    let full = |first: Device| {
        let mut user = alice();
        user.devices.push(first);
        user.devices.extend((1..most).map(|n| yubikey(10 + n, active_state())));
        user
    };
    let late = || Device { created_at: at(100), ..phone(90, pending_state(200)) };
    let app = Device { label: Label::parse("old").unwrap(), ..phone(2, pending_state(50)) };
    assert!(full(app).enrol(late()).is_ok());
    let refusal = full(yubikey(2, pending_state(50))).enrol(late()).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::TooManyDevices);
}

#[test]
fn only_a_yubikey_takes_the_place_of_a_pending_yubikey_and_the_earlier_one_is_kept() {
    let mut user = alice();
    user.devices.push(yubikey(2, pending_state(50)));
    let label = || Label::parse("KEY2").unwrap();
    let app = Device { label: label(), ..phone(3, pending_state(50)) };
    let refusal = user.clone().enrol(app).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::AlreadyEnrolled);
    let key = Device { label: label(), ..yubikey(4, pending_state(50)) };
    let after = user.enrol(key.clone()).unwrap();
    assert_eq!(ids(&after), [id(2), id(4)]);
    assert!(!after.devices[0].is_live() && after.devices[1].is_pending());
    let mut tokens = alice();
    let counting = Factor::Hotp(crate::domain::factor::hotp::CodeForm::COMMON);
    tokens.devices.push(hardware(2, counting, pending_state(50)));
    assert!(tokens.enrol(key).is_err(), "a token is on somebody's desk");
}

#[test]
fn only_the_qr_code_of_an_app_is_shown() {
    let mut user = alice();
    user.devices.push(yubikey(2, pending_state(50)));
    let refusal = user.device_to_show(None, true, at(0)).unwrap_err();
    assert_eq!(refusal.code, ErrorCode::Usage);
    user.devices.push(phone(3, pending_state(50)));
    assert_eq!(user.device_to_show(None, false, at(0)).unwrap().id, id(3));
    let named = Label::parse("key2").unwrap();
    assert!(user.device_to_show(Some(&named), true, at(0)).is_err());
}
