//! `mfactl log`

mod follow;
mod line;
mod prune;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{VERBS, Verb};
use crate::domain::name::UserName;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::text::line as one_line;
use crate::domain::time::Timestamp;
use crate::report::{Format, Report, Verdict, Writer};
use crate::session::Session;
use crate::store::{OperatorIs, Store, Subject, Wanted};

pub use line::EventLine;

/// Verbs that the log has and the command line has not.
const OTHER_VERBS: &[&str] = &["notify"];

/// Who did what, when, and why
///
/// Needs no key. The oldest event comes first. A moment is written as 2026-03-01, as
/// 2026-03-01T12:00:00Z, as `yesterday`, or as a span such as 24h, so long ago; days begin in UTC.
#[derive(Args, Debug)]
pub struct Log {
    /// Events about this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Events of this operator: a name or a uid
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Events of this verb
    #[arg(long, value_name = "VERB")]
    verb: Option<String>,
    /// Events with this outcome: done, accepted, rejected, replayed, locked, …
    #[arg(long, value_name = "WORD")]
    outcome: Option<String>,
    /// Events of this ticket
    #[arg(long, value_name = "ID")]
    ticket: Option<String>,
    /// Events from this moment on
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Events before this moment
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// As many of the newest
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    last: Option<u64>,
    /// The newest event first
    #[arg(long)]
    newest_first: bool,
    /// Wait for more, until interrupted
    #[arg(long, conflicts_with_all = ["until", "newest_first"])]
    follow: bool,
    #[command(flatten)]
    prune: prune::PruneOptions,
}

impl Verb for Log {
    const NAME: &'static str = "log";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl log --last 20",
        "mfactl log --user alice --since 7d",
        "mfactl log --verb reset --since 2026-03-01 --until 2026-04-01 --format csv",
        "mfactl log --follow",
        "mfactl log --prune --before 2025-01-01 --ticket AUDIT-7",
    ];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        if self.prune.prune {
            if self.reads() {
                return Err(Refusal::new(Code::Usage, "--prune takes no filters but --before")
                    .hint("what is pruned is the beginning of the log, whoever is in it")
                    .into());
            }
            return self.prune.run(session, self.ticket.as_deref());
        }
        let now = session.env.clock.now()?;
        let mut store = session.reader()?;
        let mut wanted = self.wanted(session, &mut *store, now)?;
        if self.follow {
            drop(store);
            wanted.last = wanted.last.or_else(|| wanted.since.is_none().then_some(follow::FIRST));
            return follow::follow(session, wanted);
        }
        self.mind_pruning(session, &mut *store, wanted.since)?;
        Ok(Report::list(Verdict::Yes, move |writer| write(store, &wanted, now, writer)))
    }
}

/// What comes after the events.
#[derive(Serialize)]
struct Summary {
    events: u64,
}

fn write(
    mut store: Box<dyn Store>,
    wanted: &Wanted,
    now: Timestamp,
    writer: &mut Writer<'_>,
) -> Result<Verdict> {
    let preamble = [("schema", "mfactl.log/1".to_owned()), ("generated_at", now.to_string())];
    let is_told = writer.format == Format::Table && !writer.quiet;
    let summary = writer.many(&preamble, "events", |write| {
        let mut events = 0;
        store.read()?.log(wanted, &mut |told| {
            events += 1;
            write(&EventLine::of(told)).map(|()| true)
        })?;
        Ok(Summary { events })
    })?;
    if is_told && summary.events == 0 {
        writeln!(writer.out, "no event")?;
    }
    Ok(Verdict::Yes)
}

impl Log {
    /// Is anything asked for that is for reading only?
    const fn reads(&self) -> bool {
        self.user.is_some()
            || self.operator.is_some()
            || self.verb.is_some()
            || self.outcome.is_some()
            || self.since.is_some()
            || self.until.is_some()
            || self.last.is_some()
            || self.newest_first
            || self.follow
    }

    fn wanted(
        &self,
        session: &mut Session<'_>,
        store: &mut dyn Store,
        now: Timestamp,
    ) -> Result<Wanted> {
        let moment = |field: &str, text: &Option<String>| {
            text.as_deref().map(|text| Timestamp::parse_past(field, text, now)).transpose()
        };
        let word = |field: &str, text: &Option<String>| {
            text.as_deref().map(|text| one_line(field, text, 256)).transpose()
        };
        // The end of a month is asked for while it lasts; a span is one of the past.
        let until = self.until.as_deref().map(|text| {
            Timestamp::parse_past("--until", text, now)
                .or_else(|refusal| Timestamp::parse("--until", text).map_err(|_| refusal))
        });
        let (since, until) = (moment("--since", &self.since)?, until.transpose()?);
        if let (Some(since), Some(until)) = (since, until)
            && until <= since
        {
            return Err(Refusal::bad_input(
                "--until",
                format!("{until} is not after --since {since}"),
            )
            .hint("name the earlier moment with --since")
            .into());
        }
        let mut wanted = Wanted {
            user: self.user.as_deref().map(|name| subject(session, store, name)).transpose()?,
            operator: self.operator.as_deref().map(operator).transpose()?,
            verb: self.verb.as_deref().map(verb).transpose()?,
            outcome: word("--outcome", &self.outcome)?,
            ticket: word("--ticket", &self.ticket)?,
            since,
            until,
            after: None,
            last: self.last,
            is_newest_first: self.newest_first,
        };
        if let Some(last) = self.last
            && let Some(Subject::Holders { id, .. }) = wanted.user
        {
            let of_his = Wanted { user: Some(Subject::Id(id)), ..wanted.clone() };
            let mut found = 0;
            store.read()?.log(&of_his, &mut |_| {
                found += 1;
                Ok(true)
            })?;
            // Whoever had the name before him comes before all of these.
            if found == last {
                wanted = of_his;
            }
        }
        Ok(wanted)
    }

    /// Says so where a part of what is asked for was pruned.
    fn mind_pruning(
        &self,
        session: &mut Session<'_>,
        store: &mut dyn Store,
        since: Option<Timestamp>,
    ) -> Result<()> {
        let start = store.read()?.start()?.at;
        let is_early = |from: &Timestamp| since.map_or(self.last.is_none(), |since| since < *from);
        if let Some(from) = start.filter(is_early) {
            session
                .say(&format!("the log was pruned, and tells nothing of the time before {from}"));
        }
        Ok(())
    }
}

/// A user who is there, with whoever had his name before, or one who was.
fn subject(session: &mut Session<'_>, store: &mut dyn Store, name: &str) -> Result<Subject> {
    let name = UserName::parse(name)?;
    let mut snapshot = store.read()?;
    if let Some(user) = snapshot.user(&name)? {
        let (id, before) = (user.id, snapshot.named_by(user.id)?.unwrap_or_default());
        return Ok(Subject::Holders { id, name: name.to_string(), before });
    }
    let Some(last) = snapshot.last_called(name.as_str())? else {
        drop(snapshot);
        return Err(session.look(&name).err().unwrap_or_else(|| gone(&name)));
    };
    if let Some(user) = snapshot.user_of(last)? {
        let now = user.name;
        session
            .say(&format!("{name} is called {now} now; for what follows: mfactl log --user {now}"));
    }
    Ok(Subject::Name(name.to_string()))
}

fn gone(name: &UserName) -> anyhow::Error {
    Refusal::new(Code::UserNotFound, format!("there is no user {name}")).hint("try again").into()
}

fn operator(text: &str) -> Result<OperatorIs, Refusal> {
    let text = one_line("--operator", text, 256)?;
    let uid = text.parse().ok().or_else(|| uzers::get_user_by_name(&text).map(|user| user.uid()));
    Ok(OperatorIs { uid, claim: text })
}

fn verb(text: &str) -> Result<String, Refusal> {
    let of_an_alias = VERBS.iter().find(|entry| entry.alias == Some(text)).map(|entry| entry.name);
    let text = of_an_alias.unwrap_or(text);
    let mut known = VERBS.iter().map(|entry| entry.name).chain(OTHER_VERBS.iter().copied());
    if known.clone().any(|name| name == text) {
        return Ok(text.to_owned());
    }
    let nearest = known.find(|name| strsim::damerau_levenshtein(name, text) <= 2);
    let refusal = Refusal::bad_input(
        "--verb",
        format!("there is no verb {}", crate::domain::text::quoted(text)),
    );
    Err(match nearest {
        Some(name) => refusal.hint(format!("did you mean {name}?")),
        None => refusal.hint("mfactl help lists the verbs"),
    })
}
