//! `mfactl bypass`

mod many;

use std::ops::RangeInclusive;

use anyhow::Result;
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Verb;
use crate::app::{App, OpenStore};
use crate::commands::bulk::BulkChange;
use crate::commands::bypass::many::{BypassEach, RevokeEach};
use crate::commands::operator_options::{OperatorOptions, not_confirmed};
use crate::commands::targets::{Target, Targets};
use crate::commands::user_change::joined;
use crate::domain::authenticate::Keys as _;
use crate::domain::backup_code::{BackupCode, BackupCodeKind};
use crate::domain::bypass;
use crate::domain::consequences::consequences;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Id;
use crate::domain::text::{counted, refuse};
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Changed, Status, User};
use crate::keyring::Vault;
use crate::operate;
use crate::operate::UserList;
use crate::operate::change::{ChangeRequest, ChangeResult};
use crate::report::{Fields, Record, Report, Verdict};
use crate::show::show_once::{OnceText, ShowOnceOptions, Shown, show_text, write_before_commit};
use crate::texts::Texts;

/// How many uses a code can have.
const USES: RangeInclusive<u32> = 1..=20;

/// Give a user a temporary code to use in place of a device
///
/// The code is accepted wherever a code is asked for, even from a user without a device. It expires
/// by itself and is shown once. A user has at most one bypass code: a new one replaces the old one.
/// Asks first at a terminal; a script is not asked.
#[derive(Args, Debug)]
pub struct Bypass {
    #[command(flatten)]
    targets: Targets,
    /// Lifetime, e.g. 1h (limit: `policy.bypass_for`)
    #[arg(long = "for", value_name = "SPAN", required_unless_present = "revoke")]
    span: Option<String>,
    /// Maximum number of uses, 1 to 20 [default: 1]
    ///
    /// Left out, it is asked for at a terminal, unless --yes is given.
    #[arg(long, value_name = "N", value_parser = super::whole_number::within::<u32>(USES))]
    uses: Option<u32>,
    /// Start time, e.g. 2026-03-01T08:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    starts: Option<String>,
    /// Revoke the current bypass code
    #[arg(long, conflicts_with_all = ["span", "uses", "starts", "output"])]
    revoke: bool,
    /// Skip the confirmation
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    show: ShowOnceOptions,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct BypassReport {
    schema: &'static str,
    user: String,
    starts_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    uses: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Zeroizing<String>>,
    changed: bool,
    consequences: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip)]
    message: String,
}

impl Verb for Bypass {
    const NAME: &'static str = "bypass";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl bypass alice --for 1h --ticket HELP-1234",
        "mfactl bypass alice --for 8h --uses 3 --starts 2026-03-02T08:00:00Z",
        "mfactl bypass --from names.txt --for 8h --output codes.csv",
        "mfactl bypass alice --revoke",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let name = match self.targets.resolve(app)? {
            Target::One(name) => name,
            Target::Many(list) => return self.run_many(app, list),
        };
        let mut act = self.operator.act(app, Self::NAME, &name, None)?;
        act.fields.push(if self.revoke { "revoked" } else { "made" });
        let dry_run = act.dry_run;
        let Some(span) = self.span(app)? else { return revoke(app, &act, self.yes) };
        let starts = self.starts()?;
        let mut opened = app.open_store()?;
        let before = opened.read_user(&name)?;
        check_not_disabled(&before)?;
        let now = app.env.clock.now()?;
        let uses = self.uses(app, &mut opened, &before, dry_run)?;
        let terms = self.terms(span, starts, now, uses)?;
        let Terms { starts_at, expires_at, .. } = terms;
        act.details = terms.details();
        let code = BackupCode::new(BackupCodeKind::Bypass, &app.env.random()?);
        let id = Id::new(app.env.random()?);
        let reveal = self.show.reveal_secrets && !dry_run;
        let report = |replaces: bool, done: &ChangeResult| BypassReport {
            schema: "mfactl.bypass/1",
            user: name.to_string(),
            starts_at: Some(starts_at),
            expires_at: Some(expires_at),
            uses,
            code: reveal.then(|| code.grouped()),
            changed: done.changed,
            consequences: done.consequences.clone(),
            dry_run,
            message: {
                let then = joined(&done.consequences);
                let most = counted(uses, "use");
                match (dry_run, replaces) {
                    (true, false) => format!(
                        "{name}: would get a bypass code for {most} until {expires_at}{then}; nothing was changed"
                    ),
                    (true, true) => format!(
                        "{name}: would get a bypass code for {most} until {expires_at}, and the current one would be void{then}; nothing was changed"
                    ),
                    (false, _) => {
                        let before = if replaces { "; the previous one is void" } else { "" };
                        format!("{name}: a bypass code for {most} until {expires_at}{before}{then}")
                    }
                }
            },
        };
        let change = |before: User, vault: &Vault| terms.given_to(before, (id, &code), vault);
        let (mut kept, mut is_delivered) = (None, false);
        if !dry_run {
            let once = self.show.choose_output(app, "the bypass code")?;
            if !self.yes && app.can_ask() {
                let after = change(before.clone(), &opened.vault);
                let said = consequences(Some(&before), &after, &app.config.policy, now);
                let question = question(&before, uses, expires_at, now);
                if !operate::ask_about(app, &mut opened, &before, &said, &question)? {
                    return Ok(not_confirmed(app));
                }
            }
            is_delivered = once.is_document();
            if is_delivered {
                let after = change(before.clone(), &opened.vault);
                let expected = ChangeResult::of(&before, after, &app.config.policy, now);
                write_before_commit(app, &report(false, &expected))?;
            } else {
                let text = Zeroizing::new(format!("\n    {}\n\n", &*code.grouped()));
                let about = format!(
                    "Bypass code of {name}, in place of a code from the phone: {} until {expires_at}. Tell it to \
                     {name} only.",
                    counted(uses, "use")
                );
                kept = Some(show_text(
                    app,
                    once,
                    OnceText { about, text, texts: Texts::FOR_OPERATORS },
                )?);
            }
        }
        let mut replaces = false;
        let done = operate::change_user(app, &mut opened, &act, |before, now, vault| {
            check_not_disabled(&before)?;
            replaces = before.bypass.as_ref().is_some_and(|bypass| !bypass.is_over(now));
            Ok(Changed { user: change(before, vault), touched: Vec::new() })
        });
        let void = "the code that was shown is not in force";
        let done = match done {
            Ok(done) => done,
            Err(error) => return Err(Shown::after_failure(kept, void, error)),
        };
        if let Some(kept) = kept {
            kept.keep(app);
        }
        if is_delivered {
            return Ok(Report::empty(Verdict::Yes));
        }
        Ok(Report::one(report(replaces, &done), Verdict::Yes).requires_delivery(reveal))
    }
}

/// How long a code is good, and how often.
#[derive(Clone, Copy)]
pub struct Terms {
    pub starts_at: Timestamp,
    pub expires_at: Timestamp,
    pub uses: u32,
}

impl Terms {
    /// Such as "a code for 2 uses until …".
    pub fn words(&self) -> String {
        format!("a code for {} until {}", counted(self.uses, "use"), self.expires_at)
    }

    pub fn details(&self) -> Vec<(&'static str, String)> {
        vec![
            ("starts_at", self.starts_at.to_string()),
            ("expires_at", self.expires_at.to_string()),
            ("uses", self.uses.to_string()),
        ]
    }

    /// The user with the code in place of the one that they had.
    pub fn given_to(&self, user: User, (id, code): (Id, &BackupCode), vault: &Vault) -> User {
        let Self { starts_at, expires_at, uses } = *self;
        let tag = vault.backup_code_tag(user.id, id, code);
        let bypass = Some(bypass::BypassCode { id, tag, starts_at, expires_at, uses });
        User { bypass, ..user }
    }
}

impl Bypass {
    fn starts(&self) -> Result<Option<Timestamp>, Refusal> {
        self.starts.as_deref().map(|t| Timestamp::parse("--starts", t)).transpose()
    }

    /// The code is shown before the store is locked, so its times are fixed before: the times that are shown and the
    /// times that are stored must agree.
    fn terms(
        &self,
        span: Span,
        starts: Option<Timestamp>,
        now: Timestamp,
        uses: u32,
    ) -> Result<Terms, Refusal> {
        let starts_at = starts.unwrap_or(now);
        let expires_at = starts_at.plus(span);
        if expires_at <= now {
            let problem = "is so early that the code would have expired already";
            let typed = self.starts.as_deref().unwrap_or_default();
            return Err(refuse("--starts", typed, problem).hint("leave it out to start now"));
        }
        Ok(Terms { starts_at, expires_at, uses })
    }

    fn run_many(&self, app: &mut App<'_>, list: UserList) -> Result<Report> {
        let (max_changes, operator) = (self.targets.max_changes(), &self.operator);
        let Some(span) = self.span(app)? else {
            let bulk = BulkChange { list, max_changes, operator, yes: self.yes };
            let opened = app.open_store()?;
            return bulk.run(app, opened, &mut RevokeEach);
        };
        let starts = self.starts()?;
        let now = app.env.clock.now()?;
        let terms = self.terms(span, starts, now, self.uses.unwrap_or(1))?;
        let codes = BypassEach::codes(app, list.names.len())?;
        let bulk = BulkChange { list, max_changes, operator, yes: self.yes };
        let opened = app.open_store()?;
        bulk.run(app, opened, &mut BypassEach { terms, codes, show: &self.show })
    }

    fn span(&self, app: &mut App<'_>) -> Result<Option<Span>> {
        let Some(text) = &self.span else { return Ok(None) };
        let span = Span::parse("--for", text)?;
        let limit = app.config.bypass_for;
        if span > limit {
            let problem = format!("{span} is longer than {limit}, the longest allowed");
            return Err(Refusal::bad_input("--for", problem)
                .hint("policy.bypass_for in the configuration sets the limit")
                .into());
        }
        Ok(Some(span))
    }
}

impl Bypass {
    /// How often the code may be used: as the command line says, else as a person at a terminal says, else once.
    fn uses(
        &self,
        app: &mut App<'_>,
        opened: &mut OpenStore,
        user: &User,
        is_dry: bool,
    ) -> Result<u32> {
        if let Some(uses) = self.uses {
            return Ok(uses);
        }
        if self.yes || is_dry || !app.can_ask() {
            return Ok(1);
        }
        operate::show_person(app, opened, user)?;
        let mut question = "How many times may it be used? [1]".to_owned();
        loop {
            let answer = app.person("give --uses")?.line(&question)?;
            match answer.trim() {
                "" => return Ok(1),
                text => match text.parse() {
                    Ok(number) if USES.contains(&number) => return Ok(number),
                    _ => question = format!("Please answer {} to {} [1]", USES.start(), USES.end()),
                },
            }
        }
    }
}

fn question(before: &User, uses: u32, expires_at: Timestamp, now: Timestamp) -> String {
    let void = match &before.bypass {
        Some(bypass) if !bypass.is_over(now) => ", and void the one of now",
        _ => "",
    };
    format!("Make a bypass code for {} until {expires_at}{void}?", counted(uses, "use"))
}

/// Removes the current bypass code.
fn revoke(app: &mut App<'_>, act: &ChangeRequest<'_>, yes: bool) -> Result<Report> {
    let mut opened = app.open_store()?;
    if !yes && !act.dry_run && app.can_ask() {
        let question = |_: &User, _: &User| "Revoke the bypass code?".to_owned();
        let change = |user: User, _| Ok(without(user));
        if !operate::confirm_change(app, &mut opened, act.name, question, change)? {
            return Ok(not_confirmed(app));
        }
    }
    let done = operate::change_user(app, &mut opened, act, |before, _, _| Ok(without(before)))?;
    let name = &done.user.name;
    let report = BypassReport {
        schema: "mfactl.bypass/1",
        user: name.to_string(),
        starts_at: None,
        expires_at: None,
        uses: 0,
        code: None,
        changed: done.changed,
        message: match (done.changed, act.dry_run) {
            (false, _) => format!("{name}: has no bypass code; nothing to change"),
            (true, true) => {
                format!("{name}: dry run; would say: {}", done.consequences.join("; "))
            }
            // That the code is void is one of them.
            (true, false) => format!("{name}: {}", done.consequences.join("; ")),
        },
        consequences: done.consequences,
        dry_run: act.dry_run,
    };
    Ok(Report::one(report, Verdict::Yes))
}

fn without(user: User) -> Changed {
    Changed { user: User { bypass: None, ..user }, touched: Vec::new() }
}

/// A disabled user's codes are refused, so a bypass code would be of no use.
fn check_not_disabled(user: &User) -> Result<(), Refusal> {
    if user.status() == Status::Disabled { Err(user.disabled_refusal()) } else { Ok(()) }
}

impl Record for BypassReport {
    const COLUMNS: &'static [&'static str] =
        &["user", "starts_at", "expires_at", "uses", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.user);
        f.maybe_value(self.starts_at);
        f.maybe_value(self.expires_at);
        f.value(self.uses);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        self.message.clone()
    }
}
