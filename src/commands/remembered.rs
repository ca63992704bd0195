//! `mfactl remembered`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::commands::operator_options::OperatorOptions;
use crate::commands::targets::{Target, Targets};
use crate::commands::user_change::{self, UserChange};
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::remembered::{RememberedLogin, RememberedLogins};
use crate::domain::service_rules::Services;
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::report::{Cell, Fields, Record, Report, Verdict};

/// List from where a user needs no code for a while, and revoke that
///
/// Login services with the rule `remember` ask for no further code from the same host until the time
/// that is listed. A login that does not count now may count again: the rules of this machine give its
/// service no `remember` or a shorter one, or the clock was ahead when it was written. With --revoke
/// the next login needs a code everywhere.
#[derive(Args, Debug)]
pub struct Remembered {
    #[command(flatten)]
    targets: Targets,
    /// Forget all of it
    #[arg(long)]
    revoke: bool,
    /// With --from: skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    operator: OperatorOptions,
}

impl Verb for Remembered {
    const NAME: &'static str = "remembered";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl remembered alice", "mfactl remembered alice --revoke --ticket HELP-1234"];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        if self.revoke {
            return user_change::run(app, &self.targets, &self.operator, self.yes, &Forgetting);
        }
        match self.targets.resolve(app)? {
            Target::One(name) => list(app, &name),
            Target::Many(_) => Err(Refusal::new(ErrorCode::Usage, "--from needs --revoke")
                .hint("name one user to list where they are remembered")
                .into()),
        }
    }
}

/// Forgets all logins of a user.
struct Forgetting;

impl UserChange for Forgetting {
    const VERB: &'static str = Remembered::NAME;
    const SCHEMA: &'static str = "mfactl.remembered/1";

    fn change(&self, user: User, _now: Timestamp) -> Result<Changed, Refusal> {
        // What seems to be over counts again where the clock is ahead now.
        let remembered = RememberedLogins::default();
        Ok(Changed { user: User { remembered, ..user }, touched: Vec::new() })
    }

    fn summary(&self, _: &User) -> String {
        "the next login needs a code everywhere".to_owned()
    }

    fn unchanged(&self, _: &User, _: bool) -> Option<String> {
        Some("not remembered anywhere".to_owned())
    }

    fn fields(&self) -> Vec<&'static str> {
        vec!["revoked"]
    }
}

/// One login that is remembered.
#[derive(Serialize)]
pub(super) struct ListedLogin {
    service: String,
    host: String,
    since: Timestamp,
    until: Timestamp,
    /// By the rules of this machine's configuration.
    counts: bool,
}

/// Closes the JSON document.
#[derive(Serialize)]
struct LoginCount {
    count: usize,
}

fn list(app: &mut App<'_>, name: &UserName) -> Result<Report> {
    let now = app.env.clock.now()?;
    let user = app.read_user(name)?;
    let logins = ListedLogin::of_user(&user, &app.config.services, now);
    if logins.is_empty() && app.is_for_people() {
        app.note(&format!("{name} is not remembered anywhere"));
    }
    let name = name.to_string();
    Ok(Report::list(Verdict::Yes, move |writer| {
        let preamble = [("schema", "mfactl.remembered-list/1".to_owned()), ("user", name)];
        writer.many(&preamble, "logins", |write| {
            logins.iter().try_for_each(write)?;
            Ok(LoginCount { count: logins.len() })
        })?;
        Ok(Verdict::Yes)
    }))
}

impl ListedLogin {
    /// Those of a user that are not over.
    pub(super) fn of_user(user: &User, services: &Services, now: Timestamp) -> Vec<Self> {
        let of = |login| Self::of(login, services, now);
        user.remembered.lasting(now).map(of).collect()
    }

    fn of(login: &RememberedLogin, services: &Services, now: Timestamp) -> Self {
        let span = services.remembers(&login.service);
        Self {
            service: shown(&login.service).into_owned(),
            host: login.host.to_string(),
            since: login.since,
            until: span.map_or(login.until, |span| login.end(span)),
            counts: span.is_some_and(|span| login.counts(span, now)),
        }
    }
}

impl Record for ListedLogin {
    const COLUMNS: &'static [&'static str] = &["service", "host", "since", "until", "counts"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.service);
        f.text(&self.host);
        f.value(self.since);
        f.value(self.until);
        f.flag(self.counts);
    }

    fn sentence(&self) -> String {
        let Self { service, host, since, until, counts } = self;
        let but = if *counts { "" } else { "; does not count now" };
        format!("{service} from {host}: since {since}, until {until}{but}")
    }

    fn header() -> &'static [&'static str] {
        &["SERVICE", "HOST", "SINCE", "UNTIL", "COUNTS"]
    }

    fn cells(&self) -> Vec<Cell> {
        let (since, until) = (self.since.to_string(), self.until.to_string());
        let counts = if self.counts { "yes" } else { "no" };
        let texts = [self.service.as_str(), &self.host, &since, &until, counts];
        texts.map(Cell::plain).into()
    }
}
