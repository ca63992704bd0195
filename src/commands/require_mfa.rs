//! `mfactl require-mfa`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::operator_options::OperatorOptions;
use crate::commands::targets::Targets;
use crate::commands::user_change::{self, UserChange};
use crate::domain::name::{UserName, group, is_same_group};
use crate::domain::policy::{Policy, Requirement};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::quoted;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::operate;
use crate::operate::UserList;
use crate::report::Report;
use crate::store::Order;

/// Require MFA for a user or a group, now or from a date on
///
/// Before that date the user may sign in with the password alone, and list-status shows when MFA is
/// due. From that date on a user without MFA is refused at sign-in until they enrol. A requirement of
/// the configuration can only be lifted there.
#[derive(Args, Debug)]
pub struct RequireMfa {
    /// User name, or an e-mail address; none: search
    #[arg(value_name = "NAME", add = crate::commands::user_names())]
    name: Option<String>,
    /// All current members of a group
    #[arg(long, value_name = "GROUP", conflicts_with = "name")]
    group: Option<String>,
    /// Start date [default: now], or a file of names
    ///
    /// A date such as 2026-03-01; or a file of users (-: stdin): one name a line, or CSV with commas,
    /// semicolons or tabs under a header of known columns: the names are in user, else username, else
    /// name. Give --from twice for a date and a file.
    #[arg(long, value_name = "DATE|FILE")]
    from: Vec<PathBuf>,
    /// Limit of changes for many users, N or N%
    ///
    /// A number of users, or a percentage of all users. The default is 10%, but at least 10 users.
    #[arg(long, value_name = "N")]
    max_changes: Option<String>,
    /// Lift the requirement
    #[arg(long)]
    not: bool,
    /// For many users: skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for RequireMfa {
    const NAME: &'static str = "require-mfa";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl require-mfa alice",
        "mfactl require-mfa --group staff --from 2026-03-01",
        "mfactl require-mfa --from names.txt --from 2026-03-01 --yes",
        "mfactl require-mfa alice --not",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let (from, list) = self.from()?;
        if from.is_some() && self.not {
            return Err(Refusal::new(ErrorCode::Usage, "--not can't be combined with a date")
                .hint("leave the date out")
                .into());
        }
        let policy = app.config.policy.clone();
        let change = OwnRequirement { from, is_lifted: self.not, policy };
        let (operator, yes) = (&self.operator, self.yes);
        let names = match (&self.name, list, &self.group) {
            (name, None, None) => {
                let name = app.target(
                    name.as_deref(),
                    "name one user, or many with --group or --from FILE",
                )?;
                return user_change::change_one(app, &name, operator, yes, &change);
            }
            (None, Some(list), None) => read_list(app, &list)?,
            (None, None, Some(name)) => members(app, &group(name)?)?.into(),
            (name, Some(given), _) => return Err(no_date(&given, name.is_some()).into()),
            (Some(_), None, Some(_)) => {
                return Err(Refusal::new(ErrorCode::Usage, "NAME and --group can't be combined")
                    .hint("give one of them")
                    .into());
            }
        };
        let targets = Targets::with_limit(self.max_changes.clone());
        user_change::change_many(app, names, &targets, operator, yes, &change)
    }
}

struct OwnRequirement {
    from: Option<Timestamp>,
    is_lifted: bool,
    policy: Policy,
}

impl UserChange for OwnRequirement {
    const VERB: &'static str = RequireMfa::NAME;
    const SCHEMA: &'static str = "mfactl.require-mfa/1";

    fn change(&self, user: User, now: Timestamp) -> Result<Changed, Refusal> {
        let later = self.from.filter(|from| *from > now);
        // During the grace period of a group, `required_from` holds the end of that period.
        let due = user.required_from.filter(|due| !user.required && *due > now);
        if let (Some(due), Some(from)) = (due, later) {
            if self.policy.requirement(&user).is_in_force(from) {
                return Ok(Changed { user, touched: Vec::new() });
            }
            let message = format!("a group of {} requires MFA from {due} already", user.name);
            return Err(Refusal::new(ErrorCode::Usage, message)
                .hint("leave the date out to require it now"));
        }
        let is_so = user.required && user.required_from.is_none_or(|f| f <= now);
        let user = if self.is_lifted {
            let required_from = user.required_from.filter(|_| !user.required);
            User { required: false, required_from, ..user }
        } else if is_so && later.is_none() {
            user
        } else {
            User { required: true, required_from: later, ..user }
        };
        Ok(Changed { user, touched: Vec::new() })
    }

    fn fields(&self) -> Vec<&'static str> {
        vec![if self.is_lifted { "not_required" } else { "required" }]
    }

    fn summary(&self, _: &User) -> String {
        let done = if self.is_lifted { "lifted" } else { "set" };
        format!("requirement {done}")
    }

    fn unchanged(&self, user: &User, required: bool) -> Option<String> {
        if self.is_lifted {
            return Some(match self.policy.requirement(user) {
                Requirement::Optional => "has no requirement of their own".to_owned(),
                Requirement::From(_) if required => {
                    "MFA is required by the configuration only".to_owned()
                }
                Requirement::From(from) => {
                    format!("MFA is required from {from} on by the configuration only")
                }
            });
        }
        Some(match user.required_from {
            None => "MFA is required already".to_owned(),
            Some(from) => format!("MFA is required from {from} on already"),
        })
    }
}

impl RequireMfa {
    /// Splits the values of --from into the date and the file.
    fn from(&self) -> Result<(Option<Timestamp>, Option<PathBuf>), Refusal> {
        let (mut date, mut list) = (None, None);
        for given in &self.from {
            let read = given.to_str().map(|text| Timestamp::parse("--from", text));
            let is_second = match read {
                Some(Ok(at)) => date.replace(at).is_some(),
                Some(Err(refusal)) if looks_like_a_date(given) => return Err(refusal),
                _ => list.replace(given.clone()).is_some(),
            };
            if is_second {
                return Err(Refusal::new(ErrorCode::Usage, "two dates or two files were given")
                    .field("--from")
                    .hint("give one date and one file"));
            }
        }
        Ok((date, list))
    }
}

fn read_list(app: &mut App<'_>, path: &Path) -> Result<UserList> {
    let may_mean_a_date = !path.to_string_lossy().contains(['/', '.']) && path != Path::new("-");
    operate::read_user_list(app, path).map_err(|error| match error.downcast::<Refusal>() {
        Ok(refusal) if may_mean_a_date => {
            let hint = refusal.hint.clone().unwrap_or_default();
            refusal.hint(format!("{hint}; a date is written as 2026-03-01")).into()
        }
        Ok(refusal) => refusal.into(),
        Err(error) => error,
    })
}

fn members(app: &mut App<'_>, group: &str) -> Result<Vec<UserName>> {
    let mut names = Vec::new();
    let mut store = app.reader()?;
    store.read()?.users(Order::default(), &mut |user| {
        if user.profile.groups.iter().any(|g| is_same_group(g, group)) {
            names.push(user.name);
        }
        Ok(())
    })?;
    if names.is_empty() {
        operate::require_member(&mut store.read()?, "--group", group)?;
    }
    Ok(names)
}

/// Refuses a value of --from beside a user or a group. No date, it must be a file of other users.
fn no_date(given: &Path, has_name: bool) -> Refusal {
    let users = if has_name { "NAME" } else { "--group" };
    let given = quoted(&given.to_string_lossy());
    let message = format!(
        "{given} is not a date, so it is taken for a file of users, and {users} names users too"
    );
    Refusal::new(ErrorCode::Usage, message)
        .field("--from")
        .hint(format!("write a date as 2026-03-01; for a file, leave {users} out"))
}

/// Tells a mistyped date from the name of a file, for a helpful error.
fn looks_like_a_date(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 4
        && text.chars().all(|c| c.is_ascii_digit() || "-:/.TZ+ ".contains(c))
        && !path.exists()
}
