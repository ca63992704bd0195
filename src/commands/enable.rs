//! `mfactl enable`

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::bulk::{BulkChange, Target, Targets};
use crate::commands::user_change::{ChangeRecord, DeviceOption, OperatorOptions};
use crate::domain::refusal::Refusal;
use crate::domain::user::{Changed, Status, User};
use crate::operate;
use crate::report::{Report, Verdict};

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

    fn run(self, session: &mut App<'_>) -> Result<Report> {
        let label = self.device.label()?;
        let change = |user: User| -> Result<Changed, Refusal> {
            let before = user.clone();
            let Changed { mut user, touched } = user.enable(label.as_ref())?;
            if user != before {
                user.undo = None;
            }
            Ok(Changed { user, touched })
        };
        let name = match self.targets.resolve(session)? {
            Target::One(name) => name,
            Target::Many(names) => {
                let schema = "mfactl.enable/1";
                let (targets, operator) = (&self.targets, &self.operator);
                let bulk = BulkChange::new(Self::NAME, schema, names, targets, operator, self.yes);
                return bulk.run(session, |user, _, _| Ok(change(user)?));
            }
        };
        let act = self.operator.act(session, Self::NAME, &name, label.as_ref())?;
        let mut opened = session.open_store()?;
        let done =
            operate::change_user(session, &mut opened, &act, |user, _, _| Ok(change(user)?))?;
        let mut record =
            ChangeRecord::new("mfactl.enable/1", &done, self.operator.dry_run, "switched on");
        if !done.changed && done.user.status() == Status::Pending {
            record = record.with_message(format!(
                "{name}: pending, not disabled; the device has yet to be confirmed with a code"
            ));
        }
        Ok(Report::one(record, Verdict::Yes))
    }
}
