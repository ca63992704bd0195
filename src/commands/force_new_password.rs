//! `mfactl force-new-password`

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use clap::Args;
use zeroize::Zeroizing;

use super::Verb;
use super::many::{Crowd, Many, Who};
use super::protection::{OperatorOptions, Protection, declined};
use crate::domain::name::UserName;
use crate::domain::password::{Password, Temporary};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::secret::{Id, Sealed};
use crate::domain::spare::{Spare, SpareCode};
use crate::domain::time::{Span, Timestamp};
use crate::domain::undo::Act;
use crate::domain::user::{Changed, PasswordChange, User};
use crate::enrolment::once::{OnceOptions, deliver};
use crate::report::{Report, Verdict};
use crate::session::{Done, Opened, Session};

/// How long a temporary password opens the door.
const GOOD_FOR: Span = Span::hours(24);

/// Clear a user's devices and require a new password at the next sign-in
///
/// Who has a password gets a random temporary one, shown once and good for a day: it alone opens the
/// door to choosing a new one, so that a stolen old password does not. After that a user of whom MFA
/// is required enrols again. Recovery and bypass codes are void.
#[derive(Args, Debug)]
pub struct ForceNewPassword {
    #[command(flatten)]
    crowd: Crowd,
    /// Keep the user's devices: a code is then asked for as well
    #[arg(long)]
    keep_mfa: bool,
    /// Let the old password open the door to choosing a new one, and nothing else
    #[arg(long)]
    old_password_opens: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    show: OnceOptions,
    #[command(flatten)]
    operator: OperatorOptions,
}

/// Temporary passwords, made before the store is locked: each costs a slow hash.
#[derive(Default)]
struct Drafts(BTreeMap<Id, (Zeroizing<String>, Sealed)>);

impl Verb for ForceNewPassword {
    const NAME: &'static str = "force-new-password";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl force-new-password alice",
        "mfactl force-new-password alice --keep-mfa --yes --ticket HELP-1234",
        "mfactl force-new-password --from leavers.txt --output passwords.txt",
    ];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let name = match self.crowd.who(session)? {
            Who::One(name) => name,
            Who::Many(names) => return self.many(session, names),
        };
        let mut act = self.operator.act(session, Self::NAME, &name, None)?;
        act.fields.push("password_change_required");
        let dry_run = act.dry_run;
        if !self.yes && !dry_run {
            let question = |user: &User, _: &User| self.question(user);
            let nothing = Drafts::default();
            let change = |user: User, now| self.change(user, now, &nothing);
            if !session.agreed(&name, question, change)? {
                return Ok(declined(session));
            }
        }
        let user = session.look(&name)?;
        let is_needed = self.needs_temporary(&user) && !dry_run;
        let once = if is_needed { Some(self.show.settle_or_hide(session)?) } else { None };
        let mut opened = session.opened()?;
        let mut drafts = Drafts::default();
        if is_needed {
            drafts.add(session, &opened, &user)?;
        }
        let (mut kept, mut is_told) = (None, false);
        if let Some(once) = once {
            is_told = once.is_document();
            if is_told {
                let at = session.env.clock.now()?;
                let after = self.change(user.clone(), at, &drafts)?.user;
                let done = Done { changed: after != user, user: after, at };
                deliver(session, &self.protection(&done, &drafts))?;
            } else {
                kept = Some(once.show(session, &drafts.sheet(std::slice::from_ref(&user)))?);
            }
        }
        let done =
            session.change(&mut opened, &act, |user, now, _| Ok(self.change(user, now, &drafts)?));
        let done = if is_needed {
            done.context("the temporary password that was shown is not in force")?
        } else {
            done?
        };
        if let Some(kept) = kept {
            kept.keep(session);
        }
        if is_told {
            return Ok(Report::silence(Verdict::Yes));
        }
        let reveal = self.show.reveal_secrets && is_needed;
        Ok(Report::one(self.protection(&done, &drafts), Verdict::Yes).arriving(reveal))
    }
}

impl ForceNewPassword {
    fn protection(&self, done: &Done, drafts: &Drafts) -> Protection {
        let (name, dry_run) = (&done.user.name, self.operator.dry_run);
        let words = "a new password is required at the next sign-in";
        let mut protection = Protection::new("mfactl.force-new-password/1", done, dry_run, words);
        if self.show.reveal_secrets {
            protection.temporary_password =
                drafts.0.get(&done.user.id).map(|(text, _)| text.clone());
        }
        match (done.changed, dry_run) {
            (false, _) => protection
                .saying(format!("{name}: a new password is required already; nothing to change")),
            (true, true) => protection
                .saying(format!("{name}: a new password would be required; nothing was changed")),
            (true, false) => protection,
        }
    }

    fn needs_temporary(&self, user: &User) -> bool {
        user.password.is_some() && !self.old_password_opens
    }

    fn question(&self, user: &User) -> String {
        let name = &user.name;
        match (user.live().count(), self.keep_mfa) {
            (0, _) => format!("Require a new password of {name}?"),
            (_, true) => format!("Require a new password of {name}, and keep MFA?"),
            (n, false) => {
                let cut = super::reset::counted(n);
                format!("Require a new password of {name}, and cut off {cut}?")
            }
        }
    }

    fn change(&self, user: User, now: Timestamp, drafts: &Drafts) -> Result<Changed, Refusal> {
        let before = user.clone();
        let mut changed = if self.keep_mfa {
            Changed { user, touched: Vec::new() }
        } else {
            user.revoke(None, now)?.without_spares()
        };
        let user = &mut changed.user;
        user.password_change = if self.old_password_opens {
            PasswordChange::RequiredOldOpens
        } else {
            PasswordChange::Required
        };
        if let Some((_, hash)) = drafts.0.get(&user.id) {
            user.temporary = Some(Temporary { hash: hash.clone(), until: now.plus(GOOD_FOR) });
        }
        if *user != before {
            changed.user = changed.user.undoable(Act::ForceNewPassword, &before, now);
        }
        Ok(changed)
    }

    fn many(self, session: &mut Session<'_>, names: Vec<UserName>) -> Result<Report> {
        let mut opened = session.opened()?;
        let nothing = Drafts::default();
        let dry_run = self.operator.dry_run;
        let mut change = |user: User, now, _: &_| Ok(self.change(user, now, &nothing)?);
        let (rows, _) = session.plan(&mut opened, &names, &mut change)?;
        let needy: Vec<User> = rows
            .iter()
            .filter(|row| row.is_change())
            .map(|row| row.user().clone())
            .filter(|user| self.needs_temporary(user))
            .collect();
        if !needy.is_empty() && !dry_run && !self.show.has_file() {
            let message = "--from: the temporary passwords of many users go to a file";
            return Err(Refusal::new(Code::Usage, message)
                .hint("add --output FILE, or --old-password-opens")
                .into());
        }
        let mut drafts = Drafts::default();
        let mut kept = None;
        if !needy.is_empty() && !dry_run {
            let once = self.show.settle(session)?;
            let bar = session.bar(needy.len() as u64);
            for user in &needy {
                drafts.add(session, &opened, user)?;
                bar.inc(1);
            }
            bar.finish_and_clear();
            kept = Some(once.show(session, &drafts.sheet(&needy))?);
        }
        drop(opened);
        let schema = "mfactl.force-new-password/1";
        let (crowd, operator) = (&self.crowd, &self.operator);
        let mut many = Many::new(Self::NAME, schema, names, crowd, operator, self.yes);
        many.fields.push("password_change_required");
        let (report, is_done) =
            many.run_all(session, |user, now, _| Ok(self.change(user, now, &drafts)?))?;
        if let (Some(kept), true) = (kept, is_done) {
            kept.keep(session);
        }
        Ok(report)
    }
}

impl Drafts {
    fn add(&mut self, session: &mut Session<'_>, opened: &Opened, user: &User) -> Result<()> {
        let text = SpareCode::new(Spare::Recovery, &session.env.random()?).grouped();
        let password = Password::read("password", &text)?;
        let hash = session.sealed_temporary(opened, user.id, &password)?;
        self.0.insert(user.id, (text, hash));
        Ok(())
    }

    /// A line for each user.
    fn sheet(&self, users: &[User]) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        for user in users {
            if let Some((password, _)) = self.0.get(&user.id) {
                text.push_str(user.name.as_str());
                text.push_str("  ");
                text.push_str(password);
                text.push('\n');
            }
        }
        text
    }
}
