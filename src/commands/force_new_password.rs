//! `mfactl force-new-password`

use std::collections::BTreeMap;

use anyhow::Result;
use clap::Args;
use zeroize::Zeroizing;

use super::Verb;
use crate::app::{App, OpenStore};
use crate::authenticate;
use crate::commands::bulk::secrets::{HandOver, SecretField, SecretFields};
use crate::commands::bulk::{BulkChange, BulkVerb};
use crate::commands::operator_options::OperatorOptions;
use crate::commands::operator_options::not_confirmed;
use crate::commands::targets::{Target, Targets};
use crate::commands::user_change::{ChangeRecord, joined};
use crate::domain::backup_code::{BackupCode, BackupCodeKind};
use crate::domain::consequences::NO_PASSWORD;
use crate::domain::password::{Password, PasswordChange, TemporaryPassword};
use crate::domain::refusal::Refusal;
use crate::domain::secret::{Id, Sealed};
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User, no_password_hint};
use crate::operate;
use crate::operate::UserList;
use crate::operate::bulk::{
    BulkAct, BulkDecision, BulkMoment, BulkPlan, BulkResult, BulkRow, PlannedChange,
};
use crate::operate::change::ChangeResult;
use crate::report::{Report, Verdict};
use crate::show::show_once::{OnceText, ShowOnceOptions, Shown, show_text, write_before_commit};
use crate::texts::Texts;

/// Clear a user's devices and require a new password
///
/// A user who has a password gets a random temporary one. It is shown once, expires after 24 hours,
/// and is the only password with which a new one can be chosen, so that a stolen old password is
/// of no use. Run again, the verb makes another one, and the first is void. If MFA is required, the
/// user then enrols again. Recovery and bypass codes become void.
#[derive(Args, Debug)]
pub struct ForceNewPassword {
    #[command(flatten)]
    targets: Targets,
    /// Keep the user's devices and ask for a code too
    #[arg(long)]
    keep_mfa: bool,
    /// Let the old password be used to choose a new one
    #[arg(long)]
    old_password_opens: bool,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    show: ShowOnceOptions,
    #[command(flatten)]
    operator: OperatorOptions,
}

/// Temporary passwords. They are made before the store is locked, because each costs a slow hash.
#[derive(Default)]
struct TemporaryPasswords(BTreeMap<Id, (Zeroizing<String>, Sealed)>);

impl Verb for ForceNewPassword {
    const NAME: &'static str = "force-new-password";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl force-new-password alice",
        "mfactl force-new-password alice --keep-mfa --yes --ticket HELP-1234",
        "mfactl force-new-password --from names.txt --output passwords.txt",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = match self.targets.resolve(app)? {
            Target::One(name) => name,
            Target::Many(list) => return self.run_bulk(app, list),
        };
        let mut act = self.operator.act(app, Self::NAME, &name, None)?;
        act.fields.push("password_change_required");
        let dry_run = act.dry_run;
        let mut opened = app.open_store()?;
        if !self.yes && !dry_run {
            let question = |user: &User, _: &User| self.question(user);
            let change = |user: User, now| self.change(user, now, None);
            if !operate::confirm_change(app, &mut opened, &name, question, change)? {
                return Ok(not_confirmed(app));
            }
        }
        let user = opened.read_user(&name)?;
        let is_needed = self.needs_temporary(&user) && !dry_run;
        let once = if is_needed {
            Some(self.show.choose_output_or_hide(app, "the temporary password")?)
        } else {
            None
        };
        let mut passwords = TemporaryPasswords::default();
        if is_needed {
            passwords.add(app, &opened, user.id)?;
        }
        let (mut kept, mut is_delivered) = (None, false);
        if let Some(once) = once {
            is_delivered = once.is_document();
            if is_delivered {
                let at = app.env.clock.now()?;
                let after = self.change(user.clone(), at, Some(&passwords))?.user;
                let done = ChangeResult::of(&user, after, &app.config.policy, at);
                write_before_commit(app, &self.report(&done, &passwords))?;
            } else {
                let text = passwords.render(&user);
                let until = app.env.clock.now()?.plus(TemporaryPassword::LIFETIME);
                let about = format!(
                    "Temporary password of {name}: good until {until}, and only to choose a new password at the next \
                     sign-in. Tell it to {name} only."
                );
                kept = Some(show_text(
                    app,
                    once,
                    OnceText { about, text, texts: Texts::FOR_OPERATORS },
                )?);
            }
        }
        let made = (!dry_run).then_some(&passwords);
        let done = operate::change_user(app, &mut opened, &act, |user, now, _| {
            Ok(self.change(user, now, made)?)
        });
        let void = "the temporary password that was shown is not valid";
        let done = match done {
            Ok(done) => done,
            Err(error) if is_needed => return Err(Shown::after_failure(kept, void, error)),
            Err(error) => return Err(error),
        };
        if let Some(kept) = kept {
            kept.keep(app);
        }
        if is_refused(&done.consequences) {
            let hint = no_password_hint(&done.user.name, !dry_run);
            app.note(&format!("hint: {}", app.words(hint)));
        }
        if is_delivered {
            return Ok(Report::empty(Verdict::Yes));
        }
        let reveal = self.show.reveal_secrets && is_needed;
        Ok(Report::one(self.report(&done, &passwords), Verdict::Yes).requires_delivery(reveal))
    }
}

impl ForceNewPassword {
    fn report(&self, done: &ChangeResult, passwords: &TemporaryPasswords) -> ChangeRecord {
        let (name, dry_run) = (&done.user.name, self.operator.dry_run);
        let message = "new password forced";
        let mut record = ChangeRecord::new("mfactl.force-new-password/1", done, dry_run, message);
        if self.show.reveal_secrets {
            record.temporary_password =
                passwords.0.get(&done.user.id).map(|(text, _)| text.clone());
        }
        match (done.changed, dry_run) {
            (false, _) => record.with_message(format!(
                "{name}: a new password is required already; nothing to change"
            )),
            (true, true) => record.with_message(format!(
                "{name}: a new password would be required{}; nothing was changed",
                joined(&done.consequences)
            )),
            (true, false) => record,
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
                let cut = super::reset::device_count(n);
                format!("Require a new password of {name}, and cut off {cut}?")
            }
        }
    }

    /// `passwords` are the temporary passwords of this run. `None` stands for a plan, which makes none, since each costs
    /// a slow hash. A user who has a temporary password gets another, because the first may be in the wrong hands.
    fn change(
        &self,
        user: User,
        now: Timestamp,
        passwords: Option<&TemporaryPasswords>,
    ) -> Result<Changed, Refusal> {
        let is_temporary_due = passwords.is_none() && self.needs_temporary(&user);
        let mut changed = if self.keep_mfa {
            Changed { user, touched: Vec::new() }
        } else {
            user.revoke(None, now)?.void_backup_codes()
        };
        let user = &mut changed.user;
        user.password_change = if self.old_password_opens {
            PasswordChange::RequiredOldOpens
        } else {
            PasswordChange::Required
        };
        let made = passwords.and_then(|passwords| passwords.0.get(&user.id));
        let unmade = is_temporary_due.then(|| Sealed(Vec::new()));
        if let Some(hash) = made.map(|(_, hash)| hash.clone()).or(unmade) {
            user.temporary =
                Some(TemporaryPassword { hash, until: now.plus(TemporaryPassword::LIFETIME) });
        }
        Ok(changed)
    }

    fn run_bulk(self, app: &mut App<'_>, list: UserList) -> Result<Report> {
        let (max_changes, operator) = (self.targets.max_changes(), &self.operator);
        let bulk = BulkChange { list, max_changes, operator, yes: self.yes };
        let opened = app.open_store()?;
        bulk.run(app, opened, &mut PasswordEach { verb: &self, passwords: None })
    }
}

/// Every user of a list needs a new password.
struct PasswordEach<'a> {
    verb: &'a ForceNewPassword,
    /// `None` for the plan: each costs a slow hash.
    passwords: Option<TemporaryPasswords>,
}

impl BulkAct for PasswordEach<'_> {
    const VERB: &'static str = ForceNewPassword::NAME;

    fn decide(&self, _: usize, user: User, moment: &BulkMoment<'_>) -> Result<BulkDecision> {
        let gives_secret = self.verb.needs_temporary(&user);
        let changed = self.verb.change(user.clone(), moment.at, self.passwords.as_ref())?;
        Ok(BulkDecision::update(user, changed, moment)
            .with(|planned| PlannedChange { gives_secret, ..planned }))
    }

    fn is_bound_to_plan(&self) -> bool {
        !self.verb.old_password_opens
    }

    fn fields(&self) -> Vec<&'static str> {
        vec!["password_change_required"]
    }
}

impl BulkVerb for PasswordEach<'_> {
    const SCHEMA: &'static str = "mfactl.force-new-password/1";

    fn hand_over(&self, app: &mut App<'_>) -> Result<HandOver> {
        HandOver::choose(app, &self.verb.show, "temporary passwords of several users")
    }

    fn prepare(&mut self, app: &mut App<'_>, opened: &OpenStore, plan: &BulkPlan) -> Result<()> {
        let recipients: Vec<Id> =
            plan.rows.iter().filter(|row| row.gives_secret).map(|row| row.id).collect();
        let mut passwords = TemporaryPasswords::default();
        let bar = app.progress_bar(recipients.len() as u64);
        for id in recipients {
            passwords.add(app, opened, id)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        self.passwords = Some(passwords);
        Ok(())
    }

    fn finish(&self, app: &mut App<'_>, rows: &[BulkRow]) {
        let is_it = |row: &&BulkRow| match &row.result {
            BulkResult::Changed(consequences) => is_refused(consequences),
            BulkResult::Already | BulkResult::Refused(_) => false,
        };
        if let Some(row) = rows.iter().find(is_it) {
            let hint = no_password_hint(&row.name, !self.verb.operator.dry_run);
            app.note(&format!("hint: {}", app.words(hint)));
        }
    }

    fn secrets(&self, row: &BulkRow) -> SecretFields {
        let made = self.passwords.as_ref().and_then(|passwords| passwords.0.get(&row.id));
        let field = |text: &Zeroizing<String>| SecretField::Text(text.clone());
        SecretFields(made.iter().map(|(text, _)| ("temporary_password", field(text))).collect())
    }
}

fn is_refused(consequences: &[String]) -> bool {
    consequences.iter().any(|words| words == NO_PASSWORD)
}

impl TemporaryPasswords {
    fn add(&mut self, app: &mut App<'_>, opened: &OpenStore, user: Id) -> Result<()> {
        let text = BackupCode::new(BackupCodeKind::Recovery, &app.env.random()?).grouped();
        let password = Password::read("password", &text)?;
        let hash = authenticate::sealed_temporary(app, opened, user, &password)?;
        self.0.insert(user, (text, hash));
        Ok(())
    }

    fn render(&self, user: &User) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::new());
        if let Some((password, _)) = self.0.get(&user.id) {
            text.push_str(user.name.as_str());
            text.push_str("  ");
            text.push_str(password);
            text.push('\n');
        }
        text
    }
}
