//! What a language brings with it.

use crate::texts::Text;

/// A language: its texts, and the two rules that differ beside them.
pub struct LanguageTable {
    pub text: fn(Text) -> &'static str,
    /// Whether a noun behind this count is in the singular.
    pub is_singular: fn(usize) -> bool,
    /// Whether an hour before ten has a zero in front.
    pub pads_hour: bool,
    /// What stands between a question and the colon that a terminal writes behind it.
    pub before_colon: &'static str,
}
