//! What a client of the verifier asks, and what it is told: one line of JSON each.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::authenticate::services::batch_input::{BatchQuery, LoginTerms, escape_id, parse_query};
use crate::authenticate::services::{HandedName, ServiceInput, Typed};
use crate::domain::backup_code::Submitted;
use crate::domain::origin::AttemptOrigin;
use crate::domain::refusal::ErrorCode;
use crate::domain::service_rules::NotEnabledPolicy;
use crate::domain::site_names::SiteNames;

/// Bytes of the longest message; the longest name and password with every character escaped take less.
pub const LONGEST: usize = 16 * 1024;
/// What the verifier says to each new client. It tells a client, before that sends a code, that somebody answers.
pub const GREETING: &[u8] = b"{\"schema\":\"mfactl.serve/1\"}\n";

/// The kinds of login services.
const KINDS: [&str; 3] = ["pam", "openvpn", "radius"];

/// A message as it is written. Absent and null are the same.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Message<'m> {
    user: Zeroizing<String>,
    code: Zeroizing<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Box<RawValue>>,
    /// The kind of login service. With it the answer is yes or no and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Cow<'m, str>>,
    /// What RADIUS left of the user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    stripped: Option<Zeroizing<String>>,
    /// `last`: password and code are both checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<Cow<'m, str>>,
    /// The password, where a service keeps both apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Zeroizing<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_enabled: Option<Cow<'m, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Cow<'m, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remote: Option<Cow<'m, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal: Option<Cow<'m, str>>,
}

/// A question as the verifier decides it.
pub struct Question {
    pub query: BatchQuery,
    /// Password and code, where both are to be checked.
    pub credentials: Option<Typed>,
    /// Whether anything was typed: whoever types nothing attempts nothing.
    pub is_attempt: bool,
}

impl Question {
    /// Reads a message; a malformed one has the error in it.
    pub fn read(message: &[u8], uid: u32, site: &SiteNames) -> Self {
        let malformed = || BatchQuery::plain(id_of(message), Err(ErrorCode::BadInput));
        let message = message.strip_suffix(b"\n").unwrap_or(message);
        let read = serde_json::from_slice::<Message<'_>>(message).ok();
        read.and_then(|message| message.question(uid, site)).unwrap_or_else(|| Self {
            query: malformed(),
            credentials: None,
            is_attempt: true,
        })
    }
}

/// The ID of a message that may be malformed, so that its answer can be told from those to other messages.
fn id_of(message: &[u8]) -> Box<RawValue> {
    #[derive(Deserialize)]
    struct IdField {
        id: Option<Box<RawValue>>,
    }
    let read = serde_json::from_slice::<IdField>(message).ok();
    read.and_then(|read| read.id).map_or_else(|| RawValue::NULL.to_owned(), escape_id)
}

impl Message<'_> {
    /// `None` for words that are none of ours.
    fn question(self, uid: u32, site: &SiteNames) -> Option<Question> {
        let id = self.id.map_or_else(|| RawValue::NULL.to_owned(), escape_id);
        let kind = match self.from {
            None => None,
            Some(from) => Some(KINDS.into_iter().find(|kind| *kind == from)?),
        };
        let without = match self.not_enabled.as_deref() {
            None | Some("refuse") => NotEnabledPolicy::Refuse,
            Some("accept") => NotEnabledPolicy::Accept,
            Some(_) => return None,
        };
        let has_password = match self.split.as_deref() {
            None => false,
            Some("last") => true,
            Some(_) => return None,
        };
        let is_login = kind.is_some();
        let needs_login = has_password
            || self.password.is_some()
            || self.stripped.is_some()
            || without == NotEnabledPolicy::Accept;
        if needs_login && !is_login {
            return None;
        }
        let [service, remote, terminal] = [&self.service, &self.remote, &self.terminal]
            .map(|said| said.as_deref().unwrap_or_default());
        let origin = AttemptOrigin { from: kind, uid: Some(uid), ..AttemptOrigin::default() };
        let origin = origin.said(service, remote, terminal);
        if !is_login {
            let parsed = parse_query(&self.user, self.code.as_bytes(), site);
            let query = BatchQuery { id, parsed, login: None, origin };
            return Some(Question { query, credentials: None, is_attempt: true });
        }
        let bytes = |text: &Zeroizing<String>| Zeroizing::new(text.as_bytes().to_vec());
        let typed = match &self.password {
            Some(password) => {
                Typed::TwoFields { password: bytes(password), code: bytes(&self.code) }
            }
            None => Typed::OneField(bytes(&self.code)),
        };
        let name = HandedName { whole: Some(self.user), stripped: self.stripped };
        let user = name.user(site).ok_or(ErrorCode::BadInput);
        let parsed = user.map(|user| (user, Submitted::read(typed.code())));
        let is_attempt = typed.is_attempt(has_password, without == NotEnabledPolicy::Accept);
        let login = Some(LoginTerms { without, has_code: !typed.code().is_empty() });
        let query = BatchQuery { id, parsed, login, origin };
        Some(Question { query, credentials: has_password.then_some(typed), is_attempt })
    }
}

/// The message of a login service's question; `None` for a name that can't be one.
pub fn write(
    asked: &ServiceInput,
    without: NotEnabledPolicy,
    has_password: bool,
) -> Option<Zeroizing<Vec<u8>>> {
    // What is no UTF-8 is neither a code nor a password, and is no better with other characters in its place.
    let text = |bytes: &[u8]| Zeroizing::new(String::from_utf8_lossy(bytes).into_owned());
    let (password, code) = match &asked.typed {
        Typed::OneField(line) => (None, text(line)),
        Typed::TwoFields { password, code } => (Some(text(password)), text(code)),
    };
    let said = |text: &'_ Option<String>| text.clone().map(Cow::Owned);
    let message = Message {
        user: asked.name.whole.clone()?,
        code,
        id: None,
        from: asked.origin.from.map(Cow::Borrowed),
        stripped: asked.name.stripped.clone(),
        split: has_password.then_some(Cow::Borrowed("last")),
        password,
        not_enabled: (without == NotEnabledPolicy::Accept).then_some(Cow::Borrowed("accept")),
        service: said(&asked.origin.service),
        remote: said(&asked.origin.remote),
        terminal: said(&asked.origin.terminal),
    };
    let mut line = Zeroizing::new(Vec::with_capacity(LONGEST));
    serde_json::to_writer(&mut *line, &message).ok()?;
    line.push(b'\n');
    Some(line)
}

/// What the verifier answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Yes,
    No,
    /// Nothing was decided; the error's word.
    Undecided(String),
}

impl Answer {
    /// `None` for what is no answer of a verifier.
    pub fn read(line: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct AnswerFields {
            outcome: String,
            code: Option<String>,
        }
        let line: AnswerFields = serde_json::from_slice(line).ok()?;
        Some(match (line.outcome.as_str(), line.code) {
            ("accepted" | "confirmed", None) => Self::Yes,
            ("error", code) => Self::Undecided(code.unwrap_or_default()),
            _ => Self::No,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(message: &str) -> Question {
        Question::read(message.as_bytes(), 1000, &SiteNames::default())
    }

    fn error(message: &str) -> Option<&'static str> {
        read(message).query.parsed.err().map(ErrorCode::word)
    }

    #[test]
    fn a_line_of_a_batch_is_a_question() {
        let asked = read(
            r#"{"user":"Alice","code":"123456","id":[7],"service":"i3lock","remote":"","terminal":":0"}"#,
        );
        let (name, _) = asked.query.parsed.unwrap();
        assert_eq!((name.as_str(), asked.query.id.get()), ("alice", "[7]"));
        assert!(asked.query.login.is_none() && asked.credentials.is_none() && asked.is_attempt);
        let origin =
            AttemptOrigin { uid: Some(1000), ..AttemptOrigin::default() }.said("i3lock", "", ":0");
        assert_eq!(asked.query.origin, origin);
        assert_eq!(error("{\"user\":\"alice\",\"code\":\"123456\"}\n"), None);
    }

    #[test]
    fn a_malformed_message_keeps_its_id() {
        for (message, id) in [
            (r#"{"user":"alice","code":"123456","id":5,"uid":0}"#, "5"),
            (r#"{"id":["a"]}"#, r#"["a"]"#),
            (r#"{"user":"alice","code":"","id":"x","from":"ssh"}"#, r#""x""#),
            (r#"{"id":5"#, "null"),
            ("5", "null"),
        ] {
            let query = read(message).query;
            assert_eq!((query.parsed.err(), query.id.get()), (Some(ErrorCode::BadInput), id));
        }
    }

    #[test]
    fn what_is_no_question_is_bad_input() {
        let good = r#"{"user":"alice","code":"123456"}"#;
        for bad in [
            "",
            "{",
            "null",
            &good[..20],
            &format!("{good}{good}"),
            &format!("{good}\n{good}"),
            &format!("{good} x"),
            "alice\t123456",
            r#"{"user":"alice"}"#,
            r#"{"user":"alice","code":123456}"#,
            r#"{"user":"alice","code":""}"#,
            r#"{"user":"a b","code":"123456"}"#,
            r#"{"user":"alice","code":"123456","uid":0}"#,
            r#"{"user":"alice","user":"bob","code":"123456"}"#,
            r#"{"user":"alice","code":"123456","from":"ssh"}"#,
            r#"{"user":"alice","code":"123456","not_enabled":"accept"}"#,
            r#"{"user":"alice","code":"123456","not_enabled":"yes","from":"pam"}"#,
            r#"{"user":"alice","code":"123456","split":"last"}"#,
            r#"{"user":"alice","code":"123456","split":"first","from":"pam"}"#,
            r#"{"user":"alice","code":"123456","password":"x"}"#,
        ] {
            assert_eq!(error(bad), Some("bad_input"), "{bad}");
        }
        assert_eq!(error(good), None);
    }

    #[test]
    fn what_a_client_writes_is_read_as_it_was() {
        let name = |whole: &str, stripped: Option<&str>| HandedName {
            whole: Some(Zeroizing::new(whole.into())),
            stripped: stripped.map(|stripped| Zeroizing::new(stripped.into())),
        };
        let field = |text: &[u8]| Zeroizing::new(text.to_vec());
        let asked = ServiceInput {
            name: name("Alice", None),
            typed: Typed::OneField(field(b"123456")),
            origin: AttemptOrigin::of("pam").said("sshd", "203.0.113.5", "ssh"),
        };
        let message = write(&asked, NotEnabledPolicy::Refuse, false).unwrap();
        assert_eq!(
            std::str::from_utf8(&message).unwrap(),
            "{\"user\":\"Alice\",\"code\":\"123456\",\"from\":\"pam\",\"service\":\"sshd\",\
             \"remote\":\"203.0.113.5\",\"terminal\":\"ssh\"}\n"
        );
        let read = Question::read(&message, 0, &SiteNames::default());
        let terms = |without| Some(LoginTerms { without, has_code: true });
        assert_eq!(read.query.login, terms(NotEnabledPolicy::Refuse));
        // Whether whoever asks is believed is not theirs to say.
        let origin = AttemptOrigin { uid: Some(0), is_believed: false, ..asked.origin };
        assert_eq!(read.query.origin, origin);
        let both = Typed::TwoFields { password: field(b"pw\xff"), code: field(b"123456") };
        let asked = ServiceInput {
            name: name("alice@corp.example", Some("alice")),
            typed: both,
            origin: AttemptOrigin::of("radius"),
        };
        let message = write(&asked, NotEnabledPolicy::Accept, true).unwrap();
        let site = SiteNames::new(&[], &["corp.example".into()]);
        let read = Question::read(&message, 0, &site);
        assert_eq!(read.query.parsed.unwrap().0.as_str(), "alice");
        assert_eq!(read.credentials.unwrap().password(), "pw\u{fffd}".as_bytes());
        assert_eq!(read.query.login, terms(NotEnabledPolicy::Accept));
        let nobody = ServiceInput { name: HandedName::default(), ..asked };
        assert!(write(&nobody, NotEnabledPolicy::Refuse, false).is_none());
    }

    #[test]
    fn an_empty_code_is_no_attempt_and_a_bad_name_is_nobody() {
        let login = |code: &str, more: &str| {
            read(&format!(r#"{{"user":"alice","code":"{code}","from":"pam"{more}}}"#))
        };
        assert!(login("123456", "").is_attempt && !login("", "").is_attempt);
        assert!(login("", r#","not_enabled":"accept""#).is_attempt);
        assert!(!login("", r#","split":"last","not_enabled":"accept""#).is_attempt);
        assert!(login("", r#","split":"last","password":"x""#).is_attempt);
        let nobody = read(r#"{"user":"--help","code":"123456","from":"pam"}"#);
        assert!(nobody.query.parsed.is_err() && nobody.query.login.is_some());
    }

    #[test]
    fn only_accepted_and_confirmed_are_a_yes() {
        let answer = |text: &str| Answer::read(text.as_bytes());
        for (outcome, code, expected) in [
            ("accepted", "null", Answer::Yes),
            ("confirmed", "null", Answer::Yes),
            ("rejected", "null", Answer::No),
            ("locked", "null", Answer::No),
            ("first_of_two", "null", Answer::No),
            ("ACCEPTED", "null", Answer::No),
            ("accepted", "\"busy\"", Answer::No),
            ("error", "\"busy\"", Answer::Undecided("busy".into())),
        ] {
            let line = format!(r#"{{"outcome":"{outcome}","code":{code}}}"#);
            assert_eq!(answer(&line), Some(expected), "{line}");
        }
        for none in ["", "accepted", "{}", r#"{"outcome":true}"#, "{\"schema\":\"mfactl.serve/1\"}"]
        {
            assert_eq!(answer(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            let asked = Question::read(&bytes, 1, &SiteNames::default());
            prop_assert!(asked.query.parsed.is_err());
            let _ = Answer::read(&bytes);
        }
    }
}
