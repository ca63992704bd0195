//! A verifier (`serve`), and the clients that ask it.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv,
    send, socket_with,
};
use rustix::process::{Pid, Signal, kill_process};

use super::codes::code;
use super::people;
use super::programs::MFACTL;

const PATIENCE: Duration = Duration::from_secs(10);

/// A process that is killed when dropped.
pub struct Verifier {
    child: Child,
    pub socket: PathBuf,
}

impl Verifier {
    /// Starts one, with a socket of its own, and waits until it greets.
    pub fn start(store: &str, key: &str, socket: PathBuf) -> Result<Self> {
        let child = Command::new(MFACTL)
            .args(["--store", store, "--key-file", key, "serve", "--socket"])
            .arg(&socket)
            .spawn()?;
        let verifier = Self { child, socket };
        let start = Instant::now();
        loop {
            match Client::connect(&verifier.socket) {
                Ok(_) => return Ok(verifier),
                Err(error) if start.elapsed() > PATIENCE => return Err(error),
                Err(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as systemd does.
    pub fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        ensure!(self.child.wait()?.success(), "the verifier failed");
        Ok(())
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A connection to a verifier that has greeted.
pub struct Client(OwnedFd);

impl Client {
    pub fn connect(path: &Path) -> Result<Self> {
        let (unix, packets) = (AddressFamily::UNIX, SocketType::SEQPACKET);
        let client = Self(socket_with(unix, packets, SocketFlags::CLOEXEC, None)?);
        connect(&client.0, &SocketAddrUnix::new(path)?)?;
        let greeting = client.hear()?;
        ensure!(greeting.contains("mfactl.serve/"), "no verifier greets at {}", path.display());
        Ok(client)
    }

    pub fn ask(&self, question: &str) -> Result<()> {
        send(&self.0, question.as_bytes(), SendFlags::NOSIGNAL)?;
        Ok(())
    }

    pub fn hear(&self) -> Result<String> {
        let mut buffer = [0; 4096];
        let (_, length) = recv(&self.0, &mut buffer[..], RecvFlags::empty())?;
        Ok(std::str::from_utf8(&buffer[..length])?.to_owned())
    }

    /// Waits for the answer, which has to be yes.
    pub fn hear_yes(&self) -> Result<()> {
        let answer = self.hear()?;
        ensure!(answer.contains("\"outcome\":\"accepted\""), "{answer}");
        Ok(())
    }
}

/// What the nth user asks now.
pub fn question(n: u32) -> Result<String> {
    let (name, code) = (people::name(n), code(n, 0)?);
    Ok(format!("{{\"user\":\"{name}\",\"code\":\"{}\"}}\n", code.trim_end()))
}

/// The users who have not logged in yet.
pub struct Crowd {
    next: AtomicU32,
    users: u32,
}

impl Crowd {
    pub const fn of(users: u32) -> Self {
        Self { next: AtomicU32::new(0), users }
    }

    /// So many more of them; returns the first one.
    pub fn some(&self, count: u32) -> Result<u32> {
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        ensure!(first + count <= self.users, "{} users are too few: each logs in once", self.users);
        Ok(first)
    }

    /// The next one. Neighbours in time are none in the store.
    pub fn someone(&self) -> Result<u32> {
        let n = u64::from(self.some(1)?) * 7919 % u64::from(self.users);
        Ok(u32::try_from(n)?)
    }
}

/// Lets so many clients ask a verifier for a time, each with one question after another, and says how long each answer
/// took.
pub fn drive(
    socket: &Path,
    clients: usize,
    time: Duration,
    crowd: &Crowd,
) -> Result<Vec<Duration>> {
    let clients = (0..clients).map(|_| Client::connect(socket)).collect::<Result<Vec<_>>>()?;
    let (start, mut walls) = (Instant::now(), Vec::new());
    let mut asked = BTreeMap::new();
    for (n, client) in clients.iter().enumerate() {
        client.ask(&question(crowd.someone()?)?)?;
        asked.insert(n, Instant::now());
    }
    while !asked.is_empty() {
        let mut watched: Vec<PollFd<'_>> =
            clients.iter().map(|client| PollFd::new(&client.0, PollFlags::IN)).collect();
        match poll(&mut watched, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            count => count?,
        };
        let ready: Vec<bool> = watched.iter().map(|one| !one.revents().is_empty()).collect();
        for (n, client) in clients.iter().enumerate().filter(|(n, _)| ready[*n]) {
            let Some(since) = asked.remove(&n) else { bail!("an answer without a question") };
            client.hear_yes()?;
            walls.push(since.elapsed());
            if start.elapsed() < time {
                let question = question(crowd.someone()?)?;
                asked.insert(n, Instant::now());
                client.ask(&question)?;
            }
        }
    }
    Ok(walls)
}

/// Several verifiers at once, each with so many clients of its own: codes a second of all, and how long each took, in
/// milliseconds, the shortest first.
pub fn drive_all(
    sockets: &[PathBuf],
    clients: usize,
    time: Duration,
    crowd: &Crowd,
) -> Result<Driven> {
    let start = Instant::now();
    let done = thread::scope(|scope| {
        let all: Vec<_> = sockets
            .iter()
            .map(|socket| scope.spawn(|| drive(socket, clients, time, crowd)))
            .collect();
        let joined = all.into_iter().map(|one| one.join().ok().context("a driver panicked")?);
        joined.collect::<Result<Vec<_>>>()
    })?;
    let seconds = start.elapsed().as_secs_f64();
    let mut walls: Vec<f64> =
        done.into_iter().flatten().map(|wall| wall.as_secs_f64() * 1000.0).collect();
    walls.sort_by(f64::total_cmp);
    Ok(Driven { rate: f64::from(u32::try_from(walls.len())?) / seconds, walls })
}

pub struct Driven {
    /// Codes a second.
    pub rate: f64,
    walls: Vec<f64>,
}

impl Driven {
    /// The time within which so many of a hundred were answered.
    pub fn percentile(&self, percent: usize) -> f64 {
        self.walls[self.walls.len() * percent / 100]
    }
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
