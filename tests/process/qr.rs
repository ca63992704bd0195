//! The QR code as a phone sees it: the terminal's content is painted as an image and read by independent
//! decoders.

use std::path::Path;
use std::process::Command;

use super::screen::Screen;
use super::support::{World, has};

/// Pixels a character is wide; it is twice as high.
const CELL: usize = 6;
/// Columns and rows of the terminal's own background around what it shows.
const MARGIN: usize = 3;

/// A grey picture.
pub struct Picture {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl Picture {
    /// Paints what tmux captured with its colours, on a terminal of this background.
    pub fn paint(screen: &str, background: u8) -> Self {
        let foreground = 255 - background;
        let mut cells: Vec<Vec<(char, u8, u8)>> = Vec::new();
        // tmux writes a colour only where it changes, which may be lines earlier.
        let (mut ink, mut paper) = (foreground, background);
        for line in screen.lines() {
            let mut row = Vec::new();
            let mut rest = line.chars();
            while let Some(c) = rest.next() {
                if c != '\u{1b}' {
                    row.push((c, ink, paper));
                    continue;
                }
                let codes: String = rest.by_ref().skip(1).take_while(|c| *c != 'm').collect();
                let codes: Vec<&str> = codes.split(';').collect();
                match codes.as_slice() {
                    ["38", "5", "231", rest @ ..] => {
                        ink = 255;
                        if let ["48", "5", "16"] = rest {
                            paper = 0;
                        }
                    }
                    ["48", "5", "16"] => paper = 0,
                    ["0" | "" | "39" | "49", ..] => (ink, paper) = (foreground, background),
                    other => panic!("an unknown colour: {other:?}"),
                }
            }
            cells.push(row);
        }
        let columns = cells.iter().map(Vec::len).max().unwrap() + 2 * MARGIN;
        let (width, height) = (columns * CELL, (cells.len() + 2 * MARGIN) * 2 * CELL);
        let mut pixels = vec![background; width * height];
        for (y, row) in cells.iter().enumerate() {
            for (x, (c, ink, paper)) in row.iter().enumerate() {
                let (upper, lower) = match c {
                    '█' => (ink, ink),
                    '▀' => (ink, paper),
                    '▄' => (paper, ink),
                    _ => (paper, paper),
                };
                for dy in 0..2 * CELL {
                    let shade = if dy < CELL { *upper } else { *lower };
                    let start = ((y + MARGIN) * 2 * CELL + dy) * width + (x + MARGIN) * CELL;
                    pixels[start..start + CELL].fill(shade);
                }
            }
        }
        Self { width, height, pixels }
    }

    /// What `zbarimg` reads.
    pub fn zbar(&self, world: &World) -> String {
        let path = world.path("screen.pgm");
        let mut file = format!("P5 {} {} 255\n", self.width, self.height).into_bytes();
        file.extend(&self.pixels);
        std::fs::write(&path, file).unwrap();
        zbarimg(&path)
    }

    /// What the crate rqrr reads.
    pub fn rqrr(&self) -> String {
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(self.width, self.height, |x, y| {
                self.pixels[y * self.width + x]
            });
        let grids = image.detect_grids();
        grids.first().expect("a code is found").decode().unwrap().1
    }
}

pub fn zbarimg(path: &Path) -> String {
    let output = Command::new("zbarimg")
        .args(["--raw", "-q", "-Sdisable", "-Sqrcode.enable"])
        .arg(path)
        .output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim_end().to_owned()
}

/// The URI of a pending device, from the JSON output.
pub fn uri(world: &World, user: &str) -> String {
    world.run(&format!("show-qr {user} --json --reveal-secrets")).expect(0).json("uri")
}

#[test]
fn the_qr_code_in_a_terminal_scans_on_dark_and_light_backgrounds_and_without_colour() {
    if !(has("tmux", "scanning a terminal") && has("zbarimg", "scanning a terminal")) {
        return;
    }
    let world = World::new();
    world.run("enrol alice --create --no-confirm --json").expect(0);
    let expected = uri(&world, "alice");
    for (columns, rows) in [(120, 50), (80, 24)] {
        for variables in ["", "NO_COLOR=1 "] {
            let screen = Screen::new(&world, columns, rows);
            screen.line(
                &format!("clear; {variables}$M -q show-qr alice --quiet; sleep 60")
                    .replace("$M -q", "$M"),
            );
            screen.until("6 digits");
            screen.until("▀");
            let shown = screen.coloured();
            for background in [0, 255] {
                let picture = Picture::paint(&shown, background);
                let at =
                    format!("{columns} columns, background {background}, {variables}\n{shown}");
                assert_eq!(picture.zbar(&world), expected, "zbarimg: {at}");
                assert_eq!(picture.rqrr(), expected, "rqrr: {at}");
            }
        }
    }
}

#[test]
fn qr_image_files_scan_and_are_private() {
    if !(has("zbarimg", "scanning files") && has("rsvg-convert", "scanning files")) {
        return;
    }
    for user in ["alice", "a.b+c@example.com", "éloïse.dupré@exemple.fr", "дмитрий"] {
        let world = World::new();
        world.run(&format!("enrol {user} --create --no-confirm --json")).expect(0);
        let expected = uri(&world, user);
        assert_eq!(expected.matches("secret=").count(), 1);
        for name in ["code.png", "code.svg"] {
            let path = world.path(name);
            world.run(&format!("show-qr {user} --output {}", path.display())).expect(0);
            let mode = std::os::unix::fs::MetadataExt::mode(&path.metadata().unwrap());
            assert_eq!(mode & 0o7777, 0o600);
            let mut drawn = path.clone();
            if name == "code.svg" {
                drawn = world.path("drawn.png");
                let done = Command::new("rsvg-convert").arg(&path).arg("-o").arg(&drawn).status();
                assert!(done.unwrap().success());
            }
            assert_eq!(zbarimg(&drawn), expected, "{user} {name}");
        }
        let label = expected.split('?').next().unwrap().rsplit(':').next().unwrap();
        assert_eq!(percent_decoded(label), user);
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(b) = rest.next() {
        if b == b'%' {
            let digits: Vec<u8> = rest.by_ref().take(2).collect();
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(b);
        }
    }
    String::from_utf8(bytes).unwrap()
}
