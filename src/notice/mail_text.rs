//! The text of a mail.

use crate::domain::notice::NoticeKind;
use crate::domain::text::{shown, wrapped};
use crate::notice::Notice;
use crate::texts::{Text, Texts};

/// A mail's subject and text.
pub struct MailText {
    pub subject: String,
    pub text: String,
}

/// Columns of a mail.
pub const WIDTH: usize = 80;

impl MailText {
    #[must_use]
    pub fn of(notice: &Notice, issuer: &str) -> Self {
        let texts = Texts(notice.language);
        let issuer = shown(issuer);
        let (title, summary) = title_and_summary(notice.kind);
        let name = notice.display_name.as_ref().unwrap_or(&notice.user);
        let (name, user) = (shown(name), shown(&notice.user));
        let when = texts.date(notice.at);
        let mut facts = vec![
            texts.fill(Text::NoticeAccount, &[("user", &user), ("issuer", &issuer)]),
            texts.fill(Text::NoticeWhen, &[("date", &when)]),
        ];
        if let Some(device) = &notice.device {
            facts.push(texts.fill(Text::NoticeDevice, &[("device", &shown(device))]));
        }
        if let Some(ticket) = &notice.ticket {
            facts.push(texts.fill(Text::NoticeTicket, &[("ticket", &shown(ticket))]));
        }
        if notice.is_self_service {
            facts.push(texts.text(Text::NoticeByOneself).to_owned());
        }
        let prose = |text| {
            let lines = texts.text(text).lines();
            lines.flat_map(|line| wrapped(line, WIDTH)).collect::<Vec<_>>().join("\n")
        };
        let paragraphs = [
            texts.fill(Text::NoticeGreeting, &[("name", &name)]),
            prose(summary),
            facts.join("\n"),
            prose(Text::NoticeAdvice),
            prose(Text::NoticeNeverAsked),
        ];
        let title = texts.text(title);
        Self {
            subject: texts.fill(Text::NoticeSubject, &[("issuer", &issuer), ("title", title)]),
            text: paragraphs.join("\n\n") + "\n",
        }
    }
}

const fn title_and_summary(kind: NoticeKind) -> (Text, Text) {
    match kind {
        NoticeKind::Reset => (Text::ResetTitle, Text::ResetSummary),
        NoticeKind::Disabled => (Text::DisabledTitle, Text::DisabledSummary),
        NoticeKind::Deleted => (Text::DeletedTitle, Text::DeletedSummary),
        NoticeKind::NewPassword => (Text::NewPasswordTitle, Text::NewPasswordSummary),
        NoticeKind::RecoveryCodes => (Text::RecoveryCodesTitle, Text::RecoveryCodesSummary),
        NoticeKind::Bypass => (Text::BypassTitle, Text::BypassSummary),
        NoticeKind::Undone => (Text::UndoneTitle, Text::UndoneSummary),
        NoticeKind::Resynchronised => (Text::ResynchronisedTitle, Text::ResynchronisedSummary),
        NoticeKind::NewDevice => (Text::NewDeviceTitle, Text::NewDeviceSummary),
        NoticeKind::Replacement => (Text::ReplacementTitle, Text::ReplacementSummary),
        NoticeKind::DeviceRemoved => (Text::DeviceRemovedTitle, Text::DeviceRemovedSummary),
        NoticeKind::DeviceRenamed => (Text::DeviceRenamedTitle, Text::DeviceRenamedSummary),
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::user::Language;
    use crate::notice::mail_text::*;
    use crate::notice::tests::sample;

    const ALL: [NoticeKind; 12] = [
        NoticeKind::Reset,
        NoticeKind::Disabled,
        NoticeKind::Deleted,
        NoticeKind::NewPassword,
        NoticeKind::RecoveryCodes,
        NoticeKind::Bypass,
        NoticeKind::Undone,
        NoticeKind::Resynchronised,
        NoticeKind::NewDevice,
        NoticeKind::Replacement,
        NoticeKind::DeviceRemoved,
        NoticeKind::DeviceRenamed,
    ];

    #[test]
    fn every_kind_has_its_own_text_in_both_languages() {
        for (language, date) in [
            (Language::English, "When: 1 January 2026 at 00:00 (UTC)"),
            (Language::French, "Date\u{a0}: 1er janvier 2026 à 0\u{a0}h\u{a0}00 (UTC)"),
        ] {
            let mut subjects = std::collections::BTreeSet::new();
            for kind in ALL {
                let mail = MailText::of(&Notice { kind, language, ..sample() }, "Example Corp");
                assert!(mail.text.contains(date), "{}", mail.text);
                assert!(mail.text.lines().all(|l| l.chars().count() <= 80), "{}", mail.text);
                assert!(mail.text.contains("alice (Example Corp)"), "{}", mail.text);
                subjects.insert(mail.subject);
            }
            assert_eq!(subjects.len(), ALL.len());
        }
    }

    #[test]
    fn a_mail_says_what_when_and_what_to_do() {
        let mail = MailText::of(&sample(), "Example Corp");
        assert_eq!(mail.subject, "Example Corp: your second factor was reset");
        for part in ["Hello Alice Martin,", "Device: phone", "Ticket: HELP-1", "call your helpdesk"]
        {
            assert!(mail.text.contains(part), "{part}: {}", mail.text);
        }
        let french =
            MailText::of(&Notice { language: Language::French, ..sample() }, "Example Corp");
        assert!(french.subject.ends_with("votre second facteur a été réinitialisé"));
        let french = french.text.replace('\n', " ");
        for part in ["Bonjour Alice Martin,", "Appareil\u{a0}: phone", "appelez tout de suite"] {
            assert!(french.contains(part), "{part}: {french}");
        }
    }

    #[test]
    fn d23_a_mail_about_self_service_says_who_it_was() {
        for (language, words) in [
            (Language::English, "Made by: yourself, or somebody who knows your password"),
            (
                Language::French,
                "Auteur\u{a0}: vous-même, ou quelqu’un qui connaît votre mot de passe",
            ),
        ] {
            for is_self_service in [false, true] {
                let notice = Notice { language, is_self_service, ..sample() };
                let text = MailText::of(&notice, "Example Corp").text;
                assert_eq!(text.contains(words), is_self_service, "{text}");
            }
        }
    }

    #[test]
    fn a_name_cannot_add_lines() {
        let notice = Notice { display_name: Some("A\r\nBcc: x\u{202e}".into()), ..sample() };
        let text = MailText::of(&notice, "Example Corp").text;
        assert!(!text.contains('\r') && !text.contains("\nBcc"), "{text}");
    }
}
