//! What a page for its user is about: a device, or what the sign-in asks of a user who has none.

use crate::domain::device::Device;
use crate::domain::factor::Factor;
use crate::domain::factor::totp::Parameters;
use crate::domain::hint::{Command, Hint, command};
use crate::domain::name::Label;
use crate::domain::otpauth::AppSettings;
use crate::domain::password::PasswordChange;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shell_word;
use crate::domain::time::Timestamp;
use crate::domain::user::{User, check_first_password};

/// What a page is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandedOut<'u> {
    Device(&'u Device),
    /// The user has no device, and the sign-in shows them the QR code of one that it makes.
    AppAtSignIn,
    /// The user has no device and needs none yet: they only have to choose a new password.
    NewPassword,
}

impl<'u> HandedOut<'u> {
    #[must_use]
    pub const fn device(self) -> Option<&'u Device> {
        match self {
            Self::Device(device) => Some(device),
            Self::AppAtSignIn | Self::NewPassword => None,
        }
    }

    /// What an app has to be able to do. The sign-in makes a device with the settings that are common to all.
    #[must_use]
    pub const fn app_settings(self) -> Option<AppSettings> {
        match self {
            Self::Device(device) => AppSettings::of(device),
            Self::AppAtSignIn => Some(AppSettings::Totp(Parameters::COMMON)),
            Self::NewPassword => None,
        }
    }

    /// Whether the page has a secret: that of an app which is not switched off, as `show-qr` shows it.
    #[must_use]
    pub fn has_secret(self) -> bool {
        self.device().is_some_and(has_secret_to_hand_out)
    }
}

/// What a page for the user is about: the device that [`device_to_hand_out`] finds, or what the sign-in asks of a user
/// without one. `must_have_mfa`: MFA is required of them now.
///
/// Refuses what [`device_to_hand_out`] refuses, so also a user without a device of whom nothing is asked, and one whose
/// password alone may not enrol: they need a page with a QR code. It refuses a user too who has to choose a password and
/// can't sign in for that, whatever the page would be about: nobody could follow it.
pub fn to_hand_out<'u>(
    user: &'u User,
    label: Option<&Label>,
    active_too: bool,
    must_have_mfa: bool,
    now: Timestamp,
) -> Result<HandedOut<'u>, Refusal> {
    check_first_password(user)?;
    if label.is_some() || user.live().next().is_some() {
        return device_to_hand_out(user, label, active_too, now).map(HandedOut::Device);
    }
    let chooses_password = user.password_change != PasswordChange::NotRequired;
    if !must_have_mfa && chooses_password {
        return Ok(HandedOut::NewPassword);
    }
    // As the sign-in decides: a temporary password comes from the helpdesk, so it may enrol.
    let may_enrol = !user.enrolment_barred || user.password_change == PasswordChange::Required;
    if must_have_mfa && may_enrol {
        return Ok(HandedOut::AppAtSignIn);
    }
    device_to_hand_out(user, label, active_too, now).map(HandedOut::Device)
}

/// Whether a page about the device has its secret: that of an app which is not switched off, as `show-qr` shows it.
fn has_secret_to_hand_out(device: &Device) -> bool {
    AppSettings::of(device).is_some() && !device.is_disabled()
}

/// The device that is meant: one that waits for its first code, apps before hardware; with `active_too` an active app;
/// and where no active app is in question, hardware and what is switched off, of which a page has no secret.
///
/// Refuses what [`User::device_to_show`] refuses.
fn device_to_hand_out<'u>(
    user: &'u User,
    label: Option<&Label>,
    active_too: bool,
    now: Timestamp,
) -> Result<&'u Device, Refusal> {
    user.check_has_devices()?;
    user.check_label(label)?;
    let is_app = |device: &Device| AppSettings::of(device).is_some();
    let those = |is: &dyn Fn(&Device) -> bool| -> Vec<&'u Device> {
        user.labelled(label).filter(|device| is(device)).collect()
    };
    let has_active_app = user.labelled(label).any(|device| is_app(device) && device.is_active());
    let groups = [
        those(&|device| device.is_pending() && is_app(device)),
        those(&|device| device.is_pending()),
        those(&|device| active_too && device.is_active() && is_app(device)),
        those(&|device| !has_active_app && device.is_active()),
        those(&|device| !has_active_app && device.is_disabled()),
    ];
    let found = groups.into_iter().find(|devices| !devices.is_empty()).unwrap_or_default();
    match found.as_slice() {
        [one] if one.is_expired(now) => {
            let problem =
                format!("{}'s device {} {}", user.name, one.label, one.expired_words(now));
            Err(Refusal::new(ErrorCode::PendingExpired, problem).hint(anew(user, one)))
        }
        [one] => Ok(one),
        // An active app, of which nobody said that it may be shown.
        [] => user.device_to_show(label, active_too, now),
        [first, ..] => {
            let page = command("handout").device(&first.label).option("--output", "FILE.html");
            let page = if active_too { page.flag("--active") } else { page };
            Err(ambiguous(user, &found, page))
        }
    }
}

/// The refusal where several devices may be meant; `example` names one of them.
pub(super) fn ambiguous(user: &User, devices: &[&Device], example: Command) -> Refusal {
    let labels: Vec<_> = devices.iter().map(|d| shell_word(d.label.as_str())).collect();
    let message = format!("{} has {} matching devices", user.name, devices.len());
    let words = format!("name one with --device: {}; for example, run: ", labels.join(", "));
    Refusal::new(ErrorCode::AmbiguousDevice, message).hint(example.name(&user.name).after(&words))
}

/// How a device that can't be confirmed any more is made anew.
fn anew(user: &User, device: &Device) -> Hint {
    let enrol = command("enrol").device(&device.label);
    let enrol = match (&device.factor, &device.serial) {
        (Factor::Yubikey, _) => enrol.option("--kind", "yubikey"),
        (Factor::Paper(_), _) => enrol.option("--kind", "paper"),
        (_, Some(serial)) => {
            let take_back = command("unassign").name(serial.as_str());
            let assign = command("assign").name(serial.as_str()).name(&user.name);
            return take_back.after("to assign it again, run: ").then("; then: ").then(assign);
        }
        (Factor::Hotp(_), None) => enrol.option("--kind", "hotp"),
        _ => enrol,
    };
    enrol.name(&user.name).after("make a new one with: ")
}
