//! A real FreeRADIUS with the samples: the code as a password, and a password before the code.

use std::fs;
use std::io::Write as _;
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::door::{
    Door, accepts_right_codes_of, assert_gives_no_reason, survives_a_lock_and_a_missing_store,
};
use super::support::{World, has, is_root, leave_out};
use super::{INSTALLED, Installed};

const MODULE: &str = include_str!("../../../contrib/freeradius/mods-available/mfactl");
const BY_CODE: &str = include_str!("../../../contrib/freeradius/sites-available/mfactl");
const BY_BOTH: &str = include_str!("../../../contrib/freeradius/sites-available/mfactl-challenge");
const PROGRAM: &str = "/usr/sbin/freeradius";
/// The password of everybody, which `FreeRADIUS` checks.
const PASSWORD: &str = "hunter2";

pub struct Server {
    child: Child,
    /// The ports of the two virtual servers.
    ports: [u16; 2],
}

impl Server {
    /// The samples in a minimal configuration.
    pub fn start(world: &World, installed: &Installed) -> Self {
        Self::start_with(world, installed, MODULE)
    }

    /// With another module than our sample.
    fn start_with(world: &World, installed: &Installed, module: &str) -> Self {
        let folder = world.path("radius");
        fs::create_dir(&folder).unwrap();
        let here = folder.to_str().unwrap();
        let line = format!("\"{INSTALLED} --config /etc/mfactl/config.toml verify --from radius");
        assert_eq!(module.matches(&line).count(), 1);
        let started = format!("\"{} verify --from radius{}", installed.line, installed.more);
        let put = |name: &str, text: &str| fs::write(folder.join(name), text).unwrap();
        put("module", &module.replace(&line, &started));
        let ports = [BY_CODE, BY_BOTH].map(|site| {
            let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let listen = "ipaddr = *\n\t\tport = 1812\n";
            assert_eq!(site.matches(listen).count(), 1);
            let here = format!("ipaddr = 127.0.0.1\n\t\tport = {port}\n");
            put(&format!("site{port}"), &site.replace(listen, &here));
            port
        });
        put("users", &format!("DEFAULT Cleartext-Password := \"{PASSWORD}\"\n"));
        let distribution = "/etc/freeradius/3.0";
        let mods = format!("{distribution}/mods-available");
        let config = format!(
            "prefix = /usr\nlibdir = /usr/lib/freeradius\nraddbdir = {here}\nlogdir = {here}\n\
             run_dir = {here}\nmodconfdir = {distribution}/mods-config\n\
             security {{\n reject_delay = 0\n}}\n\
             client localhost {{\n ipaddr = 127.0.0.1\n secret = testing123\n}}\n\
             thread pool {{\n start_servers = 4\n max_servers = 8\n}}\n\
             modules {{\n $INCLUDE module\n $INCLUDE {mods}/attr_filter\n $INCLUDE {mods}/always\n\
             $INCLUDE {mods}/pap\n files {{\n usersfile = {here}/users\n }}\n}}\n\
             $INCLUDE site{}\n$INCLUDE site{}\n",
            ports[0], ports[1]
        );
        put("radiusd.conf", &config);
        let log = folder.join("log");
        let child = Command::new(PROGRAM)
            .args(["-f", "-n", "radiusd", "-d", here, "-l"])
            .arg(&log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { child, ports };
        for _ in 0..400 {
            if fs::read_to_string(&log).unwrap_or_default().contains("Ready to process requests") {
                return server;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("FreeRADIUS: {}", fs::read_to_string(&log).unwrap());
    }

    pub const fn by_code(&self) -> ByCode<'_> {
        ByCode(self)
    }

    pub const fn by_both(&self) -> ByBoth<'_> {
        ByBoth(self)
    }

    /// The packet that comes back, as `radclient` shows it.
    fn ask(&self, site: usize, user: &str, typed: &[u8], state: Option<&str>) -> String {
        let state = state.map_or_else(String::new, |state| format!("State = {state}\n"));
        let (name, password) = (quoted(user.as_bytes()), quoted(typed));
        let pairs = format!("User-Name = {name}\nUser-Password = {password}\n{state}");
        let server = format!("127.0.0.1:{}", self.ports[site]);
        let mut child = Command::new("radclient")
            .args(["-x", "-t", "30", "-r", "1", &server, "auth", "testing123"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let _ = pipe.write_all(pairs.as_bytes());
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let answer = said.split_once("Received ").map_or("", |(_, answer)| answer).to_owned();
        // Input that radclient does not send gets no answer.
        assert!(
            !answer.is_empty() || user.len() > 253 || typed.len() > 128 || typed.is_empty(),
            "{said}"
        );
        assert_gives_no_reason(&answer);
        answer
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The bytes in a notation that `radclient` accepts.
fn quoted(bytes: &[u8]) -> String {
    let escaped: Vec<String> = bytes.iter().map(|byte| format!("\\{byte:03o}")).collect();
    format!("\"{}\"", escaped.concat())
}

fn accepts(answer: &str) -> bool {
    answer.starts_with("Access-Accept")
}

/// The value of an attribute in an answer.
fn attribute<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = answer.lines().filter_map(|line| line.trim().split_once(" = "));
    lines.find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Logins at the virtual server that expects the code as the password.
pub struct ByCode<'s>(&'s Server);

impl Door for ByCode<'_> {
    fn opens(&self, user: &str, typed: &[u8]) -> bool {
        let answer = self.0.ask(0, user, typed, None);
        if answer.starts_with("Access-Reject") {
            let message = attribute(&answer, "Reply-Message");
            assert!(matches!(message, None | Some("\"not accepted\"")), "{answer}");
        }
        accepts(&answer)
    }
}

/// Logins at the virtual server that asks for the password, and then for the code.
pub struct ByBoth<'s>(&'s Server);

impl Door for ByBoth<'_> {
    fn opens(&self, user: &str, typed: &[u8]) -> bool {
        let answer = self.0.ask(1, user, PASSWORD.as_bytes(), None);
        if !answer.starts_with("Access-Challenge") {
            assert!(!accepts(&answer), "{answer}");
            return false;
        }
        assert_eq!(attribute(&answer, "Reply-Message"), Some("\"Verification code\""), "{answer}");
        let state = attribute(&answer, "State").unwrap();
        accepts(&self.0.ask(1, user, typed, Some(state)))
    }
}

pub fn can(what: &str) -> bool {
    let here =
        is_root(what) && has("radclient", what) && has("oathtool", what) && has("sqlite3", what);
    let found = std::path::Path::new(PROGRAM).is_file();
    if !found {
        leave_out("freeradius is not here", what);
    }
    here && found
}

#[test]
fn radius_asks_mfactl_for_a_code_in_place_of_the_password() {
    if !can("FreeRADIUS") || !has("radtest", "FreeRADIUS") {
        return;
    }
    let world = World::new();
    let installed = Installed::new(&world);
    let server = Server::start(&world, &installed);
    let mut alice = world.active("alice");
    accepts_right_codes_of(&mut alice, &world, &server.by_code());
    survives_a_lock_and_a_missing_store(&world, &server.by_code());
    let mut bob = world.pending("bob");
    let by_radtest = |code: &str, more: &[&str]| {
        let server = format!("127.0.0.1:{}", server.ports[0]);
        let mut command = Command::new("radtest");
        command.args(more).args(["bob", code, &server, "0", "testing123"]);
        let output = command.output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains("Received Access-Accept")
    };
    let code = world.next(&mut bob);
    assert!(!by_radtest(&code, &["-t", "chap"]), "CHAP hands no code over");
    assert!(!by_radtest(&bob.wrong(world.step()), &[]));
    assert!(by_radtest(&code, &[]));
}

#[test]
fn radius_gets_the_same_answers_without_quotes() {
    if !can("FreeRADIUS without shell_escape") {
        return;
    }
    let world = World::new();
    let module = MODULE.replace("shell_escape = yes", "shell_escape = no");
    assert_ne!(module, MODULE);
    let server = Server::start_with(&world, &Installed::new(&world), &module);
    let door = server.by_code();
    let mut alice = world.active("alice");
    let wrong = alice.wrong(world.step());
    let code = world.next(&mut alice);
    let quoted = format!("\"{code}\"");
    for typed in [&wrong, &quoted] {
        assert!(!door.opens("alice", typed.as_bytes()), "{typed}");
    }
    assert!(!door.opens("\"alice\"", code.as_bytes()));
    assert!(door.opens("alice", code.as_bytes()), "right");
    assert!(!door.opens("alice", code.as_bytes()), "replayed");
}

#[test]
fn radius_needs_the_password_and_then_the_code() {
    if !can("FreeRADIUS and its challenge") {
        return;
    }
    let world = World::new();
    let installed = Installed::new(&world);
    let server = Server::start(&world, &installed);
    let mut alice = world.active("alice");
    let door = server.by_both();
    accepts_right_codes_of(&mut alice, &world, &door);
    survives_a_lock_and_a_missing_store(&world, &door);

    // A State is valid after the right password, for the same user, and once.
    let mut bob = world.pending("bob");
    let mut eve = world.pending("eve");
    let (codes, theirs) = ([world.next(&mut bob), world.next(&mut bob)], world.next(&mut eve));
    let made_up = "0x00112233445566778899aabbccddeeff";
    assert!(!accepts(&server.ask(1, "bob", codes[0].as_bytes(), Some(made_up))));
    assert!(!accepts(&server.ask(1, "bob", codes[0].as_bytes(), None)));
    let wrong = server.ask(1, "bob", b"hunter3", None);
    assert!(wrong.starts_with("Access-Reject") && attribute(&wrong, "State").is_none(), "{wrong}");
    let first = server.ask(1, "bob", PASSWORD.as_bytes(), None);
    let state = attribute(&first, "State").unwrap();
    assert!(!accepts(&server.ask(1, "eve", theirs.as_bytes(), Some(state))), "another's");
    let second = server.ask(1, "bob", PASSWORD.as_bytes(), None);
    let state = attribute(&second, "State").unwrap();
    assert!(accepts(&server.ask(1, "bob", codes[0].as_bytes(), Some(state))));
    assert!(!accepts(&server.ask(1, "bob", codes[1].as_bytes(), Some(state))), "used");
}

#[test]
fn radius_asks_mfactl_for_password_and_code_in_one_line() {
    if !can("FreeRADIUS with passwords of ours") {
        return;
    }
    let world = World::new();
    let installed = Installed::with(&world, "--split last");
    let server = Server::start(&world, &installed);
    let mut alice = world.pending("alice");
    world.call("set-password alice").input("correct horse battery\n").run().expect(0);
    let code = world.next(&mut alice);
    let door = server.by_code();
    for line in [code.clone(), format!("correct horse{code}"), "correct horse battery".into()] {
        assert!(!door.opens("alice", line.as_bytes()), "{line}");
    }
    let line = format!("correct horse battery{code}");
    assert!(door.opens("alice", line.as_bytes()));
    assert!(!door.opens("alice", line.as_bytes()), "replayed");
}
