//! What one `mfactl verify` costs as a whole process, beside the floor in the same run.
//!
//! `cargo bench -- verify [USERS]`: USERS is the size of the largest store, 1 000 000 where
//! nothing is said. Needs strace, valgrind and GNU time for the columns of those names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::shared::codes::code;
use crate::shared::measure::{Task, Walls, highest};
use crate::shared::people;
use crate::shared::programs::{self, MFACTL};

const ROUNDS: u32 = 101;
const TRACED_ROUNDS: u32 = 40;

/// What is run in turn: on the floor's store, and on ours with a right code, with a wrong one, and
/// with the right one again.
const KINDS: [&str; 4] = ["floor", "accepted", "rejected", "replayed"];

pub fn run(args: &[String]) -> Result<()> {
    let largest = crate::number(args, 0, 1_000_000)?;
    let floor = programs::floor()?;
    start(&floor)?;
    let mut stores = Vec::new();
    for users in [1, 10_000, largest] {
        stores.push(Stores::new(users, &floor)?);
    }
    instructions(&mut stores)?;
    for stores in &mut stores[1..] {
        walls(stores)?;
        traced(stores)?;
    }
    Ok(())
}

/// The floor's store and ours, with the same users.
struct Stores {
    folder: tempfile::TempDir,
    floor: PathBuf,
    users: u32,
    next: u32,
}

impl Stores {
    fn new(users: u32, floor: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path();
        let count = users.to_string();
        programs::seed(path, users, None)?.wall()?;
        let theirs = path.join("floor.db");
        Task::new(floor, ["fill".as_ref(), theirs.as_os_str(), count.as_ref()]).wall()?;
        Ok(Self { folder, floor: floor.to_owned(), users, next: 0 })
    }

    /// Empties both write-ahead logs, which every start reads.
    fn settle(&self) -> Result<()> {
        for store in ["store.db", "floor.db"] {
            rusqlite::Connection::open(self.folder.path().join(store))?.query_row(
                "PRAGMA wal_checkpoint(TRUNCATE)",
                (),
                |_| Ok(()),
            )?;
        }
        Ok(())
    }

    /// A round of [`KINDS`]: one user has his code accepted and replayed, another has it rejected,
    /// and no user comes twice as long as there are others.
    fn round(&mut self) -> Result<[Task; 4]> {
        // A prime to the powers of ten, so that neighbours in time are none in the store.
        let mut someone = || {
            self.next = self.next.wrapping_add(7919);
            self.next % self.users
        };
        let (one, other) = (someone(), someone());
        let path = self.folder.path();
        let ours = |n, input, exit| {
            let args = ["--store", &text(path, "store.db"), "--key-file", &text(path, "key")]
                .map(str::to_owned)
                .into_iter()
                .chain(["verify".to_owned(), people::name(n)]);
            Task { input, exit, ..Task::new(MFACTL, args) }
        };
        let floor = ["verify", &text(path, "floor.db"), &people::name(one)].map(str::to_owned);
        Ok([
            Task { input: code(one, 0)?, ..Task::new(&self.floor, floor) },
            ours(one, code(one, 0)?, 0),
            ours(other, code(other, 1)?, 1),
            ours(one, code(one, 0)?, 1),
        ])
    }
}

fn text(folder: &Path, file: &str) -> String {
    folder.join(file).to_string_lossy().into_owned()
}

/// What it costs to come to the verb: the floor's empty start beside calls that open nothing.
fn start(floor: &Path) -> Result<()> {
    println!("\n## Start\n\n| call | wall ms, least / median | x floor | instructions |");
    println!("| --- | --- | --- | --- |");
    let calls = [
        ("floor: a process that does nothing", Task::new(floor, ["start"])),
        ("mfactl --version", Task::new(MFACTL, ["--version"])),
        ("mfactl verify (misuse)", Task { exit: 64, ..Task::new(MFACTL, ["verify"]) }),
        ("mfactl help", Task::new(MFACTL, ["help"])),
    ];
    let mut walls: [Walls; 4] = Default::default();
    for _ in 0..ROUNDS {
        for (walls, (_, task)) in walls.iter_mut().zip(&calls) {
            walls.push(task.wall()?);
        }
    }
    for (wall, (name, task)) in walls.iter().zip(&calls) {
        let (least, median) = (wall.least(), wall.median());
        let ratio = median / walls[0].median();
        println!("| {name} | {least:.2} / {median:.2} | {ratio:.2} | {} |", counted(task)?);
    }
    Ok(())
}

/// Thousands of instructions outside the kernel; the log is empty before each, since reading it
/// is a cost that comes and goes.
fn instructions(stores: &mut [Stores]) -> Result<()> {
    println!("\n## Instructions of one verification\n\n| users | {} |", KINDS.join(" | "));
    println!("| --- | --- | --- | --- | --- |");
    for stores in stores {
        print!("| {} |", stores.users);
        for task in stores.round()? {
            // The one user of the smallest store is locked by nothing, but has a failure by then.
            stores.settle()?;
            print!(" {} |", counted(&task)?);
        }
        println!();
    }
    Ok(())
}

/// Thousands of instructions of one run outside the kernel.
pub fn counted(task: &Task) -> Result<String> {
    let report = task.told(&[
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        "--log-file=REPORT",
    ])?;
    let collected = report.as_deref().and_then(|r| r.split("Collected : ").nth(1));
    let count = collected.and_then(|c| c.split_whitespace().next()?.parse::<u64>().ok());
    Ok(count.map_or("-".to_owned(), |n| format!("{} k", n / 1000)))
}

fn walls(stores: &mut Stores) -> Result<()> {
    let mut walls: [Walls; 4] = Default::default();
    for n in 0..ROUNDS {
        let round = stores.round()?;
        // Who comes first changes, but a replay comes after what it replays.
        for at in if n % 2 == 0 { [0, 1, 2, 3] } else { [2, 1, 3, 0] } {
            walls[at].push(round[at].wall()?);
        }
    }
    println!("\n## One verification, {} users, {ROUNDS} rounds\n", stores.users);
    println!("| | wall ms, least / median | x floor, least / median |\n| --- | --- | --- |");
    for (wall, kind) in walls.iter().zip(KINDS) {
        let (least, median) = (wall.least(), wall.median());
        let ratios = (least / walls[0].least(), median / walls[0].median());
        println!("| {kind} | {least:.2} / {median:.2} | {:.2} / {:.2} |", ratios.0, ratios.1);
    }
    Ok(())
}

/// Peak memory, and how many processes made how many syncs.
fn traced(stores: &mut Stores) -> Result<()> {
    let mut syncs: [BTreeMap<usize, u32>; 4] = Default::default();
    let mut peaks: [Vec<Option<f64>>; 4] = Default::default();
    for _ in 0..TRACED_ROUNDS {
        for (syncs, task) in syncs.iter_mut().zip(stores.round()?) {
            let calls = "trace=fsync,fdatasync,sync_file_range,msync,sync,syncfs";
            if let Some(report) = task.told(&["strace", "-f", "-e", calls, "-o", "REPORT"])? {
                *syncs.entry(report.matches("sync(").count()).or_default() += 1;
            }
        }
        for (peaks, task) in peaks.iter_mut().zip(stores.round()?) {
            peaks.push(task.peak()?);
        }
    }
    println!("\n| | peak MiB | syncs: processes of {TRACED_ROUNDS} |\n| --- | --- | --- |");
    for ((syncs, peaks), kind) in syncs.iter().zip(&peaks).zip(KINDS) {
        let syncs: Vec<_> = syncs.iter().map(|(n, times)| format!("{n}: {times}")).collect();
        println!("| {kind} | {} | {} |", highest(peaks), syncs.join(", "));
    }
    Ok(())
}
