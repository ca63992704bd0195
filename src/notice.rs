//! Tells users of changes of their protection, once they are stored: by mail, by a program of the site.

mod hook;
mod limit;
mod mail;
mod words;

use std::time::Duration;

use serde_json::json;

use limit::Deadline;

use crate::config::Notify;
use crate::domain::time::Timestamp;
use crate::domain::user::{Language, User};
use crate::store::custody::Custody;

/// How long a way has for one notice. Who was not in time once isn't asked again in the same run.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(5);
/// For all notices of a batch of logins together: the next lines wait meanwhile.
pub const BATCH_TIMEOUT: Duration = NOTICE_TIMEOUT;

/// What happened to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    Reset,
    Disabled,
    Deleted,
    NewPassword,
    RecoveryCodes,
    Bypass,
    Undone,
    NewDevice,
}

impl NoticeKind {
    /// What a user is to hear of, by the verb that did it.
    #[must_use]
    pub fn for_verb(verb: &str, after: &User) -> Option<Self> {
        Some(match verb {
            "reset" => Self::Reset,
            "disable" => Self::Disabled,
            "delete" => Self::Deleted,
            "force-new-password" => Self::NewPassword,
            "recovery-codes" => Self::RecoveryCodes,
            // Where one ends nothing is weaker than before.
            "bypass" if after.bypass.is_some() => Self::Bypass,
            "undo" => Self::Undone,
            _ => return None,
        })
    }

    /// The word of the contract.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Disabled => "disable",
            Self::Deleted => "delete",
            Self::NewPassword => "force-new-password",
            Self::RecoveryCodes => "recovery-codes",
            Self::Bypass => "bypass",
            Self::Undone => "undo",
            Self::NewDevice => "new-device",
        }
    }
}

/// What one user is told. No secret is in it, so none can get out with it.
#[derive(Clone, Debug)]
pub struct Notice {
    /// Makes the mail one of its own.
    pub id: [u8; 16],
    pub kind: NoticeKind,
    pub at: Timestamp,
    pub user: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub language: Language,
    pub device: Option<String>,
    pub ticket: Option<String>,
}

/// What came of one way of telling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    Sent,
    /// The user has no e-mail address.
    NoAddress,
    Failed(String),
}

/// What came of a notice, by the ways that there are.
#[derive(Clone, Debug)]
pub struct NoticeResult {
    pub mail: Option<Delivery>,
    pub hook: Option<Delivery>,
}

impl NoticeResult {
    fn deliveries(&self) -> impl Iterator<Item = (&'static str, &Delivery)> {
        let all = [("mail", &self.mail), ("hook", &self.hook)];
        all.into_iter().filter_map(|(name, delivery)| Some((name, delivery.as_ref()?)))
    }

    /// The word for the log: one way that failed is a failure, and a user without an address is
    /// named so only where nothing else told him.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        if self.problem().is_some() {
            "failed"
        } else if self.deliveries().any(|(_, delivery)| *delivery == Delivery::Sent) {
            "sent"
        } else {
            "no_address"
        }
    }

    /// What failed, in words.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let failed = |(name, delivery): (&'static str, &Delivery)| match delivery {
            Delivery::Failed(why) => Some(format!("{name}: {why}")),
            Delivery::Sent | Delivery::NoAddress => None,
        };
        let failed: Vec<_> = self.deliveries().filter_map(failed).collect();
        (!failed.is_empty()).then(|| failed.join("; "))
    }

    /// What the log shall say besides: of what, and by which way, never what a server answered.
    #[must_use]
    pub fn detail(&self, kind: NoticeKind) -> String {
        let mut detail = serde_json::Map::new();
        detail.insert("of".into(), json!(kind.word()));
        for (name, delivery) in self.deliveries() {
            let word = match delivery {
                Delivery::Sent => "sent",
                Delivery::NoAddress => "no_address",
                Delivery::Failed(_) => "failed",
            };
            detail.insert(name.into(), json!(word));
        }
        serde_json::Value::from(detail).to_string()
    }
}

/// Sends all of them by every way that is there, and takes no longer than `within` for all. Nothing that
/// goes wrong goes further than the answer.
#[must_use]
pub fn send(
    notify: &Notify,
    custody: &Custody,
    issuer: &str,
    notices: &[Notice],
    within: Option<Duration>,
) -> Vec<NoticeResult> {
    let deadline = Deadline::new(within);
    // What mail does not need is the hook's.
    let mail_deadline = if notify.hook.is_some() { deadline.half() } else { deadline };
    let mut mails = notify
        .mail
        .as_ref()
        .map(|m| mail::send(m, custody, issuer, notices, mail_deadline).into_iter());
    let mut hooks =
        notify.hook.as_ref().map(|h| hook::run(h, custody, notices, deadline).into_iter());
    let mut result = || NoticeResult {
        mail: mails.as_mut().and_then(Iterator::next),
        hook: hooks.as_mut().and_then(Iterator::next),
    };
    notices.iter().map(|_| result()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What tests tell.
    pub fn sample() -> Notice {
        Notice {
            id: [7; 16],
            kind: NoticeKind::Reset,
            at: Timestamp::from_unix(crate::testing::START).unwrap(),
            user: "alice".into(),
            display_name: Some("Alice Martin".into()),
            email: Some("alice@example.com".into()),
            language: Language::English,
            device: Some("phone".into()),
            ticket: Some("HELP-1".into()),
        }
    }

    #[test]
    fn one_failure_is_a_failure_and_no_address_counts_only_alone() {
        let failed = Some(Delivery::Failed("gone".into()));
        for (mail, hook, expected) in [
            (Some(Delivery::Sent), None, "sent"),
            (Some(Delivery::NoAddress), None, "no_address"),
            (Some(Delivery::NoAddress), Some(Delivery::Sent), "sent"),
            (Some(Delivery::NoAddress), failed.clone(), "failed"),
            (Some(Delivery::Sent), failed.clone(), "failed"),
            (failed.clone(), Some(Delivery::Sent), "failed"),
        ] {
            let result = NoticeResult { mail, hook };
            assert_eq!(result.outcome(), expected, "{result:?}");
            assert!(!result.detail(NoticeKind::Reset).contains("gone"), "{result:?}");
        }
        let both = NoticeResult { mail: failed.clone(), hook: failed };
        assert_eq!(both.problem().as_deref(), Some("mail: gone; hook: gone"));
    }
}
