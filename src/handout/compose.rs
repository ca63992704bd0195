//! From a user and their device to the words of a handout.

use zeroize::Zeroizing;

use crate::domain::device::Device;
use crate::domain::handout_app::HandoutApp;
use crate::domain::paper_size::PaperSize;
use crate::domain::user::{Language, User};
use crate::handout::page::{CodeList, Fact, Handout, Sheet};
use crate::texts::{Text, Texts};

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

/// Writes the page.
pub fn compose(subject: &Subject<'_>) -> Handout {
    let fact = |name: &str, value: &str| Fact { name: name.to_owned(), value: value.to_owned() };
    let sheet = |language: &Language| Sheet {
        language: *language,
        title: Texts(*language).fill(Text::HandoutTitle, &[("issuer", subject.issuer)]),
        why: Vec::new(),
        facts: [("account", Some(subject.user.name.as_str())), ("ticket", subject.ticket)]
            .into_iter()
            .chain([("contact", subject.contact), ("app", Some(subject.app.word()))])
            .filter_map(|(name, value)| Some(fact(name, value?)))
            .collect(),
        steps_title: String::new(),
        steps: Vec::new(),
        key_title: String::new(),
        key_facts: Vec::new(),
        sections: Vec::new(),
        code_titles: Vec::new(),
        footer: String::new(),
    };
    let lists = [&subject.recovery_codes, &subject.paper_codes];
    Handout {
        paper: subject.paper,
        sheets: subject.languages.iter().map(sheet).collect(),
        qr: subject.key.as_ref().map(|key| key.uri.clone()),
        key: subject.key.as_ref().map(|key| key.grouped.clone()),
        codes: lists.map(|codes| CodeList { codes: codes.clone(), has_boxes: true }).into(),
    }
}
