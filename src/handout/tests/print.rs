//! What a browser makes of pages: one sheet of paper, and a picture whose code is read.
//!
//! Where a program is missing, a test says loudly what it left out; where `CI` is set, that is a failure.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use super::{BOTH, ENGLISH, FRENCH, HandoutApp, PaperSize, Sample, fixture};
use crate::domain::factor::{Factor, paper};
use crate::domain::password::{PasswordChange, TemporaryPassword};
use crate::domain::secret::Sealed;

/// Whether all of these are installed.
fn has(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = |program: &&&str| std::env::split_paths(&path).any(|p| p.join(program).is_file());
    let Some(missing) = programs.iter().find(|program| !is_here(program)) else { return true };
    assert!(
        std::env::var_os("CI").is_none(),
        "under CI nothing may be left out: {missing} is not here"
    );
    let _ = writeln!(std::io::stderr(), "*** LEFT OUT: pages in a browser: {missing} is not here");
    false
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn browser(folder: &Path, options: &[&str]) {
    let profile = format!("--user-data-dir={}", folder.join("profile").display());
    let mut command = Command::new("chromium");
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-pdf-header-footer",
        &profile,
    ]);
    run(command.args(options).arg(folder.join("page.html")));
}

/// The combinations that fill most of a page.
fn fullest() -> Vec<(&'static str, Sample)> {
    let mut samples = Vec::new();
    let full = |languages| {
        let mut sample = Sample::new(languages);
        // The longest words of all apps.
        (sample.app, sample.recovery_codes) = (HandoutApp::Duo, 10);
        sample.user.password_change = PasswordChange::Required;
        let until = fixture::at(1_741_964_640);
        sample.user.temporary = Some(TemporaryPassword { hash: Sealed(Vec::new()), until });
        sample
    };
    samples.push(("one language", full(FRENCH)));
    samples.push(("two languages", full(BOTH)));
    let mut calm = full(BOTH);
    calm.user.password_change = PasswordChange::NotRequired;
    samples.push(("two languages, old password", calm));
    let mut list = Sample::new(ENGLISH);
    list.device.factor = Factor::Paper(paper::List::UNKNOWN);
    (list.has_key, list.paper_codes) = (false, 100);
    samples.push(("100 codes", list));
    samples
}

#[test]
fn every_page_is_one_sheet_of_a4_and_of_letter() {
    if !has(&["chromium", "pdfinfo"]) {
        return;
    }
    for (what, mut sample) in fullest() {
        for (paper, size) in [(PaperSize::A4, "(A4)"), (PaperSize::Letter, "(letter)")] {
            sample.paper = paper;
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("page.html"), sample.html()).unwrap();
            let pdf = folder.path().join("page.pdf");
            browser(folder.path(), &[&format!("--print-to-pdf={}", pdf.display())]);
            let info = run(Command::new("pdfinfo").arg(&pdf));
            let info = String::from_utf8_lossy(&info.stdout).into_owned();
            let line = |name: &str| info.lines().find(|line| line.starts_with(name)).unwrap();
            assert_eq!(line("Pages:").rsplit(' ').next(), Some("1"), "{what}, {size}");
            assert!(line("Page size:").ends_with(size), "{what}: {info}");
        }
    }
}

fn zbarimg(picture: &Path) -> String {
    let read = run(Command::new("zbarimg")
        .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
        .arg(picture));
    String::from_utf8(read.stdout).unwrap().trim_end().to_owned()
}

#[test]
fn a_screenshot_of_the_page_is_scanned() {
    if !has(&["chromium", "zbarimg"]) {
        return;
    }
    for languages in [ENGLISH, BOTH] {
        for window in ["--window-size=390,2600", "--window-size=1000,1400"] {
            let sample = Sample::new(languages);
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("page.html"), sample.html()).unwrap();
            let picture = folder.path().join("page.png");
            browser(folder.path(), &[window, &format!("--screenshot={}", picture.display())]);
            assert_eq!(zbarimg(&picture), *sample.uri(), "{window}");
        }
    }
}

/// As an editor shows it: each character twice as high as wide, black on white.
#[test]
fn a_picture_of_the_text_is_scanned() {
    if !has(&["zbarimg"]) {
        return;
    }
    const CELL: usize = 6;
    let sample = Sample::new(BOTH);
    let text = sample.text();
    let is_block = |c: char| matches!(c, '█' | '▀' | '▄');
    let first = text.lines().position(|line| line.contains(is_block)).unwrap();
    let last =
        text.lines().enumerate().filter(|(_, line)| line.contains(is_block)).last().unwrap().0;
    // With the two lines above and below that belong to the code.
    let rows: Vec<Vec<char>> = text
        .lines()
        .skip(first - 2)
        .take(last - first + 5)
        .map(|line| line.chars().collect())
        .collect();
    assert!(rows[..2].iter().chain(&rows[rows.len() - 2..]).all(Vec::is_empty), "a quiet zone");
    let width = (rows.iter().map(Vec::len).max().unwrap() + 4) * CELL;
    let mut picture = format!("P5 {width} {} 255\n", rows.len() * 2 * CELL).into_bytes();
    for y in 0..rows.len() * 2 * CELL {
        for x in 0..width {
            let block = rows[y / (2 * CELL)].get(x / CELL).copied().unwrap_or(' ');
            let is_upper = (y / CELL).is_multiple_of(2);
            let is_dark = matches!((block, is_upper), ('█', _) | ('▀', true) | ('▄', false));
            picture.push(if is_dark { 0 } else { 255 });
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text.pgm");
    fs::write(&path, picture).unwrap();
    assert_eq!(zbarimg(&path), *sample.uri());
}
