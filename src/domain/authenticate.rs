//! The decision whether a submitted code is accepted.
//!
//! A code is accepted when it matches an active or pending device of the user at a position inside
//! the window and later than the last accepted one, or on a printed list an unused one; or when it is an unused
//! backup code of the user.
//! Everything else is refused.

use crate::domain::backup_code::{BackupCode, BackupCodeKind, Submitted};
use crate::domain::device::{Active, Device, DeviceState};
use crate::domain::factor::Comparison;
use crate::domain::factor::paper::UsedCode;
use crate::domain::hint::{Hint, command};
use crate::domain::labels::label_once_confirmed;
use crate::domain::lockout::{Bounds, FailedFactor, Lockout};
use crate::domain::name::Label;
use crate::domain::recovery::Tag;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::{Id, Secret};
use crate::domain::serial::Serial;
use crate::domain::text::quoted;
use crate::domain::time::Timestamp;
use crate::domain::undo_record::{UndoRecord, Undoable};
use crate::domain::user::{Status, User};

/// What the decision asks of the keys of a store. It asks itself, so that no caller can open secrets in
/// the wrong order, or too early.
pub trait Keys {
    /// Opens the sealed secret of a device; `tampered` if it was altered, or belongs to another device. Of a device
    /// whose kind has none it is empty.
    fn secret(&self, user: Id, device: &Device) -> Result<Secret, Refusal>;

    /// The keyed hash of a code of letters, for one set of one user.
    fn backup_code_tag(&self, user: Id, set: Id, code: &BackupCode) -> Tag;
}

/// A submitted code, and the rules it is checked by.
#[derive(Clone, Copy)]
pub struct Attempt<'a> {
    pub submitted: &'a Submitted,
    /// Check this device only.
    pub device: Option<Id>,
    /// Read once, after the store was locked for writing.
    pub now: Timestamp,
    pub bounds: Bounds,
}

/// What became of an attempt, with the user to be stored.
#[must_use]
pub enum Authentication {
    Evaluated(User, Outcome),
    /// The user has nothing that the code could be compared with: `not_enabled`, `disabled` or
    /// `pending_expired`.
    NotEvaluated(User, Refusal),
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    Accepted {
        device: Label,
        factor: &'static str,
        /// The code of a printed list.
        code: Option<UsedCode>,
    },
    /// Accepted, and the pending device is now active.
    Confirmed {
        device: Label,
        factor: &'static str,
        code: Option<UsedCode>,
    },
    /// The first of the two successive codes that confirm a device with uncommon settings. The user
    /// is not let in.
    FirstOfTwo {
        device: Label,
        factor: &'static str,
    },
    /// Accepted with a backup code; `left` are still unused.
    AcceptedBackup {
        kind: BackupCodeKind,
        left: u32,
    },
    Rejected,
    Replayed {
        device: Label,
        factor: &'static str,
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

    /// Whether the code of a device let the user in. A backup code is for an emergency, and ends by itself.
    #[must_use]
    pub const fn lets_in_by_device(&self) -> bool {
        matches!(self, Self::Accepted { .. } | Self::Confirmed { .. })
    }

    #[must_use]
    pub const fn device(&self) -> Option<&Label> {
        match self {
            Self::Accepted { device, .. }
            | Self::Confirmed { device, .. }
            | Self::FirstOfTwo { device, .. }
            | Self::Replayed { device, .. } => Some(device),
            Self::AcceptedBackup { .. } | Self::Rejected | Self::Locked { .. } => None,
        }
    }

    /// The code of a printed list that let the user in.
    #[must_use]
    pub const fn used_code(&self) -> Option<UsedCode> {
        match self {
            Self::Accepted { code, .. } | Self::Confirmed { code, .. } => *code,
            _ => None,
        }
    }

    /// The kind of factor that was verified.
    #[must_use]
    pub const fn factor(&self) -> Option<&'static str> {
        match self {
            Self::AcceptedBackup { kind, .. } => Some(kind.word()),
            Self::Accepted { factor, .. }
            | Self::Confirmed { factor, .. }
            | Self::FirstOfTwo { factor, .. }
            | Self::Replayed { factor, .. } => Some(factor),
            Self::Rejected | Self::Locked { .. } => None,
        }
    }
}

/// The devices whose codes are checked, by their place: the one that is named, or all that can verify a
/// code now. With none of these the refusal is `not_enabled`, `disabled` or `pending_expired`.
pub fn candidates(
    user: &User,
    only: Option<Id>,
    submitted: &Submitted,
    now: Timestamp,
) -> Result<Vec<usize>, Refusal> {
    if user.status() == Status::Disabled {
        return Err(user.disabled_refusal());
    }
    if only.is_none() && submitted.backup_code().is_some_and(|code| is_usable(user, code.kind, now))
    {
        return Ok(Vec::new());
    }
    user.check_has_devices()?;
    let can_verify = |d: &Device| {
        d.factor.mark().is_none() && (d.is_active() || (d.is_pending() && !d.is_expired(now)))
    };
    let is_asked_for = |d: &Device| only.is_none_or(|id| d.id == id);
    let is_candidate = |d: &Device| can_verify(d) && is_asked_for(d);
    let found: Vec<_> =
        (0..user.devices.len()).filter(|&n| is_candidate(&user.devices[n])).collect();
    if found.is_empty() {
        let mut external = user.live().filter(|d| is_asked_for(d) && d.is_active());
        if let Some(mark) = external.find_map(|d| d.factor.mark()) {
            let mark = quoted(mark.as_str());
            let problem = format!("{} has only {mark}, which is not verified here", user.name);
            let enrol = command("enrol").name(&user.name);
            return Err(Refusal::new(ErrorCode::NotEnabled, problem)
                .hint(enrol.after("set up a device whose codes are, with: ")));
        }
        let expired = user.live().find(|d| is_asked_for(d) && d.is_expired(now));
        let why = expired.map_or("was not confirmed in time", |device| device.expired_words(now));
        let again = match expired.and_then(|device| device.serial.as_ref()) {
            Some(serial) => hand_out_again(serial, user),
            None => command("enrol").name(&user.name).after("make a new one with: "),
        };
        let problem = format!("{}'s device {why}", user.name);
        return Err(Refusal::new(ErrorCode::PendingExpired, problem).hint(again));
    }
    Ok(found)
}

/// A token that was not confirmed in time has no other secret that could be shown.
fn hand_out_again(serial: &Serial, user: &User) -> Hint {
    let assign = command("assign").name(serial.as_str()).name(&user.name);
    command("unassign")
        .name(serial.as_str())
        .after("take the token back with: ")
        .then("; then: ")
        .then(assign)
}

/// Whether every device of an enabled user is verified elsewhere, so that no code of a device is right here.
#[must_use]
pub fn has_only_external(user: &User) -> bool {
    let mut in_use = user.live().filter(|device| !device.is_disabled());
    user.status() == Status::Enabled && in_use.all(|device| device.factor.mark().is_some())
}

/// Whether the user has backup codes of this kind that could be accepted now or later.
fn is_usable(user: &User, kind: BackupCodeKind, now: Timestamp) -> bool {
    match kind {
        BackupCodeKind::Recovery => user.recovery.is_some(),
        BackupCodeKind::Bypass => user.bypass.as_ref().is_some_and(|bypass| !bypass.is_over(now)),
        // It is the code of a device.
        BackupCodeKind::Paper => false,
    }
}

/// Decides whether a submitted code is accepted. While the user is locked no secret is opened.
///
/// The error is `tampered` or `damaged`; nothing may be stored then.
pub fn authenticate(
    mut user: User,
    attempt: &Attempt<'_>,
    keys: &dyn Keys,
) -> Result<Authentication, Refusal> {
    let candidates = match candidates(&user, attempt.device, attempt.submitted, attempt.now) {
        Ok(candidates) => candidates,
        Err(refusal) => return Ok(Authentication::NotEvaluated(user, refusal)),
    };
    let locked_until = match user.throttle.lockout(attempt.now) {
        Lockout::Unlocked => None,
        Lockout::LockedUntil(t) => Some(Some(t)),
        Lockout::UntilUnlocked => Some(None),
    };
    if let Some(until) = locked_until {
        return Ok(Authentication::Evaluated(user, Outcome::Locked { until }));
    }
    let outcome = match best_match(&user, &candidates, attempt, keys)? {
        None if let Some(accepted) = consume_backup_code(&mut user, attempt, keys) => accepted,
        None => {
            user.throttle =
                user.throttle.failed(FailedFactor::Code, attempt.now, attempt.bounds.limits);
            Outcome::Rejected
        }
        Some(Match { index, fresh: false, .. }) => {
            let Device { label, factor, .. } = &user.devices[index];
            Outcome::Replayed { device: label.clone(), factor: factor.kind() }
        }
        Some(Match { index, position, .. }) => accept(&mut user, index, position, attempt.now),
    };
    if outcome.lets_in() {
        user.throttle = user.throttle.accepted();
        user.last_verified_at = Some(attempt.now);
        user.undo.close(attempt.now);
    }
    Ok(Authentication::Evaluated(user, outcome))
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
fn best_match(
    user: &User,
    candidates: &[usize],
    attempt: &Attempt<'_>,
    keys: &dyn Keys,
) -> Result<Option<Match>, Refusal> {
    let mut best: Option<Match> = None;
    for &index in candidates {
        let device = &user.devices[index];
        let secret = keys.secret(user.id, device)?;
        let Attempt { submitted, now, bounds, .. } = *attempt;
        // Computed for a device of any kind, as a match of it is looked for in all.
        let tag = submitted.backup_code().map(|c| keys.backup_code_tag(user.id, device.id, c));
        let Bounds { window, look_ahead, .. } = bounds;
        let with =
            Comparison { secret: &secret, last: device.position, now, window, look_ahead, tag };
        let Some(position) = device.factor.check(submitted, with) else { continue };
        let fresh = device.is_unused(position);
        let candidate = Match { index, position, fresh, active: device.is_active() };
        if best.is_none_or(|b| (candidate.fresh, candidate.active) > (b.fresh, b.active)) {
            best = Some(candidate);
        }
    }
    Ok(best)
}

/// Uses up a backup code. Changes nothing if the user has no such code.
fn consume_backup_code(user: &mut User, attempt: &Attempt<'_>, keys: &dyn Keys) -> Option<Outcome> {
    let code = attempt.submitted.backup_code()?;
    let kind = code.kind;
    let set = match kind {
        BackupCodeKind::Recovery => user.recovery.as_ref()?.id,
        BackupCodeKind::Bypass => user.bypass.as_ref()?.id,
        BackupCodeKind::Paper => return None,
    };
    let tag = &keys.backup_code_tag(user.id, set, code);
    let left = match kind {
        BackupCodeKind::Recovery => {
            let set = user.recovery.clone()?.used(tag)?;
            user.undo.used_recovery_code(&set);
            user.recovery.insert(set).left().try_into().unwrap_or(u32::MAX)
        }
        BackupCodeKind::Bypass => {
            let bypass = user.bypass.clone()?.used(tag, attempt.now)?;
            user.bypass.insert(bypass).uses
        }
        BackupCodeKind::Paper => return None,
    };
    Some(Outcome::AcceptedBackup { kind, left })
}

fn accept(user: &mut User, index: usize, position: u64, now: Timestamp) -> Outcome {
    let device = &mut user.devices[index];
    let (label, factor) = (device.label.clone(), device.factor.kind());
    let DeviceState::Pending(pending) = &mut device.state else {
        *device = device.clone().used(position, now);
        let code = device.factor.list().map(|list| list.used_code(position));
        return Outcome::Accepted { device: label, factor, code };
    };
    let successive = position > 0 && pending.first_proof == Some(position - 1);
    if !device.factor.is_proved_by_one_code() && !successive {
        pending.first_proof = Some(position);
        *device = device.clone().spent(position);
        return Outcome::FirstOfTwo { device: label, factor };
    }
    let replaced = std::mem::take(&mut pending.replaces);
    device.state = DeviceState::Active(Active { confirmed_at: now });
    *device = device.clone().used(position, now);
    let code = device.factor.list().map(|list| list.used_code(position));
    let label =
        label_once_confirmed(&user.devices, &user.devices[index], &replaced).unwrap_or(label);
    user.devices[index].label = label.clone();
    replace_devices(user, index, &replaced, now);
    user.enrolment_barred = false;
    Outcome::Confirmed { device: label, factor, code }
}

/// Revokes the devices that a new one replaces, now that it works; they are kept for undo.
fn replace_devices(user: &mut User, new: usize, replaced: &[Id], now: Timestamp) {
    let live = |id: &&Id| user.live().any(|d| d.id == **id);
    let replaced: Vec<Id> = replaced.iter().filter(live).copied().collect();
    if replaced.is_empty() {
        return;
    }
    let made = user.devices[new].id;
    let others = user.live().map(|d| d.id).filter(|id| *id != made && !replaced.contains(id));
    user.undo.replaced(UndoRecord {
        act: Undoable::Reset,
        at: now,
        devices: replaced.clone(),
        made: Some(made),
        untouched: Some(others.collect()),
        is_without_codes: false,
        recovery: None,
        password_change: user.password_change,
        temporary: None,
        enrolment_barred: user.enrolment_barred,
        closed_at: None,
    });
    for device in &mut user.devices {
        if replaced.contains(&device.id) {
            *device = device.clone().revoked(now);
        }
    }
    user.forget_oldest_revoked();
}

#[cfg(test)]
mod tests;
