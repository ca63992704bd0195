//! Alice and her devices of each kind, as the tests of decisions need them.

use zeroize::Zeroizing;

use crate::domain::accepted::Accepted;
use crate::domain::authenticate::Keys;
use crate::domain::backup_code::BackupCode;
use crate::domain::device::{Active, Device, DeviceState, Pending};
use crate::domain::factor::drift::Drift;
use crate::domain::factor::totp::Parameters;
use crate::domain::factor::{Factor, hotp, yubikey};
use crate::domain::name::{Label, UserName};
use crate::domain::recovery::Tag;
use crate::domain::refusal::Refusal;
use crate::domain::secret::{Id, Sealed, Secret};
use crate::domain::serial::Serial;
use crate::domain::time::Timestamp;
use crate::domain::user::User;

pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

pub fn id(byte: u8) -> Id {
    Id::new([byte; Id::LENGTH])
}

/// A user without a device.
pub fn alice() -> User {
    User::new(id(1), UserName::parse("alice").unwrap(), at(0))
}

/// A phone with the settings that every app knows, which was never used.
pub fn phone(byte: u8, state: DeviceState) -> Device {
    Device {
        id: id(byte),
        label: Label::parse("phone").unwrap(),
        factor: Factor::Totp(Parameters::COMMON),
        serial: None,
        secret: Sealed(vec![byte]),
        state,
        position: None,
        accepted: Accepted::default(),
        created_at: at(0),
        last_used_at: None,
    }
}

/// A token with a clock, at the server's time, which was never used.
pub fn token(byte: u8, state: DeviceState) -> Device {
    other(byte, state, "token", Factor::TotpToken(Parameters::COMMON, Drift::default()))
}

/// A token with a button, which was never pressed.
pub fn hotp(byte: u8, state: DeviceState) -> Device {
    other(byte, state, "button", Factor::Hotp(hotp::CodeForm::COMMON))
}

/// A YubiKey that was never touched. [`OneSecret`] knows its key, and [`yubikey::tests::code`] makes its codes.
pub fn yubikey(byte: u8, state: DeviceState) -> Device {
    other(byte, state, "key", Factor::Yubikey)
}

fn other(byte: u8, state: DeviceState, label: &str, factor: Factor) -> Device {
    let label = Label::parse(label).unwrap();
    let serial = Some(Serial::parse(&format!("S-{byte}")).unwrap());
    Device { label, factor, serial, ..phone(byte, state) }
}

/// A user with these devices.
pub fn with_devices(devices: impl IntoIterator<Item = Device>) -> User {
    User { devices: devices.into_iter().collect(), ..alice() }
}

pub fn active_state() -> DeviceState {
    DeviceState::Active(Active { confirmed_at: at(0) })
}

pub fn pending_state(expires_at: i64) -> DeviceState {
    let expires_at = at(expires_at);
    DeviceState::Pending(Pending { expires_at, first_proof: None, replaces: Vec::new() })
}

pub fn with_phone(mut user: User, state: DeviceState) -> User {
    user.devices.push(phone(2, state));
    user
}

/// The secret of every device but a YubiKey.
pub fn secret() -> Secret {
    Secret::new(Zeroizing::new(vec![7; Secret::LENGTH]))
}

/// The code of [`hotp`] at a counter.
pub fn hotp_code(counter: u64) -> String {
    hotp::code_at(&secret(), hotp::CodeForm::COMMON, counter)
}

/// Keys that give every device the same [`secret`], and every YubiKey that of [`yubikey::tests::key`].
pub struct OneSecret;

impl Keys for OneSecret {
    fn secret(&self, _: Id, device: &Device) -> Result<Secret, Refusal> {
        Ok(match device.factor {
            Factor::Yubikey => yubikey::tests::key(),
            _ => secret(),
        })
    }

    fn backup_code_tag(&self, _: Id, _: Id, _: &BackupCode) -> Tag {
        Tag::default()
    }
}
