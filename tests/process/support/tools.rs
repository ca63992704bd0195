//! Programs that the tests need; a missing one is reported.

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::process::Pid;

/// Whether the program is installed. If not, reports what is left out; under CI that is a failure.
#[track_caller]
pub fn has(program: &str, left_out: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|p| p.join(program).is_file());
    if !found {
        leave_out(&format!("{program} is not here"), left_out);
    }
    found
}

/// Whether we run as root. If not, reports it like [`has`].
#[track_caller]
pub fn is_root(left_out: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        leave_out("this needs root", left_out);
    }
    root
}

/// Reports it directly to standard error, because the test harness captures `eprintln!`.
#[track_caller]
pub fn leave_out(why: &str, what: &str) {
    assert!(std::env::var_os("CI").is_none(), "under CI nothing may be left out: {why}: {what}");
    let _ = writeln!(std::io::stderr(), "*** LEFT OUT: {what}: {why}");
}

/// Characters that no output may contain raw, the line end excepted: control characters, C1, bidi and
/// invisible ones.
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

/// The real time, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the program under test goes by the real clock")]
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// The processes that this one started and that have not ended.
pub fn children(parent: u32) -> Vec<Pid> {
    let list = std::fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let list = list.unwrap_or_default();
    let ids = list.split_whitespace().map(|id| id.parse().unwrap());
    ids.map(|id| Pid::from_raw(id).unwrap()).collect()
}
