//! What an operator may do to a user's devices.

use super::{Changed, MOST_DEVICES, Status, User};
use crate::domain::device::{Device, State};
use crate::domain::name::Label;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::text::quoted;
use crate::domain::time::Timestamp;

impl User {
    /// Adds a pending device; one with the same label that is still pending is made anew.
    ///
    /// # Errors
    /// `already_enrolled` where the label is active or disabled, `disabled` where the user's MFA is
    /// switched off, `too_many_devices` past [`MOST_DEVICES`].
    pub fn enrol(mut self, device: Device) -> Result<Self, Refusal> {
        if self.live().any(|d| d.label == device.label && !d.is_pending()) {
            let label = quoted(device.label.as_str());
            return Err(Refusal::new(
                Code::AlreadyEnrolled,
                format!("{} already has a device {label}", self.name),
            )
            .hint("name another with --device, or use reset for a lost or new phone"));
        }
        if self.status() == Status::Disabled {
            return Err(self.disabled_refusal());
        }
        self.devices.retain(|d| !(d.is_pending() && d.label == device.label));
        self.with_device(device)
    }

    fn with_device(mut self, device: Device) -> Result<Self, Refusal> {
        if self.live().count() >= MOST_DEVICES {
            // Nothing can be done with these any more.
            self.devices.retain(|d| !d.is_expired(device.created_at));
        }
        if self.live().count() >= MOST_DEVICES {
            return Err(Refusal::new(
                Code::TooManyDevices,
                format!("{} has {MOST_DEVICES} devices, the most a user can have", self.name),
            )
            .hint("delete one that is not used any more: mfactl delete NAME --device LABEL"));
        }
        self.devices.push(device);
        Ok(self)
    }

    /// A lost phone: devices revoked, the lock cleared, and `replacement` pending.
    ///
    /// With a replacement that `keeps` the old ones in force they are revoked when it is proved.
    ///
    /// # Errors
    /// `device_not_found` for a label that the user does not have, `disabled` for keeping devices
    /// that are switched off.
    pub fn reset(
        self,
        label: Option<&Label>,
        replacement: Option<Device>,
        keep_until_confirmed: bool,
        now: Timestamp,
    ) -> Result<Changed, Refusal> {
        let mut changed = if keep_until_confirmed {
            self.known(label)?;
            if self.status() == Status::Disabled {
                return Err(self.disabled_refusal());
            }
            Changed { user: self, touched: Vec::new() }
        } else {
            self.revoke(label, now)?
        };
        changed.user.throttle = changed.user.throttle.cleared();
        if !keep_until_confirmed && label.is_none() {
            changed = changed.without_spares();
        }
        let Some(mut device) = replacement else { return Ok(changed) };
        if let (true, State::Pending(pending)) = (keep_until_confirmed, &mut device.state) {
            pending.replaces = changed.user.matching(label).map(|d| d.id).collect();
            let stale = |d: &Device| d.is_pending() && label.is_none_or(|l| d.label == *l);
            let void = changed.user.devices.iter().filter(|d| stale(d));
            changed.touched.extend(void.map(|d| d.label.clone()));
            changed.user.devices.retain(|d| !stale(d));
        }
        changed.user = changed.user.with_device(device)?;
        Ok(changed)
    }

    /// Takes devices away, sealed for undo.
    ///
    /// # Errors
    /// `device_not_found` for a label that the user does not have.
    pub fn revoke(mut self, label: Option<&Label>, now: Timestamp) -> Result<Changed, Refusal> {
        self.known(label)?;
        let touched: Vec<Label> = self.matching(label).map(|d| d.label.clone()).collect();
        self.map_matching(label, |d| d.revoked(now));
        self.forget_oldest_revoked();
        Ok(Changed { user: self, touched })
    }

    /// Switches MFA off with its settings kept.
    ///
    /// # Errors
    /// `not_enabled` without a device, `device_not_found` for an unknown label.
    pub fn disable(mut self, label: Option<&Label>) -> Result<Changed, Refusal> {
        self.has_devices()?;
        self.known(label)?;
        let touched = self.matching(label).filter(|d| !d.is_disabled());
        let touched = touched.map(|d| d.label.clone()).collect();
        self.map_matching(label, Device::disabled);
        Ok(Changed { user: self, touched })
    }

    /// Switches MFA on again, as it was.
    ///
    /// # Errors
    /// `not_enabled` without a device, `device_not_found` for an unknown label.
    pub fn enable(mut self, label: Option<&Label>) -> Result<Changed, Refusal> {
        self.has_devices()?;
        self.known(label)?;
        let touched = self.matching(label).filter(|d| d.is_disabled());
        let touched = touched.map(|d| d.label.clone()).collect();
        self.map_matching(label, Device::enabled);
        Ok(Changed { user: self, touched })
    }

    /// Gives a device another label.
    ///
    /// # Errors
    /// `device_not_found` for an unknown label, `already_enrolled` where the new one is taken.
    pub fn relabel(mut self, from: &Label, to: &Label) -> Result<Changed, Refusal> {
        self.known(Some(from))?;
        if from != to && self.live().any(|d| d.label == *to) {
            let message = format!("{} already has a device {}", self.name, quoted(to.as_str()));
            return Err(Refusal::new(Code::AlreadyEnrolled, message).hint("choose another label"));
        }
        if self.matching(Some(from)).count() > 1 {
            let message = format!("{} has two devices {}", self.name, quoted(from.as_str()));
            return Err(Refusal::new(Code::AmbiguousDevice, message)
                .hint("one is to replace the other: wait until it is proved, or delete it"));
        }
        let touched = if from == to { Vec::new() } else { vec![to.clone()] };
        self.map_matching(Some(from), |d| Device { label: to.clone(), ..d });
        Ok(Changed { user: self, touched })
    }
}

impl Changed {
    /// Recovery and bypass codes void; and where a device went, whoever knows the password only gets
    /// no new one by it.
    pub fn without_spares(self) -> Self {
        let enrolment_barred = self.user.enrolment_barred || !self.touched.is_empty();
        let user = User { recovery: None, bypass: None, enrolment_barred, ..self.user };
        Self { user, ..self }
    }
}
