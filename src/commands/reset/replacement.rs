//! What takes the place of a device that is reset: an app of the same kind, or nothing in place of hardware.

use super::Reset;
use crate::domain::device::Device;
use crate::domain::factor::Factor;
use crate::domain::factor::kind::DeviceKind;
use crate::domain::hint::{Command, Hint, command};
use crate::domain::labels::free_label;
use crate::domain::name::Label;
use crate::domain::otpauth::AppSettings;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::user::User;

/// How the user gets a new token, YubiKey or list in place of this one, which is cut off.
pub fn new_hardware(user: &User, device: &Device) -> Hint {
    let words = match kind_of_hardware(device) {
        Some(DeviceKind::Yubikey) => "there is no QR code for a YubiKey; to program one, run: ",
        Some(DeviceKind::Paper) => "there is no QR code for a printed list; to print one, run: ",
        Some(_) => "there is no QR code for an external device; to note another one, run: ",
        None => "there is no QR code for a hardware token; to assign another one, run: ",
    };
    successor(user, device, &device.label).after(words)
}

/// How to go on where an option that only an app can follow was given. The device still has its label.
fn instead(user: &User, device: &Device, option: &str) -> Hint {
    let reset = command("reset").device(&device.label).name(&user.name);
    if option == "--keep-until-confirmed" {
        let label = free_label(&user.devices, Id::new([0; Id::LENGTH]), &device.label);
        let successor = successor(user, device, &label);
        return successor.after("first: ").then("; once the new one works: ").then(reset);
    }
    let successor = successor(user, device, &device.label);
    reset.after(&format!("leave {option} out: ")).then("; then: ").then(successor)
}

/// The command that gives the user another device of this kind.
fn successor(user: &User, device: &Device, label: &Label) -> Command {
    let Some(kind) = kind_of_hardware(device) else {
        return command("assign").device(label).name("SERIAL").name(&user.name);
    };
    let enrol = command("enrol").option("--kind", kind.word());
    let enrol = if kind == DeviceKind::External { enrol.option("--mark", "TEXT") } else { enrol };
    enrol.device(label).name(&user.name)
}

/// What `enrol` makes in place of it; `None` for a hardware token, which is assigned.
fn kind_of_hardware(device: &Device) -> Option<DeviceKind> {
    match &device.factor {
        Factor::Yubikey => Some(DeviceKind::Yubikey),
        Factor::Paper(_) => Some(DeviceKind::Paper),
        Factor::External(_) => Some(DeviceKind::External),
        _ => None,
    }
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
                ("--handout", self.handout.is_given()),
            ];
            if let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
                let problem = format!(
                    "{}'s device {} is no app, and no QR code replaces it",
                    user.name, device.label
                );
                return Err(Refusal::new(ErrorCode::Usage, problem)
                    .field(option)
                    .hint(instead(user, device, option)));
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
