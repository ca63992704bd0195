//! What an editor makes of a text. What a browser and a printer make of pages is tried by `tests/process/handout_forms.rs`.
//!
//! Where a program is missing, a test says loudly what it left out; where `CI` is set, that is a failure.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output};

use super::{BOTH, Sample};

/// Whether all of these are installed.
fn has(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here = |program: &&&str| std::env::split_paths(&path).any(|p| p.join(program).is_file());
    let Some(missing) = programs.iter().find(|program| !is_here(program)) else { return true };
    assert!(
        std::env::var_os("CI").is_none(),
        "under CI nothing may be left out: {missing} is not here"
    );
    let _ = writeln!(std::io::stderr(), "*** LEFT OUT: a text as a picture: {missing} is not here");
    false
}

fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn zbarimg(picture: &Path) -> String {
    let read = run(Command::new("zbarimg")
        .args(["--quiet", "--raw", "-Sdisable", "-Sqrcode.enable"])
        .arg(picture));
    String::from_utf8(read.stdout).unwrap().trim_end().to_owned()
}

/// Pixels of the width of a character.
const CELL: usize = 6;

/// As an editor shows it: each character twice as high as wide, black on white.
#[test]
fn a_picture_of_the_text_is_scanned() {
    if !has(&["zbarimg"]) {
        return;
    }
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
