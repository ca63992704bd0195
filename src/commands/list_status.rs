//! `mfactl list-status`

mod filter;
mod line;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::domain::policy::Policy;
use crate::domain::time::Timestamp;
use crate::domain::user::Status;
use crate::report::{Format, Report, Verdict, Writer};
use crate::session::Session;
use crate::store::Store;

pub use line::Line;

/// Who has MFA, and who has not
///
/// Everyone is listed, also those with nothing. Needs no key and writes nothing. The summary counts
/// everybody, or the group where one is named, whatever else is filtered.
#[derive(Args, Debug)]
pub struct ListStatus {
    #[command(flatten)]
    filter: filter::FilterOptions,
    /// Exit with 1 when a user is left after the filters
    #[arg(long)]
    fail_if_any: bool,
    /// Exit with 1 when fewer than this percentage of the users are enabled
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_coverage: Option<f64>,
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

/// Everybody in numbers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    pub users: u64,
    pub enabled: u64,
    pub pending: u64,
    pub disabled: u64,
    pub not_enabled: u64,
    pub locked: u64,
    pub required_without_mfa: u64,
    /// Enabled users in percent of all, in hundredths; 100 where there are none.
    pub coverage: f64,
    #[serde(skip)]
    listed: u64,
}

impl Summary {
    fn count(&mut self, line: &Line) {
        self.users += 1;
        match line.status {
            Status::Enabled => self.enabled += 1,
            Status::Pending => self.pending += 1,
            Status::Disabled => self.disabled += 1,
            Status::NotEnabled => self.not_enabled += 1,
        }
        self.locked += u64::from(line.locked);
        self.required_without_mfa += u64::from(line.is_overdue());
    }

    #[expect(clippy::cast_precision_loss, reason = "no store has 2^53 users")]
    fn exact_coverage(&self) -> f64 {
        if self.users == 0 { 100.0 } else { self.enabled as f64 * 100.0 / self.users as f64 }
    }

    fn sentence(&self) -> String {
        let Self { users, enabled, pending, disabled, not_enabled, locked, .. } = self;
        let noun = if *users == 1 { "user" } else { "users" };
        let locked = if *locked > 0 { format!(", {locked} locked") } else { String::new() };
        format!(
            "{users} {noun}: {enabled} enabled, {pending} pending, {disabled} disabled, \
             {not_enabled} not enabled{locked}; coverage {:.1}%",
            (self.coverage * 10.0).floor() / 10.0
        )
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
    ];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let filter = self.filter.filter()?;
        let now = session.env.clock.now()?;
        let policy = session.config()?.policy.clone();
        let store = session.reader()?;
        let is_asked = self.fail_if_any || self.min_coverage.is_some();
        let cut_short = if is_asked { Verdict::No } else { Verdict::Yes };
        Ok(Report::list(cut_short, move |writer| self.write(store, &filter, &policy, now, writer)))
    }
}

impl ListStatus {
    fn write(
        &self,
        mut store: Box<dyn Store>,
        filter: &filter::Filter,
        policy: &Policy,
        now: Timestamp,
        writer: &mut Writer<'_>,
    ) -> Result<Verdict> {
        let for_people = writer.format == Format::Table;
        // A quiet check of the coverage lists nobody: only its failing is news.
        let only_count =
            for_people && writer.quiet && self.min_coverage.is_some() && !self.fail_if_any;
        let preamble =
            [("schema", "mfactl.list-status/1".to_owned()), ("generated_at", now.to_string())];
        let summary = writer.many(&preamble, "users", |write| {
            let mut summary = Summary::default();
            store.read()?.users(&mut |user| {
                if !filter.is_in_scope(&user) {
                    return Ok(());
                }
                let line = Line::of(&user, policy, now);
                summary.count(&line);
                if filter.wants(&user, &line, now) {
                    summary.listed += 1;
                    if !only_count {
                        write(&line)?;
                    }
                }
                Ok(())
            })?;
            summary.coverage = (summary.exact_coverage() * 100.0).floor() / 100.0;
            Ok(summary)
        })?;
        let too_low = self.min_coverage.is_some_and(|least| summary.exact_coverage() < least);
        let verdict = if too_low || (self.fail_if_any && summary.listed > 0) {
            Verdict::No
        } else {
            Verdict::Yes
        };
        if for_people && (!writer.quiet || too_low) {
            writeln!(writer.out, "{}", summary.sentence())?;
        }
        Ok(verdict)
    }
}
