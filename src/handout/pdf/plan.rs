//! What stands where on a page.

use crate::domain::user::Language;
use crate::handout::pdf::font::Measured;
use crate::handout::pdf::lines::{Overlong, TextLine};

/// Height of a line, by the size of its letters.
#[derive(Clone, Copy)]
pub struct Leading(pub f32);
/// From the top of a line to its base, by the size of its letters.
const BASE: f32 = 1.0;

/// A page: everything in points from its upper left corner.
#[derive(Default)]
pub struct Plan<'a> {
    pub shapes: Vec<Shape>,
    /// In no order: each has its place in the reading order.
    pub blocks: Vec<Block<'a>>,
    pub qr: Option<QrPlace>,
}

/// Where a QR code is, without its quiet zone.
#[derive(Clone, Copy)]
pub struct QrPlace {
    pub x: f32,
    pub y: f32,
    /// The side of a module.
    pub module: f32,
}

/// What only sighted people have something of.
pub enum Shape {
    Frame {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
    },
    /// Black.
    Bar {
        x: f32,
        y: f32,
        width: f32,
        height: f32,
    },
    /// By its centre.
    Disc {
        x: f32,
        y: f32,
        radius: f32,
    },
}

/// A paragraph, a title, a step: what is read in one go.
pub struct Block<'a> {
    pub part: Passage,
    pub role: BlockKind,
    pub language: Language,
    pub runs: Vec<Run<'a>>,
}

/// Parts of a page in the order in which they are read: as they stand, and within a part one sheet after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Passage {
    /// Before the QR code, of the sheet with this number.
    Head(usize),
    /// The QR code and the key.
    Key,
    /// Behind the QR code.
    Body(usize),
    Codes,
    Foot,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    Title,
    Heading,
    Paragraph,
}

/// A line of letters.
pub struct Run<'a> {
    pub text: &'a Measured,
    pub line: TextLine,
    pub x: f32,
    pub base: f32,
    /// White on a black disc.
    pub is_white: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Centre,
}

/// Where the next line of a column goes.
#[derive(Clone, Copy)]
pub struct Column {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub part: Passage,
    pub language: Language,
}

impl Column {
    pub const fn inset(self, left: f32, right: f32) -> Self {
        Self { x: self.x + left, width: self.width - left - right, ..self }
    }

    /// Columns of the same width beside each other.
    pub fn split(self, count: u16, gap: f32) -> impl Iterator<Item = Self> {
        let width = (self.width - gap * f32::from(count - 1)) / f32::from(count);
        (0..count).map(move |i| Self { x: self.x + (width + gap) * f32::from(i), width, ..self })
    }
}

/// How a text is written.
#[derive(Clone, Copy)]
pub struct Style {
    pub size: f32,
    pub align: Align,
    pub overlong: Overlong,
    pub role: BlockKind,
    pub leading: Leading,
}

impl Leading {
    pub const fn paragraph(self, size: f32) -> Style {
        let (align, overlong, role) = (Align::Left, Overlong::Cut, BlockKind::Paragraph);
        Style { size, align, overlong, role, leading: self }
    }

    pub const fn heading(self, size: f32) -> Style {
        Style { role: BlockKind::Heading, ..self.paragraph(size) }
    }

    /// How high a text is in a column.
    pub fn height(self, text: &Measured, size: f32, width: f32) -> f32 {
        text.lines(size, width, Overlong::Cut).iter().map(|line| line.size * self.0).sum()
    }
}

impl<'a> Plan<'a> {
    /// Writes a text as a block of its own, and moves the column below it.
    pub fn write(&mut self, text: &'a Measured, style: Style, column: &mut Column) {
        let runs = runs(text, style, column);
        self.block(runs, style.role, column);
    }

    /// Moves what was written since there were so many blocks.
    pub fn lower(&mut self, blocks: usize, by: f32) {
        for run in self.blocks.iter_mut().skip(blocks).flat_map(|block| &mut block.runs) {
            run.base += by;
        }
    }

    pub fn block(&mut self, runs: Vec<Run<'a>>, role: BlockKind, column: &Column) {
        if !runs.is_empty() {
            let (part, language) = (column.part, column.language);
            self.blocks.push(Block { part, role, language, runs });
        }
    }
}

/// The lines of a text, and the column moved below them.
pub fn runs<'a>(text: &'a Measured, style: Style, column: &mut Column) -> Vec<Run<'a>> {
    let mut runs = Vec::new();
    for line in text.lines(style.size, column.width, style.overlong) {
        let indent = match style.align {
            Align::Left => 0.0,
            Align::Centre => ((column.width - line.width) / 2.0).max(0.0),
        };
        let (x, base) = (column.x + indent, line.size.mul_add(BASE, column.y));
        column.y += line.size * style.leading.0;
        runs.push(Run { text, line, x, base, is_white: false });
    }
    runs
}
