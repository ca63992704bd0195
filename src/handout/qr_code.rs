//! The QR code of a page, as the crate `qrcode` makes it, in a tenth of the time: most of that goes into the choice among
//! the eight masks, which is made here on whole rows of bits. What all codes of a size have in common is drawn once.

use std::sync::OnceLock;

use anyhow::Result;
use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::types::Color;
use qrcode::{EcLevel, QrCode, Version, bits, ec};

/// Modules of a side that fit into a row of bits.
const WIDEST: usize = 128;

/// In the order in which the standard tries them: of equals, the first one is taken.
const MASKS: [MaskPattern; 8] = [
    MaskPattern::Checkerboard,
    MaskPattern::HorizontalLines,
    MaskPattern::VerticalLines,
    MaskPattern::DiagonalLines,
    MaskPattern::LargeCheckerboard,
    MaskPattern::Fields,
    MaskPattern::Diamonds,
    MaskPattern::Meadow,
];

/// Dark and light modules, without the edge around them.
pub struct Modules {
    pub width: usize,
    colors: Vec<Color>,
}

impl Modules {
    /// With error correction M, as the other images have.
    pub fn of(text: &str) -> Result<Self> {
        let level = EcLevel::M;
        let data = bits::encode_auto(text.as_bytes(), level)?;
        let version = data.version();
        let width = usize::try_from(version.width())?;
        if width > WIDEST {
            return Self::with_level(text, level);
        }
        let (words, corrections) = ec::construct_codewords(&data.into_bytes(), version, level)?;
        let colors = CodesOfSize::of(version, level, width).code(&words, &corrections, width);
        Ok(Self { width, colors })
    }

    /// With another error correction, which a page only has where M is too small.
    pub fn with_level(text: &str, level: EcLevel) -> Result<Self> {
        let code = QrCode::with_error_correction_level(text, level)?;
        Ok(Self { width: code.width(), colors: code.into_colors() })
    }

    pub fn rows(&self) -> impl Iterator<Item = &[Color]> {
        self.colors.chunks(self.width)
    }

    /// Outside of the code it is light.
    pub fn is_dark(&self, x: usize, y: usize) -> bool {
        x < self.width && self.colors.get(y * self.width + x) == Some(&Color::Dark)
    }
}

/// The modules that are dark, as bits of lines.
#[derive(Clone)]
struct DarkBits {
    rows: Vec<u128>,
    columns: Vec<u128>,
}

impl DarkBits {
    fn of(canvas: Canvas, width: usize) -> Self {
        let (mut rows, mut columns) = (vec![0_u128; width], vec![0_u128; width]);
        for (y, row) in canvas.into_colors().chunks(width).enumerate() {
            for (x, color) in row.iter().enumerate() {
                let is_dark = u128::from(*color == Color::Dark);
                rows[y] |= is_dark << x;
                columns[x] |= is_dark << y;
            }
        }
        Self { rows, columns }
    }

    /// Where one of both is dark, and not the other.
    fn differing(&self, other: &Self) -> Self {
        let lines = |a: &[u128], b: &[u128]| a.iter().zip(b).map(|(a, b)| a ^ b).collect();
        Self { rows: lines(&self.rows, &other.rows), columns: lines(&self.columns, &other.columns) }
    }
}

/// What all codes of a size have in common, with error correction M: everything but the data.
struct CodesOfSize {
    canvas: Canvas,
    /// What is on the canvas.
    fixed: DarkBits,
    /// Each mask over no data.
    masked: [DarkBits; MASKS.len()],
}

impl CodesOfSize {
    fn of(version: Version, level: EcLevel, width: usize) -> &'static Self {
        static SIZES: [OnceLock<CodesOfSize>; WIDEST + 1] = [const { OnceLock::new() }; WIDEST + 1];
        SIZES[width].get_or_init(|| {
            let mut canvas = Canvas::new(version, level);
            canvas.draw_all_functional_patterns();
            let masked = MASKS.map(|mask| {
                let mut canvas = canvas.clone();
                canvas.apply_mask(mask);
                DarkBits::of(canvas, width)
            });
            Self { fixed: DarkBits::of(canvas.clone(), width), masked, canvas }
        })
    }

    /// The code that is easiest to read.
    fn code(&self, words: &[u8], corrections: &[u8], width: usize) -> Vec<Color> {
        let mut canvas = self.canvas.clone();
        canvas.draw_data(words, corrections);
        let data = DarkBits::of(canvas, width).differing(&self.fixed);
        // A mask turns modules of the data around.
        let codes = self.masked.iter().map(|masked| masked.differing(&data));
        let best = codes.min_by_key(|code| penalty(code, width)).map(|code| code.rows);
        let color =
            |row: u128, x: usize| if row >> x & 1 == 1 { Color::Dark } else { Color::Light };
        let rows = best.into_iter().flatten();
        rows.flat_map(|row| (0..width).map(move |x| color(row, x))).collect()
    }
}

/// How hard a code is to read, by the four rules of ISO/IEC 18004, section 7.8.3.
fn penalty(code: &DarkBits, width: usize) -> u32 {
    let DarkBits { rows, columns } = code;
    let lines: u32 = rows.iter().chain(columns).map(|line| line_penalty(*line, width)).sum();
    // Squares of four alike.
    let pairs = ones(width - 1);
    let squares = rows.windows(2).map(|two| {
        let (upper, lower) = (two[0], two[1]);
        let differing = (upper ^ (upper >> 1)) | (lower ^ (lower >> 1)) | (upper ^ lower);
        (!differing & pairs).count_ones()
    });
    let dark: u32 = rows.iter().map(|row| row.count_ones()).sum();
    let all = u32::try_from(width * width).unwrap_or(u32::MAX);
    let balance = (dark * 200 / all).abs_diff(100);
    lines + 3 * squares.sum::<u32>() + balance
}

/// Runs of five and more modules alike, and what looks like a finder.
fn line_penalty(line: u128, width: usize) -> u32 {
    let alike = !(line ^ (line >> 1)) & ones(width - 1);
    // One bit for each five modules alike: a run of n has n - 4 of them, and counts n - 2.
    let fives = alike & (alike >> 1) & (alike >> 2) & (alike >> 3);
    let runs = fives & !(fives << 1);
    let finders = line
        & !(line >> 1)
        & (line >> 2)
        & (line >> 3)
        & (line >> 4)
        & !(line >> 5)
        & (line >> 6)
        & ones(width - 6);
    let light_before = !((line << 1) | (line << 2) | (line << 3) | (line << 4));
    let light_after = !((line >> 7) | (line >> 8) | (line >> 9) | (line >> 10));
    let finders = finders & (light_before | light_after);
    fives.count_ones() + 2 * runs.count_ones() + 40 * finders.count_ones()
}

/// This many bits.
const fn ones(count: usize) -> u128 {
    if count >= 128 { u128::MAX } else { (1 << count) - 1 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn assert_same(text: &str) {
        let ours = Modules::of(text).unwrap();
        let theirs = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        assert_eq!(ours.width, theirs.width());
        assert!(ours.colors == theirs.into_colors(), "another mask for {text}");
        assert!(ours.is_dark(0, 0) && !ours.is_dark(ours.width, 0) && !ours.is_dark(0, ours.width));
    }

    #[test]
    fn the_longest_codes_are_those_of_the_crate_too() {
        for length in [1, 20, 300, 900, 1059, 1100, 2000] {
            assert_same(&"aB3/".repeat(length / 4 + 1));
        }
    }

    proptest! {
        #[test]
        fn the_code_is_that_of_the_crate(name in "[a-z.@é]{1,60}", secret in "[A-Z2-7]{32}") {
            assert_same(&format!("otpauth://totp/Example%20Corp:{name}?secret={secret}&issuer=Example%20Corp"));
        }
    }
}
