//! The sample PAM stack under `pamtester`.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::door::{
    Door, accepts_right_codes_of, assert_gives_no_reason, survives_a_lock_and_a_missing_store,
};
use super::support::{World, has, is_root};
use super::{INSTALLED, Installed};

const SAMPLE: &str = include_str!("../../../contrib/pam.d/mfactl");

/// Seconds; an answer takes at most two.
const PATIENCE: &str = "20";

/// A PAM service for one test, removed when dropped.
pub struct Stack {
    pub name: String,
    file: PathBuf,
}

impl Stack {
    /// The sample, and the modules that a login also needs.
    pub fn new(installed: &Installed, name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("mfactl-{name}-{}-{count}", std::process::id());
        let line = format!(" {INSTALLED} verify --from pam");
        assert_eq!(SAMPLE.matches(&line).count(), 1);
        let started = format!(" {} verify --from pam{}", installed.line, installed.more);
        let auth = SAMPLE.replace(&line, &started);
        let more = "account required pam_permit.so\nsession required pam_permit.so\n";
        let file = PathBuf::from("/etc/pam.d").join(&name);
        fs::write(&file, format!("{auth}\n{more}")).unwrap();
        Self { name, file }
    }
}

impl Door for Stack {
    fn opens(&self, user: &str, typed: &[u8]) -> bool {
        let mut child = Command::new("timeout")
            .args([
                PATIENCE,
                "pamtester",
                "--",
                &self.name,
                user,
                "authenticate",
                "setcred",
                "acct_mgmt",
            ])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let _ = pipe.write_all(typed).and_then(|()| pipe.write_all(b"\n"));
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        assert_ne!(output.status.code(), Some(124), "no answer in {PATIENCE} s");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        // pamtester shows the name of the service, which is ours.
        assert_gives_no_reason(&said.replace(&self.name, ""));
        assert!(!output.status.success() || said.contains("authenticator app"), "{said}");
        output.status.success()
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
    }
}

pub fn can(what: &str) -> bool {
    is_root(what) && has("pamtester", what) && has("oathtool", what) && has("sqlite3", what)
}

#[test]
fn the_pam_sample_accepts_a_right_code_and_nothing_else() {
    if !can("pamtester") {
        return;
    }
    let world = World::new();
    let stack = Stack::new(&Installed::new(&world), "stack");
    let mut alice = world.active("alice");
    accepts_right_codes_of(&mut alice, &world, &stack);
    survives_a_lock_and_a_missing_store(&world, &stack);
}
