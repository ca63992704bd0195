//! Every verb that changes a user takes this path: read, ask, lock, change, log, commit.

use anyhow::Result;
use serde_json::json;

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
    app.shown.bind(&user)?;
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
        if user.name != before.name {
            write.require_no_twin(&app.config.names, &user.name, before.id)?;
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
                operator: None,
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
pub(super) fn undoable(app: &App<'_>, verb: &str) -> Option<Undoable> {
    (app.find_verb)(verb).and_then(|verb| verb.undo)
}

/// What the log says of a change besides its columns.
pub fn detail(
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
