//! The QR code of a page: a drawing for a browser, blocks for a text.

use anyhow::Result;
use qrcode::types::Color;
use zeroize::Zeroizing;

use crate::handout::qr_code::Modules;

/// Light modules around the code, as ISO/IEC 18004 requires.
const QUIET_ZONE: usize = 4;

/// A drawing in SVG: one path of dark modules on white, which stays sharp at any size.
pub fn svg(uri: &str, label: &str) -> Result<Zeroizing<String>> {
    let code = Modules::of(uri)?;
    let side = code.width + 2 * QUIET_ZONE;
    let mut path = Zeroizing::new(String::with_capacity(16 << 10));
    for (y, row) in code.rows().enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|a, b| a == b) {
            if run[0] == Color::Dark {
                push_with_number(&mut path, "M", x + QUIET_ZONE);
                push_with_number(&mut path, " ", y + QUIET_ZONE);
                push_with_number(&mut path, "h", run.len());
                push_with_number(&mut path, "v1h-", run.len());
                path.push('z');
            }
            x += run.len();
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

/// A page has thousands of numbers, and the formatting of the standard library takes most of its time.
fn push_with_number(path: &mut String, before: &str, number: usize) {
    path.push_str(before);
    push_digits(path, number);
}

fn push_digits(path: &mut String, number: usize) {
    if number > 9 {
        push_digits(path, number / 10);
    }
    path.push(char::from(b"0123456789"[number % 10]));
}

/// Lines of half blocks, which are dark on white paper: each shows two rows of modules. Light modules are blanks, so
/// that no colour is needed.
pub fn text(uri: &str) -> Result<Zeroizing<String>> {
    let code = Modules::of(uri)?;
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
