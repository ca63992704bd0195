//! How an operator's last change to a user's protection is undone.

use crate::domain::device::{Device, DeviceState};
use crate::domain::password::PasswordChange;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::{Span, Timestamp};
use crate::domain::undo_record::{UndoRecord, Undoable};
use crate::domain::user::{Changed, MOST_DEVICES, User};

impl Changed {
    /// Records what this change replaced, if it can be undone; see [`User::with_undo`]. A change that
    /// changed nothing leaves an earlier one undoable.
    pub fn with_undo(mut self, act: Option<Undoable>, before: &User, at: Timestamp) -> Self {
        if let (Some(act), true) = (act, self.user != *before) {
            self.user = self.user.with_undo(act, before, at);
        }
        self
    }
}

impl User {
    /// Records what this change replaced, so that it can be undone. Earlier changes then no longer can.
    #[must_use]
    pub fn with_undo(mut self, act: Undoable, before: &Self, at: Timestamp) -> Self {
        let differs = |d: &&Device| self.devices.iter().any(|a| a.id == d.id && a.state != d.state);
        let devices = before.live().filter(differs).map(|d| d.id).collect();
        let is_new = |d: &&Device| before.devices.iter().all(|b| b.id != d.id);
        let undo = UndoRecord {
            act,
            at,
            devices,
            made: self.live().find(is_new).map(|d| d.id),
            recovery: before.recovery.clone(),
            password_change: before.password_change,
            enrolment_barred: before.enrolment_barred,
        };
        self.undo = Some(undo);
        self
    }

    /// Undoes the last change: restores devices, recovery codes and the state of the password change.
    /// Time steps that were used stay used.
    pub fn undo_last_change(mut self, now: Timestamp, undo_for: Span) -> Result<Changed, Refusal> {
        let none = |problem: String| {
            Refusal::new(ErrorCode::NothingToUndo, problem).hint(format!(
                "see what was changed with: mfactl show-user {}",
                self.name.argument()
            ))
        };
        let Some(undo) = self.undo.take() else {
            return Err(none(format!(
                "there is nothing to undo for {}: nothing was changed, or a code was accepted since",
                self.name
            )));
        };
        if now.since(undo.at) > undo_for {
            return Err(none(format!(
                "the {} of {} is more than {undo_for} old",
                undo.act.verb(),
                self.name
            )));
        }
        let exists = |id: &Id| self.devices.iter().any(|d| d.id == *id);
        if !undo.devices.iter().all(exists) {
            return Err(none(format!("the earlier devices of {} were purged", self.name)));
        }
        let is_restored = |d: &Device| undo.devices.contains(&d.id);
        let labels: Vec<_> =
            self.devices.iter().filter(|d| is_restored(d)).map(|d| d.label.clone()).collect();
        // Devices added since then are removed while no code of them was accepted.
        self.devices.retain(|d| {
            let is_later =
                Some(d.id) == undo.made || (labels.contains(&d.label) && !is_restored(d));
            !(is_later && d.is_pending())
        });
        let devices = std::mem::take(&mut self.devices).into_iter();
        self.devices = devices.map(|d| if is_restored(&d) { d.restored() } else { d }).collect();
        if self.live().count() > MOST_DEVICES {
            return Err(Refusal::new(
                ErrorCode::TooManyDevices,
                format!("{} would have more than {MOST_DEVICES} devices", self.name),
            )
            .hint("delete one of the newer ones first"));
        }
        self.recovery = undo.recovery;
        self.password_change = undo.password_change;
        self.enrolment_barred = undo.enrolment_barred;
        if self.password_change != PasswordChange::Required {
            self.temporary = None;
        }
        Ok(Changed { user: self, touched: labels })
    }
}

impl Device {
    /// The device as before it was revoked or switched off.
    #[must_use]
    fn restored(mut self) -> Self {
        match self.state {
            DeviceState::Revoked(revoked) => {
                let was_disabled = revoked.was_disabled;
                self.state = DeviceState::Disabled(revoked.was);
                if was_disabled { self } else { self.enabled() }
            }
            _ => self.enabled(),
        }
    }
}
