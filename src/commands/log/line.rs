//! One event, as it is told.

use serde::Serialize;
use serde_json::Value;

use crate::domain::text::shown;
use crate::domain::time::Timestamp;
use crate::report::{Cell, Fields, Record, Tone};
use crate::store::Told;

/// An event with everything from outside made harmless to show.
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
    ticket: Option<String>,
    proof: Option<String>,
    reason: Option<String>,
    detail: Option<Value>,
}

impl EventLine {
    pub fn of(told: Told) -> Self {
        let safe = |text: String| shown(&text).into_owned();
        let detail =
            |text: String| serde_json::from_str(&text).map_or_else(|_| safe(text).into(), disarmed);
        Self {
            seq: told.seq,
            at: told.at,
            verb: safe(told.verb),
            outcome: safe(told.outcome),
            user: told.user.map(safe),
            device: told.device.map(safe),
            factor: told.factor.map(safe),
            status: told.status.map(safe),
            operator_uid: told.operator_uid,
            operator_claim: told.operator_claim.map(safe),
            ticket: told.ticket.map(safe),
            proof: told.proof.map(safe),
            reason: told.reason.map(safe),
            detail: told.detail.map(detail),
        }
    }

    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// The event without its number and its user.
    pub fn deed(&self) -> String {
        let mut text = format!("{} {} {} by {}", self.at, self.verb, self.outcome, self.who());
        let more = self.more();
        if !more.is_empty() {
            text.push_str(", ");
            text.push_str(&more);
        }
        text
    }

    fn who(&self) -> String {
        match &self.operator_claim {
            Some(claim) => format!("uid {} (sudo: {claim})", self.operator_uid),
            None => format!("uid {}", self.operator_uid),
        }
    }

    fn more(&self) -> String {
        let factor = self.factor.as_deref().filter(|factor| *factor != "totp");
        let detail = self.detail.as_ref().map(in_words).filter(|words| !words.is_empty());
        let what = [factor.map(spaced), self.device.clone(), detail];
        let why = [self.ticket.clone(), self.proof.clone(), self.reason.clone()];
        what.into_iter().chain(why).flatten().collect::<Vec<_>>().join(", ")
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

/// What an event tells besides, as people read it: `fields email; renamed from carol`.
fn in_words(detail: &Value) -> String {
    match detail {
        Value::Object(fields) => {
            let words = fields.iter().map(|(name, v)| format!("{} {}", spaced(name), in_words(v)));
            words.collect::<Vec<_>>().join("; ")
        }
        Value::Array(values) => values.iter().map(in_words).collect::<Vec<_>>().join(" "),
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        plain => plain.to_string(),
    }
}

fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// The same with every text in it made harmless.
fn disarmed(value: Value) -> Value {
    match value {
        Value::String(text) => shown(&text).into_owned().into(),
        Value::Array(values) => values.into_iter().map(disarmed).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (shown(&name).into_owned(), disarmed(value)))
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

    const NARROWEST: u16 = 110;

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
        format!("{:>6} {user}{}", self.seq, self.deed())
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
            Cell::plain(self.who()),
            Cell::plain(self.more()),
        ]
    }
}
