//! What a fleet does in a second: 1, 2 and 4 hosts with a millisecond between each of them and the PostgreSQL server.
//!
//! `cargo bench -- hosts [USERS [COMMAND…]]`: each host is a process that reads questions and writes answers as
//! `verify --batch` does, which it is where no COMMAND is named; `{store}` and `{key}` in it stand for the address behind
//! the delay and for the key file. Each has 64 questions open at a time. Every question is about another one of USERS.
//! Nobody's code is used up: an answer that is not `accepted` fails the benchmark.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::cluster::Cluster;
use crate::shared::codes::code;
use crate::shared::measure::Task;
use crate::shared::people;
use crate::shared::programs::{self, MFACTL};

/// Each way: a round trip takes a millisecond.
const DELAY: Duration = Duration::from_micros(500);
const HOSTS: [usize; 3] = [1, 2, 4];
const WORK: Duration = Duration::from_secs(8);
/// Questions of a host that wait for an answer at the same time.
const OPEN: u32 = 64;
/// The codes of the last run are used up until their step and the one after it are over.
const STEPS: Duration = Duration::from_secs(61);

pub fn run(args: &[String]) -> Result<()> {
    let users = crate::number(args, 0, 60_000)?;
    let default = [MFACTL, "--store", "{store}", "--key-file", "{key}", "verify", "--batch"];
    let command: Vec<String> = match args.get(1..) {
        Some(command) if !command.is_empty() => command.to_vec(),
        _ => default.map(str::to_owned).to_vec(),
    };
    let cluster = Cluster::start("the whole benchmark").context("PostgreSQL is not installed")?;
    cluster.off();
    cluster.on_with("-c fsync=on -c shared_buffers=512MB -c max_wal_size=4GB");
    let folder = tempfile::tempdir()?;
    programs::seed(folder.path(), users, None)?.wall()?;
    let (here, key) = (text(&folder.path().join("store.db")), text(&folder.path().join("key")));
    let there = cluster.address();
    let copy = ["--store", &here, "--key-file", &key, "copy-store", "--to", &there];
    Task::new(MFACTL, copy).wall()?;
    cluster.sql("mfactl", "VACUUM ANALYZE");
    let near = text(cluster.folder());
    let far = delaying_socket(&cluster.folder().join(".s.PGSQL.5432"), folder.path())?;
    let store = there.replace(&near.replace('/', "%2F"), &text(&far).replace('/', "%2F"));
    let place = |word: &String| word.replace("{store}", &store).replace("{key}", &key);
    let command: Vec<String> = command.iter().map(place).collect();
    println!("\n## Hosts with {} ms to the server and back, {users} users\n", 2.0 * millis(DELAY));
    println!("| hosts | codes a second | ms p50 / p99 |\n| --- | --- | --- |");
    for (n, hosts) in HOSTS.into_iter().enumerate() {
        if n > 0 {
            thread::sleep(STEPS);
        }
        let done = fleet(&command, hosts, users)?;
        let mut walls: Vec<f64> = done.walls.iter().copied().map(millis).collect();
        walls.sort_by(f64::total_cmp);
        let (count, seconds) = (u32::try_from(walls.len())?, done.took.as_secs_f64());
        let (p50, p99) = (walls[walls.len() / 2], walls[walls.len() * 99 / 100]);
        println!("| {hosts} | {:.0} | {p50:.1} / {p99:.1} |", f64::from(count) / seconds);
    }
    let task = Task::new(MFACTL, ["--store", &there, "--key-file", &key, "verify-log"]);
    task.wall().context("the log is damaged")?;
    Ok(())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

struct Done {
    walls: Vec<Duration>,
    took: Duration,
}

fn fleet(command: &[String], hosts: usize, users: u32) -> Result<Done> {
    let (next, start) = (AtomicU32::new(0), Instant::now());
    let done = thread::scope(|scope| {
        let host = || scope.spawn(|| host(command, &next, users));
        let all: Vec<_> = (0..hosts).map(|_| host()).collect();
        all.into_iter().map(|host| host.join().unwrap()).collect::<Result<Vec<_>>>()
    })?;
    Ok(Done { walls: done.into_iter().flatten().collect(), took: start.elapsed() })
}

/// Asks until the time is over, and says how long each answer took.
fn host(command: &[String], next: &AtomicU32, users: u32) -> Result<Vec<Duration>> {
    let (program, words) = command.split_first().context("there is no command")?;
    let mut child = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("{program} does not start"))?;
    let mut questions = child.stdin.take().context("no input")?;
    let mut answers = BufReader::new(child.stdout.take().context("no output")?).lines();
    let (start, mut walls) = (Instant::now(), Vec::new());
    while start.elapsed() < WORK {
        let first = next.fetch_add(OPEN, Ordering::Relaxed);
        ensure!(first + OPEN <= users, "{users} users are too few: each has one code in a step");
        let mut lines = Vec::new();
        for n in first..first + OPEN {
            writeln!(lines, "{}\t{}\t{n}", people::name(n), code(n, 0)?.trim_end())?;
        }
        let asked = Instant::now();
        questions.write_all(&lines)?;
        for _ in 0..OPEN {
            let answer = answers.next().context("an answer is missing")??;
            ensure!(answer.contains("\"outcome\":\"accepted\""), "{answer}");
            walls.push(asked.elapsed());
        }
    }
    drop(questions);
    ensure!(child.wait()?.success(), "{program} failed");
    Ok(walls)
}

/// A socket in a folder of its own that passes everything on to a server, later. Its threads end with the process.
fn delaying_socket(server: &Path, folder: &Path) -> Result<PathBuf> {
    let far = folder.join("far");
    std::fs::create_dir(&far)?;
    let name = server.file_name().context("a socket has a name")?;
    let listener = UnixListener::bind(far.join(name))?;
    let server = server.to_owned();
    thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let Ok(server) = UnixStream::connect(&server) else { continue };
            if let (Ok(from), Ok(to)) = (client.try_clone(), server.try_clone()) {
                pass_on(from, to);
                pass_on(server, client);
            }
        }
    });
    Ok(far)
}

/// What is read goes on after the delay, however much is on its way already.
fn pass_on(mut from: UnixStream, mut to: UnixStream) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if sender.send((Instant::now() + DELAY, buffer[..length].to_vec())).is_err() {
                break;
            }
        }
    });
}
