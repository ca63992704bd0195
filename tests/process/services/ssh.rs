//! A real sshd on this machine: a key, and then a code through keyboard-interactive.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rexpect::session::{PtySession, spawn_command};

use super::Installed;
use super::door::{Door, NOBODY, assert_gives_no_reason};
use super::pam::Stack;
use super::support::{World, has, is_root, leave_out};

const SAMPLE: &str = include_str!("../../../contrib/ssh/mfactl.conf");
const SSHD: &str = "/usr/sbin/sshd";
/// The time limit for one prompt; this allows for a busy machine.
const PATIENCE: u64 = 20_000;

pub struct Server {
    child: Child,
    port: u16,
    key: PathBuf,
    stack: Stack,
}

impl Server {
    /// The sample, and settings that keep this server apart from that of the machine. PAM takes the
    /// name of the service from the name of the program.
    pub fn start(world: &World, installed: &Installed) -> Self {
        let stack = Stack::new(installed, "ssh");
        let program = world.path(&stack.name);
        fs::copy(SSHD, &program).unwrap();
        fs::create_dir_all("/run/sshd").unwrap();
        for key in ["host", "own"] {
            let file = world.path(key);
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(&file)
                .status();
            assert!(made.unwrap().success());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = |name: &str| world.path(name).display().to_string();
        let config = format!(
            "{SAMPLE}\nPort {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\n\
             PidFile none\nPermitRootLogin yes\nStrictModes no\nPrintMotd no\n",
            at("host"),
            at("own.pub"),
        );
        fs::write(world.path("sshd_config"), config).unwrap();
        let child = Command::new(&program)
            .args(["-D", "-e", "-f", &at("sshd_config")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(world.path("sshd.log")).unwrap())
            .spawn()
            .unwrap();
        let server = Self { child, port, key: world.path("own"), stack };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("sshd does not listen: {}", fs::read_to_string(at("sshd.log")).unwrap());
    }

    /// A client at the first of this many prompts.
    fn knock(&self, user: &str, key: &Path, prompts: usize) -> PtySession {
        let mut command = Command::new("ssh");
        command.args(["-F", "/dev/null", "-p", &self.port.to_string(), "-l", user, "-i"]).arg(key);
        for option in [
            "StrictHostKeyChecking=no",
            "UserKnownHostsFile=/dev/null",
            "IdentitiesOnly=yes",
            "IdentityAgent=none",
            "LogLevel=ERROR",
            &format!("NumberOfPasswordPrompts={prompts}"),
        ] {
            command.args(["-o", option]);
        }
        command.args(["127.0.0.1", "echo", "inside:$((6*7))"]);
        spawn_command(command, Some(PATIENCE)).unwrap()
    }

    /// Types these in turn; returns whether the login succeeds after the last.
    fn login(&self, key: &Path, typed: &[&str]) -> bool {
        let mut ssh = self.knock("root", key, typed.len());
        for line in typed {
            let mut asked = |words: &str| {
                ssh.exp_string(words)
                    .unwrap_or_else(|e| panic!("before {line:?} of {typed:?}: {e}"));
            };
            asked("authenticator app");
            asked("Password: ");
            ssh.send_line(line).unwrap();
        }
        let rest = ssh.exp_eof().unwrap();
        assert_gives_no_reason(&rest);
        rest.contains("inside:42")
    }
}

/// Logins with an accepted key and one prompt.
impl Door for Server {
    fn opens(&self, user: &str, typed: &[u8]) -> bool {
        assert_eq!(user, "root", "the only user that every machine has");
        self.login(&self.key, &[std::str::from_utf8(typed).unwrap()])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn can(what: &str) -> bool {
    let here =
        is_root(what) && has("ssh", what) && has("ssh-keygen", what) && has("oathtool", what);
    let found = Path::new(SSHD).is_file();
    if !found {
        leave_out("sshd is not here", what);
    }
    here && found
}

#[test]
fn malformed_codes_and_disabled_users_are_refused() {
    if !can("junk through a real sshd") {
        return;
    }
    let world = World::new();
    let server = Server::start(&world, &Installed::new(&world));
    let opens = |typed: &str| server.opens("root", typed.as_bytes());
    let mut root = world.pending("root");
    let long = "1".repeat(300);
    for typed in
        ["--help", "$(id)", "123456 7", "\u{ff}\u{fe}", "p\"w\\ '\u{e9}$()", "SCRV1::", &long]
    {
        assert!(!opens(typed), "{typed:?}");
        world.run("unlock root").expect(0);
    }
    let code = world.next(&mut root);
    assert!(opens(&code), "the confirming code");
    let code = world.next(&mut root);
    world.run("disable root --yes").expect(0);
    assert!(!opens(&code), "disabled");
    world.run("enable root --yes").expect(0);
    let away = world.path("away");
    fs::rename(world.store(), &away).unwrap();
    assert!(!opens(&code), "no store");
    fs::rename(&away, world.store()).unwrap();
    assert!(opens(&code), "the store is back");
    world.assert_sound();
}

#[test]
fn ssh_allows_three_tries_and_respects_a_lock() {
    if !can("a real sshd") {
        return;
    }
    let world = World::new();
    let server = Server::start(&world, &Installed::new(&world));
    assert!(server.stack.name.starts_with("mfactl-ssh"));
    let key = world.path("own");
    let mut root = world.pending("root");
    let wrong = root.wrong(world.step());
    let code = world.next(&mut root);

    assert!(server.login(&key, &[&wrong, "hunter2", &code]), "the third try");
    assert!(!server.login(&key, &[&code, &code, &wrong]), "replayed");
    assert!(!server.login(&key, &[&wrong, &wrong, &wrong]));
    assert!(!server.login(&key, &[&wrong, "", &wrong]));
    let code = world.next(&mut root);
    assert!(!server.login(&key, &[&code, &code, &code]), "locked");
    world.run("unlock root").expect(0);
    assert!(server.login(&key, &[&code]));

    let other = world.path("host");
    let keeps_out = |user: &str, key: &Path| {
        let rest = server.knock(user, key, 1).exp_eof().unwrap();
        assert!(!rest.contains("Password") && !rest.contains("inside"), "{user:?}: {rest}");
    };
    keeps_out("root", &other);
    // A user unknown to the system has no key either.
    let long = "a".repeat(300);
    for user in NOBODY.iter().copied().chain([long.as_str()]) {
        keeps_out(user, &key);
    }
    world.run("delete root --yes").expect(0);
    assert!(!server.login(&key, &["123456", "123456", "123456"]), "no device");
}
