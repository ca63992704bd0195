//! A real OpenVPN server with the sample, and real clients: a plain password, a static challenge, and a
//! second prompt.

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use data_encoding::BASE64;

use super::door::{
    Door, accepts_right_codes_of, assert_gives_no_reason, survives_a_lock_and_a_missing_store,
};
use super::support::{Call, World, has, is_root, leave_out};
use super::{INSTALLED, Installed};
use crate::fleet::trust::certify;

const SERVER: &str = include_str!("../../../contrib/openvpn/server.conf");
const CLIENT: &str = include_str!("../../../contrib/openvpn/client.conf");
/// The time limit for one line of the client; this allows for a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// No user certificates, so that only the code decides. Interfaces have no addresses.
const AROUND_THE_SERVER: &str = "dev tun\nproto tcp-server\nlocal 127.0.0.1\ntopology subnet\n\
    server 10.231.77.0 255.255.255.0\nifconfig-noexec\nroute-noexec\nca ca.pem\ncert s.pem\nkey s.key\n\
    dh none\nverify-client-cert none\nverb 1\n";
const AROUND_THE_CLIENT: &str = "client\ndev tun\nproto tcp-client\nifconfig-noexec\nroute-noexec\n\
    ca ca.pem\nconnect-retry-max 1\nverb 1\n";

pub struct Server {
    folder: PathBuf,
    child: Child,
    port: u16,
    clients: AtomicU32,
}

impl Server {
    pub fn start(world: &World, installed: &Installed) -> Self {
        Self::start_with(world, installed, SERVER)
    }

    /// With another sample than ours.
    fn start_with(world: &World, installed: &Installed, sample: &str) -> Self {
        let folder = world.path("vpn");
        fs::create_dir(&folder).unwrap();
        certify(&folder);
        let line = format!("\"{INSTALLED} verify");
        assert_eq!(sample.matches(&line).count(), 2);
        let sample = sample.replace(&line, &format!("\"{} verify", installed.line));
        // The options belong to the first of the two lines.
        let more = format!("--from openvpn{}", installed.more);
        fs::write(folder.join("mfactl.inc"), sample.replacen("--from openvpn", &more, 1)).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!("{AROUND_THE_SERVER}port {port}\nconfig mfactl.inc\n");
        fs::write(folder.join("server.conf"), config).unwrap();
        let log = folder.join("log");
        let child = Command::new("openvpn")
            .args(["--config", "server.conf"])
            .current_dir(&folder)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let server = Self { folder, child, port, clients: AtomicU32::new(0) };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("OpenVPN: {}", fs::read_to_string(&log).unwrap());
    }

    pub fn client(&self, asked: Asked) -> Client<'_> {
        Client { server: self, asked, password: "", leaves_after: None }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How the user is asked for the code.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// In place of the password.
    Plainly,
    /// In a separate question that the client's configuration announces.
    StaticChallenge,
    /// In a separate question that the server sends.
    SecondPrompt,
}

/// A client driven through the management interface, as graphical clients do it.
pub struct Client<'s> {
    server: &'s Server,
    asked: Asked,
    pub password: &'s str,
    leaves_after: Option<Duration>,
}

/// The word quoted for the management interface.
fn quoted(word: &[u8]) -> Vec<u8> {
    let escaped = word.iter().flat_map(|byte| match byte {
        b'"' | b'\\' => vec![b'\\', *byte],
        other => vec![*other],
    });
    [b"\"".to_vec(), escaped.collect(), b"\"".to_vec()].concat()
}

impl Client<'_> {
    /// The same client, which gives up when no line arrives for so long.
    pub fn leaving_after(self, patience: Duration) -> Self {
        Self { leaves_after: Some(patience), ..self }
    }

    fn start(&self) -> (Child, UnixStream) {
        let Self { server, asked, .. } = self;
        let number = server.clients.fetch_add(1, Ordering::Relaxed);
        let socket = server.folder.join(format!("client{number}"));
        let config = socket.with_extension("conf");
        let port = server.port;
        let sample = match asked {
            Asked::StaticChallenge => CLIENT.to_owned(),
            _ => CLIENT.replace("\nstatic-challenge ", "\n# static-challenge "),
        };
        let text = format!("{AROUND_THE_CLIENT}remote 127.0.0.1 {port}\n{sample}");
        fs::write(&config, text).unwrap();
        let mut command = Command::new("openvpn");
        command.arg("--config").arg(&config).current_dir(&server.folder);
        command.arg("--management").arg(&socket).args(["unix", "--management-query-passwords"]);
        command.args(["--management-hold", "--log", "/dev/null"]);
        if *asked == Asked::SecondPrompt {
            command.args(["--setenv", "IV_SSO", "crtext", "--push-peer-info"]);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        for _ in 0..200 {
            if let Ok(stream) = UnixStream::connect(&socket) {
                let patience = self.leaves_after.unwrap_or(PATIENCE);
                stream.set_read_timeout(Some(patience)).unwrap();
                return (child, stream);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
        panic!("the client does not listen at {}", socket.display());
    }

    /// The value of the password field.
    fn answer(&self, code: &[u8]) -> Vec<u8> {
        match self.asked {
            Asked::Plainly => code.to_vec(),
            Asked::SecondPrompt => Vec::new(),
            Asked::StaticChallenge => {
                let parts = [self.password.as_bytes(), code].map(|part| BASE64.encode(part));
                format!("SCRV1:{}:{}", parts[0], parts[1]).into_bytes()
            }
        }
    }

    /// The dialogue up to the verdict.
    fn verdict(&self, stream: &UnixStream, user: &str, code: &[u8]) -> bool {
        let say = |words: &[&[u8]]| {
            let line = [words.concat().as_slice(), b"\n"].concat();
            let mut stream = stream;
            stream.write_all(&line).unwrap();
        };
        say(&[b"state on"]);
        let mut heard = Vec::new();
        for line in BufReader::new(stream).split(b'\n') {
            let line = match line {
                Ok(line) => String::from_utf8_lossy(&line).into_owned(),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return false,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    assert!(self.leaves_after.is_some(), "no word for {PATIENCE:?}: {heard:?}");
                    return false;
                }
                Err(error) => panic!("{error}"),
            };
            if line.starts_with(">HOLD:") {
                say(&[b"hold release"]);
            } else if line.starts_with(">PASSWORD:Need 'Auth'") {
                assert_eq!(
                    line.contains("SC:1,Verification code"),
                    self.asked == Asked::StaticChallenge
                );
                say(&[b"username \"Auth\" ", &quoted(user.as_bytes())]);
                say(&[b"password \"Auth\" ", &quoted(&self.answer(code))]);
            } else if line.starts_with(">INFOMSG:CR_TEXT:R,E:Verification code") {
                say(&[b"cr-response ", BASE64.encode(code).as_bytes()]);
            } else if line.contains(",CONNECTED,SUCCESS,") {
                return true;
            } else if line.starts_with(">PASSWORD:Verification Failed: 'Auth'") {
                assert!(line.contains("['not accepted']") || !line.contains('['), "{line}");
                return false;
            } else if line.starts_with("ERROR:") || line.contains(",EXITING,") {
                return false;
            }
            assert_gives_no_reason(&line);
            heard.push(line);
        }
        false
    }
}

impl Door for Client<'_> {
    fn opens(&self, user: &str, typed: &[u8]) -> bool {
        let (mut child, stream) = self.start();
        let opens = self.verdict(&stream, user, typed);
        let _ = child.kill();
        let _ = child.wait();
        opens
    }
}

pub fn can(what: &str) -> bool {
    let here =
        is_root(what) && has("openssl", what) && has("oathtool", what) && has("sqlite3", what);
    // OpenVPN is in a folder that only root has in PATH.
    let found = Path::new("/usr/sbin/openvpn").is_file();
    let tunnels = Path::new("/dev/net/tun").exists();
    if !found {
        leave_out("openvpn is not here", what);
    } else if !tunnels {
        leave_out("there is no /dev/net/tun", what);
    }
    here && found && tunnels
}

#[test]
fn openvpn_asks_mfactl_for_a_plain_password_and_a_static_challenge() {
    if !can("OpenVPN") {
        return;
    }
    let world = World::new();
    let installed = Installed::new(&world);
    let server = Server::start(&world, &installed);
    let mut alice = world.active("alice");
    accepts_right_codes_of(&mut alice, &world, &server.client(Asked::StaticChallenge));
    let door = server.client(Asked::Plainly);
    survives_a_lock_and_a_missing_store(&world, &door);
    let mut bob = world.pending("bob");
    assert!(!door.opens("bob", bob.wrong(world.step()).as_bytes()));
    assert!(door.opens("bob", world.next(&mut bob).as_bytes()));
}

#[test]
fn openvpn_gets_the_same_answers_through_the_environment() {
    if !can("OpenVPN by the environment") {
        return;
    }
    let world = World::new();
    let installed = Installed::new(&world);
    let sample = SERVER.replace("\" via-file", "\" via-env");
    let sample = sample.replace("script-security 2", "script-security 3");
    let server = Server::start_with(&world, &installed, &sample);
    for (user, asked) in [("alice", Asked::Plainly), ("bob", Asked::StaticChallenge)] {
        let mut seed = world.pending(user);
        let door = server.client(asked);
        let wrong = seed.wrong(world.step());
        let code = world.next(&mut seed);
        assert!(!door.opens(user, wrong.as_bytes()), "wrong");
        assert!(!door.opens("$(id)", code.as_bytes()), "nobody");
        assert!(door.opens(user, code.as_bytes()), "right");
        assert!(!door.opens(user, code.as_bytes()), "replayed");
    }
}

#[test]
fn a_capable_client_gets_a_second_prompt() {
    if !can("OpenVPN's second prompt") {
        return;
    }
    let world = World::new();
    let installed = Installed::new(&world);
    let server = Server::start(&world, &installed);
    let mut alice = world.active("alice");
    let door = server.client(Asked::SecondPrompt);
    accepts_right_codes_of(&mut alice, &world, &door);
    survives_a_lock_and_a_missing_store(&world, &door);
}

#[test]
fn mfactl_checks_the_password_with_the_code() {
    if !can("OpenVPN with a password") {
        return;
    }
    let world = World::new();
    let installed = Installed::with(&world, "--split last");
    let server = Server::start(&world, &installed);
    let mut alice = world.pending("alice");
    let password = "correct horse battery";
    let call: Call = world.call("set-password alice").input(format!("{password}\n"));
    call.run().expect(0);
    let code = world.next(&mut alice);
    let with = |password: &str| {
        let door = Client { password, ..server.client(Asked::StaticChallenge) };
        door.opens("alice", code.as_bytes())
    };
    assert!(!with("") && !with("correct horse") && !with(&format!("{password} ")));
    world.run("unlock alice").expect(0);
    let prompted = server.client(Asked::SecondPrompt);
    assert!(!prompted.opens("alice", code.as_bytes()), "without the password");
    assert!(with(password));
    assert!(!with(password), "replayed");
}
