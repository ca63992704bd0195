//! One event of the log, as JSON, CSV and table have it.

use serde::Serialize;
use serde_json::Value;

use crate::commands::log::operator_names::{OperatorNames, operator};
use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::report::{Cell, Fields, Record, Tone};
use crate::store::EventView;

/// An event whose texts are escaped for display.
#[derive(Serialize)]
pub struct EventLine {
    seq: u64,
    at: Timestamp,
    verb: String,
    outcome: String,
    user: Option<String>,
    device: Option<String>,
    factor: Option<String>,
    status: Option<String>,
    operator_uid: u32,
    operator_claim: Option<String>,
    /// The name of that uid today; no part of the record.
    #[serde(skip)]
    operator_name: Option<String>,
    ticket: Option<String>,
    proof: Option<String>,
    reason: Option<String>,
    detail: Option<Value>,
}

impl EventLine {
    pub fn of(event: EventView) -> Self {
        let safe = |text: String| shown(&text).into_owned();
        let detail =
            |text: String| serde_json::from_str(&text).map_or_else(|_| safe(text).into(), escaped);
        Self {
            seq: event.seq,
            at: event.at,
            verb: safe(event.verb),
            outcome: safe(event.outcome),
            user: event.user.map(safe),
            device: event.device.map(safe),
            factor: event.factor.map(safe),
            status: event.status.map(safe),
            operator_uid: event.operator_uid,
            operator_claim: event.operator_claim.map(safe),
            operator_name: None,
            ticket: event.ticket.map(safe),
            proof: event.proof.map(safe),
            reason: event.reason.map(safe),
            detail: event.detail.map(detail),
        }
    }

    /// With the name of the operator for people.
    pub fn named(self, names: &mut OperatorNames) -> Self {
        Self { operator_name: names.name(self.operator_uid), ..self }
    }

    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The event without number and user.
    pub fn description(&self) -> String {
        let mut text = format!("{} {} {} by {}", self.at, self.verb, self.outcome, self.operator());
        let details = self.details();
        if !details.is_empty() {
            text.push_str(", ");
            text.push_str(&details);
        }
        text
    }

    fn operator(&self) -> String {
        let (name, claim) = (self.operator_name.as_deref(), self.operator_claim.as_deref());
        operator(self.operator_uid, name, claim)
    }

    fn details(&self) -> String {
        let factor = self.factor.as_deref().filter(|factor| *factor != "totp");
        let detail = self.detail.as_ref().map(describe).filter(|text| !text.is_empty());
        let what = [factor.map(spaced), self.device.clone(), detail];
        let why = [self.ticket.clone(), self.proof.clone(), self.reason.clone()];
        let consequences = self.detail.as_ref().and_then(consequences);
        let parts = what.into_iter().chain(why).chain([consequences]).flatten();
        parts.collect::<Vec<_>>().join(", ")
    }

    fn tone(&self) -> Tone {
        match self.outcome.as_str() {
            "accepted" | "confirmed" => Tone::Good,
            "rejected" | "replayed" => Tone::Warning,
            "locked" | "failed" => Tone::Bad,
            _ => Tone::Plain,
        }
    }
}

/// The field of an event's details, and its name for people.
const CONSEQUENCES: &str = "consequences";

/// What the change meant for the user: `consequences: left group staff; can sign in with the password alone`.
fn consequences(detail: &Value) -> Option<String> {
    let clauses = detail.get(CONSEQUENCES)?.as_array()?.iter().map(describe);
    Some(format!("{CONSEQUENCES}: {}", clauses.collect::<Vec<_>>().join("; ")))
}

/// The rest of the JSON of `detail` as people read it: `fields email; renamed from carol`.
fn describe(detail: &Value) -> String {
    match detail {
        Value::Object(fields) => {
            let rest = fields.iter().filter(|(name, _)| *name != CONSEQUENCES);
            let parts = rest.map(|(name, v)| format!("{} {}", spaced(name), describe(v)));
            parts.collect::<Vec<_>>().join("; ")
        }
        Value::Array(values) => values.iter().map(describe).collect::<Vec<_>>().join(" "),
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        plain => plain.to_string(),
    }
}

fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// The same value with every text in it escaped for display.
fn escaped(value: Value) -> Value {
    match value {
        Value::String(text) => shown(&text).into_owned().into(),
        Value::Array(values) => values.into_iter().map(escaped).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (shown(&name).into_owned(), escaped(value)))
            .collect(),
        plain => plain,
    }
}

impl Record for EventLine {
    const COLUMNS: &'static [&'static str] = &[
        "seq",
        "at",
        "verb",
        "outcome",
        "user",
        "device",
        "factor",
        "status",
        "operator_uid",
        "operator_claim",
        "ticket",
        "proof",
        "reason",
        "detail",
    ];

    const MIN_WIDTH: u16 = 110;
    const LESS_NEEDED: &'static [&'static str] = &["EVENT", "BY"];

    fn fields(&self, f: &mut Fields) {
        f.value(self.seq);
        f.value(self.at);
        f.text(&self.verb);
        f.text(&self.outcome);
        for text in [&self.user, &self.device, &self.factor, &self.status] {
            f.maybe_text(text.as_deref());
        }
        f.value(self.operator_uid);
        for text in [&self.operator_claim, &self.ticket, &self.proof, &self.reason] {
            f.maybe_text(text.as_deref());
        }
        f.maybe_text(self.detail.as_ref().map(ToString::to_string).as_deref());
    }

    fn sentence(&self) -> String {
        let user = self.user.as_deref().map(|user| format!("{user}: ")).unwrap_or_default();
        format!("{:>6} {user}{}", self.seq, self.description())
    }

    fn header() -> &'static [&'static str] {
        &["EVENT", "TIME", "USER", "VERB", "OUTCOME", "BY", "MORE"]
    }

    fn cells(&self) -> Vec<Cell> {
        vec![
            Cell::plain(self.seq.to_string()),
            Cell::plain(self.at.to_string()),
            Cell::plain(self.user.as_deref().unwrap_or_default()),
            Cell::plain(self.verb.as_str()),
            Cell::toned(self.outcome.as_str(), self.tone()),
            Cell::plain(self.operator()),
            Cell::plain(self.details()),
        ]
    }
}
