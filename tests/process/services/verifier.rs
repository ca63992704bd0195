//! `serve` and its clients: the real program on both ends, and clients that no program of ours would be.

use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::net::{SendFlags, send};
use rustix::process::{Resource, Rlimit, Signal, getrlimit, setrlimit};

use super::door::{Door, accepts_right_codes_of, survives_a_lock_and_a_missing_store};
use super::pam::{Stack, can};
use super::serving::{Verifier, connect, heard, listening, say, try_connect};
use super::support::{Call, NOT_PERMITTED, Ran, World, has, is_root};
use super::{Installed, by_pam_with, openvpn, radius};

/// The user whom every machine has, and who has no rights.
const NOBODY: &str = "65534";

/// The outcome of a question, or the word of its error.
fn asked(socket: &OwnedFd, message: &str) -> String {
    assert!(say(socket, message.as_bytes()));
    outcome(&heard(socket).expect("an answer"))
}

fn outcome(answer: &str) -> String {
    let answer: serde_json::Value = serde_json::from_str(answer).unwrap();
    let word = answer["code"].as_str().or(answer["outcome"].as_str());
    word.unwrap().to_owned()
}

fn question(user: &str, code: &str) -> String {
    format!(r#"{{"user":"{user}","code":"{code}"}}"#)
}

fn by_verifier(world: &World, user: &str, path: &Path) -> Call {
    by_pam_with(world, user, &format!("--socket {}", path.display()))
}

/// The same without any right to store and key, which are not named either.
fn without_rights(world: &World, user: &str, path: &Path) -> Call {
    let program = world.path("run/mfactl");
    if !program.exists() {
        std::fs::copy(super::support::MFACTL, &program).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    }
    let words = ["verify", "--from", "pam", "--socket", path.to_str().unwrap()];
    let call = world.bare(words).program(program).with("PAM_TYPE", "auth").with("PAM_USER", user);
    call.under(["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"])
}

#[test]
fn pam_asks_the_verifier_and_does_it_itself_where_none_is() {
    if !can("pam_exec through the verifier") {
        return;
    }
    let world = World::new();
    let verifier = Verifier::start(&world);
    let more = format!("--socket {}", verifier.path.display());
    let stack = Stack::new(&Installed::with(&world, &more), "verifier");
    let mut alice = world.active("alice");
    accepts_right_codes_of(&mut alice, &world, &stack);
    survives_a_lock_and_a_missing_store(&world, &stack);
    assert_eq!(verifier.end(Signal::TERM), Some(0));
    let mut bob = world.pending("bob");
    let code = world.next(&mut bob);
    assert!(stack.opens("bob", code.as_bytes()), "without a verifier");
}

#[test]
fn radius_and_openvpn_need_neither_store_nor_key() {
    if !radius::can("FreeRADIUS through the verifier") || !openvpn::can("OpenVPN through it") {
        return;
    }
    let world = World::new();
    let verifier = Verifier::start(&world);
    let installed = Installed::through(&world, &verifier.path);
    let server = radius::Server::start(&world, &installed);
    let mut alice = world.active("alice");
    accepts_right_codes_of(&mut alice, &world, &server.by_code());
    let mut bob = world.pending("bob");
    let code = world.next(&mut bob);
    let vpn = openvpn::Server::start(&world, &installed);
    assert!(!vpn.client(openvpn::Asked::Plainly).opens("bob", b"000000"));
    assert!(vpn.client(openvpn::Asked::StaticChallenge).opens("bob", code.as_bytes()));
    assert!(!vpn.client(openvpn::Asked::Plainly).opens("bob", code.as_bytes()), "used");
    let from = "SELECT count(*) FROM events WHERE detail LIKE '%\"from\":\"openvpn\"%' \
                AND detail LIKE '%\"remote\":\"127.0.0.1\"%' AND outcome <> 'unknown'";
    assert_eq!(world.sql(from), "3");
    drop(verifier);
    let code = world.next(&mut bob);
    assert!(!vpn.client(openvpn::Asked::Plainly).opens("bob", code.as_bytes()), "nobody decides");
}

/// systemd takes the units as they are, but for the path of the program.
#[test]
fn systemd_accepts_the_units() {
    if !has("systemd-analyze", "the units of the verifier") {
        return;
    }
    let world = World::empty();
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("contrib/systemd");
    let mut command = std::process::Command::new("systemd-analyze");
    command.arg("verify");
    for name in ["mfactl-verify.socket", "mfactl-verify.service"] {
        let text = std::fs::read_to_string(units.join(name)).unwrap();
        let text = text.replace("=/usr/bin/mfactl ", &format!("={} ", super::support::MFACTL));
        let text = text.replace("Documentation=man:mfactl-serve(1)\n", "");
        let path = world.path(name);
        std::fs::write(&path, text).unwrap();
        command.arg(path);
    }
    let said = command.output().unwrap();
    let words = String::from_utf8_lossy(&said.stderr).into_owned();
    let ours: Vec<_> = words.lines().filter(|line| line.contains("mfactl-verify")).collect();
    assert!(said.status.success() && ours.is_empty(), "{words}");
}

#[test]
fn a_caller_without_rights_is_answered_about_themselves_only() {
    if !is_root("a caller without rights") || !has("setpriv", "a caller without rights") {
        return;
    }
    let world = World::new();
    let mut own = world.pending("nobody");
    let mut alice = world.active("alice");
    let verifier = Verifier::start(&world);
    let ask = |user: &str, code: &str| -> Ran {
        without_rights(&world, user, &verifier.path).input(code).run()
    };
    let code = world.next(&mut own);
    ask("nobody", &code).expect(0);
    ask("NOBODY", &code).expect(1);
    ask("nobody", "000000").expect(1);
    let code = world.next(&mut alice);
    let events = world.events();
    for spelling in ["alice", "ALICE", "ａlice"] {
        ask(spelling, &code).expect(NOT_PERMITTED);
    }
    for spelling in ["alice ", "nobody\nalice"] {
        assert!(ask(spelling, &code).code > 0, "{spelling:?}");
    }
    assert_eq!(world.events(), events, "nothing was counted against alice");
    by_verifier(&world, "alice", &verifier.path).input(&code).run().expect(0);
    let uid = world
        .sql("SELECT operator_uid FROM events WHERE \"user\" = 'nobody' AND outcome = 'confirmed'");
    assert_eq!(uid, NOBODY, "the log has who asked");
    drop(verifier);
    let code = world.next(&mut own);
    assert!(
        without_rights(&world, "nobody", &Verifier::place(&world, "verify"))
            .input(&code)
            .run()
            .code
            > 1
    );
}

#[test]
fn members_of_the_group_may_ask_about_anybody() {
    if !is_root("a service without rights") || !has("setpriv", "a service without rights") {
        return;
    }
    let world = World::new();
    let mut alice = world.pending("alice");
    let group = "nogroup";
    world.configure(&format!("[serve]\ngroup = \"{group}\"\n"));
    let verifier = Verifier::start(&world);
    let code = world.next(&mut alice);
    without_rights(&world, "alice", &verifier.path).input(&code).run().expect(0);
    world.configure("");
    verifier.signal(Signal::HUP);
    std::thread::sleep(Duration::from_millis(500));
    let code = world.next(&mut alice);
    assert!(without_rights(&world, "alice", &verifier.path).input(&code).run().code > 1);
    by_verifier(&world, "alice", &verifier.path).input(&code).run().expect(0);
}

#[test]
fn what_is_no_question_changes_nothing_and_holds_up_nobody() {
    let world = World::new();
    let mut alice = world.active("alice");
    let verifier = Verifier::start(&world);
    let events = world.events();
    let good = question("alice", "123456");
    let client = connect(&verifier.path);
    for bad in ["garbage", "{", &good[..20], &format!("{good}{good}"), "\0", "[]", "alice\t123456"]
    {
        assert_eq!(asked(&client, bad), "bad_input", "{bad:?}");
    }
    assert!(say(&client, &vec![b'x'; 100_000]));
    assert_eq!(outcome(&heard(&client).unwrap()), "bad_input");
    assert_eq!(heard(&client), None, "whoever sends too much is let go");
    let client = connect(&verifier.path);
    assert!(!say(&client, &vec![b'x'; 1 << 20]), "the kernel refuses a message of 1 MiB");
    assert_eq!(world.events(), events);

    // Clients that say nothing, more than there may be, and one that never reads.
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
    let silent: Vec<OwnedFd> = (0..10_000).filter_map(|_| try_connect(&verifier.path)).collect();
    assert!(silent.len() > 3000, "{}", silent.len());
    let deaf = connect(&verifier.path);
    rustix::net::sockopt::set_socket_send_buffer_size(&deaf, 4096).unwrap();
    for n in 0..5000 {
        let message = question("carol", &format!("{n:06}"));
        if send(&deaf, message.as_bytes(), SendFlags::DONTWAIT | SendFlags::NOSIGNAL).is_err() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let code = world.next(&mut alice);
    let ran = by_verifier(&world, "alice", &verifier.path).input(&code).run().expect(0);
    assert!(ran.took < Duration::from_secs(2), "{:?}", ran.took);
    let client = connect(&verifier.path);
    assert_eq!(asked(&client, &question("alice", &code)), "replayed");
    drop(silent);
    assert_eq!(verifier.end(Signal::TERM), Some(0));
}

#[test]
fn what_clients_send_together_is_decided_together_and_each_code_once() {
    let world = World::new();
    let mut seeds: Vec<_> = (0..8).map(|n| world.pending(&format!("u{n}"))).collect();
    let verifier = Verifier::start(&world);
    // While the process is stopped, all of it arrives.
    let clients: Vec<OwnedFd> = (0..32).map(|_| connect(&verifier.path)).collect();
    verifier.signal(Signal::STOP);
    let codes: Vec<String> = seeds.iter_mut().map(|seed| world.next(seed)).collect();
    for (client, n) in clients.iter().zip(0..) {
        assert!(say(client, question(&format!("u{}", n % 8), &codes[n % 8]).as_bytes()));
    }
    verifier.signal(Signal::CONT);
    let outcomes: Vec<String> =
        clients.iter().map(|client| outcome(&heard(client).unwrap())).collect();
    let count = |word: &str| outcomes.iter().filter(|outcome| *outcome == word).count();
    assert_eq!((count("confirmed"), count("replayed")), (8, 24), "{outcomes:?}");
    world.assert_sound();
}

#[test]
fn an_end_answers_what_was_received_and_refuses_the_rest() {
    let world = World::new();
    let mut seeds: Vec<_> = (0..8).map(|n| world.pending(&format!("u{n}"))).collect();
    let verifier = Verifier::start(&world);
    let clients: Vec<OwnedFd> = (0..8).map(|_| connect(&verifier.path)).collect();
    verifier.signal(Signal::STOP);
    let codes: Vec<String> = seeds.iter_mut().map(|seed| world.next(seed)).collect();
    for n in 0..8 {
        assert!(say(&clients[n], question(&format!("u{n}"), &codes[n]).as_bytes()));
    }
    verifier.signal(Signal::TERM);
    let path = verifier.path.clone();
    assert_eq!(verifier.end(Signal::CONT), Some(0));
    for client in &clients {
        assert_eq!(outcome(&heard(client).unwrap()), "confirmed");
        assert_eq!(heard(client), None);
        assert!(!say(client, b"late"));
    }
    assert!(!path.exists(), "it takes its socket with it");
}

/// Root is let in whatever happens to the verifier, and no code is accepted twice.
#[test]
fn a_dead_or_stopped_verifier_locks_nobody_out() {
    let world = World::new();
    let mut alice = world.active("alice");
    let mut bob = world.active("bob");
    let verifier = Verifier::start(&world);
    let path = verifier.path.clone();
    verifier.signal(Signal::STOP);
    let code = world.next(&mut alice);
    let ran = by_verifier(&world, "alice", &path).input(&code).run().expect(0);
    assert!(ran.took < Duration::from_secs(2), "{:?}", ran.took);
    verifier.signal(Signal::CONT);
    by_verifier(&world, "alice", &path).input(&code).run().expect(1);
    assert_eq!(verifier.end(Signal::KILL), None);
    assert!(path.exists(), "a killed process leaves its socket");
    let code = world.next(&mut bob);
    by_verifier(&world, "bob", &path).input(&code).run().expect(0);
    let verifier = Verifier::start(&world);
    by_verifier(&world, "bob", &path).input(&code).run().expect(1);
    std::fs::remove_file(&path).unwrap();
    by_verifier(&world, "bob", &path).input(&code).run().expect(1);
    assert_eq!(verifier.end(Signal::TERM), Some(0));
    let accepted = "SELECT count(*) FROM events WHERE outcome = 'accepted'";
    assert_eq!(world.sql(accepted), "2");
}

/// A store that hangs, as a disk may, is a refusal in time.
#[test]
fn a_held_store_is_refused_in_time() {
    let world = World::new();
    let mut alice = world.active("alice");
    let verifier = Verifier::start(&world);
    let store = rusqlite::Connection::open(world.store()).unwrap();
    store.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let clients = [connect(&verifier.path), connect(&verifier.path)];
    let code = world.next(&mut alice);
    for client in &clients {
        assert!(say(client, question("alice", &code).as_bytes()));
    }
    for client in &clients {
        let answer = outcome(&heard(client).unwrap());
        assert!(["busy", "store_unavailable"].contains(&answer.as_str()), "{answer}");
    }
    store.execute_batch("ROLLBACK").unwrap();
    assert_eq!(asked(&connect(&verifier.path), &question("alice", &code)), "accepted");
}

#[test]
fn a_password_and_a_code_go_through_the_verifier_too() {
    let world = World::new();
    let mut alice = world.active("alice");
    world.call("set-password alice").input("correct horse battery 9\n").run().expect(0);
    let verifier = Verifier::start(&world);
    let more = format!("--split last --socket {}", verifier.path.display());
    let ask = |typed: String| by_pam_with(&world, "alice", &more).input(typed).run();
    let code = world.next(&mut alice);
    ask(format!("correct horse battery 8{code}")).expect(1);
    ask(format!("correct horse battery 9{code}")).expect(0);
    ask(format!("correct horse battery 9{code}")).expect(1);
    let client = connect(&verifier.path);
    let both = r#"{"user":"alice","code":"000000","password":"x","split":"last","from":"openvpn"}"#;
    assert_eq!(asked(&client, both), "rejected");
}

/// What the verifier decides by the rules of a service, and whom it believes about the service and the host.
#[test]
fn rules_count_for_those_who_may_ask_about_anybody() {
    let world = World::new();
    let mut alice = world.active("alice");
    let own = is_root("rules at the verifier") && has("setpriv", "rules at the verifier");
    if own {
        world.active("nobody");
    }
    world.configure(
        "[services.sshd]\nexempt_networks = [\"10.0.0.0/8\"]\nremember = \"12h\"\n\
         [services.openvpn]\nexempt_networks = [\"10.0.0.0/8\"]\n",
    );
    let verifier = Verifier::start(&world);
    let from =
        |call: Call, remote: &str| call.with("PAM_SERVICE", "sshd").with("PAM_RHOST", remote);
    let ask = |remote: &str, typed: &str| {
        from(by_verifier(&world, "alice", &verifier.path), remote).input(typed).run()
    };
    let newest = || world.sql("SELECT outcome || detail FROM events ORDER BY seq DESC LIMIT 1");
    ask("10.1.2.3", "").expect(0);
    assert!(newest().starts_with("not_asked{") && newest().contains("exempt_network"));
    let events = world.events();
    ask("192.0.2.1", "").expect(1);
    assert_eq!(world.events(), events, "it only asked");
    let code = world.next(&mut alice);
    ask("192.0.2.1", &code).expect(0);
    assert!(newest().starts_with("accepted{") && newest().contains("remembered_until"));
    ask("192.0.2.1", "").expect(0);
    assert!(newest().contains("remembered"), "{}", newest());
    ask("192.0.2.2", "").expect(1);
    let client = connect(&verifier.path);
    let vpn = |user: &str, remote: &str| {
        let asks = format!(r#"{{"user":"{user}","code":"","from":"openvpn","remote":"{remote}"}}"#);
        asked(&client, &asks)
    };
    assert_eq!(vpn("alice", "10.9.9.9"), "accepted");
    assert_eq!(vpn("alice", "vpn.example.org"), "rejected");
    assert_eq!(vpn("nobody-here", "10.9.9.9"), "rejected");
    if own {
        // Of themselves others could say what they want.
        let call = without_rights(&world, "nobody", &verifier.path);
        from(call, "10.1.2.3").input("").run().expect(1);
    }
    drop(verifier);
    let own = by_pam_with(&world, "alice", "--socket none");
    from(own, "192.0.2.1").input("").run().expect(0);
    world.assert_sound();
}

/// The line of docs/services/rules.md in front of the sample asks nothing where no code is needed.
#[test]
fn pam_asks_nothing_where_no_code_is_needed() {
    if !can("a PAM stack that asks nothing") {
        return;
    }
    let world = World::new();
    let mut alice = world.active("alice");
    world.configure("");
    let mut installed = Installed::new(&world);
    installed.line = format!("{} --config {}", installed.line, world.configuration().display());
    let stack = Stack::new(&installed, "unasked");
    let file = Path::new("/etc/pam.d").join(&stack.name);
    let sample = std::fs::read_to_string(&file).unwrap();
    let line = sample.lines().find(|line| line.contains("expose_authtok /")).unwrap();
    let first = line.replace("success=1", "success=3").replace(" expose_authtok", "");
    std::fs::write(&file, format!("{first}\n{sample}")).unwrap();
    let (name, rhost) = (&stack.name, "rhost=10.1.2.3");
    let unasked = |more: &[&str]| {
        let mut command = std::process::Command::new("timeout");
        command.args(["20", "pamtester"]).args(more).args(["--", name, "alice", "authenticate"]);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).contains("authenticator app"))
    };
    assert_eq!(unasked(&["-I", rhost]), (false, true), "no rules: asked");
    world.configure(&format!("[services.{name}]\nexempt_networks = [\"10.0.0.0/8\"]\n"));
    assert_eq!(unasked(&["-I", rhost]), (true, false), "not asked");
    assert_eq!(unasked(&["-I", "rhost=192.0.2.1"]), (false, true));
    let code = world.next(&mut alice);
    assert!(stack.opens("alice", code.as_bytes()), "from nowhere, with a code");
}

#[test]
fn a_socket_on_standard_input_is_served_and_left() {
    let world = World::new();
    let mut alice = world.active("alice");
    let path = Verifier::place(&world, "verify");
    let socket = listening(&path);
    let start = || Verifier::inheriting(&world, &socket, &path);
    let first = start();
    let code = world.next(&mut alice);
    assert_eq!(asked(&connect(&path), &question("alice", &code)), "accepted");
    assert_eq!(first.end(Signal::TERM), Some(0));
    // A client that comes between two processes is answered by the second one.
    let between = try_connect(&path).unwrap();
    assert!(say(&between, question("alice", &code).as_bytes()));
    let second = start();
    assert!(heard(&between).unwrap().contains("mfactl.serve/1"));
    assert_eq!(outcome(&heard(&between).unwrap()), "replayed");
    drop(second);
    assert!(path.exists(), "it belongs to systemd");
}

/// It would not come back: the next process could not read the configuration either.
#[test]
fn a_verifier_with_a_bad_configuration_does_not_end_by_itself() {
    let world = World::new();
    let mut alice = world.active("alice");
    world.configure("");
    let path = Verifier::place(&world, "verify");
    let verifier = Verifier::inheriting(&world, &listening(&path), &path);
    let code = world.next(&mut alice);
    assert_eq!(asked(&connect(&path), &question("alice", &code)), "accepted");
    world.configure("x = = 1\n");
    verifier.signal(Signal::HUP);
    // It would end after a minute without a question, once its memory is given back.
    std::thread::sleep(Duration::from_secs(68));
    let code = world.next(&mut alice);
    assert_eq!(asked(&connect(&path), &question("alice", &code)), "accepted");
    assert_eq!(verifier.end(Signal::TERM), Some(0));
}

#[test]
fn a_place_that_others_can_write_is_no_place_for_a_socket() {
    let world = World::new();
    let folder = world.path("open");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o777)).unwrap();
    let path = folder.join("verify");
    world.run(&format!("serve --socket {}", path.display())).expect(NOT_PERMITTED);
    let run = Verifier::place(&world, "verify");
    std::os::unix::fs::symlink("/dev/null", &run).unwrap();
    world.run(&format!("serve --socket {}", run.display())).expect(NOT_PERMITTED);
    assert!(run.symlink_metadata().unwrap().is_symlink());
    // A client does not believe such a place, and does it itself.
    let mut alice = world.active("alice");
    let code = world.next(&mut alice);
    by_verifier(&world, "alice", &run).input(&code).run().expect(0);
}

#[test]
fn a_caller_of_a_setuid_program_can_neither_stop_nor_limit_the_process() {
    if !is_root("a setuid caller") || !has("setpriv", "a setuid caller") {
        return;
    }
    let world = World::new();
    let mut alice = world.pending("alice");
    let as_su = |call: Call| call.under(["setpriv", "--ruid", NOBODY]);
    let code = world.next(&mut alice);
    as_su(by_pam_with(&world, "alice", "")).input(&code).run().expect(0);
    as_su(world.call("list-status")).run().expect(NOT_PERMITTED);
    let code = world.next(&mut alice);
    // The real uid is root's while the process waits for its input.
    let started = as_su(by_pam_with(&world, "alice", "").input(&code)).start();
    let status = format!("/proc/{}/status", started.id());
    let mut uids = String::new();
    for _ in 0..100 {
        uids = std::fs::read_to_string(&status).unwrap();
        if uids.contains("Name:\tmfactl") && uids.contains("Uid:\t0\t0\t0\t0") {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(uids.contains("Uid:\t0\t0\t0\t0"), "{uids}");
    started.finish().expect(0);
    let events = world.events();
    by_pam_with(&world, "alice", "").in_shell("ulimit -S -f 0", "").input("000000").run().expect(1);
    assert_eq!(world.events(), events + 1, "a wrong code is counted under any limit");
}
