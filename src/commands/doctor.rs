//! `mfactl doctor`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::domain::refusal::Refusal;
use crate::domain::text::shown;
use crate::report::{Cell, Fields, Format, Record, Report, Tone, Verdict};
use crate::session::Session;
use crate::store::custody::Purpose;
use crate::store::location::Location;

/// Look whether configuration, store, key and log are well
///
/// Says where each came from, proves every record and the whole log, and warns where a copy of the key is
/// not known to be kept apart, where no backup was taken, and where sealed secrets are kept past the time
/// in which they can be taken back. Exit code 1 where something is bad; a warning alone is 0.
#[derive(Args, Debug)]
pub struct Doctor {
    /// Take away sealed secrets that nothing can bring back any more
    #[arg(long)]
    purge: bool,
    /// Write down that a copy of the key file is kept apart from the store
    #[arg(long)]
    key_saved: bool,
}

/// What was looked at, and how it is.
#[derive(Clone, Debug, Serialize)]
struct Finding {
    what: &'static str,
    state: State,
    words: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Good,
    Warning,
    Bad,
}

/// What comes after the findings.
#[derive(Serialize)]
struct Summary {
    bad: usize,
    warnings: usize,
}

impl Verb for Doctor {
    const NAME: &'static str = "doctor";
    const EXAMPLES: &'static [&'static str] =
        &["mfactl doctor", "mfactl doctor --key-saved", "mfactl doctor --purge --quiet"];

    fn run(self, session: &mut Session<'_>) -> Result<Report> {
        if self.key_saved {
            session.confirm_key_saved()?;
        }
        let clocks = session.compare_clocks();
        // Without a store there is one thing to say, and not five.
        session.reader()?;
        let mut findings = places(session)?;
        findings.extend(clock(clocks));
        findings.extend(sharing(session)?);
        findings.push(users(session));
        findings.push(log(session));
        findings.push(looked("key copy", key_copy(session)));
        findings.push(looked("backup", backup(session)));
        findings.push(looked("secrets", self.secrets(session)));
        let count = |state| findings.iter().filter(|f| f.state == state).count();
        let summary = Summary { bad: count(State::Bad), warnings: count(State::Warning) };
        let verdict = if summary.bad > 0 { Verdict::No } else { Verdict::Yes };
        let preamble = [("schema", "mfactl.doctor/1".to_owned())];
        Ok(Report::list(verdict, move |writer| {
            let is_quiet = writer.quiet && writer.format == Format::Table;
            writer.many(&preamble, "findings", |write| {
                let told = findings.iter().filter(|f| !is_quiet || f.state == State::Bad);
                told.into_iter().try_for_each(write)?;
                Ok(summary)
            })?;
            Ok(verdict)
        }))
    }
}

fn places(session: &mut Session<'_>) -> Result<Vec<Finding>> {
    let config = session.config()?;
    let (origins, store, key) = (&config.origins, config.store.to_string(), &config.key_file);
    let file = origins.config.as_ref().map_or_else(
        || "no file; every value is the default".to_owned(),
        |path| path.display().to_string(),
    );
    let good = |what, words: String| Finding { what, state: State::Good, words: safe(&words) };
    Ok(vec![
        good("configuration", file),
        good("store", format!("{store}, from {}", origins.store)),
        good("key file", format!("{}, from {}", key.display(), origins.key_file)),
    ])
}

/// Where the configuration names a group that should reach store or key.
fn sharing(session: &mut Session<'_>) -> Result<Option<Finding>> {
    let config = session.config()?;
    let custody = config.custody;
    if custody.readers.or(custody.writers).or(custody.key_group).is_none() {
        return Ok(None);
    }
    let files = match &config.store {
        Location::Sqlite(_) => config.store.files(),
        Location::Postgres(_) => Vec::new(),
    };
    let mut missing = Vec::new();
    let of_store = files.iter().flat_map(|file| custody.unshared(file, Purpose::Store));
    for cure in of_store.chain(custody.unshared(&config.key_file, config.key_purpose)) {
        // All files of a store lie in one folder.
        if !missing.contains(&cure) {
            missing.push(cure);
        }
    }
    let (state, words) = if missing.is_empty() {
        (State::Good, "store and key are shared as the configuration says".to_owned())
    } else {
        (State::Warning, format!("the group does not reach all yet: {}", missing.join("; ")))
    };
    Ok(Some(Finding { what: "sharing", state, words: safe(&words) }))
}

/// Of a store on this machine there is nothing to compare.
fn clock(ahead: Result<Option<i64>>) -> Option<Finding> {
    match ahead {
        Err(error) => Some(bad("clock", &error)),
        Ok(ahead) => ahead.map(|ahead| {
            let words = match ahead.unsigned_abs() {
                0 | 1 => "agrees with the database's".to_owned(),
                apart => format!("{apart} s away from the database's, which is borne up to 30 s"),
            };
            Finding { what: "clock", state: State::Good, words }
        }),
    }
}

fn users(session: &mut Session<'_>) -> Finding {
    let proved = session.opened().and_then(|mut opened| session.prove_users(&mut opened));
    match proved {
        Ok(users) => {
            let words = format!("{users} users; every record is as mfactl wrote it");
            Finding { what: "records", state: State::Good, words }
        }
        Err(error) => bad("records", &error),
    }
}

fn log(session: &mut Session<'_>) -> Finding {
    match session.prove(&[]) {
        Err(error) => bad("log", &error),
        Ok(proved) => {
            let whole = || format!("{} events; the log is whole", proved.events);
            let (state, words) = match &proved.damage {
                Some(damage) => (State::Bad, safe(&damage.words)),
                None => (State::Good, whole()),
            };
            Finding { what: "log", state, words }
        }
    }
}

fn key_copy(session: &mut Session<'_>) -> Result<(State, String)> {
    Ok(match session.key_saved()? {
        Some(at) => (State::Good, format!("kept apart, as confirmed on {at}")),
        None => (
            State::Warning,
            "not known to be kept apart: without the key everybody enrols anew; save a copy, then \
             mfactl doctor --key-saved"
                .to_owned(),
        ),
    })
}

fn backup(session: &mut Session<'_>) -> Result<(State, String)> {
    Ok(match session.last_backup()? {
        Some(at) => (State::Good, format!("taken on {at}")),
        None => (State::Warning, "none was ever taken: mfactl backup FILE".to_owned()),
    })
}

impl Doctor {
    fn secrets(&self, session: &mut Session<'_>) -> Result<(State, String)> {
        let names = session.overripe()?;
        if names.is_empty() {
            return Ok((State::Good, "nothing is kept past its time".to_owned()));
        }
        if self.purge {
            let purged = session.purge(&names)?;
            return Ok((
                State::Good,
                format!("of {purged} users what was kept past its time is gone"),
            ));
        }
        let count = names.len();
        let words = format!("of {count} users more is kept than needed: mfactl doctor --purge");
        Ok((State::Warning, words))
    }
}

fn looked(what: &'static str, found: Result<(State, String)>) -> Finding {
    match found {
        Ok((state, words)) => Finding { what, state, words },
        Err(error) => bad(what, &error),
    }
}

fn bad(what: &'static str, error: &anyhow::Error) -> Finding {
    let refusal = error.chain().find_map(|cause| cause.downcast_ref::<Refusal>());
    let words = refusal.map_or_else(|| error.to_string(), |refusal| refusal.message.clone());
    Finding { what, state: State::Bad, words: safe(&words) }
}

fn safe(text: &str) -> String {
    shown(text).into_owned()
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }

    const fn tone(self) -> Tone {
        match self {
            Self::Good => Tone::Good,
            Self::Warning => Tone::Warning,
            Self::Bad => Tone::Bad,
        }
    }
}

impl Record for Finding {
    const COLUMNS: &'static [&'static str] = &["what", "state", "words"];

    fn fields(&self, f: &mut Fields) {
        f.text(self.what);
        f.text(self.state.word());
        f.text(&self.words);
    }

    fn sentence(&self) -> String {
        format!("{}: {}: {}", self.what, self.state.word(), self.words)
    }

    fn header() -> &'static [&'static str] {
        &["WHAT", "HOW", ""]
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::plain(self.what),
            Cell::toned(self.state.word(), self.state.tone()),
            Cell::plain(self.words.as_str()),
        ]
    }
}
