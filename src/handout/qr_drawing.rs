//! The QR code of a page: a drawing for a browser, blocks for a text.

use std::fmt::Write as _;

use anyhow::Result;
use qrcode::EcLevel;
use zeroize::Zeroizing;

use crate::handout::qr_code::Modules;

/// Light modules around the code, as ISO/IEC 18004 requires.
const QUIET_ZONE: usize = 4;

/// A drawing in SVG: one path of dark modules on white, which stays sharp at any size.
pub fn svg(uri: &str, label: &str) -> Result<Zeroizing<String>> {
    let code = Modules::of(uri, EcLevel::M)?;
    let side = code.width + 2 * QUIET_ZONE;
    let mut path = Zeroizing::new(String::with_capacity(16 << 10));
    for y in 0..code.width {
        let mut x = 0;
        while x < code.width {
            let run = (x..code.width).take_while(|x| code.is_dark(*x, y)).count();
            if run > 0 {
                write!(path, "M{} {}h{run}v1h-{run}z", x + QUIET_ZONE, y + QUIET_ZONE)?;
            }
            x += run.max(1);
        }
    }
    let label = minijinja::HtmlEscape(label);
    Ok(Zeroizing::new(format!(
        "<svg class=\"qr\" role=\"img\" aria-label=\"{label}\" viewBox=\"0 0 {side} {side}\" \
         shape-rendering=\"crispEdges\" xmlns=\"http://www.w3.org/2000/svg\" \
         style=\"background:#fff\"><path d=\"{}\"/></svg>",
        path.as_str()
    )))
}

/// Lines of half blocks, which are dark on white paper: each shows two rows of modules. Light modules are blanks, so
/// that no colour is needed.
pub fn text(uri: &str) -> Result<Zeroizing<String>> {
    let code = Modules::of(uri, EcLevel::M)?;
    let mut lines = Zeroizing::new(String::with_capacity(16 << 10));
    for y in (0..code.width).step_by(2) {
        let row = |x: usize| match (code.is_dark(x, y), code.is_dark(x, y + 1)) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        };
        lines.extend(std::iter::repeat_n(' ', QUIET_ZONE));
        lines.extend((0..code.width).map(row));
        let end = lines.trim_end().len();
        lines.truncate(end);
        lines.push('\n');
    }
    Ok(lines)
}
