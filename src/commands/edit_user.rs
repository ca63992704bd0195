//! `mfactl edit-user`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::add_user::ProfileOptions;
use crate::app::App;
use crate::commands::bulk::{BulkChange, Target, Targets};
use crate::commands::user_change::{ChangeRecord, OperatorOptions};
use crate::domain::name::{Label, UserName};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::operate;
use crate::report::{Report, Verdict};

/// Change a user's profile or name, or the label of a device
///
/// A renamed user keeps devices, used codes and locks. --group replaces all groups.
#[derive(Args, Debug)]
pub struct EditUser {
    #[command(flatten)]
    targets: Targets,
    #[command(flatten)]
    profile: ProfileOptions,
    /// Clear a field; repeatable
    #[arg(long, value_name = "FIELD", value_parser = ["display-name", "email", "language", "groups"])]
    clear: Vec<String>,
    /// Protect the user: only admins may change them
    #[arg(long, conflicts_with = "no_protected")]
    protected: bool,
    /// Remove the protection
    #[arg(long)]
    no_protected: bool,
    /// New name of the user
    #[arg(long, value_name = "NEW", conflicts_with = "from")]
    rename: Option<String>,
    /// Change the label of a device
    #[arg(long, value_name = "OLD=NEW", conflicts_with = "from")]
    relabel: Option<String>,
    /// With --from: skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for EditUser {
    const NAME: &'static str = "edit-user";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl edit-user alice --email alice@example.com",
        "mfactl edit-user alice --rename alice.martin",
        "mfactl edit-user alice --relabel phone=\"old phone\"",
    ];

    fn run(self, session: &mut App<'_>) -> Result<Report> {
        let new_name = self.rename.as_deref().map(UserName::parse).transpose()?;
        let relabel = self.relabel.as_deref().map(parse_relabel).transpose()?;
        let fields = self.fields()?;
        if fields.is_empty() {
            return Err(Refusal::new(ErrorCode::Usage, "there is nothing to change")
                .hint("see the options: mfactl help edit-user")
                .into());
        }
        if let Some(field) = self.clear.iter().find(|field| self.is_given(field)) {
            let message = format!("--{field} and --clear {field} can't be combined");
            return Err(Refusal::new(ErrorCode::Usage, message)
                .hint("leave one of them out")
                .into());
        }
        let policy = session.config()?.policy.clone();
        let change = |mut user: User, now: Timestamp| -> Result<Changed, Refusal> {
            let before = user.clone();
            self.profile.apply(&mut user.profile)?;
            self.clear(&mut user);
            user.protected = (user.protected || self.protected) && !self.no_protected;
            if let Some(new) = &new_name {
                user.name = new.clone();
            }
            if user.profile.groups != before.profile.groups {
                user = policy.after_group_change(&before, user, now);
            }
            match &relabel {
                Some((from, to)) => user.relabel(from, to),
                None => Ok(Changed { user, touched: Vec::new() }),
            }
        };
        let name = match self.targets.resolve(session)? {
            Target::One(name) => name,
            Target::Many(names) => {
                let schema = "mfactl.edit-user/1";
                let (targets, operator) = (&self.targets, &self.operator);
                let mut bulk =
                    BulkChange::new(Self::NAME, schema, names, targets, operator, self.yes);
                bulk.fields = fields;
                return bulk.run(session, |user, now, _| Ok(change(user, now)?));
            }
        };
        let act = self.operator.act(session, Self::NAME, &name, None)?;
        let act = crate::operate::change::ChangeRequest { fields, ..act };
        let dry_run = self.operator.dry_run;
        let mut opened = session.open_store()?;
        let done = operate::change_user(session, &mut opened, &act, |user, now, _| {
            Ok(change(user, now)?)
        })?;
        let mut record = ChangeRecord::new("mfactl.edit-user/1", &done, dry_run, "changed");
        if !done.changed {
            record = record.with_message(format!("{name}: already so; nothing to change"));
        }
        Ok(Report::one(record, Verdict::Yes))
    }
}

impl EditUser {
    /// The fields that the options change, for the audit log.
    fn fields(&self) -> Result<Vec<&'static str>, Refusal> {
        let mut fields = self.profile.apply(&mut crate::domain::user::Profile::default())?;
        let rest = [
            ("cleared", !self.clear.is_empty()),
            ("protected", self.protected),
            ("not_protected", self.no_protected),
            ("name", self.rename.is_some()),
            ("label", self.relabel.is_some()),
        ];
        fields.extend(rest.into_iter().filter(|(_, asked)| *asked).map(|(field, _)| field));
        Ok(fields)
    }

    fn is_given(&self, field: &str) -> bool {
        match field {
            "display-name" => self.profile.display_name.is_some(),
            "email" => self.profile.email.is_some(),
            "language" => self.profile.language.is_some(),
            _ => !self.profile.groups.is_empty(),
        }
    }

    fn clear(&self, user: &mut User) {
        for field in &self.clear {
            match field.as_str() {
                "display-name" => user.profile.display_name = None,
                "email" => user.profile.email = None,
                "language" => user.profile.language = None,
                _ => user.profile.groups.clear(),
            }
        }
    }
}

fn parse_relabel(text: &str) -> Result<(Label, Label), Refusal> {
    let (old, new) = text.split_once('=').ok_or_else(|| {
        Refusal::bad_input("--relabel", "is not OLD=NEW").hint("write it as phone=tablet")
    })?;
    Ok((Label::parse(old)?, Label::parse(new)?))
}
