//! French, with no-break spaces before `: ; ! ? »` and typographic apostrophes.

use crate::texts::Text;

pub const fn text(text: Text) -> &'static str {
    match text {
        // The handout.
        Text::HandoutTitle => "Votre second facteur chez {issuer}",
    }
}
