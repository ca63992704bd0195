//! `mfactl disable`

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::operator_options::{DeviceOption, OperatorOptions};
use crate::commands::targets::Targets;
use crate::commands::user_change::{self, UserChange};
use crate::domain::name::Label;
use crate::domain::policy::Policy;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, Status, User};
use crate::operate::change::ChangeResult;
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
        let change = SwitchOff { label, policy: app.config.policy.clone() };
        user_change::run(app, &self.targets, &self.operator, self.yes, &change)
    }
}

struct SwitchOff {
    label: Option<Label>,
    policy: Policy,
}

impl UserChange for SwitchOff {
    const VERB: &'static str = Disable::NAME;
    const SCHEMA: &'static str = "mfactl.disable/1";
    const IS_CONFIRMED: bool = true;

    fn change(&self, user: User, _: Timestamp) -> Result<Changed, Refusal> {
        user.disable(self.label.as_ref())
    }

    fn device(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    fn question(&self, _: &User, after: &User, now: Timestamp) -> String {
        let name = &after.name;
        match &self.label {
            Some(label) if after.status() != Status::Disabled => {
                format!("{name}: other devices stay in use. Switch off {label}?")
            }
            _ => format!("{name}: {}. Switch MFA off?", self.consequence(after, now)),
        }
    }

    fn summary(&self, _: &User) -> String {
        let label = self.label.as_ref().map_or_else(String::new, |label| format!("{label} "));
        format!("{label}switched off")
    }

    fn message(&self, done: &ChangeResult, dry_run: bool) -> Option<String> {
        let is_off = done.changed && !dry_run && done.user.status() == Status::Disabled;
        let consequence = self.consequence(&done.user, done.at);
        is_off.then(|| format!("{}: switched off; {consequence}", done.user.name))
    }
}

impl SwitchOff {
    fn consequence(&self, user: &User, at: Timestamp) -> &'static str {
        if self.policy.requirement(user).is_in_force(at) {
            "MFA is required, so the user is refused until MFA is enabled again"
        } else {
            "MFA is optional, so the password alone is enough"
        }
    }
}
