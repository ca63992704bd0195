//! A world of its own for each test: a private folder, a store in it, and real processes.

use std::ffi::{OsStr, OsString};
use std::fs::Permissions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// The program under test.
pub const MFACTL: &str = env!("CARGO_BIN_EXE_mfactl");
/// Seconds of a time step.
pub const PERIOD: u64 = 30;
/// The moment of a stopped clock: 2026-01-01T00:00:10Z, ten seconds into a step.
pub const MOMENT: i64 = 1_767_225_610;

/// Exit codes of the contract.
pub const USAGE: i32 = 64;
pub const BAD_INPUT: i32 = 65;
pub const USER_NOT_FOUND: i32 = 67;
pub const STORE_UNAVAILABLE: i32 = 69;
pub const CANNOT_CREATE: i32 = 73;
pub const IO: i32 = 74;
pub const REFUSED: i32 = 76;
pub const NOT_PERMITTED: i32 = 77;
pub const CONFIG: i32 = 78;

/// Longer than any run of the program lasts.
const LIMIT: Duration = Duration::from_secs(30);

/// A private folder with a store and a key in two folders of it.
pub struct World {
    folder: TempDir,
    clock: Option<Clock>,
}

/// A clock that `libfaketime` shows to the program.
#[derive(Clone, Copy)]
pub struct Clock {
    /// Seconds since 1970.
    pub at: i64,
}

/// A secret in base32, and the last time step that was spent.
#[derive(Clone)]
pub struct Seed {
    pub base32: String,
    pub spent: u64,
}

impl World {
    /// A world without a store.
    pub fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("mfactl-process").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        Self { folder, clock: None }
    }

    /// A world with an empty store.
    pub fn new() -> Self {
        let world = Self::empty();
        world.run("init").expect(0);
        world
    }

    /// A world whose clock stands still at [`MOMENT`].
    pub fn stopped() -> Self {
        let world = Self { clock: Some(Clock { at: MOMENT }), ..Self::empty() };
        world.run("init").expect(0);
        world
    }

    /// Moves the stopped clock.
    pub fn set_clock(&mut self, at: i64) {
        self.clock = Some(Clock { at });
    }

    /// The same files under another folder; links, owners and modes are kept.
    pub fn copy(&self) -> Self {
        let copy = Self { clock: self.clock, ..Self::empty() };
        let from = self.path(".");
        let done = Command::new("cp").arg("-a").arg(from).arg(copy.folder.path()).status();
        assert!(done.unwrap().success());
        copy
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn store(&self) -> PathBuf {
        self.path("s/m.db")
    }

    pub fn key(&self) -> PathBuf {
        self.path("k/m.key")
    }

    /// A run of a command line, split at blanks, on this world's store and key.
    pub fn call(&self, line: &str) -> Call {
        self.call_of(line.split_whitespace())
    }

    /// A run with these arguments as they are.
    pub fn call_of(&self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Call {
        let files: [OsString; 4] =
            ["--store".into(), self.store().into(), "--key-file".into(), self.key().into()];
        self.bare(files.into_iter().chain(args.into_iter().map(Into::into)))
    }

    /// A run that is told of no store and no key.
    pub fn bare(&self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Call {
        let mut variables: Vec<(OsString, OsString)> =
            vec![("HOME".into(), self.folder.path().into())];
        for (name, value) in
            [("TZ", "UTC"), ("LANG", "C"), ("PATH", "/usr/local/bin:/usr/bin:/bin")]
        {
            variables.push((name.into(), value.into()));
        }
        if let Some(clock) = self.clock {
            variables.extend(faked(clock));
        }
        Call {
            program: MFACTL.into(),
            wrapper: Vec::new(),
            args: args.into_iter().map(Into::into).collect(),
            variables,
            input: Vec::new(),
            limit: LIMIT,
        }
    }

    /// Runs a command line with nothing on standard input.
    pub fn run(&self, line: &str) -> Ran {
        self.call(line).run()
    }

    /// Presents a code.
    pub fn verify(&self, user: &str, code: &str) -> Ran {
        self.call(&format!("verify --json {user}")).input(code).run()
    }

    /// Enrols, and leaves the device pending.
    pub fn pending(&self, user: &str) -> Seed {
        let line = format!("enrol {user} --create --no-confirm --json --reveal-secrets");
        Seed { base32: self.run(&line).expect(0).json("secret"), spent: 0 }
    }

    /// Enrols, and confirms with the code of the present step.
    pub fn active(&self, user: &str) -> Seed {
        let mut seed = self.pending(user);
        self.verify(user, &self.next(&mut seed)).expect(0);
        seed
    }

    /// A code that was not used before and is right now and a little longer.
    ///
    /// It belongs to the present step, or to the one after the last that was spent: either is right
    /// until the next step is over, so that no test depends on where in a step it begins. Two can
    /// be had in a row; a third may be ahead of the window.
    pub fn next(&self, seed: &mut Seed) -> String {
        let step = self.step().max(seed.spent + 1);
        seed.spent = step;
        seed.code(step)
    }

    /// The step that the program's clock is in.
    pub fn step(&self) -> u64 {
        let at = self.clock.map_or_else(now, |c| c.at);
        at.max(0).cast_unsigned() / PERIOD
    }

    /// What a query of an auditor gives, read without touching the store.
    pub fn sql(&self, query: &str) -> String {
        let output = sqlite3(&self.store(), &["-readonly"], query);
        assert!(output.status.success(), "{query}: {}", text(&output.stderr));
        text(&output.stdout).trim_end().to_owned()
    }

    /// Changes the store behind the program's back.
    pub fn alter(&self, statements: &str) {
        // Constraints are no obstacle to somebody who can write the file.
        let statements = format!(
            ".dbconfig defensive off\n.dbconfig no_ckpt_on_close on\n\
             PRAGMA ignore_check_constraints=1;\n{statements}"
        );
        let output = sqlite3(&self.store(), &["-bail"], &statements);
        assert!(output.status.success(), "{statements}: {}", text(&output.stderr));
    }

    /// Everything that a verb may change, events excepted.
    pub fn state(&self) -> String {
        self.sql(".mode quote\nSELECT * FROM users ORDER BY n;\nSELECT * FROM devices ORDER BY n;")
    }

    /// How many events there are.
    pub fn events(&self) -> u32 {
        self.sql("SELECT count(*) FROM events").parse().unwrap()
    }

    /// Is the file sound, whatever happened to the processes that wrote it?
    #[track_caller]
    pub fn assert_sound(&self) {
        let head = "(SELECT seq FROM audit_head) = (SELECT max(seq) FROM events)";
        let whole = "(SELECT count(*) FROM events) = (SELECT max(seq) FROM events)";
        let query = format!("PRAGMA integrity_check; SELECT {head} AND {whole}");
        assert_eq!(self.sql(&query), "ok\n1");
    }

    /// The status of a user in the list.
    pub fn status(&self, user: &str) -> String {
        let list = self.run("list-status --json").expect(0).document();
        let users = list["users"].as_array().unwrap();
        let found = users.iter().find(|u| u["user"] == user);
        found.map_or_else(String::new, |u| u["status"].as_str().unwrap().to_owned())
    }
}

impl Seed {
    /// The code of a step, as `oathtool` has it.
    pub fn code(&self, step: u64) -> String {
        let output = Command::new("oathtool")
            .args(["--totp", "-b", "-N", &format!("@{}", step * PERIOD), &self.base32])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }

    /// Six digits that are right at none of the steps around this one.
    pub fn wrong(&self, step: u64) -> String {
        let right: Vec<String> = (step.saturating_sub(5)..step + 6).map(|s| self.code(s)).collect();
        (0..100).map(|n| format!("{n:06}")).find(|c| !right.contains(c)).unwrap()
    }
}

/// A run that is being prepared.
#[derive(Clone)]
pub struct Call {
    program: OsString,
    wrapper: Vec<OsString>,
    args: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    input: Vec<u8>,
    limit: Duration,
}

impl Call {
    pub fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_vec();
        self
    }

    /// Another copy of the program.
    pub fn program(mut self, program: impl Into<OsString>) -> Self {
        self.program = program.into();
        self
    }

    /// Another environment variable.
    pub fn with(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.retain(|(n, _)| n != name);
        self.variables.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Without an environment variable.
    pub fn without(mut self, name: &str) -> Self {
        self.variables.retain(|(n, _)| n != name);
        self
    }

    /// Run by another program, such as `strace`; the last that is named runs first.
    pub fn under(mut self, wrapper: impl IntoIterator<Item = impl Into<OsString>>) -> Self {
        self.wrapper = wrapper.into_iter().map(Into::into).chain(self.wrapper).collect();
        self
    }

    /// More options for the `strace` that it runs under.
    pub fn tracing(mut self, options: impl IntoIterator<Item = OsString>) -> Self {
        self.wrapper.splice(1..1, options);
        self
    }

    /// Run by a shell after these commands, with these redirections.
    pub fn in_shell(self, before: &str, redirections: &str) -> Self {
        self.under(["sh", "-c", &format!("{before}\nexec \"$@\" {redirections}"), "sh"])
    }

    /// The command, with nothing of our own environment in it.
    pub fn command(&self) -> Command {
        let mut words = self.wrapper.iter().chain([&self.program]).chain(&self.args);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).env_clear().envs(self.variables.iter().cloned());
        command
    }

    /// Starts it with its standard input still open.
    pub fn start(self) -> Started {
        self.start_with(Stdio::piped())
    }

    #[expect(clippy::disallowed_methods, reason = "a hang is told from an end by the real clock")]
    fn start_with(self, out: Stdio) -> Started {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(out).stderr(Stdio::piped()).process_group(0);
        let child = command.spawn().unwrap();
        Started { child, call: self, since: Instant::now() }
    }

    pub fn run(self) -> Ran {
        self.start().finish()
    }

    /// Runs it with another standard output, which is not read.
    pub fn run_to(self, out: impl Into<Stdio>) -> Ran {
        self.start_with(out.into()).finish()
    }
}

/// A process that runs.
pub struct Started {
    child: Child,
    call: Call,
    since: Instant,
}

impl Started {
    /// Gives it its input, and waits for its end.
    #[track_caller]
    pub fn finish(self) -> Ran {
        let Self { mut child, call, since } = self;
        let words: Vec<_> = call.args.iter().map(|a| a.to_string_lossy()).collect();
        let line = words.join(" ");
        let (pid, stdin) = (Pid::from_child(&child), child.stdin.take());
        thread::spawn(move || {
            // Whoever does not read to the end closes the pipe.
            let _ = stdin.map(|mut pipe| pipe.write_all(&call.input));
        });
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(child.wait_with_output()));
        let Ok(output) = receiver.recv_timeout(call.limit) else {
            let _ = kill_process_group(pid, Signal::KILL);
            panic!("no end after {:?}: {line}", call.limit);
        };
        let Output { status, stdout, stderr } = output.unwrap();
        Ran {
            code: code_of(status),
            out: text(&stdout),
            err: text(&stderr),
            took: since.elapsed(),
            line,
        }
    }
}

/// What a run left behind.
#[derive(Debug)]
pub struct Ran {
    /// As a shell has it: 128 and the signal for a process that was killed.
    pub code: i32,
    pub out: String,
    pub err: String,
    pub took: Duration,
    #[expect(dead_code, reason = "shown where a test fails")]
    pub line: String,
}

impl Ran {
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:?}");
        self
    }

    /// The JSON document on standard output.
    #[track_caller]
    pub fn document(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// A string of that document.
    #[track_caller]
    pub fn json(&self, name: &str) -> String {
        self.document()[name].as_str().unwrap_or_else(|| panic!("{name}: {self:?}")).to_owned()
    }

    /// The word of an answer, or nothing where there was none.
    pub fn outcome(&self) -> String {
        let answer: serde_json::Value = serde_json::from_str(&self.out).unwrap_or_default();
        answer["outcome"].as_str().unwrap_or_default().to_owned()
    }

    /// The word of the error on standard error, or nothing.
    pub fn error(&self) -> String {
        let last = self.err.lines().find(|l| l.starts_with('{')).unwrap_or_default();
        let error: serde_json::Value = serde_json::from_str(last).unwrap_or_default();
        error["error"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// A fault must end in one of the contract's words for trouble; never in a yes, in the no of a
    /// rejected code, or in a crash.
    #[track_caller]
    pub fn assert_trouble(&self) {
        assert!((64..=78).contains(&self.code) && self.code != 70, "{self:?}");
        assert!(!self.err.trim().is_empty(), "{self:?}");
    }
}

/// Is the program here? Where it is not, says loudly what is left out; under CI that is a failure.
#[track_caller]
pub fn has(program: &str, left_out: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|p| p.join(program).is_file());
    if !found {
        leave_out(&format!("{program} is not here"), left_out);
    }
    found
}

/// Do we run as root? Otherwise as with [`has`].
#[track_caller]
pub fn is_root(left_out: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        leave_out("this needs root", left_out);
    }
    root
}

/// Says so past the test harness, which keeps what `eprintln!` writes to itself.
#[track_caller]
pub fn leave_out(why: &str, what: &str) {
    assert!(std::env::var_os("CI").is_none(), "under CI nothing may be left out: {why}: {what}");
    let _ = writeln!(std::io::stderr(), "*** LEFT OUT: {what}: {why}");
}

/// What no output may ever hold raw, the line end excepted: control characters, C1, bidi, and what
/// can't be seen.
pub fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

/// The moment by the real clock, in seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "the program under test goes by the real clock")]
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().cast_signed()
}

/// The environment in which `libfaketime` shows a program this clock.
fn faked(clock: Clock) -> [(OsString, OsString); 3] {
    static LIBRARY: OnceLock<OsString> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| {
        let output = Command::new("faketime").args(["-f", "+0", "printenv", "LD_PRELOAD"]).output();
        text(&output.unwrap().stdout).trim().into()
    });
    let moment = Command::new("date")
        .args(["-u", "-d", &format!("@{}", clock.at), "+%Y-%m-%d %H:%M:%S"])
        .output()
        .unwrap();
    [
        ("LD_PRELOAD".into(), library.clone()),
        ("FAKETIME".into(), text(&moment.stdout).trim().into()),
        ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
    ]
}

fn sqlite3(store: &Path, options: &[&str], input: &str) -> Output {
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

fn code_of(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
