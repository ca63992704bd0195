//! Bringing a device's position to the present by two successive codes (RFC 4226, section 7.4): after a clock that was
//! ahead had used up the codes of a time that is yet to come.
//!
//! It goes back to an earlier position, so it needs to know every code that was accepted later: those stay used up.

use crate::domain::authenticate::Keys;
use crate::domain::device::Device;
use crate::domain::factor::Comparison;
use crate::domain::hint::command;
use crate::domain::lockout::{Bounds, FailedFactor, Lockout};
use crate::domain::name::Label;
use crate::domain::otp::Otp;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::text::quoted;
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};

/// What became of two codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResyncOutcome {
    /// The device is at the position of the second code.
    Done {
        device: Label,
        from: Option<u64>,
        to: u64,
    },
    /// They belong to a device, but one of them was used before.
    Replayed {
        device: Label,
    },
    Rejected,
}

impl ResyncOutcome {
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::Replayed { .. } => "replayed",
            Self::Rejected => "rejected",
        }
    }

    #[must_use]
    pub const fn device(&self) -> Option<&Label> {
        match self {
            Self::Done { device, .. } | Self::Replayed { device } => Some(device),
            Self::Rejected => None,
        }
    }
}

/// Refuses a user none of whose devices can be resynchronised now, before any code is asked for.
pub fn check(
    user: &User,
    label: Option<&Label>,
    now: Timestamp,
    bounds: Bounds,
) -> Result<(), Refusal> {
    candidates(user, label, now, bounds)?;
    match user.throttle.lockout(now) {
        Lockout::Unlocked => Ok(()),
        lockout => Err(locked(user, lockout)),
    }
}

/// The refusal for a user who is locked.
fn locked(user: &User, lockout: Lockout) -> Refusal {
    let name = &user.name;
    let unlock = command("unlock").name(name);
    match lockout {
        Lockout::LockedUntil(until) => {
            Refusal::new(ErrorCode::Locked, format!("{name} is locked until {until}"))
                .hint(unlock.after("wait, or run: "))
        }
        _ => {
            Refusal::new(ErrorCode::Locked, format!("{name} is locked after too many wrong codes"))
                .hint(unlock.after("run: "))
        }
    }
}

/// Compares two codes with the user's active devices. Wrong ones count as two wrong codes.
pub fn resync(
    mut user: User,
    label: Option<&Label>,
    codes: [&Otp; 2],
    keys: &dyn Keys,
    now: Timestamp,
    bounds: Bounds,
) -> Result<(User, ResyncOutcome), Refusal> {
    let mut best: Option<(usize, u64, bool)> = None;
    for index in candidates(&user, label, now, bounds)? {
        let device = &user.devices[index];
        let secret = keys.secret(user.id, device)?;
        let with = Comparison { secret: &secret, last: device.position, now, bounds, tag: None };
        let Some(position) = device.factor.check_successive(codes, with) else { continue };
        let is_fresh = [position - 1, position].iter().all(|p| is_fresh(device, *p, now, bounds));
        if best.is_none_or(|(.., fresh)| !fresh) {
            best = Some((index, position, is_fresh));
        }
    }
    let outcome = match best {
        None => {
            for _ in codes {
                user.throttle = user.throttle.failed(FailedFactor::Code, now, bounds.limits);
            }
            ResyncOutcome::Rejected
        }
        Some((index, _, false)) => {
            ResyncOutcome::Replayed { device: user.devices[index].label.clone() }
        }
        Some((index, position, true)) => {
            let device = user.devices[index].clone();
            let (label, from) = (device.label.clone(), device.position);
            user.devices[index] = device.resynchronised(position, now);
            ResyncOutcome::Done { device: label, from, to: position }
        }
    };
    Ok((user, outcome))
}

/// Whether a code was not used: where the last one is ahead, by the positions that are remembered.
fn is_fresh(device: &Device, position: u64, now: Timestamp, bounds: Bounds) -> bool {
    if device.refused_until(now, bounds.window).is_some() {
        !device.accepted.contains(position, device.position)
    } else {
        device.is_unused(position)
    }
}

/// The active devices, by their place. Those are left out that have accepted more codes ahead than are remembered.
fn candidates(
    user: &User,
    label: Option<&Label>,
    now: Timestamp,
    bounds: Bounds,
) -> Result<Vec<usize>, Refusal> {
    user.check_has_devices()?;
    user.check_label(label)?;
    let named: Vec<Id> = user.labelled(label).map(|device| device.id).collect();
    let active = |n: &usize| user.devices[*n].is_active() && named.contains(&user.devices[*n].id);
    let active: Vec<usize> = (0..user.devices.len()).filter(active).collect();
    if active.is_empty() {
        return Err(not_active(user, label));
    }
    let is_known = |n: &usize| user.devices[*n].has_all_ahead(now, bounds.window);
    let known: Vec<usize> = active.iter().copied().filter(is_known).collect();
    if known.is_empty() {
        let label = &user.devices[active[0]].label;
        let message = format!(
            "more codes of {} were accepted while the clock was ahead than are remembered, so those could be \
             accepted again",
            quoted(label.as_str())
        );
        let reset = command("reset").device(label).name(&user.name);
        let hint = reset.after("make a new QR code with: ");
        return Err(Refusal::new(ErrorCode::CannotResync, message).hint(hint));
    }
    Ok(known)
}

fn not_active(user: &User, label: Option<&Label>) -> Refusal {
    let name = &user.name;
    if user.labelled(label).any(Device::is_disabled) {
        return match label {
            Some(label) if user.status() != Status::Disabled => {
                let message =
                    format!("{}'s device {} is switched off", user.name, quoted(label.as_str()));
                let enable = command("enable").device(label).name(name);
                Refusal::new(ErrorCode::Disabled, message).hint(enable.after("switch it on with: "))
            }
            _ => user.disabled_refusal(),
        };
    }
    Refusal::new(ErrorCode::NotActive, format!("{}'s device is not confirmed yet", user.name)).hint(
        command("verify")
            .name(name)
            .after("its first right code confirms it: ")
            .or("the user's first sign-in with a code confirms it"),
    )
}

#[cfg(test)]
mod tests;
