//! The text of a mail, in English and in French.

use crate::domain::notice::NoticeKind;
use crate::domain::text::shown;
use crate::domain::user::Language;
use crate::notice::Notice;

/// A mail's subject and text.
pub struct MailText {
    pub subject: String,
    pub text: String,
}

impl MailText {
    #[must_use]
    pub fn of(notice: &Notice, issuer: &str) -> Self {
        let issuer = shown(issuer);
        let (title, summary) = match notice.language {
            Language::English => english(notice.kind),
            Language::French => french(notice.kind),
        };
        let name = notice.display_name.as_ref().unwrap_or(&notice.user);
        let (name, user) = (shown(name), shown(&notice.user));
        let at = notice.at.to_string().replace('T', " ").replace('Z', " UTC");
        let mut facts = Vec::new();
        let [greeting, account, when, device, ticket] = match notice.language {
            Language::English => ["Hello ", "Account: ", "When: ", "Device: ", "Ticket: "],
            Language::French => {
                ["Bonjour ", "Compte\u{a0}: ", "Date\u{a0}: ", "Appareil\u{a0}: ", "Ticket\u{a0}: "]
            }
        };
        facts.push(format!("{account}{user} ({issuer})"));
        facts.push(format!("{when}{at}"));
        for (label, value) in [(device, &notice.device), (ticket, &notice.ticket)] {
            facts.extend(value.as_ref().map(|value| format!("{label}{}", shown(value))));
        }
        if notice.is_self_service {
            facts.push(by_oneself(notice.language).to_owned());
        }
        let advice = match notice.language {
            Language::English => ENGLISH_ADVICE,
            Language::French => FRENCH_ADVICE,
        };
        Self {
            subject: format!("{issuer}{} {title}", colon(notice.language)),
            text: format!("{greeting}{name},\n\n{summary}\n\n{}\n\n{advice}\n", facts.join("\n")),
        }
    }
}

const fn colon(language: Language) -> &'static str {
    match language {
        Language::English => ":",
        Language::French => "\u{a0}:",
    }
}

/// Who made a change in self-service, as far as a program can know it.
const fn by_oneself(language: Language) -> &'static str {
    match language {
        Language::English => "Made by: yourself, or somebody who knows your password",
        Language::French => "Auteur\u{a0}: vous-même, ou quelqu’un qui connaît votre mot de passe",
    }
}

const ENGLISH_ADVICE: &str = "\
If you did this or asked for it, there is nothing to do.
If not, somebody else may be trying to get into your account: call your helpdesk
at once, at a number that you already know, and mention the time above.

We will never ask you for a password, a code or a key. This message was sent by
a program; nobody reads replies to it.";

const FRENCH_ADVICE: &str = "\
Si cela vient de vous, ou si vous l’avez demandé, vous n’avez rien à faire.
Sinon, quelqu’un essaie peut-être d’entrer dans votre compte\u{a0}: appelez tout de
suite votre assistance, à un numéro que vous connaissez déjà, et donnez la date
ci-dessus.

Nous ne vous demanderons jamais un mot de passe, un code ni une clé. Ce message
a été écrit par un programme\u{a0}; personne ne lit les réponses.";

const fn english(kind: NoticeKind) -> (&'static str, &'static str) {
    match kind {
        NoticeKind::Reset => (
            "your second factor was reset",
            "The second factor of your account was reset: the devices that made your codes
no longer work. You may be asked to set up a new one.",
        ),
        NoticeKind::Disabled => (
            "your second factor was switched off",
            "The second factor of your account was switched off. Its codes are refused until
it is switched on again.",
        ),
        NoticeKind::Deleted => (
            "your second factor was deleted",
            "The second factor of your account was deleted: the devices that made your codes
no longer work.",
        ),
        NoticeKind::NewPassword => (
            "you have to choose a new password",
            "You must choose a new password at your next sign-in. Your second factor may no
longer work either.",
        ),
        NoticeKind::RecoveryCodes => (
            "you have new recovery codes",
            "New recovery codes were made for your account. The old ones no longer work.",
        ),
        NoticeKind::Bypass => (
            "a temporary code was made for you",
            "A temporary code was made for your account. For a while it replaces the codes of
your own device.",
        ),
        NoticeKind::Resynchronised => (
            "a device was resynchronised",
            "A device that makes codes for your account was brought back into step by two
of its codes. Codes of this device are accepted again.",
        ),
        NoticeKind::Undone => (
            "a change to your second factor was undone",
            "A change to the second factor of your account was undone: what it took away
works again. Devices that were set up since then may no longer work.",
        ),
        NoticeKind::NewDevice => (
            "a new device was set up for you",
            "A new device was set up for your account. From now on you can sign in with its
codes.",
        ),
        NoticeKind::Replacement => (
            "a new device is to replace yours",
            "A new device was registered in place of the device below. After the first code
of the new one, the codes of the old one no longer work.",
        ),
        NoticeKind::DeviceRemoved => (
            "a device was removed",
            "A device that makes codes for your account was removed. Its codes no longer
work.",
        ),
        NoticeKind::DeviceRenamed => (
            "a device was renamed",
            "A device that makes codes for your account got another name. Its codes work as
before.",
        ),
    }
}

const fn french(kind: NoticeKind) -> (&'static str, &'static str) {
    match kind {
        NoticeKind::Reset => (
            "votre second facteur a été réinitialisé",
            "Le second facteur de votre compte a été réinitialisé\u{a0}: des appareils qui
produisaient vos codes ont été coupés. On vous demandera peut-être d’en installer
un nouveau.",
        ),
        NoticeKind::Disabled => (
            "votre second facteur a été désactivé",
            "Le second facteur de votre compte a été désactivé. Ses codes sont refusés
jusqu’à ce qu’il soit réactivé.",
        ),
        NoticeKind::Deleted => (
            "votre second facteur a été supprimé",
            "Le second facteur de votre compte a été supprimé\u{a0}: des appareils qui
produisaient vos codes ont été coupés.",
        ),
        NoticeKind::NewPassword => (
            "vous devez choisir un nouveau mot de passe",
            "Un nouveau mot de passe vous sera demandé à votre prochaine connexion. Votre
second facteur a peut-être été coupé avec l’ancien.",
        ),
        NoticeKind::RecoveryCodes => (
            "vous avez de nouveaux codes de secours",
            "De nouveaux codes de secours ont été créés pour votre compte. Les anciens ne
valent plus rien.",
        ),
        NoticeKind::Bypass => (
            "un code temporaire a été créé pour vous",
            "Un code temporaire a été créé pour votre compte. Pendant quelque temps, il
remplace les codes de votre appareil.",
        ),
        NoticeKind::Resynchronised => (
            "un appareil a été resynchronisé",
            "Un appareil qui fait les codes de votre compte a été resynchronisé par deux de
ses codes. Les codes de cet appareil sont acceptés de nouveau.",
        ),
        NoticeKind::Undone => (
            "un changement de votre second facteur a été annulé",
            "Un changement du second facteur de votre compte a été annulé\u{a0}: ce qu’il avait
coupé marche de nouveau, et des appareils installés depuis ont pu être coupés.",
        ),
        NoticeKind::NewDevice => (
            "un nouvel appareil produit vos codes",
            "Un nouvel appareil a été installé pour votre compte. Ses codes vous ouvrent
désormais l’accès.",
        ),
        NoticeKind::Replacement => (
            "un nouvel appareil va remplacer le vôtre",
            "Un nouvel appareil a été enregistré à la place de l’appareil ci-dessous. Dès le
premier code du nouveau, les codes de l’ancien ne seront plus acceptés.",
        ),
        NoticeKind::DeviceRemoved => (
            "un appareil a été retiré",
            "Un appareil qui produit les codes de votre compte a été retiré. Ses codes ne
sont plus acceptés.",
        ),
        NoticeKind::DeviceRenamed => (
            "un appareil a changé de nom",
            "Un appareil qui produit les codes de votre compte a changé de nom. Ses codes
sont acceptés comme avant.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use crate::notice::tests::sample;
    use crate::notice::texts::*;

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
        for language in [Language::English, Language::French] {
            let mut subjects = std::collections::BTreeSet::new();
            for kind in ALL {
                let mail = MailText::of(&Notice { kind, language, ..sample() }, "Example Corp");
                assert!(mail.text.contains("2026-01-01 00:00:00 UTC"), "{}", mail.text);
                assert!(mail.text.lines().all(|l| l.chars().count() <= 82), "{}", mail.text);
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
        for part in ["Bonjour Alice Martin,", "Appareil\u{a0}: phone", "appelez tout de\nsuite"] {
            assert!(french.text.contains(part), "{part}: {}", french.text);
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
