//! `mfactl unlock`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::many::{Crowd, Many, Who};
use super::protection::{OperatorOptions, Protection};
use crate::domain::user::{Changed, User};
use crate::report::{Report, Verdict};
use crate::session::Session;

/// Clear the failure counter and the lock of a user
///
/// Used codes stay used.
#[derive(Args, Debug)]
pub struct Unlock {
    #[command(flatten)]
    crowd: Crowd,
    /// Do not ask, of many
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Unlock {
    const NAME: &'static str = "unlock";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl unlock alice", "mfactl unlock --ticket HELP-1234 -- alice"];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let change = |user: User| {
            let user = User { throttle: user.throttle.clone().cleared(), ..user };
            Changed { user, touched: Vec::new() }
        };
        let name = match self.crowd.who(session)? {
            Who::One(name) => name,
            Who::Many(names) => {
                let schema = "mfactl.unlock/1";
                let (crowd, operator) = (&self.crowd, &self.operator);
                let many = Many::new(Self::NAME, schema, names, crowd, operator, self.yes);
                return many.run(session, |user, _, _| Ok(change(user)));
            }
        };
        let act = self.operator.act(session, Self::NAME, &name, None)?;
        let mut opened = session.opened()?;
        let done = session.change(&mut opened, &act, |user, _, _| Ok(change(user)))?;
        let protection =
            Protection::new("mfactl.unlock/1", &done, self.operator.dry_run, "unlocked");
        let protection = if done.changed {
            protection
        } else {
            protection.saying(format!("{name}: not locked; nothing to change"))
        };
        Ok(Report::one(protection, Verdict::Yes))
    }
}
