//! `pamtester` on the sample of a PAM stack, as `pam_exec` runs it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::support::{MFACTL, World, has, is_root};
use super::{INSTALLED, started};

const SAMPLE: &str = include_str!("../../../contrib/pam.d/mfactl");

/// A PAM service of our own, gone when dropped.
pub struct Stack {
    pub name: String,
    file: PathBuf,
    /// The program where only root can write.
    program: PathBuf,
}

impl Stack {
    /// The sample for this world's store, and what a login takes besides.
    pub fn new(world: &World, name: &str) -> Self {
        let name = format!("mfactl-{name}-{}", std::process::id());
        let program = world.path("mfactl");
        fs::copy(MFACTL, &program).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(SAMPLE.matches(&format!(" {INSTALLED} ")).count(), 1);
        let started = started(world, program.to_str().unwrap());
        let auth = SAMPLE.replace(&format!(" {INSTALLED} "), &format!(" {started} "));
        let more = "account required pam_permit.so\nsession required pam_permit.so\n";
        let file = PathBuf::from("/etc/pam.d").join(&name);
        fs::write(&file, format!("{auth}\n{more}")).unwrap();
        Self { name, file, program }
    }

    /// Does this login work? All that is said to the user is handed back.
    fn login(&self, user: &str, typed: &[u8]) -> (bool, String) {
        let mut child = Command::new("pamtester")
            .args(["--", &self.name, user, "authenticate", "setcred", "acct_mgmt"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let _ = pipe.write_all(typed).and_then(|()| pipe.write_all(b"\n"));
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
        let _ = fs::remove_file(&self.program);
    }
}

fn can(what: &str) -> bool {
    is_root(what) && has("pamtester", what) && has("oathtool", what) && has("sqlite3", what)
}

#[test]
fn the_sample_lets_in_by_a_right_code_and_by_nothing_else() {
    if !can("pamtester") {
        return;
    }
    let world = World::new();
    let stack = Stack::new(&world, "stack");
    let mut alice = world.active("alice");
    let mut carol = world.pending("carol");
    world.run("add-user bob").expect(0);
    let no = |user: &str, typed: &str| {
        let (lets_in, said) = stack.login(user, typed.as_bytes());
        assert!(!lets_in, "{user} {typed:?}: {said}");
        for word in ["mfactl", "rejected", "locked", "unknown", "exit code", "replay"] {
            assert!(!said.contains(word), "{user} {typed:?}: {said}");
        }
    };
    let yes = |user: &str, typed: &str| {
        let (lets_in, said) = stack.login(user, typed.as_bytes());
        assert!(lets_in, "{user}: {said}");
        assert!(said.contains("authenticator app"), "{said}");
    };
    no("alice", &alice.wrong(world.step()));
    let code = world.next(&mut alice);
    yes("alice", &code);
    no("alice", &code);
    no("alice", "hunter2");
    no("alice", "");
    no("bob", "123456");
    no("nobody", "123456");
    for name in ["--help", "-V", "$(id)", "a b", "é", &"a".repeat(300), "\u{8}\r\u{7f}INCORRECT"] {
        no(name, "123456");
    }
    assert!(!stack.login("carol", b"\x08\n\r\x7fINC\xff\xfe").0);
    yes("carol", &world.next(&mut carol));

    world.run("disable carol --yes").expect(0);
    let code = world.next(&mut carol);
    no("carol", &code);
    world.run("enable carol --yes").expect(0);
    yes("carol", &code);
    world.assert_sound();
}

#[test]
fn three_tries_a_lock_a_store_that_is_gone_and_the_next_good_login() {
    if !can("pamtester, locks and trouble") {
        return;
    }
    let world = World::new();
    let stack = Stack::new(&world, "lock");
    let mut alice = world.pending("alice");
    let wrong = alice.wrong(world.step());
    for _ in 0..5 {
        assert!(!stack.login("alice", wrong.as_bytes()).0);
    }
    let code = world.next(&mut alice);
    assert!(!stack.login("alice", code.as_bytes()).0, "locked");
    world.run("unlock alice").expect(0);
    let away = world.path("away");
    fs::rename(world.store(), &away).unwrap();
    assert!(!stack.login("alice", code.as_bytes()).0, "no store");
    fs::rename(&away, world.store()).unwrap();
    assert!(stack.login("alice", code.as_bytes()).0);
    let accepted = "SELECT count(*) FROM events WHERE outcome IN ('accepted', 'confirmed')";
    assert_eq!(world.sql(accepted), "1");
}
