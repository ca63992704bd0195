//! What a store in PostgreSQL costs beside one in SQLite, on one machine in one run, with syncs on:
//! one verification, eight verifying at once, the list of everybody, and taking a store there.
//!
//! `cargo bench -- fleet [USERS]`: USERS is the size of the largest store, 1 000 000 where
//! nothing is said. Needs Debian's PostgreSQL, and GNU time for peaks.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::cluster::Cluster;
use crate::shared::codes::code;
use crate::shared::measure::{Task, Walls, highest};
use crate::shared::people;
use crate::shared::programs::{self, MFACTL};

const ROUNDS: u32 = 101;
const COPIED: u32 = 100_000;
const WORKERS: u32 = 8;
const WORK: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_secs(30);

pub fn run(args: &[String]) -> Result<()> {
    let largest = crate::number(args, 0, 1_000_000)?;
    let floor = programs::floor()?;
    let cluster = Cluster::start("the whole benchmark").context("PostgreSQL is not installed")?;
    cluster.off();
    cluster.on_with("-c fsync=on -c shared_buffers=512MB -c max_wal_size=4GB");
    println!("\n## Taking a store of {COPIED} users there and back\n");
    println!("| | s | users a second |\n| --- | --- | --- |");
    let copied = Site::new(COPIED, &floor)?;
    let there = copied.copy_to(&cluster, "copied", "SQLite to PostgreSQL")?;
    let back = copied.folder.path().join("back.db");
    told(
        "PostgreSQL to SQLite",
        COPIED,
        copied.call(&there, &["copy-store", "--to", &text(&back)]).wall()?,
    );

    let mut sites = Vec::new();
    for users in [1_000, largest] {
        let site = Site::new(users, &floor)?;
        let there = site.copy_to(&cluster, &format!("of_{users}"), "filling the next store")?;
        sites.push((site, there));
    }
    for (site, there) in &mut sites {
        one(site, there)?;
    }
    let (site, there) = &sites[1];
    many(site, there);
    list(site, there)
}

fn told(what: &str, users: u32, wall: Duration) {
    let seconds = wall.as_secs_f64();
    println!("| {what} | {seconds:.1} | {:.0} |", f64::from(users) / seconds);
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// A store in SQLite, its key, and the floor's store with the same users.
struct Site {
    folder: tempfile::TempDir,
    floor: PathBuf,
    users: u32,
    next: u32,
}

impl Site {
    fn new(users: u32, floor: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let count = users.to_string();
        programs::seed(folder.path(), users, None)?.wall()?;
        let theirs = folder.path().join("floor.db");
        Task::new(floor, ["fill".as_ref(), theirs.as_os_str(), count.as_ref()]).wall()?;
        Ok(Self { folder, floor: floor.to_owned(), users, next: 0 })
    }

    fn copy_to(&self, cluster: &Cluster, database: &str, what: &str) -> Result<String> {
        cluster.sql("postgres", &format!("CREATE DATABASE {database}"));
        let there = cluster.address().replace("/mfactl", &format!("/{database}"));
        let wall = self.call(&self.here(), &["copy-store", "--to", &there]).wall()?;
        told(what, self.users, wall);
        cluster.sql(database, "VACUUM ANALYZE");
        Ok(there)
    }

    fn here(&self) -> String {
        text(&self.folder.path().join("store.db"))
    }

    fn call(&self, store: &str, line: &[&str]) -> Task {
        let key = text(&self.folder.path().join("key"));
        Task::new(MFACTL, ["--store", store, "--key-file", &key].iter().chain(line).copied())
    }

    /// No user comes twice as long as there are others.
    fn someone(&mut self) -> u32 {
        self.next = self.next.wrapping_add(7919);
        self.next % self.users
    }

    fn verify(&self, store: &str, n: u32) -> Result<Task> {
        Ok(Task { input: code(n, 0)?, ..self.call(store, &["verify", &people::name(n)]) })
    }
}

fn one(site: &mut Site, there: &str) -> Result<()> {
    let (here, mut walls) = (site.here(), <[Walls; 3]>::default());
    let mut peaks = Vec::new();
    for n in 0..ROUNDS {
        let (one, other) = (site.someone(), site.someone());
        let theirs = text(&site.folder.path().join("floor.db"));
        let floor = Task {
            input: code(one, 0)?,
            ..Task::new(&site.floor, ["verify", &theirs, &people::name(one)])
        };
        let tasks = [floor, site.verify(&here, one)?, site.verify(there, one)?];
        for at in if n % 2 == 0 { [0, 1, 2] } else { [2, 1, 0] } {
            walls[at].push(tasks[at].wall()?);
        }
        if n < 5 {
            peaks.push(site.verify(there, other)?.peak()?);
        }
    }
    println!("\n## One verification, {} users, {ROUNDS} rounds\n", site.users);
    println!("| | wall ms, least / median | x floor, median |\n| --- | --- | --- |");
    for (wall, kind) in walls.iter().zip(["floor", "SQLite", "PostgreSQL"]) {
        let ratio = wall.median() / walls[0].median();
        println!("| {kind} | {:.2} / {:.2} | {ratio:.2} |", wall.least(), wall.median());
    }
    println!("\nPeak memory on PostgreSQL: {} MiB.", highest(&peaks));
    Ok(())
}

fn many(site: &Site, there: &str) {
    println!("\n## {WORKERS} processes at once for {} s, each another user\n", WORK.as_secs());
    // A code of the rounds before is used up until its step is over.
    thread::sleep(STEP);
    println!("| | accepted a second | ms p50 / p99 | errors |\n| --- | --- | --- | --- |");
    for (kind, store) in [("SQLite", site.here()), ("PostgreSQL", there.to_owned())] {
        let start = Instant::now();
        let store = &store;
        let work = |worker: u32| {
            let (mut walls, mut errors) = (Vec::new(), 0_u32);
            let mut n = worker;
            while start.elapsed() < WORK {
                n += WORKERS;
                match site.verify(store, n % site.users).and_then(|task| task.wall()) {
                    Ok(wall) => walls.push(wall.as_secs_f64() * 1000.0),
                    Err(_) => errors += 1,
                }
            }
            (walls, errors)
        };
        let done = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS).map(|n| scope.spawn(move || work(n))).collect();
            workers.into_iter().map(|w| w.join().unwrap()).collect::<Vec<_>>()
        });
        let seconds = start.elapsed().as_secs_f64();
        let errors: u32 = done.iter().map(|(_, errors)| errors).sum();
        let mut walls: Vec<f64> = done.into_iter().flat_map(|(walls, _)| walls).collect();
        walls.sort_by(f64::total_cmp);
        let rate = f64::from(u32::try_from(walls.len()).unwrap()) / seconds;
        let (p50, p99) = (walls[walls.len() / 2], walls[walls.len() * 99 / 100]);
        println!("| {kind} | {rate:.0} | {p50:.1} / {p99:.1} | {errors} |");
    }
}

fn list(site: &Site, there: &str) -> Result<()> {
    println!("\n## list-status --format csv, {} users\n", site.users);
    println!("| | s, least of 3 | peak MiB |\n| --- | --- | --- |");
    for (kind, store) in [("SQLite", site.here()), ("PostgreSQL", there.to_owned())] {
        let task = site.call(&store, &["list-status", "--format", "csv"]);
        let mut walls = Walls::default();
        for _ in 0..3 {
            walls.push(task.wall()?);
        }
        println!("| {kind} | {:.2} | {} |", walls.least() / 1000.0, highest(&[task.peak()?]));
    }
    Ok(())
}
