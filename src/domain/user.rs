//! A user with everything that protects the account.

mod changes;
mod first_password;
mod handed_out;
mod never_shown;
mod trust;

pub use first_password::{check_first_password, no_password_hint};
pub use handed_out::{HandedOut, to_hand_out};
pub use never_shown::never_shown;
pub use trust::remembered_after;

use serde::Serialize;

use crate::domain::bypass::BypassCode;
use crate::domain::device::{Device, DeviceState};
use crate::domain::hint::command;
use crate::domain::lockout::{Lockout, Throttle};
use crate::domain::name::{Label, UserName};
use crate::domain::otpauth::AppSettings;
use crate::domain::password::{PasswordChange, TemporaryPassword};
use crate::domain::recovery::RecoverySet;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::remembered::RememberedLogins;
use crate::domain::secret::{Id, Sealed, Stamp};
use crate::domain::text::quoted;
use crate::domain::time::{Span, Timestamp};
use crate::domain::undo_record::{MOST_ACTS, UndoStack};

/// The most devices a user can have, not counting revoked ones.
pub const MOST_DEVICES: usize = 8;

/// The most revoked devices that are kept for undo: one for each change that is kept, and all that one change can
/// revoke.
pub const MOST_REVOKED: usize = MOST_ACTS;
const _: () = assert!(MOST_REVOKED >= MOST_DEVICES, "the newest change can always be undone");

/// One account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub id: Id,
    pub name: UserName,
    pub profile: Profile,
    /// Some operators may not change this user.
    pub protected: bool,
    /// An operator has required MFA.
    pub required: bool,
    /// When MFA becomes required; see [`crate::domain::policy::Policy::requirement`].
    pub required_from: Option<Timestamp>,
    pub password_change: PasswordChange,
    /// The hash of the password, sealed.
    pub password: Option<Sealed>,
    pub temporary: Option<TemporaryPassword>,
    /// An operator took the last device away, so that the password alone is not enough to enrol a new one.
    pub enrolment_barred: bool,
    pub recovery: Option<RecoverySet>,
    pub bypass: Option<BypassCode>,
    pub undo: UndoStack,
    /// Where the user needs no code for a while.
    pub remembered: RememberedLogins,
    pub throttle: Throttle,
    /// In order of creation.
    pub devices: Vec<Device>,
    pub created_at: Timestamp,
    pub last_verified_at: Option<Timestamp>,
    /// Incremented at each change that the log records.
    pub rev: u64,
    /// Of the event that made these rows; `None` for rows of a program before schema 6.
    pub stamp: Option<Stamp>,
}

/// Descriptive data. Of these only the groups matter, to the MFA policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub language: Option<Language>,
    /// Sorted, without duplicates.
    pub groups: Vec<String>,
}

/// The language of messages to a user. Options, configuration, lists and rows know it by its code, from here alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    English,
    French,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::English, Self::French];

    /// The language that has this code.
    #[must_use]
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
        }
    }
}

/// The MFA status of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Enabled,
    Disabled,
    Pending,
    NotEnabled,
}

impl Status {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Pending => "pending",
            Self::NotEnabled => "not_enabled",
        }
    }

    /// The status as people read it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotEnabled => "not enabled",
            other => other.word(),
        }
    }
}

/// A user after a change, and the labels of the devices that were affected.
#[derive(Debug)]
#[must_use]
pub struct Changed {
    pub user: User,
    pub touched: Vec<Label>,
}

impl User {
    #[must_use]
    pub fn new(id: Id, name: UserName, created_at: Timestamp) -> Self {
        Self {
            id,
            name,
            profile: Profile::default(),
            protected: false,
            required: false,
            required_from: None,
            password_change: PasswordChange::NotRequired,
            password: None,
            temporary: None,
            enrolment_barred: false,
            recovery: None,
            bypass: None,
            undo: UndoStack::default(),
            remembered: RememberedLogins::default(),
            throttle: Throttle::default(),
            devices: Vec::new(),
            created_at,
            last_verified_at: None,
            rev: 0,
            stamp: None,
        }
    }

    /// The device with this id.
    pub fn device(&self, id: Id) -> Result<&Device, Refusal> {
        let not_found =
            || Refusal::new(ErrorCode::DeviceNotFound, format!("{} has no device {id}", self.name));
        self.devices.iter().find(|d| d.id == id).ok_or_else(not_found)
    }

    /// Decided by the best device: active, else disabled, else pending.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.devices.iter().any(Device::is_active) {
            Status::Enabled
        } else if self.devices.iter().any(Device::is_disabled) {
            Status::Disabled
        } else if self.devices.iter().any(Device::is_pending) {
            Status::Pending
        } else {
            Status::NotEnabled
        }
    }

    /// Whether two states differ at most in the counts of attempts that were not evaluated, which are logged once a
    /// minute. No decision depends on them.
    #[must_use]
    pub fn differs_in_counts_only(&self, other: &Self) -> bool {
        let mut counted = self.clone();
        counted.throttle.turned_away = other.throttle.turned_away;
        counted.throttle.told_at = other.throttle.told_at;
        counted == *other
    }

    /// The devices that are not revoked.
    pub fn live(&self) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(|d| d.is_live())
    }

    /// The end of the lock if the user is locked now; `Some(None)` means until unlocked.
    #[must_use]
    pub fn locked(&self, now: Timestamp) -> Option<Option<Timestamp>> {
        match self.throttle.lockout(now) {
            Lockout::Unlocked => None,
            Lockout::LockedUntil(t) => Some(Some(t)),
            Lockout::UntilUnlocked => Some(None),
        }
    }

    /// Bounds the size of a user, however many apps are revoked. Those that no undo needs go first, then the
    /// oldest change together with its devices. Hardware is kept, and not counted; see [`User::purge`].
    pub(super) fn forget_oldest_revoked(&mut self) {
        let is_forgettable = |d: &Device| !d.is_live() && d.serial.is_none();
        while self.devices.iter().filter(|d| is_forgettable(d)).count() > MOST_REVOKED {
            let revoked_at = |d: &Device| match &d.state {
                _ if !is_forgettable(d) => None,
                DeviceState::Revoked(revoked) if !self.undo.needs(d.id) => Some(revoked.at),
                _ => None,
            };
            let unneeded = self.devices.iter().enumerate();
            let unneeded = unneeded.filter_map(|(index, d)| Some((revoked_at(d)?, index))).min();
            match unneeded {
                Some((_, index)) => drop(self.devices.remove(index)),
                None => self.undo.forget_oldest(),
            }
        }
    }

    /// Drops what can no longer be used: revoked devices and changes to undo older than the undo time,
    /// what is remembered no longer, and an expired bypass code or temporary password. A temporary password that was never used is kept as one that
    /// has ended, so that a user who types it learns why.
    ///
    /// A revoked device with a serial stays. The secret of a token from the inventory is nowhere else while it is
    /// assigned, and neither is the counter that keeps its old codes from being accepted again: `unassign` takes both
    /// back. A YubiKey that `enrol` programmed stays too. Its mark is a public id, as that of a YubiKey from the
    /// inventory may be, so that the device alone doesn't tell the two apart, and there are never many.
    pub fn purge(&mut self, now: Timestamp, undo_time: Span) {
        let is_over =
            |d: &Device| matches!(&d.state, DeviceState::Revoked(r) if now.since(r.at) > undo_time);
        self.devices.retain(|d| !is_over(d) || d.serial.is_some());
        self.undo.expire(now, undo_time);
        self.remembered.expire(now);
        self.bypass = self.bypass.take().filter(|bypass| !bypass.is_over(now));
        let is_waited_for = self.password_change == PasswordChange::Required;
        self.temporary = match self.temporary.take() {
            Some(temporary) if temporary.until <= now => is_waited_for.then(|| temporary.ended()),
            other => other,
        };
    }

    /// The pending device whose QR code may be shown; also an active one with `active_too`.
    pub fn device_to_show(
        &self,
        label: Option<&Label>,
        active_too: bool,
        now: Timestamp,
    ) -> Result<&Device, Refusal> {
        self.check_has_devices()?;
        self.check_label(label)?;
        let is_app = |d: &&Device| AppSettings::of(d).is_some();
        let pending = |d: &&Device| d.is_pending();
        let apps = || self.labelled(label).filter(is_app);
        let mut devices: Vec<&Device> = apps().filter(pending).collect();
        if devices.is_empty() && active_too {
            devices = apps().filter(|d| d.is_active()).collect();
        }
        if let (None, Some(other)) = (apps().next(), self.labelled(label).next()) {
            return Err(never_shown(self, other));
        }
        match devices.as_slice() {
            [one] if one.is_expired(now) => Err(Refusal::new(
                ErrorCode::PendingExpired,
                format!("{}'s device {} {}", self.name, one.label, one.expired_words(now)),
            )
            .hint(
                command("enrol").device(&one.label).name(&self.name).after("make a new one with: "),
            )),
            [one] => Ok(one),
            [] if apps().any(Device::is_active) => Err(Refusal::new(
                ErrorCode::NotPending,
                format!("{}'s device is active, and its QR code is not shown again", self.name),
            )
            .hint(
                command("reset")
                    .name(&self.name)
                    .after("--active shows it anyway and is logged; for a lost phone, run: "),
            )),
            [] => Err(self.disabled_refusal()),
            many => {
                let show = command("show-qr").device(&many[0].label);
                let show = if active_too { show.flag("--active") } else { show };
                Err(handed_out::ambiguous(self, many, show))
            }
        }
    }

    /// Refuses a user without any device (`not_enabled`).
    pub fn check_has_devices(&self) -> Result<(), Refusal> {
        if self.live().next().is_some() {
            return Ok(());
        }
        Err(Refusal::new(ErrorCode::NotEnabled, format!("{} has no device", self.name))
            .hint(command("enrol").name(&self.name).after("set one up with: ")))
    }

    /// The refusal for a user whose MFA is switched off.
    #[must_use]
    pub fn disabled_refusal(&self) -> Refusal {
        Refusal::new(ErrorCode::Disabled, format!("{}'s MFA is switched off", self.name))
            .hint(command("enable").name(&self.name).after("switch it on with: "))
    }

    pub(super) fn check_label(&self, label: Option<&Label>) -> Result<(), Refusal> {
        let Some(label) = label else { return Ok(()) };
        if self.labelled(Some(label)).next().is_some() {
            return Ok(());
        }
        let known: Vec<_> = self.live().map(|d| quoted(d.label.as_str())).collect();
        let message = format!("{} has no device {}", self.name, quoted(label.as_str()));
        let refusal = Refusal::new(ErrorCode::DeviceNotFound, message);
        Err(if known.is_empty() {
            refusal.hint(format!("{} has no devices", self.name))
        } else {
            refusal.hint(format!("known devices: {}", known.join(", ")))
        })
    }

    /// The live devices that a label means, or all.
    pub(super) fn labelled(&self, label: Option<&Label>) -> impl Iterator<Item = &Device> {
        let label = label.map(|label| self.stored_label(label));
        self.live().filter(move |d| label.as_ref().is_none_or(|l| d.label == *l))
    }

    /// The label of a live device that is meant by a typed one: the same, or if there is none, the only one that
    /// differs in case alone.
    fn stored_label(&self, typed: &Label) -> Label {
        let mut same = self.live().map(|d| &d.label).filter(|label| label.is_same(typed));
        match (same.next(), same.next()) {
            (Some(one), None) => one.clone(),
            _ => typed.clone(),
        }
    }

    fn map_labelled(&mut self, label: Option<&Label>, change: impl Fn(Device) -> Device) {
        let label = label.map(|label| self.stored_label(label));
        let devices = std::mem::take(&mut self.devices).into_iter();
        let matches = |d: &Device| d.is_live() && label.as_ref().is_none_or(|l| d.label == *l);
        self.devices = devices.map(|d| if matches(&d) { change(d) } else { d }).collect();
    }
}

#[cfg(test)]
mod tests;
