//! `mfactl enable`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::protection::{DeviceOption, OperatorOptions, Protection, Target};
use crate::domain::user::Status;
use crate::report::{Report, Verdict};
use crate::session::Session;

/// Switch MFA on again, as it was before it was disabled
///
/// A device that was never proved comes back as pending; codes that were used stay used.
#[derive(Args, Debug)]
pub struct Enable {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    device: DeviceOption,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Enable {
    const NAME: &'static str = "enable";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl enable alice", "mfactl enable alice --device tablet --ticket HELP-1234"];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let (name, label) = (self.target.name()?, self.device.label()?);
        let act = self.operator.act(Self::NAME, &name, label.as_ref())?;
        let mut opened = session.opened()?;
        let done =
            session.change(&mut opened, &act, |user, _, _| Ok(user.enable(label.as_ref())?))?;
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
