//! `mfactl delete`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::protection::{DeviceOption, OperatorOptions, Protection, Target, declined};
use crate::domain::user::User;
use crate::report::{Report, Verdict};
use crate::session::Session;

/// Delete a user's MFA setup; the user can enrol again at any time
///
/// All devices are cut off, or the one named. The user's account stays.
#[derive(Args, Debug)]
pub struct Delete {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    device: DeviceOption,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Delete {
    const NAME: &'static str = "delete";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl delete alice", "mfactl delete alice --device tablet --yes --ticket HELP-1234"];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let (name, label) = (self.target.name()?, self.device.label()?);
        let act = self.operator.act(Self::NAME, &name, label.as_ref())?;
        let dry_run = act.dry_run;
        if !self.yes && !dry_run {
            let question = |user: &User, _: &User| {
                let devices = user.live().filter(|d| label.as_ref().is_none_or(|l| d.label == *l));
                format!("Delete {} of {name}?", super::reset::counted(devices.count()))
            };
            let change = |user: User, now| user.revoke(label.as_ref(), now);
            if !session.agreed(&name, question, change)? {
                return Ok(declined(session));
            }
        }
        let mut opened = session.opened()?;
        let done = session
            .change(&mut opened, &act, |user, now, _| Ok(user.revoke(label.as_ref(), now)?))?;
        let what = label.map_or_else(|| "MFA setup deleted".into(), |l| format!("{l} deleted"));
        let protection = Protection::new("mfactl.delete/1", &done, dry_run, &what);
        Ok(Report::one(protection, Verdict::Yes))
    }
}
