//! Notifies users of committed changes to their MFA, by mail and by a site's own program (the hook).

mod deadline;
mod hook;
mod mail;
mod mail_text;
mod outgoing_mail;
mod page_text;

use std::time::Duration;

use serde_json::json;

pub use self::outgoing_mail::{Attachment, OutgoingMail};
pub use self::page_text::{PageMail, PageMailKind};
use crate::notice::deadline::Deadline;

use crate::config::{Mail, Notify};
use crate::domain::notice::NoticeKind;
use crate::domain::time::Timestamp;
use crate::domain::user::Language;
use crate::files::file_trust::FilePolicy;

/// Time for one notice by mail or by the hook. After one timeout a run does not try that way again.
const NOTICE_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for all notices of one batch of codes: the next lines wait meanwhile.
pub const BATCH_TIMEOUT: Duration = NOTICE_TIMEOUT;

/// The content of a notice. It has no secrets, so it can leak none.
#[derive(Clone, Debug)]
pub struct Notice {
    /// The random part of the Message-ID.
    pub id: [u8; 16],
    pub kind: NoticeKind,
    pub at: Timestamp,
    pub user: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub language: Language,
    pub device: Option<String>,
    pub ticket: Option<String>,
    /// The change was made in self-service, with the user's password.
    pub is_self_service: bool,
}

impl Notice {
    /// As a mail; `None` for a user without an address.
    fn letter(&self, issuer: &str) -> Option<OutgoingMail<'_>> {
        let to = self.email.as_deref()?;
        let mail_text::MailText { subject, text } = mail_text::MailText::of(self, issuer);
        Some(OutgoingMail { id: self.id, at: self.at, to, subject, text, attachment: None })
    }
}

/// The result of mail or hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    Sent,
    /// The user has no e-mail address.
    NoAddress,
    Failed(String),
}

/// The results of one notice; `None` if that way is not configured.
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

    /// The outcome for the log. One failed delivery makes it `failed`; `no_address` means that nothing
    /// was sent.
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

    /// The failures, for a message.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let failed = |(name, delivery): (&'static str, &Delivery)| match delivery {
            Delivery::Failed(why) => Some(format!("{name}: {why}")),
            Delivery::Sent | Delivery::NoAddress => None,
        };
        let failed: Vec<_> = self.deliveries().filter_map(failed).collect();
        (!failed.is_empty()).then(|| failed.join("; "))
    }

    /// The details for the log: kind and result of each delivery, never text from a server.
    #[must_use]
    pub fn detail(&self, of: &str) -> String {
        let mut detail = serde_json::Map::new();
        detail.insert("of".into(), json!(of));
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

/// Sends one mail, in the time of a notice. The hook has no part in it.
#[must_use]
pub fn send_letter(mail: &Mail, file_policy: &FilePolicy, letter: &OutgoingMail<'_>) -> Delivery {
    let deliveries = mail::send(mail, file_policy, &[Some(letter)], Deadline::new(None));
    deliveries.into_iter().next().unwrap_or(Delivery::NoAddress)
}

/// Sends all notices by mail and hook, as configured, in at most `within` for all together. Failures are
/// part of the results.
#[must_use]
pub fn send(
    notify: &Notify,
    file_policy: &FilePolicy,
    issuer: &str,
    notices: &[Notice],
    within: Option<Duration>,
) -> Vec<NoticeResult> {
    let deadline = Deadline::new(within);
    // The hook gets the time that mail leaves over.
    let mail_deadline = if notify.hook.is_some() { deadline.half() } else { deadline };
    let mut mails = notify.mail.as_ref().map(|mail| {
        let letters: Vec<_> = notices.iter().map(|notice| notice.letter(issuer)).collect();
        let letters: Vec<_> = letters.iter().map(Option::as_ref).collect();
        mail::send(mail, file_policy, &letters, mail_deadline).into_iter()
    });
    let mut hooks =
        notify.hook.as_ref().map(|h| hook::run(h, file_policy, notices, deadline).into_iter());
    let mut result = || NoticeResult {
        mail: mails.as_mut().and_then(Iterator::next),
        hook: hooks.as_mut().and_then(Iterator::next),
    };
    notices.iter().map(|_| result()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
            is_self_service: false,
        }
    }

    #[test]
    fn one_failed_delivery_is_a_failure_and_no_address_counts_only_alone() {
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
            assert!(!result.detail("reset").contains("gone"), "{result:?}");
        }
        let both = NoticeResult { mail: failed.clone(), hook: failed };
        assert_eq!(both.problem().as_deref(), Some("mail: gone; hook: gone"));
    }
}
