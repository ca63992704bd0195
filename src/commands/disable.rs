//! `mfactl disable`

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::operator_options::{DeviceOption, OperatorOptions};
use crate::commands::targets::Targets;
use crate::commands::user_change::{self, Confirmation, UserChange};
use crate::domain::name::Label;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, Status, User};
use crate::report::Report;

/// Switch MFA off for a user and keep all settings
///
/// Codes of disabled devices are refused until `mfactl enable`, and a pending device can't be
/// confirmed meanwhile. Where MFA is optional, the user then signs in with the password alone; where
/// it is required, the user is refused.
#[derive(Args, Debug)]
pub struct Disable {
    #[command(flatten)]
    targets: Targets,
    #[command(flatten)]
    device: DeviceOption,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Disable {
    const NAME: &'static str = "disable";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl disable alice", "mfactl disable alice --device tablet --yes --ticket HELP-1234"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let label = self.device.label()?;
        let change = SwitchOff { label };
        user_change::run(app, &self.targets, &self.operator, self.yes, &change)
    }
}

struct SwitchOff {
    label: Option<Label>,
}

impl UserChange for SwitchOff {
    const VERB: &'static str = Disable::NAME;
    const SCHEMA: &'static str = "mfactl.disable/1";

    fn change(&self, user: User, _: Timestamp) -> Result<Changed, Refusal> {
        user.disable(self.label.as_ref())
    }

    fn confirmation(&self) -> Confirmation {
        Confirmation::Always
    }

    fn device(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    fn question(&self, _: &User, after: &User, _: Timestamp) -> String {
        match &self.label {
            Some(label) if after.status() != Status::Disabled => {
                format!("{}: other devices stay in use. Switch off {label}?", after.name)
            }
            _ => "Switch MFA off?".to_owned(),
        }
    }

    fn summary(&self, _: &User) -> String {
        let label = self.label.as_ref().map_or_else(String::new, |label| format!("{label} "));
        format!("{label}switched off")
    }
}
