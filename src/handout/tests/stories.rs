//! What a page says to each kind of user, in both languages: the page alone must be enough.

use super::{BOTH, ENGLISH, FRENCH, HandedOut, HandoutApp, Language, Sample, fixture};
use crate::domain::device::DeviceState;
use crate::domain::factor::totp::{Algorithm, Parameters};
use crate::domain::factor::{Factor, hotp, paper};
use crate::domain::password::{PasswordChange, TemporaryPassword};
use crate::domain::secret::Sealed;
use crate::domain::time::Timestamp;

/// The words of a text on one line each, without the breaks of lines.
fn flowing(text: &str) -> String {
    text.replace('\u{a0}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text in each language, and what it must say in each.
fn says(sample: &mut Sample, english: &[&str], french: &[&str]) {
    for (languages, words) in [(ENGLISH, english), (FRENCH, french)] {
        sample.languages = languages;
        let text = flowing(&sample.text());
        let html = sample.html();
        for words in words {
            assert!(text.contains(words), "{words:?} is not in:\n{text}");
            assert!(flowing(&html).contains(words), "{words:?} is not in the HTML");
        }
    }
}

/// Neither the secret nor a code to scan is in any form.
fn has_no_secret(sample: &Sample) {
    let secret = fixture::secret().base32();
    for page in [sample.text(), sample.html()] {
        let page = page.replace(' ', "");
        assert!(!page.contains(secret.as_str()) && !page.contains("otpauth"), "{page}");
        assert!(!page.contains("<svg") && !page.contains('█'));
    }
}

#[test]
fn a_portal_user_finds_the_words_of_their_app() {
    let apps = [
        (HandoutApp::Google, "Google Authenticator", "“Scan a QR code”", "« Scanner un code QR »"),
        (
            HandoutApp::Microsoft,
            "Microsoft Authenticator",
            "“Other (Google, Facebook, etc.)”",
            "« Autre (Google, Facebook, etc.) »",
        ),
        (HandoutApp::Okta, "Okta Verify", "Choose “Other”", "Choisissez « Autre »"),
        (HandoutApp::Duo, "Duo Mobile", "“Use QR code”", "« Utiliser un code QR »"),
        (HandoutApp::Yubico, "Yubico Authenticator", "“Add account”", "« Ajouter compte »"),
        (HandoutApp::Any, "an authenticator app", "“Add account”", "« Ajouter un compte »"),
    ];
    for (app, name, english, french) in apps {
        let mut sample = Sample::new(ENGLISH);
        sample.app = app;
        let named =
            if app == HandoutApp::Any { "une application d’authentification" } else { name };
        says(
            &mut sample,
            &[name, english, "code of 6 digits", "Once the code is accepted"],
            &[named, french, "code à 6 chiffres", "Une fois le code accepté"],
        );
    }
}

#[test]
fn a_key_is_typed_with_all_that_the_app_asks_for() {
    let mut sample = Sample::new(ENGLISH);
    says(
        &mut sample,
        &["“Enter a setup key”", "type of key “Time based”"],
        &["« Saisir une clé de configuration »", "type de clé « Basée sur l’heure »"],
    );
    sample.languages = ENGLISH;
    let text = flowing(&sample.text());
    for words in [
        "Key: A4DQ OBYH A4DQ OBYH A4DQ OBYH A4DQ OBYH",
        "Account name: alice (Example Corp)",
        "type of key “Time based”",
        "Kind of key: time based (TOTP)",
        "If asked for: 6 digits, 30 seconds, SHA1",
    ] {
        assert!(text.contains(words), "{words}");
    }
    sample.device.factor = Factor::Totp(Parameters::new(Algorithm::Sha256, 8, 60).unwrap());
    let text = flowing(&sample.text());
    assert!(text.contains("To be set in the app: 8 digits, 60 seconds, SHA256"), "{text}");
    assert!(text.contains("two codes in a row"), "uncommon settings are proved twice");
    sample.device.factor = Factor::Hotp(hotp::CodeForm::COMMON);
    let text = flowing(&sample.text());
    assert!(text.contains("“Counter based”") && text.contains("counter based (HOTP)"), "{text}");
    assert!(text.contains("Set up only one of them"), "{text}");
    assert!(!text.contains("All then show the same code"));
}

#[test]
fn whoever_may_choose_an_app_reads_the_names_of_those_that_can_do_it() {
    let mut sample = Sample::new(ENGLISH);
    sample.app = HandoutApp::Any;
    let common = "such as Google Authenticator, Microsoft Authenticator, Okta Verify or Duo Mobile";
    says(&mut sample, &[common], &["Microsoft Authenticator, Okta Verify ou Duo Mobile."]);
    let install = |sample: &Sample| flowing(&sample.handout().sheets[0].steps[0]);
    let fails = ["Google Authenticator", "Microsoft", "Okta", "Duo"];
    let uncommon = |algorithm, digits, period| {
        Factor::Totp(Parameters::new(algorithm, digits, period).unwrap())
    };
    let long = uncommon(Algorithm::Sha1, 6, 60);
    for (factor, english, french) in [
        (
            uncommon(Algorithm::Sha256, 8, 30),
            ": FreeOTP, Aegis, 2FAS or Bitwarden. ",
            " : FreeOTP, Aegis, 2FAS ou Bitwarden. ",
        ),
        (long, ": FreeOTP, Aegis, 2FAS or Bitwarden. ", " : FreeOTP, Aegis, 2FAS ou Bitwarden. "),
        (uncommon(Algorithm::Sha1, 7, 30), "Play: 2FAS. ", "Play : 2FAS. "),
        (
            Factor::Hotp(hotp::CodeForm { digits: 8, ..hotp::CodeForm::COMMON }),
            ": FreeOTP, Aegis or 2FAS. ",
            " : FreeOTP, Aegis ou 2FAS. ",
        ),
    ] {
        sample.device.factor = factor;
        says(&mut sample, &[english], &[french]);
        for languages in [ENGLISH, FRENCH] {
            sample.languages = languages;
            let step = install(&sample);
            assert!(fails.iter().all(|name| !step.contains(name)), "{step}");
            assert!(!step.contains("YubiKey") && !step.contains("Yubico"), "{step}");
        }
    }
    // Whoever was given an app by the helpdesk reads its name.
    sample.app = HandoutApp::Google;
    assert!(install(&sample).contains("Google Authenticator"));
}

#[test]
fn only_a_page_with_a_secret_is_to_be_shown_to_nobody() {
    let (english, french) = ("show this page to nobody", "ne montrez cette page à personne");
    let mut sample = Sample::new(ENGLISH);
    says(&mut sample, &[english], &[french]);
    let silent = |sample: &mut Sample| {
        says(
            sample,
            &["Don’t show or read out a code. If", "There is no secret on this page"],
            &["ne dictez jamais un code. Si", "Cette page ne contient aucun secret"],
        );
        for languages in [ENGLISH, FRENCH] {
            sample.languages = languages;
            let text = flowing(&sample.text());
            assert!(!text.contains(english) && !text.contains(french), "{text}");
        }
    };
    sample.has_key = false;
    silent(&mut sample);
    sample.recovery_codes = 10;
    says(&mut sample, &[english], &[french]);
    let mut sample = Sample::new(ENGLISH);
    sample.device = fixture::phone(2, fixture::active_state()).disabled();
    silent(&mut sample);
    let mut sample = Sample::new(ENGLISH);
    with_temporary(&mut sample);
    sample.without_device = Some(HandedOut::AppAtSignIn);
    silent(&mut sample);
}

#[test]
fn several_phones_take_one_code_and_are_cut_off_together() {
    says(
        &mut Sample::new(ENGLISH),
        &["Scan this page with each of them now", "cuts all of them off together"],
        &["Scannez cette page avec chacun d’eux maintenant", "les bloque tous à la fois"],
    );
}

#[test]
fn whoever_must_choose_a_password_reads_that_first() {
    let mut sample = Sample::new(ENGLISH);
    sample.user.password_change = PasswordChange::Required;
    let until = Timestamp::from_unix(1_740_823_440).unwrap();
    sample.user.temporary = Some(TemporaryPassword { hash: Sealed(Vec::new()), until });
    says(
        &mut sample,
        &["until 1 March 2025 at 10:04 (UTC)", "When the sign-in page asks for a code"],
        &["jusqu’au 1er mars 2025 à 10 h 04 (UTC)"],
    );
    sample.languages = ENGLISH;
    let steps = &sample.handout().sheets[0].steps;
    assert!(steps[0].contains("temporary password") && steps[1].contains("new password"));
    assert!(steps[2].contains("install") && steps.iter().all(|s| !s.contains("and password.")));
    sample.user.password_change = PasswordChange::RequiredOldOpens;
    assert!(sample.handout().sheets[0].steps[0].contains("your present password"));
    sample.user.password_change = PasswordChange::NotRequired;
    assert!(sample.handout().sheets[0].steps[0].contains("install"));
}

fn with_temporary(sample: &mut Sample) {
    sample.user.password_change = PasswordChange::Required;
    let until = Timestamp::from_unix(1_740_823_440).unwrap();
    sample.user.temporary = Some(TemporaryPassword { hash: Sealed(Vec::new()), until });
    sample.has_key = false;
}

#[test]
fn whoever_sets_up_at_the_sign_in_scans_the_screen_and_reads_that_in_order() {
    let mut sample = Sample::new(ENGLISH);
    with_temporary(&mut sample);
    sample.without_device = Some(HandedOut::AppAtSignIn);
    says(
        &mut sample,
        &[
            "point the camera at the square on the screen",
            "the account name and the key from the screen",
            "After 1 March 2025 at 10:04 (UTC) the temporary password no longer works",
            "Scan the QR code with each of them before you type the first code",
            "There is no secret on this page",
        ],
        &[
            "visez le carré affiché à l’écran",
            "le nom du compte et la clé affichés à l’écran",
            "le mot de passe temporaire ne fonctionne plus",
            "Scannez le code QR avec chacun d’eux avant de saisir le premier code",
            "Cette page ne contient aucun secret",
        ],
    );
    has_no_secret(&sample);
    sample.languages = ENGLISH;
    let steps = sample.handout().sheets.remove(0).steps;
    let words = ["install", "temporary", "new password", "shows a QR", "Scan a QR", "can’t scan"];
    for (step, word) in steps.iter().zip(words) {
        assert!(step.contains(word), "{word} is not in: {step}");
    }
    assert_eq!(steps.len(), 9);
    assert!(!sample.text().contains("this page with each"), "there is nothing to scan on it");
    sample.user.password_change = PasswordChange::NotRequired;
    let steps = sample.handout().sheets.remove(0).steps;
    assert!(steps[1].ends_with("sign in with your user name and password."), "{}", steps[1]);
    assert_eq!(steps.len(), 8);
}

#[test]
fn whoever_only_chooses_a_password_reads_nothing_of_codes() {
    let mut sample = Sample::new(ENGLISH);
    with_temporary(&mut sample);
    sample.without_device = Some(HandedOut::NewPassword);
    says(
        &mut sample,
        &["Your password has to be replaced", "the temporary password", "Never the helpdesk"],
        &["mot de passe doit être remplacé", "temporaire", "Jamais le centre d’assistance"],
    );
    has_no_secret(&sample);
    sample.languages = ENGLISH;
    let text = sample.text();
    assert!(!text.contains("QR") && !text.contains(" code"), "{text}");
}

#[test]
fn whoever_is_switched_off_reads_that_nothing_is_to_be_set_up() {
    let mut sample = Sample::new(ENGLISH);
    sample.device = fixture::phone(2, fixture::active_state()).disabled();
    says(
        &mut sample,
        &["every code is refused", "Nothing has to be set up again", "ask the helpdesk to switch"],
        &["tous les codes sont refusés", "Vous n’aurez rien à reconfigurer", "réactiver"],
    );
    has_no_secret(&sample);
    sample.device = fixture::phone(2, fixture::pending_state(1_741_964_640)).disabled();
    says(&mut sample, &["a new page"], &["nouvelle page"]);
    has_no_secret(&sample);
}

#[test]
fn a_token_a_yubikey_and_a_list_have_steps_of_their_own_and_no_secret() {
    let pending: DeviceState = fixture::pending_state(1_741_964_640);
    let mut sample = Sample::new(ENGLISH);
    sample.has_key = false;
    sample.device = fixture::token(3, pending.clone());
    says(&mut sample, &["Take your token", "S-3"], &["Prenez votre jeton", "S-3"]);
    has_no_secret(&sample);
    sample.device = fixture::hotp(4, pending.clone());
    says(&mut sample, &["Each press of its button"], &["Chaque appui sur son bouton"]);
    sample.device = fixture::yubikey(5, pending.clone());
    says(&mut sample, &["Touch the metal contact"], &["contact métallique"]);
    has_no_secret(&sample);
    assert!(!sample.text().contains("install"), "a YubiKey needs no app");
    sample.device = fixture::phone(6, pending);
    sample.device.factor = Factor::Paper(paper::List::UNKNOWN);
    sample.paper_codes = 100;
    says(&mut sample, &["0000-ABCDEF", "0099-ABCDEF"], &["0000-ABCDEF", "barré"]);
    has_no_secret(&sample);
    (sample.paper_codes, sample.languages) = (0, ENGLISH);
    assert!(sample.text().contains("There is no secret on this page"));
}

#[test]
fn every_page_says_who_asks_and_whom_to_ask() {
    let mut sample = Sample::new(ENGLISH);
    says(
        &mut sample,
        &["Never the helpdesk", "by phone, e-mail or chat", "at once: extension 4711"],
        &[
            "Jamais le centre d’assistance",
            "par téléphone, par e-mail",
            "d’assistance : extension 4711",
        ],
    );
    let handout = sample.handout();
    assert_eq!(handout.sheets[0].sections.iter().filter(|s| s.is_warning).count(), 1);
    sample.contact = None;
    says(
        &mut sample,
        &["Tell the helpdesk at once."],
        &["Prévenez aussitôt le centre d’assistance."],
    );
}

#[test]
fn the_page_of_an_active_device_neither_hurries_nor_begins_anew() {
    let mut sample = Sample::new(ENGLISH);
    sample.device = fixture::phone(2, fixture::active_state());
    says(&mut sample, &["Your codes work already"], &["Vos codes fonctionnent déjà"]);
    sample.languages = ENGLISH;
    let text = sample.text();
    assert!(!text.contains("Set up before") && !text.contains("MANAGE IN TIME"));
    assert!(text.contains("A4DQ"));
}

#[test]
fn recovery_codes_stand_once_with_boxes_and_change_what_is_to_be_destroyed() {
    let mut sample = Sample::new(BOTH);
    sample.recovery_codes = 10;
    let (html, text) = (sample.html(), sample.text());
    assert_eq!(html.matches("class=\"box\"").count(), 10);
    assert_eq!(html.matches("0009-89AB-CDEF-GHJK").count(), 1);
    assert_eq!(text.matches("[ ] 0009-89AB-CDEF-GHJK").count(), 1);
    assert!(html.contains("Recovery codes") && html.contains("Codes de secours"));
    assert!(
        text.contains("keep the recovery codes") && html.contains("gardez les codes de secours")
    );
    sample.recovery_codes = 0;
    assert!(!sample.html().contains("Recovery codes"));
}

#[test]
fn both_languages_say_the_same_in_the_same_order() {
    for app in HandoutApp::ALL {
        let mut sample = Sample::new(BOTH);
        (sample.app, sample.recovery_codes) = (app, 10);
        let handout = sample.handout();
        let [english, french] = handout.sheets.as_slice() else { panic!("two sheets") };
        assert_eq!((english.language, french.language), (Language::English, Language::French));
        assert_eq!(english.steps.len(), french.steps.len());
        assert_eq!(english.facts.len(), french.facts.len());
        let warnings = |sheet: &crate::handout::page::Sheet| -> Vec<bool> {
            sheet.sections.iter().map(|section| section.is_warning).collect()
        };
        assert_eq!(warnings(english), warnings(french));
        let html = sample.html();
        assert!(
            html.starts_with("<!DOCTYPE html>\n<html lang=\"en\">") && html.contains("lang=\"fr\"")
        );
    }
}

#[test]
fn an_expired_temporary_password_is_not_promised() {
    let mut sample = Sample::new(ENGLISH);
    with_temporary(&mut sample);
    for about in [HandedOut::AppAtSignIn, HandedOut::NewPassword] {
        sample.without_device = Some(about);
        sample.now = fixture::at(1_740_823_440);
        says(
            &mut sample,
            &["Ask the helpdesk for a new temporary password"],
            &["Demandez un nouveau mot de passe temporaire au centre d’assistance"],
        );
        for languages in [ENGLISH, FRENCH] {
            sample.languages = languages;
            let text = sample.text();
            assert!(!text.contains("10:04") && !flowing(&text).contains("10 h 04"), "{text}");
        }
        sample.now = fixture::at(1_740_823_439);
        says(&mut sample, &["It works once, until 1 March"], &["qu’une fois, jusqu’au 1er mars"]);
    }
}

#[test]
fn who_is_let_in_without_a_code_reads_what_that_means_until_a_code_was_accepted() {
    let mut sample = Sample::new(ENGLISH);
    let english = "If it lets you in without asking for a code";
    let french = "Si elle vous laisse entrer sans demander de code";
    sample.is_optional = true;
    says(&mut sample, &[english], &[french]);
    sample.is_optional = false;
    assert!(!flowing(&sample.text()).contains(french));
    sample.is_optional = true;
    sample.device = fixture::phone(2, fixture::active_state());
    assert!(!flowing(&sample.text()).contains(french), "an active device is asked for");
    sample.device = fixture::phone(2, fixture::active_state()).disabled();
    assert!(!flowing(&sample.text()).contains(french));
}
