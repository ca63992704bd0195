//! `mfactl list-tokens`

use std::borrow::Cow;
use std::rc::Rc;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde::{Serialize, Serializer};

use super::Verb;
use crate::app::App;
use crate::domain::text::{counted, shown};
use crate::domain::time::Timestamp;
use crate::report::{Cell, Fields, Format, Record, Report, Verdict};
use crate::store::{FREE, LOST, ListedToken};

/// List the hardware tokens of the inventory, and who has them
///
/// A token is free, lost, or in the state of the device that it is: pending, active, disabled or revoked.
/// A revoked one stays with its user until `mfactl unassign SERIAL`. The user
/// of a lost one is gone, and its secret with them. Needs no key and writes nothing.
#[derive(Args, Debug)]
pub struct ListTokens {
    /// Only tokens in this state
    #[arg(long, value_enum, value_name = "STATE")]
    state: Option<StateFilter>,
    /// Only tokens of this kind
    #[arg(long, value_enum, value_name = "KIND")]
    kind: Option<KindFilter>,
    /// Only with TEXT in serial, model or user
    #[arg(long = "match", value_name = "TEXT")]
    text: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StateFilter {
    Free,
    /// Somebody has it, in whatever state
    Assigned,
    Pending,
    Active,
    Disabled,
    Revoked,
    Lost,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindFilter {
    Totp,
    Hotp,
    Yubikey,
}

/// One token. The columns are those of the JSON.
#[derive(Serialize)]
struct TokenLine {
    serial: String,
    kind: String,
    state: String,
    user: Option<String>,
    model: Option<String>,
    added_at: WrittenTime,
}

/// A time in words.
#[derive(Clone)]
struct WrittenTime(Rc<str>);

impl Serialize for WrittenTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Writes a time once for the tokens of one file, which have it in common.
#[derive(Default)]
struct TimeWriter {
    latest: Option<(Timestamp, WrittenTime)>,
}

impl TimeWriter {
    fn written(&mut self, at: Timestamp) -> WrittenTime {
        match &self.latest {
            Some((latest, words)) if *latest == at => words.clone(),
            _ => {
                let words = WrittenTime(at.to_string().into());
                self.latest = Some((at, words.clone()));
                words
            }
        }
    }
}

/// How many tokens there are, whatever is listed.
#[derive(Default, Serialize)]
struct TokenCounts {
    tokens: u64,
    free: u64,
    assigned: u64,
    lost: u64,
    listed: u64,
}

impl Verb for ListTokens {
    const NAME: &'static str = "list-tokens";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl list-tokens",
        "mfactl list-tokens --state free --kind hotp",
        "mfactl list-tokens --match alice --json",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        let filter = TokenFilter {
            state: self.state,
            kind: self.kind,
            text: self.text.map(|text| text.to_lowercase()),
        };
        let mut store = app.reader()?;
        Ok(Report::list(Verdict::Yes, move |writer| {
            let counts = writer.many(&[("schema", "mfactl.list-tokens/1")], "tokens", |write| {
                let (mut counts, mut time) = (TokenCounts::default(), TimeWriter::default());
                store.read()?.tokens(&mut |token| {
                    counts.count(&token);
                    let at = token.added_at;
                    if filter.matches(&token) {
                        counts.listed += 1;
                        write(&TokenLine::of(token, time.written(at)))?;
                    }
                    Ok(true)
                })?;
                Ok(counts)
            })?;
            if writer.format == Format::Table && !writer.quiet {
                writer.line(&counts.sentence())?;
            }
            Ok(Verdict::Yes)
        }))
    }
}

struct TokenFilter {
    state: Option<StateFilter>,
    kind: Option<KindFilter>,
    /// In small letters.
    text: Option<String>,
}

impl TokenFilter {
    fn matches(&self, token: &ListedToken) -> bool {
        let has_state = |wanted: StateFilter| match wanted {
            StateFilter::Assigned => token.state != FREE && token.state != LOST,
            named => is_word(&named, &token.state),
        };
        let has_text = |text: &String| {
            let places = [Some(&token.serial), token.model.as_ref(), token.user.as_ref()];
            places.into_iter().flatten().any(|place| place.to_lowercase().contains(text))
        };
        self.state.is_none_or(has_state)
            && self.kind.is_none_or(|kind| is_word(&kind, &token.kind))
            && self.text.as_ref().is_none_or(has_text)
    }
}

fn is_word(value: &impl ValueEnum, word: &str) -> bool {
    value.to_possible_value().is_some_and(|value| value.get_name() == word)
}

impl TokenCounts {
    fn count(&mut self, token: &ListedToken) {
        self.tokens += 1;
        match token.state.as_str() {
            FREE => self.free += 1,
            LOST => self.lost += 1,
            _ => self.assigned += 1,
        }
    }

    fn sentence(&self) -> String {
        let Self { tokens, free, assigned, lost, listed } = self;
        if *tokens == 0 {
            return "there are no tokens".to_owned();
        }
        let lost = if *lost == 0 { String::new() } else { format!(", {lost} lost") };
        let all = format!("{}: {free} free, {assigned} assigned{lost}", counted(*tokens, "token"));
        if listed == tokens { all } else { format!("{listed} listed of {all}") }
    }
}

impl TokenLine {
    fn of(token: ListedToken, added_at: WrittenTime) -> Self {
        let ListedToken { serial, kind, state, user, model, added_at: _ } = token;
        Self {
            serial: safe(serial),
            kind: safe(kind),
            state: safe(state),
            user: user.map(safe),
            model: model.map(safe),
            added_at,
        }
    }
}

/// The text as it may be shown, which is nearly always the same one.
fn safe(text: String) -> String {
    match shown(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(safe) => safe,
    }
}

impl Record for TokenLine {
    const COLUMNS: &'static [&'static str] =
        &["serial", "kind", "state", "user", "model", "added_at"];
    const LESS_NEEDED: &'static [&'static str] = &["ADDED", "MODEL", "KIND"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.serial);
        f.text(&self.kind);
        f.text(&self.state);
        f.maybe_text(self.user.as_deref());
        f.maybe_text(self.model.as_deref());
        f.text(&self.added_at.0);
    }

    fn sentence(&self) -> String {
        let Self { serial, kind, state, .. } = self;
        let user = self.user.as_ref().map(|user| format!(" of {user}")).unwrap_or_default();
        let model = self.model.as_ref().map(|model| format!(", {model}")).unwrap_or_default();
        format!("{serial}: {kind}, {state}{user}{model}")
    }

    fn header() -> &'static [&'static str] {
        &["SERIAL", "KIND", "STATE", "USER", "MODEL", "ADDED"]
    }

    fn cells(&self) -> Vec<Cell> {
        let (user, model) = (self.user.as_deref(), self.model.as_deref());
        let [user, model] = [user, model].map(Option::unwrap_or_default);
        [&self.serial, &self.kind, &self.state, user, model, &self.added_at.0]
            .map(Cell::plain)
            .into()
    }
}
