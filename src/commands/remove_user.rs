//! `mfactl remove-user`

use std::collections::BTreeSet;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::Verb;
use crate::app::App;
use crate::app::transaction::Transaction;
use crate::app::write_tx;
use crate::audit;
use crate::audit::AuditRecord;
use crate::commands::bulk::lines::BulkWords;
use crate::commands::bulk::{BulkChange, BulkVerb};
use crate::commands::operator_options::OperatorOptions;
use crate::commands::operator_options::not_confirmed;
use crate::commands::reset::device_count;
use crate::commands::targets::{Target, Targets};
use crate::domain::audit::event::Ticket;
use crate::domain::audit::history::GIVEN_UP;
use crate::domain::consequences::REMOVED;
use crate::domain::hint::command;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::shown_state::changed_meanwhile;
use crate::domain::user::User;
use crate::operate;
use crate::operate::bulk::{BulkAct, BulkDecision, BulkMoment, PlannedChange};
use crate::operate::inventory::{TokenCase, assigned_serials, return_tokens, words_of_return};
use crate::report::{Fields, Record, Report, Verdict};
use crate::store::{Change, DamagedUser, WriteTx};

/// Remove a user and all their devices
///
/// Asks for the name to be typed. The audit log keeps its events. --erase also replaces the user's name, labels and reasons in the
/// log by a number, without breaking its hash chain. A user of the same name who is added later is
/// a new user. Their hardware tokens go back to the inventory.
///
/// --damaged gives up a user whose record does not prove: it was altered, put back from a copy, or can't
/// be read. Nothing in the record is believed; the log must be whole. Only an admin may. It can't be
/// combined with --erase: the log keeps the name of a user who was given up. Their tokens are lost.
#[derive(Args, Debug)]
pub struct RemoveUser {
    #[command(flatten)]
    targets: Targets,
    /// Erase the user's name from the log too
    #[arg(long)]
    erase: bool,
    /// Give up a user whose record doesn't prove
    #[arg(long, conflicts_with_all = ["erase", "from"])]
    damaged: bool,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct Removed {
    schema: &'static str,
    user: String,
    erased: bool,
    changed: bool,
    consequences: Vec<String>,
    /// Why the record of a user who was given up was not believed.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    devices: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    /// The command that checks what is left.
    #[serde(skip)]
    check: String,
}

impl Verb for RemoveUser {
    const NAME: &'static str = "remove-user";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl remove-user alice",
        "mfactl remove-user alice --erase --yes --ticket HR-77",
        "mfactl remove-user --from leavers.csv --ticket HR-78",
        "mfactl remove-user alice --damaged",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        if self.damaged {
            return self.give_up(app);
        }
        let name = match self.targets.resolve(app)? {
            Target::One(name) => name,
            Target::Many(list) => {
                let (max_changes, operator) = (self.targets.max_changes(), &self.operator);
                let bulk = BulkChange { list, max_changes, operator, yes: self.yes };
                let mut opened = app.open_store()?;
                let assigned = assigned_serials(&mut opened.store.read()?)?;
                let mut each = RemoveEach { erase: self.erase, assigned };
                return bulk.run(app, opened, &mut each);
            }
        };
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let dry_run = self.operator.dry_run;
        let mut opened = app.open_store()?;
        let user = opened.read_user(&name)?;
        let assigned = assigned_serials(&mut opened.store.read()?)?;
        if !self.yes && !dry_run {
            let devices = match user.live().count() {
                0 => String::new(),
                n => format!(" and {}", device_count(n)),
            };
            let erase = if self.erase { ", and to erase the name from the log" } else { "" };
            let question =
                format!("To remove the user{devices} for ever{erase}, type the name {name}");
            let meaning = consequences(&user, &assigned);
            if !operate::ask_for_name(app, &mut opened, &user, &meaning, &question)? {
                return Ok(not_confirmed(app));
            }
        }
        let consequences = write_tx(app, &mut opened, |app, mut write| {
            let user = write.user(&name)?;
            let consequences = consequences(&user, &assigned);
            if dry_run {
                return Ok(consequences);
            }
            let outcome = outcome(self.erase);
            let case = TokenCase { verb: Self::NAME, ticket: &ticket };
            let detail = Some(json!({ "consequences": consequences }).to_string());
            let (verb, ticket) = (Self::NAME, ticket.clone());
            let audit = AuditRecord { verb, outcome, ticket, detail, ..AuditRecord::default() };
            return_tokens(app, &mut write, &user, case)?;
            let removal = Change::Remove(user);
            let removed = audit::save(app.env, &mut write.tx, write.at, removal, audit)?;
            if self.erase {
                write.tx.erase(removed.id)?;
            }
            write.commit()?;
            Ok(consequences)
        })?;
        let removed = Removed {
            schema: "mfactl.remove-user/1",
            user: name.to_string(),
            erased: self.erase,
            changed: true,
            consequences,
            problem: None,
            devices: None,
            dry_run,
            check: String::new(),
        };
        Ok(Report::one(removed, Verdict::Yes))
    }
}

/// Every user of a list is removed.
struct RemoveEach {
    erase: bool,
    /// The serials of the tokens that somebody has.
    assigned: BTreeSet<String>,
}

impl BulkAct for RemoveEach {
    const VERB: &'static str = RemoveUser::NAME;

    fn decide(&self, _: usize, user: User, _: &BulkMoment<'_>) -> Result<BulkDecision> {
        let devices = user.live().count();
        let devices = (devices > 0).then(|| format!("with {}", device_count(devices)));
        let erased = self.erase.then(|| ERASED.to_owned());
        let notes: Vec<_> = devices.into_iter().chain(erased.clone()).collect();
        let consequences = consequences(&user, &self.assigned);
        let planned = PlannedChange {
            note: (!notes.is_empty()).then(|| notes.join("; ")),
            counted: erased,
            outcome: outcome(self.erase),
            ..PlannedChange::new(Change::Remove(user), consequences)
        };
        Ok(planned.into())
    }

    fn before_save(
        &self,
        app: &mut App<'_>,
        write: &mut Transaction<'_>,
        removal: &Change,
        ticket: &Ticket,
    ) -> Result<()> {
        let case = TokenCase { verb: RemoveUser::NAME, ticket };
        return_tokens(app, write, removal.user(), case)
    }

    fn after_save(&self, tx: &mut WriteTx<'_>, user: &User) -> Result<()> {
        if self.erase { tx.erase(user.id) } else { Ok(()) }
    }
}

impl BulkVerb for RemoveEach {
    const SCHEMA: &'static str = "mfactl.remove-user/1";
    const WORDS: BulkWords = BulkWords::REMOVE;
}

/// What the removal means for the user, and for their tokens.
fn consequences(user: &User, assigned: &BTreeSet<String>) -> Vec<String> {
    let tokens = words_of_return(user, assigned);
    [REMOVED.to_owned()].into_iter().chain(tokens).collect()
}

const ERASED: &str = "the name is erased from the log";

const fn outcome(erase: bool) -> &'static str {
    if erase { "erased" } else { "done" }
}

/// What is wrong with a user, and what is there of them.
struct Seen {
    problem: String,
    damaged: DamagedUser,
}

impl RemoveUser {
    /// Removes a user whose rows don't prove.
    fn give_up(self, app: &mut App<'_>) -> Result<Report> {
        let name = self.targets.name(app)?;
        app.authorization.require_admin("--damaged")?;
        let ticket = self.operator.ticket(app, Self::NAME)?;
        let dry_run = self.operator.dry_run;
        let mut opened = app.open_store()?;
        // The removal continues the newest event about the user: a log that is damaged as well can't tell which it is.
        let proved = audit::prove_log(app, &[])?;
        if let Some(damage) = proved.damage {
            let message = format!("the log is damaged as well: {}", damage.words);
            return Err(Refusal::new(ErrorCode::Tampered, message)
                .hint("nothing was changed; restore a backup, and find out who can write to the store")
                .into());
        }
        let mut shown = None;
        if !self.yes && !dry_run {
            let damaged =
                write_tx(app, &mut opened, |_, mut write| Ok(seen(&mut write, &name)?.damaged))?;
            let devices = device_count(usize::try_from(damaged.devices)?);
            shown = Some(damaged);
            let question = format!(
                "To give up {name}, whose record does not prove, with {devices}, type the name {name}"
            );
            if !operate::is_name_typed(app, name.as_str(), &question)? {
                return Ok(not_confirmed(app));
            }
        }
        app.reopen_if_replaced(&mut opened)?;
        let (problem, devices) = write_tx(app, &mut opened, |app, mut write| {
            let Seen { problem, mut damaged } = seen(&mut write, &name)?;
            if shown.as_ref().is_some_and(|shown| !shown.is_same(&damaged)) {
                return Err(changed_meanwhile(&name).into());
            }
            let devices = damaged.devices;
            if dry_run {
                return Ok((problem, devices));
            }
            write.tx.remove_damaged(&damaged)?;
            let mut detail =
                json!({ "problem": problem, "devices": devices, "consequences": [REMOVED] });
            if damaged.is_of_removed_user {
                // The log may have erased their name.
                detail["problem"] = "the record of a removed user was there again".into();
            } else if damaged.logged.is_none() {
                detail["user"] = name.as_str().into();
            }
            let audit = AuditRecord {
                verb: Self::NAME,
                outcome: GIVEN_UP,
                ticket: ticket.clone(),
                detail: Some(detail.to_string()),
                ..AuditRecord::default()
            };
            match damaged.logged.take() {
                Some(logged) => {
                    let given_up = logged.given_up();
                    audit::save(app.env, &mut write.tx, write.at, given_up, audit).map(drop)?;
                }
                None => audit::append_store_event(app.env, &mut write.tx, write.at, audit)?,
            }
            write.commit()?;
            Ok((problem, devices))
        })?;
        let removed = Removed {
            schema: "mfactl.remove-user/1",
            user: name.to_string(),
            erased: false,
            changed: true,
            consequences: vec![REMOVED.to_owned()],
            problem: Some(problem),
            devices: Some(devices),
            dry_run,
            check: app.words(command("verify-log")),
        };
        Ok(Report::one(removed, Verdict::Yes))
    }
}

/// The user, if their rows don't prove, or are gone although the log has them. Others are refused.
fn seen(write: &mut Transaction<'_>, name: &UserName) -> Result<Seen> {
    let problem = match write.find(name) {
        Ok(Some(_)) => {
            let message = format!("the record of {name} is not damaged");
            return Err(Refusal::new(ErrorCode::Usage, message)
                .hint(command("remove-user").name(name).after("remove the user with: "))
                .into());
        }
        Ok(None) => format!("{name} is not in the store any more, although no event removed them"),
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) if matches!(refusal.code, ErrorCode::Tampered | ErrorCode::Damaged) => {
                refusal.to_string()
            }
            _ => return Err(error),
        },
    };
    match write.tx.damaged_user(name)? {
        Some(damaged) => Ok(Seen { problem, damaged }),
        // Fails: there is nobody of this name.
        None => Err(write.any_user(name).err().unwrap_or_else(|| anyhow::Error::msg(problem))),
    }
}

impl Record for Removed {
    const COLUMNS: &'static [&'static str] = &["user", "erased", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.flag(self.erased);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        let (name, meaning) = (&self.user, self.consequences.join("; "));
        match (self.dry_run, self.erased) {
            (true, _) if self.problem.is_some() => {
                format!("{name}: would be given up; {meaning}; nothing was changed")
            }
            (true, _) => format!("{name}: would be removed; {meaning}; nothing was changed"),
            (false, false) if self.problem.is_some() => {
                let devices =
                    usize::try_from(self.devices.unwrap_or_default()).unwrap_or(usize::MAX);
                format!(
                    "{name}: given up, with {}; {meaning}; check the rest with: {}",
                    device_count(devices),
                    self.check
                )
            }
            (false, true) => {
                format!("{name}: removed, and the name erased from the log; {meaning}")
            }
            (false, false) => format!("{name}: removed; {meaning}"),
        }
    }
}
