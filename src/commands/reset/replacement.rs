//! What takes the place of a device that is reset: an app of the same kind, or nothing in place of hardware.

use super::Reset;
use crate::domain::device::Device;
use crate::domain::factor::Factor;
use crate::domain::hint::{Hint, command};
use crate::domain::otpauth::AppSettings;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::user::User;

/// How the user gets a new token, YubiKey or list in place of this one.
pub fn new_hardware(user: &User, device: &Device) -> Hint {
    let name = &user.name;
    if device.factor == Factor::Yubikey {
        let enrol = command("enrol").option("--kind", "yubikey").device(&device.label).name(name);
        return enrol.after("there is no QR code for a YubiKey; to program one, run: ");
    }
    if device.factor.list().is_some() {
        let enrol = command("enrol").option("--kind", "paper").device(&device.label).name(name);
        return enrol.after("there is no QR code for a printed list; to print one, run: ");
    }
    if device.factor.mark().is_some() {
        return Hint::from("there is no QR code for an external device; enrol another one");
    }
    Hint::from("there is no QR code for a hardware token; assign another one to the user")
}

impl Reset {
    /// Refuses if somebody changed the device since it was decided what takes its place.
    pub(super) fn require_same(
        &self,
        user: &User,
        decided: Option<AppSettings>,
    ) -> Result<(), Refusal> {
        if self.replacement(user)? == decided {
            return Ok(());
        }
        let problem = format!("{}'s device was replaced by one of another kind", user.name);
        Err(Refusal::new(ErrorCode::Busy, problem).hint("run the command again"))
    }

    /// The hardware that `--device` names.
    pub(super) fn named_hardware<'u>(&self, user: &'u User) -> Option<&'u Device> {
        let label = self.label().ok().flatten()?;
        user.live()
            .find(|device| device.label.is_same(&label))
            .filter(|device| AppSettings::of(device).is_none())
    }

    /// The app that is made in place of what is revoked; `None` if only that is asked for, and for hardware, which no QR
    /// code can replace.
    pub(super) fn replacement(&self, user: &User) -> Result<Option<AppSettings>, Refusal> {
        if self.no_enrol {
            return Ok(None);
        }
        if let Some(device) = self.named_hardware(user) {
            let given = [
                ("--keep-until-confirmed", self.keep_until_confirmed),
                ("--output", self.show.output.is_some()),
            ];
            if let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
                let problem = format!(
                    "{}'s device {} is no app, and no QR code replaces it",
                    user.name, device.label
                );
                return Err(Refusal::new(ErrorCode::Usage, problem)
                    .field(option)
                    .hint(new_hardware(user, device)));
            }
            self.settings.refuse_for("hardware")?;
            return Ok(None);
        }
        let named =
            self.label()?.and_then(|label| user.live().find(|device| device.label.is_same(&label)));
        Ok(Some(match named.map(|device| &device.factor) {
            Some(Factor::Hotp(_)) => AppSettings::Hotp(self.settings.hotp_parameters()?, 0),
            _ => AppSettings::Totp(self.settings.parameters()?),
        }))
    }
}
