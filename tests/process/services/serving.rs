//! A running verifier, and connections to it.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, recv, send,
};
use rustix::process::{Pid, Signal, kill_process};

use super::support::World;

pub struct Verifier {
    child: Child,
    pub path: PathBuf,
}

impl Verifier {
    pub fn start(world: &World) -> Self {
        let path = Self::place(world, "verify");
        let line = format!("serve --socket {}", path.display());
        Self::of(world.call(&line).command(), path)
    }

    /// Started by this command.
    pub fn of(mut command: Command, path: PathBuf) -> Self {
        let child = command.stdin(Stdio::null()).spawn().unwrap();
        let verifier = Self { child, path };
        verifier.wait();
        verifier
    }

    /// With the socket on standard input, where systemd puts it.
    pub fn inheriting(world: &World, socket: &OwnedFd, path: &Path) -> Self {
        let mut command = world.call("serve").command();
        let child = command.stdin(socket.try_clone().unwrap()).spawn().unwrap();
        Self { child, path: path.to_owned() }
    }

    /// In a folder that everybody can reach, as `/run/mfactl` is.
    pub fn place(world: &World, name: &str) -> PathBuf {
        let open = |path: &Path| {
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
        };
        let folder = world.path("run");
        std::fs::create_dir_all(&folder).unwrap();
        open(&folder);
        open(&world.path("."));
        folder.join(name)
    }

    pub fn wait(&self) {
        for _ in 0..400 {
            if try_connect(&self.path).is_some() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("the verifier does not listen");
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// The exit code; `None` where the signal killed it.
    pub fn end(mut self, signal: Signal) -> Option<i32> {
        self.signal(signal);
        self.child.wait().unwrap().code()
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A socket as systemd makes it.
pub fn listening(path: &Path) -> OwnedFd {
    let (unix, packets) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let socket = rustix::net::socket_with(unix, packets, SocketFlags::CLOEXEC, None).unwrap();
    rustix::net::bind(&socket, &SocketAddrUnix::new(path).unwrap()).unwrap();
    rustix::net::listen(&socket, 16).unwrap();
    socket
}

pub fn try_connect(path: &Path) -> Option<OwnedFd> {
    let (unix, packets) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let socket = rustix::net::socket_with(unix, packets, SocketFlags::CLOEXEC, None).unwrap();
    rustix::net::connect(&socket, &SocketAddrUnix::new(path).unwrap()).ok()?;
    Some(socket)
}

/// A connection that was greeted.
pub fn connect(path: &Path) -> OwnedFd {
    let socket = try_connect(path).unwrap();
    assert_eq!(heard(&socket).as_deref(), Some("{\"schema\":\"mfactl.serve/1\"}\n"));
    socket
}

pub fn say(socket: &OwnedFd, message: &[u8]) -> bool {
    send(socket, message, SendFlags::NOSIGNAL).is_ok()
}

/// The next message, within three seconds; `None` at the end.
pub fn heard(socket: &OwnedFd) -> Option<String> {
    let mut watched = [PollFd::new(socket, PollFlags::IN)];
    let limit = Timespec { tv_sec: 3, tv_nsec: 0 };
    assert_eq!(poll(&mut watched, Some(&limit)).unwrap(), 1, "no answer in three seconds");
    let mut line = vec![0; 64 * 1024];
    let (_, length) = recv(socket, &mut line[..], RecvFlags::empty()).ok()?;
    (length > 0).then(|| String::from_utf8(line[..length].to_vec()).unwrap())
}
