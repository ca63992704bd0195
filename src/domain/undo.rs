//! How an operator's changes to a user's protection are undone, the newest first.

use crate::domain::device::{Device, DeviceState};
use crate::domain::hint::command;
use crate::domain::labels::free_label;
use crate::domain::name::Label;
use crate::domain::password::PasswordChange;
use crate::domain::recovery::RecoverySet;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::{Span, Timestamp};
use crate::domain::undo_record::{MOST_ACTS, UndoRecord, Undoable};
use crate::domain::user::{Changed, MOST_DEVICES, User};

/// How far `undo` reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UndoReach {
    /// To the last accepted code.
    ToLastCode,
    /// Beyond it: the codes were those of a wrong person.
    EvenAfterCode,
}

/// What an undo did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undone {
    /// What was undone.
    pub act: Undoable,
    /// When that had been done.
    pub at: Timestamp,
    /// When the command was run, where it took effect only with the first code of a new device.
    pub begun_at: Option<Timestamp>,
    /// The first code that was accepted since.
    pub closed_at: Option<Timestamp>,
    /// The devices that work as before, by their present labels.
    pub restored: Vec<Label>,
    /// Labels that another device has by now, each with the one that the restored device got.
    pub renamed: Vec<(Label, Label)>,
    /// Devices that were made since, and no longer work.
    pub cut_off: Vec<Label>,
    /// The recovery codes that are valid again.
    pub recovery_codes: usize,
    /// Recovery or bypass codes that were made since are void.
    pub voids_codes: bool,
    pub password: PasswordState,
}

/// What an undo did to the state of the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordState {
    Untouched,
    Restored,
    /// A password was chosen since. There is no copy of the one before.
    ChosenSince,
}

impl Changed {
    /// Records what this change replaced, if it can be undone. A change that changed nothing is not recorded.
    pub fn with_undo(mut self, act: Option<Undoable>, before: &User, at: Timestamp) -> Self {
        if let (Some(act), true) = (act, self.user != *before) {
            let record = record(act, before, &self.user, at);
            self.user.undo.push(record);
            self.user.forget_oldest_revoked();
        }
        self
    }
}

fn record(act: Undoable, before: &User, after: &User, at: Timestamp) -> UndoRecord {
    let is_unchanged =
        |d: &&Device| after.devices.iter().any(|a| a.id == d.id && a.state == d.state);
    let is_kept = |d: &&Device| after.devices.iter().any(|a| a.id == d.id);
    let is_new = |d: &&Device| before.devices.iter().all(|b| b.id != d.id);
    let ids = |devices: Vec<&Device>| devices.into_iter().map(|d| d.id).collect::<Vec<_>>();
    let devices = ids(before.live().filter(|d| is_kept(d) && !is_unchanged(d)).collect::<Vec<_>>());
    let had_codes = before.recovery.is_some() || before.bypass.is_some();
    let is_without_codes = act != Undoable::Disable
        && after.recovery.is_none()
        && after.bypass.is_none()
        && (had_codes || !devices.is_empty());
    UndoRecord {
        act,
        at,
        devices,
        made: after.live().find(is_new).map(|d| d.id),
        untouched: Some(ids(before.live().filter(is_unchanged).collect())),
        is_without_codes,
        recovery: before.recovery.clone().filter(|_| is_without_codes),
        password_change: before.password_change,
        temporary: before.temporary.clone(),
        enrolment_barred: before.enrolment_barred,
        closed_at: None,
    }
}

impl User {
    /// Undoes the newest change: restores devices, recovery codes and the state of the password. Time steps and
    /// codes that were used stay used.
    ///
    /// Every device that was made since the change is cut off. After an accepted code this needs
    /// [`UndoReach::EvenAfterCode`].
    pub fn take_back(
        mut self,
        now: Timestamp,
        undo_for: Span,
        reach: UndoReach,
    ) -> Result<(Self, Undone), Refusal> {
        let Some(record) = self.undo.pop() else { return Err(nothing_to_undo(&self, undo_for)) };
        record.check(&self, now, undo_for, reach)?;
        let made = self.devices.iter().find(|device| Some(device.id) == record.made);
        let begun_at = made.map(|device| device.created_at).filter(|made| *made < record.at);
        let cut_off = record.cut_off_later(&mut self, now);
        let mut undone = Undone {
            act: record.act,
            at: record.at,
            begun_at,
            closed_at: record.closed_at,
            restored: Vec::new(),
            renamed: Vec::new(),
            cut_off,
            recovery_codes: 0,
            voids_codes: false,
            password: PasswordState::Untouched,
        };
        record.restore_devices(&mut self, &mut undone);
        if self.live().count() > MOST_DEVICES {
            let problem = format!("{} would have more than {MOST_DEVICES} devices", self.name);
            let hint = command("show-user").name(&self.name).after("see them with: ");
            return Err(Refusal::new(ErrorCode::TooManyDevices, problem).hint(hint));
        }
        record.restore_codes(&mut self, &mut undone);
        record.restore_password(&mut self, &mut undone);
        self.forget_oldest_revoked();
        Ok((self, undone))
    }
}

/// Which changes are kept: they end by their number as well as by time.
#[must_use]
pub fn kept_words(undo_for: Span) -> String {
    format!("at most {MOST_ACTS} changes of a user are kept, each for {undo_for}")
}

/// The refusal where no change is left.
#[must_use]
pub fn nothing_to_undo(user: &User, undo_for: Span) -> Refusal {
    let (name, [verbs @ .., last]) = (&user.name, Undoable::ALL.map(Undoable::verb));
    let verbs = verbs.join(", ");
    let problem =
        format!("there is nothing to undo for {name}: no {verbs} or {last} is left to take back");
    Refusal::new(ErrorCode::NothingToUndo, problem).hint(
        command("show-user")
            .name(name)
            .after(&format!("{}; see what was changed with: ", kept_words(undo_for))),
    )
}

impl UndoRecord {
    /// Refuses what is too late to undo.
    fn check(
        &self,
        user: &User,
        now: Timestamp,
        undo_for: Span,
        reach: UndoReach,
    ) -> Result<(), Refusal> {
        let (name, verb, at) = (&user.name, self.act.verb(), self.at);
        let refusal = |problem: String| Refusal::new(ErrorCode::NothingToUndo, problem);
        let see = || command("show-user").name(name).after("see what was changed with: ");
        if now.since(at) > undo_for {
            return Err(
                refusal(format!("the {verb} of {name} is more than {undo_for} old")).hint(see())
            );
        }
        if at.is_ahead_of(now) {
            let problem = format!(
                "the {verb} of {name} is of {at}: the clock was ahead then, or is behind now"
            );
            return Err(refusal(problem).hint(see()));
        }
        if let (Some(closed), UndoReach::ToLastCode) = (self.closed_at, reach) {
            let problem =
                format!("a code of {name} was accepted at {closed}, after the {verb} of {at}");
            return Err(refusal(problem).hint(
                command("undo").flag("--even-after-code").name(name).after(
                    "if that was the code of a wrong person, an admin or two operators can run: ",
                ),
            ));
        }
        let exists = |id: &Id| user.devices.iter().any(|d| d.id == *id);
        if !self.devices.iter().all(exists) {
            let problem =
                format!("the devices that the {verb} of {name} took away are no longer kept");
            return Err(refusal(problem).hint(see()));
        }
        Ok(())
    }

    /// Cuts off the devices that were made after this change, pending ones too: the QR code of one may be with a
    /// wrong person, whose first code would make it active.
    fn cut_off_later(&self, user: &mut User, now: Timestamp) -> Vec<Label> {
        let comes_back = |d: &Device| self.devices.contains(&d.id);
        let is_cut = |d: &Device| {
            d.is_live() && !comes_back(d) && (self.made == Some(d.id) || self.is_older_than(d))
        };
        let mut cut_off = Vec::new();
        let mut left = Vec::with_capacity(user.devices.len());
        for device in std::mem::take(&mut user.devices) {
            if !is_cut(&device) {
                left.push(device);
                continue;
            }
            cut_off.push(device.label.clone());
            // One that never worked need not be kept for those who look into the case; a token is only lent.
            if device.confirmed_at().is_some() || device.serial.is_some() {
                left.push(device.revoked(now));
            }
        }
        user.devices = left;
        cut_off
    }

    fn restore_devices(&self, user: &mut User, undone: &mut Undone) {
        for index in 0..user.devices.len() {
            let mut device = user.devices[index].clone();
            if !self.devices.contains(&device.id) {
                continue;
            }
            // One that was only switched off has kept its label.
            let label = if device.is_live() {
                device.label.clone()
            } else {
                free_label(&user.devices, device.id, &device.label)
            };
            if label != device.label {
                let before = std::mem::replace(&mut device.label, label.clone());
                undone.renamed.push((before, label.clone()));
            }
            undone.restored.push(label);
            user.devices[index] = device.restored();
        }
    }

    fn restore_codes(&self, user: &mut User, undone: &mut Undone) {
        let is_proved = self.closed_at.is_some();
        let (recovery, bypass) = (user.recovery.clone(), user.bypass.clone());
        if self.is_without_codes {
            user.recovery.clone_from(&self.recovery);
            undone.recovery_codes = self.recovery.as_ref().map_or(0, RecoverySet::left);
        } else {
            user.recovery = user.recovery.take().filter(|set| set.made_at < self.at);
            // One that was made since did not start before.
            user.bypass = user.bypass.take().filter(|code| code.starts_at < self.at);
        }
        if self.is_without_codes || is_proved {
            user.bypass = None;
            user.enrolment_barred = self.enrolment_barred;
        }
        undone.voids_codes = (recovery.is_some() && recovery != user.recovery)
            || (bypass.is_some() && user.bypass.is_none());
    }

    fn restore_password(self, user: &mut User, undone: &mut Undone) {
        if self.act != Undoable::ForceNewPassword {
            return;
        }
        if user.password_change == PasswordChange::NotRequired {
            undone.password = PasswordState::ChosenSince;
            return;
        }
        undone.password = PasswordState::Restored;
        user.password_change = self.password_change;
        // An earlier version did not keep the temporary password before the change.
        let is_kept = self.untouched.is_some() || user.password_change != PasswordChange::Required;
        if is_kept {
            user.temporary = self.temporary;
        }
    }

    /// Whether a device was made after this change.
    fn is_older_than(&self, device: &Device) -> bool {
        match &self.untouched {
            Some(untouched) => !untouched.contains(&device.id),
            // A program that kept one change only did not note the others; those it had were pending.
            None => device.is_pending() || device.created_at > self.at,
        }
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

#[cfg(test)]
mod tests;
