//! `mfactl add-user`

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::json;

use super::Verb;
use crate::app::App;
use crate::app::write_tx;
use crate::audit;
use crate::audit::AuditRecord;
use crate::commands::operator_options::{OperatorOptions, not_confirmed};
use crate::commands::user_change::ChangeRecord;
use crate::domain::consequences::consequences;
use crate::domain::hint::command;
use crate::domain::name::new_group;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::text::{line, prose_line, refuse};
use crate::domain::user::{Language, Profile, User};
use crate::maintain;
use crate::operate;
use crate::operate::change::ChangeResult;
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
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    profile: ProfileOptions,
    /// Protect the user: only admins may change them
    #[arg(long)]
    protected: bool,
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
    pub language: Option<LanguageOption>,
    /// Group of the user; repeatable
    #[arg(long = "group", value_name = "GROUP")]
    pub groups: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum LanguageOption {
    En,
    Fr,
}

impl ProfileOptions {
    /// Copies the options that were given into the profile; returns the names of these fields.
    pub fn apply(&self, profile: &mut Profile) -> Result<Vec<&'static str>, Refusal> {
        let mut fields = Vec::new();
        if let Some(text) = &self.display_name {
            profile.display_name = Some(prose_line("--display-name", text, 100)?);
            fields.push("display_name");
        }
        if let Some(text) = &self.email {
            profile.email = Some(parse_email(text)?);
            fields.push("email");
        }
        if let Some(language) = self.language {
            profile.language = Some(match language {
                LanguageOption::En => Language::English,
                LanguageOption::Fr => Language::French,
            });
            fields.push("language");
        }
        if !self.groups.is_empty() {
            let mut groups: Vec<String> =
                self.groups.iter().map(|g| new_group(g)).collect::<Result<_, _>>()?;
            groups.sort();
            groups.dedup();
            profile.groups = groups;
            fields.push("groups");
        }
        Ok(fields)
    }
}

/// A plain address, without display name, comment or quotes: it goes into an SMTP command.
fn parse_email(text: &str) -> Result<String, Refusal> {
    let address = line("--email", text, 254)?;
    let has_both_parts = address.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    });
    let is_allowed =
        |c: char| !c.is_whitespace() && !matches!(c, '<' | '>' | ',' | ';' | '"' | '\\');
    if has_both_parts && address.chars().all(is_allowed) {
        return Ok(address);
    }
    Err(refuse("--email", text, "is not an e-mail address").hint("write it as name@example.com"))
}

impl Verb for AddUser {
    const NAME: &'static str = "add-user";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl add-user alice",
        "mfactl add-user alice --display-name \"Alice Martin\" --email alice@example.com --group staff",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = app.config.names.read(&self.name)?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let mut profile = Profile::default();
        self.profile.apply(&mut profile)?;
        let dry_run = self.operator.dry_run;
        let mut opened =
            if dry_run { app.open_store()? } else { maintain::open_or_create_store(app)? };
        if !operate::confirm_new_user(app, &mut opened, &name, dry_run)? {
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
