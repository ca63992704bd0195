//! A machine with the real `sudo`, the sample rules and people, which stays up while a test sits at its terminals.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::hints::DESK;
use super::operators::machine;
use super::screen::Screen;
use super::support::{Seed, World};

/// Where the commands of the machine are.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// It goes away with the process that keeps its mounts.
pub struct Machine {
    keeper: Child,
    work: TempDir,
    /// For pictures of screens, and for codes.
    pub world: World,
}

impl Machine {
    /// Sets one up with a store, roles and the wrapper `mfa`. Nothing, and a message, where that can't be done here.
    #[track_caller]
    pub fn new(what: &str) -> Option<Self> {
        let (work, mut command) = machine(what, &format!("{DESK}echo up; cat"))?;
        let mut keeper = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(keeper.stdout.take().unwrap());
        let mut said = String::new();
        while !said.ends_with("up\n") {
            let read = output.read_line(&mut said).unwrap();
            assert!(read > 0, "the machine did not come up: {said}");
        }
        Some(Self { keeper, work, world: World::empty() })
    }

    /// A command that goes on in the mounts of this machine.
    fn inside(&self) -> Vec<String> {
        let id = self.keeper.id().to_string();
        ["nsenter", "-m", "-t", &id, "--"].map(str::to_owned).to_vec()
    }

    /// Runs commands as root; `$admin` is mfactl as the system user.
    #[track_caller]
    pub fn run(&self, commands: &str) -> String {
        let inside = self.inside();
        let commands = format!("admin='sudo -n -u mfactl mfactl'\ncd /\n{commands}");
        let output = Command::new(&inside[0])
            .args(&inside[1..])
            .args(["bash", "-euo", "pipefail", "-c", &commands])
            .env_clear()
            .env("PATH", PATH)
            .output()
            .unwrap();
        assert!(output.status.success(), "{commands}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Gives a user a pending phone.
    #[track_caller]
    pub fn pending(&self, user: &str) -> Seed {
        let line = "$admin enrol --create --no-confirm --json --reveal-secrets -- ";
        let answer: Value = serde_json::from_str(&self.run(&format!("{line}{user}"))).unwrap();
        Seed { base32: answer["secret"].as_str().unwrap().to_owned(), spent: 0 }
    }

    /// Gives a user a phone that has proved a code.
    #[track_caller]
    pub fn active(&self, user: &str) -> Seed {
        let mut seed = self.pending(user);
        assert!(self.accepts(user, &self.world.next(&mut seed)));
        seed
    }

    /// Does a login with this code succeed?
    #[track_caller]
    pub fn accepts(&self, user: &str, code: &str) -> bool {
        self.run(&format!("echo {code} | $admin verify -- {user} >&2 && echo yes || true"))
            == "yes\n"
    }

    /// What `list-status` says about a user.
    #[track_caller]
    pub fn user(&self, name: &str) -> Value {
        let list: Value = serde_json::from_str(&self.run("$admin list-status --json")).unwrap();
        let users = list["users"].as_array().unwrap();
        users.iter().find(|user| user["user"] == name).cloned().unwrap_or_default()
    }

    /// A person's own folder.
    pub fn home(&self, person: &str) -> PathBuf {
        match person {
            "root" => self.work.path().to_owned(),
            _ => self.work.path().join("homes").join(person),
        }
    }

    /// A person's shell in a terminal of 80 by 24, in their own folder.
    pub fn terminal(&self, person: &str) -> Screen {
        let home = self.home(person);
        let shell = format!(
            "{} runuser -u {person} -- env -i -C {} TERM=screen-256color PATH={PATH} \
             LANG=C.UTF-8 HOME={} PS1='$ ' sh",
            self.inside().join(" "),
            home.display(),
            home.display(),
        );
        Screen::with(&shell, 80, 24)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The end of its input ends it.
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
    }
}
