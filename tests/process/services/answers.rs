//! The answers that a login service gets for right, wrong and hostile input, and for a store in trouble.

use std::time::Duration;

use data_encoding::BASE64;

use super::support::{BUSY, CONFIG, Call, STORE_UNAVAILABLE, USAGE, World, has};
use super::{by_pam, by_pam_with};

/// The limit is two seconds; this allows for a busy machine.
const IN_TIME: Duration = Duration::from_millis(2900);

/// Attacks: the name, the typed text, and the exit code of the run.
const NOBODY: &[(&str, &[u8], i32)] = &[
    ("alice", b"", 1),
    ("alice", b"\0", 1),
    ("alice", b"hunter2", 1),
    ("alice", b"\x08\n\r\x7fINCORRECT", 1),
    ("alice", b"--help", 1),
    ("alice", b"123456\0junk", 1),
    ("alice", b"\xff\xfe\xfd\xfc\xfb\xfa", 1),
    ("--help", b"123456", 1),
    ("-V", b"123456", 1),
    ("--version", b"123456", 1),
    ("$(id)", b"123456", 1),
    ("`id`", b"123456", 1),
    ("a b", b"123456", 1),
    ("\u{e9}", b"123456", 1),
    ("alice\nbob", b"123456", 1),
    ("../../etc/passwd", b"123456", 1),
    ("alice'; DROP TABLE users; --", b"123456", 1),
    ("", b"123456", 1),
];

#[test]
fn every_attack_of_the_list_is_refused_without_output() {
    let what = "the attacker's list";
    if !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    for (name, typed, code) in NOBODY {
        let ran = by_pam(&world, name).input(typed).run().expect(*code);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""), "{name:?} {typed:?}");
        world.run("unlock alice").expect(0);
    }
    by_pam(&world, &"a".repeat(300)).input("123456").run().expect(1);
    by_pam(&world, "alice").input(vec![b'1'; 1 << 20]).run().expect(1);
    for kind in ["account", "open_session", ""] {
        by_pam(&world, "alice").with("PAM_TYPE", kind).input("123456").run().expect(USAGE);
    }
    for words in ["--from pam alice", "--from pam --help", "--from pam -V", "--from pam -- --help"]
    {
        let words = ["verify"].into_iter().chain(words.split(' '));
        let call = world.call_of(words).with("PAM_TYPE", "auth").with("PAM_USER", "alice");
        call.input("123456").run().expect(USAGE);
    }
    world.run("unlock alice").expect(0);
    let good = by_pam(&world, "alice").input(world.next(&mut seed)).run().expect(0);
    assert_eq!((good.out.as_str(), good.err.as_str()), ("", ""));
    world.assert_sound();
}

#[test]
fn the_environment_does_not_change_the_answer() {
    if !has("oathtool", "login services and the environment") {
        return;
    }
    let (world, other) = (World::new(), World::new());
    let mut seed = world.active("alice");
    let mut theirs = other.active("alice");
    let misled = |world: &World| {
        by_pam(world, "alice")
            .with("MFACTL_STORE", other.store())
            .with("MFACTL_KEY_FILE", other.key())
            .with("MFACTL_CONFIG", "/nonexistent")
            .with("CREDENTIALS_DIRECTORY", other.path("k"))
            .with("COMPLETE", "bash")
            .with("HOME", other.path("home"))
            .with("XDG_CONFIG_HOME", other.path("k"))
            .with("XDG_DATA_HOME", other.path("s"))
            .with("SUDO_UID", "4242")
            .with("LC_ALL", "xx_YY.nonsense")
            .with("RUST_BACKTRACE", "full")
            .without("TZ")
    };
    misled(&world).input(other.next(&mut theirs)).run().expect(1);
    misled(&world).input(world.next(&mut seed)).run().expect(0);
}

#[test]
fn the_answer_comes_in_time_when_the_store_or_the_input_hangs() {
    let what = "answers in time";
    if !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    for statements in ["BEGIN IMMEDIATE;", "BEGIN EXCLUSIVE;"] {
        let held = world.held_by(statements);
        let ran = by_pam(&world, "alice").input(&code).run().expect(BUSY);
        assert!(ran.took < IN_TIME, "{statements} {ran:?}");
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
        drop(held);
    }
    let fifo = world.path("fifo");
    let opened = format!("mkfifo '{0}'\nexec 3<>'{0}'", fifo.display());
    let call = by_pam(&world, "alice").with("PATH", "/usr/bin:/bin");
    let ran = call.in_shell(&opened, "<&3").run().expect(BUSY);
    assert!(ran.took < IN_TIME, "{ran:?}");
    by_pam(&world, "alice").input(code).run().expect(0);
}

#[test]
fn openvpn_gets_a_verdict_when_the_disk_hangs() {
    let what = "a verdict in time";
    if !has("oathtool", what) || !has("strace", what) {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let [answer, control, reason] = ["answer", "control", "reason"].map(|name| world.path(name));
    std::fs::write(&answer, format!("{}\n", BASE64.encode(code.as_bytes()))).unwrap();
    for file in [&control, &reason] {
        std::fs::write(file, "").unwrap();
    }
    let words = ["verify", "--from", "openvpn", answer.to_str().unwrap()];
    let call = world
        .call_of(words)
        .with("script_type", "client-crresponse")
        .with("username", "alice")
        .with("auth_control_file", &control)
        .with("auth_failed_reason_file", &reason);
    let slow = "inject=fsync,fdatasync:delay_enter=3000000";
    let ran = call.under(["strace", "-f", "-qq", "-o", "/dev/null", "-e", slow]).run();
    assert_eq!(ran.code, BUSY, "{ran:?}");
    assert_eq!(std::fs::read_to_string(&control).unwrap(), "0");
    assert_eq!(std::fs::read_to_string(&reason).unwrap(), "not accepted");
}

#[test]
fn openvpn_gets_a_verdict_for_an_invalid_command_line() {
    let world = World::new();
    let control = world.path("control");
    let absent = world.path("absent").display().to_string();
    for (words, has_name) in [(vec![absent.as_str()], true), (vec![], true), (vec![], false)] {
        std::fs::write(&control, "").unwrap();
        let line = ["verify", "--from", "openvpn"].into_iter().chain(words);
        let mut call = world
            .call_of(line)
            .with("script_type", "client-crresponse")
            .with("auth_control_file", control.display().to_string());
        if has_name {
            call = call.with("username", "alice");
        }
        call.run().expect(USAGE);
        assert_eq!(std::fs::read_to_string(&control).unwrap(), "0");
    }
}

#[test]
fn a_missing_store_or_key_is_an_error_and_a_restored_one_answers_again() {
    if !has("oathtool", "login services and trouble") {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    for (file, trouble) in [(world.store(), STORE_UNAVAILABLE), (world.key(), CONFIG)] {
        let away = file.with_extension("away");
        std::fs::rename(&file, &away).unwrap();
        let ran = by_pam(&world, "alice").input(&code).run().expect(trouble);
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
        std::fs::rename(&away, &file).unwrap();
    }
    by_pam(&world, "alice").input(code).run().expect(0);
}

/// The main costs of a run: the number of syncs and of slow hashes.
#[derive(Debug, PartialEq, Eq)]
struct Price {
    syncs: usize,
    hashes: usize,
}

/// Memory of a slow hash at the lowest permitted cost, in bytes.
const HASH: usize = 19 << 20;

fn price(world: &World, user: &str, typed: &str, more: &str) -> Price {
    price_of(world, by_pam_with(world, user, more).input(typed))
}

fn price_of(world: &World, call: Call) -> Price {
    let report = world.path("calls");
    let call = call.with("PATH", "/usr/bin:/bin");
    let strace =
        ["strace", "-f", "-e", "trace=fsync,fdatasync,mmap", "-o"].map(std::ffi::OsString::from);
    let ran = call.under(strace.into_iter().chain([report.clone().into()])).run();
    assert_eq!(ran.code, 1, "{ran:?}");
    let calls = std::fs::read_to_string(report).unwrap();
    let length = |line: &str| {
        let (_, arguments) = line.split_once("mmap(NULL, ")?;
        arguments.split(',').next()?.parse::<usize>().ok()
    };
    let hashes = calls.lines().filter_map(length).filter(|n| (HASH..HASH + (1 << 20)).contains(n));
    Price { syncs: calls.matches("sync(").count(), hashes: hashes.count() }
}

/// The same in a copy of the world, where the first writer may have to start a new write-ahead log.
fn price_apart(world: &World, user: &str, typed: &str, more: &str) -> Price {
    let world = world.copy();
    price(&world, "pending", "000000", "");
    price(&world, user, typed, more)
}

#[test]
fn every_rejection_costs_the_same() {
    let what = "the price of a no";
    if !has("strace", what) || !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    for user in ["locked", "disabled", "pending", "changing"] {
        world.active(user);
    }
    let mut alice = world.active("alice");
    world.run("add-user bare").expect(0);
    world.run("disable disabled --yes").expect(0);
    world.run("force-new-password changing --keep-mfa --yes").expect(0);
    for _ in 0..5 {
        by_pam(&world, "locked").input("000000").run().expect(1);
    }
    let wrong = price_apart(&world, "alice", "000000", "");
    assert!(wrong.syncs > 0 && wrong.hashes == 0, "{wrong:?}");
    for user in ["nobody", "locked", "disabled", "bare", "changing"] {
        assert_eq!(price_apart(&world, user, "000000", ""), wrong, "{user}");
    }
    let used = world.next(&mut alice);
    by_pam(&world, "alice").input(&used).run().expect(0);
    assert_eq!(price_apart(&world, "alice", &used, ""), wrong, "replayed");
    // The second unknown user within a minute is not logged, and costs as much.
    let world = world.copy();
    price(&world, "pending", "000000", "");
    assert_eq!(price(&world, "nobody", "000000", ""), wrong);
    assert_eq!(price(&world, "nobody", "000000", ""), wrong);
    assert_eq!(world.sql("SELECT count(*) FROM events WHERE outcome = 'unknown'"), "1");
    let _ = by_pam_with(&world, "nobody", "--not-enabled accept").input("x").run().expect(1);
}

#[test]
fn every_rejection_of_a_password_with_a_code_costs_the_same() {
    let what = "the price of a no to a password and a code";
    if !has("strace", what) || !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let enrol = |name: &str, more: &str| {
        let line = "--create --no-confirm --json --reveal-secrets";
        world.run(&format!("enrol {name} {line} {more}")).expect(0);
        let call = world.call(&format!("set-password {name}")).input("correct horse battery\n");
        call.run().expect(0);
    };
    for name in ["pending", "locked", "disabled", "changing"] {
        enrol(name, "");
    }
    enrol("eight", "--digits 8 --allow-incompatible");
    let alice = world.active("alice");
    let call = world.call("set-password alice").input("correct horse battery\n");
    call.run().expect(0);
    world.run("add-user bare").expect(0);
    world.run("disable disabled --yes").expect(0);
    world.run("force-new-password changing --keep-mfa --old-password-opens --yes").expect(0);
    for _ in 0..5 {
        by_pam_with(&world, "locked", "--split last").input("hunter2000000").run().expect(1);
    }
    let users = ["nobody", "locked", "disabled", "changing", "bare", "eight", "pending"];
    let wrong = alice.wrong(world.step());
    for (typed, options) in [
        (format!("hunter2{wrong}"), "--split last"),
        (format!("correct horse battery{wrong}"), "--split last"),
        ("12345678".to_owned(), "--split last"),
        ("correct horse".to_owned(), "--split last --not-enabled accept"),
        ("12345678".to_owned(), "--split last --not-enabled accept"),
    ] {
        let expected = price_apart(&world, "alice", &typed, options);
        assert!(expected.syncs > 0 && expected.hashes == 1, "{typed} {options} {expected:?}");
        for user in users {
            let found = price_apart(&world, user, &typed, options);
            assert_eq!(found, expected, "{user} {typed} {options}");
        }
    }
    // What can't be split leaves its trace, for everybody at the same price, and is hashed for nobody.
    let traced = price_apart(&world, "alice", "hunter2", "--split last");
    assert!(traced.syncs > 0 && traced.hashes == 0, "{traced:?}");
    for user in users {
        assert_eq!(price_apart(&world, user, "hunter2", "--split last"), traced, "{user}");
    }
}

#[test]
fn a_rejected_sign_in_costs_the_same_for_every_user() {
    if !has("strace", "the price of a sign-in") {
        return;
    }
    let world = World::new();
    world.configure("[password]\nmemory = 19\n");
    for user in ["alice", "locked", "first"] {
        world.run(&format!("add-user {user}")).expect(0);
        let password = "correct horse battery staple";
        world.call(&format!("set-password {user}")).input(password).run().expect(0);
    }
    world.run("add-user bare").expect(0);
    let sign_in = |world: &World, user: &str| {
        world.call(&format!("sign-in --json {user}")).input(r#"{"password":"wrong"}"#)
    };
    for _ in 0..6 {
        sign_in(&world, "locked").run().expect(1);
    }
    let price = |user| {
        let world = world.copy();
        // The first writer may have to begin a new write-ahead log.
        price_of(&world, sign_in(&world, "first"));
        price_of(&world, sign_in(&world, user))
    };
    let wrong = price("alice");
    assert!(wrong.syncs > 0);
    for user in ["nobody", "locked", "bare"] {
        assert_eq!(price(user), wrong, "{user}");
    }
}
