//! Alice and her phone, as the tests of decisions need them.

use zeroize::Zeroizing;

use crate::domain::accepted::Accepted;
use crate::domain::authenticate::Keys;
use crate::domain::backup_code::BackupCode;
use crate::domain::device::{Active, Device, DeviceState, Pending};
use crate::domain::factor::Factor;
use crate::domain::factor::totp::Parameters;
use crate::domain::name::{Label, UserName};
use crate::domain::recovery::Tag;
use crate::domain::refusal::Refusal;
use crate::domain::secret::{Id, Sealed, Secret};
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

/// The secret of every phone.
pub fn secret() -> Secret {
    Secret::new(Zeroizing::new(vec![7; Secret::LENGTH]))
}

/// Keys that give every phone the same [`secret`].
pub struct OneSecret;

impl Keys for OneSecret {
    fn secret(&self, _: Id, _: &Device) -> Result<Secret, Refusal> {
        Ok(secret())
    }

    fn backup_code_tag(&self, _: Id, _: Id, _: &BackupCode) -> Tag {
        Tag::default()
    }
}
