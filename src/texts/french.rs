//! French, with no-break spaces before `: ; ! ? »` and typographic apostrophes.

use crate::texts::Text;

pub const fn text(text: Text) -> &'static str {
    match text {
        // The handout.
        Text::HandoutTitle => "Votre second facteur chez {issuer}",
        // The QR code on a terminal.
        Text::QrTooNarrow => {
            "Le QR code demande {columns} colonnes\u{a0}: agrandissez le terminal puis lancez show-qr, omettez --ascii, \
             ou utilisez --output FICHIER.png."
        }
        Text::QrTooHigh => {
            "Le QR code a {rows} lignes\u{a0}: agrandissez le terminal ou réduisez sa police pour le voir en entier."
        }
        Text::TypeKey => "Saisissez ceci dans votre application d’authentification\u{a0}:",
    }
}
