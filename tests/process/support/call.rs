//! One run of the program: its input, the wait for its end, and its output.

use std::ffi::{OsStr, OsString};
use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::{MFACTL, text};

/// Longer than any run of the program lasts.
const LIMIT: Duration = Duration::from_secs(30);

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
    pub fn new(
        args: impl IntoIterator<Item = impl Into<OsString>>,
        variables: Vec<(OsString, OsString)>,
    ) -> Self {
        Self {
            program: MFACTL.into(),
            wrapper: Vec::new(),
            args: args.into_iter().map(Into::into).collect(),
            variables,
            input: Vec::new(),
            limit: LIMIT,
        }
    }

    pub fn input(mut self, input: impl AsRef<[u8]>) -> Self {
        self.input = input.as_ref().to_vec();
        self
    }

    /// Another copy of the program.
    pub fn program(mut self, program: impl Into<OsString>) -> Self {
        self.program = program.into();
        self
    }

    /// One more argument.
    pub fn arg(mut self, arg: &str) -> Self {
        self.args.push(arg.into());
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

    /// Run by another program, such as `strace`; the last one added is the outermost.
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

    #[expect(clippy::disallowed_methods, reason = "only the real clock shows that a process hangs")]
    fn start_with(self, out: Stdio) -> Started {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(out).stderr(Stdio::piped()).process_group(0);
        let child = command.spawn().unwrap();
        Started { child, call: self, since: Instant::now() }
    }

    /// Starts it and gives it its input at once.
    pub fn start_fed(self) -> Started {
        let mut started = self.start();
        let mut pipe = started.child.stdin.take().unwrap();
        // A short input fits into the pipe before anybody reads it.
        assert!(started.call.input.len() < 4096);
        let _ = pipe.write_all(&started.call.input);
        started
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
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Gives it its input, and waits for its end.
    #[track_caller]
    pub fn finish(self) -> Ran {
        let Self { mut child, call, since } = self;
        let words: Vec<_> = call.args.iter().map(|a| a.to_string_lossy()).collect();
        let line = words.join(" ");
        let (pid, stdin) = (Pid::from_child(&child), child.stdin.take());
        thread::spawn(move || {
            // A program that does not read to the end closes the pipe.
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

/// The output and exit code of a run.
#[derive(Debug)]
pub struct Ran {
    /// The exit code as in a shell: 128 plus the signal for a process that was killed.
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

    /// The `outcome` of the document on standard output, or an empty string.
    pub fn outcome(&self) -> String {
        let answer: serde_json::Value = serde_json::from_str(&self.out).unwrap_or_default();
        answer["outcome"].as_str().unwrap_or_default().to_owned()
    }

    /// The error code of the JSON error on standard error, or an empty string.
    pub fn error(&self) -> String {
        let last = self.err.lines().find(|l| l.starts_with('{')).unwrap_or_default();
        let error: serde_json::Value = serde_json::from_str(last).unwrap_or_default();
        error["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

fn code_of(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap())
}
