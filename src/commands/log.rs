//! `mfactl log`

mod event_line;
mod follow;
mod operator_names;
mod prune;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::{Verb, spellings};
use crate::app::App;
use crate::domain::audit::outcomes::OUTCOMES;
use crate::domain::hint::command;
use crate::domain::name::UserName;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{line as one_line, quoted};
use crate::domain::time::Timestamp;
use crate::report::{Format, Report, Verdict, Writer};
use crate::store::{LogQuery, OperatorFilter, RowSource as _, Store, SubjectFilter};
use crate::suggest;
use crate::suggest::nearest_hint;

pub use event_line::EventLine;
pub use operator_names::{OperatorNames, operator as operator_in_words};

/// Verbs of events that are not verbs of the command line.
pub const LOG_ONLY_VERBS: &[&str] = &["notify"];

/// Show the audit log: who did what, when and why
///
/// Lists the oldest event first. Give a time as 2026-03-01, 2026-03-01T12:00:00Z, `yesterday`, or an
/// age such as 24h; a day begins at midnight UTC. Needs no key.
#[derive(Args, Debug)]
pub struct Log {
    /// Events about this user
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Events by this operator: a name or a uid
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    /// Events of this verb
    #[arg(long, value_name = "VERB")]
    verb: Option<String>,
    /// Events with this outcome, e.g. rejected
    ///
    /// Among others: done, accepted, rejected, locked.
    #[arg(long, value_name = "WORD")]
    outcome: Option<String>,
    /// Events with this ticket
    #[arg(long, value_name = "ID")]
    ticket: Option<String>,
    /// Attempts through this login service, e.g. sshd
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Attempts from this remote host
    #[arg(long, value_name = "HOST")]
    remote: Option<String>,
    /// Events at or after this time
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Events before this time
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Only the newest N events
    #[arg(long, value_name = "N", value_parser = super::whole_number::from::<u64>(1))]
    last: Option<u64>,
    /// List the newest event first
    #[arg(long)]
    newest_first: bool,
    /// Wait for new events until interrupted
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

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        if self.prune.prune {
            if self.has_read_options() {
                return Err(Refusal::new(
                    ErrorCode::Usage,
                    "--prune takes no filter except --before",
                )
                .hint("pruning removes all events before that time; leave the other filters out")
                .into());
            }
            return self.prune.run(app, self.ticket.as_deref());
        }
        let now = app.env.clock.now()?;
        let mut store = app.reader()?;
        let mut query = self.query(app, &mut *store, now)?;
        if self.follow {
            drop(store);
            query.last = query.last.or_else(|| query.since.is_none().then_some(follow::INITIAL));
            return follow::follow(app, query);
        }
        self.warn_if_pruned(app, &mut *store, query.since)?;
        let names = OperatorNames::of(app);
        Ok(Report::list(Verdict::Yes, move |writer| write(store, &query, names, now, writer)))
    }
}

/// Closes the JSON document.
#[derive(Serialize)]
struct EventsTotal {
    events: u64,
}

fn write(
    mut store: Box<dyn Store>,
    query: &LogQuery,
    mut names: OperatorNames,
    now: Timestamp,
    writer: &mut Writer<'_>,
) -> Result<Verdict> {
    let preamble = [("schema", "mfactl.log/1".to_owned()), ("generated_at", now.to_string())];
    let says_if_empty = writer.format == Format::Table && !writer.quiet;
    let summary = writer.many(&preamble, "events", |write| {
        let mut events = 0;
        store.read()?.log().events(query, &mut |event| {
            events += 1;
            write(&EventLine::of(event).named(&mut names)).map(|()| true)
        })?;
        Ok(EventsTotal { events })
    })?;
    if says_if_empty && summary.events == 0 {
        writeln!(writer.out, "no events")?;
    }
    Ok(Verdict::Yes)
}

impl Log {
    /// Is an option given that makes sense only for reading?
    const fn has_read_options(&self) -> bool {
        self.user.is_some()
            || self.operator.is_some()
            || self.verb.is_some()
            || self.outcome.is_some()
            || self.service.is_some()
            || self.remote.is_some()
            || self.since.is_some()
            || self.until.is_some()
            || self.last.is_some()
            || self.newest_first
            || self.follow
    }

    fn query(&self, app: &mut App<'_>, store: &mut dyn Store, now: Timestamp) -> Result<LogQuery> {
        let time = |field: &str, text: &Option<String>| {
            text.as_deref().map(|text| Timestamp::parse_past(field, text, now)).transpose()
        };
        let word = |field: &str, text: &Option<String>| {
            text.as_deref().map(|text| one_line(field, text, 256)).transpose()
        };
        let until = self.until.as_deref().map(|text| Timestamp::parse_end("--until", text, now));
        let (since, until) = (time("--since", &self.since)?, until.transpose()?);
        if let (Some(since), Some(until)) = (since, until)
            && until <= since
        {
            return Err(Refusal::bad_input(
                "--until",
                format!("{until} is not after --since {since}"),
            )
            .hint("give the earlier time with --since")
            .into());
        }
        if let Some(until) = until {
            require_reached(store, until)?;
        }
        let mut query = LogQuery {
            user: self.user.as_deref().map(|name| subject(app, store, name)).transpose()?,
            operator: self.operator.as_deref().map(|name| operator(store, name)).transpose()?,
            verb: self.verb.as_deref().map(verb).transpose()?,
            outcome: self.outcome.as_deref().map(|word| outcome(store, word)).transpose()?,
            ticket: word("--ticket", &self.ticket)?,
            service: word("--service", &self.service)?,
            remote: word("--remote", &self.remote)?,
            since,
            until,
            after: None,
            last: self.last,
            is_newest_first: self.newest_first,
        };
        if let Some(last) = self.last
            && let Some(SubjectFilter::Holders { id, .. }) = query.user
        {
            let by_id = LogQuery { user: Some(SubjectFilter::Id(id)), ..query.clone() };
            let mut count = 0;
            store.read()?.log().events(&by_id, &mut |_| {
                count += 1;
                Ok(true)
            })?;
            // Earlier holders of the name have only older events, which --last would drop: they need
            // not be searched for.
            if count == last {
                query = by_id;
            }
        }
        Ok(query)
    }

    fn warn_if_pruned(
        &self,
        app: &mut App<'_>,
        store: &mut dyn Store,
        since: Option<Timestamp>,
    ) -> Result<()> {
        let start = store.read()?.log().start()?.at;
        let is_early = |from: &Timestamp| since.map_or(self.last.is_none(), |since| since < *from);
        if let Some(from) = start.filter(is_early) {
            app.note(&format!("the log was pruned and begins at {from}"));
        }
        Ok(())
    }
}

/// An outcome that events can have, or that the log has from another version.
fn outcome(store: &mut dyn Store, word: &str) -> Result<String> {
    let word = one_line("--outcome", word, 256)?;
    if OUTCOMES.contains(&word.as_str()) {
        return Ok(word);
    }
    let logged = store.read()?.log().outcome_counts()?;
    if logged.iter().any(|(_, outcome, _)| *outcome == word) {
        return Ok(word);
    }
    let hint = nearest_hint(&word, OUTCOMES.iter().copied());
    Err(Refusal::bad_input("--outcome", format!("no event can have the outcome {}", quoted(&word)))
        .hint(hint.unwrap_or_else(|| format!("outcomes are: {}", OUTCOMES.join(", "))))
        .into())
}

/// An existing user, with earlier holders of the name; or a user who existed once.
fn subject(app: &mut App<'_>, store: &mut dyn Store, name: &str) -> Result<SubjectFilter> {
    let name = app.config.names.read(name)?;
    let mut snapshot = store.read()?;
    if let Some(user) = snapshot.user(&name)? {
        let (id, before) =
            (user.id, snapshot.log().naming().seq_of_naming(user.id)?.unwrap_or_default());
        return Ok(SubjectFilter::Holders { id, name: user.name.to_string(), before });
    }
    let mut last = None;
    for spelling in name.spellings() {
        if last.is_none() {
            last = snapshot.log().naming().last_user_named(spelling)?.map(|id| (id, spelling));
        }
    }
    let Some((last, spelling)) = last else {
        drop(snapshot);
        return Err(app.read_user(&name).err().unwrap_or_else(|| no_such_user(&name)));
    };
    if let Some(user) = snapshot.user_by_id(last)? {
        let now = user.name;
        let later = command(Log::NAME).option("--user", now.as_str());
        let words = format!("{name} was renamed to {now}; for later events, run: ");
        app.note(&app.words(later.after(&words)));
    }
    Ok(SubjectFilter::Name(spelling.to_owned()))
}

fn no_such_user(name: &UserName) -> anyhow::Error {
    Refusal::new(ErrorCode::UserNotFound, format!("there is no user {name}"))
        .hint(command("list-status").after("run: "))
        .into()
}

/// Refuses the end of a period that the log does not reach back to.
fn require_reached(store: &mut dyn Store, until: Timestamp) -> Result<()> {
    let mut snapshot = store.read()?;
    let created_at = snapshot.created_at()?;
    let begin = snapshot.log().start()?.at.map_or(created_at, |pruned| pruned.max(created_at));
    if until > begin {
        return Ok(());
    }
    Err(Refusal::bad_input("--until", format!("the log begins at {begin}"))
        .hint("give a later time")
        .into())
}

/// An operator whom this machine or the log knows. Any other name is probably misspelt.
fn operator(store: &mut dyn Store, text: &str) -> Result<OperatorFilter> {
    let text = one_line("--operator", text, 256)?;
    let known = uzers::get_user_by_name(&text).map(|user| user.uid());
    let uid = text.parse().ok().or(known);
    let is_known = known.is_some() || uid.is_some_and(|uid| uzers::get_user_by_uid(uid).is_some());
    let filter = OperatorFilter { uid, claim: text };
    let by_them = LogQuery { operator: Some(filter.clone()), last: Some(1), ..LogQuery::default() };
    let mut acted = is_known;
    if !acted {
        store.read()?.log().events(&by_them, &mut |_| {
            acted = true;
            Ok(false)
        })?;
    }
    if acted {
        return Ok(filter);
    }
    let problem = format!("{} is no operator of this machine or in the log", quoted(&filter.claim));
    Err(Refusal::bad_input("--operator", problem)
        .hint(command(Log::NAME).option("--last", "20").after("see who acted with: "))
        .into())
}

fn verb(text: &str) -> Result<String, Refusal> {
    let known = || spellings().chain(LOG_ONLY_VERBS.iter().map(|verb| (*verb, *verb)));
    let found = known().find(|(spelling, _)| *spelling == text).map(|(_, verb)| verb.to_owned());
    found.ok_or_else(|| Refusal {
        code: ErrorCode::BadInput,
        ..suggest::unknown_verb(text, known()).field("--verb")
    })
}
