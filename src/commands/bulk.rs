//! Verbs on many users at once: a list of names, a plan, a limit, one transaction.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::json;

use crate::app::{App, output};
use crate::commands::operator_options::OperatorOptions;
use crate::commands::operator_options::not_confirmed;
use crate::commands::targets::Targets;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, Status, User};
use crate::keyring::Vault;
use crate::operate;
use crate::operate::UserList;
use crate::operate::change::{BulkResult, BulkRow};
use crate::operate::user_list::ListSource;
use crate::report::{Cell, Fields, Format, Record, Report, Tone, Verdict, Writer};

/// One change to many users.
pub struct BulkChange<'a> {
    verb: &'static str,
    schema: &'static str,
    list: UserList,
    targets: &'a Targets,
    operator: &'a OperatorOptions,
    yes: bool,
    /// Names of changed fields, for the audit log.
    pub fields: Vec<&'static str>,
    /// Why nothing changes for a user, where the status does not say it; also told whether MFA is required of them.
    pub unchanged: &'a dyn Fn(&User, bool) -> Option<String>,
}

impl<'a> BulkChange<'a> {
    /// `yes` skips the confirmation.
    pub fn new(
        verb: &'static str,
        schema: &'static str,
        list: UserList,
        targets: &'a Targets,
        operator: &'a OperatorOptions,
        yes: bool,
    ) -> Self {
        Self {
            verb,
            schema,
            list,
            targets,
            operator,
            yes,
            fields: Vec::new(),
            unchanged: &|_, _| None,
        }
    }
}

/// What happened, or would happen, to one user.
#[derive(Serialize)]
struct BulkLine {
    user: String,
    status: Status,
    required: bool,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    consequences: Vec<String>,
}

impl BulkChange<'_> {
    /// Plans, asks, and changes all users in one transaction. The report names users that can't be
    /// changed, and its verdict is then a no. An unknown name, or more changes than the limit, fails
    /// the whole run.
    pub fn run(
        self,
        app: &mut App<'_>,
        change: impl FnMut(User, Timestamp, &Vault) -> Result<Changed>,
    ) -> Result<Report> {
        self.run_with_outcome(app, change).map(|(report, _)| report)
    }

    /// As [`BulkChange::run`]; also returns whether the changes were made.
    pub fn run_with_outcome(
        self,
        app: &mut App<'_>,
        mut change: impl FnMut(User, Timestamp, &Vault) -> Result<Changed>,
    ) -> Result<(Report, bool)> {
        let ticket = self.operator.ticket(app, self.verb)?;
        let mut opened = app.open_store()?;
        let (rows, users) = operate::plan_bulk(app, &mut opened, &self.list, &mut change)?;
        let plan = self.lines(&rows, true);
        let changing = rows.iter().filter(|row| row.is_change()).count();
        let limit = self.targets.limit(users)?;
        if changing as u64 > limit {
            let users = counted(users, "user");
            let message = format!("{changing} of {users} would change, more than {limit} at once");
            let refusal = Refusal::new(ErrorCode::TooManyChanges, message)
                .hint(format!("check the plan; then add --max-changes {changing}"));
            let plan = report(self.schema, self.list.source, plan, true);
            output::write(app.env, &app.options, plan)?;
            return Err(refusal.into());
        }
        let dry_run = self.operator.dry_run;
        if !self.yes && !dry_run && changing > 0 {
            let verb = self.verb;
            let hint = "add --yes to skip the confirmation";
            app.person(hint)?;
            let shown = show_plan(&mut app.prompt_writer(), &plan, self.list.source);
            shown.context("the plan can't be shown; nothing was changed")?;
            let question = format!(
                "{verb}: {changing} of the {} named would change. Type {changing} to continue",
                counted(rows.len(), "user")
            );
            let answer = app.person(hint)?.line(&question)?;
            if answer.trim() != changing.to_string() {
                return Ok((not_confirmed(app), false));
            }
        }
        let lines = if dry_run {
            plan
        } else {
            let names: Vec<_> = rows.iter().map(|row| row.user.name.clone()).collect();
            let rows = operate::change_bulk(
                app,
                &mut opened,
                self.verb,
                &ticket,
                &self.fields,
                &names,
                &mut change,
            )?;
            self.lines(&rows, false)
        };
        Ok((report(self.schema, self.list.source, lines, dry_run), !dry_run))
    }

    fn lines(&self, rows: &[BulkRow], dry_run: bool) -> Vec<BulkLine> {
        rows.iter().map(|row| BulkLine::of(row, dry_run, self.unchanged)).collect()
    }
}

fn report(
    schema: &'static str,
    source: Option<ListSource>,
    lines: Vec<BulkLine>,
    dry_run: bool,
) -> Report {
    let verdict = if lines.iter().any(BulkLine::is_refused) { Verdict::No } else { Verdict::Yes };
    Report::list(Verdict::No, move |writer| {
        let for_people = writer.format == Format::Table;
        let only_refused = for_people && writer.quiet;
        let mut preamble = vec![("schema", json!(schema)), ("dry_run", json!(dry_run))];
        if let Some(source) = source {
            preamble.extend([("column", json!(source.column)), ("rows", json!(source.rows))]);
            if source.rows_without_user > 0 {
                preamble.push(("rows_without_user", json!(source.rows_without_user)));
            }
        }
        let counts = writer.many(&preamble, "users", |write| {
            let mut counts = BulkCounts::default();
            for line in &lines {
                counts.count(line);
                if line.is_refused() || !only_refused {
                    write(line)?;
                }
            }
            Ok(counts)
        })?;
        if for_people && !only_refused {
            counts.write(&mut writer.out, source, dry_run)?;
        }
        Ok(verdict)
    })
}

/// Shown before the question: the users that would change, and those that can't.
fn show_plan(writer: &mut Writer<'_>, plan: &[BulkLine], source: Option<ListSource>) -> Result<()> {
    let nothing: &[(&str, String)] = &[];
    let counts = writer.many(nothing, "users", |write| {
        let mut counts = BulkCounts::default();
        for line in plan {
            counts.count(line);
            if line.result != ALREADY {
                write(line)?;
            }
        }
        Ok(counts)
    })?;
    counts.write(&mut writer.out, source, true)
}

#[derive(Default, Serialize)]
struct BulkCounts {
    users: u64,
    changed: u64,
    already: u64,
    refused: u64,
    /// For how many users each consequence follows.
    consequences: BTreeMap<String, u64>,
    /// For how many users who stay as they are each reason holds.
    reasons: BTreeMap<String, u64>,
}

impl BulkCounts {
    fn count(&mut self, line: &BulkLine) {
        self.users += 1;
        for consequence in &line.consequences {
            *self.consequences.entry(consequence.clone()).or_default() += 1;
        }
        match line.result {
            ALREADY => {
                self.already += 1;
                if let Some(reason) = &line.reason {
                    *self.reasons.entry(reason.clone()).or_default() += 1;
                }
            }
            REFUSED => self.refused += 1,
            _ => self.changed += 1,
        }
    }

    fn write(
        &self,
        out: &mut dyn std::io::Write,
        source: Option<ListSource>,
        dry_run: bool,
    ) -> Result<()> {
        writeln!(out, "{}", self.sentence(source, dry_run))?;
        for (consequence, users) in self.consequences.iter().chain(&self.reasons) {
            writeln!(out, "{}: {consequence}", counted(*users, "user"))?;
        }
        Ok(())
    }

    /// Which part of the list was read, and what becomes of its users.
    fn sentence(&self, source: Option<ListSource>, dry_run: bool) -> String {
        let read = source.map(|source| source.sentence() + "\n").unwrap_or_default();
        let users = counted(self.users, "user");
        let changed = if dry_run { "would change" } else { "changed" };
        format!(
            "{read}{users}: {} {changed}, {} already so, {} refused",
            self.changed, self.already, self.refused
        )
    }
}

/// The results of a line that is no change.
const ALREADY: &str = "already";
const REFUSED: &str = "refused";

impl BulkLine {
    fn of(row: &BulkRow, dry_run: bool, unchanged: &dyn Fn(&User, bool) -> Option<String>) -> Self {
        let BulkRow { user, required, result } = row;
        let (result, reason, consequences) = match result {
            BulkResult::Changed(consequences) => {
                let result = if dry_run { "would_change" } else { "changed" };
                (result, None, consequences.clone())
            }
            BulkResult::Unchanged => (ALREADY, unchanged(user, *required), Vec::new()),
            BulkResult::Refused(refusal) => (REFUSED, Some(refusal.to_string()), Vec::new()),
        };
        Self {
            user: user.name.to_string(),
            status: user.status(),
            required: *required,
            result,
            reason,
            consequences,
        }
    }

    fn is_refused(&self) -> bool {
        self.result == REFUSED
    }
}

impl Record for BulkLine {
    const COLUMNS: &'static [&'static str] =
        &["user", "status", "result", "reason", "consequences"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(self.status.word());
        f.text(self.result);
        f.maybe_text(self.reason.as_deref());
        f.text(&self.consequences.join("; "));
    }

    fn sentence(&self) -> String {
        let result = self.result.replace('_', " ");
        let mut sentence = format!("{}: {result}; MFA is {}", self.user, self.status.label());
        for consequence in &self.consequences {
            sentence.push_str("; ");
            sentence.push_str(consequence);
        }
        if let Some(reason) = &self.reason {
            sentence = format!("{sentence} ({reason})");
        }
        sentence
    }

    const LESS_NEEDED: &'static [&'static str] = &["STATUS"];

    fn header() -> &'static [&'static str] {
        &["USER", "RESULT", "STATUS", "REASON OR CONSEQUENCES"]
    }

    fn cells(&self) -> Vec<Cell> {
        let tone = if self.is_refused() { Tone::Bad } else { Tone::Plain };
        vec![
            Cell::plain(self.user.as_str()),
            Cell::toned(self.result.replace('_', " "), tone),
            Cell::plain(self.status.label()),
            Cell::plain(self.reason.clone().unwrap_or_else(|| self.consequences.join("; "))),
        ]
    }
}
