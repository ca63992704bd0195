//! What it costs to fill a store through the library, beside the floor's bulk insert.
//!
//! `cargo bench -- fill [USERS]`, 1 000 000 where nothing is said.

use std::path::Path;

use anyhow::Result;

use crate::shared::measure::{Task, Walls, highest};
use crate::shared::programs;

const ROUNDS: u32 = 3;

pub fn run(args: &[String]) -> Result<()> {
    let users = crate::number(args, 0, 1_000_000)?;
    let floor = programs::floor()?;
    let count = users.to_string();
    let task = |folder: &Path, is_floor: bool| {
        if is_floor {
            let store = folder.join("floor.db");
            Ok(Task::new(&floor, ["fill".as_ref(), store.as_os_str(), count.as_ref()]))
        } else {
            programs::seed(folder, users, None)
        }
    };
    let mut walls: [Walls; 2] = Default::default();
    let mut peaks: [Vec<_>; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (walls, is_floor) in walls.iter_mut().zip([true, false]) {
            walls.push(task(tempfile::tempdir()?.path(), is_floor)?.wall()?);
        }
    }
    for (peaks, is_floor) in peaks.iter_mut().zip([true, false]) {
        peaks.push(task(tempfile::tempdir()?.path(), is_floor)?.peak()?);
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
