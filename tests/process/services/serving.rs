//! A running verifier.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustix::process::{Pid, Signal, kill_process};

use super::support::World;

pub struct Verifier {
    pub child: Child,
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

pub fn try_connect(path: &Path) -> Option<OwnedFd> {
    let (unix, packets) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let socket = rustix::net::socket_with(unix, packets, SocketFlags::CLOEXEC, None).unwrap();
    rustix::net::connect(&socket, &SocketAddrUnix::new(path).unwrap()).ok()?;
    Some(socket)
}
