//! What `me` answers.

use serde::Serialize;
use zeroize::Zeroizing;

use super::input::Wanted;
use crate::app::App;
use crate::authenticate::code::Evaluation;
use crate::authenticate::sign_in::{SignInResult, USED_CODE};
use crate::commands::sign_in::SignInReport;
use crate::domain::authenticate::Outcome;
use crate::domain::code_source::CodeSource;
use crate::domain::device::DeviceState;
use crate::domain::name::UserName;
use crate::domain::policy::Requirement;
use crate::domain::recovery::RecoverySet;
use crate::domain::self_service::{OwnAct, Session};
use crate::domain::sign_in::SignInOutcome;
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};
use crate::operate::change::ChangeResult;
use crate::report::{Fields, Record};
use crate::texts::{Text, Texts};

#[derive(Serialize)]
pub struct MeReport {
    schema: &'static str,
    user: String,
    /// As `sign-in` has it.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    locked_until: Option<Timestamp>,
    act: Option<&'static str>,
    changed: bool,
    /// Absent where the user was turned away.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<OwnStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consequences: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<OwnDevice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub codes: Option<Vec<Zeroizing<String>>>,
    #[serde(skip)]
    message: String,
}

#[derive(Serialize)]
pub struct OwnStatus {
    status: Status,
    required: bool,
    devices: Vec<OwnDeviceLine>,
    recovery_codes_left: usize,
    /// What the user may do now.
    acts: Vec<&'static str>,
}

#[derive(Serialize)]
struct OwnDeviceLine {
    device: String,
    kind: &'static str,
    state: &'static str,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
    /// The unused codes of a printed list.
    #[serde(skip_serializing_if = "Option::is_none")]
    codes_left: Option<usize>,
    /// When a pending device can no longer be confirmed.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
}

/// The secret of a new device.
#[derive(Serialize)]
pub struct OwnDevice {
    pub device: String,
    pub secret: Zeroizing<String>,
    pub uri: Zeroizing<String>,
}

/// The acts that the configuration turns on and that this user may do now.
pub fn offered(app: &App<'_>, session: &Session, user: &User) -> Vec<OwnAct> {
    let is_optional = app.config.policy.requirement(user) == Requirement::Optional;
    let has_device = user.live().next().is_some();
    let is_possible = |act: &OwnAct| match act {
        OwnAct::AddDevice => true,
        OwnAct::SwitchOff => is_optional && has_device,
        _ => has_device,
    };
    let offered = app.config.self_service.acts().filter(is_possible);
    offered.filter(|act| session.permit(user, *act).is_ok()).collect()
}

/// The lines that describe a user to themselves.
pub fn lines(app: &App<'_>, texts: Texts, user: &User) -> Vec<String> {
    let mut lines = vec![mfa_is(texts, user)];
    let zone = app.env.zone_for_people();
    for device in user.live() {
        let last = match device.last_used_at {
            Some(last) => texts.fill(Text::LastUsed, &[("date", &texts.date_in(&zone, last))]),
            None => texts.text(Text::NeverUsed).to_owned(),
        };
        let state = match device.state {
            DeviceState::Active { .. } => Text::DeviceActive,
            DeviceState::Pending(_) => Text::DevicePending,
            _ => Text::DeviceDisabled,
        };
        let values = [
            ("device", device.label.as_str()),
            ("state", texts.text(state)),
            ("kind", texts.device_kind(CodeSource::of(device))),
            ("last", &last),
        ];
        lines.push(format!("  {}", texts.fill(Text::DeviceLine, &values)));
    }
    if let Some(left) = user.recovery.as_ref().map(RecoverySet::left) {
        let codes = texts.counted(left, Text::RecoveryCode, Text::RecoveryCodes);
        lines.push(format!("  {}", texts.fill(Text::CodesLeft, &[("codes", &codes)])));
    }
    lines
}

fn mfa_is(texts: Texts, user: &User) -> String {
    let values = [("user", user.name.as_str()), ("status", status_word(texts, user.status()))];
    texts.fill(Text::OwnStatus, &values)
}

fn status_word(texts: Texts, status: Status) -> &'static str {
    texts.text(match status {
        Status::Enabled => Text::StatusEnabled,
        Status::Disabled => Text::StatusDisabled,
        Status::Pending => Text::StatusPending,
        Status::NotEnabled => Text::StatusNotEnabled,
    })
}

impl MeReport {
    fn new(name: &UserName, outcome: &'static str, message: String) -> Self {
        Self {
            schema: "mfactl.me/1",
            user: name.to_string(),
            outcome,
            reason: None,
            locked_until: None,
            act: None,
            changed: false,
            status: None,
            consequences: None,
            enrolment: None,
            codes: None,
            message,
        }
    }

    /// The answer of `sign-in`, in its words.
    pub fn turned_away(
        app: &mut App<'_>,
        texts: Texts,
        name: &UserName,
        done: &SignInResult,
    ) -> Self {
        let answer = SignInReport::new(app, texts, name, done);
        if done.step == SignInOutcome::PasswordChangeRequired {
            app.note(texts.text(Text::HintNewPassword));
        }
        let mut report = Self::new(name, done.step.word(), answer.message);
        (report.reason, report.locked_until) = (answer.reason, answer.locked_until);
        report
    }

    pub fn status(
        app: &App<'_>,
        texts: Texts,
        session: &Session,
        user: &User,
        done: &SignInResult,
    ) -> Self {
        let devices: Vec<_> = user.live().map(|device| device.label.to_string()).collect();
        let message = match devices.len() {
            0 => mfa_is(texts, user),
            n => {
                let values = [
                    ("user", user.name.as_str()),
                    ("status", status_word(texts, user.status())),
                    ("devices", &texts.counted(n, Text::Device, Text::Devices)),
                    ("list", &devices.join(", ")),
                ];
                texts.fill(Text::OwnStatusDevices, &values)
            }
        };
        let mut report = Self::new(&user.name, done.step.word(), message);
        report.status = Some(OwnStatus::new(app, session, user, done.at));
        report
    }

    /// The next code was not accepted. As at a sign-in, the reason says of a used one that it was used.
    pub fn second_refused(
        app: &App<'_>,
        texts: Texts,
        name: &UserName,
        act: OwnAct,
        proved: &Evaluation,
    ) -> Self {
        let (outcome, until) = match proved.outcome {
            Outcome::Locked { until } => ("locked", until),
            _ => ("rejected", None),
        };
        let message = match until {
            Some(until) => {
                let time = texts.end_of_wait(&app.env.zone_for_people(), until, proved.at);
                texts.fill(Text::LockedUntil, &[("user", name.as_str()), ("time", &time)])
            }
            None if outcome == "locked" => {
                texts.fill(Text::LockedForGood, &[("user", name.as_str())])
            }
            None => texts.fill(Text::Rejected, &[("user", name.as_str())]),
        };
        let mut report = Self::new(name, outcome, message);
        (report.act, report.locked_until) = (Some(act.word()), until);
        let is_used = matches!(proved.outcome, Outcome::Replayed { .. });
        report.reason = is_used.then_some(USED_CODE);
        report
    }

    pub fn done(
        app: &App<'_>,
        session: &Session,
        wanted: &Wanted,
        done: &ChangeResult,
        message: String,
    ) -> Self {
        let mut report = Self::new(&done.user.name, "accepted", message);
        report.act = Some(wanted.act.word());
        report.changed = done.changed;
        report.status = Some(OwnStatus::new(app, session, &done.user, done.at));
        report.consequences = Some(done.consequences.clone());
        report
    }
}

impl OwnStatus {
    fn new(app: &App<'_>, session: &Session, user: &User, now: Timestamp) -> Self {
        let devices = user.live().map(|device| OwnDeviceLine {
            device: device.label.to_string(),
            kind: device.factor.kind(),
            state: device.state.word(),
            created_at: device.created_at,
            last_used_at: device.last_used_at,
            codes_left: device.codes_left(),
            expires_at: device.expires_at(),
        });
        Self {
            status: user.status(),
            required: app.config.policy.requirement(user).is_in_force(now),
            devices: devices.collect(),
            recovery_codes_left: user.recovery.as_ref().map_or(0, RecoverySet::left),
            acts: offered(app, session, user).into_iter().map(OwnAct::word).collect(),
        }
    }
}

impl Record for MeReport {
    const COLUMNS: &'static [&'static str] = &["user", "outcome", "act", "changed", "locked_until"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.text(self.outcome);
        f.maybe_text(self.act);
        f.flag(self.changed);
        f.maybe_value(self.locked_until);
    }

    fn sentence(&self) -> String {
        self.message.clone()
    }
}
