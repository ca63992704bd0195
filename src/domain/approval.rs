//! Requests to a second operator: a verb on a protected user that needs two.

use crate::domain::audit::event::Operator;
use crate::domain::secret::Id;
use crate::domain::text::shell_word;
use crate::domain::time::{Span, Timestamp};

/// How long a request can be approved.
const LIFETIME: Span = Span::hours(24);
/// Letters in the short form of an ID.
pub const SHORT: usize = 8;

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

    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.expires_at()
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
        assert!(request.is_open(made_at.plus(Span::seconds(day - 1))));
        assert!(!request.is_open(made_at.plus(Span::seconds(day))));
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
