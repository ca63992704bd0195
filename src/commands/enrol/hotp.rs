//! An app, or an OATH slot of a YubiKey, whose codes are counted.

use anyhow::Result;

use super::Enrol;
use super::proved;
use crate::app::App;
use crate::domain::otpauth::AppSettings;
use crate::domain::refusal::Refusal;
use crate::report::Report;

pub fn run(enrol: &Enrol, app: &mut App<'_>) -> Result<Report> {
    proved::enrol_app(enrol, app, enrol.hotp_settings()?)
}

impl Enrol {
    /// The first code is that of counter 0.
    pub(super) fn hotp_settings(&self) -> Result<AppSettings, Refusal> {
        let parameters = self.settings.hotp_parameters()?;
        Ok(AppSettings::Hotp(parameters, 0))
    }
}
