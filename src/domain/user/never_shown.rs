//! Why the secret of a device is not shown again.

use crate::domain::device::Device;
use crate::domain::factor::Factor;
use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::quoted;
use crate::domain::user::User;

/// The refusal for a device that is no app: its secret is in the hardware, and nobody needs to see it again.
#[must_use]
pub fn never_shown(user: &User, device: &Device) -> Refusal {
    let (name, label) = (&user.name, &device.label);
    let refusal = |what: &str| {
        let message = format!("{name}'s device {label} is {what}, whose secret is not shown");
        Refusal::new(ErrorCode::Usage, message)
    };
    if let Some(mark) = device.factor.mark() {
        let mark = quoted(mark.as_str());
        let message =
            format!("{name}'s device {label} is external ({mark}), and has no secret here");
        let show = command("show-user").name(name).after("to see what is known of it, run: ");
        return Refusal::new(ErrorCode::Usage, message).hint(show);
    }
    if let Factor::Paper(_) = device.factor {
        let message =
            format!("{name}'s device {label} is a printed list, which is shown only once");
        let enrol = command("enrol").option("--kind", "paper").name(name);
        return Refusal::new(ErrorCode::Usage, message).hint(enrol.after("print a new one: "));
    }
    if device.factor != Factor::Yubikey {
        let Some(serial) = &device.serial else { return refusal("a hardware token") };
        let take_back = command("unassign").name(serial.as_str()).after("for another token, run: ");
        let assign = command("assign").name("SERIAL").name(name);
        return refusal("a hardware token").hint(take_back.then("; then: ").then(assign));
    }
    let enrol = command("enrol").option("--kind", "yubikey").device(label).name(name);
    refusal("a YubiKey").hint(if device.is_pending() {
        enrol.after("program it with a new one: ")
    } else {
        let delete = command("delete").device(label).name(name);
        delete.after("to program it with a new one, run: ").then("; then: ").then(enrol)
    })
}
