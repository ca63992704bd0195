//! Asks for the first code of a token that was just assigned.

use anyhow::Result;
use zeroize::Zeroizing;

use crate::app::{App, OpenStore};
use crate::authenticate;
use crate::commands::prove::Proof;
use crate::commands::verify::VerifyReport;
use crate::domain::authenticate::Outcome;
use crate::domain::device::Device;
use crate::domain::otp::Otp;
use crate::domain::user::User;
use crate::domain::yubico_otp::YubicoOtp;
use crate::report::Record as _;

/// After so many wrong codes the verb ends and leaves the device pending.
const TRIES: usize = 3;
/// Lines from a pipe that are no codes end the verb, or it would read forever.
const MOST_MALFORMED: usize = 20;

/// Asks until the device is active, nothing is typed, or [`TRIES`] codes were wrong. Nobody needs the right to `verify`
/// for that: it is part of handing the token over.
pub fn prove(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    user: &User,
    device: &Device,
) -> Result<Proof> {
    let mut latest = user.clone();
    let (mut asked, mut wrong, mut malformed) = (false, 0, 0);
    while wrong < TRIES {
        let is_person = app.env.prompt.is_some();
        let Some(code) = ask_code(app, device)? else { break };
        if code.trim_ascii().is_empty() && is_person {
            break;
        }
        if !is_code(device, &code) {
            app.note(&form_sentence(device));
            malformed += 1;
            if !is_person && malformed == MOST_MALFORMED {
                break;
            }
            continue;
        }
        asked = true;
        app.reopen_if_replaced(opened)?;
        let (verb, name) = (app.authorization.verb, &user.name);
        let attempted =
            authenticate::authenticate_code(app, opened, verb, name, Some(device.id), &code)?;
        if attempted.outcome.lets_in() {
            return Ok(Proof::Proved(attempted.user));
        }
        app.note(&VerifyReport::new(&attempted, &app.env.caller).sentence());
        wrong += usize::from(!matches!(attempted.outcome, Outcome::FirstOfTwo { .. }));
        latest = attempted.user;
        if matches!(attempted.outcome, Outcome::Locked { .. }) {
            break;
        }
    }
    Ok(if asked { Proof::NotProved(latest) } else { Proof::NotAsked })
}

fn ask_code(app: &mut App<'_>, device: &Device) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let Some(person) = &mut app.env.prompt else { return app.read_line() };
    let question = match device.factor.digits() {
        Some(digits) => format!("The {digits} digits that the token shows (Enter: later)"),
        None => "Touch the YubiKey (Enter: later)".to_owned(),
    };
    let line = person.line(&question)?;
    // People type "123 456".
    Ok(Some(Zeroizing::new(line.bytes().filter(|b| *b != b' ').collect())))
}

/// Whether it could be a code of the device. What could not is no attempt.
fn is_code(device: &Device, code: &[u8]) -> bool {
    match device.factor.digits() {
        Some(digits) => {
            Otp::read(code).is_some_and(|otp| otp.digits().len() == usize::from(digits))
        }
        None => YubicoOtp::read(code.trim_ascii()).is_some(),
    }
}

fn form_sentence(device: &Device) -> String {
    match device.factor.digits() {
        Some(digits) => format!("that is no code: type the {digits} digits that the token shows"),
        None => "that is no code of a YubiKey: touch the key".to_owned(),
    }
}
