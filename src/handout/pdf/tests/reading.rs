//! A PDF as other programs read it.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::handout::page::Handout;
use crate::handout::pdf::tests::pdf;

/// A page that was written to a file.
pub struct Print(TempDir);

impl Print {
    pub fn of(handout: &Handout) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("page.pdf"), pdf(handout).unwrap()).unwrap();
        Self(folder)
    }

    /// What a program says; nothing may be wrong with the file.
    fn run(&self, program: &str, arguments: &[&str]) -> Vec<u8> {
        let run = Command::new(program).args(arguments).current_dir(self.0.path()).output();
        let output = run.unwrap_or_else(|error| panic!("{program}: {error}"));
        let complaints = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !complaints.contains("Syntax"),
            "{program} {complaints}"
        );
        output.stdout
    }

    fn words(&self, program: &str, arguments: &[&str]) -> String {
        String::from_utf8(self.run(program, arguments)).unwrap()
    }

    pub fn information(&self) -> String {
        self.words("pdfinfo", &["page.pdf"])
    }

    /// A line for each font.
    pub fn fonts(&self) -> Vec<String> {
        let fonts = self.words("pdffonts", &["page.pdf"]);
        fonts.lines().skip(2).map(str::to_owned).collect()
    }

    /// The text as it stands on the page.
    pub fn layout(&self) -> String {
        self.words("pdftotext", &["-layout", "page.pdf", "-"])
    }

    /// The text as it is read aloud, each block in quotes.
    pub fn tagged(&self) -> String {
        self.words("pdfinfo", &["-struct-text", "page.pdf"])
    }

    /// Width, height and grey pixels of a print of 150 dots an inch.
    fn pixels(&self) -> (usize, usize, Vec<u8>) {
        self.run("pdftoppm", &["-r", "150", "-gray", "-singlefile", "page.pdf", "page"]);
        let file = fs::read(self.0.path().join("page.pgm")).unwrap();
        let mut fields = file.splitn(4, u8::is_ascii_whitespace);
        assert_eq!(fields.next(), Some(&b"P5"[..]));
        let mut number = || str::from_utf8(fields.next().unwrap()).unwrap().parse().unwrap();
        let (width, height): (usize, usize) = (number(), number());
        let pixels = file[file.len() - width * height..].to_vec();
        (width, height, pixels)
    }

    /// Whether a margin of a centimetre is white all around.
    pub fn is_inside(&self) -> bool {
        let (width, height, pixels) = self.pixels();
        let margin = 150 * 10 / 25;
        pixels.chunks(width).enumerate().all(|(y, row)| {
            let is_margin = y < margin || y >= height - margin;
            let is_white = |pixels: &[u8]| pixels.iter().all(|pixel| *pixel == 255);
            let sides = is_white(&row[..margin]) && is_white(&row[width - margin..]);
            sides && (!is_margin || is_white(row))
        })
    }

    pub fn zbar(&self) -> String {
        self.run("pdftoppm", &["-r", "150", "-gray", "-singlefile", "page.pdf", "page"]);
        let read = ["-q", "--raw", "-Sdisable", "-Sqrcode.enable", "page.pgm"];
        self.words("zbarimg", &read).trim_end().to_owned()
    }

    pub fn rqrr(&self) -> String {
        let (width, height, pixels) = self.pixels();
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
            pixels[y * width + x]
        });
        image.detect_grids()[0].decode().unwrap().1
    }
}
