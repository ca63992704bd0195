//! `mfactl unlock`

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::operator_options::OperatorOptions;
use crate::commands::targets::Targets;
use crate::commands::user_change::{self, UserChange};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::report::Report;

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

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        user_change::run(app, &self.targets, &self.operator, self.yes, &ClearLock)
    }
}

struct ClearLock;

impl UserChange for ClearLock {
    const VERB: &'static str = Unlock::NAME;
    const SCHEMA: &'static str = "mfactl.unlock/1";

    fn change(&self, user: User, _: Timestamp) -> Result<Changed, Refusal> {
        let user = User { throttle: user.throttle.clone().cleared(), ..user };
        Ok(Changed { user, touched: Vec::new() })
    }

    fn summary(&self, _: &User) -> String {
        "unlocked".to_owned()
    }

    fn unchanged(&self, _: &User, _: bool) -> Option<String> {
        Some("not locked".to_owned())
    }
}
