//! `mfactl require-mfa`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use super::Verb;
use crate::app::App;
use crate::commands::bulk::BulkChange;
use crate::commands::operator_options::OperatorOptions;
use crate::commands::user_change::{self, UserChange};
use crate::domain::name::{UserName, group, is_same_group};
use crate::domain::policy::{Policy, Requirement};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::counted;
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
    #[arg(value_name = "NAME", conflicts_with_all = ["group", "from"], add = crate::commands::user_names())]
    name: Option<String>,
    /// Everybody who is in this group now
    ///
    /// People who join later are not covered: for them name the group in `policy.required_groups`.
    #[arg(long, value_name = "GROUP", conflicts_with = "from")]
    group: Option<String>,
    /// Read many user names from FILE (-: stdin)
    ///
    /// One name a line, or CSV with commas, semicolons or tabs under a header of known columns: the names
    /// are in user, else username, else name.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Required from then on [default: now]
    ///
    /// A date such as 2026-03-01, a time such as 2026-03-01T08:00:00Z, `tomorrow`, or a span from now such as 14d.
    #[arg(long, value_name = "WHEN", conflicts_with = "not")]
    effective: Option<String>,
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
        "mfactl require-mfa --group staff --effective 2026-03-01",
        "mfactl require-mfa --from names.txt --effective 14d --yes",
        "mfactl require-mfa alice --not",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let now = app.env.clock.now()?;
        let effective = self.effective.as_deref();
        let from = effective.map(|text| Timestamp::parse_coming("--effective", text, now));
        let from = from.transpose()?;
        let policy = app.config.policy.clone();
        let change = OwnRequirement { from, is_lifted: self.not, policy };
        let (operator, yes) = (&self.operator, self.yes);
        let names = match (&self.from, &self.group) {
            (None, None) => {
                let name = app.target(
                    self.name.as_deref(),
                    "name one user, or many with --group or --from FILE",
                )?;
                return user_change::change_one(app, &name, operator, yes, &change);
            }
            (Some(list), _) => read_list(app, list)?,
            (None, Some(name)) => {
                let group = group(name)?;
                let names = members(app, &group)?;
                app.note(&format!(
                    "this covers {} who {} in {group} now; to cover people who join later, name the group \
                     in policy.required_groups",
                    counted(names.len(), "user"),
                    if names.len() == 1 { "is" } else { "are" }
                ));
                names.into()
            }
        };
        let max_changes = self.max_changes.as_deref();
        let bulk = BulkChange { list: names, max_changes, operator, yes };
        user_change::change_many(app, bulk, &change)
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

/// Reads the list. A date in its place is refused, and so is a file of such a name, which can be given as ./NAME.
fn read_list(app: &mut App<'_>, path: &Path) -> Result<UserList> {
    let text = path.to_string_lossy();
    if Timestamp::parse("--from", &text).is_err() {
        return operate::read_user_list(app, path);
    }
    let message = format!("{text} is a date, and --from names a file of users");
    Err(Refusal::new(ErrorCode::Usage, message)
        .field("--from")
        .hint(format!("for the date write: --effective {text}"))
        .into())
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
