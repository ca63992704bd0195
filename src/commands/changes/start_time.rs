//! The start time of `changes`, and the differences since then.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;

use anyhow::Result;

use crate::app::App;
use crate::app::operator_files;
use crate::audit;
use crate::commands::changes::difference::{CutOff, Difference};
use crate::commands::changes::taken_back::TakenBack;
use crate::commands::list_status::UserLine;
use crate::domain::audit::anchor::Anchor;
use crate::domain::audit::history::{
    GIVEN_UP, Rewind, is_code_use_only, is_creation, leaves_protection_unchanged,
};
use crate::domain::hint::command;
use crate::domain::policy::{Policy, Scope};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::store::{LoggedChange, Moment, Order, ReadTx};

const LAST_RUN: &str = "last-run";
/// Verbs that revoke every device.
const RESETS: &[&str] = &["reset", "force-new-password"];
/// Verbs that weaken a user's protection: reported in preference to any other.
const WEAKENING: &[&str] = &["reset", "force-new-password", "delete", "disable", "remove-user"];
/// Shown in place of a name that was erased from the log.
const ERASED: &str = "(name erased)";

/// Where the listing starts, as given on the command line.
pub enum StartTime {
    At(Timestamp),
    LastRun(Anchor),
    /// The state file does not exist yet.
    FirstRun,
}

/// A position in the log, and its time.
pub struct LogPosition {
    pub after: u64,
    pub at: Timestamp,
}

impl StartTime {
    pub fn read(
        app: &mut App<'_>,
        since: Option<&str>,
        state: Option<&Path>,
        now: Timestamp,
    ) -> Result<Self> {
        let usage = |message: &str, hint: &str| Refusal::new(ErrorCode::Usage, message).hint(hint);
        // Read even if --since is given: a file that is not a state file must not be overwritten.
        let last = state.map(|path| read_state(app, path)).transpose()?;
        match (since, last) {
            (Some(time), _) if time != LAST_RUN => {
                Ok(Self::At(Timestamp::parse_past("--since", time, now)?))
            }
            (_, Some(last)) => Ok(last.map_or(Self::FirstRun, Self::LastRun)),
            (Some(_), None) => {
                let hint = "add --state FILE";
                Err(usage("--since last-run needs a state file", hint).into())
            }
            (None, None) => {
                let hint = "add --since yesterday, or --state FILE to continue from run to run";
                Err(usage("no start time was given", hint).into())
            }
        }
    }

    /// The position in the log; `None` on the first run. Fails with `tampered` if the log is not the
    /// one that the state file was written for, and with `bad_input` if it was pruned beyond that time.
    pub fn locate(&self, snapshot: &mut ReadTx<'_>, now: Timestamp) -> Result<Option<LogPosition>> {
        let (field, from) = match self {
            Self::FirstRun => return Ok(None),
            Self::At(at) => (
                "--since",
                LogPosition { after: snapshot.log().last_seq_before(*at, now)?, at: *at },
            ),
            Self::LastRun(Anchor { head, at, .. }) => {
                let hash = snapshot.log().event_hash(head.seq)?;
                let start = snapshot.log().start()?.head.seq;
                if head.seq > start && hash.as_deref() != Some(&head.hash[..]) {
                    let message = format!("the log does not match the state file of {at}");
                    return Err(Refusal::new(ErrorCode::Tampered, message)
                        .hint(
                            command("verify-log")
                                .after("was an older copy of the store restored? run: "),
                        )
                        .into());
                }
                ("--state", LogPosition { after: head.seq, at: *at })
            }
        };
        audit::check_log_covers(snapshot, field, from.after, from.at)?;
        Ok(Some(from))
    }
}

/// Bytes; it is one line.
const LONGEST_STATE: u64 = 4096;

/// Where the last run ended; `None` if the file does not exist yet.
fn read_state(app: &mut App<'_>, path: &Path) -> Result<Option<Anchor>> {
    if operator_files::is_absent(app, path) {
        return Ok(None);
    }
    let mut line = String::new();
    let file = operator_files::open_file(app, path, "--state")?;
    file.take(LONGEST_STATE + 1).read_to_string(&mut line).map_err(|_| not_a_state_file())?;
    if line.len() as u64 > LONGEST_STATE {
        return Err(not_a_state_file().into());
    }
    let anchor = Anchor::parse("--state", line.trim_end()).map_err(|_| not_a_state_file())?;
    if anchor.store != app.reader()?.identity().store {
        return Err(Refusal::bad_input("--state", "the state file belongs to another store")
            .hint("give another file for this store")
            .into());
    }
    Ok(Some(anchor))
}

fn not_a_state_file() -> Refusal {
    Refusal::bad_input("--state", "not a state file of mfactl changes")
        .hint("give the file of an earlier run, or one that does not exist yet")
}

/// The events about one user, collected from the newest to the oldest.
#[derive(Default)]
struct UserEvents {
    back: Rewind,
    /// The event to report: the newest of the highest priority.
    main_event: Option<LoggedChange>,
    priority: u8,
    cut_off: CutOff,
    taken_back: TakenBack,
}

impl UserEvents {
    /// Adds the next older event.
    fn add(&mut self, change: LoggedChange, was: &str) -> Result<()> {
        self.back.rewind(was)?;
        let (verb, is_done) = (change.verb.as_str(), change.outcome == "done");
        let is_given_up = change.outcome == GIVEN_UP;
        let is_undone = is_done && self.taken_back.has(verb, change.at);
        if is_done && verb == "undo" {
            self.taken_back.add(change.detail.as_deref());
        }
        if is_done && !is_undone {
            self.cut_off.reset |= RESETS.contains(&verb);
            self.cut_off.deleted |= verb == "delete";
        }
        let weakens = (is_done || is_given_up) && !is_undone && WEAKENING.contains(&verb);
        let priority = if weakens || is_creation(was) { 2 } else { 1 };
        if self.priority < priority && !leaves_protection_unchanged(was, change.at) {
            (self.main_event, self.priority) = (Some(change), priority);
        }
        Ok(())
    }
}

/// The users whose MFA changed, sorted by name.
pub fn differences(
    snapshot: &mut ReadTx<'_>,
    from: &LogPosition,
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<Difference>> {
    let mut touched: BTreeMap<Id, UserEvents> = BTreeMap::new();
    let mut differences = Vec::new();
    snapshot.log().logged_changes(from.after, &mut |mut change| {
        let Some(was) = change.was.take() else {
            differences.push(difference(ERASED.to_owned(), vec!["removed"], Some(change)));
            return Ok(());
        };
        if is_code_use_only(&was) {
            return Ok(());
        }
        touched.entry(change.user).or_default().add(change, &was)
    })?;
    for id in became_overdue(snapshot, policy, from.at, now)? {
        touched.entry(id).or_default();
    }
    for (id, events) in touched {
        let user = snapshot.user_by_id(id)?;
        if let Some(name) = events.back.name_of_given_up() {
            let name = shown(name).into_owned();
            differences.push(difference(name, vec!["removed"], events.main_event));
            continue;
        }
        let before = match user.clone() {
            Some(user) => events.back.apply_to(user)?,
            None => events.back.rebuild_removed(id)?,
        };
        let line = |user: &Option<User>, at| user.as_ref().map(|u| UserLine::of(u, policy, at));
        let (was, is) = (line(&before, from.at), line(&user, now));
        let changes = Difference::between(was.as_ref(), is.as_ref(), events.cut_off);
        if changes.is_empty() {
            continue;
        }
        let Some(name) = is.as_ref().or(was.as_ref()).map(|line| line.user.clone()) else {
            continue;
        };
        differences.push(Difference {
            was: was.map(|line| line.status),
            is: is.map(|line| line.status),
            ..difference(name, changes, events.main_event)
        });
    }
    differences.sort_by(|a, b| a.user.cmp(&b.user));
    Ok(differences)
}

fn difference(user: String, changes: Vec<&'static str>, event: Option<LoggedChange>) -> Difference {
    let safe = |text: String| shown(&text).into_owned();
    let (at, operator_uid) = (event.as_ref().map(|e| e.at), event.as_ref().map(|e| e.operator_uid));
    let (verb, claim, ticket) =
        event.map_or((None, None, None), |e| (Some(e.verb), e.operator_claim, e.ticket));
    Difference {
        user,
        changes,
        was: None,
        is: None,
        at,
        verb: verb.map(safe),
        operator_uid,
        operator_claim: claim.map(safe),
        operator_name: None,
        ticket: ticket.map(safe),
    }
}

/// Users for whom MFA became required by the passing of time, without an event. Found by index, so
/// that the cost follows the number of such users, except on the day the policy takes effect for all.
fn became_overdue(
    snapshot: &mut ReadTx<'_>,
    policy: &Policy,
    from: Timestamp,
    now: Timestamp,
) -> Result<BTreeSet<Id>> {
    let mut users: BTreeSet<Id> =
        snapshot.users_between(Moment::RequiredFrom, from, now)?.into_iter().collect();
    if policy.scope == Scope::Nobody {
        return Ok(users);
    }
    let grace = policy.grace;
    let day = policy.since.map(|since| since.plus(grace));
    if day.is_some_and(|day| from < day && day <= now) {
        snapshot.users(Order::default(), &mut |user| {
            if !policy.is_covered(&user) {
                users.insert(user.id);
            }
            Ok(())
        })?;
    } else {
        let (from, now) = (from.minus(grace), now.minus(grace));
        users.extend(snapshot.users_between(Moment::CreatedAt, from, now)?);
    }
    Ok(users)
}
