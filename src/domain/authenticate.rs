//! The decision whether a submitted code is accepted.
//!
//! A code is accepted when it matches an active or pending device of the user at a position inside
//! the window and later than the last accepted one; or when it is an unused backup code of the user.
//! Everything else is refused.

use crate::domain::backup_code::{BackupCodeKind, Submitted};
use crate::domain::device::{Active, Device, DeviceState};
use crate::domain::lockout::{Bounds, FailedFactor, Lockout};
use crate::domain::name::Label;
use crate::domain::recovery::Tag;
use crate::domain::refusal;
use crate::domain::refusal::Refusal;
use crate::domain::secret::{Id, Secret};
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};

/// A submitted code and everything it is checked against.
pub struct CodeCheck<'a> {
    pub submitted: &'a Submitted,
    /// The keyed hash of a submitted backup code, computed by the vault for this user.
    pub tag: Option<Tag>,
    /// Read once, after the store was locked for writing.
    pub now: Timestamp,
    pub bounds: Bounds,
    /// The opened secrets of the [`candidates`].
    pub secrets: &'a [(Id, Secret)],
}

/// The outcome of an attempt.
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
    /// The first of the two successive codes that confirm a device with uncommon settings. The user
    /// is not let in.
    FirstOfTwo {
        device: Label,
    },
    /// Accepted with a backup code; `left` are still unused.
    AcceptedBackup {
        kind: BackupCodeKind,
        left: u32,
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
            Self::Accepted { .. } | Self::AcceptedBackup { .. } => "accepted",
            Self::Confirmed { .. } => "confirmed",
            Self::FirstOfTwo { .. } | Self::Rejected => "rejected",
            Self::Replayed { .. } => "replayed",
            Self::Locked { .. } => "locked",
        }
    }

    /// Whether the user is let in.
    #[must_use]
    pub const fn lets_in(&self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::Confirmed { .. } | Self::AcceptedBackup { .. })
    }

    #[must_use]
    pub const fn device(&self) -> Option<&Label> {
        match self {
            Self::Accepted { device }
            | Self::Confirmed { device }
            | Self::FirstOfTwo { device }
            | Self::Replayed { device } => Some(device),
            Self::AcceptedBackup { .. } | Self::Rejected | Self::Locked { .. } => None,
        }
    }

    /// The kind of factor that was verified.
    #[must_use]
    pub const fn factor(&self) -> Option<&'static str> {
        match self {
            Self::AcceptedBackup { kind, .. } => Some(kind.word()),
            other => match other.device() {
                Some(_) => Some("totp"),
                None => None,
            },
        }
    }
}

/// The devices whose codes are checked: `only` the given one, or all that can verify a code now.
///
/// With none of these the refusal is `not_enabled`, `disabled` or `pending_expired`.
pub fn candidates<'u>(
    user: &'u User,
    only: Option<Id>,
    submitted: &Submitted,
    now: Timestamp,
) -> Result<Vec<&'u Device>, Refusal> {
    if user.status() == Status::Disabled {
        return Err(user.disabled_refusal());
    }
    if only.is_none() && submitted.backup_code().is_some_and(|code| is_usable(user, code.kind, now))
    {
        return Ok(Vec::new());
    }
    user.check_has_devices()?;
    let can_verify = |d: &&Device| d.is_active() || (d.is_pending() && !d.is_expired(now));
    let is_asked_for = |d: &&Device| only.is_none_or(|id| d.id == id);
    let found: Vec<_> = user.devices.iter().filter(can_verify).filter(is_asked_for).collect();
    if found.is_empty() {
        return Err(Refusal::new(
            refusal::ErrorCode::PendingExpired,
            format!("{}'s device was not confirmed in time", user.name),
        )
        .hint(format!("make a new one with: mfactl enrol {}", user.name)));
    }
    Ok(found)
}

/// Whether the user has backup codes of this kind that could be accepted now or later.
fn is_usable(user: &User, kind: BackupCodeKind, now: Timestamp) -> bool {
    match kind {
        BackupCodeKind::Recovery => user.recovery.is_some(),
        BackupCodeKind::Bypass => user.bypass.as_ref().is_some_and(|bypass| !bypass.is_over(now)),
    }
}

/// Decides, and returns the user to be stored.
pub fn verify(mut user: User, attempt: &CodeCheck<'_>) -> Result<(User, Outcome), Refusal> {
    match user.throttle.lockout(attempt.now) {
        Lockout::Unlocked => {}
        Lockout::LockedUntil(t) => return Ok((user, Outcome::Locked { until: Some(t) })),
        Lockout::UntilUnlocked => return Ok((user, Outcome::Locked { until: None })),
    }
    let outcome = match best_match(&user, attempt) {
        None if let Some(accepted) = consume_backup_code(&mut user, attempt) => accepted,
        None => {
            user.throttle =
                user.throttle.failed(FailedFactor::Code, attempt.now, attempt.bounds.limits);
            Outcome::Rejected
        }
        Some(Match { index, fresh: false, .. }) => {
            Outcome::Replayed { device: user.devices[index].label.clone() }
        }
        Some(Match { index, position, .. }) => accept(&mut user, index, position, attempt.now),
    };
    if outcome.lets_in() {
        user.throttle = user.throttle.accepted();
        user.last_verified_at = Some(attempt.now);
        user.undo = None;
    }
    Ok((user, outcome))
}

/// A device whose code matches. `fresh`: the position is still unused.
#[derive(Clone, Copy)]
struct Match {
    index: usize,
    position: u64,
    fresh: bool,
    active: bool,
}

/// The best match: fresh before used, active before pending. All devices are computed, even after a
/// match, so that the time taken tells nothing.
fn best_match(user: &User, attempt: &CodeCheck<'_>) -> Option<Match> {
    let mut best: Option<Match> = None;
    let code = attempt.submitted.otp()?;
    for (id, secret) in attempt.secrets {
        let Some(index) = user.devices.iter().position(|d| d.id == *id) else { continue };
        let device = &user.devices[index];
        let position = device.factor.check(secret, code, attempt.now, attempt.bounds.window);
        let Some(position) = position else { continue };
        let fresh = device.is_unused(position);
        let candidate = Match { index, position, fresh, active: device.is_active() };
        if best.is_none_or(|b| (candidate.fresh, candidate.active) > (b.fresh, b.active)) {
            best = Some(candidate);
        }
    }
    best
}

/// Uses up a backup code. Changes nothing if the user has no such code.
fn consume_backup_code(user: &mut User, attempt: &CodeCheck<'_>) -> Option<Outcome> {
    let (kind, tag) = (attempt.submitted.backup_code()?.kind, attempt.tag.as_ref()?);
    let left = match kind {
        BackupCodeKind::Recovery => {
            let set = user.recovery.clone()?.used(tag)?;
            user.recovery.insert(set).left().try_into().unwrap_or(u32::MAX)
        }
        BackupCodeKind::Bypass => {
            let bypass = user.bypass.clone()?.used(tag, attempt.now)?;
            user.bypass.insert(bypass).uses
        }
    };
    Some(Outcome::AcceptedBackup { kind, left })
}

fn accept(user: &mut User, index: usize, position: u64, now: Timestamp) -> Outcome {
    let device = &mut user.devices[index];
    let label = device.label.clone();
    let DeviceState::Pending(pending) = &mut device.state else {
        *device = device.clone().used(position, now);
        return Outcome::Accepted { device: label };
    };
    let successive = position > 0 && pending.first_proof == Some(position - 1);
    if !device.factor.is_common() && !successive {
        pending.first_proof = Some(position);
        device.position = Some(position);
        return Outcome::FirstOfTwo { device: label };
    }
    let replaced = std::mem::take(&mut pending.replaces);
    device.state = DeviceState::Active(Active { confirmed_at: now });
    user.enrolment_barred = false;
    *device = device.clone().used(position, now);
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
