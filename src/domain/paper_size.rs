//! Sizes of paper.

/// The size of a sheet, as ISO 216 and ANSI have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaperSize {
    A4,
    Letter,
}
