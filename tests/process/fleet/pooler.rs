//! A `PgBouncer` in front of a cluster, in transaction mode and otherwise as it comes.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::geteuid;

use super::cluster::Cluster;
use crate::support::has;

const PORT: u16 = 6432;
/// Where Debian has it, which is not on everybody's PATH.
const PROGRAM: &str = "/usr/sbin/pgbouncer";

/// A pooler that ends when this is dropped.
pub struct Pooler {
    process: Child,
    address: String,
    folder: String,
}

impl Pooler {
    /// With one connection to the server for each login and database, so that all share it; `None` where there
    /// is no `PgBouncer`, which is said loudly.
    pub fn start(cluster: &Cluster, left_out: &str) -> Option<Self> {
        if !Path::new(PROGRAM).is_file() && !has("pgbouncer", left_out) {
            return None;
        }
        let folder = cluster.folder().to_str().unwrap().to_owned();
        let mut users = String::new();
        for name in cluster.sql("postgres", "SELECT rolname FROM pg_roles").lines() {
            let _ = writeln!(users, "\"{name}\" \"\"");
        }
        let users = cluster.put("pooler.users", users.as_bytes());
        let text = format!(
            "[databases]\n* = host={folder}\n[pgbouncer]\nlisten_port = {PORT}\nlisten_addr =\n\
             unix_socket_dir = {folder}\npool_mode = transaction\nauth_type = trust\n\
             auth_file = {}\nlogfile = {folder}/pooler.log\n\
             default_pool_size = 1\n",
            users.display()
        );
        let text = cluster.put("pooler.ini", text.as_bytes());
        // It refuses to be root.
        let mut command = if geteuid().is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", "postgres", "--regid", "postgres", "--clear-groups", PROGRAM]);
            command
        } else {
            Command::new(PROGRAM)
        };
        command
            .arg("-q")
            .arg(text)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = command.spawn().unwrap();
        let address = cluster.address().replace("/mfactl", &format!(":{PORT}/mfactl"));
        let pooler = Self { process, address, folder };
        for _ in 0..100 {
            if pooler.psql("postgres", "mfactl").args(["-c", ""]).status().unwrap().success() {
                return Some(pooler);
            }
            thread::sleep(Duration::from_millis(50));
        }
        panic!("the pooler does not answer");
    }

    /// What `--store` takes for a login through it.
    pub fn address(&self, login: &str) -> String {
        self.address.replace("postgres@", &format!("{login}@"))
    }

    /// The command that speaks SQL through it, in the session that all of this login share.
    pub fn psql(&self, login: &str, database: &str) -> Command {
        let mut psql = Command::new("psql");
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-U", login, "-d", database]);
        psql.args(["-h", &self.folder, "-p", &PORT.to_string()]);
        psql.stderr(Stdio::null());
        psql
    }

    #[track_caller]
    pub fn sql(&self, login: &str, database: &str, sql: &str) -> String {
        let ran = self.psql(login, database).args(["-c", sql]).output().unwrap();
        assert!(ran.status.success(), "{sql}");
        String::from_utf8(ran.stdout).unwrap().trim_end().to_owned()
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
