//! What a user should know beside the steps: who asks for codes, a lost phone, several phones, a code that is refused.

use crate::domain::handout_app::HandoutApp;
use crate::domain::otpauth::AppSettings;
use crate::handout::page::PageSection;
use crate::handout::subject::{HandoutKind, Matter, SetUpStage};
use crate::texts::Text;

pub fn of(matter: &Matter<'_>) -> Vec<PageSection> {
    let sections =
        [several(matter), refused(matter), too_late(matter), lost(matter), asked(matter)];
    sections.into_iter().flatten().collect()
}

fn section(matter: &Matter<'_>, title: Text, paragraphs: Vec<String>) -> PageSection {
    PageSection { title: matter.text(title), paragraphs, is_warning: false }
}

/// Whom the user will and won't be asked for a code by. Nobody asks for what shows no codes.
fn asked(matter: &Matter<'_>) -> Option<PageSection> {
    let (title, texts) = match matter.kind {
        HandoutKind::Elsewhere => return None,
        HandoutKind::Nothing => (
            Text::HandoutPasswordAskedTitle,
            [Text::HandoutAskedBy, Text::HandoutPasswordNeverAsked],
        ),
        // A page without a secret may be seen by anybody, as its last line says.
        _ if !matter.has_secret() => {
            (Text::HandoutAskedTitle, [Text::HandoutAskedBy, Text::HandoutNeverAskedNoSecret])
        }
        _ => (Text::HandoutAskedTitle, [Text::HandoutAskedBy, Text::HandoutNeverAsked]),
    };
    let [by, never] = texts.map(|text| matter.text(text));
    let is_let_in = matter.subject.is_optional && matter.stage == SetUpStage::ToSetUp;
    let not_yet = is_let_in.then(|| matter.text(Text::HandoutNotAskedYet));
    let paragraphs = [Some(by), not_yet, Some(never)].into_iter().flatten().collect();
    Some(PageSection { is_warning: true, ..section(matter, title, paragraphs) })
}

fn lost(matter: &Matter<'_>) -> Option<PageSection> {
    let title = match matter.kind {
        HandoutKind::App(_) if !is_on_yubikey(matter) => Text::HandoutLostPhoneTitle,
        HandoutKind::Paper => Text::HandoutLostListTitle,
        HandoutKind::Nothing => return None,
        HandoutKind::App(_)
        | HandoutKind::Clock(_)
        | HandoutKind::Button(_)
        | HandoutKind::Yubikey
        | HandoutKind::Elsewhere => Text::HandoutLostDeviceTitle,
    };
    let mut paragraphs = vec![match &matter.contact {
        Some(contact) => matter.fill(Text::HandoutLostContact, &[("contact", contact)]),
        None => matter.text(Text::HandoutLost),
    }];
    if !matter.subject.recovery_codes.is_empty() && !matter.is_switched_off() {
        paragraphs.push(matter.text(Text::HandoutLostRecovery));
    }
    if matches!(matter.kind, HandoutKind::App(_)) && !is_on_yubikey(matter) {
        paragraphs.push(matter.text(Text::HandoutNewPhone));
    }
    Some(section(matter, title, paragraphs))
}

/// Whether the app only shows what a YubiKey keeps, so that any phone will do and none is lost.
fn is_on_yubikey(matter: &Matter<'_>) -> bool {
    matter.subject.app == HandoutApp::Yubico
}

fn several(matter: &Matter<'_>) -> Option<PageSection> {
    let HandoutKind::App(settings) = matter.kind else { return None };
    let is_scanned_once = matter.stage == SetUpStage::AtSignIn;
    let text = match settings {
        _ if is_on_yubikey(matter) => return None,
        _ if is_scanned_once => Text::HandoutSeveralAtSignIn,
        _ if !matter.has_key() => return None,
        AppSettings::Totp(_) => Text::HandoutSeveral,
        AppSettings::Hotp(..) => Text::HandoutOnlyOne,
    };
    Some(section(matter, Text::HandoutSeveralTitle, vec![matter.text(text)]))
}

fn refused(matter: &Matter<'_>) -> Option<PageSection> {
    let text = match matter.kind {
        _ if matter.is_switched_off() => return None,
        HandoutKind::App(AppSettings::Totp(_)) => Text::HandoutRefusedTime,
        HandoutKind::App(AppSettings::Hotp(..)) | HandoutKind::Button(_) => {
            Text::HandoutRefusedCounter
        }
        HandoutKind::Clock(_) => Text::HandoutRefusedToken,
        HandoutKind::Yubikey
        | HandoutKind::Paper
        | HandoutKind::Elsewhere
        | HandoutKind::Nothing => return None,
    };
    Some(section(matter, Text::HandoutRefusedTitle, vec![matter.text(text)]))
}

fn too_late(matter: &Matter<'_>) -> Option<PageSection> {
    let paragraphs = match matter.stage {
        SetUpStage::ToSetUp => {
            vec![matter.fill(Text::HandoutTooLate, &[("date", &matter.expiry()?)])]
        }
        SetUpStage::AtSignIn | SetUpStage::OnlyPassword => {
            let until = matter.temporary_until();
            let is_shown = matter.stage == SetUpStage::AtSignIn;
            let again = is_shown.then(|| matter.text(Text::HandoutShownAgain));
            let late =
                until.map(|date| matter.fill(Text::HandoutTooLatePassword, &[("date", &date)]));
            [again, late].into_iter().flatten().collect()
        }
        SetUpStage::InUse | SetUpStage::SwitchedOff { .. } => return None,
    };
    let is_worth_it = !paragraphs.is_empty();
    is_worth_it.then(|| section(matter, Text::HandoutTooLateTitle, paragraphs))
}
