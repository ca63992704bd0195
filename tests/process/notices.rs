//! Notices to users: by mail to a real server, and by hooks that misbehave.

mod handouts;
mod server;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::time::Duration;

use super::fleet::trust::certify;
use super::support::{Call, World, has};
use server::{Manner, Server};

/// Longer than a notice may take, with a slow machine's start and end.
const BOUND: Duration = Duration::from_secs(12);
/// A little less than the time limit of a mail or a hook.
const PATIENCE: Duration = Duration::from_millis(4900);

impl World {
    fn notify(&self, text: &str) {
        fs::write(self.path("config.toml"), format!("[notify]\n{text}\n")).unwrap();
    }

    fn mailing(&self, port: u16) {
        self.notify(&format!("smtp = 'smtp://127.0.0.1:{port}'\nfrom = 'mfa@example.org'"));
    }

    /// A hook that a shell runs.
    fn hooked(&self, script: &str) {
        let shell = fs::canonicalize("/bin/sh").unwrap();
        self.notify(&format!("hook = ['{}', '-c', '''{script}''']", shell.display()));
    }

    /// A run with the configuration of notices.
    fn notifying(&self, line: &str) -> Call {
        self.call(line).with("MFACTL_CONFIG", self.path("config.toml"))
    }

    fn notices(&self) -> String {
        self.sql("SELECT outcome FROM events WHERE verb = 'notify' ORDER BY seq")
    }
}

fn tools(what: &str) -> bool {
    has("oathtool", what) && has("sqlite3", what)
}

/// A world with alice, who has a device and an address.
fn alice(language: &str) -> World {
    let world = World::new();
    let line = format!("add-user alice --email alice@example.com --language {language}");
    world.run(&line).expect(0);
    world.active("alice");
    world
}

#[test]
fn a_mail_says_what_happened_in_the_language_of_the_user() {
    if !tools("mails") {
        return;
    }
    let server = Server::start(Manner::Takes);
    for (language, date, words) in [
        (
            "en",
            "When: %-d %B %Y at %H:%M (UTC)",
            ["Hello alice,", "was switched off", "call your helpdesk"],
        ),
        // The name of the month is looked at elsewhere.
        (
            "fr",
            " %Y à %-H\u{a0}h\u{a0}%M (UTC)",
            ["Bonjour alice,", "a été désactivé", "appelez tout de suite"],
        ),
    ] {
        let world = alice(language);
        world.mailing(server.port);
        let ran =
            world.notifying("disable alice --yes --ticket HELP-1 --reason private").run().expect(0);
        assert_eq!(ran.err, "");
        let said = server.said();
        assert!(said.contains("MAIL FROM:<mfa@example.org>"), "{said}");
        assert!(said.contains("RCPT TO:<alice@example.com>"), "{said}");
        let mails = server.mails();
        let [mail] = &mails[..] else { panic!("{mails:?}") };
        for words in words {
            assert!(mail.replace('\n', " ").contains(words), "{words}: {mail}");
        }
        let at = world.sql("SELECT at FROM events WHERE verb = 'disable'");
        let at = jiff::Timestamp::from_second(at.parse().unwrap()).unwrap();
        let at = at.strftime(date).to_string();
        assert!(mail.contains(&at) && mail.contains("HELP-1"), "{at}: {mail}");
        assert!(mail.contains("\nTo: alice@example.com\n"), "{mail}");
        assert!(!mail.contains("private"), "{mail}");
        assert_eq!(world.notices(), "sent");
    }
}

#[test]
fn no_mail_contains_a_secret() {
    if !tools("mails") {
        return;
    }
    let server = Server::start(Manner::Takes);
    let world = World::new();
    world.mailing(server.port);
    world.run("add-user alice --email alice@example.com").expect(0);
    let run = |line: &str| world.notifying(line).run().expect(0);
    let mut secrets = Vec::new();
    let line = "enrol alice --no-confirm --json --reveal-secrets";
    let mut seed = super::support::Seed { base32: run(line).json("secret"), spent: 0 };
    let code = world.next(&mut seed);
    world.notifying("verify --json alice").input(&code).run().expect(0);
    secrets.extend([seed.base32, code]);
    let codes = run("recovery-codes alice --json --reveal-secrets").document();
    secrets.extend(codes["codes"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().into()));
    secrets.push(run("bypass alice --for 1h --json --reveal-secrets").json("code"));
    secrets.push(run("reset alice --yes --json --reveal-secrets").json("secret"));
    run("undo alice --yes");
    run("delete alice --yes");
    let mails = server.mails();
    assert_eq!(mails.len(), 6, "{mails:?}");
    for secret in secrets {
        assert!(mails.iter().all(|mail| !mail.contains(&secret)), "{secret}: {mails:?}");
    }
}

#[test]
fn many_mails_share_a_connection_and_a_refused_one_delays_no_other() {
    if !tools("many mails") {
        return;
    }
    let server = Server::start(Manner::KnowsSome);
    let world = World::new();
    world.mailing(server.port);
    let mut names = String::new();
    for name in ["alice", "nobody", "bob", "carol"] {
        world.run(&format!("add-user {name} --email {name}@example.com")).expect(0);
        names += &[name, "\n"].concat();
    }
    world.run("add-user dave").expect(0);
    fs::write(world.path("list"), names + "dave\n").unwrap();
    let line = format!("force-new-password --from {} --yes", world.path("list").display());
    let ran = world.notifying(&line).run().expect(0);
    assert_eq!(server.mails().len(), 3);
    assert_eq!(server.connections(), 2, "one more after the refusal");
    let notes: Vec<&str> = ran.err.lines().filter(|line| !line.contains("hint: ")).collect();
    assert_eq!(notes.len(), 1, "{ran:?}");
    assert!(ran.err.contains("1 of 5 users were not notified; nobody: mail: "), "{ran:?}");
    assert!(ran.err.contains("550"), "{ran:?}");
    assert_eq!(world.notices(), "sent\nfailed\nsent\nsent\nno_address");
}

#[test]
fn the_mail_login_is_read_from_a_private_file() {
    if !tools("a login") {
        return;
    }
    let server = Server::start(Manner::AsksLogin);
    let world = alice("en");
    let password = world.path("smtp");
    fs::write(&password, "hunter2\n").unwrap();
    world.notify(&format!(
        "smtp = 'smtp://localhost:{}'\nfrom = 'mfa@example.org'\nuser = 'mfa'\npassword_file = '{}'",
        server.port,
        password.display()
    ));
    let mode = |mode| fs::set_permissions(&password, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let ran = world.notifying("disable alice --yes").run().expect(0);
    assert!(ran.err.contains("has mode 0644") && !ran.err.contains("hunter2"), "{ran:?}");
    assert!(server.mails().is_empty());
    mode(0o600);
    world.notifying("enable alice").run().expect(0);
    let ran = world.notifying("disable alice --yes").run().expect(0);
    assert_eq!(ran.err, "");
    let plain = data_encoding::BASE64.encode(b"\0mfa\0hunter2");
    assert!(server.said().contains(&format!("AUTH PLAIN {plain}")), "{}", server.said());
    assert_eq!(server.mails().len(), 1);
}

#[test]
fn a_server_without_tls_gets_no_mail_if_tls_is_configured() {
    if !tools("TLS that is held back") {
        return;
    }
    let server = Server::start(Manner::Takes);
    let world = alice("en");
    for scheme in ["smtp+starttls", "smtps"] {
        let port = server.port;
        world.notify(&format!("smtp = '{scheme}://127.0.0.1:{port}'\nfrom = 'mfa@example.org'"));
        let ran = world.notifying("disable alice --yes").run().expect(0);
        assert!(ran.err.contains("warning: alice was not notified: mail: "), "{ran:?}");
        world.notifying("enable alice").run().expect(0);
    }
    assert!(!server.said().contains("MAIL FROM"), "{}", server.said());
}

#[test]
fn a_remote_mail_server_must_prove_its_name() {
    if !tools("TLS to a mail server") || !has("openssl", "TLS to a mail server") {
        return;
    }
    let world = alice("en");
    certify(&world.path("."));
    for (scheme, manner) in [("smtps", Manner::SpeaksTls), ("smtp+starttls", Manner::OffersTls)] {
        let server = Server::certified(manner, &world.path("."));
        for (host, authority, is_taken) in [
            ("localhost", "ca", true),
            ("localhost", "stranger", false),
            ("127.0.0.1", "ca", false),
        ] {
            let port = server.port;
            world.notify(&format!("smtp = '{scheme}://{host}:{port}'\nfrom = 'mfa@example.org'"));
            let authority = world.path(&format!("{authority}.pem"));
            let call = world.notifying("disable alice --yes").with("SSL_CERT_FILE", &authority);
            let ran = call.run().expect(0);
            assert_eq!(ran.err.is_empty(), is_taken, "{scheme} {host}: {ran:?}");
            assert_eq!(server.said().contains("MAIL FROM"), is_taken, "{scheme} {host}");
            assert_eq!(server.mails().len(), usize::from(is_taken), "{scheme} {host}");
            world.notifying("enable alice").run().expect(0);
        }
    }
}

#[test]
fn a_mail_server_that_is_down_or_silent_costs_a_warning_and_five_seconds_at_most() {
    if !tools("servers in trouble") {
        return;
    }
    let world = alice("en");
    world.mailing(9);
    let ran = world.notifying("disable alice --yes --json").run().expect(0);
    assert!(ran.err.contains("warning: alice was not notified: mail: "), "{ran:?}");
    assert_eq!(ran.json("status"), "disabled");
    let server = Server::start(Manner::Silent);
    world.mailing(server.port);
    let ran = world.notifying("delete alice --yes --quiet").run().expect(0);
    assert_eq!(ran.err, "mfactl: warning: alice was not notified: mail: no answer within 5 s\n");
    assert!(ran.took > PATIENCE && ran.took < BOUND, "{ran:?}");
    assert_eq!(world.notices(), "failed\nfailed");
    world.assert_sound();
}

#[test]
fn a_hook_that_hangs_is_killed_with_its_children() {
    if !tools("a program that hangs") {
        return;
    }
    let world = alice("en");
    let pids = world.public().join("pids");
    world.hooked(&format!("sleep 300 & echo $! $$ > {}; wait", pids.display()));
    let ran = world.notifying("disable alice --yes").run().expect(0);
    assert!(ran.err.contains("hook: no answer within 5 s"), "{ran:?}");
    assert!(ran.took > PATIENCE && ran.took < BOUND, "{ran:?}");
    for pid in fs::read_to_string(pids).unwrap().split_whitespace() {
        // A zombie is dead too.
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{state}");
    }
    assert_eq!(world.notices(), "failed");
}

#[test]
fn a_background_process_of_a_hook_is_not_waited_for() {
    if !tools("a program that forks") {
        return;
    }
    let world = alice("en");
    let pid = world.public().join("pid");
    world.hooked(&format!("sleep 300 & echo $! > {}", pid.display()));
    let ran = world.notifying("disable alice --yes").run().expect(0);
    assert!(ran.took < PATIENCE, "{ran:?}");
    assert_eq!((ran.err.as_str(), world.notices().as_str()), ("", "sent"));
    let pid = fs::read_to_string(pid).unwrap();
    assert!(Command::new("kill").arg(pid.trim()).status().unwrap().success(), "it goes on");
}

#[test]
fn a_hook_gets_the_document_and_no_other_data_of_ours() {
    if !tools("what a program gets") {
        return;
    }
    let world = alice("en");
    let (files, variables) = (world.public().join("files"), world.public().join("variables"));
    world.hooked(&format!(
        "ls -l /proc/self/fd > {}; env > {}; pwd >> {1}; echo to nobody; echo to nobody >&2",
        files.display(),
        variables.display()
    ));
    let call = world.notifying("disable alice --yes").with("SECRET", "hunter2");
    let ran = call.in_shell("exec 5<>/dev/null 9</etc/hostname", "").run().expect(0);
    assert_eq!(ran.err, "");
    assert!(!ran.out.contains("to nobody"), "{ran:?}");
    let files = fs::read_to_string(files).unwrap();
    let open = files.lines().filter(|line| line.contains(" -> ")).count();
    assert_eq!(open, 4, "the three, and the folder that ls reads: {files}");
    assert!(files.contains("0 -> /memfd:notice") && files.contains("2 -> /dev/null"), "{files}");
    let variables = fs::read_to_string(variables).unwrap();
    let allowed =
        ["PATH=/usr/local/sbin:", "LANG=C", "HOME=/", "PWD=/", "OLDPWD=", "SHLVL=", "_=", "/"];
    let strange = |l: &&str| !allowed.iter().any(|a| l.starts_with(a));
    assert_eq!(variables.lines().find(strange), None, "{variables}");
}
