//! `mfactl list-status`

mod filter;
mod line;
mod then;
mod totals;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::Verb;
use crate::domain::policy::Policy;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::report::{Format, Report, Verdict, Writer};
use crate::session::Session;
use crate::store::{By, Likeness, Order, Snapshot, Store};
use totals::GroupLine;

pub use line::Line;
pub use totals::{Groups, Summary};

/// Who has MFA, and who has not
///
/// Everyone is listed, also those with nothing. Needs no key and writes nothing. The summary counts
/// everybody, or the group where one is named, whatever else is filtered. An earlier time is rebuilt
/// from the log, as far back as the log goes, under the policy of today.
#[derive(Args, Debug)]
pub struct ListStatus {
    #[command(flatten)]
    filter: filter::FilterOptions,
    /// As it was at an earlier time: 2026-03-01, 2026-03-01T12:00:00Z, yesterday, or a span such as 24h
    #[arg(long, value_name = "WHEN")]
    at: Option<String>,
    /// Order of the users
    #[arg(long, value_enum, value_name = "BY", default_value = "user", hide_default_value = true)]
    sort: Sort,
    /// The other way round
    #[arg(long)]
    reverse: bool,
    /// These columns only: user, status, groups, … as the CSV header names them
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', value_parser = column)]
    columns: Vec<&'static str>,
    /// Numbers instead of users
    #[arg(long, conflicts_with = "columns")]
    summary: bool,
    /// Numbers for each group
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "columns")]
    group_by: Option<GroupBy>,
    /// Exit with 1 when a user is left after the filters
    #[arg(long)]
    fail_if_any: bool,
    /// Exit with 1 when fewer than this percentage of the users are enabled
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_coverage: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    User,
    /// The least protected first
    Status,
    Created,
    /// The longest unused first
    LastCode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GroupBy {
    Group,
}

fn column(text: &str) -> Result<&'static str, String> {
    let columns = <Line as crate::report::Record>::COLUMNS;
    let name = text.trim();
    columns.iter().copied().find(|column| *column == name).ok_or_else(|| {
        let nearest = columns.iter().find(|column| strsim::damerau_levenshtein(column, name) <= 3);
        match nearest {
            Some(column) => format!("there is no such column; did you mean {column}?"),
            None => format!("there is no such column; there are {}", columns.join(", ")),
        }
    })
}

fn percent(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    let plain = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if plain && (0.0..=100.0).contains(&number) {
        Ok(number)
    } else {
        Err("not a percentage from 0 to 100".into())
    }
}

impl Verb for ListStatus {
    const NAME: &'static str = "list-status";
    const ALIAS: Option<&'static str> = Some("status");
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl list-status",
        "mfactl list-status --without-mfa --format csv",
        "mfactl list-status --without-mfa --fail-if-any --quiet",
        "mfactl list-status --min-coverage 95 --quiet",
        "mfactl list-status --group-by group",
        "mfactl list-status --at 2026-03-01 --columns user,status",
    ];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let filter = self.filter.filter()?;
        let now = session.env.clock.now()?;
        let then = match self.at.as_deref() {
            Some(text) => Some(Timestamp::parse_past("--at", text, now)?),
            None => None,
        };
        if then.is_some() && (self.sort != Sort::User || self.reverse) {
            return Err(Refusal::new(Code::Usage, "--at lists by name, and --sort asks otherwise")
                .hint("leave --sort and --reverse out, or sort the CSV")
                .into());
        }
        let policy = session.config()?.policy.clone();
        let store = session.reader()?;
        let is_asked = self.fail_if_any || self.min_coverage.is_some();
        let cut_short = if is_asked { Verdict::No } else { Verdict::Yes };
        let list = List { options: self, filter, policy, now, then };
        Ok(Report::list(cut_short, move |writer| list.write(store, writer)))
    }
}

/// What is listed.
struct List {
    options: ListStatus,
    filter: filter::Filter,
    policy: Policy,
    now: Timestamp,
    then: Option<Timestamp>,
}

impl List {
    fn write(&self, store: Box<dyn Store>, writer: &mut Writer<'_>) -> Result<Verdict> {
        let for_people = writer.format == Format::Table;
        if !self.options.columns.is_empty() {
            writer.only = Some(self.options.columns.clone());
        }
        let is_in_numbers = self.options.summary || self.options.group_by.is_some();
        let (summary, listed) =
            if is_in_numbers { self.numbers(store, writer)? } else { self.users(store, writer)? };
        // A group that nobody is in is a slip of the pen, and no coverage.
        let nobody = self.filter.group().filter(|_| summary.users == 0);
        let least = self.options.min_coverage;
        let too_low = least.is_some_and(|l| nobody.is_some() || summary.exact_coverage() < l);
        let verdict = if too_low || (self.options.fail_if_any && listed > 0) {
            Verdict::No
        } else {
            Verdict::Yes
        };
        let is_untold = verdict == Verdict::No && (too_low || is_in_numbers);
        if for_people && (!writer.quiet || is_untold) {
            match nobody {
                Some(group) => writeln!(writer.out, "nobody is in the group {group}")?,
                None => writeln!(writer.out, "{}", summary.sentence())?,
            }
        }
        Ok(verdict)
    }

    fn users(&self, mut store: Box<dyn Store>, writer: &mut Writer<'_>) -> Result<(Summary, u64)> {
        let for_people = writer.format == Format::Table;
        // A quiet check of the coverage lists nobody: only its failing is news.
        let only_count = for_people
            && writer.quiet
            && self.options.min_coverage.is_some()
            && !self.options.fail_if_any;
        // Where nobody is told of the others they need not be counted.
        let is_summed = matches!(writer.format, Format::Table | Format::Json)
            || self.options.min_coverage.is_some();
        let likeness = if is_summed {
            Likeness::default()
        } else {
            self.filter.likeness(&self.policy, self.now)
        };
        let mut listed = 0;
        let preamble = self.preamble("mfactl.list-status/1");
        let summary = writer.many(&preamble, "users", |write| {
            self.count(&mut *store.read()?, &likeness, &mut |line, is_wanted| {
                if is_wanted {
                    listed += 1;
                    if !only_count {
                        write(line)?;
                    }
                }
                Ok(())
            })
        })?;
        Ok((summary, listed))
    }

    fn numbers(
        &self,
        mut store: Box<dyn Store>,
        writer: &mut Writer<'_>,
    ) -> Result<(Summary, u64)> {
        let (mut groups, mut listed) = (Groups::default(), 0);
        let is_grouped = self.options.group_by.is_some();
        let everybody = Likeness::default();
        let summary = self.count(&mut *store.read()?, &everybody, &mut |line, is_wanted| {
            listed += u64::from(is_wanted);
            if is_grouped {
                groups.count(line);
            }
            Ok(())
        })?;
        let alone = GroupLine { group: None, summary: summary.clone() };
        match writer.format {
            // The sentence that follows says it all.
            Format::Table if !is_grouped || writer.quiet => {}
            Format::Csv | Format::Jsonl if !is_grouped => {
                let nothing: &[(&str, String)] = &[];
                writer.many(nothing, "groups", |write| write(&alone))?;
            }
            _ => {
                writer.many(&self.preamble("mfactl.summary/1"), "groups", |write| {
                    groups.lines().try_for_each(|line| write(&line))?;
                    Ok(summary.clone())
                })?;
            }
        }
        Ok((summary, listed))
    }

    fn preamble(&self, schema: &str) -> Vec<(&'static str, String)> {
        let times = [("generated_at", Some(self.now)), ("at", self.then)];
        let times = times.into_iter().filter_map(|(name, at)| Some((name, at?.to_string())));
        [("schema", schema.to_owned())].into_iter().chain(times).collect()
    }

    /// Everybody in scope, with whether he passes the filters.
    fn count(
        &self,
        snapshot: &mut dyn Snapshot,
        likeness: &Likeness,
        visit: &mut dyn FnMut(&Line, bool) -> Result<()>,
    ) -> Result<Summary> {
        let at = self.then.unwrap_or(self.now);
        let mut summary = Summary::default();
        let mut each = |user: User| {
            if !self.filter.is_in_scope(&user) {
                return Ok(());
            }
            let line = Line::of(&user, &self.policy, at);
            summary.count(&line);
            visit(&line, self.filter.wants(&user, &line, at))
        };
        let nameless = if let Some(then) = self.then {
            then::users(snapshot, then, self.now, &mut each)?
        } else {
            snapshot.users_like(self.options.order(), likeness, &mut each)?;
            0
        };
        Ok(Summary { nameless, ..summary.closed() })
    }
}

impl ListStatus {
    const fn order(&self) -> Order {
        let by = match self.sort {
            Sort::User => By::Name,
            Sort::Status => By::Status,
            Sort::Created => By::CreatedAt,
            Sort::LastCode => By::LastVerifiedAt,
        };
        Order { by, is_reversed: self.reverse }
    }
}
