//! Pages of a made-up user, to try out the templates of a site with.

use zeroize::Zeroizing;

use crate::domain::device::{Active, Device, DeviceState, Pending};
use crate::domain::factor::Factor;
use crate::domain::factor::totp::Parameters;
use crate::domain::handout_app::HandoutApp;
use crate::domain::name::{Label, UserName};
use crate::domain::paper_size::PaperSize;
use crate::domain::secret::Id;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::{HandedOut, Language, Profile, User};
use crate::handout::compose::compose;
use crate::handout::page::Handout;
use crate::handout::subject::{HandoutSubject, ManualKey};

/// The key of the made-up user, as it is printed and as the QR code carries it. It is no secret of anybody.
pub const SECRETS: [&str; 2] =
    ["MADE UPKE YOFN OBOD YFOR ATRI ALPA GEXX", "MADEUPKEYOFNOBODYFORATRIALPAGEXX"];

/// What no page needs is there too: two languages, a key, two lists of codes, a name, a date, a ticket, a contact.
pub fn with_everything() -> Handout {
    let pending = Pending {
        expires_at: Timestamp::EARLIEST.plus(Span::hours(24)),
        first_proof: None,
        replaces: Vec::new(),
    };
    let codes = |count: usize| vec![Zeroizing::new("2345-6789-ABCD-EFGH".to_owned()); count];
    let user = User {
        profile: Profile { display_name: Some("Alice Example".to_owned()), ..Profile::default() },
        ..user()
    };
    let [grouped, secret] = SECRETS;
    let key = ManualKey {
        uri: Zeroizing::new(format!("otpauth://totp/Example:alice?secret={secret}&issuer=Example")),
        grouped: Zeroizing::new(grouped.to_owned()),
    };
    compose(&HandoutSubject {
        languages: &[Language::English, Language::French],
        contact: Some("helpdesk@example.org"),
        ticket: Some("HELP-1"),
        key: Some(key),
        recovery_codes: codes(10),
        paper_codes: codes(10),
        ..subject(&user, &device(DeviceState::Pending(pending)))
    })
}

/// What a page can do without is not there.
pub fn with_little() -> Handout {
    let active = DeviceState::Active(Active { confirmed_at: Timestamp::EARLIEST });
    compose(&subject(&user(), &device(active)))
}

fn user() -> User {
    let name = UserName::stored("alice".to_owned());
    User::new(Id::new([0; Id::LENGTH]), name, Timestamp::EARLIEST)
}

fn device(state: DeviceState) -> Device {
    let id = Id::new([0; Id::LENGTH]);
    let label = Label::of_kind(Label::DEFAULT);
    let factor = Factor::Totp(Parameters::COMMON);
    Device::without_secret(id, label, factor, state, Timestamp::EARLIEST)
}

const fn subject<'a>(user: &'a User, device: &'a Device) -> HandoutSubject<'a> {
    HandoutSubject {
        languages: &[Language::English],
        paper: PaperSize::A4,
        issuer: "Example",
        contact: None,
        ticket: None,
        user,
        about: HandedOut::Device(device),
        now: Timestamp::EARLIEST,
        is_optional: false,
        app: HandoutApp::Any,
        key: None,
        recovery_codes: Vec::new(),
        paper_codes: Vec::new(),
    }
}
