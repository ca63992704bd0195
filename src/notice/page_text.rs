//! The words of a mail about a page for the user.

use crate::domain::text::{shown, wrapped};
use crate::domain::time::Timestamp;
use crate::domain::user::Language;
use crate::notice::mail_text::{MailText, WIDTH};
use crate::texts::{Text, Texts};

/// What a mail about a page says, apart from the page itself.
pub struct PageMail<'p> {
    /// The user's own language first.
    pub languages: &'p [Language],
    pub kind: PageMailKind,
    pub issuer: &'p str,
    pub user: &'p str,
    pub display_name: Option<&'p str>,
    /// Where the helpdesk is.
    pub contact: Option<&'p str>,
    pub ticket: Option<&'p str>,
    /// By when the device must be set up.
    pub until: Option<Timestamp>,
}

/// What becomes of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageMailKind {
    /// It waits at the helpdesk.
    Waiting,
    /// It is attached, with the secret.
    WithSecret,
    /// It is attached, and has only the steps.
    StepsOnly,
}

impl PageMail<'_> {
    /// In each language, one below the other; the subject is in the first.
    #[must_use]
    pub fn text(&self) -> MailText {
        let mut mails = self.languages.iter().map(|language| self.in_one(Texts(*language)));
        let first = mails.next().unwrap_or_else(|| self.in_one(Texts(Language::English)));
        mails.fold(first, |first, next| MailText {
            subject: first.subject,
            text: format!("{}\n{}\n\n{}", first.text, "-".repeat(WIDTH), next.text),
        })
    }

    fn in_one(&self, texts: Texts) -> MailText {
        let prose = |text| {
            let lines = texts.text(text).lines();
            lines.flat_map(|line| wrapped(line, WIDTH)).collect::<Vec<_>>().join("\n")
        };
        let (issuer, user) = (shown(self.issuer), shown(self.user));
        let (title, about) = match self.kind {
            PageMailKind::Waiting => (Text::PageWaitingTitle, [Text::PageWaiting, Text::PageFetch]),
            PageMailKind::WithSecret => {
                (Text::PageAttachedTitle, [Text::PageAttached, Text::PageSecret])
            }
            PageMailKind::StepsOnly => {
                (Text::PageStepsTitle, [Text::PageSteps, Text::PageNoSecret])
            }
        };
        let mut facts =
            vec![texts.fill(Text::NoticeAccount, &[("user", &user), ("issuer", &issuer)])];
        if let Some(until) = self.until {
            facts.push(texts.fill(Text::PageUntil, &[("date", &texts.date(until))]));
        }
        if let Some(ticket) = self.ticket {
            facts.push(texts.fill(Text::NoticeTicket, &[("ticket", &shown(ticket))]));
        }
        if let Some(contact) = self.contact {
            facts.push(texts.fill(Text::PageHelpdesk, &[("contact", &shown(contact))]));
        }
        let name = shown(self.display_name.unwrap_or(self.user));
        let [first, second] = about;
        let paragraphs = [
            texts.fill(Text::NoticeGreeting, &[("name", &name)]),
            prose(first),
            prose(second),
            facts.join("\n"),
            prose(Text::PageUnexpected),
            prose(Text::NoticeNeverAsked),
        ];
        let title = texts.text(title);
        MailText {
            subject: texts.fill(Text::NoticeSubject, &[("issuer", &issuer), ("title", title)]),
            text: paragraphs.join("\n\n") + "\n",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PageMailKind::{StepsOnly, Waiting, WithSecret};

    fn mail(languages: &[Language], kind: PageMailKind) -> MailText {
        let page = PageMail {
            languages,
            kind,
            issuer: "Example Corp",
            user: "alice",
            display_name: Some("Alice\r\nBcc: eve@example.com"),
            contact: Some("room A 12, extension 4711"),
            ticket: Some("HELP-7"),
            until: Some(Timestamp::from_unix(crate::testing::START).unwrap()),
        };
        page.text()
    }

    #[test]
    fn each_mail_says_what_becomes_of_the_page_in_each_language() {
        for (language, until, words) in [
            (
                Language::English,
                "Do this before: 1 January 2026",
                [
                    ("Come to", Waiting),
                    ("delete this message", WithSecret),
                    ("no secret", StepsOnly),
                ],
            ),
            (
                Language::French,
                "À faire avant le\u{a0}: 1er janvier 2026",
                [
                    ("Passez au", Waiting),
                    ("supprimez ce message", WithSecret),
                    ("aucun secret", StepsOnly),
                ],
            ),
        ] {
            for kind in [Waiting, WithSecret, StepsOnly] {
                let MailText { text, .. } = mail(&[language], kind);
                assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
                for part in ["alice (Example Corp)", "room A 12", "HELP-7", until] {
                    assert!(text.contains(part), "{part}: {text}");
                }
                let text = text.replace('\n', " ");
                for (words, of) in words {
                    assert_eq!(text.contains(words), of == kind, "{words} {kind:?}: {text}");
                }
                assert!(!text.contains("://"), "a link: {text}");
            }
        }
    }

    #[test]
    fn both_languages_stand_below_each_other_and_a_name_adds_no_line() {
        let both = mail(&[Language::French, Language::English], Waiting);
        assert!(both.subject.starts_with("Example Corp\u{a0}: "), "{}", both.subject);
        let english = both.text.find("Hello Alice").unwrap();
        assert!(both.text.find("Bonjour Alice").unwrap() < english);
        assert!(!both.text.contains('\r') && !both.text.contains("\nBcc"), "{}", both.text);
    }
}
