//! Bringing a device's position to the present by two successive codes (RFC 4226, section 7.4): after a clock that was
//! ahead had used up the codes of a time that is yet to come, after many presses of a token's button, or after the
//! clock of a token has gone wrong.
//!
//! A counter only goes forward. A clock can go back to an earlier position, so it needs to know every code that was
//! accepted later: those stay used up.

use crate::domain::authenticate::Keys;
use crate::domain::code_source::CodeSource;
use crate::domain::device::Device;
use crate::domain::factor::{Comparison, Factor};
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
        /// As it is now.
        factor: Factor,
        from: Option<u64>,
        to: u64,
    },
    /// They belong to a device, but one of them was used before.
    Replayed {
        device: Label,
        factor: Factor,
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
            Self::Done { device, .. } | Self::Replayed { device, .. } => Some(device),
            Self::Rejected => None,
        }
    }

    /// The device's kind and settings.
    #[must_use]
    pub const fn factor(&self) -> Option<&Factor> {
        match self {
            Self::Done { factor, .. } | Self::Replayed { factor, .. } => Some(factor),
            Self::Rejected => None,
        }
    }
}

/// Refuses a user none of whose devices can be resynchronised now, before any code is asked for. Returns where the
/// codes come from.
pub fn check(
    user: &User,
    label: Option<&Label>,
    now: Timestamp,
    bounds: Bounds,
) -> Result<CodeSource, Refusal> {
    let candidates = candidates(user, label, now, bounds)?;
    match user.throttle.lockout(now) {
        Lockout::Unlocked => {
            Ok(CodeSource::of_all(candidates.into_iter().map(|index| &user.devices[index])))
        }
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

/// Compares two codes with the user's devices that can be resynchronised. Wrong ones count as two wrong codes.
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
        let Bounds { window, look_ahead, .. } = bounds;
        let with = Comparison {
            secret: &secret,
            last: device.position,
            now,
            window,
            look_ahead,
            tag: None,
        };
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
            let Device { label, factor, .. } = user.devices[index].clone();
            ResyncOutcome::Replayed { device: label, factor }
        }
        Some((index, position, true)) => {
            let device = user.devices[index].clone();
            let (label, from) = (device.label.clone(), device.position);
            let device = device.resynchronised(position, now);
            let factor = device.factor.clone();
            user.devices[index] = device;
            ResyncOutcome::Done { device: label, factor, from, to: position }
        }
    };
    Ok((user, outcome))
}

/// Whether a code was not used: where the last one is ahead, or a token's clock may have gone back, by the positions
/// that are remembered.
fn is_fresh(device: &Device, position: u64, now: Timestamp, bounds: Bounds) -> bool {
    let may_go_back = matches!(device.factor, Factor::TotpToken(..));
    if may_go_back || device.refused_until(now, bounds.window).is_some() {
        !device.accepted.contains(position, device.position)
    } else {
        device.is_unused(position)
    }
}

/// The devices that can be resynchronised, by their place: the active ones, and pending tokens, whose first code may be
/// far from where they are thought to be. Those are left out that have accepted more codes ahead than are remembered,
/// every `YubiKey`, and what another program verifies.
fn candidates(
    user: &User,
    label: Option<&Label>,
    now: Timestamp,
    bounds: Bounds,
) -> Result<Vec<usize>, Refusal> {
    user.check_has_devices()?;
    user.check_label(label)?;
    let named: Vec<Id> = user.labelled(label).map(|device| device.id).collect();
    let is_meant = |n: &usize| named.contains(&user.devices[*n].id);
    let is_usable = |n: &usize| may_be_resynchronised(&user.devices[*n], now);
    let active: Vec<usize> = (0..user.devices.len()).filter(is_meant).filter(is_usable).collect();
    if active.is_empty() {
        return Err(not_active(user, label));
    }
    let is_external = |n: &usize| user.devices[*n].factor.mark().is_some();
    let (external, active): (Vec<usize>, Vec<usize>) = active.into_iter().partition(is_external);
    if active.is_empty() {
        return Err(not_verified_here(user, &user.devices[external[0]]));
    }
    let is_yubikey = |n: &usize| matches!(user.devices[*n].factor, Factor::Yubikey);
    let (yubikeys, active): (Vec<usize>, Vec<usize>) = active.into_iter().partition(is_yubikey);
    if active.is_empty() {
        return Err(nothing_to_resynchronise(user, &user.devices[yubikeys[0]]));
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

/// A phone that was never confirmed needs none: its first code is a code of now.
fn may_be_resynchronised(device: &Device, now: Timestamp) -> bool {
    let is_pending_token = device.is_pending()
        && !device.is_expired(now)
        && matches!(device.factor, Factor::TotpToken(..) | Factor::Hotp(_));
    device.is_active() || is_pending_token
}

/// Another program has what there is to resynchronise.
fn not_verified_here(user: &User, external: &Device) -> Refusal {
    let label = quoted(external.label.as_str());
    let message = format!(
        "{}'s device {label} is verified by another program, so that there is nothing to resynchronise here",
        user.name
    );
    Refusal::new(ErrorCode::CannotResync, message)
        .hint(command("show-user").name(&user.name).after("see their devices with: "))
}

/// A code of a YubiKey has its counters in it.
fn nothing_to_resynchronise(user: &User, yubikey: &Device) -> Refusal {
    let label = quoted(yubikey.label.as_str());
    let message = format!(
        "{}'s device {label} is a YubiKey, which has nothing to resynchronise: each of its codes tells its counters",
        user.name
    );
    let diagnose = command("diagnose").name(&user.name);
    Refusal::new(ErrorCode::CannotResync, message)
        .hint(diagnose.after("touch it for a new code; if that fails, run: "))
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
