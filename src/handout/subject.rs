//! What a handout is about: the user, their device and what its state means to them, in the words of one language.

use zeroize::Zeroizing;

use crate::domain::device::{BeforeDisable, DeviceState};
use crate::domain::factor::Factor;
use crate::domain::handout_app::HandoutApp;
use crate::domain::otpauth::AppSettings;
use crate::domain::paper_size::PaperSize;
use crate::domain::text::{cut, shown};
use crate::domain::time::Timestamp;
use crate::domain::user::{HandedOut, Language, User};
use crate::texts::{Text, Texts};

/// Longest name, account, label or ticket, in characters: it has to stand in a line or two.
const LONGEST_WORD: usize = 80;
/// Longest contact. The configuration allows no longer one.
const LONGEST_CONTACT: usize = 200;

/// What a handout is about.
pub struct HandoutSubject<'a> {
    /// One, or two for a user whose language is not known.
    pub languages: &'a [Language],
    pub paper: PaperSize,
    pub issuer: &'a str,
    /// Where users find the helpdesk.
    pub contact: Option<&'a str>,
    pub ticket: Option<&'a str>,
    pub user: &'a User,
    pub about: HandedOut<'a>,
    /// When the page is written.
    pub now: Timestamp,
    /// Whether a sign-in lets the user in without a code until their first one was accepted.
    pub is_optional: bool,
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
pub enum HandoutKind {
    App(AppSettings),
    /// A token with a clock, by the digits of its codes.
    Clock(u8),
    /// A token with a button.
    Button(u8),
    Yubikey,
    Paper,
    /// Something that another program verifies.
    Elsewhere,
    /// A password only.
    Nothing,
}

impl HandoutKind {
    pub const fn of(about: HandedOut<'_>) -> Self {
        if let Some(settings) = about.app_settings() {
            return Self::App(settings);
        }
        let Some(device) = about.device() else { return Self::Nothing };
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
pub enum SetUpStage {
    /// The sign-in makes the device and shows its QR code.
    AtSignIn,
    /// There is nothing to set up but a password.
    OnlyPassword,
    ToSetUp,
    InUse,
    /// Every code is refused until the helpdesk switches it on again.
    SwitchedOff {
        was_set_up: bool,
    },
}

impl SetUpStage {
    pub const fn of(about: HandedOut<'_>) -> Self {
        let device = match about {
            HandedOut::Device(device) => device,
            HandedOut::AppAtSignIn => return Self::AtSignIn,
            HandedOut::NewPassword => return Self::OnlyPassword,
        };
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
    pub subject: &'a HandoutSubject<'a>,
    pub texts: Texts,
    pub kind: HandoutKind,
    pub stage: SetUpStage,
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

    pub const fn is_switched_off(&self) -> bool {
        matches!(self.stage, SetUpStage::SwitchedOff { .. })
    }

    /// Whether the page has the secret of an app. A device that is switched off needs no new app.
    pub const fn has_key(&self) -> bool {
        self.subject.key.is_some() && !self.is_switched_off()
    }

    /// Whether codes are printed on the page.
    pub const fn has_codes(&self) -> bool {
        !(self.subject.recovery_codes.is_empty() && self.subject.paper_codes.is_empty())
    }

    /// Whether the page must be shown to nobody.
    pub const fn has_secret(&self) -> bool {
        self.has_key() || self.has_codes()
    }

    /// Until when the temporary password of the user works; `None` where there is none, or it has expired.
    pub fn temporary_until(&self) -> Option<String> {
        let temporary = self.subject.user.temporary.as_ref();
        let good = temporary.filter(|temporary| temporary.is_good(self.subject.now));
        good.map(|temporary| self.texts.date(temporary.until))
    }

    /// The last moment for the first code, as people write it.
    pub fn expiry(&self) -> Option<String> {
        self.subject.about.device()?.expires_at().map(|at| self.texts.date(at))
    }
}

/// A word from outside, safe to print and no longer than a line or two.
pub fn word(text: &str) -> String {
    cut(&shown(text), LONGEST_WORD).into_owned()
}

/// The contact of the helpdesk, safe to print.
pub fn contact(text: &str) -> String {
    cut(&shown(text), LONGEST_CONTACT).into_owned()
}
