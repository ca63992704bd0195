//! The one decision: may this code let this user in, now?
//!
//! A code is accepted when it belongs to an active or pending device of the user, for a time step
//! within the window that is later than the last accepted one. Every other way ends in a refusal.

use crate::domain::code::Code;
use crate::domain::device::{Active, Device, State};
use crate::domain::name::Label;
use crate::domain::refusal::{Code as Word, Refusal};
use crate::domain::secret::{Id, Secret};
use crate::domain::throttle::{Failure, Gate};
use crate::domain::time::Timestamp;
use crate::domain::totp::{Window, matching_step};
use crate::domain::user::{Status, User};

/// One attempt.
pub struct Attempt<'a> {
    /// `None`: what was presented cannot be a code.
    pub code: Option<&'a Code>,
    /// Read once, after the user was locked for writing.
    pub now: Timestamp,
    pub window: Window,
    /// The opened secrets of [`candidates`].
    pub secrets: &'a [(Id, Secret)],
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    Accepted {
        device: Label,
    },
    /// Accepted, and the pending device is now active.
    Confirmed {
        device: Label,
    },
    /// The first of two successive codes that a device with uncommon settings is proved by. Not
    /// an acceptance.
    HalfProved {
        device: Label,
    },
    Rejected,
    Replayed {
        device: Label,
    },
    Locked {
        until: Option<Timestamp>,
    },
}

impl Outcome {
    /// The word of the contract.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Accepted { .. } => "accepted",
            Self::Confirmed { .. } => "confirmed",
            Self::HalfProved { .. } | Self::Rejected => "rejected",
            Self::Replayed { .. } => "replayed",
            Self::Locked { .. } => "locked",
        }
    }

    /// Does it let the user in?
    #[must_use]
    pub const fn lets_in(&self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::Confirmed { .. })
    }

    #[must_use]
    pub const fn device(&self) -> Option<&Label> {
        match self {
            Self::Accepted { device }
            | Self::Confirmed { device }
            | Self::HalfProved { device }
            | Self::Replayed { device } => Some(device),
            Self::Rejected | Self::Locked { .. } => None,
        }
    }
}

/// The devices whose codes may be looked at: `only` the one named, or all.
///
/// # Errors
/// `not_enabled`, `disabled` or `pending_expired` where there is none.
pub fn candidates(user: &User, only: Option<Id>, now: Timestamp) -> Result<Vec<&Device>, Refusal> {
    user.has_devices()?;
    if user.status() == Status::Disabled {
        return Err(user.disabled_refusal());
    }
    let waiting = |d: &&Device| d.is_active() || (d.is_pending() && !d.is_expired(now));
    let wanted = |d: &&Device| only.is_none_or(|id| d.id == id);
    let found: Vec<_> = user.devices.iter().filter(waiting).filter(wanted).collect();
    if found.is_empty() {
        return Err(Refusal::new(
            Word::PendingExpired,
            format!("{}'s device was not confirmed in time", user.name),
        )
        .hint(format!("make a new one with: mfactl enrol {}", user.name)));
    }
    Ok(found)
}

/// Decides, and gives back the user as he is to be stored.
///
/// # Errors
/// `damaged` when a device has settings that no code can be made with.
pub fn verify(mut user: User, attempt: &Attempt<'_>) -> Result<(User, Outcome), Refusal> {
    match user.throttle.gate(attempt.now) {
        Gate::Open => {}
        Gate::LockedUntil(t) => return Ok((user, Outcome::Locked { until: Some(t) })),
        Gate::Shut => return Ok((user, Outcome::Locked { until: None })),
    }
    let found = best_match(&user, attempt)?;
    let outcome = match found {
        None => {
            user.throttle = user.throttle.failed(Failure::Code, attempt.now);
            Outcome::Rejected
        }
        Some(Match { index, fresh: false, .. }) => {
            Outcome::Replayed { device: user.devices[index].label.clone() }
        }
        Some(Match { index, step, .. }) => accept(&mut user, index, step, attempt.now),
    };
    if outcome.lets_in() {
        user.throttle = user.throttle.accepted();
        user.last_verified_at = Some(attempt.now);
    }
    Ok((user, outcome))
}

/// A device that has this code, and whether the step is still unused.
#[derive(Clone, Copy)]
struct Match {
    index: usize,
    step: u64,
    fresh: bool,
    active: bool,
}

/// Fresh before used, active before pending; all devices are computed, whatever matched before.
fn best_match(user: &User, attempt: &Attempt<'_>) -> Result<Option<Match>, Refusal> {
    let mut best: Option<Match> = None;
    let Some(code) = attempt.code else { return Ok(best) };
    for (id, secret) in attempt.secrets {
        let Some(index) = user.devices.iter().position(|d| d.id == *id) else { continue };
        let device = &user.devices[index];
        let step = matching_step(secret, device.parameters, code, attempt.now, attempt.window)?;
        let Some(step) = step else { continue };
        let fresh = device.last_step.is_none_or(|last| step > last);
        let found = Match { index, step, fresh, active: device.is_active() };
        if best.is_none_or(|b| (found.fresh, found.active) > (b.fresh, b.active)) {
            best = Some(found);
        }
    }
    Ok(best)
}

fn accept(user: &mut User, index: usize, step: u64, now: Timestamp) -> Outcome {
    let device = &mut user.devices[index];
    let label = device.label.clone();
    let State::Pending(pending) = &mut device.state else {
        *device = device.clone().used(step, now);
        return Outcome::Accepted { device: label };
    };
    let successive = step > 0 && pending.first_proof == Some(step - 1);
    if !device.parameters.is_common() && !successive {
        pending.first_proof = Some(step);
        device.last_step = Some(step);
        return Outcome::HalfProved { device: label };
    }
    let replaced = std::mem::take(&mut pending.replaces);
    device.state = State::Active(Active { confirmed_at: now });
    *device = device.clone().used(step, now);
    if !replaced.is_empty() {
        for device in &mut user.devices {
            if replaced.contains(&device.id) {
                *device = device.clone().revoked(now);
            }
        }
        user.forget_oldest_revoked();
    }
    Outcome::Confirmed { device: label }
}

#[cfg(test)]
mod tests;
