//! From when on changes are told, and what they come to.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use anyhow::Result;

use super::difference::{Acts, Difference};
use crate::commands::list_status::Line;
use crate::domain::anchor::Anchor;
use crate::domain::past::{Undoing, is_first, is_harmless, is_mere_use};
use crate::domain::policy::{Policy, Scope};
use crate::domain::refusal::{Code, Refusal};
use crate::domain::secret::Id;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::domain::undo::Act;
use crate::domain::user::{Status, User};
use crate::session::Session;
use crate::store::{Change, Moment, Order, Snapshot};

const LAST_RUN: &str = "last-run";
/// Acts that take every phone out of force.
const RESETS: &[&str] = &["reset", "force-new-password"];
/// Acts that take protection away: of all that was done to a user, what is told of first.
const TAKING: &[&str] = &["reset", "force-new-password", "delete", "disable", "remove-user"];
/// In place of a name that was taken out of the log.
const ERASED: &str = "(name erased)";

/// From when on, as it was asked for.
pub enum Since {
    Moment(Timestamp),
    LastRun(Anchor),
    /// Nothing is remembered yet.
    FirstRun,
}

/// A place in the log, and its time.
pub struct From {
    pub after: u64,
    pub at: Timestamp,
}

impl Since {
    /// # Errors
    /// `usage` where nothing says from when on; `bad_input` for a moment or a file that says nothing.
    pub fn read(
        session: &mut Session<'_>,
        since: Option<&str>,
        state: Option<&Path>,
        now: Timestamp,
    ) -> Result<Self> {
        let usage = |message: &str, hint: &str| Refusal::new(Code::Usage, message).hint(hint);
        // Read in any case: what is not ours is not written over.
        let last = state.map(|path| remembered(session, path)).transpose()?;
        match (since, last) {
            (Some(moment), _) if moment != LAST_RUN => {
                Ok(Self::Moment(Timestamp::parse_past("--since", moment, now)?))
            }
            (_, Some(last)) => Ok(last.map_or(Self::FirstRun, Self::LastRun)),
            (Some(_), None) => {
                let hint = "add --state FILE, which remembers it";
                Err(usage("nobody remembers the last run", hint).into())
            }
            (None, None) => {
                let hint = "add --since yesterday, or --state FILE to go on from run to run";
                Err(usage("nothing says from when on", hint).into())
            }
        }
    }

    /// Where in the log that is; nowhere on the first run.
    ///
    /// # Errors
    /// `tampered` where the log is not the one of the last run; `bad_input` for a time of which it does
    /// not tell.
    pub fn place(&self, snapshot: &mut dyn Snapshot, now: Timestamp) -> Result<Option<From>> {
        let (field, from) = match self {
            Self::FirstRun => return Ok(None),
            Self::Moment(at) => {
                ("--since", From { after: snapshot.last_before(*at, now)?, at: *at })
            }
            Self::LastRun(Anchor { head, at, .. }) => {
                let hash = snapshot.event_hash(head.seq)?;
                let start = snapshot.start()?.head.seq;
                if head.seq > start && hash.as_deref() != Some(&head.hash[..]) {
                    let message = format!("the log is not the one of the last run, of {at}");
                    return Err(Refusal::new(Code::Tampered, message)
                        .hint("was an older store put back? look with: mfactl verify-log")
                        .into());
                }
                ("--state", From { after: head.seq, at: *at })
            }
        };
        told(snapshot, field, from.after, from.at)?;
        Ok(Some(from))
    }
}

/// Where the last run ended; nowhere by a file that is not there yet.
fn remembered(session: &mut Session<'_>, path: &Path) -> Result<Option<Anchor>> {
    if !path.try_exists().unwrap_or(true) {
        return Ok(None);
    }
    let mut line = String::new();
    let file = session.open_file(path, "--state")?;
    file.take(4096).read_to_string(&mut line).map_err(|_| unreadable())?;
    let anchor = Anchor::parse("--state", line.trim_end()).map_err(|_| unreadable())?;
    if anchor.store != session.reader()?.identity().store {
        return Err(Refusal::bad_input("--state", "the file is about another store")
            .hint("name another file for this store")
            .into());
    }
    Ok(Some(anchor))
}

/// Does the log tell of what was after an event?
///
/// # Errors
/// `bad_input` where it was pruned, `tampered` where an event is missing.
pub fn told(snapshot: &mut dyn Snapshot, field: &str, after: u64, at: Timestamp) -> Result<()> {
    let start = snapshot.start()?;
    match start.at {
        Some(told_from) if after < start.head.seq || at < told_from => Err(Refusal::bad_input(
            field,
            format!("the log tells nothing of the time before {told_from}"),
        )
        .hint(match field {
            "--state" => "add --since and a later moment once, and the state goes on from there",
            _ => "name a later moment",
        })
        .into()),
        _ => snapshot.count_after(after),
    }
}

fn unreadable() -> Refusal {
    Refusal::bad_input("--state", "the file does not say where the last run ended")
        .hint("name the file of an earlier run, or one that is not there yet")
}

/// What was done to one user.
#[derive(Default)]
struct Done {
    back: Undoing,
    /// The act that is told of: the newest of those that weigh most.
    told: Option<Change>,
    weight: u8,
    acts: Acts,
    /// Acts that were taken back by events that were seen by now, which are later ones.
    undone: u32,
}

impl Done {
    /// One event, the one before those that were seen.
    fn saw(&mut self, change: Change, was: &str) -> Result<()> {
        self.back.take_back(was)?;
        let (verb, is_done) = (change.verb.as_str(), change.outcome == "done");
        let is_undone = is_done && self.undone > 0 && Act::ALL.iter().any(|a| a.verb() == verb);
        if is_undone {
            self.undone -= 1;
        } else if is_done {
            self.undone += u32::from(verb == "undo");
            self.acts.reset |= RESETS.contains(&verb);
            self.acts.deleted |= verb == "delete";
        }
        let takes = is_done && !is_undone && TAKING.contains(&verb);
        let weight = if takes || is_first(was) { 2 } else { 1 };
        if self.weight < weight && !is_harmless(was, change.at) {
            (self.told, self.weight) = (Some(change), weight);
        }
        Ok(())
    }
}

/// Who stands otherwise than then, by name.
///
/// # Errors
/// As the store has them.
pub fn differences(
    snapshot: &mut dyn Snapshot,
    from: &From,
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<Difference>> {
    let mut touched: BTreeMap<Id, Done> = BTreeMap::new();
    let mut differences = Vec::new();
    snapshot.changes(from.after, &mut |mut change| {
        let Some(was) = change.was.take() else {
            differences.push(difference(ERASED.to_owned(), vec!["removed"], Some(change)));
            return Ok(());
        };
        if is_mere_use(&was) {
            return Ok(());
        }
        touched.entry(change.user).or_default().saw(change, &was)
    })?;
    for id in fallen_due(snapshot, policy, from.at, now)? {
        touched.entry(id).or_default();
    }
    for (id, done) in touched {
        let user = snapshot.user_of(id)?;
        let before = match user.clone() {
            Some(user) => done.back.stood(user)?,
            None => done.back.stood_once(id)?,
        };
        let line = |user: &Option<User>, at| user.as_ref().map(|u| Line::of(u, policy, at));
        let (then, is) = (line(&before, from.at), line(&user, now));
        let changes = Difference::between(then.as_ref(), is.as_ref(), done.acts);
        if changes.is_empty() {
            continue;
        }
        let Some(name) = is.as_ref().or(then.as_ref()).map(|line| line.user.clone()) else {
            continue;
        };
        differences.push(Difference {
            was: then.map(|line| line.status),
            is: is.map(|line| line.status),
            ..difference(name, changes, done.told)
        });
    }
    differences.sort_by(|a, b| a.user.cmp(&b.user));
    Ok(differences)
}

fn difference(user: String, changes: Vec<&'static str>, told: Option<Change>) -> Difference {
    let safe = |text: String| shown(&text).into_owned();
    let (at, operator_uid) = (told.as_ref().map(|t| t.at), told.as_ref().map(|t| t.operator_uid));
    let (verb, claim, ticket) =
        told.map_or((None, None, None), |t| (Some(t.verb), t.operator_claim, t.ticket));
    Difference {
        user,
        changes,
        was: None,
        is: None,
        at,
        verb: verb.map(safe),
        operator_uid,
        operator_claim: claim.map(safe),
        ticket: ticket.map(safe),
    }
}

/// Users for whom the time until MFA is required ran out, though nobody did anything. By index: in time
/// that goes by how many these are, but for the one day on which it runs out for everybody.
fn fallen_due(
    snapshot: &mut dyn Snapshot,
    policy: &Policy,
    then: Timestamp,
    now: Timestamp,
) -> Result<BTreeSet<Id>> {
    let mut users: BTreeSet<Id> =
        snapshot.users_between(Moment::RequiredFrom, then, now)?.into_iter().collect();
    if policy.scope == Scope::Nobody {
        return Ok(users);
    }
    let grace = policy.grace;
    let day = policy.since.map(|since| since.plus(grace));
    if day.is_some_and(|day| then < day && day <= now) {
        snapshot.users(Order::default(), &mut |user| {
            if user.status() != Status::Enabled {
                users.insert(user.id);
            }
            Ok(())
        })?;
    } else {
        let (then, now) = (then.minus(grace), now.minus(grace));
        users.extend(snapshot.users_between(Moment::CreatedAt, then, now)?);
    }
    Ok(users)
}
