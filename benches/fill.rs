//! What it costs to fill a store through the library, beside the floor's bulk insert.
//!
//! `cargo bench --bench fill [-- USERS]`, 1 000 000 where nothing is said.

#![expect(
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    reason = "a program of its own, without the Env that the bans protect"
)]

mod shared {
    pub mod measure;
    pub mod programs;
}

use std::path::Path;

use anyhow::Result;

use shared::measure::{Task, Walls, highest};
use shared::programs::built;

const ROUNDS: u32 = 3;

fn main() -> Result<()> {
    let users: u32 = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(1_000_000);
    let (floor, seed) = (built("floor")?, built("seed")?);
    let users = users.to_string();
    let task = |folder: &Path, is_floor: bool| {
        if is_floor {
            let store = folder.join("floor.db");
            Task::new(&floor, ["fill".as_ref(), store.as_os_str(), users.as_ref()])
        } else {
            Task::new(&seed, [folder.as_os_str(), users.as_ref()])
        }
    };
    let mut walls: [Walls; 2] = Default::default();
    let mut peaks: [Vec<_>; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (walls, is_floor) in walls.iter_mut().zip([true, false]) {
            walls.push(task(tempfile::tempdir()?.path(), is_floor).wall()?);
        }
    }
    for (peaks, is_floor) in peaks.iter_mut().zip([true, false]) {
        peaks.push(task(tempfile::tempdir()?.path(), is_floor).peak()?);
    }
    println!("\n## Filling a store with {users} users, {ROUNDS} rounds\n");
    println!("| | wall s, least / median | x floor, least / median | peak MiB |");
    println!("| --- | --- | --- | --- |");
    let names = ["floor: user and audit row", "the store: user, device, event"];
    for ((wall, peaks), name) in walls.iter().zip(&peaks).zip(names) {
        let (least, median) = (wall.least(), wall.median());
        let ratios = (least / walls[0].least(), median / walls[0].median());
        let seconds = (least / 1000.0, median / 1000.0);
        print!(
            "| {name} | {:.2} / {:.2} | {:.2} / {:.2}",
            seconds.0, seconds.1, ratios.0, ratios.1
        );
        println!(" | {} |", highest(peaks));
    }
    Ok(())
}
