//! `mfactl disable`

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::bulk::{BulkChange, Target, Targets};
use crate::commands::user_change::{ChangeRecord, DeviceOption, OperatorOptions, not_confirmed};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::undo::Undoable;
use crate::domain::user::{Changed, Status, User};
use crate::operate;
use crate::report::{Report, Verdict};

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

    fn run(self, session: &mut App<'_>) -> Result<Report> {
        let label = self.device.label()?;
        let change = |user: User, now: Timestamp| -> Result<Changed, Refusal> {
            let before = user.clone();
            let Changed { user, touched } = user.disable(label.as_ref())?;
            let is_change = user != before;
            let user =
                if is_change { user.with_undo(Undoable::Disable, &before, now) } else { user };
            Ok(Changed { user, touched })
        };
        let name = match self.targets.resolve(session)? {
            Target::One(name) => name,
            Target::Many(names) => {
                let schema = "mfactl.disable/1";
                let (targets, operator) = (&self.targets, &self.operator);
                let bulk = BulkChange::new(Self::NAME, schema, names, targets, operator, self.yes);
                return bulk.run(session, |user, now, _| Ok(change(user, now)?));
            }
        };
        let policy = session.config()?.policy.clone();
        let is_required = |user: &User, at| policy.requirement(user).is_in_force(at);
        let act = self.operator.act(session, Self::NAME, &name, label.as_ref())?;
        let dry_run = act.dry_run;
        if !self.yes && !dry_run {
            let now = session.env.clock.now()?;
            let question = |_: &User, after: &User| match &label {
                Some(label) if after.status() != Status::Disabled => {
                    format!("{name}: other devices stay in use. Switch off {label}?")
                }
                _ => format!("{name}: {}. Switch MFA off?", consequence(is_required(after, now))),
            };
            if !operate::confirm_change(session, &name, question, change)? {
                return Ok(not_confirmed(session));
            }
        }
        let mut opened = session.open_store()?;
        let done = operate::change_user(session, &mut opened, &act, |user, now, _| {
            Ok(change(user, now)?)
        })?;
        let what = label.as_ref().map_or_else(String::new, |label| format!("{label} "));
        let what = format!("{what}switched off");
        let mut record = ChangeRecord::new("mfactl.disable/1", &done, dry_run, &what);
        if done.changed && !dry_run && done.user.status() == Status::Disabled {
            let then = consequence(is_required(&done.user, done.at));
            record = record.with_message(format!("{name}: switched off; {then}"));
        }
        Ok(Report::one(record, Verdict::Yes))
    }
}

const fn consequence(is_required: bool) -> &'static str {
    if is_required {
        "MFA is required, so the user is refused until MFA is enabled again"
    } else {
        "MFA is optional, so the password alone is enough"
    }
}
