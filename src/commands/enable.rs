//! `mfactl enable`

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::operator_options::{DeviceOption, OperatorOptions};
use crate::commands::targets::Targets;
use crate::commands::user_change::{self, UserChange};
use crate::domain::name::Label;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, Status, User};
use crate::report::Report;

/// Switch MFA on again after disable
///
/// Devices return to the state they had; one that was never confirmed is pending again. Used codes
/// stay used.
#[derive(Args, Debug)]
pub struct Enable {
    #[command(flatten)]
    targets: Targets,
    #[command(flatten)]
    device: DeviceOption,
    /// With --from: skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Enable {
    const NAME: &'static str = "enable";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl enable alice", "mfactl enable alice --device tablet --ticket HELP-1234"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let change = SwitchOn { label: self.device.label()? };
        user_change::run(app, &self.targets, &self.operator, self.yes, &change)
    }
}

struct SwitchOn {
    label: Option<Label>,
}

impl UserChange for SwitchOn {
    const VERB: &'static str = Enable::NAME;
    const SCHEMA: &'static str = "mfactl.enable/1";

    fn change(&self, user: User, _: Timestamp) -> Result<Changed, Refusal> {
        user.enable(self.label.as_ref())
    }

    fn device(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    fn summary(&self, _: &User) -> String {
        "switched on".to_owned()
    }

    fn unchanged(&self, user: &User, _: bool) -> Option<String> {
        let why = "pending, not disabled; the device has yet to be confirmed with a code";
        (user.status() == Status::Pending).then(|| why.to_owned())
    }
}
