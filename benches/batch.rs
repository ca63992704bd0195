//! What `mfactl verify --batch` does in a second, beside the floor's group commit, beside SQLite writing
//! the same rows without anything being verified, and beside one process per code, all in one run.
//!
//! `cargo bench -- batch [CODES]`: CODES are asked about in each of the rounds, of users all over
//! the store, as people log in.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::shared::codes::code;
use crate::shared::measure::{Task, Walls};
use crate::shared::people;
use crate::shared::programs::{self, MFACTL};

const ROUNDS: u32 = 5;
/// Processes of one code each, in each round.
const SINGLE: u32 = 100;
const USERS: u32 = 100_000;
/// Between one who logs in and the next.
const STRIDE: u32 = 7919;

pub fn run(args: &[String]) -> Result<()> {
    let codes = crate::number(args, 0, 5000)?;
    let floor = programs::floor()?;
    let folder = tempfile::tempdir()?;
    let path = folder.path();
    let users = USERS.max(ROUNDS * (codes + SINGLE));
    let count = users.to_string();
    programs::seed(path, users, None)?.wall()?;
    let theirs = path.join("floor.db");
    Task::new(&floor, ["fill".as_ref(), theirs.as_os_str(), count.as_ref()]).wall()?;
    let store = path.join("store.db").display().to_string();
    let key = path.join("key").display().to_string();
    let places = ["--store".to_owned(), store, "--key-file".to_owned(), key];
    let rows = path.join("rows.db");
    std::fs::copy(path.join("store.db"), &rows)?;
    let mut walls: [Walls; 4] = Default::default();
    for round in 0..ROUNDS {
        let first = round * codes;
        let lines = lines(first, codes, users)?;
        for (at, (verb, store)) in [("batch", &theirs), ("rows", &rows)].into_iter().enumerate() {
            let words = [verb.to_owned(), store.display().to_string()];
            let asked = fed(&floor, &words, lines.try_clone()?, "accepted")?;
            ensure!(asked.1 == codes, "the floor accepted {} of {codes}", asked.1);
            walls[at].push(asked.0 / codes);
        }
        let ours: Vec<_> =
            places.iter().cloned().chain(["verify", "--batch"].map(Into::into)).collect();
        let asked = fed(Path::new(MFACTL), &ours, lines, "\"outcome\":\"accepted\"")?;
        ensure!(asked.1 == codes, "{} of {codes} were accepted", asked.1);
        walls[2].push(asked.0 / codes);
        let mut single = Duration::ZERO;
        for n in 0..SINGLE {
            let n = who(ROUNDS * codes + round * SINGLE + n, users);
            let words = places.iter().cloned().chain(["verify".to_owned(), people::name(n)]);
            single += Task { input: code(n, 0)?, ..Task::new(MFACTL, words) }.wall()?;
        }
        walls[3].push(single / SINGLE);
    }
    println!("\n## {codes} codes in a row, {users} users, {ROUNDS} rounds\n");
    println!("| | codes a second, median | x floor | x the same rows | x one process per code |");
    println!("| --- | --- | --- | --- | --- |");
    let [floor, rows, _, single] = walls.each_ref().map(Walls::median);
    let names =
        ["floor, 500 a commit", "the same rows, nothing verified", "verify --batch", "verify"];
    for (name, wall) in names.iter().zip(&walls) {
        let ms = wall.median();
        let rates = (1000.0 / ms, ms / floor, ms / rows, single / ms);
        println!("| {name} | {:.0} | {:.2} | {:.2} | {:.1} |", rates.0, rates.1, rates.2, rates.3);
    }
    Ok(())
}

/// The nth to log in; nobody comes twice.
fn who(n: u32, users: u32) -> u32 {
    u32::try_from(u64::from(n) * u64::from(STRIDE) % u64::from(users)).unwrap_or_default()
}

/// A file of questions, with its reader at the beginning.
fn lines(first: u32, count: u32, users: u32) -> Result<File> {
    let mut file = tempfile::tempfile()?;
    let mut text = Vec::new();
    for n in (first..first + count).map(|n| who(n, users)) {
        writeln!(text, "{}\t{}\t{n}", people::name(n), code(n, 0)?.trim_end())?;
    }
    file.write_all(&text)?;
    file.rewind()?;
    Ok(file)
}

/// The time from the start of a program to its end, and how many of its answers have this in them. The
/// questions are read from their beginning.
fn fed(program: &Path, words: &[String], mut lines: File, yes: &str) -> Result<(Duration, u32)> {
    lines.rewind()?;
    let start = Instant::now();
    let mut child =
        Command::new(program).args(words).stdin(lines).stdout(Stdio::piped()).spawn()?;
    let mut accepted = 0;
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            accepted += u32::from(line?.contains(yes));
        }
    }
    ensure!(child.wait()?.success(), "{} failed", program.display());
    Ok((start.elapsed(), accepted))
}
