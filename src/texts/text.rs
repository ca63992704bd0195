//! The list of texts.

/// A text for people with a phone. Its placeholders are in the tables of the languages: `{user}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Text {
    // The handout.
    HandoutTitle,
    // The QR code on a terminal.
    /// Where the code is drawn with ASCII and has too few columns.
    QrTooNarrow,
    /// Below a code that has more rows than the terminal.
    QrTooHigh,
    /// Above the key where no code is drawn.
    TypeKey,
}
