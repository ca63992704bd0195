//! `mfactl undo`

mod list;

use anyhow::Result;
use clap::{ArgMatches, Args};
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::commands::bulk::{BulkChange, BulkVerb};
use crate::commands::operator_options::OperatorOptions;
use crate::commands::operator_options::not_confirmed;
use crate::commands::targets::{Target, Targets};
use crate::commands::user_change::ChangeRecord;
use crate::domain::hint::command;
use crate::domain::name::{Label, UserName};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::domain::time::{Span, Timestamp};
use crate::domain::undo::{PasswordState, UndoReach, Undone, nothing_to_undo};
use crate::domain::undo_record::UndoRecord;
use crate::domain::user::{Changed, User};
use crate::operate;
use crate::operate::UserList;
use crate::operate::bulk::{BulkAct, BulkDecision, BulkMoment, PlannedChange};
use crate::operate::change::ChangeResult;
use crate::report::{Fields, Record, Report, Verdict};

/// Undo a user's last reset, disable, delete or force-new-password
///
/// Restores devices, recovery codes and the state of the password. Run it again for the change
/// before that; at most 16 are kept. Any operator can do this for a day (`policy.undo_for`), as long
/// as no code was accepted since. Used codes stay used.
///
/// Every device, recovery code and bypass code that was made since no longer works. If a wrong
/// person got the new QR code and proved it, --even-after-code takes the change back all the same.
/// This needs an admin, or a second operator, who approves this one change.
#[derive(Args, Debug)]
pub struct Undo {
    #[command(flatten)]
    targets: Targets,
    /// Show what can be taken back; change nothing
    #[arg(long, conflicts_with_all = ["from", "even_after_code", "yes", "dry_run", "ticket", "reason", "proof"])]
    list: bool,
    /// Take it back although a code was accepted since
    #[arg(long)]
    even_after_code: bool,
    /// Take back this change only, if it is the newest
    #[arg(long, value_name = "VERB@TIME", conflicts_with_all = ["list", "from"])]
    of: Option<String>,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Undo {
    const NAME: &'static str = "undo";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl undo alice",
        "mfactl undo alice --list",
        "mfactl undo alice --yes --ticket HELP-1234",
        "mfactl undo --from names.txt",
        "mfactl undo alice --even-after-code --ticket HELP-1234",
    ];
    const ASKS_APPROVER: bool = true;

    /// A request is for the newest change of that moment: a later one is not to be taken back instead.
    fn bind(matches: &ArgMatches, app: &App<'_>, user: &User) -> Result<Option<String>, Refusal> {
        if matches.contains_id("of") {
            return Ok(None);
        }
        let undo_for = app.config.undo_for;
        let newest = user.undo.newest().ok_or_else(|| nothing_to_undo(user, undo_for))?;
        Ok(Some(format!("--of={}", change_name(newest))))
    }

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = match self.targets.resolve(app)? {
            Target::One(name) if self.list => return list::run(app, &name),
            Target::One(name) => name,
            Target::Many(list) => return self.run_many(app, list),
        };
        let mut act = self.operator.act(app, Self::NAME, &name, None)?;
        let (dry_run, undo_for) = (act.dry_run, app.config.undo_for);
        let reach = self.reach();
        let is_approved = app.authorization.approval.is_some();
        let of = self.of.as_deref();
        let take_back = |user: User, now: Timestamp| {
            check_newest(&user, of, is_approved)?;
            user.take_back(now, undo_for, reach)
        };
        let mut opened = app.open_store()?;
        let (_, expected) = take_back(opened.read_user(&name)?, app.env.clock.now()?)?;
        if !self.yes && !dry_run {
            let what = &expected;
            let question = |_: &User, after: &User| question(&name, what, after);
            let change = |user: User, now| take_back(user, now).and_then(only(&name, what));
            if !operate::confirm_change(app, &mut opened, &name, question, change)? {
                return Ok(not_confirmed(app));
            }
        }
        act.details = details(&expected);
        let done = operate::change_user(app, &mut opened, &act, |user, now, _| {
            Ok(take_back(user, now).and_then(only(&name, &expected))?)
        })?;
        let record = TakenBack::new(&done, dry_run, (undo_for, reach), &expected);
        Ok(Report::one(record, Verdict::Yes))
    }
}

impl Undo {
    const fn reach(&self) -> UndoReach {
        if self.even_after_code { UndoReach::EvenAfterCode } else { UndoReach::ToLastCode }
    }

    fn run_many(&self, app: &mut App<'_>, list: UserList) -> Result<Report> {
        let (max_changes, operator) = (self.targets.max_changes(), &self.operator);
        let bulk = BulkChange { list, max_changes, operator, yes: self.yes };
        let (undo_for, opened) = (app.config.undo_for, app.open_store()?);
        bulk.run(app, opened, &mut UndoEach { undo_for, reach: self.reach() })
    }
}

/// The newest change of every user of a list is taken back.
struct UndoEach {
    undo_for: Span,
    reach: UndoReach,
}

impl BulkAct for UndoEach {
    const VERB: &'static str = Undo::NAME;

    fn decide(&self, _: usize, user: User, moment: &BulkMoment<'_>) -> Result<BulkDecision> {
        let (after, undone) = user.clone().take_back(moment.at, self.undo_for, self.reach)?;
        let act = undone.act.verb();
        let mut notes = vec![format!("{act} of {} taken back", undone.at)];
        notes.extend(consequences(&undone, "is", "are"));
        let details = details(&undone);
        let changed = Changed { user: after, touched: undone.restored };
        Ok(BulkDecision::update(user, changed, moment).with(|planned| {
            let note = Some(notes.join("; "));
            let counted = Some(format!("{act} taken back"));
            PlannedChange { note, counted, details, ..planned }
        }))
    }

    /// Nothing but what the operator was shown is taken back.
    fn is_bound_to_plan(&self) -> bool {
        true
    }
}

impl BulkVerb for UndoEach {
    const SCHEMA: &'static str = "mfactl.undo/1";
}

/// How `--of` names a change.
fn change_name(change: &UndoRecord) -> String {
    format!("{}@{}", change.act.verb(), change.at)
}

/// Refuses another change than the one that `--of` names. A request of an earlier version names none.
fn check_newest(user: &User, of: Option<&str>, is_approved: bool) -> Result<(), Refusal> {
    let (name, Some(newest)) = (&user.name, user.undo.newest()) else { return Ok(()) };
    let newest = change_name(newest);
    let problem = match of {
        Some(of) if of == newest => return Ok(()),
        Some(of) => format!("--of: the newest change of {name} is {newest}, not {}", shown(of)),
        None if is_approved => format!("the request does not say which change of {name} it is for"),
        None => return Ok(()),
    };
    Err(Refusal::new(ErrorCode::NothingToUndo, problem).hint(
        command("undo")
            .flag("--list")
            .name(name)
            .after("nothing was taken back; see the changes with: "),
    ))
}

/// Refuses to take back anything but what the operator was asked about, and what the log will name.
fn only<'a>(
    name: &'a UserName,
    expected: &'a Undone,
) -> impl Fn((User, Undone)) -> Result<Changed, Refusal> + 'a {
    move |(user, undone)| {
        if undone != *expected {
            return Err(Refusal::new(ErrorCode::Busy, format!("{name} was changed meanwhile"))
                .hint("try again; nothing was taken back"));
        }
        Ok(Changed { user, touched: undone.restored })
    }
}

fn question(name: &UserName, undone: &Undone, after: &User) -> String {
    let (act, at) = (undone.act.verb(), undone.at);
    let count = super::reset::device_count(after.live().count());
    let code = match undone.closed_at {
        Some(closed) => format!("A code of {name} was accepted since, at {closed}. "),
        None => String::new(),
    };
    let mut parts = consequences(undone, "will be", "will be");
    parts.insert(0, format!("There will be {count}"));
    if !undone.restored.is_empty() {
        parts.insert(1, format!("{} will be restored", joined(&undone.restored)));
    }
    format!("{code}Take back the {act} of {name} at {at}? {}.", parts.join("; "))
}

/// What an undo does besides restoring devices, as parts of a sentence; `is` and `are` say whether it is
/// done.
fn consequences(undone: &Undone, is: &str, are: &str) -> Vec<String> {
    let mut parts = Vec::new();
    match undone.cut_off.as_slice() {
        [] => {}
        [one] => parts.push(format!("the device {one} that was set up since then {is} cut off")),
        many => parts.push(format!(
            "the devices {} that were set up since then {are} cut off",
            joined(many)
        )),
    }
    for (was, now) in &undone.renamed {
        parts.push(format!(
            "the restored {was} {is} called {now}, as another device is called {was}"
        ));
    }
    if undone.voids_codes {
        parts.push(format!("recovery and bypass codes that were made since then {are} void"));
    }
    match undone.recovery_codes {
        0 => {}
        1 => parts.push(format!("1 recovery code {is} good again")),
        codes => parts.push(format!("{codes} recovery codes {are} good again")),
    }
    match undone.password {
        PasswordState::Untouched => {}
        PasswordState::Restored => parts.push(format!("the state of the password {is} as before")),
        PasswordState::ChosenSince => {
            parts.push("the password that was chosen since then stays".to_owned());
        }
    }
    parts
}

fn joined(labels: &[Label]) -> String {
    texts(labels).join(", ")
}

/// What the log says: the change that was undone, and what else followed from that.
fn details(undone: &Undone) -> Vec<(&'static str, String)> {
    let mut details =
        vec![("undone", undone.act.verb().to_owned()), ("undone_at", undone.at.to_string())];
    if let Some(begun) = undone.begun_at {
        details.push(("begun_at", begun.to_string()));
    }
    if let Some(closed) = undone.closed_at {
        details.push(("even_after_code", closed.to_string()));
    }
    if !undone.cut_off.is_empty() {
        details.push(("cut_off", joined(&undone.cut_off)));
    }
    if !undone.renamed.is_empty() {
        let pairs: Vec<_> = undone.renamed.iter().map(|(was, is)| format!("{was}={is}")).collect();
        details.push(("relabelled", pairs.join(", ")));
    }
    details
}

/// The report of an undo.
#[derive(Serialize)]
struct TakenBack {
    #[serde(flatten)]
    change: ChangeRecord,
    undone: &'static str,
    undone_at: Timestamp,
    restored: Vec<String>,
    relabelled: Vec<Relabelled>,
    cut_off: Vec<String>,
    /// A code was accepted before, and that did not prevent it.
    even_after_code: bool,
    /// What the same command would take back next.
    next: Option<&'static str>,
}

/// A device whose label another one has by now.
#[derive(Serialize)]
struct Relabelled {
    was: String,
    is: String,
}

impl Relabelled {
    fn of(undone: &Undone) -> Vec<Self> {
        let text = |(was, is): &(Label, Label)| Self { was: was.to_string(), is: is.to_string() };
        undone.renamed.iter().map(text).collect()
    }
}

fn texts(labels: &[Label]) -> Vec<String> {
    labels.iter().map(ToString::to_string).collect()
}

impl TakenBack {
    fn new(
        done: &ChangeResult,
        dry_run: bool,
        (undo_for, reach): (Span, UndoReach),
        undone: &Undone,
    ) -> Self {
        let after_code = match undone.closed_at {
            Some(closed) => format!(", although a code was accepted at {closed}"),
            None => String::new(),
        };
        let act = undone.act.verb();
        let mut parts = vec![format!("{act} of {} taken back{after_code}", undone.at)];
        let (is, are) = if dry_run { ("would be", "would be") } else { ("is", "are") };
        parts.extend(consequences(undone, is, are));
        let next = done.user.clone().take_back(done.at, undo_for, reach);
        let schema = "mfactl.undo/1";
        Self {
            change: ChangeRecord::new(schema, done, dry_run, &parts.join("; ")),
            undone: act,
            undone_at: undone.at,
            restored: texts(&undone.restored),
            relabelled: Relabelled::of(undone),
            cut_off: texts(&undone.cut_off),
            even_after_code: undone.closed_at.is_some(),
            next: next.ok().map(|(_, next)| next.act.verb()),
        }
    }
}

impl Record for TakenBack {
    const COLUMNS: &'static [&'static str] = &[
        "user",
        "status",
        "devices",
        "locked",
        "password_change_required",
        "changed",
        "undone",
        "undone_at",
    ];

    fn fields(&self, f: &mut Fields) {
        self.change.fields(f);
        f.text(self.undone);
        f.value(self.undone_at);
    }

    fn sentence(&self) -> String {
        let sentence = self.change.sentence();
        match self.next {
            Some(next) => format!("{sentence}; the {next} before it can be taken back too"),
            None => sentence,
        }
    }
}
