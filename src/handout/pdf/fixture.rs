//! Handouts for tests, as full as they come and as empty.

use zeroize::Zeroizing;

use crate::domain::paper_size::PaperSize;
use crate::domain::user::Language;
use crate::handout::page::{CodeList, CodeTitle, Fact, Handout, PageSection, Sheet};

pub const URI: &str = "otpauth://totp/Example%20Corp:alice?secret=NVTGCY3UNQWXGYLNOBWGKLLBNRUWGZJB\
                       &issuer=Example%20Corp&algorithm=SHA1&digits=6&period=30";
pub const KEY: &str = "NVTG CY3U NQWX GYLN OBWG KLLB NRUW GZJB";

fn fact(name: &str, value: &str) -> Fact {
    Fact { name: name.to_owned(), value: value.to_owned() }
}

fn section(title: &str, paragraphs: &[&str], is_warning: bool) -> PageSection {
    PageSection { title: title.to_owned(), paragraphs: owned(paragraphs), is_warning }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Everything that a page can have, but the codes.
pub fn english() -> Sheet {
    Sheet {
        language: Language::English,
        title: "Set up your second factor".to_owned(),
        why: owned(&[
            "Example Corp asks for a one-time code beside your password, so that nobody who knows your password can sign in as you.",
        ]),
        facts: vec![
            fact("Account", "alice (Example Corp)"),
            fact("Device", "phone"),
            fact("Set it up before", "8 January 2026, 00:00 UTC"),
            fact("Ticket", "HD-4711"),
        ],
        steps_title: "How to set it up".to_owned(),
        steps: owned(&[
            "Install Google Authenticator from the App Store or from Google Play.",
            "Open it, tap the plus sign, then “Scan a QR code”.",
            "Point the camera at the code on this page. If you can’t scan, tap “Enter a setup key” and type the key below the code.",
            "The app shows six digits, and new ones every 30 seconds. Type them where your sign-in asks for a code.",
            "Sign in once today, so that the set-up is complete.",
        ]),
        key_title: "If you can’t scan, type this key".to_owned(),
        key_facts: vec![
            fact("Account", "alice (Example Corp)"),
            fact("Kind", "time-based"),
            fact("Digits", "6"),
        ],
        sections: vec![
            section(
                "If you lose your phone",
                &["Call the helpdesk at once: +44 20 7946 0000. They stop the old phone and give you a new page like this one.", "A recovery code gets you in meanwhile."],
                false,
            ),
            section(
                "More than one phone",
                &["Scan the same code with each phone before you destroy this page. All of them then show the same codes."],
                false,
            ),
            section(
                "Where you are asked for a code",
                &["At the VPN, the portal and on login servers."],
                false,
            ),
            section(
                "Nobody will ask you for a code",
                &["Not the helpdesk, not your manager, not by phone and not by mail. Who asks you for a code wants to sign in as you: hang up and call the helpdesk."],
                true,
            ),
        ],
        code_titles: vec![CodeTitle {
            title: "Recovery codes".to_owned(),
            about: "Each works once, in the place of a code from the app. Tick it off after use.".to_owned(),
        }],
        footer: "Whoever has this page can sign in as you. Destroy it once your phone shows codes; keep the recovery codes in a safe place.".to_owned(),
    }
}

/// The same in French.
pub fn french() -> Sheet {
    Sheet {
        language: Language::French,
        title: "Configurer votre second facteur".to_owned(),
        why: owned(&[
            "Example Corp demande un code à usage unique en plus de votre mot de passe, afin que personne ne puisse se connecter à votre place avec votre seul mot de passe.",
        ]),
        facts: vec![
            fact("Compte", "alice (Example Corp)"),
            fact("Appareil", "phone"),
            fact("À configurer avant le", "8 janvier 2026, 00:00 UTC"),
            fact("Ticket", "HD-4711"),
        ],
        steps_title: "Comment faire".to_owned(),
        steps: owned(&[
            "Installez Google Authenticator depuis l’App Store ou Google Play.",
            "Ouvrez l’application, touchez le signe plus, puis «\u{a0}Scanner un code QR\u{a0}».",
            "Visez le code de cette page avec l’appareil photo. Si vous ne pouvez pas scanner, touchez «\u{a0}Saisir une clé\u{a0}» et tapez la clé.",
            "L’application affiche six chiffres, renouvelés toutes les 30 secondes. Saisissez-les quand la connexion demande un code.",
            "Connectez-vous une fois aujourd’hui pour terminer.",
        ]),
        key_title: "Sans scanner, saisissez cette clé".to_owned(),
        key_facts: vec![
            fact("Compte", "alice (Example Corp)"),
            fact("Type", "basé sur l’heure"),
            fact("Chiffres", "6"),
        ],
        sections: vec![
            section(
                "Si vous perdez votre téléphone",
                &["Appelez tout de suite le centre d’assistance\u{a0}: +33 1 99 00 00 00. L’ancien téléphone est arrêté et vous recevez une nouvelle page.", "En attendant, un code de secours vous permet d’entrer."],
                false,
            ),
            section(
                "Plusieurs téléphones",
                &["Scannez le même code avec chaque téléphone avant de détruire cette page. Tous affichent alors les mêmes codes."],
                false,
            ),
            section(
                "Où un code vous est demandé",
                &["Au VPN, au portail et sur les serveurs."],
                false,
            ),
            section(
                "Personne ne vous demandera un code",
                &["Ni le centre d’assistance, ni votre responsable, ni par téléphone, ni par courriel. Qui vous le demande veut se connecter à votre place\u{a0}: raccrochez et appelez le centre d’assistance."],
                true,
            ),
        ],
        code_titles: vec![CodeTitle {
            title: "Codes de secours".to_owned(),
            about: "Chacun sert une fois, à la place d’un code de l’application. Cochez-le ensuite.".to_owned(),
        }],
        footer: "Qui possède cette page peut se connecter à votre place. Détruisez-la dès que votre téléphone affiche des codes\u{a0}; gardez les codes de secours en lieu sûr.".to_owned(),
    }
}

/// Ten recovery codes.
pub fn recovery_codes() -> CodeList {
    let codes = (0..10).map(|n| Zeroizing::new(format!("k7m2{n}-x9qf{n}"))).collect();
    CodeList { codes, has_boxes: true }
}

/// A printed list.
pub fn printed_codes(count: u32) -> CodeList {
    let codes = (0..count).map(|n| Zeroizing::new(format!("{:06}", n * 7919 % 1_000_000)));
    CodeList { codes: codes.collect(), has_boxes: false }
}

pub fn full(paper: PaperSize, sheets: Vec<Sheet>) -> Handout {
    Handout {
        paper,
        sheets,
        qr: Some(Zeroizing::new(URI.to_owned())),
        key: Some(Zeroizing::new(KEY.to_owned())),
        codes: vec![recovery_codes()],
    }
}

/// A page with nothing that can be left out.
pub fn minimal() -> Handout {
    let sheet = Sheet {
        language: Language::English,
        title: "Your security key".to_owned(),
        why: vec![],
        facts: vec![],
        steps_title: "How to use it".to_owned(),
        steps: owned(&["Plug it in, and touch it where your sign-in asks for a code."]),
        key_title: String::new(),
        key_facts: vec![],
        sections: vec![],
        code_titles: vec![],
        footer: "Keep the key apart from your computer.".to_owned(),
    };
    Handout { paper: PaperSize::A4, sheets: vec![sheet], qr: None, key: None, codes: vec![] }
}
