//! The verifier's socket: which path may be trusted with it, and messages that hold up nobody.

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketAddrUnix, SocketFlags, SocketType, sockopt,
};

use crate::authenticate::verifier::message::LONGEST;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::files::file_trust::{FilePolicy, display_path, folder_of, path_argument};

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 512;

/// A socket that others connect to.
pub struct Listener {
    pub socket: OwnedFd,
    /// The path and its inode, for the process that made it.
    own: Option<(PathBuf, u64)>,
}

impl Listener {
    /// The socket on standard input, where systemd or inetd puts it; `None` if that is anything else.
    pub fn inherited() -> Result<Option<Self>> {
        let input = rustix::stdio::stdin();
        if !sockopt::socket_acceptconn(input).unwrap_or(false) {
            return Ok(None);
        }
        let is_ours = sockopt::socket_domain(input) == Ok(AddressFamily::UNIX)
            && sockopt::socket_type(input) == Ok(SocketType::SEQPACKET);
        if !is_ours {
            let message =
                "the socket on standard input is no SOCK_SEQPACKET socket of this machine";
            return Err(Refusal::new(ErrorCode::Usage, message)
                .hint("in its unit write ListenSequentialPacket=, with a path")
                .into());
        }
        let socket = rustix::io::fcntl_dupfd_cloexec(input, 3)?;
        set_nonblocking(&socket)?;
        Ok(Some(Self { socket, own: None }))
    }

    /// Makes a socket for everybody on this machine. In place of one that nobody listens at any more; a live one is
    /// `busy`.
    pub fn bind(path: &Path, policy: &FilePolicy) -> Result<Self> {
        let shown = display_path(path);
        require_folder(&folder_of(path))?;
        policy.check_socket_folder(path)?;
        match path.symlink_metadata() {
            Ok(there) if there.file_type().is_socket() && policy.owns(&there) => {
                let is_dead = |e: std::io::Error| e.kind() == ErrorKind::ConnectionRefused;
                if !connect(path).is_err_and(is_dead) {
                    let message = format!("another verifier listens at {shown}");
                    let hint = "stop that one first, or give another path with --socket";
                    return Err(Refusal::new(ErrorCode::Busy, message).hint(hint).into());
                }
                std::fs::remove_file(path).map_err(|error| not_made(&shown, &error))?;
            }
            Ok(_) => {
                let message = format!("something that is no socket of ours is at {shown}");
                let hint = "move it away, or give another path with --socket";
                return Err(Refusal::new(ErrorCode::NotPermitted, message).hint(hint).into());
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(not_made(&shown, &error).into()),
        }
        let made = || -> std::io::Result<Self> {
            let socket = new_socket()?;
            rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
            // The verifier looks at who connects; the mode is for those whose rights it can't know.
            std::fs::set_permissions(path, PermissionsExt::from_mode(0o666))?;
            rustix::net::listen(&socket, BACKLOG)?;
            let inode = path.symlink_metadata()?.ino();
            Ok(Self { socket, own: Some((path.to_owned(), inode)) })
        };
        made().map_err(|error| not_made(&shown, &error).into())
    }

    /// Whether systemd or inetd made the socket, and starts another process for the next client.
    pub const fn is_inherited(&self) -> bool {
        self.own.is_none()
    }

    /// The next client; `None` if none waits. Fails where this process may open no more files.
    pub fn accept(&self) -> Result<Option<OwnedFd>, Errno> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        loop {
            match rustix::net::accept_with(&self.socket, flags) {
                Ok(client) => return Ok(Some(client)),
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(full @ (Errno::MFILE | Errno::NFILE)) => return Err(full),
                Err(_) => return Ok(None),
            }
        }
    }
}

impl Drop for Listener {
    /// Removes the path, unless it is somebody else's by now.
    fn drop(&mut self) {
        let Some((path, inode)) = &self.own else { return };
        if path.symlink_metadata().is_ok_and(|there| there.ino() == *inode) {
            let _ = std::fs::remove_file(path);
        }
    }
}

fn require_folder(folder: &Path) -> Result<(), Refusal> {
    if folder.exists() {
        return Ok(());
    }
    let message = format!("the folder {} of the socket is not there", display_path(folder));
    let hint = format!(
        "make it for the user who runs this, so that others reach it: install -d -m 0755 {}",
        path_argument(folder)
    );
    Err(Refusal::new(ErrorCode::CannotCreate, message).hint(hint))
}

fn not_made(shown: &str, error: &std::io::Error) -> Refusal {
    let message = format!("the socket {shown} can't be made: {error}");
    let hint = match error.kind() {
        ErrorKind::PermissionDenied => "check the permissions of its folder",
        _ => "give another path with --socket",
    };
    Refusal::new(ErrorCode::CannotCreate, message).hint(hint)
}

fn new_socket() -> std::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rustix::net::socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?)
}

fn set_nonblocking(socket: &OwnedFd) -> std::io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(socket)?;
    Ok(rustix::fs::fcntl_setfl(socket, flags | rustix::fs::OFlags::NONBLOCK)?)
}

/// Connects without waiting, also where the kernel holds too many connections already.
pub fn connect(path: &Path) -> std::io::Result<OwnedFd> {
    let socket = new_socket()?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket)
}

/// Connects within this time. Where the kernel holds as many connections as it may, a place is waited for: otherwise
/// anybody could keep all others away by connecting in a loop.
pub fn connect_within(path: &Path, patience: Duration) -> std::io::Result<OwnedFd> {
    let address = SocketAddrUnix::new(path)?;
    let (unix, packets) = (AddressFamily::UNIX, SocketType::SEQPACKET);
    let socket = rustix::net::socket_with(unix, packets, SocketFlags::CLOEXEC, None)?;
    // Without any time a connection would wait for ever.
    let patience = patience.max(Duration::from_millis(1));
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(patience))?;
    rustix::io::retry_on_intr(|| rustix::net::connect(&socket, &address))?;
    set_nonblocking(&socket)?;
    Ok(socket)
}

/// Whether a client may believe what it hears at this path: a socket of ours in a folder that nobody else writes.
/// `None` if nothing is there.
pub fn is_trusted(path: &Path, policy: &FilePolicy) -> Option<bool> {
    let there: Metadata = path.symlink_metadata().ok()?;
    let is_ours = there.file_type().is_socket() && policy.owns(&there);
    Some(is_ours && policy.check_socket_folder(path).is_ok())
}

/// Who is at the other end.
pub fn peer(socket: &OwnedFd) -> Option<u32> {
    sockopt::socket_peercred(socket).ok().map(|peer| peer.uid.as_raw())
}

/// Sends one message or fails at once: nobody waits for a client that does not read.
pub fn send(socket: &OwnedFd, message: &[u8]) -> Result<(), Errno> {
    loop {
        match rustix::net::send(socket, message, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Err(Errno::INTR) => {}
            sent => return sent.map(drop),
        }
    }
}

/// What is received without waiting.
pub enum Received<'b> {
    Message(&'b [u8]),
    /// Longer than any message may be.
    TooLong,
    Nothing,
    /// The other end sends no more.
    End,
}

/// The next message; `buffer` has a byte more than the longest one.
pub fn receive<'b>(socket: BorrowedFd<'_>, buffer: &'b mut [u8]) -> Received<'b> {
    debug_assert!(buffer.len() > LONGEST);
    let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
    let length = loop {
        match rustix::net::recv(socket, &mut *buffer, flags) {
            Ok((_, length)) => break length,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => return Received::Nothing,
            Err(_) => return Received::End,
        }
    };
    match length {
        0 => Received::End,
        length if length > LONGEST => Received::TooLong,
        length => Received::Message(&buffer[..length]),
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use std::os::fd::AsFd as _;

    pub fn pair() -> (OwnedFd, OwnedFd) {
        let (unix, packets) = (AddressFamily::UNIX, SocketType::SEQPACKET);
        rustix::net::socketpair(unix, packets, SocketFlags::CLOEXEC, None).unwrap()
    }

    fn policy() -> FilePolicy {
        FilePolicy { euid: rustix::process::geteuid().as_raw(), ..FilePolicy::default() }
    }

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        folder
    }

    #[test]
    fn a_message_is_received_whole_or_not_at_all() {
        let (one, other) = pair();
        let mut buffer = vec![0; LONGEST + 1];
        assert!(matches!(receive(one.as_fd(), &mut buffer), Received::Nothing));
        for message in [b"a".to_vec(), vec![b'x'; LONGEST]] {
            send(&other, &message).unwrap();
            assert!(
                matches!(receive(one.as_fd(), &mut buffer), Received::Message(m) if m == message)
            );
        }
        send(&other, &vec![b'x'; LONGEST + 1]).unwrap();
        assert!(matches!(receive(one.as_fd(), &mut buffer), Received::TooLong));
        drop(other);
        assert!(matches!(receive(one.as_fd(), &mut buffer), Received::End));
        assert!(send(&one, b"x").is_err());
    }

    #[test]
    fn a_place_in_a_full_queue_is_waited_for() {
        let folder = folder();
        let path = folder.path().join("full");
        let socket = new_socket().unwrap();
        rustix::net::bind(&socket, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        rustix::net::listen(&socket, 0).unwrap();
        let _first = connect(&path).unwrap();
        let full = connect(&path).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::WouldBlock);
        let patience = Duration::from_millis(50);
        let late = connect_within(&path, patience).unwrap_err();
        assert_eq!(late.kind(), ErrorKind::WouldBlock);
        let listener = Listener { socket, own: None };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                std::thread::sleep(patience);
                listener.accept().unwrap().unwrap();
            });
            connect_within(&path, Duration::from_secs(20)).unwrap();
        });
        // Its verifier is not dead: nobody takes its place.
        let busy = Listener::bind(&path, &policy()).err().unwrap();
        assert!(busy.to_string().contains("another verifier listens"), "{busy}");
        drop(listener);
        assert!(Listener::bind(&path, &policy()).is_ok(), "nobody listens any more");
    }

    #[test]
    fn a_client_that_never_reads_is_an_error_and_no_wait() {
        let (one, _other) = pair();
        let sent = (0..100_000).take_while(|_| send(&one, &[b'x'; 1024]).is_ok()).count();
        assert!((1..100_000).contains(&sent), "{sent}");
    }

    #[test]
    fn a_socket_replaces_a_dead_one_and_no_live_one() {
        let folder = folder();
        let path = folder.path().join("verify");
        assert_eq!(is_trusted(&path, &policy()), None);
        let first = Listener::bind(&path, &policy()).unwrap();
        assert_eq!(is_trusted(&path, &policy()), Some(true));
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o666);
        assert!(connect(&path).is_ok());
        assert!(first.accept().unwrap().is_some() && first.accept().unwrap().is_none());
        let error = Listener::bind(&path, &policy()).err().unwrap();
        assert!(error.to_string().contains("another verifier"), "{error}");
        std::mem::forget(first.socket.try_clone().unwrap());
        // As a killed process leaves it.
        let dead = std::os::unix::net::UnixDatagram::bind(folder.path().join("dead")).unwrap();
        drop(dead);
        let again = Listener::bind(&folder.path().join("dead"), &policy()).unwrap();
        drop(again);
        assert!(!folder.path().join("dead").exists(), "it removes what it made");
        drop(first);
        assert!(!path.exists());
    }

    #[test]
    fn a_path_that_others_may_have_made_is_not_trusted() {
        let folder = folder();
        let path = folder.path().join("verify");
        let listener = Listener::bind(&path, &policy()).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        for other in [&link, &file] {
            assert_eq!(is_trusted(other, &policy()), Some(false), "{}", other.display());
            assert!(Listener::bind(other, &policy()).is_err(), "{}", other.display());
            assert!(other.symlink_metadata().is_ok(), "it is left alone");
        }
        let stranger = FilePolicy { euid: 12345, ..FilePolicy::default() };
        if policy().euid != 0 {
            assert_eq!(is_trusted(&path, &stranger), Some(false), "owned by another");
        }
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
        assert_eq!(is_trusted(&path, &policy()), Some(false), "everybody can write the folder");
        assert!(Listener::bind(&folder.path().join("new"), &policy()).is_err());
        assert!(!folder.path().join("new").exists());
        drop(listener);
    }
}
