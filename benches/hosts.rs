//! What a fleet does in a second: 1, 2, 4 and 8 hosts with a millisecond between each of them and the PostgreSQL server.
//!
//! `cargo bench -- hosts [USERS]`: each host is a `serve` process with 64 clients, each of which asks one question after
//! another. Every question is about another one of USERS. Nobody's code is used up: an answer that is not `accepted`
//! fails the benchmark.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::cluster::Cluster;
use crate::shared::measure::Task;
use crate::shared::programs::{self, MFACTL};
use crate::shared::verifier::{Crowd, Driven, Verifier, drive_all, median};

/// Each way: a round trip takes a millisecond.
const DELAY: Duration = Duration::from_micros(500);
const HOSTS: [usize; 4] = [1, 2, 4, 8];
const ROUNDS: usize = 3;
const WORK: Duration = Duration::from_secs(4);
/// Clients of a host.
const CLIENTS: usize = 64;

pub fn run(args: &[String]) -> Result<()> {
    let users = crate::number(args, 0, 300_000)?;
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
    let crowd = Crowd::of(users);
    let mut measured: [Vec<Driven>; HOSTS.len()] = Default::default();
    for _ in 0..ROUNDS {
        for (measured, hosts) in measured.iter_mut().zip(HOSTS) {
            let socket = |n| folder.path().join(format!("verify-{n}"));
            let start = |n| Verifier::start(&store, &key, socket(n));
            let hosts: Vec<_> = (0..hosts).map(start).collect::<Result<_>>()?;
            let sockets: Vec<PathBuf> = hosts.iter().map(|host| host.socket.clone()).collect();
            measured.push(drive_all(&sockets, CLIENTS, WORK, &crowd)?);
            hosts.into_iter().try_for_each(Verifier::stop)?;
        }
    }
    let (delay, clients) = (2.0 * DELAY.as_secs_f64() * 1000.0, CLIENTS);
    println!("\n## Hosts with {delay} ms to the server and back, {clients} clients each\n");
    println!("{users} users, medians of {ROUNDS} rounds in turn\n");
    println!("| hosts | codes a second | ms p50 | ms p99 |\n| --- | --- | --- | --- |");
    for (measured, hosts) in measured.iter().zip(HOSTS) {
        let middle = |of: &dyn Fn(&Driven) -> f64| median(measured.iter().map(of).collect());
        let (rate, p50) = (middle(&|one| one.rate), middle(&|one| one.percentile(50)));
        println!("| {hosts} | {rate:.0} | {p50:.0} | {:.0} |", middle(&|one| one.percentile(99)));
    }
    let task = Task::new(MFACTL, ["--store", &there, "--key-file", &key, "verify-log"]);
    task.wall().context("the log is damaged")?;
    Ok(())
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
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
