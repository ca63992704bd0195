//! What users may do about their own MFA, and what they have to prove for it.

pub mod changes;

use crate::domain::backup_code::BackupCodeKind;
use crate::domain::device::Device;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::{Id, Sealed};
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Status, User};

/// How long what was proved at the door is good.
pub const SESSION: Span = Span(600);

/// What users may do themselves, where the configuration turns it on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnAct {
    AddDevice,
    ReplaceDevice,
    SwitchOff,
    RemoveDevice,
    RenameDevice,
    RecoveryCodes,
}

impl OwnAct {
    pub const ALL: [Self; 6] = [
        Self::AddDevice,
        Self::ReplaceDevice,
        Self::SwitchOff,
        Self::RemoveDevice,
        Self::RenameDevice,
        Self::RecoveryCodes,
    ];

    /// The name in JSON. With `_` for `-` it is the key of the configuration.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AddDevice => "add-device",
            Self::ReplaceDevice => "replace-device",
            Self::SwitchOff => "switch-off",
            Self::RemoveDevice => "remove-device",
            Self::RenameDevice => "rename-device",
            Self::RecoveryCodes => "recovery-codes",
        }
    }

    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|act| act.word() == word)
    }

    /// The operators' verb that makes the same change. The log has it by this name.
    #[must_use]
    pub const fn verb(self) -> &'static str {
        match self {
            Self::AddDevice => "enrol",
            Self::ReplaceDevice => "reset",
            Self::SwitchOff => "disable",
            Self::RemoveDevice => "delete",
            Self::RenameDevice => "edit-user",
            Self::RecoveryCodes => "recovery-codes",
        }
    }

    /// Whether its answer has a secret, which has to be shown to the user.
    #[must_use]
    pub const fn has_secret(self) -> bool {
        matches!(self, Self::AddDevice | Self::ReplaceDevice | Self::RecoveryCodes)
    }

    /// Whether somebody who came by one code could use the act to stay, or to take away what protects the user. It
    /// then takes two successive codes of one device. A name is only a name.
    #[must_use]
    pub const fn needs_second_code(self) -> bool {
        !matches!(self, Self::RenameDevice)
    }
}

/// The acts that the configuration turns on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SelfService(Vec<OwnAct>);

impl SelfService {
    #[must_use]
    pub fn new(acts: impl IntoIterator<Item = OwnAct>) -> Self {
        Self(acts.into_iter().collect())
    }

    #[must_use]
    pub fn allows(&self, act: OwnAct) -> bool {
        self.0.contains(&act)
    }

    pub fn acts(&self) -> impl Iterator<Item = OwnAct> {
        self.0.iter().copied()
    }

    /// Refuses an act that is turned off.
    pub fn check(&self, act: OwnAct) -> Result<(), Refusal> {
        if self.allows(act) {
            return Ok(());
        }
        let problem = format!("{} is not turned on here", act.word());
        Err(Refusal::new(ErrorCode::NotPermitted, problem).hint("ask the helpdesk"))
    }
}

/// What was proved at the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DoorProof {
    /// The password and a code of this device.
    Device(Id),
    /// The password and a code in place of a device's.
    BackupCode(BackupCodeKind),
    /// The password alone, of a user who is asked for no code.
    Password,
}

impl DoorProof {
    /// Refuses an act that this proof is not good for, for any user.
    pub fn permit(self, act: OwnAct) -> Result<(), Refusal> {
        match (self, act) {
            (Self::Device(_), _)
            | (Self::BackupCode(_), OwnAct::ReplaceDevice)
            | (Self::Password, OwnAct::AddDevice) => Ok(()),
            (Self::BackupCode(_), _) => {
                let problem = format!("{} takes a code of your device", act.word());
                Err(Refusal::new(ErrorCode::NotPermitted, problem)
                    .hint("with a recovery or bypass code you can only replace a device"))
            }
            (Self::Password, _) => Err(more_than_the_password(act)),
        }
    }
}

fn more_than_the_password(act: OwnAct) -> Refusal {
    let problem = format!("{} takes more than the password", act.word());
    Refusal::new(ErrorCode::NotPermitted, problem).hint("ask the helpdesk for a new QR code")
}

/// A user who came through the door, for a few minutes.
#[derive(Clone, Debug)]
pub struct Session {
    pub user: Id,
    pub proof: DoorProof,
    /// The next code of the same device was accepted too.
    pub has_second_code: bool,
    pub at: Timestamp,
    /// The password that was right.
    pub password: Option<Sealed>,
}

impl Session {
    /// Whether this act waits for the next code of the device.
    #[must_use]
    pub const fn lacks_second_code(&self, act: OwnAct) -> bool {
        matches!(self.proof, DoorProof::Device(_))
            && act.needs_second_code()
            && !self.has_second_code
    }

    /// Refuses to go on for a user who has changed since, or is locked, or after [`SESSION`].
    pub fn check(&self, user: &User, now: Timestamp) -> Result<(), Refusal> {
        let is_same = user.id == self.user
            && user.password == self.password
            && user.password_change.word().is_none()
            && self.is_proof_good(user);
        let is_recent = now >= self.at && now.since(self.at) <= SESSION;
        if is_same && user.locked(now).is_none() && is_recent {
            return Ok(());
        }
        let problem = "too much time has passed, or the account was changed meanwhile";
        Err(Refusal::new(ErrorCode::Busy, problem).hint("nothing was changed; start again"))
    }

    fn is_proof_good(&self, user: &User) -> bool {
        match self.proof {
            DoorProof::Device(id) => user.devices.iter().any(|d| d.id == id && d.is_active()),
            DoorProof::BackupCode(_) => user.status() != Status::Disabled,
            DoorProof::Password => !user.live().any(Device::is_active),
        }
    }

    /// Refuses an act for which too little was proved, or which the user's state does not allow.
    pub fn permit(&self, user: &User, act: OwnAct) -> Result<(), Refusal> {
        if user.status() == Status::Disabled {
            return Err(Refusal::new(ErrorCode::Disabled, "your MFA is switched off")
                .hint("ask the helpdesk to switch it on"));
        }
        self.proof.permit(act)?;
        if self.proof == DoorProof::Password && user.enrolment_barred {
            return Err(more_than_the_password(act));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
