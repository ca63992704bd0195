//! Verbs on many users at once: a list of names, a plan, a limit, one transaction.

pub mod lines;
pub mod pages;
pub mod secrets;

use anyhow::{Context as _, Error, Result};

use crate::app::operator_files;
use crate::app::{App, OpenStore, output};
use crate::commands::bulk::lines::{BulkLine, BulkWords, Heading};
use crate::commands::bulk::pages::{PagesReport, WrittenPages};
use crate::commands::bulk::secrets::{HandOver, SecretFields, write_secrets};
use crate::commands::operator_options::OperatorOptions;
use crate::commands::operator_options::not_confirmed;
use crate::commands::targets;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::counted;
use crate::files::file_trust::display_path;
use crate::files::operator_file::NewFile;
use crate::operate;
use crate::operate::UserList;
use crate::operate::bulk::{BulkAct, BulkPlan, BulkRow};
use crate::report::{Report, Verdict};
use crate::store::is_unconfirmed;

/// A verb that takes a list.
pub trait BulkVerb: BulkAct {
    const SCHEMA: &'static str;
    const WORDS: BulkWords = BulkWords::CHANGE;

    /// Where the secrets go; asked only where somebody gets one.
    fn hand_over(&self, _: &mut App<'_>) -> Result<HandOver> {
        Ok(HandOver::Nothing)
    }

    /// Makes secrets that take long to make, once the plan is agreed to.
    fn prepare(&mut self, _: &mut App<'_>, _: &OpenStore, _: &BulkPlan) -> Result<()> {
        Ok(())
    }

    /// Writes a page for each user who gets a secret, before any of these is in force.
    fn write_pages(
        &self,
        _: &mut App<'_>,
        _: &mut OpenStore,
        _: &BulkPlan,
    ) -> Result<Option<WrittenPages>> {
        Ok(None)
    }

    /// Says in a rehearsal what pages there would be.
    fn rehearse_pages(&self, _: &mut App<'_>, _: &BulkPlan) -> Option<PagesReport> {
        None
    }

    /// Says what is left to do, after the commit.
    fn finish(&self, _: &mut App<'_>, _: &[BulkRow]) {}

    /// What the user of this row is handed over.
    fn secrets(&self, _: &BulkRow) -> SecretFields {
        SecretFields::default()
    }
}

/// What was handed over, to be kept once it is in force.
enum Delivered {
    Nothing,
    File(NewFile),
    Pages(WrittenPages),
    Document,
}

impl Delivered {
    /// Says of a change that failed whether what was handed over is in force.
    fn after_failure(self, error: Error) -> Error {
        let void = "what was handed over is not in force";
        match self {
            Self::Nothing => error,
            Self::File(file) => operator_files::after_failure(file, void, error),
            Self::Pages(pages) if is_unconfirmed(&error) => {
                let folder = pages.leave();
                error.context(format!(
                    "the pages in {folder} may be in force: hand none of them out"
                ))
            }
            Self::Document if is_unconfirmed(&error) => {
                error.context("what was handed over may be in force")
            }
            Self::Pages(_) | Self::Document => error.context(void),
        }
    }
}

/// One change to many users.
pub struct BulkChange<'a> {
    pub list: UserList,
    pub max_changes: Option<&'a str>,
    pub operator: &'a OperatorOptions,
    /// Skips the confirmation.
    pub yes: bool,
}

impl BulkChange<'_> {
    /// Plans, asks, and changes all users in one transaction. The report names users that can't be
    /// changed, and its verdict is then a no. An unknown name, or more changes than the limit, fails
    /// the whole run.
    pub fn run<V: BulkVerb>(
        self,
        app: &mut App<'_>,
        mut opened: OpenStore,
        verb: &mut V,
    ) -> Result<Report> {
        let ticket = self.operator.ticket(app, V::VERB)?;
        let mut plan = operate::plan_bulk(app, &mut opened, &self.list, verb)?;
        plan.is_shown = !self.yes;
        self.check_limit::<V>(app, &plan)?;
        if self.operator.dry_run {
            let mut heading = self.heading::<V>(true);
            heading.pages = verb.rehearse_pages(app, &plan);
            return Ok(lines::report(heading, self.lines::<V>(&plan.rows, true)));
        }
        let gives_secrets = plan.rows.iter().any(|row| row.gives_secret);
        let hand_over = if gives_secrets { verb.hand_over(app)? } else { HandOver::Nothing };
        if !self.yes && plan.changes() > 0 && !self.is_confirmed::<V>(app, &plan)? {
            return Ok(not_confirmed(app));
        }
        app.reopen_if_replaced(&mut opened)?;
        let delivered = self.deliver(app, (&mut opened, &plan), hand_over, verb)?;
        let done = operate::change_bulk(app, &mut opened, &ticket, &self.list, &plan, verb);
        let rows = match done {
            Ok(rows) => rows,
            Err(error) => return Err(delivered.after_failure(error)),
        };
        let mut heading = self.heading::<V>(false);
        match delivered {
            Delivered::Nothing => verb.finish(app, &rows),
            Delivered::File(file) => {
                app.note(&format!("wrote it to {}", display_path(file.path())));
                file.keep();
            }
            Delivered::Pages(pages) => heading.pages = Some(pages.keep(app)),
            Delivered::Document => {
                let is_refused = rows.iter().any(BulkRow::is_refused);
                return Ok(Report::empty(if is_refused { Verdict::No } else { Verdict::Yes }));
            }
        }
        Ok(lines::report(heading, self.lines::<V>(&rows, false)))
    }

    /// Fails where more users would change than the limit allows, with the plan as the report.
    fn check_limit<V: BulkVerb>(&self, app: &mut App<'_>, plan: &BulkPlan) -> Result<()> {
        let limit = targets::limit(self.max_changes, plan.users)?;
        let changing = plan.limited_changes();
        if changing as u64 <= limit {
            return Ok(());
        }
        let users = counted(plan.users, "user");
        let would = V::WORDS.would;
        let message = format!("{changing} of {users} {would}, more than {limit} at once");
        let refusal = Refusal::new(ErrorCode::TooManyChanges, message)
            .hint(app.authorization.list_command(changing).after("check the plan; then run: "));
        let report = lines::report(self.heading::<V>(true), self.lines::<V>(&plan.rows, true));
        output::write(app.env, &app.options, report)?;
        Err(refusal.into())
    }

    /// Shows the plan and asks for the number of changes.
    fn is_confirmed<V: BulkVerb>(&self, app: &mut App<'_>, plan: &BulkPlan) -> Result<bool> {
        let hint = "add --yes to skip the confirmation";
        app.person(hint)?;
        let lines = self.lines::<V>(&plan.rows, true);
        let shown = lines::show_plan(&mut app.prompt_writer(), &self.heading::<V>(true), &lines);
        shown.context("the plan can't be shown; nothing was changed")?;
        let changing = plan.changes();
        let question = format!(
            "{}: {changing} of the {} named {}. Type {changing} to continue",
            V::VERB,
            counted(plan.rows.len(), "user"),
            V::WORDS.would
        );
        let answer = app.person(hint)?.line(&question)?;
        Ok(answer.trim() == changing.to_string())
    }

    /// Hands the secrets over before they are in force.
    fn deliver<V: BulkVerb>(
        &self,
        app: &mut App<'_>,
        (opened, plan): (&mut OpenStore, &BulkPlan),
        hand_over: HandOver,
        verb: &mut V,
    ) -> Result<Delivered> {
        verb.prepare(app, opened, plan)?;
        match hand_over {
            HandOver::Nothing => Ok(Delivered::Nothing),
            HandOver::File(file) => {
                let getting = plan.rows.iter().filter(|row| row.gives_secret);
                write_secrets(file, getting.map(|row| (row, verb.secrets(row))))
                    .map(Delivered::File)
            }
            HandOver::Pages => {
                let pages = verb.write_pages(app, opened, plan).context("nothing was changed")?;
                Ok(pages.map_or(Delivered::Nothing, Delivered::Pages))
            }
            HandOver::Document => {
                let heading = self.heading::<V>(false);
                let line = |row: &BulkRow| {
                    let gets = row.gives_secret;
                    let secrets = if gets { verb.secrets(row) } else { SecretFields::default() };
                    BulkLine::of(row, &heading, secrets)
                };
                let lines = plan.rows.iter().map(line).collect();
                let report = lines::report(heading, lines).requires_delivery(true);
                output::write(app.env, &app.options, report).context("nothing was changed")?;
                Ok(Delivered::Document)
            }
        }
    }

    fn heading<V: BulkVerb>(&self, dry_run: bool) -> Heading {
        Heading {
            schema: V::SCHEMA,
            words: V::WORDS,
            source: self.list.source,
            dry_run,
            pages: None,
        }
    }

    fn lines<V: BulkVerb>(&self, rows: &[BulkRow], dry_run: bool) -> Vec<BulkLine> {
        let heading = self.heading::<V>(dry_run);
        rows.iter().map(|row| BulkLine::of(row, &heading, SecretFields::default())).collect()
    }
}
