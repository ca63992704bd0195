//! `mfactl show-user`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use super::list_status::{DeviceLine, TokenDetails, UserLine};
use super::log::{EventLine, OperatorNames};
use super::remembered::ListedLogin;
use crate::app::App;
use crate::commands::operator_options::UserArg;
use crate::domain::device::DeviceState;
use crate::domain::hint::command;
use crate::domain::password::TemporaryPassword;
use crate::domain::policy::Policy;
use crate::domain::text::counted;
use crate::domain::time::Timestamp;
use crate::domain::user::{Language, User};
use crate::report::{Fields, Record, Report, Verdict};
use crate::store::{LogQuery, SubjectFilter};

/// The number of events shown.
const EVENTS: u64 = 10;

/// Show a user's profile, devices, flags and latest events
///
/// Needs no key and writes nothing.
#[derive(Args, Debug)]
pub struct ShowUser {
    #[command(flatten)]
    user: UserArg,
}

#[derive(Serialize)]
struct UserDetails {
    schema: &'static str,
    #[serde(flatten)]
    line: UserLine,
    /// The kinds of devices that are strong for this user.
    strong_kinds: Vec<&'static str>,
    language: Option<&'static str>,
    protected: bool,
    created_at: Timestamp,
    /// Expiry of the temporary password; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    temporary_password_until: Option<Timestamp>,
    #[serde(skip)]
    has_password_ahead: bool,
    #[serde(skip)]
    has_ended_password: bool,
    /// Expiry of the bypass code that is valid now or later.
    bypass_until: Option<Timestamp>,
    /// Its start time and remaining uses.
    bypass_from: Option<Timestamp>,
    bypass_uses: Option<u32>,
    /// From where a login service asks for no code now.
    remembered: Vec<ListedLogin>,
    failures: u32,
    /// Devices kept sealed for undo.
    revoked: Vec<RevokedDevice>,
    events: Vec<EventLine>,
    /// Whether there are older events.
    #[serde(skip)]
    older: Option<String>,
    #[serde(skip)]
    now: Timestamp,
}

#[derive(Serialize)]
struct RevokedDevice {
    device: String,
    revoked_at: Timestamp,
}

impl Verb for ShowUser {
    const NAME: &'static str = "show-user";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl show-user alice", "mfactl show-user --json alice"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = self.user.name(app)?;
        let now = app.env.clock.now()?;
        let user = app.read_user(&name)?;
        let policy = app.config.policy.clone();
        let mut store = app.reader()?;
        let wanted = LogQuery {
            user: Some(SubjectFilter::Id(user.id)),
            last: Some(EVENTS + 1),
            is_newest_first: true,
            ..LogQuery::default()
        };
        let (mut events, mut names) = (Vec::new(), OperatorNames::of(app));
        store.read()?.log().events(&wanted, &mut |event| {
            events.push(EventLine::of(event).named(&mut names));
            Ok(true)
        })?;
        let has_more = events.len() as u64 > EVENTS;
        events.truncate(usize::try_from(EVENTS)?);
        let remembered = ListedLogin::of_user(&user, &app.config.services, now);
        let details = UserDetails::new(&user, &policy, now, events, remembered);
        let all = command("log").option("--user", user.name.as_str()).after("older events: ");
        let older = has_more.then(|| app.words(all));
        Ok(Report::one(UserDetails { older, ..details }, Verdict::Yes))
    }
}

impl UserDetails {
    fn bypass(&self) -> Option<String> {
        let (from, until) = (self.bypass_from?, self.bypass_until?);
        let uses = counted(self.bypass_uses?, "use") + " left";
        Some(if self.now < from {
            format!("valid from {from} until {until}, {uses}")
        } else {
            format!("valid until {until}, {uses}")
        })
    }

    fn weakness(&self) -> Option<String> {
        self.line.weak.then(|| match self.strong_kinds.as_slice() {
            [] => "no kind of device is strong in every one of these groups".to_owned(),
            kinds => format!("no active device of a strong kind: {}", kinds.join(", ")),
        })
    }

    fn new(
        user: &User,
        policy: &Policy,
        now: Timestamp,
        events: Vec<EventLine>,
        remembered: Vec<ListedLogin>,
    ) -> Self {
        let revoked = user.devices.iter().filter_map(|d| match &d.state {
            DeviceState::Revoked(r) => {
                Some(RevokedDevice { device: d.label.to_string(), revoked_at: r.at })
            }
            _ => None,
        });
        let devices = user.live().map(DeviceLine::with_token).collect();
        let bypass = user.bypass.as_ref().filter(|bypass| !bypass.is_over(now));
        Self {
            schema: "mfactl.show-user/1",
            line: UserLine { devices, ..UserLine::of(user, policy, now) },
            strong_kinds: policy.strong.of_groups(&user.profile.groups).into_owned(),
            language: user.profile.language.map(Language::code),
            protected: user.protected,
            created_at: user.created_at,
            bypass_until: bypass.map(|bypass| bypass.expires_at),
            temporary_password_until: user
                .temporary
                .as_ref()
                .filter(|temporary| !temporary.is_ahead_of(now))
                .and_then(TemporaryPassword::expires_at),
            has_ended_password: user.temporary.as_ref().is_some_and(|t| t.expires_at().is_none()),
            has_password_ahead: user.temporary.as_ref().is_some_and(|t| t.is_ahead_of(now)),
            bypass_from: bypass.map(|bypass| bypass.starts_at),
            bypass_uses: bypass.map(|bypass| bypass.uses),
            remembered,
            now,
            failures: user.throttle.failures,
            revoked: revoked.collect(),
            events,
            older: None,
        }
    }
}

impl Record for UserDetails {
    const COLUMNS: &'static [&'static str] = UserLine::COLUMNS;
    fn fields(&self, f: &mut Fields) {
        self.line.fields(f);
    }

    fn sentence(&self) -> String {
        let line = &self.line;
        let mut rows = vec![format!("{}: {}", line.user, line.status.label())];
        let mut row = |name: &str, value: String| {
            if !value.is_empty() {
                rows.push(format!("  {name:12} {value}"));
            }
        };
        let maybe = |t: Option<Timestamp>| t.map_or("never".to_owned(), |t| t.to_string());
        row("name", line.display_name.clone().unwrap_or_default());
        row("e-mail", line.email.clone().unwrap_or_default());
        row("language", self.language.unwrap_or_default().to_owned());
        row("groups", line.groups.join(", "));
        row("protected", if self.protected { "yes".into() } else { String::new() });
        row("MFA required", if line.required { "yes".into() } else { String::new() });
        row("MFA due", line.due_at.map(|t| t.to_string()).unwrap_or_default());
        row("weak", self.weakness().unwrap_or_default());
        row(
            "recovery",
            match line.recovery_codes_left {
                0 => String::new(),
                n => counted(n, "code") + " left",
            },
        );
        row("bypass", self.bypass().unwrap_or_default());
        row(
            "new password",
            if line.password_change_required { "required".into() } else { String::new() },
        );
        row(
            "",
            match self.temporary_password_until {
                Some(end) if end <= self.now => format!("temporary password expired {end}"),
                Some(end) => format!("temporary password until {end}"),
                None if self.has_password_ahead => {
                    "temporary password not good: it was made while the clock was ahead".to_owned()
                }
                None if self.has_ended_password => "temporary password expired".to_owned(),
                None => String::new(),
            },
        );
        row("created", self.created_at.to_string());
        row("last code", maybe(line.last_verified_at));
        if line.locked {
            row(
                "locked",
                line.locked_until.map_or("until unlocked".into(), |t| format!("until {t}")),
            );
        } else if self.failures > 0 {
            row("failures", self.failures.to_string());
        }
        for d in &line.devices {
            let what = format!("{}: {} ({}), since {}", d.device, d.state, d.kind, d.created_at);
            let more = match d.expires_at {
                Some(end) if end <= self.now => format!("expired unconfirmed {end}"),
                Some(_) if d.created_at.is_ahead_of(self.now) => {
                    "not to be confirmed: it was made while the clock was ahead".to_owned()
                }
                Some(end) => format!("expires {end} unless confirmed"),
                None => format!("last used {}", maybe(d.last_used_at)),
            };
            let token = d.token.as_ref().map_or_else(String::new, TokenDetails::words);
            let token = if token.is_empty() { token } else { format!(", {token}") };
            let left =
                d.codes_left.map_or_else(String::new, |n| format!(", {} left", counted(n, "code")));
            let more = d.mark.as_ref().map_or(more, |mark| format!("not verified here: {mark}"));
            row("device", format!("{what}, {more}{token}{left}"));
        }
        for login in &self.remembered {
            row("remembered", login.sentence());
        }
        for r in &self.revoked {
            row("device", format!("{}: revoked {}", r.device, r.revoked_at));
        }
        for e in &self.events {
            row("event", e.description());
        }
        if let Some(older) = &self.older {
            row("", older.clone());
        }
        rows.join("\n")
    }
}
