//! What a verifier does in a second with 8 and 64 clients, beside `verify --batch` on the same store; and what one costs
//! that nobody asks.
//!
//! `cargo bench -- serve [USERS]`: each question is about another one of USERS. SQLite and PostgreSQL, with syncs on.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::cluster::Cluster;
use crate::shared::codes::code;
use crate::shared::measure::Task;
use crate::shared::people;
use crate::shared::programs::{self, MFACTL};
use crate::shared::verifier::{Crowd, Driven, Verifier, drive_all, median};

const ROUNDS: usize = 5;
const WORK: Duration = Duration::from_secs(2);
/// Codes of a batch in a round.
const BATCH: u32 = 5000;
/// Processes with one code each that run at the same time.
const PROCESSES: usize = 8;
const CLIENTS: [usize; 2] = [8, 64];
const IDLE: Duration = Duration::from_secs(20);

pub fn run(args: &[String]) -> Result<()> {
    let users = crate::number(args, 0, 400_000)?;
    let folder = tempfile::tempdir()?;
    programs::seed(folder.path(), users, None)?.wall()?;
    let at = |file: &str| folder.path().join(file).to_string_lossy().into_owned();
    let (here, key) = (at("store.db"), at("key"));
    let cluster = Cluster::start("half of the benchmark");
    let there = cluster.as_ref().map(|cluster| {
        cluster.off();
        cluster.on_with("-c fsync=on -c shared_buffers=512MB -c max_wal_size=4GB");
        let there = cluster.address();
        let copy = ["--store", &here, "--key-file", &key, "copy-store", "--to", &there];
        Task::new(MFACTL, copy).wall()?;
        cluster.sql("mfactl", "VACUUM ANALYZE");
        anyhow::Ok(there)
    });
    let there = there.transpose()?;
    let mut idle = String::new();
    for (kind, store) in [("SQLite", Some(here)), ("PostgreSQL", there)] {
        let Some(store) = store else { continue };
        let places = Places { store, key: key.clone(), folder: folder.path() };
        throughput(kind, &places, users)?;
        let kept = kept(&places)?;
        writeln!(idle, "| {kind} | {:.1} | {:.1} | {} |", kept.new, kept.used, kept.woken)?;
    }
    println!("\n## A verifier that nobody asks\n");
    println!("| | MiB when new | MiB after {} clients | wake-ups in {IDLE:?} |", CLIENTS[1]);
    println!("| --- | --- | --- | --- |\n{idle}");
    Ok(())
}

struct Places<'f> {
    store: String,
    key: String,
    folder: &'f Path,
}

impl Places<'_> {
    fn verifier(&self) -> Result<Verifier> {
        Verifier::start(&self.store, &self.key, self.folder.join("verify"))
    }
}

fn throughput(kind: &str, places: &Places<'_>, users: u32) -> Result<()> {
    let crowd = Crowd::of(users);
    let (mut batches, mut alone) = (Vec::new(), Vec::new());
    let mut served: [Vec<Driven>; CLIENTS.len()] = Default::default();
    for _ in 0..ROUNDS {
        batches.push(batch(places, &crowd)?);
        alone.push(processes(places, &crowd)?);
        for (served, clients) in served.iter_mut().zip(CLIENTS) {
            let verifier = places.verifier()?;
            let sockets = [verifier.socket.clone()];
            served.push(drive_all(&sockets, clients, WORK, &crowd)?);
            verifier.stop()?;
        }
    }
    println!("\n## {kind}, {users} users, medians of {ROUNDS} rounds in turn\n");
    println!("| | codes a second | x `verify --batch` | ms p50 | ms p99 |");
    println!("| --- | --- | --- | --- | --- |");
    let (batch, alone) = (median(batches), median(alone));
    println!("| `verify --batch`, {BATCH} codes | {batch:.0} | 1.00 | | |");
    println!("| `verify`, {PROCESSES} processes at once | {alone:.0} | {:.2} | | |", alone / batch);
    for (served, clients) in served.iter().zip(CLIENTS) {
        let middle = |of: &dyn Fn(&Driven) -> f64| median(served.iter().map(of).collect());
        let (rate, p50) = (middle(&|one| one.rate), middle(&|one| one.percentile(50)));
        let p99 = middle(&|one| one.percentile(99));
        let ratio = rate / batch;
        println!("| `serve`, {clients} clients | {rate:.0} | {ratio:.2} | {p50:.2} | {p99:.2} |");
    }
    Ok(())
}

/// Codes a second of a batch, from its start to its end.
fn batch(places: &Places<'_>, crowd: &Crowd) -> Result<f64> {
    let mut lines = tempfile::tempfile()?;
    let mut text = String::new();
    for _ in 0..BATCH {
        let n = crowd.someone()?;
        writeln!(text, "{}\t{}\t{n}", people::name(n), code(n, 0)?.trim_end())?;
    }
    lines.write_all(text.as_bytes())?;
    lines.rewind()?;
    let words = ["--store", &places.store, "--key-file", &places.key, "verify", "--batch"];
    let start = Instant::now();
    let mut child = Command::new(MFACTL).args(words).stdin(lines).stdout(Stdio::piped()).spawn()?;
    let answers = BufReader::new(child.stdout.take().context("no output")?).lines();
    let yes = answers.map_while(Result::ok).filter(|a| a.contains("\"outcome\":\"accepted\""));
    let accepted = yes.count();
    ensure!(child.wait()?.success(), "the batch failed");
    ensure!(accepted == BATCH as usize, "{accepted} of {BATCH} were accepted");
    Ok(f64::from(BATCH) / start.elapsed().as_secs_f64())
}

/// Codes a second where each has a process of its own.
fn processes(places: &Places<'_>, crowd: &Crowd) -> Result<f64> {
    let start = Instant::now();
    let work = || {
        let mut count = 0_u32;
        while start.elapsed() < WORK {
            let n = crowd.someone()?;
            let name = people::name(n);
            let words = ["--store", &places.store, "--key-file", &places.key, "verify", &name];
            Task { input: code(n, 0)?, ..Task::new(MFACTL, words) }.wall()?;
            count += 1;
        }
        Ok(count)
    };
    let counts = thread::scope(|scope| {
        let all: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(work)).collect();
        let joined = all.into_iter().map(|one| one.join().ok().context("a driver panicked")?);
        joined.collect::<Result<Vec<u32>>>()
    })?;
    Ok(f64::from(counts.iter().sum::<u32>()) / start.elapsed().as_secs_f64())
}

/// What a verifier holds in memory that has just started, and after it was asked; and how often it woke up while
/// nobody asked.
struct Kept {
    new: f64,
    used: f64,
    woken: u64,
}

fn kept(places: &Places<'_>) -> Result<Kept> {
    let verifier = places.verifier()?;
    let new = memory(verifier.pid())?;
    // Of a crowd of its own: whether a code is right makes no difference to what stays in memory.
    let clients = (0..CLIENTS[1])
        .map(|_| crate::shared::verifier::Client::connect(&verifier.socket))
        .collect::<Result<Vec<_>>>()?;
    for round in 0..20_u32 {
        for (n, client) in (0_u32..).zip(&clients) {
            let name = people::name(round * 64 + n);
            client.ask(&format!("{{\"user\":\"{name}\",\"code\":\"000000\"}}\n"))?;
        }
        for client in &clients {
            client.hear()?;
        }
    }
    drop(clients);
    // Its upkeep comes once nobody asks.
    thread::sleep(Duration::from_secs(1));
    let used = memory(verifier.pid())?;
    let before = switches(verifier.pid())?;
    thread::sleep(IDLE);
    let woken = switches(verifier.pid())? - before;
    verifier.stop()?;
    Ok(Kept { new, used, woken })
}

/// Resident memory of a process, in MiB.
fn memory(pid: u32) -> Result<f64> {
    Ok(f64::from(u32::try_from(field(&format!("/proc/{pid}/status"), "VmRSS:")?)?) / 1024.0)
}

/// How often the threads of a process gave up the processor because they waited.
fn switches(pid: u32) -> Result<u64> {
    let mut all = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let status = task?.path().join("status");
        all += field(&status.to_string_lossy(), "voluntary_ctxt_switches:")?;
    }
    Ok(all)
}

fn field(path: &str, name: &str) -> Result<u64> {
    let mut text = String::new();
    File::open(path)?.read_to_string(&mut text)?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)).context("no such field")?;
    Ok(value.split_whitespace().next().context("an empty field")?.parse()?)
}
