//! English.

use crate::texts::Text;

pub const fn text(text: Text) -> &'static str {
    match text {
        // The handout.
        Text::HandoutTitle => "Your second factor at {issuer}",
    }
}
