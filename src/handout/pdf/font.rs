//! The fonts of a page: which letters they have, and how wide each letter is.

use std::ops::Range;

use anyhow::{Context as _, Result};
use krilla::surface::Location;
use krilla::text::{Font, Glyph, GlyphId};
use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider as _};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use crate::domain::text::is_harmful;

static REGULAR: &[u8] = include_bytes!("../fonts/DejaVuSans.ttf");
static BOLD: &[u8] = include_bytes!("../fonts/DejaVuSans-Bold.ttf");

/// Units of the fonts in the height of a line.
const UNITS: f32 = 2048.0;

/// The fonts, read once for all pages.
pub struct Fonts {
    regular: Face,
    bold: Face,
}

struct Face {
    font: Font,
    glyphs: Charmap<'static>,
    widths: GlyphMetrics<'static>,
}

/// A letter that a page can't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The font lacks it.
    Missing(char),
    /// The font has it, but letter by letter its words would be wrong.
    Unshaped(char),
}

pub const ELLIPSIS: &str = "…";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

/// A text as a font draws it: one glyph a letter. No script that the page takes needs more.
pub struct Measured {
    pub weight: Weight,
    /// Also the key and the codes, so that each is wiped. What krilla makes of them can't be.
    pub text: Zeroizing<String>,
    pub letters: Vec<Letter>,
    /// Of the same font; stands for the rest of a word that is cut.
    pub ellipsis: Letter,
}

/// A letter in a font.
#[derive(Clone, Copy)]
pub struct Letter {
    glyph: u16,
    /// In units of the font.
    width: u16,
    /// Whether a line may end here.
    pub is_blank: bool,
    at: u32,
    length: u8,
}

impl Letter {
    /// In points, at a size in points.
    pub fn width(&self, size: f32) -> f32 {
        f32::from(self.width) / UNITS * size
    }
}

impl Glyph for Letter {
    fn glyph_id(&self) -> GlyphId {
        GlyphId::new(self.glyph.into())
    }

    fn text_range(&self) -> Range<usize> {
        let at = self.at as usize;
        at..at + usize::from(self.length)
    }

    fn x_advance(&self, size: f32) -> f32 {
        self.width(size)
    }

    fn x_offset(&self, _: f32) -> f32 {
        0.0
    }

    fn y_offset(&self, _: f32) -> f32 {
        0.0
    }

    fn y_advance(&self, _: f32) -> f32 {
        0.0
    }

    fn location(&self) -> Option<Location> {
        None
    }
}

impl Fonts {
    pub fn read() -> Result<Self> {
        Ok(Self { regular: Face::read(REGULAR)?, bold: Face::read(BOLD)? })
    }

    pub const fn font(&self, weight: Weight) -> &Font {
        match weight {
            Weight::Regular => &self.regular.font,
            Weight::Bold => &self.bold.font,
        }
    }

    /// Measures a text, in NFC. What the bold font lacks is not bold.
    ///
    /// Fails with the first letter that the page can't have.
    pub fn measure(&self, text: &str, weight: Weight) -> Result<Measured, Unfit> {
        let text = Zeroizing::new(composed(text));
        if weight == Weight::Bold
            && let Ok((letters, ellipsis)) = self.bold.measured(&text)
        {
            return Ok(Measured { weight, text, letters, ellipsis });
        }
        let (letters, ellipsis) = self.regular.measured(&text)?;
        Ok(Measured { weight: Weight::Regular, text, letters, ellipsis })
    }
}

impl Face {
    fn read(file: &'static [u8]) -> Result<Self> {
        let font = FontRef::new(file).context("the font of the PDF")?;
        let (glyphs, widths) =
            (font.charmap(), font.glyph_metrics(Size::unscaled(), LocationRef::default()));
        let font = Font::new(file.into(), 0).context("the font of the PDF has no outlines")?;
        Ok(Self { font, glyphs, widths })
    }

    fn measured(&self, text: &str) -> Result<(Vec<Letter>, Letter), Unfit> {
        let letters: Result<Vec<_>, _> =
            text.char_indices().map(|(at, c)| self.letter(at, c)).collect();
        Ok((letters?, self.letter(0, '…')?))
    }

    fn letter(&self, at: usize, c: char) -> Result<Letter, Unfit> {
        if !c.is_ascii() && needs_shaping(c) {
            return Err(Unfit::Unshaped(c));
        }
        if is_harmful(c) {
            return Err(Unfit::Missing(c));
        }
        self.drawn(at, c).ok_or(Unfit::Missing(c))
    }

    fn drawn(&self, at: usize, c: char) -> Option<Letter> {
        let glyph = self.glyphs.map(c)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the font has whole numbers of 16 bits"
        )]
        let width = self.widths.advance_width(glyph)? as u16;
        Some(Letter {
            glyph: u16::try_from(glyph.to_u32()).ok()?,
            width,
            is_blank: c == ' ',
            at: u32::try_from(at).ok()?,
            length: u8::try_from(c.len_utf8()).ok()?,
        })
    }
}

fn composed(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { text.nfc().collect() }
}

/// Whether the letter is of a script that runs from right to left or whose letters change with their neighbours, or has
/// no meaning but in one font. The fonts have Arabic, Hebrew, N'Ko and Lao, but a page that draws letter by letter would
/// have their words the wrong way round.
const fn needs_shaping(c: char) -> bool {
    matches!(c,
        '\u{590}'..='\u{8ff}'
        | '\u{900}'..='\u{109f}'
        | '\u{1780}'..='\u{18af}'
        | '\u{e000}'..='\u{f8ff}'
        | '\u{fb1d}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefe}'
        | '\u{10800}'..='\u{10fff}'
        | '\u{1e800}'..='\u{1efff}')
}
