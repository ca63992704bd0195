//! Writes handouts in the form that a file asks for.

use anyhow::Result;
use zeroize::Zeroizing;

use crate::config::HandoutSettings;
use crate::domain::refusal::Refusal;
use crate::files::file_trust::FilePolicy;
use crate::handout::form::HandoutForm;
use crate::handout::page::Handout;
use crate::handout::pdf::PdfForm;
use crate::handout::templates::{Markup, Templates};

/// Has read what every page needs, templates or fonts, so that many pages need one of it.
pub struct HandoutWriter(Means);

enum Means {
    Template(Box<Templates>, Markup),
    Pdf(Box<PdfForm>),
}

impl HandoutWriter {
    /// Fails as [`Templates::load`] does.
    pub fn load(
        form: HandoutForm,
        settings: &HandoutSettings,
        file_policy: &FilePolicy,
    ) -> Result<Self> {
        let templates = |markup| {
            let templates = Templates::load(settings, file_policy)?;
            Ok::<_, anyhow::Error>(Means::Template(Box::new(templates), markup))
        };
        Ok(Self(match form {
            HandoutForm::Html => templates(Markup::Html)?,
            HandoutForm::Text => templates(Markup::Text)?,
            HandoutForm::Pdf => Means::Pdf(Box::new(PdfForm::new()?)),
        }))
    }

    /// Whether a page can have this text.
    ///
    /// Fails with `bad_input`, naming the field and the letter that the fonts of a PDF lack.
    pub fn check(&self, field: &str, text: &str) -> Result<(), Refusal> {
        match &self.0 {
            Means::Template(..) => Ok(()),
            Means::Pdf(pdf) => pdf.check(field, text),
        }
    }

    /// Writes the page as a file.
    pub fn write(&self, handout: &Handout) -> Result<Zeroizing<Vec<u8>>> {
        match &self.0 {
            Means::Template(templates, markup) => templates.render(handout, *markup),
            Means::Pdf(pdf) => pdf.render(handout),
        }
    }
}
