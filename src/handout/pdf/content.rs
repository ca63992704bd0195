//! The words of a handout, measured.

use crate::domain::refusal::Refusal;
use crate::domain::text::shown;
use crate::domain::user::Language;
use crate::handout::page::{CodeList, Fact, Handout, PageSection, Sheet};
use crate::handout::pdf::font::{Fonts, Measured, Unfit, Weight};
use crate::handout::pdf::qr::Squares;

/// A handout whose letters are all in the fonts.
pub struct PageWords {
    pub sheets: Vec<SheetWords>,
    pub qr: Option<Squares>,
    pub key: Option<Measured>,
    pub codes: Vec<ListWords>,
}

pub struct SheetWords {
    pub language: Language,
    pub title: Measured,
    pub why: Vec<Measured>,
    pub facts: Vec<FactWords>,
    pub steps_title: Measured,
    pub steps: Vec<Numbered>,
    pub key_title: Measured,
    pub key_facts: Vec<FactWords>,
    pub sections: Vec<SectionWords>,
    pub code_titles: Vec<TitleWords>,
    pub footer: Measured,
}

pub struct FactWords {
    /// With a blank, which programs that read the page aloud need before the value.
    pub name: Measured,
    pub value: Measured,
}

/// A step, or a code of a list without boxes.
pub struct Numbered {
    /// With a blank too.
    pub number: Measured,
    pub text: Measured,
}

pub struct SectionWords {
    pub title: Measured,
    pub paragraphs: Vec<Measured>,
    pub is_warning: bool,
}

pub struct TitleWords {
    pub title: Measured,
    pub about: Measured,
}

pub struct ListWords {
    pub codes: Vec<Numbered>,
    pub has_boxes: bool,
}

/// The field that a refusal names where the model has no name for it.
const ANYWHERE: &str = "handout";

impl PageWords {
    /// Fails with `bad_input` on a letter that a page can't have, and on a key that no QR code can hold.
    pub fn measure(handout: &Handout, fonts: &Fonts) -> Result<Self, Refusal> {
        let ruler = Ruler(fonts);
        let qr = handout.qr.as_deref().map(|uri| Squares::of(uri).ok_or_else(too_long));
        let key = handout.key.as_deref().map(|key| ruler.bold(ANYWHERE, key));
        Ok(Self {
            sheets: collect(&handout.sheets, |sheet| ruler.sheet(sheet))?,
            qr: qr.transpose()?,
            key: key.transpose()?,
            codes: collect(&handout.codes, |list| ruler.codes(list))?,
        })
    }
}

fn too_long() -> Refusal {
    Refusal::bad_input("account", "is too long for a QR code").hint("use shorter names")
}

fn collect<T, U>(
    from: &[T],
    measure: impl FnMut(&T) -> Result<U, Refusal>,
) -> Result<Vec<U>, Refusal> {
    from.iter().map(measure).collect()
}

/// Measures the parts of a handout.
pub struct Ruler<'a>(pub &'a Fonts);

impl Ruler<'_> {
    fn sheet(&self, sheet: &Sheet) -> Result<SheetWords, Refusal> {
        let steps = sheet.steps.iter().zip(1..).map(|(step, number)| self.numbered(step, number));
        Ok(SheetWords {
            language: sheet.language,
            title: self.bold(ANYWHERE, &sheet.title)?,
            why: collect(&sheet.why, |text| self.regular(ANYWHERE, text))?,
            facts: collect(&sheet.facts, |fact| self.fact(fact))?,
            steps_title: self.bold(ANYWHERE, &sheet.steps_title)?,
            steps: steps.collect::<Result<_, _>>()?,
            key_title: self.bold(ANYWHERE, &sheet.key_title)?,
            key_facts: collect(&sheet.key_facts, |fact| self.fact(fact))?,
            sections: collect(&sheet.sections, |section| self.section(section))?,
            code_titles: collect(&sheet.code_titles, |above| {
                Ok(TitleWords {
                    title: self.bold(ANYWHERE, &above.title)?,
                    about: self.regular(ANYWHERE, &above.about)?,
                })
            })?,
            footer: self.regular(ANYWHERE, &sheet.footer)?,
        })
    }

    fn fact(&self, fact: &Fact) -> Result<FactWords, Refusal> {
        let name = self.regular(ANYWHERE, &format!("{} ", fact.name))?;
        Ok(FactWords { name, value: self.bold(&fact.name, &fact.value)? })
    }

    fn section(&self, section: &PageSection) -> Result<SectionWords, Refusal> {
        Ok(SectionWords {
            title: self.bold(ANYWHERE, &section.title)?,
            paragraphs: collect(&section.paragraphs, |text| self.regular(&section.title, text))?,
            is_warning: section.is_warning,
        })
    }

    fn codes(&self, list: &CodeList) -> Result<ListWords, Refusal> {
        let codes = list.codes.iter().zip(1..).map(|(code, number)| self.numbered(code, number));
        Ok(ListWords { codes: codes.collect::<Result<_, _>>()?, has_boxes: list.has_boxes })
    }

    fn numbered(&self, text: &str, number: usize) -> Result<Numbered, Refusal> {
        let number = self.bold(ANYWHERE, &format!("{number} "))?;
        Ok(Numbered { number, text: self.regular(ANYWHERE, text)? })
    }

    pub fn regular(&self, field: &str, text: &str) -> Result<Measured, Refusal> {
        self.0.measure(text, Weight::Regular).map_err(|unfit| refused(field, unfit))
    }

    fn bold(&self, field: &str, text: &str) -> Result<Measured, Refusal> {
        self.0.measure(text, Weight::Bold).map_err(|unfit| refused(field, unfit))
    }
}

fn refused(field: &str, unfit: Unfit) -> Refusal {
    let (letter, problem) = match unfit {
        Unfit::Missing(letter) => (letter, "is not in the font of the PDF"),
        Unfit::Unshaped(letter) => (letter, "is of a script that the PDF can't draw"),
    };
    let letter = letter.to_string();
    Refusal::bad_input(&shown(field), format!("the letter {} {problem}", shown(&letter)))
        .hint("use .html")
}
