//! The content of a report: read in one snapshot. Of each user it holds no more than the kinds of their devices.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use anyhow::Result;
use serde::Serialize;

use super::activity::Activity;
use super::coverage::{
    CoverageChanges, CoverageHistory, CoverageStep, Numbers, NumbersAfter, Point,
};
use super::listed::Listed;
use super::period::Period;
use crate::app::App;
use crate::audit;
use crate::commands::help;
use crate::commands::left_out::LeftOut;
use crate::commands::list_status::{GroupLine, Groups, Summary, UserLine, users_after};
use crate::commands::verify_log::VerifyLogRecord;
use crate::domain::audit::anchor::Anchor;
use crate::domain::audit::earlier_coverage::{CoverageChange, EarlierCoverage};
use crate::domain::policy::strong::StrongKinds;
use crate::domain::policy::{Policy, Scope};
use crate::domain::secret::Id;
use crate::domain::text::{quoted, shell_word, shown};
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Status, User};
use crate::operate;
use crate::store::{Order, ReadTx};

/// Users listed of each kind; `list-status` has all of them.
const MAX_USERS: usize = 1000;

/// Who made the report, of which store and with which program.
#[derive(Serialize)]
pub struct Origin {
    pub generated_at: Timestamp,
    pub operator_uid: u32,
    pub operator_claim: Option<String>,
    pub host: String,
    pub version: String,
    pub store: String,
}

impl Origin {
    fn of(app: &App<'_>, store: String, generated_at: Timestamp) -> Self {
        let process = &app.env.process;
        Self {
            generated_at,
            operator_uid: operate::operator_uid(app),
            operator_claim: process.operator.claim.as_deref().map(|c| shown(c).into_owned()),
            host: shown(&process.host_name).into_owned(),
            version: help::version(),
            store,
        }
    }

    pub fn operator(&self) -> String {
        operator(self.operator_uid, self.operator_claim.as_deref())
    }
}

/// An operator as people read it.
pub fn operator(uid: u32, claim: Option<&str>) -> String {
    claim.map_or_else(
        || format!("uid {uid}"),
        |claim| format!("uid {uid} (sudo: {})", shell_word(claim)),
    )
}

/// The users at the end of the period.
#[derive(Default)]
pub struct Users {
    pub summary: Summary,
    pub groups: Groups,
    pub overdue: Listed<UserLine>,
    pub disabled: Listed<UserLine>,
    /// Neither enabled nor disabled, and not required, or not yet.
    pub exempt: Listed<UserLine>,
    /// Users who are enabled by devices of weak kinds only. Those who are overdue stand among the overdue ones too.
    pub weak: Listed<UserLine>,
}

impl Users {
    fn add(&mut self, user: &User, policy: &Policy, at: Timestamp) {
        let line = UserLine::of(user, policy, at);
        self.summary.count(&line);
        self.groups.count(&line);
        if line.weak {
            self.weak.add(MAX_USERS, || UserLine::of(user, policy, at));
        }
        match line.status {
            Status::Enabled if !line.is_overdue() => {}
            _ if line.is_overdue() => self.overdue.add(MAX_USERS, || line),
            Status::Disabled => self.disabled.add(MAX_USERS, || line),
            _ => self.exempt.add(MAX_USERS, || line),
        }
    }
}

/// What the page has.
pub struct Content {
    pub origin: Origin,
    pub period: Period,
    /// The requirement of the configuration, in words.
    pub policy: String,
    /// Whom the numbers and the lists of users leave out, in words.
    pub not_counted: Option<String>,
    /// The options of a list that leaves out the same users.
    pub left_out: LeftOut,
    /// The numbers at the beginning of the period; `None` where the log does not reach back.
    pub start: Option<Point>,
    pub end: Point,
    pub history: CoverageHistory,
    pub users: Users,
    pub activity: Activity,
    /// `None` if it was not verified.
    pub log: Option<VerifyLogRecord>,
    /// `None` for a damaged log.
    pub anchor: Option<Anchor>,
}

/// The numbers over time alone.
pub fn history(
    app: &mut App<'_>,
    times: (Option<Timestamp>, Option<Timestamp>),
    left_out: &LeftOut,
    now: Timestamp,
) -> Result<(Period, CoverageHistory)> {
    let mut store = app.reader()?;
    let mut snapshot = store.read()?;
    let period = Period::locate(&mut snapshot, times.0, times.1, now)?;
    let policy = app.config.policy.clone();
    left_out.require_known(&mut snapshot, &policy)?;
    let mut today = Today::new(&policy);
    snapshot.users(Order::default(), &mut |user| {
        if today.takes(&user, left_out) {
            today.summary.count(&UserLine::of(&user, &policy, now));
        }
        Ok(())
    })?;
    let (_, _, history) = course(&mut snapshot, &period, today, now)?;
    Ok((period, history))
}

/// The users as they are now, from whom the course of the numbers is led back.
struct Today {
    summary: Summary,
    users: EarlierCoverage,
    /// Who is in a group that is left out today. The log has no groups of removed users, so that those count.
    but: BTreeSet<Id>,
}

impl Today {
    fn new(policy: &Policy) -> Self {
        let users = EarlierCoverage::new(policy.strong.clone());
        Self { summary: Summary::default(), users, but: BTreeSet::new() }
    }

    /// Whether the user counts.
    fn takes(&mut self, user: &User, left_out: &LeftOut) -> bool {
        let counts = !left_out.has(user);
        if counts {
            self.users.enter(user);
        } else {
            self.but.insert(user.id);
        }
        counts
    }
}

/// The numbers at the beginning, at the end, and between.
fn course(
    snapshot: &mut ReadTx<'_>,
    period: &Period,
    mut today: Today,
    now: Timestamp,
) -> Result<(Option<Point>, Point, CoverageHistory)> {
    let Summary { users, enabled, weak, .. } = today.summary;
    let numbers = Numbers::new(users, enabled, enabled.saturating_sub(weak));
    let mut steps = Vec::new();
    snapshot.log().coverage_events(&mut |event| {
        if event.user.is_some_and(|user| today.but.contains(&user)) {
            return Ok(());
        }
        let (before, after) = today.users.take_back(CoverageChange {
            user: event.user,
            is_removal: event.is_removal,
            was_status: &event.was_status,
            status: &event.status,
            was: event.was.as_deref(),
        });
        steps.extend(CoverageStep::new(event.seq, event.at, before, after));
        Ok(())
    })?;
    let mut start = NumbersAfter::new(period.events.after, numbers);
    let mut end = NumbersAfter::new(period.events.last, numbers);
    let mut changes = CoverageChanges::new(period.store_created_at, now);
    for step in steps.iter().rev() {
        start.take_back(step);
        end.take_back(step);
        changes.add(step);
    }
    let start = period.is_start_known().then(|| start.at(period.since));
    let end = end.at(period.last_second());
    let since = period.since.max(period.log_begins_at.unwrap_or(period.since));
    let mut history = changes.history(numbers, Some(since), end);
    // The line begins with the period, unless that is before the first user.
    if let Some(start) = start.filter(|start| start.users > 0)
        && history.points.first().is_some_and(|first| start.at < first.at)
    {
        history.points.insert(0, start);
    }
    Ok((start, end, history))
}

pub fn read(
    app: &mut App<'_>,
    times: (Option<Timestamp>, Option<Timestamp>),
    left_out: &LeftOut,
    now: Timestamp,
    with_log: bool,
) -> Result<Content> {
    let policy = app.config.policy.clone();
    let mut store = app.reader()?;
    let origin = Origin::of(app, store.identity().store.to_string(), now);
    let mut snapshot = store.read()?;
    let period = Period::locate(&mut snapshot, times.0, times.1, now)?;
    left_out.require_known(&mut snapshot, &policy)?;
    let (mut today, mut users) = (Today::new(&policy), Users::default());
    snapshot.users(Order::default(), &mut |user| {
        if !today.takes(&user, left_out) {
            return Ok(());
        }
        if period.is_over {
            today.summary.count(&UserLine::of(&user, &policy, now));
        } else {
            users.add(&user, &policy, now);
        }
        Ok(())
    })?;
    if period.is_over {
        let at = period.last_second();
        let nameless = users_after(&mut snapshot, period.events.last, &mut |user| {
            if !today.but.contains(&user.id) {
                users.add(&user, &policy, at);
            }
            Ok(())
        })?;
        users.summary.nameless = nameless;
    } else {
        today.summary.clone_from(&users.summary);
    }
    users.summary = users.summary.with_coverage();
    let (start, end, history) = course(&mut snapshot, &period, today, now)?;
    let activity = Activity::read(&mut snapshot, period.events)?;
    drop(snapshot);
    // After the snapshot, so that the verified log has every event of this report.
    let proof = if with_log { Some(audit::prove_log(app, &[])?) } else { None };
    let whole = proof.as_ref().filter(|proof| proof.problem().is_none());
    let anchor = whole.map(|proof| Anchor { store: proof.store, head: proof.head, at: now });
    let log = proof.as_ref().map(|proof| VerifyLogRecord::new(proof, 0));
    let policy = format!("{}{}", policy_words(&policy), strong_words(&policy.strong));
    let not_counted = (!left_out.is_empty()).then(|| {
        format!(
            "the members of {left_out}, as they are now; changes to them are listed nevertheless"
        )
    });
    Ok(Content {
        origin,
        period,
        policy,
        not_counted,
        left_out: left_out.clone(),
        start,
        end,
        history,
        users,
        activity,
        log,
        anchor,
    })
}

/// Which kinds are strong, where that is not the default.
fn strong_words(strong: &StrongKinds) -> String {
    if *strong == StrongKinds::default() {
        return String::new();
    }
    let mut words = format!("; strong kinds of devices: {}", strong.for_all.join(", "));
    for (group, kinds) in &strong.by_group {
        let _ = write!(words, "; for the group {}: {}", quoted(group), kinds.join(", "));
    }
    words
}

fn policy_words(policy: &Policy) -> String {
    let named =
        |groups: &[String]| groups.iter().map(|group| quoted(group)).collect::<Vec<_>>().join(", ");
    let whom = match &policy.scope {
        Scope::Nobody => return "by the configuration, MFA is required of nobody".to_owned(),
        Scope::Everybody => "everybody".to_owned(),
        Scope::Groups(groups) => format!("the groups {}", named(groups)),
    };
    let except = match policy.except_groups.as_slice() {
        [] => String::new(),
        groups => format!(" except the groups {}", named(groups)),
    };
    let since = policy.since.map_or_else(String::new, |since| format!(", since {since}"));
    let grace = match policy.grace {
        Span(0) => String::new(),
        grace => format!(", with {grace} to enrol"),
    };
    format!("by the configuration, MFA is required of {whom}{except}{since}{grace}")
}

/// One document, with a schema.
#[derive(Serialize)]
pub struct Document<'c> {
    schema: &'static str,
    output: Option<&'c str>,
    users: u64,
    coverage: f64,
    since: Timestamp,
    until: Timestamp,
    is_over: bool,
    not_covered: Option<String>,
    policy: &'c str,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_counted: Option<&'c str>,
    at_start: Option<Figures>,
    at_end: Figures,
    course: Vec<Figures>,
    summary: &'c Summary,
    groups: Vec<GroupLine>,
    overdue: &'c Listed<UserLine>,
    disabled: &'c Listed<UserLine>,
    exempt: &'c Listed<UserLine>,
    weak: &'c Listed<UserLine>,
    #[serde(flatten)]
    activity: &'c Activity,
    log: Option<&'c VerifyLogRecord>,
    anchor: Option<String>,
    #[serde(flatten)]
    origin: &'c Origin,
}

#[derive(Serialize)]
struct Figures {
    at: Timestamp,
    users: u64,
    enabled: u64,
    covered: u64,
    coverage: f64,
}

impl Figures {
    fn of(point: &Point) -> Self {
        let Point { at, users, enabled, covered } = *point;
        Self { at, users, enabled, covered, coverage: (point.coverage() * 100.0).floor() / 100.0 }
    }
}

fn group_line((group, summary): (&str, &Summary)) -> GroupLine {
    GroupLine { group: Some(group.to_owned()), summary: summary.clone().with_coverage() }
}

impl Content {
    pub fn document<'c>(&'c self, output: Option<&'c str>) -> Document<'c> {
        let end = Figures::of(&self.end);
        Document {
            schema: "mfactl.report/1",
            output,
            users: end.users,
            coverage: end.coverage,
            since: self.period.since,
            until: self.period.until,
            is_over: self.period.is_over,
            not_covered: self.period.gap(),
            policy: &self.policy,
            not_counted: self.not_counted.as_deref(),
            at_start: self.start.as_ref().map(Figures::of),
            at_end: end,
            course: self.history.points.iter().map(Figures::of).collect(),
            summary: &self.users.summary,
            groups: self.users.groups.all().map(group_line).collect(),
            overdue: &self.users.overdue,
            disabled: &self.users.disabled,
            exempt: &self.users.exempt,
            weak: &self.users.weak,
            activity: &self.activity,
            log: self.log.as_ref(),
            anchor: self.anchor.as_ref().map(ToString::to_string),
            origin: &self.origin,
        }
    }
}
