//! The content of a handout, before it has a form.

use zeroize::Zeroizing;

use crate::domain::paper_size::PaperSize;
use crate::domain::user::Language;

/// A handout before it has a form. The secrets are there once; the words stand beside them in each language.
pub struct Handout {
    pub paper: PaperSize,
    /// One, or two beside each other.
    pub sheets: Vec<Sheet>,
    /// The key URI that the QR code carries; `None` where the user scans nothing.
    pub qr: Option<Zeroizing<String>>,
    /// The secret in groups of four letters, for whoever can't scan.
    pub key: Option<Zeroizing<String>>,
    /// Recovery codes, and the codes of a printed list.
    pub codes: Vec<CodeList>,
}

/// The words of a handout in one language, in the order in which they are read. Each is plain text: whatever comes from
/// users and operators has no line breaks and no control characters.
pub struct Sheet {
    pub language: Language,
    pub title: String,
    /// Why there is a second factor.
    pub why: Vec<String>,
    /// Such as ("Account", "alice (Example Corp)").
    pub facts: Vec<Fact>,
    pub steps_title: String,
    pub steps: Vec<String>,
    /// Above the manual key; empty where there is none.
    pub key_title: String,
    /// What an app has to be told beside the key: account, kind, digits.
    pub key_facts: Vec<Fact>,
    /// A lost phone, several phones, who asks for codes.
    pub sections: Vec<PageSection>,
    /// In the order of [`Handout::codes`].
    pub code_titles: Vec<CodeTitle>,
    /// At the end: destroy this page.
    pub footer: String,
}

pub struct Fact {
    pub name: String,
    pub value: String,
}

pub struct PageSection {
    pub title: String,
    pub paragraphs: Vec<String>,
    /// Stands out: in a frame.
    pub is_warning: bool,
}

/// What is above a list of codes.
pub struct CodeTitle {
    pub title: String,
    pub about: String,
}

/// Codes that are printed.
pub struct CodeList {
    pub codes: Vec<Zeroizing<String>>,
    /// A box before each, to be ticked once the code is used. Without one the codes are numbered.
    pub has_boxes: bool,
}
