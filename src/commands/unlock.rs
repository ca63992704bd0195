//! `mfactl unlock`

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::bulk::{BulkChange, Target, Targets};
use crate::commands::user_change::{ChangeRecord, OperatorOptions};
use crate::domain::user::{Changed, User};
use crate::operate;
use crate::report::{Report, Verdict};

/// Clear a user's failure counter and lock
///
/// Used codes stay used.
#[derive(Args, Debug)]
pub struct Unlock {
    #[command(flatten)]
    targets: Targets,
    /// With --from: skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Unlock {
    const NAME: &'static str = "unlock";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl unlock alice", "mfactl unlock --ticket HELP-1234 -- alice"];

    fn run(self, session: &mut App<'_>) -> Result<Report> {
        let change = |user: User| {
            let user = User { throttle: user.throttle.clone().cleared(), ..user };
            Changed { user, touched: Vec::new() }
        };
        let name = match self.targets.resolve(session)? {
            Target::One(name) => name,
            Target::Many(names) => {
                let schema = "mfactl.unlock/1";
                let (targets, operator) = (&self.targets, &self.operator);
                let bulk = BulkChange::new(Self::NAME, schema, names, targets, operator, self.yes);
                return bulk.run(session, |user, _, _| Ok(change(user)));
            }
        };
        let act = self.operator.act(session, Self::NAME, &name, None)?;
        let mut opened = session.open_store()?;
        let done = operate::change_user(session, &mut opened, &act, |user, _, _| Ok(change(user)))?;
        let record = ChangeRecord::new("mfactl.unlock/1", &done, self.operator.dry_run, "unlocked");
        let record = if done.changed {
            record
        } else {
            record.with_message(format!("{name}: not locked; nothing to change"))
        };
        Ok(Report::one(record, Verdict::Yes))
    }
}
