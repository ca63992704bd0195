//! `mfactl unlock`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::protection::{OperatorOptions, Protection, Target};
use crate::domain::user::{Changed, User};
use crate::report::{Report, Verdict};
use crate::session::Session;

/// Clear the failure counter and the lock of a user
///
/// Used codes stay used.
#[derive(Args, Debug)]
pub struct Unlock {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Unlock {
    const NAME: &'static str = "unlock";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl unlock alice", "mfactl unlock --ticket HELP-1234 -- alice"];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let name = self.target.name()?;
        let act = self.operator.act(Self::NAME, &name, None)?;
        let mut opened = session.opened()?;
        let done = session.change(&mut opened, &act, |user, _, _| {
            let user = User { throttle: user.throttle.clone().cleared(), ..user };
            Ok(Changed { user, touched: Vec::new() })
        })?;
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
