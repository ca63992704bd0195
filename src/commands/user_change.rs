//! A change to a user's state that shows no secret: to one user or to many, with its report.

use anyhow::Result;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::app::App;
use crate::commands::bulk::{BulkChange, BulkVerb};
use crate::commands::operator_options::OperatorOptions;
use crate::commands::operator_options::not_confirmed;
use crate::commands::targets::{Target, Targets};
use crate::domain::device::Device;
use crate::domain::name::{Label, UserName};
use crate::domain::refusal::Refusal;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, Status, User};
use crate::operate;
use crate::operate::bulk::{BulkAct, BulkDecision, BulkMoment};
use crate::operate::change::{ChangeRequest, ChangeResult};
use crate::report::{Fields, Record, Report, Verdict};

/// Whether the change of one user is confirmed. That of many users always is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    Never,
    /// Where somebody is there to ask; scripts go on.
    AtTerminal,
    /// Without --yes it is misuse where nobody is there.
    Always,
}

/// What `disable`, `enable`, `delete` and the like do to a user.
pub trait UserChange {
    const VERB: &'static str;
    const SCHEMA: &'static str;
    fn change(&self, user: User, now: Timestamp) -> Result<Changed, Refusal>;

    fn confirmation(&self) -> Confirmation {
        Confirmation::Never
    }

    /// Whether this user's change is asked about at a terminal, where [`Confirmation::AtTerminal`] is only for some.
    fn is_asked_about(&self, _before: &User, _after: &User) -> bool {
        true
    }

    /// What was done, as in "unlocked"; the user's name and MFA status are added.
    fn summary(&self, after: &User) -> String;

    /// The whole message, where the summary is not enough.
    fn message(&self, _: &ChangeResult, _dry_run: bool) -> Option<String> {
        None
    }

    /// Why nothing changes for a user, as in "not locked", where the status does not say it.
    fn unchanged(&self, _: &User, _required: bool) -> Option<String> {
        None
    }

    /// The question to the operator.
    fn question(&self, _before: &User, after: &User, _now: Timestamp) -> String {
        format!("Change {}?", after.name)
    }

    /// The device named with `--device`.
    fn device(&self) -> Option<&Label> {
        None
    }

    /// Changed fields for the log.
    fn fields(&self) -> Vec<&'static str> {
        Vec::new()
    }
}

/// Changes the users that the arguments name. `yes` skips the confirmation.
pub fn run(
    app: &mut App<'_>,
    targets: &Targets,
    operator: &OperatorOptions,
    yes: bool,
    change: &impl UserChange,
) -> Result<Report> {
    match targets.resolve(app)? {
        Target::One(name) => change_one(app, &name, operator, yes, change),
        Target::Many(list) => {
            let bulk = BulkChange { list, max_changes: targets.max_changes(), operator, yes };
            change_many(app, bulk, change)
        }
    }
}

pub fn change_one<C: UserChange>(
    app: &mut App<'_>,
    name: &UserName,
    operator: &OperatorOptions,
    yes: bool,
    change: &C,
) -> Result<Report> {
    Ok(match carry_out(app, name, operator, yes, change)? {
        Some((_, record)) => Report::one(record, Verdict::Yes),
        None => not_confirmed(app),
    })
}

/// Makes the change, for a verb that adds to the report. `None` if the operator's answer was no.
pub fn carry_out<C: UserChange>(
    app: &mut App<'_>,
    name: &UserName,
    operator: &OperatorOptions,
    yes: bool,
    change: &C,
) -> Result<Option<(ChangeResult, ChangeRecord)>> {
    let request = operator.act(app, C::VERB, name, change.device())?;
    let request = ChangeRequest { fields: change.fields(), ..request };
    let dry_run = request.dry_run;
    let mut opened = app.open_store()?;
    let is_asked = match change.confirmation() {
        Confirmation::AtTerminal if app.can_ask() && !yes && !dry_run => {
            let (user, now) = (opened.read_user(name)?, app.env.clock.now()?);
            // A refusal comes from the question's path too.
            change
                .change(user.clone(), now)
                .map_or(true, |to| change.is_asked_about(&user, &to.user))
        }
        Confirmation::Never | Confirmation::AtTerminal => false,
        Confirmation::Always => true,
    };
    if is_asked && !yes && !dry_run {
        let now = app.env.clock.now()?;
        let question = |before: &User, after: &User| change.question(before, after, now);
        let agreed = operate::confirm_change(app, &mut opened, name, question, |user, now| {
            change.change(user, now)
        })?;
        if !agreed {
            return Ok(None);
        }
    } else if app.can_ask() && !yes && !dry_run {
        let (user, now) = (opened.read_user(name)?, app.env.clock.now()?);
        app.shown.bind(&user)?;
        let would_change = |changed: Changed| changed.user != user;
        if change.change(user.clone(), now).is_ok_and(would_change) {
            operate::show_person(app, &mut opened, &user)?;
        }
    }
    let done = operate::change_user(app, &mut opened, &request, |user, now, _| {
        Ok(change.change(user, now)?)
    })?;
    let mut record = ChangeRecord::new(C::SCHEMA, &done, dry_run, &change.summary(&done.user));
    if let (false, Some(why)) = (done.changed, change.unchanged(&done.user, done.required)) {
        record = record.with_message(format!("{name}: {why}; nothing to change"));
    }
    if let Some(message) = change.message(&done, dry_run) {
        record = record.with_message(message);
    }
    Ok(Some((done, record)))
}

pub fn change_many<C: UserChange>(
    app: &mut App<'_>,
    bulk: BulkChange<'_>,
    change: &C,
) -> Result<Report> {
    let opened = app.open_store()?;
    bulk.run(app, opened, &mut EachUser(change))
}

/// The same change of every user of a list.
struct EachUser<'a, C>(&'a C);

impl<C: UserChange> BulkAct for EachUser<'_, C> {
    const VERB: &'static str = C::VERB;

    fn decide(&self, _: usize, user: User, moment: &BulkMoment<'_>) -> Result<BulkDecision> {
        let changed = self.0.change(user.clone(), moment.at)?;
        Ok(match BulkDecision::update(user, changed, moment) {
            BulkDecision::Already(user, _) => {
                let required = moment.policy.requirement(&user).is_in_force(moment.at);
                let reason = self.0.unchanged(&user, required);
                BulkDecision::Already(user, reason)
            }
            change @ BulkDecision::Change(_) => change,
        })
    }

    fn fields(&self) -> Vec<&'static str> {
        self.0.fields()
    }
}

impl<C: UserChange> BulkVerb for EachUser<'_, C> {
    const SCHEMA: &'static str = C::SCHEMA;
}

/// The report of a change: the user's MFA state after it.
#[derive(Serialize)]
pub struct ChangeRecord {
    schema: &'static str,
    user: String,
    status: Status,
    devices: Vec<DeviceState>,
    locked: bool,
    required: bool,
    password_change_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    temporary_password_until: Option<Timestamp>,
    changed: bool,
    consequences: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temporary_password: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip)]
    message: String,
}

/// One device in the report.
#[derive(Serialize)]
pub struct DeviceState {
    device: String,
    kind: &'static str,
    state: &'static str,
    /// When a pending device can no longer be confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

impl DeviceState {
    /// All devices of a user but the revoked ones.
    pub fn of(user: &User) -> Vec<Self> {
        let summary = |d: &Device| Self {
            device: d.label.to_string(),
            kind: d.factor.kind(),
            state: d.state.word(),
            expires_at: d.expires_at(),
        };
        user.live().map(summary).collect()
    }
}

impl ChangeRecord {
    /// `message` says what was done; the user's name and MFA status are added to it.
    pub fn new(schema: &'static str, done: &ChangeResult, dry_run: bool, message: &str) -> Self {
        let user = &done.user;
        let status = user.status();
        let message = match (done.changed, dry_run) {
            (false, _) => {
                format!("{}: {} already; nothing to change", user.name, status.label())
            }
            (true, true) => {
                let consequences = joined(&done.consequences);
                format!("{}: dry run; would say: {message}{consequences}", user.name)
            }
            (true, false) => {
                let consequences = joined(&done.consequences);
                format!("{}: {message}; MFA is {}{consequences}", user.name, status.label())
            }
        };
        Self {
            schema,
            user: user.name.to_string(),
            status,
            devices: DeviceState::of(user),
            locked: user.locked(done.at).is_some(),
            password_change_required: user.password_change
                != crate::domain::password::PasswordChange::NotRequired,
            required: done.required,
            temporary_password_until: user
                .temporary
                .as_ref()
                .filter(|temporary| temporary.is_good(done.at))
                .map(|temporary| temporary.until),
            changed: done.changed,
            consequences: done.consequences.clone(),
            temporary_password: None,
            dry_run,
            message,
        }
    }

    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }
}

/// The consequences of a change, to follow what was done.
pub fn joined(consequences: &[String]) -> String {
    consequences.iter().flat_map(|consequence| ["; ", consequence]).collect()
}

impl Record for ChangeRecord {
    const COLUMNS: &'static [&'static str] = &[
        "user",
        "status",
        "devices",
        "locked",
        "password_change_required",
        "changed",
        "consequences",
    ];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(self.status.word());
        let devices: Vec<_> =
            self.devices.iter().map(|d| format!("{}:{}", d.device, d.state)).collect();
        f.text(&devices.join(";"));
        f.flag(self.locked);
        f.flag(self.password_change_required);
        f.flag(self.changed);
        f.text(&self.consequences.join("; "));
    }

    fn sentence(&self) -> String {
        self.message.clone()
    }
}
