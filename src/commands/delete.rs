//! `mfactl delete`

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::operator_options::{DeviceOption, OperatorOptions};
use crate::commands::reset::device_count;
use crate::commands::targets::Targets;
use crate::commands::user_change::{self, Confirmation, UserChange};
use crate::domain::name::Label;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::report::Report;

/// Delete a user's MFA setup; the user can enrol again
///
/// Revokes all devices, or only the one named by --device. The user's account stays.
#[derive(Args, Debug)]
pub struct Delete {
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

impl Verb for Delete {
    const NAME: &'static str = "delete";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl delete alice", "mfactl delete alice --device tablet --yes --ticket HELP-1234"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let change = Deletion { label: self.device.label()? };
        user_change::run(app, &self.targets, &self.operator, self.yes, &change)
    }
}

struct Deletion {
    label: Option<Label>,
}

impl UserChange for Deletion {
    const VERB: &'static str = Delete::NAME;
    const SCHEMA: &'static str = "mfactl.delete/1";

    fn change(&self, user: User, now: Timestamp) -> Result<Changed, Refusal> {
        let mut changed = user.revoke(self.label.as_ref(), now)?;
        if self.label.is_none() {
            changed = changed.void_backup_codes();
        }
        Ok(changed)
    }

    fn confirmation(&self) -> Confirmation {
        Confirmation::Always
    }

    fn device(&self) -> Option<&Label> {
        self.label.as_ref()
    }

    fn question(&self, before: &User, after: &User, _: Timestamp) -> String {
        match before.live().count() - after.live().count() {
            0 => format!("Delete the backup codes of {}, who has no device?", before.name),
            n => format!("Delete {} of {}?", device_count(n), before.name),
        }
    }

    fn unchanged(&self, _: &User, _: bool) -> Option<String> {
        // Only a user without a device is left as they were.
        Some("has no MFA".to_owned())
    }

    fn summary(&self, _: &User) -> String {
        self.label.as_ref().map_or_else(|| "MFA setup deleted".into(), |l| format!("{l} deleted"))
    }
}
