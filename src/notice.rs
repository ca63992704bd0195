//! Tells users of changes of their protection, once they are stored: by mail, by a program of the site.

mod hook;
mod limit;
mod mail;
mod words;

use std::time::Duration;

use serde_json::json;

use limit::Limit;

use crate::config::Notify;
use crate::domain::time::Timestamp;
use crate::domain::user::{Language, User};
use crate::store::custody::Custody;

/// How long a way has for one notice. Who was not in time once isn't asked again in the same run.
const PATIENCE: Duration = Duration::from_secs(5);
/// For all notices of a batch of logins together: the next lines wait meanwhile.
pub const BATCH: Duration = PATIENCE;

/// What happened to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    Reset,
    Disabled,
    Deleted,
    NewPassword,
    RecoveryCodes,
    Bypass,
    Undone,
    NewDevice,
}

impl Happening {
    /// What a user is to hear of, by the verb that did it.
    #[must_use]
    pub fn of(verb: &str, after: &User) -> Option<Self> {
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
    pub happening: Happening,
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
pub enum Way {
    Sent,
    /// The user has no e-mail address.
    NoAddress,
    Failed(String),
}

/// What came of a notice, by the ways that there are.
#[derive(Clone, Debug)]
pub struct Told {
    pub mail: Option<Way>,
    pub hook: Option<Way>,
}

impl Told {
    fn ways(&self) -> impl Iterator<Item = (&'static str, &Way)> {
        let all = [("mail", &self.mail), ("hook", &self.hook)];
        all.into_iter().filter_map(|(name, way)| Some((name, way.as_ref()?)))
    }

    /// The word for the log: one way that failed is a failure, and a user without an address is
    /// named so only where nothing else told him.
    #[must_use]
    pub fn outcome(&self) -> &'static str {
        if self.problem().is_some() {
            "failed"
        } else if self.ways().any(|(_, way)| *way == Way::Sent) {
            "sent"
        } else {
            "no_address"
        }
    }

    /// What failed, in words.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let failed = |(name, way): (&'static str, &Way)| match way {
            Way::Failed(why) => Some(format!("{name}: {why}")),
            Way::Sent | Way::NoAddress => None,
        };
        let failed: Vec<_> = self.ways().filter_map(failed).collect();
        (!failed.is_empty()).then(|| failed.join("; "))
    }

    /// What the log shall say besides: of what, and by which way, never what a server answered.
    #[must_use]
    pub fn detail(&self, happening: Happening) -> String {
        let mut detail = serde_json::Map::new();
        detail.insert("of".into(), json!(happening.word()));
        for (name, way) in self.ways() {
            let word = match way {
                Way::Sent => "sent",
                Way::NoAddress => "no_address",
                Way::Failed(_) => "failed",
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
) -> Vec<Told> {
    let limit = Limit::new(within);
    // What mail does not need is the hook's.
    let of_mail = if notify.hook.is_some() { limit.half() } else { limit };
    let mut mails =
        notify.mail.as_ref().map(|m| mail::send(m, custody, issuer, notices, of_mail).into_iter());
    let mut hooks = notify.hook.as_ref().map(|h| hook::run(h, custody, notices, limit).into_iter());
    let mut told = || Told {
        mail: mails.as_mut().and_then(Iterator::next),
        hook: hooks.as_mut().and_then(Iterator::next),
    };
    notices.iter().map(|_| told()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What tests tell.
    pub fn sample() -> Notice {
        Notice {
            id: [7; 16],
            happening: Happening::Reset,
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
        let failed = Some(Way::Failed("gone".into()));
        for (mail, hook, expected) in [
            (Some(Way::Sent), None, "sent"),
            (Some(Way::NoAddress), None, "no_address"),
            (Some(Way::NoAddress), Some(Way::Sent), "sent"),
            (Some(Way::NoAddress), failed.clone(), "failed"),
            (Some(Way::Sent), failed.clone(), "failed"),
            (failed.clone(), Some(Way::Sent), "failed"),
        ] {
            let told = Told { mail, hook };
            assert_eq!(told.outcome(), expected, "{told:?}");
            assert!(!told.detail(Happening::Reset).contains("gone"), "{told:?}");
        }
        let both = Told { mail: failed.clone(), hook: failed };
        assert_eq!(both.problem().as_deref(), Some("mail: gone; hook: gone"));
    }
}
