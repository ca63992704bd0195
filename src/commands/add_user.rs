//! `mfactl add-user`

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::json;

use super::Verb;
use crate::app::App;
use crate::app::write_tx;
use crate::audit;
use crate::audit::AuditRecord;
use crate::commands::bulk::lines::BulkWords;
use crate::commands::bulk::{BulkChange, BulkVerb};
use crate::commands::operator_options::{OperatorOptions, not_confirmed};
use crate::commands::user_change::ChangeRecord;
use crate::domain::consequences::consequences;
use crate::domain::hint::command;
use crate::domain::name::UserName;
use crate::domain::profile;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::text::shown;
use crate::domain::user::{Language, Profile, User};
use crate::maintain;
use crate::operate;
use crate::operate::bulk::{BulkAct, BulkDecision, BulkMoment, PlannedChange};
use crate::operate::change::ChangeResult;
use crate::operate::user_list::{ListedProfile, NewUserList};
use crate::report::{Report, Verdict};
use crate::store::Change;

/// Add a user without a device
///
/// Set up a device for the user with `mfactl enrol NAME`.
#[derive(Args, Debug)]
pub struct AddUser {
    /// Name of the new user
    ///
    /// Letters, digits and . _ - @ + ', at most 255 bytes.
    #[arg(value_name = "NAME", required_unless_present = "from")]
    name: Option<String>,
    /// Read many new users from FILE (-: stdin)
    ///
    /// One name a line, or CSV with commas, semicolons or tabs under a header: the names are in user, else username,
    /// else name; `display_name`, email, language and groups are read too. Users who exist stay as they are.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["name", "display_name", "email", "language", "groups"]
    )]
    from: Option<PathBuf>,
    #[command(flatten)]
    profile: ProfileOptions,
    /// Protect the user: only admins may change them
    #[arg(long)]
    protected: bool,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

/// The fields of a user's profile, shared by `add-user` and `edit-user`.
#[derive(Args, Debug)]
pub struct ProfileOptions {
    /// Full name
    #[arg(long, value_name = "TEXT")]
    pub display_name: Option<String>,
    /// E-mail address
    #[arg(long, value_name = "ADDRESS")]
    pub email: Option<String>,
    /// Language of messages to the user
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    pub language: Option<Language>,
    /// Group of the user; repeatable
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
}

impl ProfileOptions {
    /// Copies the options that were given into the profile; returns the names of these fields.
    pub fn apply(&self, profile: &mut Profile) -> Result<Vec<&'static str>, Refusal> {
        let mut fields = Vec::new();
        if let Some(text) = &self.display_name {
            profile.display_name = Some(profile::display_name("--display-name", text)?);
            fields.push("display_name");
        }
        if let Some(text) = &self.email {
            profile.email = Some(profile::email("--email", text)?);
            fields.push("email");
        }
        if let Some(language) = self.language {
            profile.language = Some(language);
            fields.push("language");
        }
        if !self.groups.is_empty() {
            profile.groups = profile::groups(self.groups.iter().map(String::as_str))?;
            fields.push("groups");
        }
        Ok(fields)
    }
}

impl Verb for AddUser {
    const NAME: &'static str = "add-user";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl add-user alice",
        "mfactl add-user --from joiners.csv",
        "mfactl add-user alice --display-name \"Alice Martin\" --email alice@example.com --group staff",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        if let Some(path) = &self.from {
            return self.run_many(app, path);
        }
        let name = app.config.names.read(self.name.as_deref().unwrap_or_default())?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let mut profile = Profile::default();
        self.profile.apply(&mut profile)?;
        let dry_run = self.operator.dry_run;
        let mut opened =
            if dry_run { app.open_store()? } else { maintain::open_or_create_store(app)? };
        if !operate::confirm_new_user(app, &mut opened, &name, dry_run || self.yes)? {
            return Ok(not_confirmed(app));
        }
        let id = Id::new(app.env.random()?);
        let (user, consequences, at) = write_tx(app, &mut opened, |app, mut write| {
            let at = write.at;
            if write.find(&name)?.is_some() {
                let message = format!("user {name} already exists");
                return Err(Refusal::new(ErrorCode::UserExists, message)
                    .hint(command("edit-user").name(&name).after("change it with: "))
                    .into());
            }
            write.require_no_twin(&app.config.names, &name, id)?;
            let user = User {
                profile: profile.clone(),
                protected: self.protected,
                ..User::new(id, name.for_new_user()?, at)
            };
            let consequences = consequences(None, &user, &app.config.policy, at);
            if !dry_run {
                let ticket = ticket.clone();
                let audit = AuditRecord {
                    verb: Self::NAME,
                    outcome: "done",
                    ticket,
                    detail: Some(json!({ "consequences": consequences }).to_string()),
                    ..AuditRecord::default()
                };
                let insertion = Change::Insert(user.clone());
                audit::save(app.env, &mut write.tx, at, insertion, audit)?;
                write.commit()?;
            }
            Ok((user, consequences, at))
        })?;
        let required = app.config.policy.requirement(&user).is_in_force(at);
        let done = ChangeResult { user, changed: true, consequences, required, at };
        Ok(Report::one(
            ChangeRecord::new("mfactl.add-user/1", &done, dry_run, "added"),
            Verdict::Yes,
        ))
    }
}

impl AddUser {
    fn run_many(&self, app: &mut App<'_>, path: &Path) -> Result<Report> {
        let NewUserList { list, profiles } = operate::read_new_users(app, path)?;
        let mut opened = if self.operator.dry_run {
            app.open_store()?
        } else {
            maintain::open_or_create_store(app)?
        };
        let similar = operate::similar_names(&mut opened, &list.names)?;
        let mut users = Vec::with_capacity(profiles.len());
        for (listed, similar) in profiles.into_iter().zip(similar) {
            users.push(NewUser { id: Id::new(app.env.random()?), listed, similar });
        }
        let (operator, yes) = (&self.operator, self.yes);
        let bulk = BulkChange { list, max_changes: None, operator, yes };
        bulk.run(app, opened, &mut AddEach { users, protected: self.protected })
    }
}

/// A user of a list, as they will be if nobody has the name.
struct NewUser {
    id: Id,
    listed: ListedProfile,
    /// Users for whom the name could be a slip.
    similar: Vec<String>,
}

/// Every name of a list that nobody has becomes a user.
struct AddEach {
    users: Vec<NewUser>,
    protected: bool,
}

impl AddEach {
    fn new_user(&self, index: usize) -> Result<&NewUser> {
        self.users.get(index).context("the list is longer than its profiles")
    }
}

impl BulkAct for AddEach {
    const VERB: &'static str = AddUser::NAME;

    fn decide(&self, index: usize, user: User, _: &BulkMoment<'_>) -> Result<BulkDecision> {
        let mut reason = "exists already".to_owned();
        let differing = self.new_user(index)?.listed.differing(&user.profile);
        if !differing.is_empty() {
            let fields = differing.join(", ");
            reason = format!("{reason}, with another {fields}: see edit-user");
        }
        Ok(BulkDecision::Already(Box::new(user), Some(reason)))
    }

    fn make(
        &self,
        index: usize,
        name: &UserName,
        moment: &BulkMoment<'_>,
    ) -> Result<Option<BulkDecision>> {
        let new = self.new_user(index)?;
        let user = User {
            profile: new.listed.profile.clone(),
            protected: self.protected,
            ..User::new(new.id, name.for_new_user()?, moment.at)
        };
        let (note, counted) = similar_note(&new.similar).unzip();
        let planned = PlannedChange { note, counted, ..PlannedChange::insert(user, moment) };
        Ok(Some(planned.into()))
    }

    fn only_makes(&self) -> bool {
        true
    }
}

impl BulkVerb for AddEach {
    const SCHEMA: &'static str = "mfactl.add-user/1";
    const WORDS: BulkWords = BulkWords::ADD;
}

/// What a plan says of a new user whose name could be a slip: for the user, and for the totals.
pub fn similar_note(similar: &[String]) -> Option<(String, String)> {
    let names: Vec<_> = similar.iter().map(|name| shown(name)).collect();
    let note = (!names.is_empty()).then(|| format!("there is also {}", names.join(", ")))?;
    Some((note, "may be another user's name with a slip".to_owned()))
}
