//! The program that a service starts: the words of its line, and whether the file can be trusted.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::access::Account;
use super::finding::Survey;
use super::machine::Machine;
use crate::config::PathOptions;
use crate::files::file_trust::{display_path, path_argument};

const WHAT: &str = "program";

/// A line `PROGRAM [OPTIONS] verify --from SERVICE [OPTIONS]`.
#[derive(Debug)]
pub struct StartedProgram {
    pub path: PathBuf,
    pub paths: PathOptions,
    /// The socket of the verifier that it asks.
    pub socket: Option<PathBuf>,
    /// `--split last`: password and code come in one line.
    pub splits: bool,
}

impl StartedProgram {
    /// The program as the samples start it, for a server that has no line yet.
    pub fn of_sample() -> Self {
        let paths = PathOptions::default();
        let socket = paths.verifier(None);
        Self { path: "/usr/bin/mfactl".into(), paths, socket, splits: false }
    }

    /// `None` if the words do not start a check for this service.
    pub fn parse(words: &[&str], service: &str) -> Option<Self> {
        let verb = words.iter().position(|word| *word == "verify")?;
        let (before, after) = words.split_at(verb);
        let (path, options) = before.split_first()?;
        let value = |words: &[&str], option: &str| {
            words.iter().enumerate().find_map(|(n, word)| match word.strip_prefix(option)? {
                "" => words.get(n + 1).map(|value| (*value).to_owned()),
                rest => rest.strip_prefix('=').map(ToOwned::to_owned),
            })
        };
        let path_of = |option| value(options, option).map(PathBuf::from);
        let paths = PathOptions {
            store: path_of("--store"),
            config: path_of("--config"),
            key_file: path_of("--key-file"),
        };
        let socket = value(after, "--socket").map(PathBuf::from);
        (value(after, "--from").as_deref() == Some(service)).then(|| Self {
            path: PathBuf::from(*path),
            socket: paths.verifier(socket.as_deref()),
            paths,
            splits: value(after, "--split").is_some(),
        })
    }

    pub fn look(&self, machine: &Machine, account: &Account, findings: &mut Survey) {
        let (path, argument) = (display_path(&self.path), path_argument(&self.path));
        if !self.path.is_absolute() {
            let words = format!("{path} is no absolute path, and the service has no PATH");
            return findings.missing(WHAT, words, "write the program's absolute path in that line");
        }
        let Some(file) = machine.metadata(&self.path).filter(Metadata::is_file) else {
            let words = format!("there is no program {path}");
            let fix = format!("install -m 0755 mfactl {argument}");
            return findings.missing(WHAT, words, fix);
        };
        if file.uid() != machine.owner || file.mode() & 0o022 != 0 {
            let words = format!(
                "{path} belongs to uid {} with mode {:04o}: whoever can change it lets everybody in",
                file.uid(),
                file.mode() & 0o7777
            );
            let fix = format!("chown root:root {argument}; chmod 0755 {argument}");
            return findings.missing(WHAT, words, fix);
        }
        if file.mode() & 0o6000 != 0 {
            let words = format!("{path} is setuid or setgid, and such a copy refuses everything");
            return findings.missing(WHAT, words, format!("chmod 0755 {argument}"));
        }
        if let Some(folder) = self.open_folder(machine) {
            let words =
                format!("{} is writable by others, who can replace {path}", display_path(folder));
            let folder = path_argument(folder);
            return findings.missing(
                WHAT,
                words,
                format!("chown root {folder}; chmod go-w {folder}"),
            );
        }
        if account.denied(machine, &self.path, 0o1).is_some() {
            let words = format!("{} may not run {path}", account.name);
            return findings.missing(WHAT, words, format!("chmod 0755 {argument}"));
        }
        if is_running(&machine.place(&self.path)) {
            findings.good(WHAT, format!("{path}, which is this one"));
        } else {
            let words = format!("{path} is another file than the mfactl that runs now");
            findings.advice(WHAT, words, format!("compare: {argument} --version"));
        }
    }

    /// A folder above the program that somebody else can write to.
    fn open_folder(&self, machine: &Machine) -> Option<&Path> {
        self.path.ancestors().skip(1).find(|folder| {
            machine.metadata(folder).is_some_and(|found| {
                let is_sticky = found.mode() & 0o1000 != 0;
                let is_foreign = found.uid() != machine.owner && found.uid() != 0;
                is_foreign || (found.mode() & 0o022 != 0 && !is_sticky)
            })
        })
    }
}

/// Whether a file is the program that runs now, or a copy of it.
fn is_running(path: &Path) -> bool {
    let Ok(own) = std::env::current_exe() else { return false };
    let (Ok(one), Ok(other)) = (own.metadata(), path.metadata()) else { return false };
    if (one.dev(), one.ino()) == (other.dev(), other.ino()) {
        return true;
    }
    one.len() == other.len() && std::fs::read(own).ok() == std::fs::read(path).ok()
}
