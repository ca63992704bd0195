//! An app with time-based codes.

use anyhow::Result;

use super::Enrol;
use super::proved;
use crate::app::App;
use crate::domain::otpauth::AppSettings;
use crate::domain::refusal::Refusal;
use crate::report::Report;

pub fn run(enrol: &Enrol, app: &mut App<'_>) -> Result<Report> {
    proved::enrol_app(enrol, app, enrol.totp_settings()?)
}

impl Enrol {
    pub(super) fn totp_settings(&self) -> Result<AppSettings, Refusal> {
        self.settings.parameters().map(AppSettings::Totp)
    }
}
