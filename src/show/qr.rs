//! A QR code for a terminal, as PNG and as SVG.

use anyhow::Result;
use qrcode::render::unicode::Dense1x2;
use qrcode::render::{Renderer, svg};
use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};

use crate::env::Size;

/// Light modules around the code, as ISO/IEC 18004 requires.
const QUIET_ZONE: u32 = 4;
/// Enough for scanners, and it fits the code into a terminal of 80 by 24.
const NARROW_QUIET_ZONE: u32 = 2;
/// White 231 on black 16 of the 256 colours: unlike the first sixteen, no theme changes them. The
/// colours carry the data, so they are written under `NO_COLOR` too.
const LIGHT_ON_DARK: &str = "\x1b[38;5;231;48;5;16m";
const PLAIN: &str = "\x1b[0m";

pub struct TerminalQr {
    pub lines: Vec<String>,
    /// Columns that each line takes.
    pub width: usize,
}

/// Draws the largest code that fits: error correction M, else L, else L with a narrow quiet zone. The
/// inner error is the smallest width and height that would do. `None` means no limit.
pub fn draw(
    text: &str,
    available: Option<Size>,
) -> Result<std::result::Result<TerminalQr, (usize, usize)>> {
    let mut required = (0, 0);
    for (level, quiet_zone) in WAYS {
        let code = QrCode::with_error_correction_level(text, level)?;
        let lines = half_block_lines(&code, quiet_zone);
        let (width, height) = (code.width() + 2 * quiet_zone as usize, lines.len());
        required = (width, height);
        let fits = |available: Size| {
            usize::from(available.columns) >= width && usize::from(available.rows) > height
        };
        if available.is_none_or(fits) {
            return Ok(Ok(TerminalQr { lines, width }));
        }
    }
    Ok(Err(required))
}

/// The ways to draw a code on a terminal, the best first.
const WAYS: [(EcLevel, u32); 3] =
    [(EcLevel::M, QUIET_ZONE), (EcLevel::L, QUIET_ZONE), (EcLevel::L, NARROW_QUIET_ZONE)];

/// Every drawing of a code, the best and largest first.
pub fn drawings(text: &str) -> impl Iterator<Item = TerminalQr> {
    WAYS.into_iter().filter_map(move |way| drawing(text, way))
}

/// The smallest drawing.
pub fn smallest(text: &str) -> Option<TerminalQr> {
    drawing(text, (EcLevel::L, NARROW_QUIET_ZONE))
}

/// `None` for a text that no code can hold.
fn drawing(text: &str, (level, quiet_zone): (EcLevel, u32)) -> Option<TerminalQr> {
    let code = QrCode::with_error_correction_level(text, level).ok()?;
    let width = code.width() + 2 * quiet_zone as usize;
    Some(TerminalQr { lines: half_block_lines(&code, quiet_zone), width })
}

/// Each character shows two modules, one above the other. Light modules are drawn, dark ones are left
/// to the background.
fn half_block_lines(code: &QrCode, quiet_zone: u32) -> Vec<String> {
    let drawn = Renderer::<Dense1x2>::new(&code.to_colors(), code.width(), quiet_zone)
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .module_dimensions(1, 1)
        .build();
    drawn.lines().map(|line| format!("{LIGHT_ON_DARK}{line}{PLAIN}")).collect()
}

/// A black and white PNG, eight pixels a module.
pub fn png(text: &str) -> Result<Vec<u8>> {
    const SCALE: usize = 8;
    let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
    let quiet_zone = QUIET_ZONE as usize;
    let modules = code.width() + 2 * quiet_zone;
    let is_light = |row: usize, column: usize| {
        let inner = quiet_zone..quiet_zone + code.width();
        !(inner.contains(&row) && inner.contains(&column))
            || code[(column - quiet_zone, row - quiet_zone)] == Color::Light
    };
    // A module is eight pixels wide, and so is a byte of a one-bit image.
    let image: Vec<u8> = (0..modules * SCALE * modules)
        .map(|i| if is_light(i / modules / SCALE, i % modules) { 0xff } else { 0 })
        .collect();
    let side = u32::try_from(modules * SCALE)?;
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&image)?;
    writer.finish()?;
    Ok(file)
}

/// A black and white SVG.
pub fn svg(text: &str) -> Result<Vec<u8>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)?;
    let image = code.render::<svg::Color<'_>>().quiet_zone(true).min_dimensions(240, 240).build();
    Ok(image.into_bytes())
}

#[cfg(test)]
mod tests {
    use crate::show::qr::*;

    const URI: &str = "otpauth://totp/mfactl:alice?secret=NVTGCY3UNQWXGYLNOBWGKLLBNRUWGZJB\
                       &issuer=mfactl&algorithm=SHA1&digits=6&period=30";

    /// Renders the lines as a terminal would, and reads them with an independent decoder.
    fn read(qr: &TerminalQr) -> String {
        let rows: Vec<Vec<char>> = qr
            .lines
            .iter()
            .map(|l| l.trim_start_matches(LIGHT_ON_DARK).trim_end_matches(PLAIN).chars().collect())
            .collect();
        let scale = 4;
        let light = |x: usize, y: usize| {
            let (column, row) = (x / scale, y / scale);
            let upper = row.is_multiple_of(2);
            matches!((rows[row / 2][column], upper), ('█', _) | ('▀', true) | ('▄', false))
        };
        let side = qr.width * scale;
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
            if light(x, y) { 255 } else { 0 }
        });
        let grids = image.detect_grids();
        grids[0].decode().unwrap().1
    }

    #[test]
    fn an_independent_decoder_reads_the_terminal_output() {
        for available in [None, Some(Size { columns: 80, rows: 24 })] {
            let qr = draw(URI, available).unwrap().ok().unwrap();
            assert_eq!(read(&qr), URI);
        }
    }

    #[test]
    fn a_code_fits_80_by_24_and_no_smaller_terminal() {
        let qr = draw(URI, Some(Size { columns: 80, rows: 24 })).unwrap().ok().unwrap();
        assert!(qr.lines.len() < 24 && qr.width < 80);
        for (columns, rows) in [(40, 24), (80, 20)] {
            assert!(draw(URI, Some(Size { columns, rows })).unwrap().is_err());
        }
    }

    #[test]
    fn image_files_hold_the_code() {
        let mut image =
            png::Decoder::new(std::io::Cursor::new(png(URI).unwrap())).read_info().unwrap();
        let mut bits = vec![0; image.output_buffer_size().unwrap()];
        let info = image.next_frame(&mut bits).unwrap();
        let side = info.width as usize;
        let mut grey = rqrr::PreparedImage::prepare_from_greyscale(side, side, |x, y| {
            if bits[y * info.line_size + x / 8] >> (7 - x % 8) & 1 == 1 { 255 } else { 0 }
        });
        assert_eq!(grey.detect_grids()[0].decode().unwrap().1, URI);
        assert!(String::from_utf8(svg(URI).unwrap()).unwrap().contains("<svg"));
    }
}
