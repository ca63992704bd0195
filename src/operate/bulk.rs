//! One change to many users: a plan without a lock, then one transaction in which each user is decided again.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;

use crate::app::transaction::{MAX_SET, Transaction, has_twin, no_such_user};
use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::domain::audit::event::Ticket;
use crate::domain::consequences::consequences;
use crate::domain::name::{Label, UserName};
use crate::domain::policy::Policy;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::shown_state::{ShownState, changed_meanwhile};
use crate::domain::site_names::SiteNames;
use crate::domain::time::{Span, Timestamp};
use crate::domain::undo_record::Undoable;
use crate::domain::user::{Changed, Profile, Status, User};
use crate::keyring::Vault;
use crate::operate;
use crate::operate::CommittedChange;
use crate::operate::UserList;
use crate::operate::change::{detail, undoable};
use crate::store::{Change, WriteTx};

/// What a verb does to each user of a list. It decides each of them for the plan, and again under the lock.
pub trait BulkAct {
    const VERB: &'static str;

    /// What becomes of the user at this place of the list. A refusal is reported and leaves the others.
    fn decide(&self, index: usize, user: User, moment: &BulkMoment<'_>) -> Result<BulkDecision>;

    /// What becomes of a name that nobody has; `None` if that stops the whole list.
    fn make(
        &self,
        _index: usize,
        _name: &UserName,
        _: &BulkMoment<'_>,
    ) -> Result<Option<BulkDecision>> {
        Ok(None)
    }

    /// Whether existing users stay as they are, so that nobody is protected from it.
    fn only_makes(&self) -> bool {
        false
    }

    /// Whether exactly the plan is carried out, because it was shown with details, or secrets were handed over.
    fn is_bound_to_plan(&self) -> bool {
        false
    }

    /// Changed fields for the log.
    fn fields(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Completes a change that was just saved, in the same transaction.
    fn after_save(&self, _: &mut WriteTx<'_>, _: &User) -> Result<()> {
        Ok(())
    }

    /// Writes what has to be written of a changed user, as they were, in the same transaction before the change.
    fn before_save(
        &self,
        _: &mut App<'_>,
        _: &mut Transaction<'_>,
        _: &Change,
        _: &Ticket,
    ) -> Result<()> {
        Ok(())
    }
}

/// What a decision depends on besides the user.
pub struct BulkMoment<'m> {
    pub at: Timestamp,
    pub vault: &'m Vault,
    pub policy: &'m Policy,
}

/// What becomes of one user.
pub enum BulkDecision {
    Change(Box<PlannedChange>),
    /// They stay as they are, for this reason where their status does not say it.
    Already(Box<User>, Option<String>),
}

/// A change to one user, with what the plan and the log say of it.
pub struct PlannedChange {
    pub change: Change,
    pub consequences: Vec<String>,
    /// What else the plan says of this user.
    pub note: Option<String>,
    /// The note in the words of the totals, which count it.
    pub counted: Option<String>,
    /// Whether the user is handed over a secret.
    pub gives_secret: bool,
    pub outcome: &'static str,
    pub device: Option<String>,
    pub factor: Option<&'static str>,
    pub touched: Vec<Label>,
    pub details: Vec<(&'static str, String)>,
}

impl PlannedChange {
    #[must_use]
    pub const fn new(change: Change, consequences: Vec<String>) -> Self {
        Self {
            change,
            consequences,
            note: None,
            counted: None,
            gives_secret: false,
            outcome: "done",
            device: None,
            factor: None,
            touched: Vec::new(),
            details: Vec::new(),
        }
    }

    /// A new user.
    #[must_use]
    pub fn insert(user: User, moment: &BulkMoment<'_>) -> Self {
        let consequences = consequences(None, &user, moment.policy, moment.at);
        Self::new(Change::Insert(user), consequences)
    }
}

impl BulkDecision {
    /// The change of an existing user, who may also stay the same.
    #[must_use]
    pub fn update(before: User, changed: Changed, moment: &BulkMoment<'_>) -> Self {
        let Changed { user: after, touched } = changed;
        if after == before {
            return Self::Already(Box::new(after), None);
        }
        let consequences = consequences(Some(&before), &after, moment.policy, moment.at);
        let change = Change::Update { before, after };
        PlannedChange { touched, ..PlannedChange::new(change, consequences) }.into()
    }

    /// Adds to a change what else there is to say of it.
    #[must_use]
    pub fn with(self, add: impl FnOnce(PlannedChange) -> PlannedChange) -> Self {
        match self {
            Self::Change(planned) => add(*planned).into(),
            already @ Self::Already(..) => already,
        }
    }
}

impl From<PlannedChange> for BulkDecision {
    fn from(planned: PlannedChange) -> Self {
        Self::Change(Box::new(planned))
    }
}

/// What becomes of one user of the list, or became of them.
pub struct BulkRow {
    /// The place in the list.
    pub index: usize,
    pub id: Id,
    /// The user before the change; `None` for a new one.
    before: Option<ShownState>,
    pub name: UserName,
    pub profile: Profile,
    /// After the change; of a user who is removed, before it.
    pub status: Status,
    /// Whether MFA is required of the user now.
    pub required: bool,
    pub is_new: bool,
    pub note: Option<String>,
    pub counted: Option<String>,
    /// Whether the user is handed over a secret with the change.
    pub gives_secret: bool,
    pub result: BulkResult,
}

pub enum BulkResult {
    /// With what the change means for the user.
    Changed(Vec<String>),
    Already,
    Refused(Refusal),
}

impl BulkRow {
    #[must_use]
    pub fn is_change(&self) -> bool {
        matches!(self.result, BulkResult::Changed(_))
    }

    #[must_use]
    pub const fn is_refused(&self) -> bool {
        matches!(self.result, BulkResult::Refused(_))
    }

    /// Whether it is about the user of the planned row, as they were then.
    fn is_of_user_in(&self, planned: &Self) -> bool {
        let is_same_state = match (&planned.before, &self.before) {
            (Some(planned), Some(now)) => planned.is_same(now),
            (None, None) => true,
            _ => false,
        };
        is_same_state && self.is_new == planned.is_new
    }

    fn of(index: usize, user: &User, is_new: bool, moment: &BulkMoment<'_>) -> Self {
        Self {
            index,
            id: user.id,
            before: None,
            name: user.name.clone(),
            profile: user.profile.clone(),
            status: user.status(),
            required: moment.policy.requirement(user).is_in_force(moment.at),
            is_new,
            note: None,
            counted: None,
            gives_secret: false,
            result: BulkResult::Already,
        }
    }
}

/// What would become of each user of a list.
pub struct BulkPlan {
    /// In the order of the list.
    pub rows: Vec<BulkRow>,
    /// Users in the store.
    pub users: u64,
    /// The operator was asked about the plan, so that no other one is carried out.
    pub is_shown: bool,
}

impl BulkPlan {
    #[must_use]
    pub fn changes(&self) -> usize {
        self.rows.iter().filter(|row| row.is_change()).count()
    }

    /// The changes of users who exist already: those that `--max-changes` limits.
    #[must_use]
    pub fn limited_changes(&self) -> usize {
        self.rows.iter().filter(|row| row.is_change() && !row.is_new).count()
    }
}

/// Who has a name of a list.
enum Holder {
    User(User),
    /// Nobody, but somebody is stored by the name with a realm of the site.
    Twin(User),
    Nobody,
}

/// Decides one user. `None` for a name that nobody has, and that the verb does not make a user of.
fn decide(
    act: &impl BulkAct,
    index: usize,
    (name, holder): (&UserName, Holder),
    moment: &BulkMoment<'_>,
) -> Result<Option<(BulkRow, Option<PlannedChange>)>> {
    let before = match &holder {
        Holder::User(user) => Some(ShownState::of(user)),
        Holder::Twin(_) | Holder::Nobody => None,
    };
    let (row, decided) = match holder {
        Holder::User(user) => {
            let row = BulkRow::of(index, &user, false, moment);
            (Some(row), act.decide(index, user, moment))
        }
        Holder::Twin(twin) => match act.make(index, name, moment)? {
            Some(_) => {
                // By the name of the list, they are looked for again.
                let row = BulkRow::of(index, &twin, true, moment);
                (Some(row), Err(has_twin(name, &twin.name).into()))
            }
            None => return Ok(None),
        },
        Holder::Nobody => match act.make(index, name, moment)? {
            Some(decision) => (None, Ok(decision)),
            None => return Ok(None),
        },
    };
    let (row, change) = match (decided, row) {
        (Ok(BulkDecision::Already(user, reason)), row) => {
            let is_new = row.is_none();
            (BulkRow { note: reason, ..BulkRow::of(index, &user, is_new, moment) }, None)
        }
        (Ok(BulkDecision::Change(mut planned)), row) => {
            let row = BulkRow {
                note: planned.note.take(),
                counted: planned.counted.take(),
                gives_secret: planned.gives_secret,
                result: BulkResult::Changed(planned.consequences.clone()),
                ..BulkRow::of(index, planned.change.user(), row.is_none(), moment)
            };
            (row, Some(*planned))
        }
        (Err(error), Some(row)) => {
            let result = BulkResult::Refused(error.downcast()?);
            (BulkRow { result, ..row }, None)
        }
        (Err(error), None) => return Err(error),
    };
    Ok(Some((BulkRow { before, ..row }, change)))
}

/// What a verb would do; writes nothing. Unknown names are `user_not_found`, all of them in one error, unless the
/// verb makes users of them.
pub fn plan_bulk(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    list: &UserList,
    act: &impl BulkAct,
) -> Result<BulkPlan> {
    let at = app.env.clock.now()?;
    let mut snapshot = opened.store.read()?;
    let users = snapshot.counts()?.users;
    let moment = BulkMoment { at, vault: &opened.vault, policy: &app.config.policy };
    let (mut rows, mut unknown, mut ids) = (Vec::new(), Vec::new(), BTreeSet::new());
    for (index, name) in list.names.iter().enumerate() {
        let user = snapshot.user(name)?;
        if let Some(user) = &user {
            // Two spellings of one name.
            if !ids.insert(user.id) {
                continue;
            }
            if !act.only_makes() {
                app.authorization.require_allowed_in_earnest(user)?;
            }
        }
        let mut holder = user.map_or(Holder::Nobody, Holder::User);
        if matches!(holder, Holder::Nobody) {
            for with_realm in app.config.names.with_realms(name) {
                if let Some(twin) = snapshot.user(&with_realm)? {
                    holder = Holder::Twin(twin);
                }
            }
        }
        match decide(act, index, (name, holder), &moment)? {
            Some((row, _)) => rows.push(row),
            None => unknown.push(index),
        }
    }
    if unknown.is_empty() {
        return Ok(BulkPlan { rows, users, is_shown: false });
    }
    Err(Refusal::new(ErrorCode::UserNotFound, list.unknown(&unknown))
        .field("--from")
        .hint("nothing was changed; correct the list")
        .into())
}

/// Carries out a plan in one transaction, with one event a user. After an error nothing was changed.
pub fn change_bulk<A: BulkAct>(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    ticket: &Ticket,
    list: &UserList,
    plan: &BulkPlan,
    act: &A,
) -> Result<Vec<BulkRow>> {
    let keep = UndoRule { act: undoable(app, A::VERB), undo_for: app.config.undo_for };
    let config = Arc::clone(&app.config);
    let is_notifying = config.notify.is_some();
    let bar = app.progress_bar(plan.rows.len() as u64);
    let done = write_tx(app, opened, |app, mut write| {
        let (mut rows, mut notified) = (Vec::with_capacity(plan.rows.len()), Vec::new());
        bar.set_position(0);
        for set in plan.rows.chunks(MAX_SET) {
            // The name of an existing user is the stored one; that of a new user has all spellings of the list.
            let name = |row: &BulkRow| {
                let listed = list.names.get(row.index).filter(|_| row.is_new);
                listed.unwrap_or(&row.name).clone()
            };
            let names: Vec<_> = set.iter().map(name).collect();
            let users = write.users_if_any(&names, !act.only_makes())?;
            let holders = holders(&mut write, &config.names, &names, users)?;
            let policy = &config.policy;
            let moment = BulkMoment { at: write.at, vault: write.vault, policy };
            let (first, mut changes) = (rows.len(), Vec::new());
            for ((planned, name), holder) in set.iter().zip(&names).zip(holders) {
                let decided = decide(act, planned.index, (name, holder), &moment)?;
                let (mut row, mut change) = match decided {
                    Some(decided) => decided,
                    None if plan.is_shown => return Err(changed_meanwhile(name).into()),
                    // Fails: the user was removed meanwhile.
                    None => return Err(no_such_user(name)),
                };
                let is_another = plan.is_shown && !row.is_of_user_in(planned)
                    || act.is_bound_to_plan() && !is_same(&row, planned);
                if is_another {
                    return Err(changed_meanwhile(name).into());
                }
                // Only attempts to sign in have made a difference, such as a lock, and nobody agreed to a change.
                if plan.is_shown && row.is_change() && !planned.is_change() {
                    (row.result, change) = (BulkResult::Already, None);
                }
                if let Some(change) = change {
                    act.before_save(app, &mut write, &change.change, ticket)?;
                    let record = record(A::VERB, ticket, &act.fields(), &change);
                    changes.push((keep.applied(change.change, write.at), Some(record)));
                }
                rows.push(row);
            }
            let saved = audit::save_all(app.env, &mut write.tx, write.at, changes)?;
            let stored = rows[first..].iter().filter(|row| row.is_change());
            for (row, user) in stored.zip(saved) {
                act.after_save(&mut write.tx, &user)?;
                if is_notifying && !row.is_new {
                    notified.push(user);
                }
            }
            bar.inc(set.len() as u64);
        }
        let at = write.at;
        write.commit()?;
        Ok((rows, notified, at))
    });
    bar.finish_and_clear();
    let (rows, notified, at) = done?;
    let users = notified.iter().collect();
    let change = CommittedChange { verb: A::VERB, ticket, device: None, users, at };
    operate::notify_change(app, opened, &change);
    Ok(rows)
}

/// Who has each of these names; `users` are those who have exactly them.
fn holders(
    write: &mut Transaction<'_>,
    site: &SiteNames,
    names: &[UserName],
    users: Vec<Option<User>>,
) -> Result<Vec<Holder>> {
    let mut holders = Vec::with_capacity(names.len());
    for (name, user) in names.iter().zip(users) {
        let holder = match user {
            Some(user) => Holder::User(user),
            None => write.twin(site, name, None)?.map_or(Holder::Nobody, Holder::Twin),
        };
        holders.push(holder);
    }
    Ok(holders)
}

/// Whether the decision is the one that was planned.
fn is_same(row: &BulkRow, planned: &BulkRow) -> bool {
    row.is_change() == planned.is_change()
        && row.is_new == planned.is_new
        && row.id == planned.id
        && row.note == planned.note
        && row.gives_secret == planned.gives_secret
}

fn record(
    verb: &'static str,
    ticket: &Ticket,
    fields: &[&'static str],
    planned: &PlannedChange,
) -> AuditRecord {
    let touched: Vec<String> = planned.touched.iter().map(ToString::to_string).collect();
    AuditRecord {
        operator: None,
        verb,
        outcome: planned.outcome,
        ticket: ticket.clone(),
        device: planned.device.clone(),
        factor: planned.factor,
        detail: detail(&touched, fields, &planned.details, &planned.consequences),
    }
}

/// What is kept for `undo`, and for how long.
struct UndoRule {
    act: Option<Undoable>,
    undo_for: Span,
}

impl UndoRule {
    /// The change with its entry for `undo`, and without what is no longer kept.
    fn applied(&self, change: Change, at: Timestamp) -> Change {
        let Change::Update { before, after } = change else { return change };
        let changed = Changed { user: after, touched: Vec::new() };
        let mut after = changed.with_undo(self.act, &before, at).user;
        after.purge(at, self.undo_for);
        Change::Update { before, after }
    }
}
