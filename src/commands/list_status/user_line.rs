//! The status of one user, as JSON, CSV and table have it.

use std::borrow::Cow;

use serde::Serialize;

use super::token_details::TokenDetails;
use crate::domain::device::Device;
use crate::domain::password::PasswordChange;
use crate::domain::policy::{EnrolmentDue, Policy};
use crate::domain::recovery::RecoverySet;
use crate::domain::text::{counted, shown};
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};
use crate::report::{Cell, Fields, Record, Tone};

#[derive(Serialize)]
pub struct UserLine {
    pub user: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub groups: Vec<String>,
    pub status: Status,
    /// MFA is enabled, but only by devices of weak kinds.
    pub weak: bool,
    /// MFA is required now.
    pub required: bool,
    /// When MFA will be required, if it is not yet.
    pub due_at: Option<Timestamp>,
    pub locked: bool,
    pub locked_until: Option<Timestamp>,
    pub password_change_required: bool,
    pub bypass: bool,
    /// A bypass code exists that is valid now or later.
    #[serde(skip)]
    pub has_unexpired_bypass: bool,
    pub devices: Vec<DeviceLine>,
    pub recovery_codes_left: usize,
    /// The unused codes of the active printed lists; `None` without such a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codes_left: Option<usize>,
    pub last_verified_at: Option<Timestamp>,
}

#[derive(Serialize)]
pub struct DeviceLine {
    pub device: String,
    pub kind: &'static str,
    pub state: &'static str,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    /// What an external device is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// The unused codes of a printed list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codes_left: Option<usize>,
    /// When a pending device can no longer be confirmed. Not in the log, so unknown for an earlier time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// In `show-user` only: these are not in the log, so unknown for an earlier time.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenDetails>,
}

impl DeviceLine {
    pub fn of(device: &Device) -> Self {
        Self {
            device: shown(device.label.as_str()).into_owned(),
            kind: device.factor.kind(),
            state: device.state.word(),
            created_at: device.created_at,
            confirmed_at: device.confirmed_at(),
            last_used_at: device.last_used_at,
            mark: device.factor.mark().map(|mark| shown(mark.as_str()).into_owned()),
            codes_left: device.codes_left(),
            expires_at: device.expires_at(),
            token: None,
        }
    }

    /// With what there is to know of a token or a YubiKey.
    pub fn with_token(device: &Device) -> Self {
        Self { token: TokenDetails::of(device), ..Self::of(device) }
    }
}

fn paper_codes_left(devices: &[DeviceLine]) -> Option<usize> {
    let lists = devices.iter().filter(|device| device.state == "active");
    lists.filter_map(|device| device.codes_left).reduce(|a, b| a + b)
}

impl UserLine {
    pub fn of(user: &User, policy: &Policy, now: Timestamp) -> Self {
        let requirement = policy.requirement(user);
        let due = requirement.enrolment_due(policy.is_covered(user), now);
        let profile = &user.profile;
        let safe = |text: &Option<String>| text.as_deref().map(|t| shown(t).into_owned());
        let locked = user.locked(now);
        let devices: Vec<_> = user.live().map(DeviceLine::of).collect();
        Self {
            user: shown(user.name.as_str()).into_owned(),
            display_name: safe(&profile.display_name),
            email: safe(&profile.email),
            groups: profile.groups.iter().map(|g| shown(g).into_owned()).collect(),
            status: user.status(),
            weak: policy.is_weak(user),
            required: requirement.is_in_force(now),
            due_at: match due {
                Some(EnrolmentDue::Upcoming(at)) => Some(at),
                _ => None,
            },
            locked: locked.is_some(),
            locked_until: locked.flatten(),
            password_change_required: user.password_change != PasswordChange::NotRequired,
            bypass: user.bypass.as_ref().is_some_and(|bypass| bypass.is_open(now)),
            has_unexpired_bypass: user.bypass.as_ref().is_some_and(|bypass| !bypass.is_over(now)),
            codes_left: paper_codes_left(&devices),
            devices,
            recovery_codes_left: user.recovery.as_ref().map_or(0, RecoverySet::left),
            last_verified_at: user.last_verified_at,
        }
    }

    /// MFA is required now, but no device of a strong kind is active.
    pub fn is_overdue(&self) -> bool {
        self.required && (self.status != Status::Enabled || self.weak)
    }

    /// The flags that are set, as words.
    fn flags(&self) -> String {
        let flags = [
            ("weak", self.weak),
            ("overdue", self.is_overdue()),
            ("required", self.required && !self.is_overdue()),
            ("due", self.due_at.is_some()),
            ("locked", self.locked),
            ("new password", self.password_change_required),
            ("bypass", self.bypass),
        ];
        let set: Vec<_> =
            flags.into_iter().filter(|(_, is_set)| *is_set).map(|(word, _)| word).collect();
        set.join(", ")
    }

    /// As people read them.
    fn devices_with_codes(&self) -> Cow<'static, str> {
        match self.codes_left {
            Some(left) => {
                format!("{} ({} left)", self.devices(", "), counted(left, "paper code")).into()
            }
            None => self.devices(", "),
        }
    }

    fn devices(&self, separator: &str) -> Cow<'static, str> {
        if self.devices.is_empty() {
            return Cow::Borrowed("");
        }
        let mut text = String::new();
        for device in &self.devices {
            if !text.is_empty() {
                text.push_str(separator);
            }
            text.push_str(&device.device);
            text.push(':');
            text.push_str(device.state);
        }
        Cow::Owned(text)
    }

    const fn tone(&self) -> Tone {
        match self.status {
            Status::Enabled if self.weak => Tone::Warning,
            Status::Enabled => Tone::Good,
            Status::Pending => Tone::Warning,
            Status::Disabled | Status::NotEnabled => Tone::Bad,
        }
    }
}

impl Record for UserLine {
    const COLUMNS: &'static [&'static str] = &[
        "user",
        "display_name",
        "email",
        "groups",
        "status",
        "required",
        "locked",
        "locked_until",
        "password_change_required",
        "bypass",
        "devices",
        "recovery_codes_left",
        "last_verified_at",
        "due_at",
        "weak",
        "codes_left",
    ];

    const LESS_NEEDED: &'static [&'static str] = &["LAST CODE", "DEVICES", "FLAGS", "NAME"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.maybe_text(self.display_name.as_deref());
        f.maybe_text(self.email.as_deref());
        f.text(&self.groups.join(";"));
        f.text(self.status.word());
        f.flag(self.required);
        f.flag(self.locked);
        f.maybe_value(self.locked_until);
        f.flag(self.password_change_required);
        f.flag(self.bypass);
        f.text(&self.devices(";"));
        f.value(self.recovery_codes_left);
        f.maybe_value(self.last_verified_at);
        f.maybe_value(self.due_at);
        f.flag(self.weak);
        f.maybe_value(self.codes_left);
    }

    fn sentence(&self) -> String {
        let devices = self.devices_with_codes();
        let mut text = format!("{}: {}", self.user, self.status.label());
        for more in [devices.as_ref(), &self.flags()] {
            if !more.is_empty() {
                text.push_str("; ");
                text.push_str(more);
            }
        }
        text
    }

    fn header() -> &'static [&'static str] {
        &["USER", "NAME", "STATUS", "FLAGS", "DEVICES", "LAST CODE"]
    }

    fn cells(&self) -> Vec<Cell> {
        let flags = self.flags();
        let last = self.last_verified_at.map_or("never".to_owned(), |t| t.to_string());
        vec![
            Cell::plain(self.user.as_str()),
            Cell::plain(self.display_name.as_deref().unwrap_or_default()),
            Cell::toned(self.status.label(), self.tone()),
            Cell::toned(flags, if self.locked { Tone::Bad } else { Tone::Plain }),
            Cell::plain(self.devices_with_codes()),
            Cell::plain(last),
        ]
    }
}
