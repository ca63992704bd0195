//! How a QR code is drawn on a terminal: as the operator says, else as the terminal can show it.

use clap::Args;

use crate::env::Env;
use crate::show::qr::{Cells, Drawing, Ink};

/// The options for terminals that do not show the usual drawing.
#[derive(Args, Clone, Copy, Debug, Default)]
pub struct DrawingOptions {
    /// Draw the QR code with ASCII characters
    ///
    /// For a terminal without half blocks. It takes 74 columns at least, and twice as many rows. It scrolls where it is too high for the terminal.
    #[arg(long, hide_short_help = true, conflicts_with = "output")]
    ascii: bool,
    /// Draw the QR code without colours, for a light screen
    ///
    /// For a terminal that writes dark on light and has no colours, or takes them for others.
    #[arg(long, hide_short_help = true, conflicts_with = "output")]
    invert: bool,
    /// Show only the key to type, without a QR code
    ///
    /// For a screen reader, to which a QR code is a wall of blocks.
    #[arg(long, hide_short_help = true, conflicts_with_all = ["output", "ascii", "invert"])]
    no_qr: bool,
}

impl DrawingOptions {
    /// `None` for no QR code.
    ///
    /// The locale alone says little: over ssh and in a container it is often not set, on a terminal that shows
    /// everything. Two kinds of terminals can be told by their name: a dumb one reads no escape codes, and a console of
    /// Linux shows half blocks only in UTF-8.
    #[must_use]
    pub fn choose(self, env: &Env) -> Option<Drawing> {
        if self.no_qr {
            return None;
        }
        let term = (env.variables)("TERM").unwrap_or_default();
        let is_dumb = term == "dumb";
        let lacks_blocks = (is_dumb || term == "linux") && !is_utf8(env);
        let cells = if self.ascii || lacks_blocks { Cells::Ascii } else { Cells::HalfBlocks };
        let ink = match (self.invert, is_dumb) {
            (true, false) if cells == Cells::Ascii => Ink::Reverse,
            (true, _) => Ink::Dark,
            (false, true) => Ink::Light,
            (false, false) => Ink::Coloured,
        };
        Some(Drawing { cells, ink })
    }
}

/// Whether the locale has UTF-8; the first of the three variables that is set decides.
fn is_utf8(env: &Env) -> bool {
    let set = |name: &&str| (env.variables)(name).filter(|value| !value.is_empty());
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(set).unwrap_or_default();
    let locale = locale.to_string_lossy().to_ascii_lowercase();
    locale.ends_with("utf-8") || locale.ends_with("utf8")
}
