//! English.

use crate::texts::Text;

pub const fn text(text: Text) -> &'static str {
    match text {
        // The handout.
        Text::HandoutTitle => "Your second factor at {issuer}",
        // The QR code on a terminal.
        Text::QrTooNarrow => {
            "The QR code needs {columns} columns: enlarge the terminal and run show-qr, leave out --ascii, or use \
             --output FILE.png."
        }
        Text::QrTooHigh => {
            "The QR code has {rows} rows: make the terminal higher or its font smaller to see all of it."
        }
        Text::TypeKey => "Type this into your authenticator app:",
    }
}
