//! Requests to a second operator: a verb on a protected user that needs two.

use serde::Deserialize;

use crate::domain::audit::event::Operator;
use crate::domain::secret::Id;
use crate::domain::text::shell_word;
use crate::domain::time::{Span, Timestamp};

/// How long a request can be approved.
const LIFETIME: Span = Span::hours(24);
/// Letters in the short form of an ID.
pub const SHORT: usize = 8;

/// The outcome of the event that makes a request.
pub const REQUESTED: &str = "requested";
/// The verb of the event that carries one out.
pub const APPROVE: &str = "approve";

/// A verb that waits for a second operator's approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub id: Id,
    pub made_at: Timestamp,
    /// Who made the request: the uid whose roles count, and the claim of `sudo`.
    pub operator: Operator,
    pub verb: String,
    pub user_id: Id,
    pub user: String,
    /// The arguments after the verb, without options for prompting and output.
    pub words: Vec<String>,
}

/// What matters here of an event's details.
#[derive(Deserialize)]
struct Detail {
    request: String,
}

impl Request {
    /// The short form of the ID, for typing.
    #[must_use]
    pub fn short(&self) -> String {
        self.id.to_string().chars().take(SHORT).collect()
    }

    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.made_at.plus(LIFETIME)
    }

    /// Whether it can be approved. `newest` is the newest time in the log since the request: a clock that was
    /// set back makes nothing younger. Nor can one be approved that was made while the clock was ahead.
    #[must_use]
    pub fn is_open(&self, now: Timestamp, newest: Timestamp) -> bool {
        !self.made_at.is_ahead_of(now) && now.max(newest) < self.expires_at()
    }

    /// How an event names the request, in a part that its hash covers.
    #[must_use]
    pub fn name_in_log(&self) -> String {
        self.id.to_string()
    }

    /// Whether an event with these details names the request. Earlier versions wrote the short form.
    #[must_use]
    pub fn is_named_by(&self, detail: &str) -> bool {
        let named = serde_json::from_str::<Detail>(detail).map(|detail| detail.request);
        named.is_ok_and(|name| name == self.name_in_log() || name == self.short())
    }

    /// The verb and its arguments as a shell reads them, safe to print.
    #[must_use]
    pub fn line(&self) -> String {
        let words = std::iter::once(&self.verb).chain(&self.words);
        let words: Vec<_> = words.map(|word| shell_word(word)).collect();
        words.join(" ")
    }

    /// Who made the request, for display.
    #[must_use]
    pub fn requester(&self) -> String {
        let claim = self.operator.claim.as_deref().map(|c| format!(" (sudo: {})", shell_word(c)));
        format!("uid {}{}", self.operator.uid, claim.unwrap_or_default())
    }

    /// Whether both are the same request by the same operator.
    #[must_use]
    pub fn is_same_request(&self, other: &Self) -> bool {
        (self.operator.uid, self.user_id, &self.verb, &self.words)
            == (other.operator.uid, other.user_id, &other.verb, &other.words)
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::approval::*;

    #[test]
    fn a_request_is_open_for_a_day_and_has_a_short_id() {
        let made_at = Timestamp::from_unix(1000).unwrap();
        let request = Request {
            id: Id::new([0xab; 16]),
            made_at,
            operator: Operator { uid: 7, claim: Some("ha\u{1b}na".into()) },
            verb: "reset".into(),
            user_id: Id::new([1; 16]),
            user: "alice".into(),
            words: vec!["--no-enrol".into(), "--".into(), "alice".into()],
        };
        assert_eq!(request.short(), "abababab");
        assert_eq!(request.line(), "reset --no-enrol -- alice");
        assert!(!request.requester().contains('\u{1b}'));
        let day = 24 * 3600;
        let (last, end) = (made_at.plus(Span::seconds(day - 1)), made_at.plus(Span::seconds(day)));
        assert!(request.is_open(last, last) && request.is_open(made_at, last));
        assert!(!request.is_open(end, last));
        assert!(!request.is_open(made_at, end), "a clock that was set back");
        let full = "ab".repeat(16);
        for (detail, expected) in [
            (format!(r#"{{"request":"{full}","verb":"reset"}}"#), true),
            (r#"{"request":"abababab"}"#.to_owned(), true),
            (r#"{"request":"abababac"}"#.to_owned(), false),
            (format!(r#"{{"request":"{}"}}"#, &full[..31]), false),
            (r#"{"verb":"reset"}"#.to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(request.is_named_by(&detail), expected, "{detail}");
        }
    }

    #[test]
    fn s9_the_line_of_a_request_is_quoted_as_a_shell_reads_it() {
        let request = Request {
            id: Id::new([0xab; 16]),
            made_at: Timestamp::from_unix(1000).unwrap(),
            operator: Operator { uid: 7, claim: Some("root) requested".into()) },
            verb: "unlock".into(),
            user_id: Id::new([1; 16]),
            user: "alice".into(),
            words: vec!["--reason=x --dry-run -- bob".into(), "--".into(), "alice".into()],
        };
        assert_eq!(request.line(), "unlock '--reason=x --dry-run -- bob' -- alice");
        assert_eq!(request.requester(), "uid 7 (sudo: 'root) requested')");
    }
}
