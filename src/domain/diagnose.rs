//! Compares a code with all that a user has or had, for an operator who helps them.

mod token;

use crate::domain::authenticate::Keys;
use crate::domain::backup_code::{BackupCode, BackupCodeKind, Submitted};
use crate::domain::code_source::CodeSource;
use crate::domain::device::{BeforeDisable, Device, DeviceState};
use crate::domain::diagnose::token::{other_kind, with_token};
use crate::domain::diagnosis::{Diagnosis, Spare, TokenFinding};
use crate::domain::factor::Factor;
use crate::domain::factor::totp::{Algorithm, Parameters, Window, matching_steps};
use crate::domain::lockout::Bounds;
use crate::domain::name::Label;
use crate::domain::otp::Otp;
use crate::domain::refusal::Refusal;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Status, User};
use crate::domain::yubico_otp::Misread;

/// Time steps before and after the current one that are searched with all settings.
const REACH: u64 = 20;
/// How far off a clock is searched for: the time zones of the world, and a few minutes.
const FARTHEST: Span = Span::minutes(14 * 60 + 5);
/// How many codes are compared while a user is locked, within [`LOCKED_SPAN`]. The lock itself counts no attempt
/// then, so that a diagnosis never makes it longer; this bounds what can be guessed in its shade.
pub const MOST_WHILE_LOCKED: usize = 10;
pub const LOCKED_SPAN: Span = Span::hours(1);

/// What a user reads out or sends, for a diagnosis.
pub struct ReadOut {
    pub submitted: Submitted,
    misread: Option<Misread>,
}

impl ReadOut {
    /// Nothing that has the form of a code.
    pub const NO_CODE: Self = Self { submitted: Submitted::NotACode, misread: None };

    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let submitted = Submitted::read(bytes);
        let text = std::str::from_utf8(bytes).unwrap_or_default().trim_end();
        let is_code = !matches!(submitted, Submitted::NotACode);
        let misread = if is_code { None } else { Misread::read(text) };
        Self { submitted, misread }
    }
}

/// The finding where there is nothing to compare a code with, so that no attempt is counted. `read_out` is `None`
/// before it is asked for.
#[must_use]
pub fn without_comparing(
    user: &User,
    read_out: Option<&ReadOut>,
    now: Timestamp,
) -> Option<Diagnosis> {
    let has_spares = user.recovery.is_some() || user.bypass.is_some();
    if read_out.map_or(has_spares, |read_out| read_out.submitted.backup_code().is_some()) {
        return None;
    }
    let mut live = user.live().peekable();
    if live.peek().is_none() {
        return Some(Diagnosis::NoDevice { taken: None });
    }
    if let Some(device) = user.live().next().filter(|_| live.all(|d| d.is_expired(now))) {
        return Some(expired(device, now));
    }
    if let Some(finding) = token::not_verified_here(user) {
        return Some(finding.into());
    }
    match read_out? {
        ReadOut { misread: Some(misread), .. } => Some(TokenFinding::Misread(*misread).into()),
        ReadOut { submitted: Submitted::NotACode, .. } => Some(Diagnosis::NoCode),
        _ => None,
    }
}

/// Compares what was submitted with every device that the user has or had, or with their backup codes.
pub fn diagnose(
    user: &User,
    keys: &dyn Keys,
    submitted: &Submitted,
    now: Timestamp,
    bounds: Bounds,
) -> Result<Diagnosis, Refusal> {
    match submitted {
        Submitted::Otp(_) | Submitted::Yubico(_) => {}
        Submitted::BackupCode(code) if code.kind == BackupCodeKind::Paper => {
            return Ok(diagnose_paper(user, keys, code, now));
        }
        Submitted::BackupCode(code) => return Ok(diagnose_spare(user, keys, code, now)),
        Submitted::NotACode => return Ok(Diagnosis::NoCode),
    }
    let mut best: Option<Diagnosis> = None;
    for device in &user.devices {
        let secret = keys.secret(user.id, device)?;
        let found = match (&device.factor, submitted) {
            (Factor::Totp(given), Submitted::Otp(code)) => {
                let mut found = Vec::new();
                for used in possible_settings(*given) {
                    let current = used.step(now);
                    for step in matching_steps(&secret, used, code, now, REACH) {
                        let settings = (*given, used);
                        found.push(reason(device, settings, (step, current), now, bounds.window));
                    }
                }
                found
            }
            _ => with_token(device, &secret, submitted, now, bounds),
        };
        for candidate in found {
            if best.as_ref().is_none_or(|best| rank(&candidate) < rank(best)) {
                best = Some(candidate);
            }
        }
    }
    if let Some(best) = best {
        return Ok(best);
    }
    if user.status() == Status::Disabled {
        return Ok(Diagnosis::Disabled { device: None });
    }
    if let Some(finding) = other_kind(user, submitted) {
        return Ok(finding.into());
    }
    let unknown = Diagnosis::Unknown { only: only_device(user), source: CodeSource::of_user(user) };
    match submitted {
        Submitted::Otp(code) => Ok(far_off(user, keys, code, now)?.unwrap_or(unknown)),
        _ => Ok(unknown),
    }
}

/// The nearest time within hours that the code fits, with the device's own settings.
fn far_off(
    user: &User,
    keys: &dyn Keys,
    code: &Otp,
    now: Timestamp,
) -> Result<Option<Diagnosis>, Refusal> {
    let (mut found, mut searched): (Vec<(u64, &Device, i64, u64)>, u64) = (Vec::new(), 0);
    let in_use = |d: &&Device| d.is_active() || (d.is_pending() && !d.is_expired(now));
    for device in user.live().filter(in_use) {
        let Factor::Totp(given) = device.factor else { continue };
        if usize::from(given.digits) != code.digits().len() {
            continue;
        }
        let secret = keys.secret(user.id, device)?;
        let (current, reach) = (given.step(now), FARTHEST.0 / given.period);
        searched += 2 * reach + 1;
        for step in matching_steps(&secret, given, code, now, reach) {
            let steps = step.cast_signed() - current.cast_signed();
            found.push((steps.unsigned_abs() * given.period, device, steps, given.period));
        }
    }
    let nearest = found.into_iter().min_by_key(|(seconds, ..)| *seconds);
    Ok(nearest.map(|(_, device, steps, period)| {
        let codes = 10_u64.saturating_pow(u32::try_from(code.digits().len()).unwrap_or(6));
        let one_in = codes / searched.max(1);
        Diagnosis::MaybeClockOff { device: device.label.clone(), steps, period, one_in }
    }))
}

fn only_device(user: &User) -> Option<Label> {
    let mut live = user.live();
    live.next().filter(|_| live.next().is_none()).map(|device| device.label.clone())
}

/// What a recovery code or a bypass code is worth. Nothing is used up.
fn diagnose_spare(user: &User, keys: &dyn Keys, code: &BackupCode, now: Timestamp) -> Diagnosis {
    let kind = code.kind;
    let spare = match kind {
        BackupCodeKind::Recovery => user.recovery.as_ref().map(|set| {
            let left = set.left() as u64;
            let tag = keys.backup_code_tag(user.id, set.id, code);
            match set.clone().used(&tag) {
                Some(_) => Spare::Good { left, until: None },
                None => Spare::Unknown { left, at: None },
            }
        }),
        BackupCodeKind::Bypass => user.bypass.as_ref().map(|bypass| {
            let tag = keys.backup_code_tag(user.id, bypass.id, code);
            let until = bypass.expires_at;
            if !bypass.is_code(&tag) {
                let left = u64::from(!bypass.is_over(now));
                return Spare::Unknown { left, at: None };
            }
            match () {
                () if bypass.uses == 0 => Spare::Used { at: None },
                () if until <= now => Spare::Expired { at: until },
                () if now < bypass.starts_at => Spare::NotYet { from: bypass.starts_at },
                () => Spare::Good { left: bypass.uses.into(), until: Some(until) },
            }
        }),
        BackupCodeKind::Paper => None,
    };
    Diagnosis::Spare { kind, spare: spare.unwrap_or(Spare::Unknown { left: 0, at: None }) }
}

/// What a code of a printed list is worth. Nothing is used up.
fn diagnose_paper(user: &User, keys: &dyn Keys, code: &BackupCode, now: Timestamp) -> Diagnosis {
    let kind = BackupCodeKind::Paper;
    let mut best: Option<Diagnosis> = None;
    let mut left = 0;
    for device in &user.devices {
        let Some(list) = device.factor.list() else { continue };
        let own_left = list.left() as u64;
        if device.is_live() {
            left += own_left;
        }
        let tag = keys.backup_code_tag(user.id, device.id, code);
        if let Some(position) = list.position(&tag) {
            let spare = if list.is_unused(position) {
                Spare::Good { left: own_left, until: None }
            } else {
                Spare::Used { at: None }
            };
            best = Some(out_of_use(device, now).unwrap_or(Diagnosis::Spare { kind, spare }));
        }
    }
    let unknown = Spare::Unknown { left, at: None };
    best.unwrap_or(Diagnosis::Spare { kind, spare: unknown })
}

fn reason(
    device: &Device,
    (given, used): (Parameters, Parameters),
    (step, current): (u64, u64),
    now: Timestamp,
    window: Window,
) -> Diagnosis {
    let label = device.label.clone();
    // Setting the clock or changing the settings does not help a device that is out of use.
    if let Some(out_of_use) = out_of_use(device, now) {
        return out_of_use;
    }
    if used != given {
        return Diagnosis::OtherSettings { device: label, given, used };
    }
    if step.abs_diff(current) > window.steps() {
        let steps = i64::try_from(step).unwrap_or(i64::MAX) - i64::try_from(current).unwrap_or(0);
        return Diagnosis::ClockOff { device: label, steps, period: used.period };
    }
    of_the_window(device, step, now, window)
}

/// Why a device can't be used, whatever the code.
fn out_of_use(device: &Device, now: Timestamp) -> Option<Diagnosis> {
    let label = device.label.clone();
    match &device.state {
        DeviceState::Revoked(revoked) => {
            let source = CodeSource::of(device);
            Some(Diagnosis::Revoked { device: label, at: revoked.at, source })
        }
        DeviceState::Disabled(_) => Some(Diagnosis::Disabled { device: Some(label) }),
        _ if device.is_expired(now) => Some(expired(device, now)),
        _ => None,
    }
}

/// What a code is worth that is inside the window.
fn of_the_window(device: &Device, step: u64, now: Timestamp, window: Window) -> Diagnosis {
    if let Some(until) = device.refused_until(now, window) {
        let (device, can_resync) = (device.label.clone(), device.has_all_ahead(now, window));
        return Diagnosis::ClockWasAhead { device, until, can_resync };
    }
    if device.is_unused(step) { right(device) } else { already_used(device, step) }
}

fn right(device: &Device) -> Diagnosis {
    Diagnosis::Right {
        device: device.label.clone(),
        pending: device.is_pending(),
        source: CodeSource::of(device),
        note: None,
    }
}

fn already_used(device: &Device, position: u64) -> Diagnosis {
    Diagnosis::AlreadyUsed {
        device: device.label.clone(),
        at: device.last_used_at,
        by_later: device.position.is_some_and(|last| last > position),
        source: CodeSource::of(device),
    }
}

fn expired(device: &Device, now: Timestamp) -> Diagnosis {
    let at = match device.state.before_disable() {
        BeforeDisable::Pending(pending) => Some(pending.expires_at),
        BeforeDisable::Active(_) => None,
    };
    let is_ahead = device.created_at.is_ahead_of(now);
    let (label, serial) = (device.label.clone(), device.serial.clone());
    Diagnosis::Expired { device: label, at: at.filter(|_| !is_ahead), serial }
}

/// The most likely reason has the lowest rank.
const fn rank(diagnosis: &Diagnosis) -> u8 {
    match diagnosis {
        Diagnosis::Right { .. } => 0,
        Diagnosis::AlreadyUsed { .. } | Diagnosis::ClockWasAhead { .. } => 1,
        Diagnosis::Disabled { .. } => 2,
        Diagnosis::Revoked { .. } => 3,
        Diagnosis::Expired { .. } => 4,
        Diagnosis::ClockOff { .. } | Diagnosis::Token(_) => 5,
        _ => 6,
    }
}

/// The device's own settings first, then all that apps are known to use instead.
fn possible_settings(own: Parameters) -> impl Iterator<Item = Parameters> {
    let algorithms = [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512];
    let others = algorithms.into_iter().flat_map(|algorithm| {
        [6, 8].into_iter().flat_map(move |digits| {
            [30, 60].into_iter().map(move |period| Parameters { algorithm, digits, period })
        })
    });
    std::iter::once(own).chain(others.filter(move |other| *other != own))
}

#[cfg(test)]
mod tests;
