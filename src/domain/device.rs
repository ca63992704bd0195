//! A device and its states, with all allowed transitions.
//!
//! ```text
//!            right code
//!   Pending ────────────▶ Active ◀──────▶ Disabled
//!      ▲ └───────────────────────────────────▲ │
//!      └────────────── enable ───────────────┼─┘
//!   any ─────▶ Revoked (sealed for undo, then purged)
//! ```

use crate::domain::name::Label;
use crate::domain::secret::{Id, Sealed};
use crate::domain::time::Timestamp;
use crate::domain::totp::Parameters;

/// What holds a user's second factor (NIST: an authenticator).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: Id,
    pub label: Label,
    pub kind: DeviceKind,
    pub parameters: Parameters,
    pub secret: Sealed,
    pub state: DeviceState,
    /// The last accepted time step. It and all earlier ones are used up (RFC 6238, section 5.2).
    pub last_step: Option<u64>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    Totp,
}

impl DeviceKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Totp => "totp",
        }
    }
}

/// The state of a device. Each variant holds exactly what that state needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceState {
    Pending(Pending),
    Active(Active),
    /// Kept but refused until enabled, which restores the earlier state.
    Disabled(BeforeDisable),
    Revoked(Revocation),
}

/// The secret exists, but no code has been accepted yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    pub expires_at: Timestamp,
    /// The time step of the first right code, for a device that needs two successive ones.
    pub first_proof: Option<u64>,
    /// Devices that stay active until this one is confirmed, and are revoked then.
    pub replaces: Vec<Id>,
}

/// Confirmed by a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    pub confirmed_at: Timestamp,
}

/// The state that a disabled device returns to when enabled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BeforeDisable {
    Pending(Pending),
    Active(Active),
}

/// Refused for ever, unless undone within the undo time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    pub at: Timestamp,
    pub was: BeforeDisable,
    pub was_disabled: bool,
}

impl DeviceState {
    /// The word of the contract.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Active(_) => "active",
            Self::Disabled(_) => "disabled",
            Self::Revoked(_) => "revoked",
        }
    }

    /// The state below a disabled or revoked one.
    #[must_use]
    pub fn before_disable(&self) -> BeforeDisable {
        match self {
            Self::Pending(p) => BeforeDisable::Pending(p.clone()),
            Self::Active(a) => BeforeDisable::Active(a.clone()),
            Self::Disabled(held) | Self::Revoked(Revocation { was: held, .. }) => held.clone(),
        }
    }
}

impl Device {
    #[must_use]
    pub const fn is_live(&self) -> bool {
        !matches!(self.state, DeviceState::Revoked(_))
    }

    #[must_use]
    pub const fn is_active(&self) -> bool {
        matches!(self.state, DeviceState::Active(_))
    }

    #[must_use]
    pub const fn is_pending(&self) -> bool {
        matches!(self.state, DeviceState::Pending(_))
    }

    #[must_use]
    pub const fn is_disabled(&self) -> bool {
        matches!(self.state, DeviceState::Disabled(_))
    }

    /// Whether it is pending and can no longer be confirmed.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        matches!(&self.state, DeviceState::Pending(p) if p.expires_at <= now)
    }

    /// When its first code was accepted.
    #[must_use]
    pub fn confirmed_at(&self) -> Option<Timestamp> {
        match self.state.before_disable() {
            BeforeDisable::Active(a) => Some(a.confirmed_at),
            BeforeDisable::Pending(_) => None,
        }
    }

    /// The device after its code for this time step was accepted. The caller has checked that the step
    /// is later than [`Device::last_step`].
    #[must_use]
    pub fn used(self, step: u64, now: Timestamp) -> Self {
        Self { last_step: Some(step), last_used_at: Some(now), ..self }
    }

    #[must_use]
    pub fn disabled(mut self) -> Self {
        self.state = match self.state {
            DeviceState::Pending(p) => DeviceState::Disabled(BeforeDisable::Pending(p)),
            DeviceState::Active(a) => DeviceState::Disabled(BeforeDisable::Active(a)),
            same @ (DeviceState::Disabled(_) | DeviceState::Revoked(_)) => same,
        };
        self
    }

    /// A device that was never confirmed becomes pending again: only a right code makes it active.
    #[must_use]
    pub fn enabled(mut self) -> Self {
        self.state = match self.state {
            DeviceState::Disabled(BeforeDisable::Pending(p)) => DeviceState::Pending(p),
            DeviceState::Disabled(BeforeDisable::Active(a)) => DeviceState::Active(a),
            same => same,
        };
        self
    }

    #[must_use]
    pub fn revoked(mut self, at: Timestamp) -> Self {
        if self.is_live() {
            let was_disabled = self.is_disabled();
            self.state = DeviceState::Revoked(Revocation {
                at,
                was: self.state.before_disable(),
                was_disabled,
            });
        }
        self
    }
}
