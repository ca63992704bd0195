//! `mfactl disable`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::many::{Crowd, Many, Who};
use super::protection::{DeviceOption, OperatorOptions, Protection, declined};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::undo::Act;
use crate::domain::user::{Changed, Status, User};
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
    crowd: Crowd,
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
        let label = self.device.label()?;
        let change = |user: User, now: Timestamp| -> Result<Changed, Refusal> {
            let before = user.clone();
            let Changed { user, touched } = user.disable(label.as_ref())?;
            let is_change = user != before;
            let user = if is_change { user.undoable(Act::Disable, &before, now) } else { user };
            Ok(Changed { user, touched })
        };
        let name = match self.crowd.who(session)? {
            Who::One(name) => name,
            Who::Many(names) => {
                let schema = "mfactl.disable/1";
                let (crowd, operator) = (&self.crowd, &self.operator);
                let many = Many::new(Self::NAME, schema, names, crowd, operator, self.yes);
                return many.run(session, |user, now, _| Ok(change(user, now)?));
            }
        };
        let policy = session.config()?.policy.clone();
        let is_required = |user: &User, at| policy.demand(user).is_in_force(at);
        let act = self.operator.act(session, Self::NAME, &name, label.as_ref())?;
        let dry_run = act.dry_run;
        if !self.yes && !dry_run {
            let now = session.env.clock.now()?;
            let question = |_: &User, after: &User| match &label {
                Some(label) if after.status() != Status::Disabled => {
                    format!("{name}: other devices stay in force. Switch off {label}?")
                }
                _ => format!("{name}: {}. Switch MFA off?", afterwards(is_required(after, now))),
            };
            if !session.agreed(&name, question, change)? {
                return Ok(declined(session));
            }
        }
        let mut opened = session.opened()?;
        let done = session.change(&mut opened, &act, |user, now, _| Ok(change(user, now)?))?;
        let what = label.as_ref().map_or_else(String::new, |label| format!("{label} "));
        let what = format!("{what}switched off");
        let mut protection = Protection::new("mfactl.disable/1", &done, dry_run, &what);
        if done.changed && !dry_run && done.user.status() == Status::Disabled {
            let then = afterwards(is_required(&done.user, done.at));
            protection = protection.saying(format!("{name}: switched off; {then}"));
        }
        Ok(Report::one(protection, Verdict::Yes))
    }
}

const fn afterwards(is_required: bool) -> &'static str {
    if is_required {
        "MFA is required, so the user is refused until enabled again"
    } else {
        "MFA is optional, so the password alone is then enough"
    }
}
