//! From a user and their device to the words of a handout.

use zeroize::Zeroizing;

use crate::domain::device::{BeforeDisable, Device, DeviceState};
use crate::domain::factor::Factor;
use crate::domain::handout_app::HandoutApp;
use crate::domain::name::Label;
use crate::domain::otpauth::AppSettings;
use crate::domain::paper_size::PaperSize;
use crate::domain::text::{cut, shown};
use crate::domain::user::{Language, User};
use crate::handout::page::{CodeList, CodeTitle, Fact, Handout, Sheet};
use crate::handout::{sections, steps};
use crate::texts::{Text, Texts};

/// Longest name, account, label or ticket, in characters: it has to stand in a line or two.
const LONGEST_WORD: usize = 80;
/// Longest contact. The configuration allows no longer one.
const LONGEST_CONTACT: usize = 200;

/// What a handout is about.
pub struct Subject<'a> {
    /// One, or two for a user whose language is not known.
    pub languages: &'a [Language],
    pub paper: PaperSize,
    pub issuer: &'a str,
    /// Where users find the helpdesk.
    pub contact: Option<&'a str>,
    pub ticket: Option<&'a str>,
    pub user: &'a User,
    pub device: &'a Device,
    pub app: HandoutApp,
    /// Of a device whose secret an app takes; `None` for what came with its secret.
    pub key: Option<ManualKey>,
    /// A new set of recovery codes, in groups.
    pub recovery_codes: Vec<Zeroizing<String>>,
    /// The codes of the device, if it is a printed list.
    pub paper_codes: Vec<Zeroizing<String>>,
}

/// A secret, in the two ways in which an app takes it.
pub struct ManualKey {
    /// The key URI for the QR code.
    pub uri: Zeroizing<String>,
    /// Base 32 in groups of four.
    pub grouped: Zeroizing<String>,
}

/// What the user has, as far as the words depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    App(AppSettings),
    /// A token with a clock, by the digits of its codes.
    Clock(u8),
    /// A token with a button.
    Button(u8),
    Yubikey,
    Paper,
    /// Something that another program verifies.
    Elsewhere,
}

impl Kind {
    const fn of(device: &Device) -> Self {
        if let Some(settings) = AppSettings::of(device) {
            return Self::App(settings);
        }
        match device.factor {
            Factor::Totp(parameters) | Factor::TotpToken(parameters, _) => {
                Self::Clock(parameters.digits)
            }
            Factor::Hotp(form) => Self::Button(form.digits),
            Factor::Yubikey => Self::Yubikey,
            Factor::Paper(_) => Self::Paper,
            Factor::External(_) => Self::Elsewhere,
        }
    }
}

/// What the state of the device means to its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    ToSetUp,
    InUse,
    /// Every code is refused until the helpdesk switches it on again.
    SwitchedOff {
        was_set_up: bool,
    },
}

impl Stage {
    const fn of(device: &Device) -> Self {
        match &device.state {
            DeviceState::Pending(_) => Self::ToSetUp,
            // Nobody makes a handout of a revoked device; its codes are refused too.
            DeviceState::Active(_) | DeviceState::Revoked(_) => Self::InUse,
            DeviceState::Disabled(BeforeDisable::Active(_)) => {
                Self::SwitchedOff { was_set_up: true }
            }
            DeviceState::Disabled(BeforeDisable::Pending(_)) => {
                Self::SwitchedOff { was_set_up: false }
            }
        }
    }
}

/// What all sheets of a handout say, in the words of one language. Everything that comes from users and operators is
/// shortened and safe to print.
pub struct Matter<'a> {
    pub subject: &'a Subject<'a>,
    pub texts: Texts,
    pub kind: Kind,
    pub stage: Stage,
    pub issuer: String,
    pub contact: Option<String>,
}

impl Matter<'_> {
    pub fn text(&self, text: Text) -> String {
        self.texts.text(text).to_owned()
    }

    pub fn fill(&self, text: Text, values: &[(&str, &str)]) -> String {
        self.texts.fill(text, values)
    }

    fn fact(&self, name: Text, value: String) -> Fact {
        Fact { name: self.text(name), value }
    }

    pub const fn is_switched_off(&self) -> bool {
        matches!(self.stage, Stage::SwitchedOff { .. })
    }

    /// Whether the page has the secret of an app. A device that is switched off needs no new app.
    pub const fn has_key(&self) -> bool {
        self.subject.key.is_some() && !self.is_switched_off()
    }

    /// The last moment for the first code, as people write it.
    pub fn expiry(&self) -> Option<String> {
        self.subject.device.expires_at().map(|at| self.texts.date(at))
    }
}

/// A word from outside, safe to print and no longer than a line or two.
pub fn word(text: &str) -> String {
    cut(&shown(text), LONGEST_WORD).into_owned()
}

/// Writes the page.
#[must_use]
pub fn compose(subject: &Subject<'_>) -> Handout {
    let matter = |language: &Language| Matter {
        subject,
        texts: Texts(*language),
        kind: Kind::of(subject.device),
        stage: Stage::of(subject.device),
        issuer: word(subject.issuer),
        contact: subject.contact.map(|text| cut(&shown(text), LONGEST_CONTACT).into_owned()),
    };
    let sheets: Vec<Sheet> = subject.languages.iter().map(|l| sheet(&matter(l))).collect();
    let is_switched_off = matches!(Stage::of(subject.device), Stage::SwitchedOff { .. });
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
    let (title, why) = match matter.stage {
        Stage::SwitchedOff { .. } => {
            (Text::HandoutSwitchedOffTitle, vec![matter.text(Text::HandoutSwitchedOff)])
        }
        Stage::ToSetUp => (Text::HandoutTitle, vec![matter.text(Text::HandoutWhy)]),
        Stage::InUse if matter.has_key() => {
            let texts = [Text::HandoutWhy, Text::HandoutAgain];
            (Text::HandoutTitle, texts.map(|text| matter.text(text)).to_vec())
        }
        Stage::InUse => (Text::HandoutTitle, vec![matter.text(Text::HandoutWhy)]),
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

fn facts(matter: &Matter<'_>) -> Vec<Fact> {
    let Subject { user, device, ticket, .. } = matter.subject;
    let name = user.profile.display_name.as_deref();
    let serial = device.serial.as_ref().map(|serial| serial.as_str().to_owned());
    // The label tells devices apart: the only one needs none, unless somebody chose it.
    let is_only = user.live().all(|other| other.id == device.id);
    let is_named = !is_only || device.label.as_str() != Label::DEFAULT;
    let label = is_named.then(|| word(device.label.as_str()));
    let facts = [
        (Text::HandoutName, name.map(word)),
        (Text::HandoutAccount, Some(account(matter))),
        (Text::HandoutDevice, label),
        (Text::HandoutSerial, serial.as_deref().map(word)),
        (Text::HandoutDoBefore, matter.expiry()),
        (Text::HandoutTicket, ticket.map(word)),
        (Text::HandoutHelpdesk, matter.contact.clone()),
    ];
    let fact = |(name, value): (Text, Option<String>)| Some(matter.fact(name, value?));
    facts.into_iter().filter_map(fact).collect()
}

fn key_facts(matter: &Matter<'_>) -> Vec<Fact> {
    let Kind::App(settings) = matter.kind else { return Vec::new() };
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
        matter.fact(Text::HandoutAccountName, account(matter)),
        matter.fact(Text::HandoutKeyKind, matter.text(kind)),
        matter.fact(settings_name, matter.fill(text, &values)),
    ]
}

fn code_lists(subject: &Subject<'_>) -> Vec<CodeList> {
    let lists = [(&subject.recovery_codes, true), (&subject.paper_codes, false)];
    let list = |(codes, has_boxes): (&Vec<Zeroizing<String>>, bool)| CodeList {
        codes: codes.clone(),
        has_boxes,
    };
    lists.into_iter().filter(|(codes, _)| !codes.is_empty()).map(list).collect()
}

/// In the order of [`code_lists`].
fn code_titles(matter: &Matter<'_>) -> Vec<CodeTitle> {
    let Subject { recovery_codes, paper_codes, .. } = matter.subject;
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
    let Subject { recovery_codes, paper_codes, .. } = matter.subject;
    let has_codes = !(recovery_codes.is_empty() && paper_codes.is_empty());
    match (matter.has_key(), has_codes) {
        (true, true) => Text::HandoutDestroyRest,
        (true, false) => Text::HandoutDestroy,
        (false, true) => Text::HandoutKeepCodes,
        (false, false) => Text::HandoutNoSecret,
    }
}
