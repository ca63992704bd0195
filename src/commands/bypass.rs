//! `mfactl bypass`

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use zeroize::Zeroizing;

use super::Verb;
use super::protection::{OperatorOptions, Target};
use crate::domain::bypass;
use crate::domain::refusal::Refusal;
use crate::domain::secret::Id;
use crate::domain::spare::{Spare, SpareCode};
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{Changed, Status, User};
use crate::enrolment::once::{OnceOptions, deliver};
use crate::report::{Fields, Record, Report, Verdict};
use crate::session::Session;

/// Hand out a temporary code, for hours and a few uses
///
/// It is good where a code is asked for, also for a user without a device, and ends by itself. One a
/// user: a new one ends the one before. It is shown once.
#[derive(Args, Debug)]
pub struct Bypass {
    #[command(flatten)]
    target: Target,
    /// How long it is good, such as 1h; at most `policy.bypass_for`
    #[arg(long = "for", value_name = "SPAN", required_unless_present = "revoke")]
    span: Option<String>,
    /// How often it is good, 1 to 20
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20))]
    uses: u32,
    /// From when on, such as 2026-03-01T08:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    starts: Option<String>,
    /// End the one that is there
    #[arg(long, conflicts_with_all = ["span", "uses", "starts", "output"])]
    revoke: bool,
    #[command(flatten)]
    show: OnceOptions,
    #[command(flatten)]
    operator: OperatorOptions,
}

#[derive(Serialize)]
struct Given {
    schema: &'static str,
    user: String,
    starts_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    uses: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Zeroizing<String>>,
    changed: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
    #[serde(skip)]
    words: String,
}

impl Verb for Bypass {
    const NAME: &'static str = "bypass";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl bypass alice --for 1h --ticket HELP-1234",
        "mfactl bypass alice --for 8h --uses 3 --starts 2026-03-02T08:00:00Z",
        "mfactl bypass alice --revoke",
    ];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        let name = self.target.name()?;
        let mut act = self.operator.act(session, Self::NAME, &name, None)?;
        act.fields.push(if self.revoke { "revoked" } else { "made" });
        let dry_run = act.dry_run;
        let Some(span) = self.span(session)? else { return revoke(session, &act) };
        let starts = self.starts.as_deref().map(|t| Timestamp::parse("--starts", t)).transpose()?;
        allowed(&session.look(&name)?)?;
        // What was shown is what is in force, so the moment is settled before it is shown.
        let now = session.env.clock.now()?;
        let starts_at = starts.unwrap_or(now);
        let expires_at = starts_at.plus(span);
        if expires_at <= now {
            return Err(Refusal::bad_input("--starts", "lies so far back that it is over")
                .hint("leave it out to start now")
                .into());
        }
        act.terms = vec![
            ("starts_at", starts_at.to_string()),
            ("expires_at", expires_at.to_string()),
            ("uses", self.uses.to_string()),
        ];
        let code = SpareCode::new(Spare::Bypass, &session.env.random()?);
        let id = Id::new(session.env.random()?);
        let mut opened = session.opened()?;
        let reveal = self.show.reveal_secrets && !dry_run;
        let uses = self.uses;
        let given = |voids: bool, changed| Given {
            schema: "mfactl.bypass/1",
            user: name.to_string(),
            starts_at: Some(starts_at),
            expires_at: Some(expires_at),
            uses,
            code: reveal.then(|| code.grouped()),
            changed,
            dry_run,
            words: match (dry_run, voids) {
                (true, false) => {
                    format!(
                        "{name}: would get a bypass code until {expires_at}; nothing was changed"
                    )
                }
                (true, true) => format!(
                    "{name}: would get a bypass code until {expires_at}, and the one there is would be void; nothing was changed"
                ),
                (false, _) => {
                    let before = if voids { "; the one before is void" } else { "" };
                    format!("{name}: a bypass code, good {uses} times until {expires_at}{before}")
                }
            },
        };
        let (mut kept, mut is_told) = (None, false);
        if !dry_run {
            let once = self.show.settle(session)?;
            is_told = once.is_document();
            if is_told {
                deliver(session, &given(false, true))?;
            } else {
                let text = format!("\n    {}\n\n", &*code.grouped());
                kept = Some(once.show(session, &Zeroizing::new(text))?);
            }
        }
        let mut voids = false;
        let done = session.change(&mut opened, &act, |before, now, vault| {
            allowed(&before)?;
            voids = before.bypass.as_ref().is_some_and(|bypass| !bypass.is_over(now));
            let tag = vault.spare_tag(before.id, id, &code);
            let bypass = Some(bypass::Bypass { id, tag, starts_at, expires_at, uses });
            Ok(Changed { user: User { bypass, ..before }, touched: Vec::new() })
        });
        let done = done.context("the code that was shown is not in force")?;
        if let Some(kept) = kept {
            kept.keep(session);
        }
        if is_told {
            return Ok(Report::silence(Verdict::Yes));
        }
        Ok(Report::one(given(voids, done.changed), Verdict::Yes).arriving(reveal))
    }
}

impl Bypass {
    fn span(&self, session: &mut Session<'_>) -> Result<Option<Span>> {
        let Some(text) = &self.span else { return Ok(None) };
        let span = Span::parse("--for", text)?;
        let most = session.config()?.bypass_for;
        if span > most {
            let problem = format!("{span} is longer than {most}, the most that is allowed");
            return Err(Refusal::bad_input("--for", problem)
                .hint("the most is policy.bypass_for in the configuration")
                .into());
        }
        Ok(Some(span))
    }
}

/// Ends what there is.
fn revoke(session: &mut Session<'_>, act: &crate::session::Act<'_>) -> Result<Report> {
    let mut opened = session.opened()?;
    let done = session.change(&mut opened, act, |before, _, _| {
        Ok(Changed { user: User { bypass: None, ..before }, touched: Vec::new() })
    })?;
    let name = &done.user.name;
    let given = Given {
        schema: "mfactl.bypass/1",
        user: name.to_string(),
        starts_at: None,
        expires_at: None,
        uses: 0,
        code: None,
        changed: done.changed,
        dry_run: act.dry_run,
        words: match (done.changed, act.dry_run) {
            (false, _) => format!("{name}: has no bypass code already; nothing to change"),
            (true, true) => {
                format!("{name}: the bypass code would be void; nothing was changed")
            }
            (true, false) => format!("{name}: the bypass code is void"),
        },
    };
    Ok(Report::one(given, Verdict::Yes))
}

/// A code that would be refused is not handed out.
fn allowed(user: &User) -> Result<(), Refusal> {
    if user.status() == Status::Disabled { Err(user.disabled_refusal()) } else { Ok(()) }
}

impl Record for Given {
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
        self.words.clone()
    }
}
