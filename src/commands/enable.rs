//! `mfactl enable`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::many::{Crowd, Many, Who};
use super::protection::{DeviceOption, OperatorOptions, Protection};
use crate::domain::refusal::Refusal;
use crate::domain::user::{Changed, Status, User};
use crate::report::{Report, Verdict};
use crate::session::Session;

/// Switch MFA on again, as it was before it was disabled
///
/// A device that was never proved comes back as pending; codes that were used stay used.
#[derive(Args, Debug)]
pub struct Enable {
    #[command(flatten)]
    crowd: Crowd,
    #[command(flatten)]
    device: DeviceOption,
    /// Do not ask, of many
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Enable {
    const NAME: &'static str = "enable";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl enable alice", "mfactl enable alice --device tablet --ticket HELP-1234"];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let label = self.device.label()?;
        let change = |user: User| -> Result<Changed, Refusal> {
            let before = user.clone();
            let Changed { mut user, touched } = user.enable(label.as_ref())?;
            if user != before {
                user.undo = None;
            }
            Ok(Changed { user, touched })
        };
        let name = match self.crowd.who(session)? {
            Who::One(name) => name,
            Who::Many(names) => {
                let schema = "mfactl.enable/1";
                let (crowd, operator) = (&self.crowd, &self.operator);
                let many = Many::new(Self::NAME, schema, names, crowd, operator, self.yes);
                return many.run(session, |user, _, _| Ok(change(user)?));
            }
        };
        let act = self.operator.act(session, Self::NAME, &name, label.as_ref())?;
        let mut opened = session.opened()?;
        let done = session.change(&mut opened, &act, |user, _, _| Ok(change(user)?))?;
        let mut protection =
            Protection::new("mfactl.enable/1", &done, self.operator.dry_run, "switched on");
        if !done.changed && done.user.status() == Status::Pending {
            protection = protection.saying(format!(
                "{name}: pending; nothing is switched off, and a code has yet to be proved"
            ));
        }
        Ok(Report::one(protection, Verdict::Yes))
    }
}
