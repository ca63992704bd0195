//! `mfactl delete`

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::bulk::{BulkChange, Target, Targets};
use crate::commands::user_change::{ChangeRecord, DeviceOption, OperatorOptions, not_confirmed};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::undo::Undoable;
use crate::domain::user::{Changed, User};
use crate::operate;
use crate::report::{Report, Verdict};

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

    fn run(self, session: &mut App<'_>) -> Result<Report> {
        let label = self.device.label()?;
        let change = |user: User, now: Timestamp| -> Result<Changed, Refusal> {
            let before = user.clone();
            let mut changed = user.revoke(label.as_ref(), now)?;
            if label.is_none() {
                changed = changed.void_backup_codes();
            }
            if changed.user != before {
                changed.user = changed.user.with_undo(Undoable::Delete, &before, now);
            }
            Ok(changed)
        };
        let name = match self.targets.resolve(session)? {
            Target::One(name) => name,
            Target::Many(names) => {
                let schema = "mfactl.delete/1";
                let (targets, operator) = (&self.targets, &self.operator);
                let bulk = BulkChange::new(Self::NAME, schema, names, targets, operator, self.yes);
                return bulk.run(session, |user, now, _| Ok(change(user, now)?));
            }
        };
        let act = self.operator.act(session, Self::NAME, &name, label.as_ref())?;
        let dry_run = act.dry_run;
        if !self.yes && !dry_run {
            let question = |user: &User, _: &User| {
                let devices = user.live().filter(|d| label.as_ref().is_none_or(|l| d.label == *l));
                format!("Delete {} of {name}?", super::reset::device_count(devices.count()))
            };
            if !operate::confirm_change(session, &name, question, change)? {
                return Ok(not_confirmed(session));
            }
        }
        let mut opened = session.open_store()?;
        let done = operate::change_user(session, &mut opened, &act, |user, now, _| {
            Ok(change(user, now)?)
        })?;
        let what =
            label.as_ref().map_or_else(|| "MFA setup deleted".into(), |l| format!("{l} deleted"));
        let record = ChangeRecord::new("mfactl.delete/1", &done, dry_run, &what);
        Ok(Report::one(record, Verdict::Yes))
    }
}
