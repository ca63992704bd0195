//! `mfactl force-new-password`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::protection::{OperatorOptions, Protection, Target, declined};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, PasswordChange, User};
use crate::report::{Report, Verdict};
use crate::session::Session;

/// Clear a user's devices and require a new password at the next sign-in
///
/// After the new password a user of whom MFA is required enrols again.
#[derive(Args, Debug)]
pub struct ForceNewPassword {
    #[command(flatten)]
    target: Target,
    /// Keep the user's devices
    #[arg(long)]
    keep_mfa: bool,
    /// Let the old password open the door to choosing a new one, and nothing else
    #[arg(long)]
    old_password_opens: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for ForceNewPassword {
    const NAME: &'static str = "force-new-password";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl force-new-password alice",
        "mfactl force-new-password alice --keep-mfa --yes --ticket HELP-1234",
    ];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let name = self.target.name()?;
        let mut act = self.operator.act(Self::NAME, &name, None)?;
        act.fields.push("password_change_required");
        let dry_run = act.dry_run;
        if !self.yes && !dry_run {
            let question = |user: &User, _: &User| {
                let count = user.live().count();
                match (count, self.keep_mfa) {
                    (0, _) => format!("Require a new password of {name}?"),
                    (_, true) => format!("Require a new password of {name}, and keep MFA?"),
                    (n, false) => {
                        let cut = super::reset::counted(n);
                        format!("Require a new password of {name}, and cut off {cut}?")
                    }
                }
            };
            if !session.agreed(&name, question, |user, now| self.change(user, now))? {
                return Ok(declined(session));
            }
        }
        let mut opened = session.opened()?;
        let done = session.change(&mut opened, &act, |user, now, _| Ok(self.change(user, now)?))?;
        let protection = Protection::new(
            "mfactl.force-new-password/1",
            &done,
            dry_run,
            "a new password is required at the next sign-in",
        );
        let protection = match (done.changed, dry_run) {
            (false, _) => protection
                .saying(format!("{name}: a new password is required already; nothing to change")),
            (true, true) => protection
                .saying(format!("{name}: a new password would be required; nothing was changed")),
            (true, false) => protection,
        };
        Ok(Report::one(protection, Verdict::Yes))
    }
}

impl ForceNewPassword {
    fn change(&self, user: User, now: Timestamp) -> Result<Changed, Refusal> {
        let mut changed = if self.keep_mfa {
            Changed { user, touched: Vec::new() }
        } else {
            user.revoke(None, now)?
        };
        changed.user.password_change = if self.old_password_opens {
            PasswordChange::RequiredOldOpens
        } else {
            PasswordChange::Required
        };
        Ok(changed)
    }
}
