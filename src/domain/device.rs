//! A device and its states, with all allowed transitions.
//!
//! ```text
//!            right code
//!   Pending ────────────▶ Active ◀──────▶ Disabled
//!      ▲ └───────────────────────────────────▲ │
//!      └────────────── enable ───────────────┼─┘
//!   any ─────▶ Revoked (sealed for undo, then purged)
//! ```

use crate::domain::accepted::Accepted;
use crate::domain::factor::Factor;
use crate::domain::factor::paper::List;
use crate::domain::factor::totp::Window;
use crate::domain::name::Label;
use crate::domain::secret::{Id, Sealed};
use crate::domain::serial::Serial;
use crate::domain::time::Timestamp;

/// What holds a user's second factor (NIST: an authenticator).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: Id,
    pub label: Label,
    pub factor: Factor,
    /// Of a hardware token or a YubiKey from the inventory.
    pub serial: Option<Serial>,
    pub secret: Sealed,
    pub state: DeviceState,
    /// The position of the last accepted code: the time step, or the counter. It and all earlier ones
    /// are used up (RFC 6238, section 5.2; RFC 4226, section 7.2). `None` for a list, which keeps its unused codes.
    pub position: Option<u64>,
    pub accepted: Accepted,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
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
    /// The position of the first right code, for a device that needs two successive ones.
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
    /// A new device of a kind that has no secret.
    #[must_use]
    pub fn without_secret(
        id: Id,
        label: Label,
        factor: Factor,
        state: DeviceState,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            label,
            factor,
            serial: None,
            secret: Sealed(Vec::new()),
            state,
            position: None,
            accepted: Accepted::default(),
            created_at: now,
            last_used_at: None,
        }
    }

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

    /// Whether it is pending and can't be confirmed now: its time is over, or the clock was ahead when it was made.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        let is_ahead = self.created_at.is_ahead_of(now);
        matches!(&self.state, DeviceState::Pending(p) if p.expires_at <= now || is_ahead)
    }

    /// Why it is expired.
    #[must_use]
    pub const fn expired_words(&self, now: Timestamp) -> &'static str {
        if self.created_at.is_ahead_of(now) {
            "was made while the clock was ahead, and can't be confirmed"
        } else {
            "was not confirmed in time"
        }
    }

    /// When it can no longer be confirmed; `None` for another than a pending one, and for one that was read from the
    /// log, which doesn't keep it.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        let DeviceState::Pending(pending) = &self.state else { return None };
        Some(pending.expires_at).filter(|at| *at != Timestamp::EARLIEST)
    }

    /// How many codes of a printed list are left; `None` for another kind, and for one that was read from the log, which
    /// doesn't keep them.
    #[must_use]
    pub fn codes_left(&self) -> Option<usize> {
        self.factor.list().filter(|list| **list != List::UNKNOWN).map(List::left)
    }

    /// When its first code was accepted.
    #[must_use]
    pub fn confirmed_at(&self) -> Option<Timestamp> {
        match self.state.before_disable() {
            BeforeDisable::Active(a) => Some(a.confirmed_at),
            BeforeDisable::Pending(_) => None,
        }
    }

    /// The replay rule: whether a code at this position is later than the last accepted one. After a
    /// resynchronisation there may be accepted ones that are later still. The codes of a list have no order.
    #[must_use]
    pub fn is_unused(&self, position: u64) -> bool {
        if let Some(list) = self.factor.list() {
            return list.is_unused(position);
        }
        self.position.is_none_or(|last| position > last)
            && !self.accepted.contains(position, self.position)
    }

    /// Until when no right code is later than the last accepted one, which was accepted by a clock that was ahead;
    /// `None` if the last one is within the window around now, or earlier.
    #[must_use]
    pub fn refused_until(&self, now: Timestamp, window: Window) -> Option<Timestamp> {
        let clock = self.factor.clock()?;
        let last = self.position.filter(|last| last > clock.steps(now, window).end())?;
        let drift = clock.drift.unwrap_or_default().steps();
        let step = last.saturating_add(1).saturating_sub_signed(drift);
        i64::try_from(step.saturating_mul(clock.parameters.period))
            .ok()
            .and_then(|seconds| Timestamp::from_unix(seconds).ok())
    }

    /// Whether all codes are remembered that were accepted after the ones that may be submitted now. Only then can it
    /// be brought back from a time ahead.
    #[must_use]
    pub fn has_all_ahead(&self, now: Timestamp, window: Window) -> bool {
        let Some(clock) = self.factor.clock() else { return true };
        let earliest = clock.steps(now, window).start().saturating_sub(1);
        match self.position {
            Some(last) if self.refused_until(now, window).is_some() => {
                self.accepted.has_all_after(earliest, last)
            }
            _ => true,
        }
    }

    /// The device after its code at this position was accepted. The caller has asked
    /// [`Device::is_unused`].
    #[must_use]
    pub fn used(self, position: u64, now: Timestamp) -> Self {
        let spent = self.spent(position);
        let factor = spent.factor.clone().learned(position, now);
        Self { last_used_at: Some(now), factor, ..spent }
    }

    /// The device after two successive codes, the second of which has this position, which may be earlier than that
    /// of the last accepted code.
    #[must_use]
    pub fn resynchronised(mut self, position: u64, now: Timestamp) -> Self {
        if let DeviceState::Pending(pending) = &mut self.state {
            // Two successive codes are as good as the first of two.
            pending.first_proof = Some(position);
        }
        let first = position.saturating_sub(1);
        let accepted = self.accepted.with(first, self.position).with(position, Some(first));
        let factor = self.factor.resynchronised(position, now);
        Self { position: Some(position), accepted, last_used_at: Some(now), factor, ..self }
    }

    /// The same for a code that is no use of the device, such as the first of two.
    #[must_use]
    pub fn spent(self, position: u64) -> Self {
        if let Factor::Paper(list) = self.factor {
            return Self { factor: Factor::Paper(list.used(position)), ..self };
        }
        let accepted = self.accepted.with(position, self.position);
        Self { position: Some(position), accepted, ..self }
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
