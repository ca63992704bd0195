//! A hardware token or YubiKey of the inventory.
//!
//! Free tokens are here with their secrets. Once a token is assigned, the secret and the counter are those of the user's
//! device, and only there; `unassign` brings both back.

use crate::domain::accepted::Accepted;
use crate::domain::device::{Device, DeviceState};
use crate::domain::factor::drift::Drift;
use crate::domain::factor::kind::DeviceKind;
use crate::domain::factor::{Factor, hotp};
use crate::domain::name::Label;
use crate::domain::secret::{Id, Sealed, Stamp};
use crate::domain::serial::Serial;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};

/// Tells tokens of one secret, to whoever has the key of the store: no two tokens may have one, since one code would be
/// right for both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; Fingerprint::LENGTH]);

impl Fingerprint {
    /// Length in bytes.
    pub const LENGTH: usize = 16;

    #[must_use]
    pub const fn new(bytes: [u8; Self::LENGTH]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub const fn bytes(&self) -> &[u8; Self::LENGTH] {
        &self.0
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub id: Id,
    pub serial: Serial,
    /// Of the secret, wherever that is.
    pub fingerprint: Fingerprint,
    /// With the drift that was learned when it was last returned.
    pub factor: Factor,
    pub state: TokenState,
    /// The position of the last code that was accepted before it was last returned; it and all earlier ones are used up
    /// for whoever gets the token next.
    pub position: Option<u64>,
    /// Manufacturer and model, as the file said that it was added from.
    pub model: Option<String>,
    pub added_at: Timestamp,
    /// Grows by one with each change, which an event records.
    pub rev: u64,
    /// Of the event that made this state.
    pub stamp: Stamp,
    /// The event that added it, if that is not about this token alone.
    pub added_by: Option<u64>,
}

/// Where a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenState {
    /// Nobody's; its secret is sealed for the inventory.
    Free(Sealed),
    /// A device of the user with this id.
    Assigned(Id),
    /// Nowhere: it was removed from the inventory. What stays is which secret it had and up to which position its codes
    /// are used up, so that none is accepted again if the token is added once more.
    Removed,
}

impl Token {
    /// The longest model, in characters.
    pub const LONGEST_MODEL: usize = 100;

    /// Whom it is assigned to.
    #[must_use]
    pub const fn holder(&self) -> Option<Id> {
        match &self.state {
            TokenState::Free(_) | TokenState::Removed => None,
            TokenState::Assigned(user) => Some(*user),
        }
    }

    /// The sealed secret of a free token.
    #[must_use]
    pub const fn secret(&self) -> Option<&Sealed> {
        match &self.state {
            TokenState::Free(secret) => Some(secret),
            TokenState::Assigned(_) | TokenState::Removed => None,
        }
    }

    #[must_use]
    pub const fn is_removed(&self) -> bool {
        matches!(self.state, TokenState::Removed)
    }

    /// What stays of the token once it is removed. `lost_at`: the position of its last code went with its user, so that
    /// every code of a counter is used up, and of a clock every code up to this time.
    #[must_use]
    pub fn removed(self, lost_at: Option<Timestamp>) -> Self {
        let position = match (lost_at, self.factor.clock()) {
            (None, _) => self.position,
            (Some(now), Some(clock)) => {
                Some(clock.parameters.step(now).saturating_add(Drift::MOST.unsigned_abs().into()))
            }
            (Some(_), None) => Some(hotp::LAST_COUNTER),
        };
        Self { state: TokenState::Removed, position, ..self }
    }

    /// The token after it was added once more as `added`: it keeps its identity, and no code comes back.
    #[must_use]
    pub fn added_again(self, added: Self) -> Self {
        let position = self.position.max(added.position);
        Self {
            id: self.id,
            rev: self.rev,
            stamp: self.stamp,
            added_by: self.added_by,
            position,
            ..added
        }
    }

    #[must_use]
    pub fn assigned(self, to: Id) -> Self {
        Self { state: TokenState::Assigned(to), ..self }
    }

    /// The token with the secret and the counter of the device that it was.
    #[must_use]
    pub fn returned(self, secret: Sealed, factor: Factor, position: Option<u64>) -> Self {
        Self { state: TokenState::Free(secret), factor, position, ..self }
    }

    /// The device that a user gets with it, whose secret is still to be sealed for them.
    #[must_use]
    pub fn device(&self, id: Id, label: Label, state: DeviceState, now: Timestamp) -> Device {
        Device {
            id,
            label,
            factor: self.factor.clone(),
            serial: Some(self.serial.clone()),
            secret: Sealed(Vec::new()),
            state,
            position: self.position,
            accepted: Accepted::default(),
            created_at: now,
            last_used_at: None,
        }
    }

    /// What its device is called unless the operator says otherwise.
    #[must_use]
    pub fn label(&self) -> Label {
        let is_yubikey = self.factor == Factor::Yubikey;
        if is_yubikey { DeviceKind::Yubikey } else { DeviceKind::Hotp }.default_label()
    }

    /// Serial, kind and model, such as "GALT1 (totp, Example C200)".
    #[must_use]
    pub fn words(&self) -> String {
        let model = self.model.as_deref().map(|model| format!(", {}", shown(model)));
        format!("{} ({}{})", self.serial, self.factor.kind(), model.unwrap_or_default())
    }
}

/// The user's device with this serial, in whatever state.
#[must_use]
pub fn device_of<'u>(user: &'u User, serial: &Serial) -> Option<&'u Device> {
    let is_it = |own: &Serial| own.folded() == serial.folded();
    user.devices.iter().find(|d| d.serial.as_ref().is_some_and(is_it))
}

/// The user without the token, which leaves them for good: no undo brings it back. `None` if they don't have it.
#[must_use]
pub fn taken_from(mut user: User, serial: &Serial) -> Option<(Changed, Device)> {
    let id = device_of(&user, serial)?.id;
    let index = user.devices.iter().position(|d| d.id == id)?;
    let device = user.devices.remove(index);
    user.undo.forget_device(id);
    let touched = vec![device.label.clone()];
    Some((Changed { user, touched }, device))
}

#[cfg(test)]
mod tests;
