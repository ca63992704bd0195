//! The changes that users make to their own devices. None goes further than the operators' verb of the same kind.

use crate::domain::device::Device;
use crate::domain::name::Label;
use crate::domain::policy::Requirement;
use crate::domain::recovery::RecoverySet;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, Status, User};

/// Adds a pending device.
pub fn add(user: User, device: Device) -> Result<Changed, Refusal> {
    let label = device.label.clone();
    let user = user.enrol(device).map_err(for_user)?;
    Ok(Changed { user, touched: vec![label] })
}

/// Adds a pending device that takes the place of one in use as soon as it is confirmed. The other devices, the
/// backup codes and the count of wrong codes stay.
pub fn replace(
    user: User,
    label: Option<&Label>,
    device: Device,
    now: Timestamp,
) -> Result<Changed, Refusal> {
    let label = in_use(&user, label)?;
    if user.live().any(|d| d.label == label && d.serial.is_some()) {
        let problem = format!("your device {label} is a hardware token, and no app can replace it");
        return Err(Refusal::new(ErrorCode::NotPermitted, problem)
            .hint("set up a further device, then remove this one"));
    }
    let throttle = user.throttle.clone();
    let mut changed = user.reset(Some(&label), Some(device), true, now).map_err(for_user)?;
    changed.user.throttle = throttle;
    changed.touched.insert(0, label);
    Ok(changed)
}

/// Switches MFA off, where it is optional.
pub fn switch_off(user: User, requirement: Requirement) -> Result<Changed, Refusal> {
    if requirement != Requirement::Optional {
        return Err(required("MFA can't be switched off: it is required of you"));
    }
    user.disable(None).map_err(for_user)
}

/// Removes a device. With the last one in use everything goes, as with `delete`.
pub fn remove(
    user: User,
    label: Option<&Label>,
    requirement: Requirement,
    may_switch_off: bool,
    now: Timestamp,
) -> Result<Changed, Refusal> {
    let label = live(&user, label)?;
    let before = user.status();
    let changed = user.clone().revoke(Some(&label), now).map_err(for_user)?;
    if before != Status::Enabled || changed.user.status() == Status::Enabled {
        return Ok(changed);
    }
    if requirement != Requirement::Optional {
        return Err(required("the last device can't be removed: MFA is required of you")
            .hint("set up a further device first, or replace this one"));
    }
    if !may_switch_off {
        let problem = "the last device can't be removed: switch-off is not turned on here";
        return Err(required(problem).hint("set up a further device first, or replace this one"));
    }
    Ok(user.revoke(None, now).map_err(for_user)?.void_backup_codes())
}

/// Gives a device another label.
pub fn rename(user: User, from: Option<&Label>, to: &Label) -> Result<Changed, Refusal> {
    let from = live(&user, from)?;
    user.relabel(&from, to).map_err(for_user)
}

/// Replaces the recovery codes.
pub fn renew_codes(user: User, set: RecoverySet) -> Changed {
    Changed { user: User { recovery: Some(set), ..user }, touched: Vec::new() }
}

/// The device in use that a label means, or the only one.
fn in_use(user: &User, label: Option<&Label>) -> Result<Label, Refusal> {
    let label = label.map(|label| live(user, Some(label))).transpose()?;
    let is_meant = |d: &&Device| label.as_ref().is_none_or(|label| d.label == *label);
    let in_use: Vec<&Device> = user.live().filter(|d| d.is_active()).filter(is_meant).collect();
    match (in_use.as_slice(), label) {
        ([one], _) => Ok(one.label.clone()),
        ([], Some(label)) => {
            let problem = format!("your device {label} is not in use yet");
            Err(Refusal::new(ErrorCode::NotActive, problem).hint("remove it, or confirm it"))
        }
        ([], None) => Err(no_device()),
        (many, _) => Err(ambiguous(many)),
    }
}

/// The device that a label means, or the only one.
fn live(user: &User, label: Option<&Label>) -> Result<Label, Refusal> {
    let devices: Vec<&Device> = match label {
        Some(label) => user.live().filter(|d| d.label.is_same(label)).collect(),
        None => user.live().collect(),
    };
    match (devices.as_slice(), label) {
        ([one], _) => Ok(one.label.clone()),
        ([], Some(label)) => {
            let known: Vec<_> = user.live().map(|d| d.label.to_string()).collect();
            let problem = format!("you have no device {label}");
            Err(Refusal::new(ErrorCode::DeviceNotFound, problem)
                .hint(format!("your devices: {}", known.join(", "))))
        }
        ([], None) => Err(no_device()),
        (many, _) => Err(ambiguous(many)),
    }
}

fn no_device() -> Refusal {
    Refusal::new(ErrorCode::NotEnabled, "you have no device").hint("set one up")
}

fn ambiguous(devices: &[&Device]) -> Refusal {
    let labels: Vec<_> = devices.iter().map(|d| d.label.to_string()).collect();
    Refusal::new(ErrorCode::AmbiguousDevice, format!("you have {} devices", devices.len()))
        .hint(format!("name one: {}", labels.join(", ")))
}

fn required(problem: &str) -> Refusal {
    Refusal::new(ErrorCode::NotPermitted, problem).hint("ask the helpdesk")
}

/// The same refusal with advice that a user can follow: the operators' verbs are not theirs to run.
fn for_user(refusal: Refusal) -> Refusal {
    let hint = match refusal.code {
        ErrorCode::AlreadyEnrolled => "choose another name",
        ErrorCode::TooManyDevices => "remove one that you no longer use",
        _ => "ask the helpdesk",
    };
    refusal.hint(hint)
}
