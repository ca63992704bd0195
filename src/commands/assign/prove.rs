//! The first code of a token that was just assigned.

use anyhow::Result;
use zeroize::Zeroizing;

use crate::app::App;
use crate::commands::first_code::{FirstCode, without_blanks};
use crate::domain::device::Device;
use crate::domain::otp::Otp;
use crate::domain::time::Timestamp;
use crate::domain::yubico_otp::YubicoOtp;

/// A code that is read off a token, or typed by a YubiKey.
pub struct OfToken<'a> {
    pub device: &'a Device,
    /// What an interrupt leaves behind.
    pub interrupted: &'a str,
}

impl FirstCode for OfToken<'_> {
    fn ask(&self, app: &mut App<'_>) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let Some(person) = &mut app.env.prompt else { return app.read_line() };
        let question = match self.device.factor.digits() {
            Some(digits) => format!("The {digits} digits that the token shows (Enter: later)"),
            None => "Touch the YubiKey (Enter: later)".to_owned(),
        };
        Ok(Some(without_blanks(&person.line(&question)?)))
    }

    fn is_code(&self, _app: &App<'_>, code: &[u8], _at: Timestamp) -> bool {
        match self.device.factor.digits() {
            Some(digits) => {
                Otp::read(code).is_some_and(|otp| otp.digits().len() == usize::from(digits))
            }
            None => YubicoOtp::read(code.trim_ascii()).is_some(),
        }
    }

    fn form(&self) -> String {
        match self.device.factor.digits() {
            Some(digits) => {
                format!("that is no code: type the {digits} digits that the token shows")
            }
            None => "that is no code of a YubiKey: touch the key".to_owned(),
        }
    }

    fn interrupted(&self, _app: &App<'_>) -> String {
        self.interrupted.to_owned()
    }
}
