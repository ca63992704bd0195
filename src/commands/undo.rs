//! `mfactl undo`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::protection::{OperatorOptions, Protection, Target, declined};
use crate::domain::refusal::Refusal;
use crate::domain::user::User;
use crate::report::{Report, Verdict};
use crate::session::Session;

/// Take back the last reset, disable, delete or force-new-password of a user
///
/// Devices, recovery codes and the password's state are as they were before. It can be done for a day
/// (`policy.undo_for`), by any operator, and only as long as no code was accepted since. Codes that
/// were used stay used.
#[derive(Args, Debug)]
pub struct Undo {
    #[command(flatten)]
    target: Target,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Undo {
    const NAME: &'static str = "undo";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl undo alice", "mfactl undo alice --yes --ticket HELP-1234"];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let name = self.target.name()?;
        let mut act = self.operator.act(session, Self::NAME, &name, None)?;
        let dry_run = act.dry_run;
        let undo_for = session.config()?.undo_for;
        let user = session.look(&name)?;
        let undone = user.undo.as_ref().map(|undo| undo.act.verb());
        act.fields.extend(undone);
        if !self.yes && !dry_run {
            let question = |before: &User, after: &User| {
                let what = undone.unwrap_or_default();
                let at = before.undo.as_ref().map(|u| u.at.to_string()).unwrap_or_default();
                let count = super::reset::counted(after.live().count());
                format!("Take back the {what} of {name} at {at}? There will be {count}.")
            };
            let change = |user: User, now| -> Result<_, Refusal> { user.undone(now, undo_for) };
            if !session.agreed(&name, question, change)? {
                return Ok(declined(session));
            }
        }
        let mut opened = session.opened()?;
        let done =
            session.change(&mut opened, &act, |user, now, _| Ok(user.undone(now, undo_for)?))?;
        let what = format!("{} taken back", undone.unwrap_or("it"));
        let protection = Protection::new("mfactl.undo/1", &done, dry_run, &what);
        Ok(Report::one(protection, Verdict::Yes))
    }
}
