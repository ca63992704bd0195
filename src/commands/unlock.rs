//! `mfactl unlock`

mod was_locked;

use std::cell::RefCell;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::commands::bulk::BulkChange;
use crate::commands::operator_options::{OperatorOptions, not_confirmed};
use crate::commands::targets::{Target, Targets};
use crate::commands::unlock::was_locked::{WasLocked, failures};
use crate::commands::user_change::{self, ChangeRecord, UserChange};
use crate::domain::hint::command;
use crate::domain::lockout::Throttle;
use crate::domain::name::UserName;
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::operate::change::ChangeResult;
use crate::report::{Fields, Record, Report, Verdict};

/// Clear a user's failure counter and lock
///
/// Says why they were locked. Used codes stay used.
#[derive(Args, Debug)]
pub struct Unlock {
    #[command(flatten)]
    targets: Targets,
    /// With --from: skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Unlock {
    const NAME: &'static str = "unlock";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl unlock alice", "mfactl unlock --ticket HELP-1234 -- alice"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let act = ClearLock::default();
        match self.targets.resolve(app)? {
            Target::One(name) => self.unlock(app, &name, &act),
            Target::Many(list) => {
                let (max_changes, operator) = (self.targets.max_changes(), &self.operator);
                let bulk = BulkChange { list, max_changes, operator, yes: self.yes };
                user_change::change_many(app, bulk, &act)
            }
        }
    }
}

impl Unlock {
    fn unlock(&self, app: &mut App<'_>, name: &UserName, act: &ClearLock) -> Result<Report> {
        let done = user_change::carry_out(app, name, &self.operator, self.yes, act)?;
        let Some((done, change)) = done else { return Ok(not_confirmed(app)) };
        let was_locked = match act.before.take() {
            Some(throttle) if done.changed => self.reason(app, &throttle, &done)?,
            _ => None,
        };
        if let Some(was) = &was_locked {
            let user = &done.user.name;
            let hint = if was.wrong_codes > 0 {
                command("diagnose").name(user).after("if the next code fails too, run: ")
            } else {
                command("force-new-password").name(user).after(
                    "if somebody else typed the passwords, or the user has forgotten theirs, run: ",
                )
            };
            app.note(&format!("hint: {}", app.words(hint)));
        }
        Ok(Report::one(Unlocked { change, was_locked }, Verdict::Yes))
    }

    /// Why the user was locked; `None` if only the counter was cleared.
    fn reason(
        &self,
        app: &mut App<'_>,
        throttle: &Throttle,
        done: &ChangeResult,
    ) -> Result<Option<WasLocked>> {
        let before = User { throttle: throttle.clone(), ..done.user.clone() };
        let Some(until) = before.locked(done.at) else { return Ok(None) };
        let mut store = app.reader()?;
        let failures = failures(&mut store.read()?, done.user.id, self.operator.dry_run)?;
        Ok(Some(WasLocked::new(throttle, until, failures, done.at)))
    }
}

#[derive(Default)]
struct ClearLock {
    /// What the last decision cleared.
    before: RefCell<Option<Throttle>>,
}

impl UserChange for ClearLock {
    const VERB: &'static str = Unlock::NAME;
    const SCHEMA: &'static str = "mfactl.unlock/1";

    fn change(&self, user: User, _: Timestamp) -> Result<Changed, Refusal> {
        *self.before.borrow_mut() = Some(user.throttle.clone());
        let user = User { throttle: user.throttle.clone().cleared(), ..user };
        Ok(Changed { user, touched: Vec::new() })
    }

    fn summary(&self, _: &User) -> String {
        "unlocked".to_owned()
    }

    fn unchanged(&self, _: &User, _: bool) -> Option<String> {
        Some("not locked".to_owned())
    }
}

/// The report for one user.
#[derive(Serialize)]
struct Unlocked {
    #[serde(flatten)]
    change: ChangeRecord,
    was_locked: Option<WasLocked>,
}

impl Record for Unlocked {
    const COLUMNS: &'static [&'static str] = ChangeRecord::COLUMNS;

    fn fields(&self, f: &mut Fields) {
        self.change.fields(f);
    }

    fn sentence(&self) -> String {
        let sentence = self.change.sentence();
        match &self.was_locked {
            Some(was) => format!("{sentence}; was locked: {}", was.words()),
            None => sentence,
        }
    }
}
