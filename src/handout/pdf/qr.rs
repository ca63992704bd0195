//! The QR code as squares.

use std::ops::Range;

use qrcode::EcLevel;
use qrcode::types::Color;

use crate::handout::qr_code::Modules;

/// Light modules around the code, as ISO/IEC 18004 requires.
pub const QUIET_ZONE: u16 = 4;

/// A code as rectangles of dark modules, in modules from its upper left corner.
pub struct Squares {
    /// Modules of a side, without the quiet zone.
    pub side: u16,
    pub dark: Vec<Dark>,
}

/// A rectangle of dark modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dark {
    pub columns: Range<u16>,
    pub rows: Range<u16>,
}

impl Squares {
    /// Error correction M, as the other images have; L where M is too small. `None` for what no code can hold.
    pub fn of(text: &str) -> Option<Self> {
        let code = Modules::of(text).or_else(|_| Modules::with_level(text, EcLevel::L)).ok()?;
        let side = u16::try_from(code.width).ok()?;
        Some(Self { side, dark: dark(&code) })
    }
}

/// Few rectangles: those of a row that stand exactly below one another become one.
fn dark(code: &Modules) -> Vec<Dark> {
    let mut done = Vec::new();
    let mut growing: Vec<Dark> = Vec::new();
    for (row, modules) in (0..).zip(code.rows()) {
        let mut next = Vec::with_capacity(growing.len());
        let mut above = growing.into_iter().peekable();
        for columns in runs(modules) {
            while let Some(ended) = above.next_if(|dark| dark.columns.start < columns.start) {
                done.push(ended);
            }
            let mut dark = match above.next_if(|dark| dark.columns == columns) {
                Some(dark) => dark,
                None => Dark { columns, rows: row..row },
            };
            dark.rows.end = row + 1;
            next.push(dark);
        }
        done.extend(above);
        growing = next;
    }
    done.extend(growing);
    done
}

/// Where modules of a row are dark without a gap.
fn runs(modules: &[Color]) -> impl Iterator<Item = Range<u16>> {
    let mut columns = (0..).zip(modules).peekable();
    std::iter::from_fn(move || {
        let (start, _) = columns.find(|(_, module)| **module == Color::Dark)?;
        let mut end = start + 1;
        while columns.next_if(|(_, module)| **module == Color::Dark).is_some() {
            end += 1;
        }
        Some(start..end)
    })
}

#[cfg(test)]
mod tests {
    use qrcode::QrCode;

    use crate::handout::pdf::qr::*;

    #[test]
    fn the_rectangles_are_the_dark_modules_and_none_overlaps() {
        let text = "otpauth://totp/alice?secret=NVTGCY3UNQWXGYLN";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let squares = Squares::of(text).unwrap();
        let side = usize::from(squares.side);
        let mut covered = vec![0; side * side];
        for Dark { columns, rows } in &squares.dark {
            for row in rows.clone() {
                for column in columns.clone() {
                    covered[usize::from(row) * side + usize::from(column)] += 1;
                }
            }
        }
        let dark: Vec<i32> =
            code.to_colors().iter().map(|color| i32::from(*color == Color::Dark)).collect();
        assert_eq!(covered, dark);
    }

    #[test]
    fn much_text_gets_less_correction_and_too_much_none() {
        assert!(Squares::of(&"x".repeat(2900)).is_some());
        assert!(Squares::of(&"x".repeat(3000)).is_none());
    }
}
