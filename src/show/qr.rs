//! A QR code for a terminal, as PNG and as SVG.

use anyhow::Result;
use qrcode::render::unicode::Dense1x2;
use qrcode::render::{Renderer, svg};
use qrcode::types::Color;
use qrcode::{EcLevel, QrCode};
use zeroize::Zeroizing;

use crate::env::Size;

/// Light modules around the code, as ISO/IEC 18004 requires.
const QUIET_ZONE: u32 = 4;
/// Enough for scanners, and it fits the code into a terminal of 80 by 24.
const NARROW_QUIET_ZONE: u32 = 2;
/// White 231 on black 16 of the 256 colours: unlike the first sixteen, no theme changes them. The
/// colours carry the data, so they are written under `NO_COLOR` too.
const LIGHT_ON_DARK: &str = "\x1b[38;5;231;48;5;16m";
/// The same white on itself, and the same black: the characters only say to a reader without colours what is meant.
const ALL_LIGHT: &str = "\x1b[38;5;231;48;5;231m";
const ALL_DARK: &str = "\x1b[38;5;16;48;5;16m";
const REVERSE: &str = "\x1b[7m";
const PLAIN: &str = "\x1b[0m";

/// How a code is drawn with characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drawing {
    pub cells: Cells,
    pub ink: Ink,
}

/// What a module is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cells {
    /// Half a character: two modules, one above the other.
    #[default]
    HalfBlocks,
    /// Two characters of ASCII, for terminals that have no half blocks. It takes four times the room.
    Ascii,
}

/// What the drawn characters stand for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// Black and white, whatever the terminal's own colours are.
    #[default]
    Coloured,
    /// Light modules, without colours: for a terminal that writes light on dark.
    Light,
    /// Dark modules, without colours: for a terminal that writes dark on light.
    Dark,
    /// The same in reverse video, which fills a cell as no character of ASCII does.
    Reverse,
}

pub struct TerminalQr {
    pub lines: Vec<String>,
    /// Columns that each line takes.
    pub width: usize,
}

/// Draws the best code that fits, from [`drawings`] of the first text and from the smallest of the others. Characters of
/// ASCII scroll, so only their columns have to fit. The inner error is the smallest width and height that would do.
/// `None` means no limit.
pub fn draw(
    texts: &[Zeroizing<String>],
    available: Option<Size>,
    drawing: Drawing,
) -> std::result::Result<TerminalQr, (usize, usize)> {
    let mut required = (0, 0);
    for qr in candidates(texts, drawing) {
        let (width, height) = (qr.width, qr.lines.len());
        let fits = |available: Size| {
            let is_high_enough =
                drawing.cells == Cells::Ascii || usize::from(available.rows) > height;
            usize::from(available.columns) >= width && is_high_enough
        };
        if available.is_none_or(fits) {
            return Ok(qr);
        }
        required = (width, height);
    }
    Err(required)
}

/// The ways to draw a code on a terminal, the best first.
const WAYS: [(EcLevel, u32); 3] =
    [(EcLevel::M, QUIET_ZONE), (EcLevel::L, QUIET_ZONE), (EcLevel::L, NARROW_QUIET_ZONE)];

/// Every drawing of the first text, the best and largest first, then the smallest of the shorter ones.
pub fn candidates(
    texts: &[Zeroizing<String>],
    drawing: Drawing,
) -> impl Iterator<Item = TerminalQr> {
    let (first, shorter) = texts.split_first().map_or((None, texts), |(f, s)| (Some(f), s));
    let best = first.into_iter().flat_map(|text| WAYS.map(|way| (text, way)));
    let shorter = shorter.iter().map(|text| (text, (EcLevel::L, NARROW_QUIET_ZONE)));
    best.chain(shorter).filter_map(move |(text, way)| drawn(text, way, drawing))
}

/// `None` for a text that no code can hold.
fn drawn(text: &str, (level, quiet_zone): (EcLevel, u32), drawing: Drawing) -> Option<TerminalQr> {
    let code = QrCode::with_error_correction_level(text, level).ok()?;
    let modules = code.width() + 2 * quiet_zone as usize;
    Some(match drawing.cells {
        Cells::HalfBlocks => {
            TerminalQr { lines: half_block_lines(&code, quiet_zone, drawing.ink), width: modules }
        }
        Cells::Ascii => {
            TerminalQr { lines: ascii_lines(&code, quiet_zone, drawing.ink), width: 2 * modules }
        }
    })
}

/// Each character shows two modules, one above the other. One shade is drawn, the other is left to the background.
fn half_block_lines(code: &QrCode, quiet_zone: u32, ink: Ink) -> Vec<String> {
    let (dark, light) = match ink {
        Ink::Coloured | Ink::Light => (Dense1x2::Light, Dense1x2::Dark),
        Ink::Dark | Ink::Reverse => (Dense1x2::Dark, Dense1x2::Light),
    };
    let drawn = Renderer::<Dense1x2>::new(&code.to_colors(), code.width(), quiet_zone)
        .dark_color(dark)
        .light_color(light)
        .module_dimensions(1, 1)
        .build();
    let line = |line: &str| match ink {
        Ink::Coloured => format!("{LIGHT_ON_DARK}{line}{PLAIN}"),
        Ink::Light | Ink::Dark | Ink::Reverse => line.to_owned(),
    };
    drawn.lines().map(line).collect()
}

/// Two characters a module, which are about as wide as a line is high.
fn ascii_lines(code: &QrCode, quiet_zone: u32, ink: Ink) -> Vec<String> {
    let quiet_zone = quiet_zone as usize;
    let side = code.width() + 2 * quiet_zone;
    let inner = quiet_zone..quiet_zone + code.width();
    let is_light = |row: usize, column: usize| {
        !(inner.contains(&row) && inner.contains(&column))
            || code[(column - quiet_zone, row - quiet_zone)] == Color::Light
    };
    let line = |row: usize| {
        let mut line = String::new();
        let mut last = None;
        for is_light in (0..side).map(|column| is_light(row, column)) {
            let (paint, cell) = match (ink, is_light) {
                (Ink::Coloured, true) => (ALL_LIGHT, INKED),
                (Ink::Coloured, false) => (ALL_DARK, "  "),
                (Ink::Reverse, true) => (PLAIN, "  "),
                (Ink::Reverse, false) => (REVERSE, "  "),
                (Ink::Light, true) | (Ink::Dark, false) => ("", INKED),
                (Ink::Light, false) | (Ink::Dark, true) => ("", "  "),
            };
            if last.replace(paint) != Some(paint) {
                line.push_str(paint);
            }
            line.push_str(cell);
        }
        if matches!(ink, Ink::Coloured | Ink::Reverse) {
            line.push_str(PLAIN);
        }
        line
    };
    (0..side).map(line).collect()
}

/// Of all characters of ASCII in the common fonts, these cover the most of their cells. Without colours the gaps between
/// lines remain, and a reader may fail on them.
const INKED: &str = "88";

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
    const SHORT: &str = "otpauth://totp/mfactl:alice?secret=NVTGCY3UNQWXGYLNOBWGKLLBNRUWGZJB";
    const HALF_BLOCKS: Drawing = Drawing { cells: Cells::HalfBlocks, ink: Ink::Coloured };

    fn texts() -> [Zeroizing<String>; 2] {
        [URI, SHORT].map(|text| Zeroizing::new(text.to_owned()))
    }

    const fn size(columns: u16, rows: u16) -> Size {
        Size { columns, rows }
    }

    /// The cells of a line, each with what it is painted with: ink and paper, `true` if light.
    fn cells(line: &str, terminal: (bool, bool)) -> Vec<(char, bool, bool)> {
        let (mut ink, mut paper) = terminal;
        let mut cells = Vec::new();
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            if c != '\x1b' {
                cells.push((c, ink, paper));
                rest = &rest[c.len_utf8()..];
                continue;
            }
            let (code, after) = rest.split_once('m').unwrap();
            (ink, paper) = match format!("{code}m").as_str() {
                LIGHT_ON_DARK => (true, false),
                ALL_LIGHT => (true, true),
                ALL_DARK => (false, false),
                PLAIN => terminal,
                REVERSE => (terminal.1, terminal.0),
                other => panic!("{other:?}"),
            };
            rest = after;
        }
        cells
    }

    /// Renders the lines as a terminal would, on a dark or a light one, and reads them with an independent decoder.
    fn read(qr: &TerminalQr, is_light_terminal: bool) -> Option<String> {
        // A cell is 4 pixels wide and 8 high; around the code the terminal goes on.
        let (wide, high, margin) = (4, 8, 16);
        let terminal = (!is_light_terminal, is_light_terminal);
        let rows: Vec<_> = qr.lines.iter().map(|line| cells(line, terminal)).collect();
        assert!(rows.iter().all(|row| row.len() == qr.width));
        let (width, height) = (qr.width * wide + 2 * margin, rows.len() * high + 2 * margin);
        let light = |x: usize, y: usize| {
            let (Some(x), Some(y)) = (x.checked_sub(margin), y.checked_sub(margin)) else {
                return is_light_terminal;
            };
            let Some((c, ink, paper)) = rows.get(y / high).and_then(|row| row.get(x / wide)) else {
                return is_light_terminal;
            };
            let upper = y % high < high / 2;
            let is_inked = match c {
                '█' | '8' => true,
                '▀' => upper,
                '▄' => !upper,
                ' ' => false,
                other => panic!("{other:?}"),
            };
            if is_inked { *ink } else { *paper }
        };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            if light(x, y) { 255 } else { 0 }
        });
        let grids = image.detect_grids();
        grids.first()?.decode().ok().map(|(_, text)| text)
    }

    #[test]
    fn an_independent_decoder_reads_every_drawing_on_the_terminal_that_it_is_for() {
        for cells in [Cells::HalfBlocks, Cells::Ascii] {
            for available in
                [None, Some(size(80, 24)), Some(size(100, 60)), Some(size(10_000, 10_000))]
            {
                let draw = |ink| draw(&texts(), available, Drawing { cells, ink }).ok().unwrap();
                let read = |ink, is_light| read(&draw(ink), is_light);
                let expected = Some(if available == Some(size(80, 24)) && cells == Cells::Ascii {
                    SHORT.to_owned()
                } else {
                    URI.to_owned()
                });
                // Colours make it the same on both.
                for is_light in [false, true] {
                    assert_eq!(read(Ink::Coloured, is_light), expected, "{cells:?} {available:?}");
                }
                assert_eq!(read(Ink::Light, false), expected, "{cells:?} {available:?}");
                assert_eq!(read(Ink::Dark, true), expected, "{cells:?} {available:?}");
                assert_eq!(read(Ink::Reverse, true), expected, "{cells:?} {available:?}");
                // On the other one it is a negative, which this decoder does not take: so the test can tell.
                assert_eq!((read(Ink::Light, true), read(Ink::Dark, false)), (None, None));
            }
        }
    }

    #[test]
    fn a_drawing_without_colours_has_no_escape_codes_and_one_of_ascii_is_ascii() {
        for ink in [Ink::Light, Ink::Dark] {
            for cells in [Cells::HalfBlocks, Cells::Ascii] {
                let text =
                    draw(&texts(), None, Drawing { cells, ink }).ok().unwrap().lines.concat();
                assert!(!text.contains('\x1b'), "{cells:?} {ink:?}");
                assert_eq!(text.is_ascii(), cells == Cells::Ascii, "{cells:?} {ink:?}");
            }
        }
    }

    #[test]
    fn a_code_fits_80_by_24_and_no_smaller_terminal() {
        let draw = |columns, rows| draw(&texts()[..1], Some(size(columns, rows)), HALF_BLOCKS);
        let qr = draw(80, 24).ok().unwrap();
        assert!(qr.lines.len() < 24 && qr.width < 80);
        for (columns, rows) in [(40, 24), (80, 20), (1, 1)] {
            assert!(draw(columns, rows).is_err());
        }
    }

    #[test]
    fn characters_of_ascii_need_columns_and_no_rows() {
        let drawing = Drawing { cells: Cells::Ascii, ink: Ink::Light };
        let width = |columns, rows| {
            draw(&texts(), Some(size(columns, rows)), drawing)
                .map(|qr| qr.width)
                .map_err(|least| least.0)
        };
        assert_eq!(width(80, 2), Ok(74));
        assert_eq!(width(73, 100), Err(74));
        assert_eq!(width(1, 1), Err(74));
        assert_eq!(width(10_000, 1), Ok(106));
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
