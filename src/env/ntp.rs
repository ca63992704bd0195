//! Whether the kernel counts its clock as synchronised by NTP.
//!
//! The kernel answers this to `adjtimex`, for which none of our libraries has a safe function. systemd's
//! `timedatectl` asks it, so it is run where systemd is the machine's init. In a container the host keeps the
//! clock, and elsewhere nothing says; there it is not known.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

const PROGRAM: &str = "/usr/bin/timedatectl";
/// It usually answers within 50 ms, but waits for a message bus that does not.
const PAUSE: Duration = Duration::from_millis(20);
const MOST_PAUSES: u32 = 100;

pub fn is_synchronised() -> Option<bool> {
    let is_container = ["/run/systemd/container", "/.dockerenv", "/run/.containerenv"];
    if !Path::new("/run/systemd/system").is_dir()
        || is_container.iter().any(|p| Path::new(p).exists())
    {
        return None;
    }
    let mut child = Command::new(PROGRAM)
        .args(["show", "--property=NTPSynchronized", "--value"])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    for _ in 0..MOST_PAUSES {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => {
                let output = child.wait_with_output().ok()?.stdout;
                return answer(&output);
            }
            Ok(None) => sleep(PAUSE),
            Ok(Some(_)) | Err(_) => return None,
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

fn answer(output: &[u8]) -> Option<bool> {
    match output.trim_ascii() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::env::ntp::answer;

    #[test]
    fn w7_only_a_yes_or_a_no_is_an_answer() {
        assert_eq!(answer(b"yes\n"), Some(true));
        assert_eq!(answer(b"no\n"), Some(false));
        for other in [&b""[..], b"\n", b"maybe\n", b"yes no"] {
            assert_eq!(answer(other), None);
        }
    }
}
