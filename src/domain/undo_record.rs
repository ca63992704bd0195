//! What is kept of operators' changes to a user, so that they can be undone: a stack, the newest on top.

use crate::domain::password::{PasswordChange, TemporaryPassword};
use crate::domain::recovery::RecoverySet;
use crate::domain::secret::Id;
use crate::domain::time::{Span, Timestamp};

/// A change that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undoable {
    Reset,
    Disable,
    Delete,
    ForceNewPassword,
}

impl Undoable {
    pub const ALL: [Self; 4] = [Self::Reset, Self::Disable, Self::Delete, Self::ForceNewPassword];

    /// The verb that makes this change.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Disable => "disable",
            Self::Delete => "delete",
            Self::ForceNewPassword => "force-new-password",
        }
    }
}

/// The most changes of one user that are kept. A change can need a revoked device of its own, and as many of those
/// are kept.
pub const MOST_ACTS: usize = 16;

/// What a change replaced, kept so that it can be undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UndoRecord {
    pub act: Undoable,
    pub at: Timestamp,
    /// Devices that the change revoked or switched off. As long as this record is kept, so are they.
    pub devices: Vec<Id>,
    /// The new device that the change added.
    pub made: Option<Id>,
    /// The devices that the change left as they were: every other one was made later. `None` in a record of a
    /// program that kept only the last change.
    pub untouched: Option<Vec<Id>>,
    /// The change left no recovery codes: those before it are in `recovery`.
    pub is_without_codes: bool,
    pub recovery: Option<RecoverySet>,
    pub password_change: PasswordChange,
    pub temporary: Option<TemporaryPassword>,
    pub enrolment_barred: bool,
    /// When the first code after it was accepted. It is then taken back only by `undo --even-after-code`.
    pub closed_at: Option<Timestamp>,
}

/// The changes of one user that can be undone, the oldest first. Only the last one can be taken back, so what
/// removes one from the middle or from below leaves the others valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UndoStack(Vec<UndoRecord>);

impl UndoStack {
    #[must_use]
    pub const fn of(acts: Vec<UndoRecord>) -> Self {
        Self(acts)
    }

    /// The oldest first.
    #[must_use]
    pub fn acts(&self) -> &[UndoRecord] {
        &self.0
    }

    #[must_use]
    pub fn newest(&self) -> Option<&UndoRecord> {
        self.0.last()
    }

    pub fn push(&mut self, act: UndoRecord) {
        self.0.push(act);
        if self.0.len() > MOST_ACTS {
            self.forget_oldest();
        }
    }

    pub fn pop(&mut self) -> Option<UndoRecord> {
        self.0.pop()
    }

    pub fn forget_oldest(&mut self) {
        if !self.0.is_empty() {
            self.0.remove(0);
        }
    }

    /// Whether undoing a change needs this device.
    #[must_use]
    pub fn needs(&self, device: Id) -> bool {
        self.0.iter().any(|act| act.devices.contains(&device))
    }

    /// This device is gone for good: the changes give back what else they took. One that took nothing else is dropped.
    pub fn forget_device(&mut self, device: Id) {
        self.0.retain_mut(|act| {
            let had_any = !act.devices.is_empty();
            act.devices.retain(|taken| *taken != device);
            !had_any || !act.devices.is_empty()
        });
    }

    /// Drops what is older than the undo time, and everything below it: an older change is reached only through
    /// the newer ones, and a clock that was set back can make it look younger.
    pub fn expire(&mut self, now: Timestamp, undo_time: Span) {
        let newest_expired = self.0.iter().rposition(|act| now.since(act.at) > undo_time);
        self.0.drain(..newest_expired.map_or(0, |index| index + 1));
    }

    /// A code was accepted.
    pub fn close(&mut self, now: Timestamp) {
        for act in &mut self.0 {
            act.closed_at.get_or_insert(now);
        }
    }

    /// These devices were switched on by hand: that part of `disable` can't be undone any more.
    pub fn switched_on(&mut self, devices: &[Id]) {
        for act in self.0.iter_mut().filter(|act| act.act == Undoable::Disable) {
            let switched_on = act.devices.extract_if(.., |device| devices.contains(device));
            let switched_on: Vec<Id> = switched_on.collect();
            act.untouched.iter_mut().for_each(|untouched| untouched.extend(&switched_on));
        }
        self.0.retain(|act| act.act != Undoable::Disable || !act.devices.is_empty());
    }

    /// A recovery code was used, and `set` is what is left. A code that was used stays used.
    pub fn used_recovery_code(&mut self, set: &RecoverySet) {
        for kept in self.0.iter_mut().filter_map(|act| act.recovery.as_mut()) {
            if kept.id == set.id {
                *kept = set.clone();
            }
        }
    }

    /// The new device of a change was confirmed, and only that revoked the devices that it replaces: `act` is the
    /// record of it. It joins the record of the change, which may lie below other changes by now.
    pub fn replaced(&mut self, mut act: UndoRecord) {
        let earlier = self.0.iter().rposition(|earlier| earlier.made == act.made);
        if let Some(index) = earlier {
            let is_newest = index + 1 == self.0.len();
            let mut change = self.0.remove(index);
            change.devices.append(&mut act.devices);
            act = UndoRecord {
                at: if is_newest { change.at } else { act.at },
                // What was set up between the change and the code was not there before the change.
                untouched: if is_newest && change.untouched.is_some() {
                    change.untouched.take()
                } else {
                    act.untouched
                },
                ..change
            };
        }
        self.push(act);
    }
}
