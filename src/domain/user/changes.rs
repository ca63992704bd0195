//! Operators' changes to a user's devices.

use crate::domain::device::{Device, DeviceState};
use crate::domain::factor::Factor;
use crate::domain::hint::command;
use crate::domain::labels::free_label;
use crate::domain::name::Label;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::quoted;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, MOST_DEVICES, Status, User};

impl User {
    /// Adds a pending device, replacing a pending one with the same label.
    ///
    /// A pending hardware token is not replaced: it is on somebody's desk, and only `unassign` takes it back. A pending
    /// YubiKey is, by another YubiKey, because it can be programmed anew; it is revoked and kept, since it may belong to
    /// the inventory (see [`User::purge`]).
    pub fn enrol(mut self, device: Device) -> Result<Self, Refusal> {
        let is_taken = |d: &&Device| d.label.is_same(&device.label) && !d.is_pending();
        if let Some(other) = self.live().find(is_taken) {
            let what = if_lost(other);
            let label = quoted(device.label.as_str());
            return Err(Refusal::new(
                ErrorCode::AlreadyEnrolled,
                format!("{} already has a device {label}", self.name),
            )
            .hint(
                command("reset")
                    .device(&device.label)
                    .name(&self.name)
                    .after(&format!("name another with --device; {what} run: ")),
            ));
        }
        if self.status() == Status::Disabled {
            return Err(self.disabled_refusal());
        }
        let is_replaced = |d: &Device| d.is_pending() && d.label.is_same(&device.label);
        if let Some(token) = self.live().find(|d| is_replaced(d) && d.serial.is_some())
            && (&token.factor, &device.factor) != (&Factor::Yubikey, &Factor::Yubikey)
        {
            let (name, label) = (&self.name, &token.label);
            let message = format!("{name}'s token {label} waits for its first code");
            return Err(Refusal::new(ErrorCode::AlreadyEnrolled, message)
                .hint("give the new device another label with --device"));
        }
        self.devices.retain(|d| !is_replaced(d) || d.serial.is_some());
        let devices = std::mem::take(&mut self.devices).into_iter();
        let at = device.created_at;
        self.devices = devices.map(|d| if is_replaced(&d) { d.revoked(at) } else { d }).collect();
        self.with_device(device)
    }

    fn with_device(mut self, device: Device) -> Result<Self, Refusal> {
        if self.live().count() >= MOST_DEVICES {
            // Expired devices can never be confirmed.
            self.devices.retain(|d| !d.is_expired(device.created_at) || d.serial.is_some());
        }
        if self.live().count() >= MOST_DEVICES {
            return Err(Refusal::new(
                ErrorCode::TooManyDevices,
                format!("{} has {MOST_DEVICES} devices, which is the limit", self.name),
            )
            .hint(
                command("delete")
                    .option("--device", "LABEL")
                    .name(&self.name)
                    .after("delete one that is no longer used: "),
            ));
        }
        self.devices.push(device);
        Ok(self)
    }

    /// For a lost phone: revokes the devices, clears the lock and adds `replacement` as pending.
    ///
    /// With `keep_until_confirmed` the old devices stay active until the replacement is confirmed. Until then the
    /// replacement has another label than they have.
    pub fn reset(
        self,
        label: Option<&Label>,
        replacement: Option<Device>,
        keep_until_confirmed: bool,
        now: Timestamp,
    ) -> Result<Changed, Refusal> {
        let label = label.map(|label| self.stored_label(label));
        let label = label.as_ref();
        let mut changed = if keep_until_confirmed {
            self.check_label(label)?;
            if self.status() == Status::Disabled {
                return Err(self.disabled_refusal());
            }
            Changed { user: self, touched: Vec::new() }
        } else {
            self.revoke(label, now)?
        };
        changed.user.throttle = changed.user.throttle.cleared();
        if !keep_until_confirmed && label.is_none() {
            changed = changed.void_backup_codes();
        }
        let Some(mut device) = replacement else { return Ok(changed) };
        if let (true, DeviceState::Pending(pending)) = (keep_until_confirmed, &mut device.state) {
            pending.replaces = changed.user.labelled(label).map(|d| d.id).collect();
            let is_superseded = |d: &Device| d.is_pending() && label.is_none_or(|l| d.label == *l);
            let superseded = changed.user.devices.iter().filter(|d| is_superseded(d));
            changed.touched.extend(superseded.map(|d| d.label.clone()));
            let devices = std::mem::take(&mut changed.user.devices).into_iter();
            changed.user.devices =
                devices.map(|d| if is_superseded(&d) { d.revoked(now) } else { d }).collect();
        }
        let wanted = label.unwrap_or(&device.label);
        device.label = free_label(&changed.user.devices, device.id, wanted);
        changed.user = changed.user.with_device(device)?;
        Ok(changed)
    }

    /// Revokes devices; they are kept for undo.
    pub fn revoke(mut self, label: Option<&Label>, now: Timestamp) -> Result<Changed, Refusal> {
        self.check_label(label)?;
        let touched: Vec<Label> = self.labelled(label).map(|d| d.label.clone()).collect();
        self.map_labelled(label, |d| d.revoked(now));
        Ok(Changed { user: self, touched })
    }

    /// Switches MFA off but keeps its settings.
    pub fn disable(mut self, label: Option<&Label>) -> Result<Changed, Refusal> {
        self.check_has_devices()?;
        self.check_label(label)?;
        let touched = self.labelled(label).filter(|d| !d.is_disabled());
        let touched = touched.map(|d| d.label.clone()).collect();
        self.map_labelled(label, Device::disabled);
        Ok(Changed { user: self, touched })
    }

    /// Switches MFA on again, as it was.
    pub fn enable(mut self, label: Option<&Label>) -> Result<Changed, Refusal> {
        self.check_has_devices()?;
        self.check_label(label)?;
        let enabled: Vec<&Device> = self.labelled(label).filter(|d| d.is_disabled()).collect();
        let touched = enabled.iter().map(|d| d.label.clone()).collect();
        let ids: Vec<_> = enabled.iter().map(|d| d.id).collect();
        self.undo.switched_on(&ids);
        self.map_labelled(label, Device::enabled);
        Ok(Changed { user: self, touched })
    }

    /// Gives a device another label.
    pub fn relabel(mut self, from: &Label, to: &Label) -> Result<Changed, Refusal> {
        self.check_label(Some(from))?;
        let from = &self.stored_label(from);
        let other = self.live().find(|d| d.label != *from && d.label.is_same(to));
        if let Some(other) = other {
            let label = quoted(other.label.as_str());
            let message = format!("{} already has a device {label}", self.name);
            return Err(
                Refusal::new(ErrorCode::AlreadyEnrolled, message).hint("choose another label")
            );
        }
        if self.labelled(Some(from)).count() > 1 {
            let message = format!("{} has two devices {}", self.name, quoted(from.as_str()));
            return Err(Refusal::new(ErrorCode::AmbiguousDevice, message).hint(
                "an earlier version made them; wait until one replaces the other, or delete both",
            ));
        }
        let touched = if from == to { Vec::new() } else { vec![to.clone()] };
        self.map_labelled(Some(from), |d| Device { label: to.clone(), ..d });
        Ok(Changed { user: self, touched })
    }
}

/// When `reset` is right for a device.
const fn if_lost(device: &Device) -> &'static str {
    if device.serial.is_some() {
        return "for a lost token";
    }
    match device.factor {
        Factor::Totp(_) | Factor::TotpToken(..) | Factor::Hotp(_) => "for a lost or new phone",
        Factor::Yubikey => "for a lost YubiKey",
        Factor::Paper(_) => "for a list that is lost or used up",
        Factor::External(_) => "to take the note back",
    }
}

impl Changed {
    /// Voids recovery and bypass codes. If a device was taken away, the password alone is then not enough
    /// to enrol a new one.
    pub fn void_backup_codes(self) -> Self {
        let enrolment_barred = self.user.enrolment_barred || !self.touched.is_empty();
        let user = User { recovery: None, bypass: None, enrolment_barred, ..self.user };
        Self { user, ..self }
    }
}
