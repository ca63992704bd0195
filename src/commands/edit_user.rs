//! `mfactl edit-user`

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::add_user::ProfileOptions;
use crate::app::App;
use crate::commands::operator_options::OperatorOptions;
use crate::commands::targets::Targets;
use crate::commands::user_change::{self, Confirmation, UserChange};
use crate::domain::hint;
use crate::domain::name::{Label, UserName, group, is_same_group, new_group};
use crate::domain::policy::Policy;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{quoted, refuse};
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::operate;
use crate::operate::change::ChangeResult;
use crate::report::Report;

/// Change a user's profile or name, or the label of a device
///
/// A renamed user keeps devices, used codes and locks. --group replaces all groups; --add-group and
/// --remove-group leave the others.
#[derive(Args, Debug)]
pub struct EditUser {
    #[command(flatten)]
    targets: Targets,
    #[command(flatten)]
    profile: ProfileOptions,
    /// Add the user to a group; repeatable
    #[arg(long, value_name = "GROUP", conflicts_with = "groups")]
    add_group: Vec<String>,
    /// Take the user out of a group; repeatable
    #[arg(long, value_name = "GROUP", conflicts_with = "groups")]
    remove_group: Vec<String>,
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
    /// Skip the confirmation of --rename, --from, or groups that decide on MFA
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for EditUser {
    const NAME: &'static str = "edit-user";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl edit-user alice --email alice@example.com",
        "mfactl edit-user alice --add-group vpn",
        "mfactl edit-user alice --rename alice.martin",
        "mfactl edit-user alice --relabel phone=\"old phone\"",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let new_name = match &self.rename {
            Some(new) => Some(app.config.names.read(new)?.for_new_user()?),
            None => None,
        };
        let relabel = self.relabel.as_deref().map(parse_relabel).transpose()?;
        let fields = self.fields()?;
        if fields.is_empty() {
            return Err(Refusal::new(ErrorCode::Usage, "there is nothing to change")
                .hint(hint::help(Some(Self::NAME)).after("see the options: "))
                .into());
        }
        if let Some(field) = self.clear.iter().find(|field| self.is_given(field)) {
            let option = match field.as_str() {
                "groups" if !self.add_group.is_empty() => "add-group",
                "groups" if !self.remove_group.is_empty() => "remove-group",
                "groups" => "group",
                field => field,
            };
            let message = format!("--{option} and --clear {field} can't be combined");
            return Err(Refusal::new(ErrorCode::Usage, message)
                .hint("leave one of them out")
                .into());
        }
        let policy = app.config.policy.clone();
        let added = self.add_group.iter().map(|name| new_group(name));
        let added = added.collect::<Result<Vec<_>, _>>()?;
        let removed = self.remove_group.iter().map(|name| group(name));
        let removed = removed.collect::<Result<Vec<_>, _>>()?;
        if let Some(both) = added.iter().find(|a| removed.iter().any(|r| is_same_group(a, r))) {
            let message = format!("{} is to be added and removed", quoted(both));
            return Err(Refusal::new(ErrorCode::Usage, message)
                .field("--add-group")
                .hint("leave one of them out")
                .into());
        }
        for group in &removed {
            let policy = app.config.policy.clone();
            let mut store = app.reader()?;
            operate::require_known_group(&mut store.read()?, &policy, "--remove-group", group)?;
        }
        let change = Edit { verb: &self, new_name, relabel, added, removed, fields, policy };
        user_change::run(app, &self.targets, &self.operator, self.yes, &change)
    }
}

struct Edit<'a> {
    verb: &'a EditUser,
    new_name: Option<UserName>,
    relabel: Option<(Label, Label)>,
    /// Groups that the user joins and leaves.
    added: Vec<String>,
    removed: Vec<String>,
    fields: Vec<&'static str>,
    policy: Policy,
}

impl UserChange for Edit<'_> {
    const VERB: &'static str = EditUser::NAME;
    const SCHEMA: &'static str = "mfactl.edit-user/1";

    fn change(&self, mut user: User, now: Timestamp) -> Result<Changed, Refusal> {
        let before = user.clone();
        self.verb.profile.apply(&mut user.profile)?;
        self.verb.clear(&mut user);
        let groups = &mut user.profile.groups;
        for added in &self.added {
            if !groups.iter().any(|group| is_same_group(group, added)) {
                groups.push(added.clone());
            }
        }
        groups.retain(|group| !self.removed.iter().any(|removed| is_same_group(group, removed)));
        groups.sort();
        user.protected = (user.protected || self.verb.protected) && !self.verb.no_protected;
        if let Some(new) = &self.new_name {
            user.name = new.clone();
        }
        if user.profile.groups != before.profile.groups {
            user = self.policy.after_group_change(&before, user, now);
        }
        match &self.relabel {
            Some((from, to)) => user.relabel(from, to),
            None => Ok(Changed { user, touched: Vec::new() }),
        }
    }

    fn confirmation(&self) -> Confirmation {
        Confirmation::AtTerminal
    }

    fn is_asked_about(&self, before: &User, after: &User) -> bool {
        before.name != after.name || self.is_requirement_changed(before, after)
    }

    fn question(&self, before: &User, after: &User, _: Timestamp) -> String {
        let name = &before.name;
        match (self.new_name.is_some(), self.is_requirement_changed(before, after)) {
            (true, false) => format!("Rename {name} to {}?", after.name),
            (true, true) => {
                format!("Rename {name} to {}, and change whether MFA is required?", after.name)
            }
            (false, _) => format!("Change whether MFA is required of {name}?"),
        }
    }

    fn fields(&self) -> Vec<&'static str> {
        self.fields.clone()
    }

    fn summary(&self, _: &User) -> String {
        "changed".to_owned()
    }

    fn message(&self, done: &ChangeResult, _: bool) -> Option<String> {
        (!done.changed).then(|| format!("{}: already so; nothing to change", done.user.name))
    }
}

impl Edit<'_> {
    fn is_requirement_changed(&self, before: &User, after: &User) -> bool {
        self.policy.requirement(before) != self.policy.requirement(after)
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
        if !(self.add_group.is_empty() && self.remove_group.is_empty()) {
            fields.push("groups");
        }
        fields.extend(rest.into_iter().filter(|(_, asked)| *asked).map(|(field, _)| field));
        Ok(fields)
    }

    fn is_given(&self, field: &str) -> bool {
        match field {
            "display-name" => self.profile.display_name.is_some(),
            "email" => self.profile.email.is_some(),
            "language" => self.profile.language.is_some(),
            _ => {
                let given = [&self.profile.groups, &self.add_group, &self.remove_group];
                given.iter().any(|groups| !groups.is_empty())
            }
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
        refuse("--relabel", text, "is not OLD=NEW").hint("write it as phone=tablet")
    })?;
    Ok((Label::parse(old)?, Label::parse(new)?))
}
