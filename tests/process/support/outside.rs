//! Other people's programs: `sqlite3`, `libfaketime`.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;

use super::{Clock, World, text};

/// Environment variables that give a program this clock through `libfaketime`.
pub fn faked(clock: Clock) -> [(OsString, OsString); 3] {
    [
        ("LD_PRELOAD".into(), library().into()),
        ("FAKETIME".into(), faketime(clock.at).into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
    ]
}

/// Environment variables that give a program the clock of a file.
pub fn faked_by(file: &Path) -> [(&'static str, String); 5] {
    [
        ("LD_PRELOAD", library().to_owned()),
        ("FAKETIME_TIMESTAMP_FILE", file.to_str().unwrap().to_owned()),
        ("FAKETIME_NO_CACHE", "1".to_owned()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ("TZ", "UTC".to_owned()),
    ]
}

fn library() -> &'static str {
    static LIBRARY: OnceLock<String> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let output = Command::new("faketime").args(["-f", "+0", "printenv", "LD_PRELOAD"]).output();
        text(&output.unwrap().stdout).trim().to_owned()
    })
}

/// Removes the files that `libfaketime` keeps for killed processes: a new process with the same number would
/// use them.
pub fn remove_files_of_dead_processes() {
    for entry in std::fs::read_dir("/dev/shm").unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap_or_default();
        let Some(process) = name.strip_prefix("faketime_shm_") else { continue };
        if !Path::new("/proc").join(process).exists() {
            for file in [&name, &format!("sem.faketime_sem_{process}")] {
                let _ = std::fs::remove_file(Path::new("/dev/shm").join(file));
            }
        }
    }
}

/// A time in the notation of `libfaketime`.
pub fn faketime(at: i64) -> String {
    let moment = Command::new("date")
        .args(["-u", "-d", &format!("@{at}"), "+%Y-%m-%d %H:%M:%S"])
        .output()
        .unwrap();
    text(&moment.stdout).trim().to_owned()
}

pub fn sqlite3(store: &Path, options: &[&str], input: &str) -> Output {
    let mut child = Command::new("sqlite3")
        .args(["-batch", "-cmd", ".timeout 20000"])
        .args(options)
        .arg(store)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    if let Err(error) = pipe.write_all(input.as_bytes()) {
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }
    drop(pipe);
    child.wait_with_output().unwrap()
}

/// A `sqlite3` with an open transaction; it ends where this is dropped.
pub struct Held(Child);

impl Drop for Held {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl World {
    /// Another program with an open transaction on the store that begins with these statements.
    pub fn held_by(&self, statements: &str) -> Held {
        let mut child = Command::new("sqlite3")
            .arg(self.store())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let pipe = child.stdin.as_mut().unwrap();
        pipe.write_all(format!("{statements}\nSELECT 'held';\n").as_bytes()).unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let held = Held(child);
        assert!(lines.map_while(Result::ok).any(|l| l == "held"), "{statements}");
        held
    }
}
