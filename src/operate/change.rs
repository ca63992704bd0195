//! Every verb that changes a user takes this path: read, ask, lock, change, log, commit.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::json;

use crate::app::transaction::MAX_SET;
use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::domain::audit::event::Ticket;
use crate::domain::consequences::consequences;
use crate::domain::name::UserName;
use crate::domain::policy::Policy;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::domain::undo_record::Undoable;
use crate::domain::user::{Changed, User};
use crate::keyring::Vault;
use crate::operate;
use crate::operate::CommittedChange;
use crate::operate::UserList;
use crate::operate::identity::ask_about;
use crate::store::Change;

/// One change to one user, with what the audit log records of it.
pub struct ChangeRequest<'a> {
    pub verb: &'static str,
    pub name: &'a UserName,
    pub ticket: Ticket,
    /// The device named with `--device`.
    pub device: Option<String>,
    /// Changed fields for the log: their names, never their values.
    pub fields: Vec<&'static str>,
    /// Further details for the log that are neither personal nor secret, such as an expiry.
    pub details: Vec<(&'static str, String)>,
    pub dry_run: bool,
}

/// The result of a change.
pub struct ChangeResult {
    pub user: User,
    pub changed: bool,
    /// What the change means for the user.
    pub consequences: Vec<String>,
    /// Whether MFA is required of the user now.
    pub required: bool,
    pub at: Timestamp,
}

impl ChangeResult {
    /// The result that a change has if it is made.
    #[must_use]
    pub fn of(before: &User, after: User, policy: &Policy, at: Timestamp) -> Self {
        Self {
            changed: after != *before,
            consequences: consequences(Some(before), &after, policy, at),
            required: policy.requirement(&after).is_in_force(at),
            user: after,
            at,
        }
    }
}

/// Asks for confirmation unless nothing would change, after showing the user and what the change means for them.
/// `question` gets the user before and after the change; the answer no is `false`.
pub fn confirm_change(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    name: &UserName,
    question: impl FnOnce(&User, &User) -> String,
    change: impl FnOnce(User, Timestamp) -> Result<Changed, Refusal>,
) -> Result<bool> {
    let user = opened.read_user(name)?;
    let now = app.env.clock.now()?;
    let after = change(user.clone(), now)?.user;
    if after == user {
        return Ok(true);
    }
    let consequences = consequences(Some(&user), &after, &app.config.policy, now);
    let question = question(&user, &after);
    ask_about(app, opened, &user, &consequences, &question)
}

/// Changes one user and logs it, in one transaction. Writes nothing on a dry run or if the user
/// stays the same.
pub fn change_user(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    act: &ChangeRequest<'_>,
    mut change: impl FnMut(User, Timestamp, &Vault) -> Result<Changed>,
) -> Result<ChangeResult> {
    let undo_for = app.config.undo_for;
    let undoable = undoable(app, act.verb);
    let done = write_tx(app, opened, |app, mut write| {
        let at = write.at;
        let before = write.user(act.name)?;
        let Changed { mut user, touched } =
            change(before.clone(), at, write.vault)?.with_undo(undoable, &before, at);
        if user.name != before.name && write.is_taken(&user.name, before.id)? {
            let message = format!("user {} already exists", user.name);
            return Err(Refusal::new(ErrorCode::UserExists, message)
                .hint("choose another name")
                .into());
        }
        if user != before {
            user.purge(at, undo_for);
        }
        let mut done = ChangeResult::of(&before, user, &app.config.policy, at);
        if done.changed && !act.dry_run {
            let touched: Vec<String> = touched.iter().map(ToString::to_string).collect();
            let mut details = act.details.clone();
            if done.user.name != before.name {
                details.push(("renamed_from", before.name.to_string()));
            }
            let detail = detail(&touched, &act.fields, &details, &done.consequences);
            let record = AuditRecord {
                verb: act.verb,
                outcome: "done",
                ticket: act.ticket.clone(),
                device: act.device.clone(),
                factor: None,
                detail,
            };
            let change = Change::Update { before, after: done.user };
            done.user = audit::save(app.env, &mut write.tx, at, change, record)?;
            write.commit()?;
        }
        Ok(done)
    })?;
    if done.changed && !act.dry_run {
        let change = CommittedChange {
            verb: act.verb,
            ticket: &act.ticket,
            device: act.device.as_deref(),
            users: vec![&done.user],
            at: done.at,
        };
        operate::notify_change(app, opened, &change);
    }
    Ok(done)
}

/// What `undo` calls the change of a verb, if it can be undone.
fn undoable(app: &App<'_>, verb: &str) -> Option<Undoable> {
    (app.find_verb)(verb).and_then(|verb| verb.undo)
}

/// The result for one user of a bulk change.
pub struct BulkRow {
    pub user: User,
    /// Whether MFA is required of the user now.
    pub required: bool,
    pub result: BulkResult,
}

pub enum BulkResult {
    /// With what the change means for the user.
    Changed(Vec<String>),
    Unchanged,
    Refused(Refusal),
}

impl BulkRow {
    #[must_use]
    pub const fn is_change(&self) -> bool {
        matches!(self.result, BulkResult::Changed(_))
    }

    fn of(
        before: User,
        at: Timestamp,
        vault: &Vault,
        undoable: Option<Undoable>,
        policy: &Policy,
        change: &mut impl FnMut(User, Timestamp, &Vault) -> Result<Changed>,
    ) -> Result<(Self, Vec<String>)> {
        let change = change(before.clone(), at, vault);
        let (user, result, touched) = match change
            .map(|changed| changed.with_undo(undoable, &before, at))
        {
            Ok(Changed { user, .. }) if user == before => (user, BulkResult::Unchanged, Vec::new()),
            Ok(Changed { user, touched }) => {
                let consequences = consequences(Some(&before), &user, policy, at);
                let touched = touched.iter().map(ToString::to_string).collect();
                (user, BulkResult::Changed(consequences), touched)
            }
            Err(error) => (before, BulkResult::Refused(error.downcast()?), Vec::new()),
        };
        let required = policy.requirement(&user).is_in_force(at);
        Ok((Self { user, required, result }, touched))
    }
}

/// What a bulk change would do, and how many users the store has; writes nothing. Unknown names
/// are `user_not_found`, all of them in one error.
pub fn plan_bulk(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    list: &UserList,
    change: &mut impl FnMut(User, Timestamp, &Vault) -> Result<Changed>,
) -> Result<(Vec<BulkRow>, u64)> {
    let at = app.env.clock.now()?;
    let mut snapshot = opened.store.read()?;
    let users = snapshot.counts()?.users;
    let (mut rows, mut unknown, mut ids) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (index, name) in list.names.iter().enumerate() {
        match snapshot.user(name)? {
            // Two spellings of one name.
            Some(user) if !ids.insert(user.id) => {}
            Some(user) => {
                app.authorization.require_allowed(&user)?;
                rows.push(
                    BulkRow::of(user, at, &opened.vault, None, &app.config.policy, change)?.0,
                );
            }
            None => unknown.push(index),
        }
    }
    if unknown.is_empty() {
        return Ok((rows, users));
    }
    Err(Refusal::new(ErrorCode::UserNotFound, list.unknown(&unknown))
        .field("--from")
        .hint("nothing was changed; correct the list")
        .into())
}

/// Changes many users in one transaction, with one event each. After an error nothing was
/// changed.
pub fn change_bulk(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    verb: &'static str,
    ticket: &Ticket,
    fields: &[&'static str],
    names: &[UserName],
    change: &mut impl FnMut(User, Timestamp, &Vault) -> Result<Changed>,
) -> Result<Vec<BulkRow>> {
    let undoable = undoable(app, verb);
    let undo_for = app.config.undo_for;
    let bar = app.progress_bar(names.len() as u64);
    let done = write_tx(app, opened, |app, mut write| {
        let mut rows = Vec::with_capacity(names.len());
        bar.set_position(0);
        for names in names.chunks(MAX_SET) {
            let (first, mut changes) = (rows.len(), Vec::new());
            for before in write.users(names)? {
                let policy = &app.config.policy;
                let (mut row, touched) =
                    BulkRow::of(before.clone(), write.at, write.vault, undoable, policy, change)?;
                if let BulkResult::Changed(consequences) = &row.result {
                    let user = &mut row.user;
                    user.purge(write.at, undo_for);
                    let record = AuditRecord {
                        verb,
                        outcome: "done",
                        ticket: ticket.clone(),
                        detail: detail(&touched, fields, &[], consequences),
                        ..AuditRecord::default()
                    };
                    changes.push((Change::Update { before, after: user.clone() }, Some(record)));
                }
                rows.push(row);
            }
            let saved = audit::save_all(app.env, &mut write.tx, write.at, changes)?;
            let stored = rows[first..].iter_mut().filter(|row| row.is_change());
            stored.zip(saved).for_each(|(row, saved)| row.user = saved);
            bar.inc(names.len() as u64);
        }
        let at = write.at;
        write.commit()?;
        Ok((rows, at))
    });
    bar.finish_and_clear();
    let (rows, at) = done?;
    let users = rows.iter().filter(|row| row.is_change()).map(|row| &row.user).collect();
    operate::notify_change(app, opened, &CommittedChange { verb, ticket, device: None, users, at });
    Ok(rows)
}

fn detail(
    touched: &[String],
    fields: &[&'static str],
    details: &[(&'static str, String)],
    consequences: &[String],
) -> Option<String> {
    let mut detail = serde_json::Map::new();
    if !touched.is_empty() {
        detail.insert("devices".into(), json!(touched));
    }
    if !fields.is_empty() {
        detail.insert("fields".into(), json!(fields));
    }
    if !consequences.is_empty() {
        detail.insert("consequences".into(), json!(consequences));
    }
    detail.extend(details.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
    (!detail.is_empty()).then(|| serde_json::Value::from(detail).to_string())
}
