//! `mfactl list-status`

mod as_of;
mod filter;
mod token_details;
mod totals;
mod user_line;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::Verb;
use crate::app::App;
use crate::domain::policy::Policy;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::operate;
use crate::report::{Format, Report, Verdict, Writer};
use crate::store::{By, Order, Prefilter, ReadTx, Store};

pub use as_of::users_after;
pub use token_details::TokenDetails;
pub use totals::{GroupLine, Groups, Summary};
pub use user_line::{DeviceLine, UserLine};

/// List users and their MFA status
///
/// Lists every user, including those without MFA. The summary counts all users, or those of --group,
/// without those of --not-group; other filters do not change it. --at rebuilds an earlier status from the audit log, judged by
/// today's policy. Needs no key and writes nothing.
#[derive(Args, Debug)]
pub struct ListStatus {
    #[command(flatten)]
    filter: filter::FilterOptions,
    /// Status at an earlier time, e.g. yesterday
    ///
    /// A time such as 2026-03-01, `yesterday`, or an age such as 24h.
    #[arg(long, value_name = "WHEN")]
    at: Option<String>,
    /// Sort by user, status, created or last-code
    #[arg(long, value_enum, value_name = "BY", default_value = "user", hide_default_value = true)]
    sort: Sort,
    /// Reverse the order
    #[arg(long)]
    reverse: bool,
    /// Show these columns, named as in CSV
    #[arg(long, value_name = "A,B,…", value_delimiter = ',', value_parser = column)]
    columns: Vec<&'static str>,
    /// Show totals instead of users
    #[arg(long, conflicts_with = "columns")]
    summary: bool,
    /// Show totals for each group
    #[arg(long, value_enum, value_name = "WHAT", conflicts_with = "columns")]
    group_by: Option<GroupBy>,
    /// Exit with 1 if any user is listed
    #[arg(long)]
    fail_if_any: bool,
    /// Exit with 1 if coverage is below this
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_coverage: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    User,
    /// Without MFA first
    Status,
    Created,
    /// Longest unused first
    LastCode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GroupBy {
    Group,
}

fn column(text: &str) -> Result<&'static str, String> {
    let columns = <UserLine as crate::report::Record>::COLUMNS;
    let name = text.trim();
    columns.iter().copied().find(|column| *column == name).ok_or_else(|| {
        let similar = columns.iter().find(|column| strsim::damerau_levenshtein(column, name) <= 3);
        match similar {
            Some(column) => format!("is not a column; did you mean {column}?"),
            None => format!("is not a column; choose from {}", columns.join(", ")),
        }
    })
}

const NO_PERCENTAGE: &str = "is not a percentage from 0 to 100";

fn percent(text: &str) -> Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| NO_PERCENTAGE.to_owned())?;
    let plain = text.chars().all(|c| c.is_ascii_digit() || c == '.');
    if plain && (0.0..=100.0).contains(&number) {
        Ok(number)
    } else {
        Err(NO_PERCENTAGE.to_owned())
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

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let filter = self.filter.filter()?;
        let now = app.env.clock.now()?;
        let as_of =
            self.at.as_deref().map(|text| Timestamp::parse_past("--at", text, now)).transpose()?;
        if as_of.is_some() && (self.sort != Sort::User || self.reverse) {
            return Err(Refusal::new(
                ErrorCode::Usage,
                "--at sorts by name and cannot be combined with --sort or --reverse",
            )
            .hint("leave --sort and --reverse out")
            .into());
        }
        let policy = app.config.policy.clone();
        let mut store = app.reader()?;
        match (as_of, filter.group()) {
            (Some(as_of), _) => as_of::require_covered(&mut store.read()?, as_of)?,
            (None, Some(group)) => {
                operate::require_known_group(&mut store.read()?, &policy, "--group", group)?;
            }
            (None, None) => {}
        }
        if as_of.is_none() {
            filter.left_out().require_known(&mut store.read()?, &policy)?;
        }
        // A reader who closes the pipe early must not turn an unfinished check into a yes.
        let has_check = self.fail_if_any || self.min_coverage.is_some();
        let cut_short = if has_check { Verdict::No } else { Verdict::Yes };
        let listing = Listing { options: self, filter, policy, now, as_of };
        Ok(Report::list(cut_short, move |writer| listing.write(store, writer)))
    }
}

struct Listing {
    options: ListStatus,
    filter: filter::Filter,
    policy: Policy,
    now: Timestamp,
    as_of: Option<Timestamp>,
}

impl Listing {
    fn write(&self, store: Box<dyn Store>, writer: &mut Writer<'_>) -> Result<Verdict> {
        let for_people = writer.format == Format::Table;
        if !self.options.columns.is_empty() {
            writer.only = Some(self.options.columns.clone());
        }
        let shows_totals = self.options.summary || self.options.group_by.is_some();
        let (summary, listed) =
            if shows_totals { self.totals(store, writer)? } else { self.users(store, writer)? };
        // Nobody must not pass as 100 % coverage.
        let is_empty = summary.users == 0;
        let minimum = self.options.min_coverage;
        let too_low = minimum.is_some_and(|min| is_empty || summary.exact_coverage() < min);
        let verdict = if too_low || (self.options.fail_if_any && listed > 0) {
            Verdict::No
        } else {
            Verdict::Yes
        };
        // With --quiet a failed check still says why, unless the listed users do.
        let must_explain = verdict == Verdict::No && (too_low || shows_totals);
        if for_people && (!writer.quiet || must_explain) {
            match self.filter.group() {
                Some(group) if is_empty => {
                    writeln!(writer.out, "no user is in the group {group}")?;
                }
                None if is_empty && !self.filter.left_out().is_empty() => {
                    let groups = self.filter.left_out();
                    writeln!(writer.out, "nobody is left outside the groups {groups}")?;
                }
                None if is_empty => writeln!(writer.out, "there are no users")?,
                _ => writer.line(&summary.sentence())?,
            }
        }
        Ok(verdict)
    }

    fn users(&self, mut store: Box<dyn Store>, writer: &mut Writer<'_>) -> Result<(Summary, u64)> {
        let for_people = writer.format == Format::Table;
        // With --quiet, --min-coverage prints the summary only, and only if the check fails.
        let only_count = for_people
            && writer.quiet
            && self.options.min_coverage.is_some()
            && !self.options.fail_if_any;
        // Without a summary, users that the filter drops need not be read.
        let has_summary = matches!(writer.format, Format::Table | Format::Json)
            || self.options.min_coverage.is_some();
        let prefilter = if has_summary {
            Prefilter::default()
        } else {
            self.filter.prefilter(&self.policy, self.now)
        };
        let mut listed = 0;
        let preamble = self.preamble("mfactl.list-status/1");
        let summary = writer.many(&preamble, "users", |write| {
            self.count(&mut store.read()?, &prefilter, &mut |line, is_match| {
                if is_match {
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

    fn totals(&self, mut store: Box<dyn Store>, writer: &mut Writer<'_>) -> Result<(Summary, u64)> {
        let (mut groups, mut listed) = (Groups::default(), 0);
        let is_grouped = self.options.group_by.is_some();
        let everyone = Prefilter::default();
        let summary = self.count(&mut store.read()?, &everyone, &mut |line, is_match| {
            listed += u64::from(is_match);
            if is_grouped {
                groups.count(line);
            }
            Ok(())
        })?;
        let total = GroupLine { group: None, summary: summary.clone() };
        match writer.format {
            // The caller prints the summary as a sentence.
            Format::Table if !is_grouped || writer.quiet => {}
            Format::Csv | Format::Jsonl if !is_grouped => {
                let nothing: &[(&str, String)] = &[];
                writer.many(nothing, "groups", |write| write(&total))?;
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
        let times = [("generated_at", Some(self.now)), ("at", self.as_of)];
        let times = times.into_iter().filter_map(|(name, at)| Some((name, at?.to_string())));
        [("schema", schema.to_owned())].into_iter().chain(times).collect()
    }

    /// Visits every user in scope, with whether they pass the filters.
    fn count(
        &self,
        snapshot: &mut ReadTx<'_>,
        prefilter: &Prefilter,
        visit: &mut dyn FnMut(&UserLine, bool) -> Result<()>,
    ) -> Result<Summary> {
        let at = self.as_of.unwrap_or(self.now);
        let mut summary = Summary::default();
        let mut each = |user: User| {
            if !self.filter.is_in_scope(&user) {
                return Ok(());
            }
            let line = UserLine::of(&user, &self.policy, at);
            summary.count(&line);
            visit(&line, self.filter.matches(&user, &line, at))
        };
        let erased_names = if let Some(as_of) = self.as_of {
            as_of::users(snapshot, as_of, self.now, &mut each)?
        } else {
            snapshot.users_matching(self.options.order(), prefilter, &mut each)?;
            0
        };
        Ok(Summary { nameless: erased_names, ..summary.with_coverage() })
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
