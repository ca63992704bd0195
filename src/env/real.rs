//! The real environment.

use std::ffi::OsStr;
use std::io::{ErrorKind, IsTerminal as _, Read, Write};
use std::os::fd::AsFd;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{Clock, Env, Process, Prompt, RandomSource, Size, Stream};
use crate::domain::audit::event::Operator;
use crate::domain::caller::Caller;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::time::Timestamp;
use crate::env::ntp;
use crate::env::system_log;
use crate::env::terminal::{self, Terminal};
use crate::env::zone::zone;

struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is where the real clock comes from")]
    fn now(&self) -> Result<Timestamp> {
        let seconds = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(-1, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX));
        Ok(Timestamp::from_unix(seconds)?)
    }

    fn is_synchronised(&self) -> Option<bool> {
        ntp::is_synchronised()
    }
}

struct SystemRandom;

impl RandomSource for SystemRandom {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        getrandom::fill(bytes).map_err(|_| {
            Refusal::new(ErrorCode::Io, "the system has no random numbers; nothing was changed")
                .into()
        })
    }
}

/// Standard input, locked only while it is read.
struct Input;

impl Read for Input {
    #[expect(clippy::disallowed_methods, reason = "this is where standard input comes from")]
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match std::io::stdin().read(buffer) {
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    is_ready(&rustix::stdio::stdin(), PollFlags::IN, None);
                }
                read => return read,
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "this is where standard input comes from")]
pub fn env() -> Env {
    let (out, err) = (std::io::stdout(), std::io::stderr());
    let input_is_terminal = std::io::stdin().is_terminal();
    let has_person = err.is_terminal();
    let is_interactive = input_is_terminal && has_person;
    let has_pages = out.is_terminal() && has_alternate_screen(std::env::var("TERM").ok());
    let process = process();
    Env {
        clock: Box::new(SystemClock),
        rng: Box::new(SystemRandom),
        prompt: is_interactive.then(|| Box::new(Terminal::new(has_pages)) as Box<dyn Prompt>),
        input: Box::new(Input),
        prompt_after_list: Box::new(move || {
            let is_asked = has_person && !input_is_terminal && take_terminal_as_input().is_some();
            is_asked.then(|| Box::new(Terminal::new(has_pages)) as Box<dyn Prompt>)
        }),
        input_is_terminal,
        has_pending_input: || is_ready(&rustix::stdio::stdin(), PollFlags::IN, Some(&NO_WAIT)),
        out: Stream { terminal: size(&out), writer: Box::new(std::io::BufWriter::new(RawOut)) },
        err: Stream { terminal: size(&err), writer: Box::new(err) },
        variables: Box::new(|name| std::env::var_os(name)),
        zone: Box::new(|| zone(std::env::var("TZ").ok().as_deref())),
        user_name: |uid| {
            uzers::get_user_by_uid(uid).map(|user| user.name().to_string_lossy().into_owned())
        },
        caller: caller(&process),
        process,
        system_log: std::sync::Arc::new(system_log::write),
        watch_interrupts: terminal::watch_interrupts,
        for_thread: env,
        end,
    }
}

#[expect(clippy::disallowed_methods, reason = "a thread that hangs can't be made to return")]
fn end(code: u8) {
    std::process::exit(code.into());
}

/// Terminals without one are named, since all that people use has one. A terminal that is called otherwise and has
/// none still loses nothing: a page is wiped row by row.
fn has_alternate_screen(term: Option<String>) -> bool {
    let none =
        ["", "dumb", "linux", "unknown", "ansi", "vt52", "vt100", "vt102", "vt220", "cons25"];
    term.is_some_and(|term| !none.contains(&term.as_str()))
}

/// Makes the terminal of this process its standard input, where prompts read; `None` where it has none, as under cron.
fn take_terminal_as_input() -> Option<()> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal = rustix::fs::open("/dev/tty", flags, Mode::empty()).ok()?;
    rustix::stdio::dup2_stdin(&terminal).ok()
}

const NO_WAIT: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

/// Waits until a stream can be read or written, at most `wait`, or without limit; `false` after a
/// timeout. The parent process may have handed over a non-blocking descriptor.
fn is_ready(stream: &impl AsFd, event: PollFlags, wait: Option<&Timespec>) -> bool {
    poll(&mut [PollFd::new(stream, event)], wait).is_ok_and(|ready| ready > 0)
}

/// Standard output without Rust's line buffer: ours is larger.
struct RawOut;

impl Write for RawOut {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        loop {
            match rustix::io::write(rustix::stdio::stdout(), bytes) {
                Err(Errno::AGAIN) => {
                    is_ready(&rustix::stdio::stdout(), PollFlags::OUT, None);
                }
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn process() -> Process {
    use rustix::process::{getegid, geteuid, getgid, getuid};
    if getuid() != geteuid() || getgid() != getegid() || has_file_capabilities() {
        // Nothing more is read: not even names of users.
        return Process { is_elevated: true, ..Process::default() };
    }
    let sudo_uid = std::env::var_os("SUDO_UID").map(|uid| sudo_uid(&uid));
    let claim = std::env::var("SUDO_USER").ok().filter(|name| !name.is_empty());
    let claim = claim.or_else(|| sudo_uid.map(login_name));
    Process {
        operator: Operator {
            uid: getuid().as_raw(),
            claim: claim.map(|name| name.chars().take(64).collect()),
        },
        euid: geteuid().as_raw(),
        root: "/".into(),
        host_name: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        sudo_uid,
        is_service: false,
        is_self_service: false,
        is_elevated: false,
    }
}

/// Whether the program file gave this process capabilities. Those of a service are ambient ones. `AT_SECURE`
/// of the kernel would say more than that: `SELinux` sets it at a change of domain.
fn has_file_capabilities() -> bool {
    let permitted = rustix::thread::capabilities(None).map(|sets| sets.permitted.bits());
    if rustix::process::geteuid().is_root() || permitted.is_ok_and(|bits| bits == 0) {
        return false;
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let set = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        u64::from_str_radix(line.trim(), 16).ok()
    };
    set("CapPrm:").zip(set("CapAmb:")).is_none_or(|(permitted, ambient)| permitted & !ambient != 0)
}

/// The uid in `SUDO_UID`, as `sudo` writes it. Anything else becomes the uid that nobody has: ignoring it would
/// give its caller the rights of root, and `parse` alone reads `00` and `+0` as root.
fn sudo_uid(text: &OsStr) -> u32 {
    let uid = text.to_str().and_then(|text| text.parse().ok());
    uid.filter(|uid: &u32| text == uid.to_string().as_str()).unwrap_or(u32::MAX)
}

/// How the caller starts the program. `sudo` counts where it started this program itself: in a shell that it started,
/// the name of the program is enough.
fn caller(process: &Process) -> Caller {
    let command = std::env::var_os("SUDO_COMMAND").filter(|_| process.sudo_uid.is_some());
    let is_started = command.is_some_and(|command| is_this_program(&command));
    Caller { sudo_user: is_started.then(|| login_name(process.euid)), ..Caller::default() }
}

/// Whether the first word of a command is a path to a file of this program's name.
fn is_this_program(command: &OsStr) -> bool {
    let words = command.as_encoded_bytes();
    let program = words.split(|byte| *byte == b' ').next().unwrap_or_default();
    program == b"mfactl" || program.ends_with(b"/mfactl")
}

/// The name of a uid, or the uid as `sudo` writes it where a name belongs.
fn login_name(uid: u32) -> String {
    let user = uzers::get_user_by_uid(uid);
    user.map_or_else(|| format!("#{uid}"), |user| user.name().to_string_lossy().into_owned())
}

fn size(stream: &(impl std::io::IsTerminal + AsFd)) -> Option<Size> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok();
    let size = size.filter(|s| s.ws_col > 0 && s.ws_row > 0);
    Some(
        size.map_or(Size { columns: 80, rows: 24 }, |s| Size { columns: s.ws_col, rows: s.ws_row }),
    )
}

#[cfg(test)]
mod tests {
    use crate::env::real::*;

    #[test]
    fn d16_a_terminal_without_an_alternate_screen_gets_no_page() {
        for term in ["xterm-256color", "screen-256color", "tmux", "alacritty"] {
            assert!(has_alternate_screen(Some(term.to_owned())), "{term}");
        }
        for term in ["", "dumb", "linux", "vt100"] {
            assert!(!has_alternate_screen(Some(term.to_owned())), "{term}");
        }
        assert!(!has_alternate_screen(None));
    }

    #[test]
    fn s4_a_sudo_uid_that_is_no_uid_is_nobody_and_never_root() {
        assert_eq!(sudo_uid("1000".as_ref()), 1000);
        assert_eq!(sudo_uid("0".as_ref()), 0);
        for text in [
            "",
            " 0",
            "0 ",
            "00",
            "+0",
            "-0",
            "02",
            "+1000",
            "01000",
            "-1",
            "0x0",
            "٠",
            "root",
            "4294967295",
            "4294967296",
        ] {
            assert_eq!(sudo_uid(text.as_ref()), u32::MAX, "{text}");
        }
        assert_eq!(login_name(0), "root");
        assert_eq!(login_name(u32::MAX), "#4294967295");
    }
}
