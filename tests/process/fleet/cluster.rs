//! A PostgreSQL cluster for one test, in a folder and on a socket, removed after the test.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::geteuid;
use tempfile::TempDir;

use crate::support::leave_out;

/// Settings that avoid syncs, since no test cuts the power.
const SETTINGS: &str =
    "-c listen_addresses= -c max_connections=200 -c fsync=off -c wal_level=replica";

/// A server that is stopped, and whose files are removed, when this is dropped.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
}

impl Cluster {
    /// `None` where PostgreSQL is missing, which is reported.
    pub fn start(left_out: &str) -> Option<Self> {
        let Some(programs) = programs() else {
            leave_out("PostgreSQL is not here", left_out);
            return None;
        };
        let cluster = Self::placed(programs);
        cluster.program("initdb", &["-A", "trust", "-U", "postgres", "--no-sync", "-D", "data"]);
        cluster.on();
        cluster.sql("postgres", "CREATE DATABASE mfactl");
        Some(cluster)
    }

    /// A standby that follows this server.
    pub fn standby(&self) -> Self {
        let standby = Self::placed(self.programs.clone());
        let source = self.folder.path().to_str().unwrap();
        standby.program(
            "pg_basebackup",
            &["-h", source, "-U", "postgres", "-D", "data", "-R", "-X", "stream", "-c", "fast"],
        );
        standby.on();
        standby
    }

    fn placed(programs: PathBuf) -> Self {
        let folder = tempfile::Builder::new().prefix("mfactl-pg").tempdir().unwrap();
        if let Some(user) = server_user() {
            chown(folder.path(), Some(user), None).unwrap();
        }
        Self { folder, programs }
    }

    /// Where its socket is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What `--store` takes for this server, or for several.
    pub fn address(&self) -> String {
        Self::address_of(&[self])
    }

    pub fn address_of(clusters: &[&Self]) -> String {
        let hosts: Vec<String> = clusters
            .iter()
            .map(|c| c.folder.path().to_str().unwrap().replace('/', "%2F"))
            .collect();
        format!("postgres://postgres@{}/mfactl", hosts.join(","))
    }

    pub fn on(&self) {
        self.on_with("");
    }

    pub fn off(&self) {
        self.program("pg_ctl", &["-D", "data", "-w", "-m", "immediate", "stop"]);
    }

    /// Starts the server with further settings.
    pub fn on_with(&self, more: &str) {
        let options = format!("{SETTINGS} -k {} {more}", self.folder.path().display());
        self.program("pg_ctl", &["-D", "data", "-w", "-o", &options, "-l", "log", "start"]);
    }

    /// Puts a file into the server's folder, with its owner and mode 0600.
    pub fn put(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        if let Some(user) = server_user() {
            chown(&path, Some(user), None).unwrap();
        }
        path
    }

    pub fn promote(&self) {
        self.program("pg_ctl", &["-D", "data", "-w", "promote"]);
    }

    /// The process id of the server.
    pub fn pid(&self) -> i32 {
        let file = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap();
        file.lines().next().unwrap().parse().unwrap()
    }

    /// A `psql` command for this server.
    pub fn psql(&self, database: &str) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", "postgres"]);
        psql.arg("-h").arg(self.folder.path()).args(["-d", database]);
        psql
    }

    #[track_caller]
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let ran = self.psql(database).args(["-c", sql]).output().unwrap();
        assert!(ran.status.success(), "{sql}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
    }

    fn program(&self, name: &str, args: &[&str]) {
        let ran = self.run(name, args);
        assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    }

    /// The server refuses to run as root.
    fn run(&self, name: &str, args: &[&str]) -> Output {
        let path = self.programs.join(name);
        let mut command = match server_user() {
            Some(_) => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(path);
                command
            }
            None => Command::new(path),
        };
        // The server would keep a pipe open for as long as it lives.
        let log = std::fs::File::create(self.folder.path().join("out")).unwrap();
        let done = command
            .args(args)
            .current_dir(self.folder.path())
            .stdin(std::process::Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .status()
            .unwrap();
        let said = std::fs::read(self.folder.path().join("out")).unwrap();
        Output { status: done, stdout: Vec::new(), stderr: said }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = self.run("pg_ctl", &["-D", "data", "-w", "-m", "immediate", "stop"]);
    }
}

/// The account of Debian's package, where we are root.
fn server_user() -> Option<u32> {
    if !geteuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:")).expect("the account");
    Some(line.split(':').nth(2).unwrap().parse().unwrap())
}

/// The folder of the newest server that Debian has installed.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|bin: &PathBuf| Path::new(bin).join("initdb").is_file())
        .collect();
    found.sort();
    found.pop()
}
