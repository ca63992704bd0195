//! Whole processes, measured from outside.

use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

/// One run of a program: what it is given, and the exit code without which it does not count.
#[derive(Clone)]
pub struct Task {
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub input: String,
    /// Environment variables besides those of this process.
    pub variables: Vec<(String, String)>,
    pub exit: i32,
}

impl Task {
    pub fn new<A: Into<OsString>>(
        program: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        let args = args.into_iter().map(Into::into).collect();
        let program = program.into();
        Self { program, args, input: String::new(), variables: Vec::new(), exit: 0 }
    }

    /// The time from its start to its end.
    pub fn wall(&self) -> Result<Duration> {
        let mut command = self.command(&[])?;
        let start = Instant::now();
        let status = command.status()?;
        let wall = start.elapsed();
        ensure!(status.code() == Some(self.exit), "{}: {status}", self.program.display());
        Ok(wall)
    }

    /// The most memory it held, in MiB; `None` where GNU time is not installed.
    pub fn peak(&self) -> Result<Option<f64>> {
        let text = self.told(&["time", "-q", "-f", "%M", "-o", "REPORT"])?;
        Ok(text.and_then(|t| t.trim().parse::<f64>().ok()).map(|kib| kib / 1024.0))
    }

    /// What a tool writes about the run into the file that stands as `REPORT` in its arguments;
    /// `None` where there is no such tool.
    pub fn told(&self, tool: &[&str]) -> Result<Option<String>> {
        let report = tempfile::NamedTempFile::new()?;
        let path = report.path().to_string_lossy();
        let tool: Vec<_> = tool.iter().map(|word| word.replace("REPORT", &path)).collect();
        let status = match self.command(&tool)?.status() {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            status => status?,
        };
        ensure!(status.code() == Some(self.exit), "{}: {status}", self.program.display());
        Ok(Some(std::fs::read_to_string(report.path())?))
    }

    fn command(&self, tool: &[String]) -> Result<Command> {
        // Written before the clock runs, and no file: that would give the disk something to do.
        let (input, mut writer) = std::io::pipe()?;
        writer.write_all(self.input.as_bytes())?;
        let mut words = tool.iter().map(OsString::from).collect::<Vec<_>>();
        words.push(self.program.clone().into());
        words.extend(self.args.iter().cloned());
        let mut command = Command::new(&words[0]);
        command.envs(self.variables.iter().cloned());
        command.args(&words[1..]).stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command)
    }
}

/// Times of one program, in milliseconds, the shortest first.
#[derive(Default)]
pub struct Walls(Vec<f64>);

impl Walls {
    pub fn push(&mut self, wall: Duration) {
        let wall = wall.as_secs_f64() * 1000.0;
        self.0.insert(self.0.partition_point(|w| *w < wall), wall);
    }

    pub fn least(&self) -> f64 {
        self.0[0]
    }

    pub fn median(&self) -> f64 {
        self.0[self.0.len() / 2]
    }
}

/// The largest of some peaks; a dash where there are none.
pub fn highest(peaks: &[Option<f64>]) -> String {
    let highest = peaks.iter().flatten().copied().reduce(f64::max);
    highest.map_or("-".to_owned(), |mib| format!("{mib:.1}"))
}
