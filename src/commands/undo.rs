//! `mfactl undo`

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::operator_options::not_confirmed;
use crate::commands::operator_options::{OperatorOptions, UserArg};
use crate::commands::user_change::ChangeRecord;
use crate::domain::refusal::Refusal;
use crate::domain::user::User;
use crate::operate;
use crate::report::{Report, Verdict};

/// Undo a user's last reset, disable, delete or force-new-password
///
/// Restores devices, recovery codes and the state of the password. Any operator can do this for a
/// day (`policy.undo_for`), as long as no code was accepted since. Used codes stay used.
#[derive(Args, Debug)]
pub struct Undo {
    #[command(flatten)]
    user: UserArg,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Undo {
    const NAME: &'static str = "undo";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl undo alice", "mfactl undo alice --yes --ticket HELP-1234"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = self.user.name(app)?;
        let mut act = self.operator.act(app, Self::NAME, &name, None)?;
        let dry_run = act.dry_run;
        let undo_for = app.config.undo_for;
        let mut opened = app.open_store()?;
        let user = opened.read_user(&name)?;
        let undone = user.undo.as_ref().map(|undo| undo.act.verb());
        act.fields.extend(undone);
        if !self.yes && !dry_run {
            let question = |before: &User, after: &User| {
                let what = undone.unwrap_or_default();
                let at = before.undo.as_ref().map(|u| u.at.to_string()).unwrap_or_default();
                let count = super::reset::device_count(after.live().count());
                format!("Take back the {what} of {name} at {at}? There will be {count}.")
            };
            let change =
                |user: User, now| -> Result<_, Refusal> { user.undo_last_change(now, undo_for) };
            if !operate::confirm_change(app, &mut opened, &name, question, change)? {
                return Ok(not_confirmed(app));
            }
        }
        let done = operate::change_user(app, &mut opened, &act, |user, now, _| {
            Ok(user.undo_last_change(now, undo_for)?)
        })?;
        let what = format!("{} taken back", undone.unwrap_or("it"));
        let record = ChangeRecord::new("mfactl.undo/1", &done, dry_run, &what);
        Ok(Report::one(record, Verdict::Yes))
    }
}
