//! The handout for a printer: one page of PDF, with its fonts in it.

mod content;
mod draw;
#[cfg(test)]
mod fixture;
mod font;
mod layout;
mod lines;
mod plan;
mod qr;
#[cfg(test)]
mod tests;

use anyhow::Result;
use zeroize::Zeroizing;

use crate::domain::refusal::Refusal;
use crate::handout::page::Handout;
use crate::handout::pdf::content::{PageWords, Ruler};
use crate::handout::pdf::font::Fonts;
use crate::handout::pdf::lines::SMALLEST;

/// Sizes of letters in points, in half points, from the most pleasant one down.
const LARGEST: f32 = 10.5;
const STEP: f32 = 0.5;

/// Writes handouts as PDF. It has the fonts, so that many pages need one of it.
pub struct PdfForm {
    fonts: Fonts,
}

impl PdfForm {
    pub fn new() -> Result<Self> {
        Ok(Self { fonts: Fonts::read()? })
    }

    /// Whether a page can have this text.
    ///
    /// Fails with `bad_input`, the field and the letter.
    pub fn check(&self, field: &str, text: &str) -> Result<(), Refusal> {
        Ruler(&self.fonts).regular(field, text).map(drop)
    }

    /// Writes one page, with letters as large as there is room for.
    ///
    /// Fails with `bad_input` on a letter that the fonts lack, and on words that are too many for a page.
    pub fn render(&self, handout: &Handout) -> Result<Zeroizing<Vec<u8>>> {
        let content = PageWords::measure(handout, &self.fonts)?;
        let sizes = std::iter::successors(Some(LARGEST), |size| Some(size - STEP))
            .take_while(|size| *size >= SMALLEST);
        let mut plans = sizes.filter_map(|size| layout::plan(&content, handout.paper, size));
        let mut plan = plans.next().ok_or_else(too_long)?;
        let size = layout::size_of(handout.paper);
        draw::draw(&mut plan, &content, &self.fonts, size).map(Zeroizing::new)
    }
}

fn too_long() -> Refusal {
    Refusal::bad_input("handout", "is too long for one page of PDF")
        .hint("use .html, one language or shorter texts")
}
