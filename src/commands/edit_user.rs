//! `mfactl edit-user`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::add_user::ProfileOptions;
use super::many::{Crowd, Many, Who};
use super::protection::{OperatorOptions, Protection};
use crate::domain::name::{Label, UserName};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::report::{Report, Verdict};
use crate::session::Session;

/// Change what is known of a user, the user's name, or the label of a device
///
/// Devices, used codes and locks stay with a renamed user. --group replaces all groups.
#[derive(Args, Debug)]
pub struct EditUser {
    #[command(flatten)]
    crowd: Crowd,
    #[command(flatten)]
    profile: ProfileOptions,
    /// Take a field away; can be given several times
    #[arg(long, value_name = "FIELD", value_parser = ["display-name", "email", "language", "groups"])]
    clear: Vec<String>,
    /// Mark the user as protected
    #[arg(long, conflicts_with = "no_protected")]
    protected: bool,
    /// Take that mark away
    #[arg(long)]
    no_protected: bool,
    /// Give the user another name
    #[arg(long, value_name = "NEW", conflicts_with = "from")]
    rename: Option<String>,
    /// Give a device another label
    #[arg(long, value_name = "OLD=NEW", conflicts_with = "from")]
    relabel: Option<String>,
    /// Do not ask, of many
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

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let new_name = self.rename.as_deref().map(UserName::parse).transpose()?;
        let relabel = self.relabel.as_deref().map(labels).transpose()?;
        let fields = self.fields()?;
        if fields.is_empty() {
            return Err(Refusal::new(Code::Usage, "there is nothing to change")
                .hint("say what: mfactl help edit-user")
                .into());
        }
        if let Some(field) = self.clear.iter().find(|field| self.is_given(field)) {
            let message = format!("--{field} and --clear {field} are contrary wishes");
            return Err(Refusal::new(Code::Usage, message).hint("leave one of them out").into());
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
                user = policy.regrouped(&before, user, now);
            }
            match &relabel {
                Some((from, to)) => user.relabel(from, to),
                None => Ok(Changed { user, touched: Vec::new() }),
            }
        };
        let name = match self.crowd.who(session)? {
            Who::One(name) => name,
            Who::Many(names) => {
                let schema = "mfactl.edit-user/1";
                let (crowd, operator) = (&self.crowd, &self.operator);
                let mut many = Many::new(Self::NAME, schema, names, crowd, operator, self.yes);
                many.fields = fields;
                return many.run(session, |user, now, _| Ok(change(user, now)?));
            }
        };
        let act = self.operator.act(session, Self::NAME, &name, None)?;
        let act = crate::session::Act { fields, ..act };
        let dry_run = self.operator.dry_run;
        let mut opened = session.opened()?;
        let done = session.change(&mut opened, &act, |user, now, _| Ok(change(user, now)?))?;
        let mut protection = Protection::new("mfactl.edit-user/1", &done, dry_run, "changed");
        if !done.changed {
            protection = protection.saying(format!("{name}: is so already; nothing to change"));
        }
        Ok(Report::one(protection, Verdict::Yes))
    }
}

impl EditUser {
    /// What is asked to change, for the log.
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

fn labels(text: &str) -> Result<(Label, Label), Refusal> {
    let (old, new) = text.split_once('=').ok_or_else(|| {
        Refusal::bad_input("--relabel", "is not OLD=NEW").hint("such as phone=tablet")
    })?;
    Ok((Label::parse(old)?, Label::parse(new)?))
}
