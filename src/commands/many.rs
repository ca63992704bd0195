//! One user, or many at once: a plain list, a plan, a guard, one transaction.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::protection::{OperatorOptions, declined, spoken};
use crate::domain::name::UserName;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, Status, User};
use crate::report::{Cell, Fields, Format, Record, Report, Tone, Verdict, Writer};
use crate::session::{Row, Session};
use crate::vault::Vault;

/// As many may always change at once.
const LEAST_GUARD: u64 = 10;
/// And so many in a hundred of all.
const GUARD_PERCENT: u64 = 10;

/// Whom a verb is about.
#[derive(Args, Clone, Debug)]
pub struct Crowd {
    /// The user
    #[arg(
        value_name = "NAME",
        required_unless_present = "from",
        conflicts_with = "from",
        add = crate::session::completion::user_names()
    )]
    name: Option<String>,
    /// Many users: a file with one name a line, or CSV with a column user; - is standard input
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// With --from, the most users who may change: a number, or a percentage of all
    /// [default: 10%, and 10 at least]
    #[arg(long, value_name = "N", requires = "from")]
    max_changes: Option<String>,
}

/// [`Crowd`], understood.
pub enum Who {
    One(UserName),
    Many(Vec<UserName>),
}

impl Crowd {
    /// # Errors
    /// `bad_input` for a name or a list that can't be.
    pub fn who(&self, session: &mut Session<'_>) -> Result<Who> {
        match (&self.name, &self.from) {
            (Some(name), _) => Ok(Who::One(UserName::parse(name)?)),
            (None, Some(path)) => Ok(Who::Many(session.names_from(path)?)),
            (None, None) => Err(Refusal::new(Code::Usage, "there is no user")
                .hint("name one, or many with --from FILE")
                .into()),
        }
    }

    /// Nobody yet, with the guard for whoever they are.
    pub const fn guarded(max_changes: Option<String>) -> Self {
        Self { name: None, from: None, max_changes }
    }

    /// How many of so many users may change.
    fn guard(&self, users: u64) -> Result<u64, Refusal> {
        let Some(text) = &self.max_changes else {
            return Ok((users * GUARD_PERCENT / 100).max(LEAST_GUARD));
        };
        let (number, is_percentage) =
            text.strip_suffix('%').map_or((text.as_str(), false), |number| (number, true));
        let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        let number = number.parse::<u64>().ok().filter(|_| plain);
        match number {
            Some(n @ 1..=100) if is_percentage => Ok((users * n).div_ceil(100)),
            Some(n @ 1..) if !is_percentage => Ok(n),
            _ => Err(Refusal::bad_input("--max-changes", "is no number of users")
                .hint("write a number such as 50, or a percentage from 1% to 100%")),
        }
    }
}

/// A change of many users.
pub struct Many<'m> {
    verb: &'static str,
    schema: &'static str,
    names: Vec<UserName>,
    crowd: &'m Crowd,
    operator: &'m OperatorOptions,
    yes: bool,
    /// What else the log shall say: names of fields.
    pub fields: Vec<&'static str>,
}

impl<'m> Many<'m> {
    /// `yes`: nobody is asked, because somebody said so, or because nothing is lost by it.
    pub const fn new(
        verb: &'static str,
        schema: &'static str,
        names: Vec<UserName>,
        crowd: &'m Crowd,
        operator: &'m OperatorOptions,
        yes: bool,
    ) -> Self {
        Self { verb, schema, names, crowd, operator, yes, fields: Vec::new() }
    }
}

/// What would come of it, or came.
#[derive(Serialize)]
struct Line {
    user: String,
    status: Status,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Many<'_> {
    /// Plans, asks, and changes all of them in one transaction. Who can't be changed is named in the
    /// report, which is then a no; an unknown name stops all of it.
    ///
    /// # Errors
    /// `user_not_found`, `too_many_changes`, `usage` where there is nobody to ask, or as the store
    /// has them.
    pub fn run(
        self,
        session: &mut Session<'_>,
        change: impl FnMut(User, Timestamp, &Vault) -> Result<Changed>,
    ) -> Result<Report> {
        self.run_all(session, change).map(|(report, _)| report)
    }

    /// The same, and whether it was done.
    ///
    /// # Errors
    /// As [`Many::run`].
    pub fn run_all(
        self,
        session: &mut Session<'_>,
        mut change: impl FnMut(User, Timestamp, &Vault) -> Result<Changed>,
    ) -> Result<(Report, bool)> {
        let ticket = self.operator.ticket(session, self.verb)?;
        let mut opened = session.opened()?;
        let (rows, users) = session.plan(&mut opened, &self.names, &mut change)?;
        let changing = rows.iter().filter(|row| row.is_change()).count();
        let most = self.crowd.guard(users)?;
        if changing as u64 > most {
            let message =
                format!("{changing} of {users} users would change, more than {most} at once");
            return Err(Refusal::new(Code::TooManyChanges, message)
                .hint(format!("look at the list; then add --max-changes {changing}"))
                .into());
        }
        let dry_run = self.operator.dry_run;
        if !self.yes && !dry_run && changing > 0 {
            let verb = self.verb;
            let unasked = "add --yes to do it unasked";
            session.person(unasked)?;
            let shown = plan(&mut session.beside(), &rows);
            shown.context("the plan can't be shown; nothing was changed")?;
            let question = format!(
                "{verb}: {changing} of the {} users named would change. Type {changing} to go on",
                rows.len()
            );
            let answer = session.person(unasked)?.line(&question)?;
            if answer.trim() != changing.to_string() {
                return Ok((declined(session), false));
            }
        }
        let rows = if dry_run {
            rows
        } else {
            session.change_many(
                &mut opened,
                self.verb,
                &ticket,
                &self.fields,
                &self.names,
                &mut change,
            )?
        };
        Ok((report(self.schema, rows, dry_run), !dry_run))
    }
}

fn report(schema: &'static str, rows: Vec<Row>, dry_run: bool) -> Report {
    let verdict = if rows.iter().any(is_refused) { Verdict::No } else { Verdict::Yes };
    Report::list(Verdict::No, move |writer| {
        let for_people = writer.format == Format::Table;
        let only_trouble = for_people && writer.quiet;
        let preamble = [("schema", json!(schema)), ("dry_run", json!(dry_run))];
        let counts = writer.many(&preamble, "users", |write| {
            let mut counts = Counts::default();
            for row in &rows {
                counts.count(row);
                if is_refused(row) || !only_trouble {
                    write(&Line::of(row, dry_run))?;
                }
            }
            Ok(counts)
        })?;
        if for_people && !only_trouble {
            writeln!(writer.out, "{}", counts.sentence(dry_run))?;
        }
        Ok(verdict)
    })
}

fn is_refused(row: &Row) -> bool {
    matches!(row, Row::Refused(..))
}

/// Whoever is asked sees first who would change and who can't.
fn plan(writer: &mut Writer<'_>, rows: &[Row]) -> Result<()> {
    let nothing: &[(&str, String)] = &[];
    let counts = writer.many(nothing, "users", |write| {
        let mut counts = Counts::default();
        for row in rows {
            counts.count(row);
            if row.is_change() || is_refused(row) {
                write(&Line::of(row, true))?;
            }
        }
        Ok(counts)
    })?;
    Ok(writeln!(writer.out, "{}", counts.sentence(true))?)
}

#[derive(Default, Serialize)]
struct Counts {
    users: u64,
    changed: u64,
    already: u64,
    refused: u64,
}

impl Counts {
    fn count(&mut self, row: &Row) {
        self.users += 1;
        self.changed += u64::from(row.is_change());
        self.already += u64::from(matches!(row, Row::Already(_)));
        self.refused += u64::from(is_refused(row));
    }

    fn sentence(&self, dry_run: bool) -> String {
        let users =
            if self.users == 1 { "1 user".to_owned() } else { format!("{} users", self.users) };
        let changed = if dry_run { "would change" } else { "changed" };
        format!(
            "{users}: {} {changed}, {} already so, {} refused",
            self.changed, self.already, self.refused
        )
    }
}

impl Line {
    fn of(row: &Row, dry_run: bool) -> Self {
        let (user, result, reason) = match row {
            Row::Changed(user) if dry_run => (user, "would_change", None),
            Row::Changed(user) => (user, "changed", None),
            Row::Already(user) => (user, "already", None),
            Row::Refused(user, refusal) => (user, "refused", Some(refusal.message.clone())),
        };
        Self { user: user.name.to_string(), status: user.status(), result, reason }
    }
}

impl Record for Line {
    const COLUMNS: &'static [&'static str] = &["user", "status", "result", "reason"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(self.status.word());
        f.text(self.result);
        f.maybe_text(self.reason.as_deref());
    }

    fn sentence(&self) -> String {
        let reason = self.reason.as_deref().map(|r| format!(" ({r})")).unwrap_or_default();
        let result = self.result.replace('_', " ");
        format!("{}: {result}; MFA is {}{reason}", self.user, spoken(self.status))
    }

    fn header() -> &'static [&'static str] {
        &["USER", "RESULT", "STATUS", "REASON"]
    }

    fn cells(&self) -> Vec<Cell> {
        let tone = if self.reason.is_some() { Tone::Bad } else { Tone::Plain };
        vec![
            Cell::plain(self.user.as_str()),
            Cell::toned(self.result.replace('_', " "), tone),
            Cell::plain(spoken(self.status)),
            Cell::plain(self.reason.as_deref().unwrap_or_default()),
        ]
    }
}
