//! What templates can print. `docs/handouts.md` lists it for the people of a site; a test compares the two.

use anyhow::Result;
use minijinja::Value;
use serde::Serialize;

use crate::domain::paper_size::PaperSize;
use crate::handout::page::{CodeList, Fact, Handout, PageSection, Sheet};
use crate::handout::qr_drawing;
use crate::texts::{Text, Texts};

/// The page. Nothing is ever missing: what a page does not have is empty, so that a template can ask for it with `if`.
#[derive(Serialize)]
pub struct Placeholders<'a> {
    paper: &'static str,
    /// The code as it is drawn in this form.
    qr: Value,
    uri: &'a str,
    key: &'a str,
    sheets: Vec<SheetPlaceholders<'a>>,
    codes: Vec<ListPlaceholders<'a>>,
}

#[derive(Serialize)]
struct SheetPlaceholders<'a> {
    language: &'static str,
    title: &'a str,
    why: &'a [String],
    facts: Vec<FactPlaceholders<'a>>,
    steps_title: &'a str,
    steps: &'a [String],
    key_title: &'a str,
    key_name: &'static str,
    key_facts: Vec<FactPlaceholders<'a>>,
    tap: &'static str,
    sections: Vec<SectionPlaceholders<'a>>,
    footer: &'a str,
}

#[derive(Serialize)]
struct FactPlaceholders<'a> {
    name: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct SectionPlaceholders<'a> {
    title: &'a str,
    paragraphs: &'a [String],
    is_warning: bool,
}

#[derive(Serialize)]
struct ListPlaceholders<'a> {
    has_boxes: bool,
    codes: Vec<&'a str>,
    /// The words above it, in the languages of the sheets.
    texts: Vec<ListText<'a>>,
}

#[derive(Serialize)]
struct ListText<'a> {
    language: &'static str,
    title: &'a str,
    about: &'a str,
}

impl<'a> Placeholders<'a> {
    pub fn html(handout: &'a Handout) -> Result<Self> {
        let texts = handout.sheets.first().map(|sheet| Texts(sheet.language));
        let label = texts.map_or("", |texts| texts.text(Text::HandoutQr));
        let qr = handout.qr.as_ref().map(|uri| qr_drawing::svg(uri, label)).transpose()?;
        let qr = qr.map(|svg| Value::from_safe_string(svg.to_string()));
        Ok(Self::of(handout, qr))
    }

    pub fn text(handout: &'a Handout) -> Result<Self> {
        let qr = handout.qr.as_ref().map(|uri| qr_drawing::text(uri)).transpose()?;
        Ok(Self::of(handout, qr.map(|lines| Value::from(lines.as_str()))))
    }

    fn of(handout: &'a Handout, qr: Option<Value>) -> Self {
        let secret = |text: &'a Option<zeroize::Zeroizing<String>>| {
            text.as_ref().map_or("", |text| text.as_str())
        };
        let list = |(at, list)| ListPlaceholders::of(handout, at, list);
        Self {
            paper: match handout.paper {
                PaperSize::A4 => "a4",
                PaperSize::Letter => "letter",
            },
            qr: qr.unwrap_or_else(|| Value::from("")),
            uri: secret(&handout.qr),
            key: secret(&handout.key),
            sheets: handout.sheets.iter().map(SheetPlaceholders::of).collect(),
            codes: handout.codes.iter().enumerate().map(list).collect(),
        }
    }
}

impl<'a> SheetPlaceholders<'a> {
    fn of(sheet: &'a Sheet) -> Self {
        let texts = Texts(sheet.language);
        Self {
            language: sheet.language.code(),
            title: &sheet.title,
            why: &sheet.why,
            facts: facts(&sheet.facts),
            steps_title: &sheet.steps_title,
            steps: &sheet.steps,
            key_title: &sheet.key_title,
            key_name: texts.text(Text::HandoutKey),
            key_facts: facts(&sheet.key_facts),
            tap: texts.text(Text::HandoutTap),
            sections: sheet.sections.iter().map(section).collect(),
            footer: &sheet.footer,
        }
    }
}

fn facts(facts: &[Fact]) -> Vec<FactPlaceholders<'_>> {
    facts.iter().map(|fact| FactPlaceholders { name: &fact.name, value: &fact.value }).collect()
}

fn section(section: &PageSection) -> SectionPlaceholders<'_> {
    let PageSection { title, paragraphs, is_warning } = section;
    SectionPlaceholders { title, paragraphs, is_warning: *is_warning }
}

impl<'a> ListPlaceholders<'a> {
    fn of(handout: &'a Handout, at: usize, list: &'a CodeList) -> Self {
        let text = |sheet: &'a Sheet| {
            let title = sheet.code_titles.get(at)?;
            let language = sheet.language.code();
            Some(ListText { language, title: &title.title, about: &title.about })
        };
        Self {
            has_boxes: list.has_boxes,
            codes: list.codes.iter().map(|code| code.as_str()).collect(),
            texts: handout.sheets.iter().filter_map(text).collect(),
        }
    }
}

impl Placeholders<'_> {
    /// Whether a page shows the code as it was drawn.
    pub fn qr_is_in(&self, page: &str) -> bool {
        self.qr.as_str().is_some_and(|qr| page.contains(qr))
    }
}
