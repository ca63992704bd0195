//! `mfactl require-mfa`

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use super::Verb;
use super::many::{Crowd, Many};
use super::protection::{OperatorOptions, Protection};
use crate::domain::name::{UserName, group};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::report::{Report, Verdict};
use crate::session::Session;
use crate::store::Order;

/// Require MFA of a user, or of a group, from a date on
///
/// Until then the list shows the user as due, and sign-in goes on with the password alone; after it
/// the user is refused until enrolled. What the configuration requires can't be taken back here.
#[derive(Args, Debug)]
pub struct RequireMfa {
    /// The user
    #[arg(
        value_name = "NAME",
        required_unless_present_any = ["group", "from"],
        add = crate::session::completion::user_names()
    )]
    name: Option<String>,
    /// Everybody who is in this group now
    #[arg(long, value_name = "GROUP", conflicts_with = "name")]
    group: Option<String>,
    /// From when on, such as 2026-03-01 [default: at once]; or many users: a file with one name a
    /// line, or CSV with a column user; - is standard input. Can be given once for each
    #[arg(long, value_name = "DATE|FILE")]
    from: Vec<PathBuf>,
    /// Of many, the most users who may change: a number, or a percentage of all
    /// [default: 10%, and 10 at least]
    #[arg(long, value_name = "N")]
    max_changes: Option<String>,
    /// Take it back
    #[arg(long)]
    not: bool,
    /// Do not ask, of many
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

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let (from, list) = self.from()?;
        if from.is_some() && self.not {
            return Err(Refusal::new(Code::Usage, "--not takes no date")
                .hint("leave it out")
                .into());
        }
        let policy = session.config()?.policy.clone();
        let change = |user: User, now: Timestamp| -> Result<Changed, Refusal> {
            // While the grace of a group runs its end is kept where an operator's date would be.
            let due = user.required_from.filter(|due| !user.required && *due > now);
            if let (Some(due), Some(from)) = (due, from.filter(|from| *from > now)) {
                if policy.demand(&user).is_in_force(from) {
                    return Ok(Changed { user, touched: Vec::new() });
                }
                let message = format!("MFA is due by a group of {} on {due}", user.name);
                return Err(Refusal::new(Code::Usage, message)
                    .hint("leave the date out to require it at once"));
            }
            let required_from = from.filter(|from| *from > now);
            let is_so = user.required && user.required_from.is_none_or(|f| f <= now);
            let user = if self.not {
                let required_from = user.required_from.filter(|_| !user.required);
                User { required: false, required_from, ..user }
            } else if is_so && required_from.is_none() {
                user
            } else {
                User { required: true, required_from, ..user }
            };
            Ok(Changed { user, touched: Vec::new() })
        };
        let names = match (&self.name, list, &self.group) {
            (Some(name), None, None) => return self.one(session, &UserName::parse(name)?, change),
            (None, Some(list), None) => session.names_from(&list)?,
            (None, None, Some(name)) => members(session, &group(name)?)?,
            _ => {
                let message = "NAME, --group and a list of users are contrary wishes";
                return Err(Refusal::new(Code::Usage, message).hint("give one of them").into());
            }
        };
        let crowd = Crowd::guarded(self.max_changes.clone());
        let schema = "mfactl.require-mfa/1";
        let mut many = Many::new(Self::NAME, schema, names, &crowd, &self.operator, self.yes);
        many.fields.push(if self.not { "not_required" } else { "required" });
        many.run(session, |user, now, _| Ok(change(user, now)?))
    }
}

impl RequireMfa {
    /// The date and the list, in whichever order they were given.
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
                return Err(Refusal::new(Code::Usage, "--from: is given twice for the same thing")
                    .hint("give one date and one list"));
            }
        }
        Ok((date, list))
    }

    fn one(
        &self,
        session: &mut Session<'_>,
        name: &UserName,
        change: impl Fn(User, Timestamp) -> Result<Changed, Refusal>,
    ) -> Result<Report> {
        let mut act = self.operator.act(session, Self::NAME, name, None)?;
        act.fields.push(if self.not { "not_required" } else { "required" });
        let mut opened = session.opened()?;
        let done = session.change(&mut opened, &act, |user, now, _| Ok(change(user, now)?))?;
        let words = match (self.not, done.user.required_from) {
            (true, _) => "MFA is not required any more".to_owned(),
            (false, None) => "MFA is required".to_owned(),
            (false, Some(from)) => format!("MFA is required from {from} on"),
        };
        let dry_run = self.operator.dry_run;
        let mut protection = Protection::new("mfactl.require-mfa/1", &done, dry_run, &words);
        if !done.changed {
            protection = protection.saying(format!("{name}: {words} already; nothing to change"));
        }
        Ok(Report::one(protection, Verdict::Yes))
    }
}

/// Everybody who is in a group.
fn members(session: &mut Session<'_>, group: &str) -> Result<Vec<UserName>> {
    let mut names = Vec::new();
    let mut store = session.reader()?;
    store.read()?.users(Order::default(), &mut |user| {
        if user.profile.groups.iter().any(|g| g == group) {
            names.push(user.name);
        }
        Ok(())
    })?;
    if names.is_empty() {
        return Err(Refusal::bad_input("--group", format!("nobody is in {group}"))
            .hint("see who is where with: mfactl list-status --format csv")
            .into());
    }
    Ok(names)
}

/// A mistyped date is no file.
fn looks_like_a_date(path: &Path) -> bool {
    let text = path.to_string_lossy();
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 4
        && text.chars().all(|c| c.is_ascii_digit() || "-:/.TZ+ ".contains(c))
        && !path.exists()
}
