//! `mfactl disable`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::protection::{DeviceOption, OperatorOptions, Protection, Target, declined};
use crate::domain::user::{Status, User};
use crate::report::{Report, Verdict};
use crate::session::Session;

/// Switch MFA off for a user, with all settings kept
///
/// The codes of disabled devices are refused until they are enabled again, and pending devices stop
/// too. Where MFA is optional the user then signs in with the password alone; where it is required
/// the user is refused until enabled.
#[derive(Args, Debug)]
pub struct Disable {
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

impl Verb for Disable {
    const NAME: &'static str = "disable";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl disable alice", "mfactl disable alice --device tablet --yes --ticket HELP-1234"];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let (name, label) = (self.target.name()?, self.device.label()?);
        let act = self.operator.act(Self::NAME, &name, label.as_ref())?;
        let dry_run = act.dry_run;
        if !self.yes && !dry_run {
            let question = |_: &User, after: &User| match &label {
                Some(label) if after.status() != Status::Disabled => {
                    format!("{name}: other devices stay in force. Switch off {label}?")
                }
                _ => format!("{name}: {}. Switch MFA off?", afterwards(after)),
            };
            let change = |user: User, _| user.disable(label.as_ref());
            if !session.agreed(&name, question, change)? {
                return Ok(declined(session));
            }
        }
        let mut opened = session.opened()?;
        let done =
            session.change(&mut opened, &act, |user, _, _| Ok(user.disable(label.as_ref())?))?;
        let what = label.map_or_else(String::new, |label| format!("{label} "));
        let what = format!("{what}switched off");
        let mut protection = Protection::new("mfactl.disable/1", &done, dry_run, &what);
        if done.changed && !dry_run && done.user.status() == Status::Disabled {
            let then = afterwards(&done.user);
            protection = protection.saying(format!("{name}: switched off; {then}"));
        }
        Ok(Report::one(protection, Verdict::Yes))
    }
}

fn afterwards(user: &User) -> &'static str {
    if user.required {
        "MFA is required, so the user is refused until enabled again"
    } else {
        "MFA is optional, so the password alone is then enough"
    }
}
