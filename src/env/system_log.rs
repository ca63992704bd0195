//! The system's log: one datagram a line, as libc's `syslog` writes it. That one waits while the log's daemon does not
//! read; a login must not.

use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// Where the daemon listens.
const SOCKET: &str = "/dev/log";
/// The facility `authpriv`, where logins are written that not everybody may read about, with the level `warning`.
const PRIORITY: u8 = 10 << 3 | 4;

/// Writes a line. Where there is no daemon, or it does not read, the line is lost.
pub fn write(text: &str) {
    let _ = send(Path::new(SOCKET), text);
}

fn send(socket: &Path, text: &str) -> std::io::Result<usize> {
    let log = UnixDatagram::unbound()?;
    log.set_nonblocking(true)?;
    log.send_to(format!("<{PRIORITY}>mfactl[{}]: {text}", std::process::id()).as_bytes(), socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_datagram_and_a_daemon_that_does_not_read_holds_up_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        assert!(send(&path, "nobody listens").is_err());
        let daemon = UnixDatagram::bind(&path).unwrap();
        send(&path, "verify: refused: busy").unwrap();
        let mut line = [0; 256];
        let length = daemon.recv(&mut line).unwrap();
        let expected = format!("<84>mfactl[{}]: verify: refused: busy", std::process::id());
        assert_eq!(std::str::from_utf8(&line[..length]), Ok(expected.as_str()));
        let written = (0..100_000).take_while(|_| send(&path, "x").is_ok()).count();
        assert!((1..100_000).contains(&written), "{written}");
    }
}
