//! Pages as people see them.

mod hostile;
mod print;
pub mod qr_codes;
mod site_templates;
mod stories;

use zeroize::Zeroizing;

use crate::config::HandoutSettings;
use crate::domain::device::Device;
use crate::domain::fixture;
use crate::domain::handout_app::HandoutApp;
use crate::domain::otpauth::{self, AppSettings};
use crate::domain::paper_size::PaperSize;
use crate::domain::time::Timestamp;
use crate::domain::user::{HandedOut, Language, User};
use crate::files::file_trust::FilePolicy;
use crate::handout::page::Handout;
use crate::handout::templates::Markup;
use crate::handout::{HandoutSubject, ManualKey, Templates, compose};

const ENGLISH: &[Language] = &[Language::English];
const FRENCH: &[Language] = &[Language::French];
const BOTH: &[Language] = &[Language::English, Language::French];

/// What a handout is made of; each test changes what it is about.
struct Sample {
    languages: &'static [Language],
    paper: PaperSize,
    issuer: &'static str,
    contact: Option<String>,
    ticket: Option<String>,
    user: User,
    device: Device,
    app: HandoutApp,
    has_key: bool,
    /// What the page is about in place of the device.
    without_device: Option<HandedOut<'static>>,
    recovery_codes: usize,
    paper_codes: usize,
    now: Timestamp,
    is_optional: bool,
}

impl Sample {
    /// Alice, who has to set up her phone until a day in March, and whose site has a helpdesk.
    fn new(languages: &'static [Language]) -> Self {
        let mut user = fixture::alice();
        user.profile.display_name = Some("Alice Example".to_owned());
        Self {
            languages,
            paper: PaperSize::A4,
            issuer: "Example Corp",
            contact: Some("extension 4711, helpdesk@example.org".to_owned()),
            ticket: Some("HELP-1250".to_owned()),
            user,
            // 2025-03-14T15:04:00Z
            device: fixture::phone(2, fixture::pending_state(1_741_964_640)),
            app: HandoutApp::Google,
            has_key: true,
            without_device: None,
            recovery_codes: 0,
            paper_codes: 0,
            // 2025-02-28T12:00:00Z
            now: fixture::at(1_740_744_000),
            is_optional: false,
        }
    }

    fn uri(&self) -> Zeroizing<String> {
        let settings = AppSettings::of(&self.device).unwrap();
        let account = self.user.name.as_str();
        otpauth::uri(self.issuer, account, &fixture::secret(), settings)
    }

    fn handout(&self) -> Handout {
        let codes = |count: usize, code: &str| {
            (0..count).map(|n| Zeroizing::new(format!("{n:04}-{code}"))).collect()
        };
        let key = || ManualKey { uri: self.uri(), grouped: fixture::secret().grouped() };
        compose(&HandoutSubject {
            languages: self.languages,
            paper: self.paper,
            issuer: self.issuer,
            contact: self.contact.as_deref(),
            ticket: self.ticket.as_deref(),
            user: &self.user,
            about: self.without_device.unwrap_or(HandedOut::Device(&self.device)),
            now: self.now,
            is_optional: self.is_optional,
            app: self.app,
            key: self.has_key.then(key),
            recovery_codes: codes(self.recovery_codes, "89AB-CDEF-GHJK"),
            paper_codes: codes(self.paper_codes, "ABCDEF"),
        })
    }

    fn html(&self) -> String {
        render(&self.handout(), Markup::Html)
    }

    fn text(&self) -> String {
        render(&self.handout(), Markup::Text)
    }
}

/// The program's own templates.
fn own() -> Templates {
    let settings = HandoutSettings { templates: None, paper: PaperSize::A4, mail_secrets: false };
    Templates::load(&settings, &FilePolicy::default()).unwrap()
}

fn render(handout: &Handout, form: Markup) -> String {
    String::from_utf8(own().render(handout, form).unwrap().to_vec()).unwrap()
}
