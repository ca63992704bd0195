//! From a user and their device to the words of a handout.

use zeroize::Zeroizing;

use crate::domain::device::Device;
use crate::domain::name::Label;
use crate::domain::otpauth::AppSettings;
use crate::domain::user::Language;
use crate::handout::page::{CodeList, CodeTitle, Fact, Handout, Sheet};
use crate::handout::subject::{HandoutKind, HandoutSubject, Matter, SetUpStage, contact, word};
use crate::handout::{sections, steps};
use crate::texts::{Text, Texts};

/// Writes the page.
#[must_use]
pub fn compose(subject: &HandoutSubject<'_>) -> Handout {
    let matter = |language: &Language| Matter {
        subject,
        texts: Texts(*language),
        kind: HandoutKind::of(subject.about),
        stage: SetUpStage::of(subject.about),
        issuer: word(subject.issuer),
        contact: subject.contact.map(contact),
    };
    let sheets: Vec<Sheet> = subject.languages.iter().map(|l| sheet(&matter(l))).collect();
    let is_switched_off = matches!(SetUpStage::of(subject.about), SetUpStage::SwitchedOff { .. });
    let key = subject.key.as_ref().filter(|_| !is_switched_off);
    Handout {
        paper: subject.paper,
        sheets,
        qr: key.map(|key| key.uri.clone()),
        key: key.map(|key| key.grouped.clone()),
        codes: code_lists(subject),
    }
}

fn sheet(matter: &Matter<'_>) -> Sheet {
    let issuer = ("issuer", matter.issuer.as_str());
    let is_elsewhere = matches!(matter.kind, HandoutKind::Elsewhere);
    let (title, why) = match matter.stage {
        SetUpStage::SwitchedOff { .. } => {
            (Text::HandoutSwitchedOffTitle, vec![matter.text(Text::HandoutSwitchedOff)])
        }
        SetUpStage::OnlyPassword => {
            (Text::HandoutPasswordTitle, vec![matter.text(Text::HandoutPasswordWhy)])
        }
        SetUpStage::ToSetUp | SetUpStage::InUse if is_elsewhere => {
            (Text::HandoutElsewhereTitle, vec![matter.text(Text::HandoutElsewhereWhy)])
        }
        SetUpStage::ToSetUp | SetUpStage::AtSignIn => {
            (Text::HandoutTitle, vec![matter.text(Text::HandoutWhy)])
        }
        SetUpStage::InUse if matter.has_key() => {
            let texts = [Text::HandoutWhy, Text::HandoutAgain];
            (Text::HandoutTitle, texts.map(|text| matter.text(text)).to_vec())
        }
        SetUpStage::InUse => (Text::HandoutTitle, vec![matter.text(Text::HandoutWhy)]),
    };
    let key_facts = if matter.has_key() { key_facts(matter) } else { Vec::new() };
    let key_title =
        if matter.has_key() { matter.text(Text::HandoutKeyTitle) } else { String::new() };
    Sheet {
        language: matter.texts.0,
        title: matter.fill(title, &[issuer]),
        why,
        facts: facts(matter),
        steps_title: matter.text(Text::HandoutSteps),
        steps: steps::of(matter),
        key_title,
        key_facts,
        sections: sections::of(matter),
        code_titles: code_titles(matter),
        footer: matter.text(footer(matter)),
    }
}

/// The name in the app, as the QR code gives it.
fn account(matter: &Matter<'_>) -> String {
    let account = word(matter.subject.user.name.as_str());
    let values = [("account", account.as_str()), ("issuer", matter.issuer.as_str())];
    matter.fill(Text::HandoutAccountAt, &values)
}

fn fact(matter: &Matter<'_>, name: Text, value: String) -> Fact {
    Fact { name: matter.text(name), value }
}

fn facts(matter: &Matter<'_>) -> Vec<Fact> {
    let HandoutSubject { user, about, ticket, .. } = matter.subject;
    let name = user.profile.display_name.as_deref();
    let device = about.device();
    let serial = device.and_then(|device| device.serial.as_ref());
    // The label tells devices apart: the only one needs none, unless somebody chose it.
    let is_named = |device: &&Device| {
        let is_only = user.live().all(|other| other.id == device.id);
        !is_only || device.label.as_str() != Label::DEFAULT
    };
    let label = device.filter(is_named).map(|device| word(device.label.as_str()));
    let facts = [
        (Text::HandoutName, name.map(word)),
        (Text::HandoutAccount, Some(account(matter))),
        (Text::HandoutDevice, label),
        (Text::HandoutSerial, serial.map(|serial| word(serial.as_str()))),
        (Text::HandoutDoBefore, matter.expiry()),
        (Text::HandoutTicket, ticket.map(word)),
        (Text::HandoutHelpdesk, matter.contact.clone()),
    ];
    let known = |(name, value): (Text, Option<String>)| Some(fact(matter, name, value?));
    facts.into_iter().filter_map(known).collect()
}

fn key_facts(matter: &Matter<'_>) -> Vec<Fact> {
    let HandoutKind::App(settings) = matter.kind else { return Vec::new() };
    let (digits, algorithm) = (settings.digits().to_string(), settings.algorithm().as_str());
    let (kind, text, moving) = match settings {
        AppSettings::Totp(p) => {
            (Text::HandoutTimeBased, Text::HandoutTimeSettings, ("period", p.period))
        }
        AppSettings::Hotp(_, counter) => {
            (Text::HandoutCounterBased, Text::HandoutCounterSettings, ("counter", counter))
        }
    };
    let (name, value) = (moving.0, moving.1.to_string());
    let values = [("digits", digits.as_str()), (name, value.as_str()), ("algorithm", algorithm)];
    // An app assumes the settings that are common to all, but each begins to count where it likes.
    let is_assumed =
        settings.are_common() && !matches!(settings, AppSettings::Hotp(_, counter) if counter > 0);
    let settings_name = if is_assumed { Text::HandoutIfAsked } else { Text::HandoutToSet };
    vec![
        fact(matter, Text::HandoutAccountName, account(matter)),
        fact(matter, Text::HandoutKeyKind, matter.text(kind)),
        fact(matter, settings_name, matter.fill(text, &values)),
    ]
}

fn code_lists(subject: &HandoutSubject<'_>) -> Vec<CodeList> {
    let lists = [(&subject.recovery_codes, true), (&subject.paper_codes, false)];
    let list = |(codes, has_boxes): (&Vec<Zeroizing<String>>, bool)| CodeList {
        codes: codes.clone(),
        has_boxes,
    };
    lists.into_iter().filter(|(codes, _)| !codes.is_empty()).map(list).collect()
}

/// In the order of [`code_lists`].
fn code_titles(matter: &Matter<'_>) -> Vec<CodeTitle> {
    let HandoutSubject { recovery_codes, paper_codes, .. } = matter.subject;
    let titles = [
        (recovery_codes, Text::HandoutRecoveryTitle, Text::HandoutRecovery),
        (paper_codes, Text::HandoutListTitle, Text::HandoutList),
    ];
    let printed = titles.into_iter().filter(|(codes, ..)| !codes.is_empty());
    printed
        .map(|(_, title, about)| CodeTitle { title: matter.text(title), about: matter.text(about) })
        .collect()
}

fn footer(matter: &Matter<'_>) -> Text {
    match (matter.has_key(), matter.has_codes()) {
        (true, true) => Text::HandoutDestroyRest,
        (true, false) => Text::HandoutDestroy,
        (false, true) => Text::HandoutKeepCodes,
        (false, false) => Text::HandoutNoSecret,
    }
}
