//! A store that many machines share: races, tampering, clocks, and a server in trouble.

mod altered;
pub mod cluster;
mod commits;
mod helpdesk;
mod limits;
mod moving;
mod pooler;
mod pooler_down;
mod session;
pub mod trust;
mod words;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::race::at_once;
use super::support::{CONFIG, NOT_PERMITTED, Ran, STORE_UNAVAILABLE, Seed, USAGE, World, has, now};
use cluster::Cluster;

/// The longest that any answer may take, with time to start on a busy machine.
const SOON: Duration = Duration::from_secs(7);

/// A world whose store is in a cluster of its own, with alice active; `None` where something is
/// missing.
pub fn fleet(what: &str) -> Option<(Cluster, World)> {
    if !has("oathtool", what) || !has("faketime", what) {
        return None;
    }
    let cluster = Cluster::start(what)?;
    let mut world = World::empty();
    world.address = Some(cluster.address());
    world.run("init").expect(0);
    Some((cluster, world))
}

fn count(runs: &[Ran], outcome: &str) -> usize {
    runs.iter().filter(|r| r.outcome() == outcome).count()
}

#[track_caller]
fn assert_soon(ran: &Ran) {
    assert!(ran.took < SOON, "{ran:?}");
}

#[test]
fn on_two_machines_a_code_is_accepted_once_and_five_guesses_are_evaluated() {
    let Some((cluster, world)) = fleet("races on PostgreSQL") else { return };
    // Half of them on a machine whose clock is 20 s behind: the code of this step is right on both.
    let mut seed = world.pending("alice");
    let code = world.next(&mut seed);
    let late = world.late(20);
    let calls = (0..40).map(|n| {
        let world = if n % 2 == 0 { &world } else { &late };
        world.call("verify --json alice").input(&code)
    });
    let runs = at_once(calls.collect());
    assert_eq!(runs.iter().filter(|r| r.code == 0).count(), 1, "{runs:#?}");
    assert!(count(&runs, "confirmed") == 1 && count(&runs, "replayed") == 39, "{runs:#?}");
    assert!(runs.iter().all(|r| r.code <= 1), "{runs:#?}");
    let mut seed = world.active("bob");
    let guesses = (0..40).map(|n| {
        let wrong = seed.wrong(world.step());
        let world = if n % 2 == 0 { &world } else { &late };
        world.call("verify --json bob").input(wrong)
    });
    let runs = at_once(guesses.collect());
    assert_eq!((count(&runs, "rejected"), count(&runs, "locked")), (5, 35), "{runs:#?}");
    let right = world.next(&mut seed);
    assert_eq!(world.verify("bob", &right).outcome(), "locked");
    let events = cluster.sql("mfactl", "SELECT count(*) = max(seq) FROM events");
    assert_eq!(events, "t", "the numbers have no gap");
}

impl World {
    /// The same store seen from a machine whose clock is behind.
    fn late(&self, seconds: i64) -> Self {
        let mut late = self.copy();
        late.set_clock(now() - seconds);
        late
    }
}

#[test]
fn a_clock_that_is_off_by_more_than_a_step_is_refused_and_uses_up_no_code() {
    let Some((cluster, world)) = fleet("clocks of a fleet") else { return };
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    for seconds in [90, -90, 100_000] {
        let late = world.late(seconds);
        let ran = late.verify("alice", &code).expect(CONFIG);
        assert_eq!(ran.error(), "clock", "{ran:?}");
        late.run("metrics").expect(CONFIG);
        for line in ["list-status", "show-user alice", "log", "changes --since 1h"] {
            let ran = late.run(&format!("{line} --json")).expect(CONFIG);
            assert_eq!((ran.error().as_str(), ran.out.as_str()), ("clock", ""), "{line}: {ran:?}");
        }
        let report = late.run("doctor --json").expect(1).document();
        let findings = report["findings"].as_array().unwrap();
        let bad: Vec<_> = findings.iter().filter(|f| f["state"] == "bad").collect();
        assert!(bad.len() == 1 && bad[0]["what"] == "clock", "{report}");
    }
    let output = world.run("doctor").expect(0).out;
    assert!(output.contains("agrees with the database's"), "{output}");
    // No store is created on a server whose clock is ahead.
    let backup = world.path("a.backup");
    world.run(&format!("backup {}", backup.display())).expect(0);
    cluster.sql("postgres", "CREATE DATABASE blank");
    let late = world.late(7200);
    let mut there = late.copy();
    there.address = Some(cluster.address().replace("/mfactl", "/blank"));
    let home = World::new();
    home.active("bob");
    let mut late_home = home.copy();
    late_home.set_clock(now() - 7200);
    for ran in [
        there.run(&format!("restore --json {}", backup.display())),
        late_home.run(&format!("copy-store --json --to {}", there.place())),
        late.run(&format!("copy-store --json --to {}", late.path("copy.db").display())),
        {
            std::fs::remove_file(there.key()).unwrap();
            there.run("init --json")
        },
    ] {
        assert_eq!((ran.code, ran.error().as_str()), (CONFIG, "clock"), "{ran:?}");
    }
    assert!(!there.key().exists());
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(cluster.sql("blank", tables), "0");
    assert_eq!(world.verify("alice", &code).expect(0).outcome(), "accepted");
}

#[test]
fn edited_or_swapped_rows_are_detected() {
    let Some((cluster, world)) = fleet("tampering on PostgreSQL") else { return };
    let mut seeds = ["alice", "bob"].map(|user| world.active(user));
    for edit in [
        "UPDATE devices SET last_step = 0",
        "UPDATE devices SET state = 'active', secret = (SELECT secret FROM devices WHERE n = 2)",
        "UPDATE users SET failures = 0, wrong_codes = 0, lock_start = NULL, lock_length = NULL, \
         rev = rev + 1",
        "UPDATE users SET name = CASE name WHEN 'alice' THEN 'bobby' ELSE 'alice' END",
        "DELETE FROM devices WHERE n = 1",
    ] {
        cluster.sql("postgres", "DROP DATABASE IF EXISTS edited");
        cluster.sql("postgres", "CREATE DATABASE edited TEMPLATE mfactl");
        cluster.sql("edited", edit);
        let mut edited = world.copy();
        edited.address = Some(cluster.address().replace("/mfactl", "/edited"));
        let code = seeds[0].clone();
        let ran = edited.verify("alice", &world.next(&mut code.clone())).expect(CONFIG);
        assert_eq!(ran.error(), "tampered", "{edit}: {ran:?}");
    }
    let code = world.next(&mut seeds[0]);
    world.verify("alice", &code).expect(0);
}

#[test]
fn a_server_that_is_down_cut_off_or_silent_is_reported_within_seconds() {
    let Some((cluster, world)) = fleet("a server in trouble") else { return };
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let silent = Pid::from_raw(cluster.pid()).unwrap();
    kill_process(silent, Signal::STOP).unwrap();
    let ran = world.verify("alice", &code);
    assert_soon(&ran);
    kill_process(silent, Signal::CONT).unwrap();
    assert_eq!(ran.expect(STORE_UNAVAILABLE).error(), "store_unavailable");
    cluster.off();
    let ran = world.verify("alice", &code).expect(STORE_UNAVAILABLE);
    assert_soon(&ran);
    world.run("list-status").expect(STORE_UNAVAILABLE);
    cluster.on();
    assert_eq!(world.verify("alice", &code).expect(0).outcome(), "accepted");
}

/// A database session that keeps its transaction open until it is dropped.
struct Session(Child);

impl Drop for Session {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn holding(cluster: &Cluster, sql: &str) -> Session {
    let mut psql =
        cluster.psql("mfactl").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let text = format!("{sql};\nSELECT 'held';\n");
    psql.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    let lines = BufReader::new(psql.stdout.take().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line == "held"));
    Session(psql)
}

#[test]
fn a_foreign_lock_is_busy_and_a_cut_connection_accepts_nothing() {
    let Some((cluster, world)) = fleet("locks and cut connections on PostgreSQL") else { return };
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let held = holding(&cluster, "BEGIN; SELECT one FROM audit_head FOR UPDATE");
    let ran = world.verify("alice", &code).expect(75);
    assert_eq!(ran.error(), "busy");
    assert_soon(&ran);
    world.run("list-status").expect(0);
    // Cut while it waits for the lock.
    let waiting = world.call("verify --json alice").input(&code).start_fed();
    thread::sleep(Duration::from_secs(1));
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE application_name = 'mfactl'";
    assert_eq!(cluster.sql("mfactl", cut), "1");
    let ran = waiting.finish().expect(STORE_UNAVAILABLE);
    assert_eq!(ran.out, "");
    drop(held);
    assert_eq!(world.verify("alice", &code).expect(0).outcome(), "accepted");
}

#[test]
fn a_standby_takes_no_codes_and_after_a_failover_the_new_primary_does() {
    let Some((cluster, world)) = fleet("failover") else { return };
    let mut seed = world.active("alice");
    let standby = cluster.standby();
    let mut reading = world.copy();
    reading.address = Some(standby.address());
    let code = world.next(&mut seed);
    let ran = reading.verify("alice", &code).expect(STORE_UNAVAILABLE);
    assert!(ran.err.contains("standby"), "{ran:?}");
    assert_eq!(reading.run("list-status --format csv").expect(0).out.lines().count(), 2);
    let mut either = world.copy();
    either.address = Some(Cluster::address_of(&[&standby, &cluster]));
    assert_eq!(either.verify("alice", &code).expect(0).outcome(), "accepted", "the primary");
    let silent = Pid::from_raw(standby.pid()).unwrap();
    kill_process(silent, Signal::STOP).unwrap();
    let ran = either.verify("alice", &code);
    kill_process(silent, Signal::CONT).unwrap();
    assert_eq!(ran.expect(1).outcome(), "replayed", "past the one that says nothing");
    let behind = "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = pg_current_wal_lsn()";
    for _ in 0..50 {
        if cluster.sql("postgres", behind) == "1" {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    cluster.off();
    either.verify("alice", &code).expect(STORE_UNAVAILABLE);
    standby.promote();
    assert_eq!(either.verify("alice", &code).expect(1).outcome(), "replayed", "it is known there");
}

#[test]
fn a_foreign_database_a_wrong_key_and_an_unfit_address_have_their_own_errors() {
    let Some((cluster, world)) = fleet("unfit databases") else { return };
    world.active("alice");
    cluster.sql("postgres", "CREATE DATABASE theirs");
    cluster.sql("theirs", "CREATE TABLE users(name TEXT)");
    cluster.sql("postgres", "CREATE DATABASE nothing");
    cluster.sql("postgres", "CREATE ROLE stranger LOGIN");
    let at = cluster.address();
    let of = |address: String| {
        let mut other = world.copy();
        other.address = Some(address);
        other
    };
    for (address, code, words) in [
        (at.replace("/mfactl", "/theirs"), CONFIG, "another program's tables"),
        (at.replace("/mfactl", "/nothing"), STORE_UNAVAILABLE, "create one with: mfactl --store "),
        (at.replace("/mfactl", "/absent"), STORE_UNAVAILABLE, "no such database"),
        (at.replace("postgres@", "nobody@"), NOT_PERMITTED, "does not let this user in"),
        (at.replace("postgres@", "stranger@"), NOT_PERMITTED, "may not do this"),
        (format!("{at}?colour=red"), USAGE, "colour"),
        (at.replace("postgres@", "postgres:hunter2@"), USAGE, "must not contain a password"),
    ] {
        for line in ["list-status", "verify alice"] {
            let ran = of(address.clone()).call(line).input("123456").run().expect(code);
            assert!(ran.err.contains(words) && !ran.err.contains("hunter2"), "{ran:?}");
            assert_eq!(ran.out, "");
        }
    }
    let ran = of(at.replace("/mfactl", "/theirs")).run("init").expect(CONFIG);
    assert!(ran.err.contains("another program's tables"), "{ran:?}");
    let stranger = World::new();
    let mut wrong = world.copy();
    std::fs::copy(stranger.key(), wrong.key()).unwrap();
    wrong.address = Some(at);
    assert_eq!(wrong.verify("alice", "123456").expect(CONFIG).error(), "key");
}

#[test]
fn each_database_role_can_do_its_work_and_nothing_else() {
    let Some((cluster, world)) = fleet("roles in the database") else { return };
    let mut seed = world.active("alice");
    world.pending("bob");
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/contrib/postgres-roles.sql");
    for _ in 0..2 {
        cluster.sql("mfactl", &std::fs::read_to_string(file).unwrap());
    }
    let member = |role: &str| {
        let name = format!("a_{role}");
        cluster.sql("mfactl", &format!("CREATE ROLE {name} LOGIN; GRANT mfactl_{role} TO {name}"));
        let mut member = world.copy();
        member.address = Some(cluster.address().replace("postgres@", &format!("{name}@")));
        member
    };
    let (owner, service, auditor) = (member("owner"), member("service"), member("auditor"));
    assert_eq!(auditor.run("list-status --format csv").expect(0).out.lines().count(), 3);
    for line in [
        "show-user alice",
        "log --user alice",
        "verify-log",
        "changes --since 1h",
        "list-status --at now",
        "metrics",
        "check locked",
    ] {
        auditor.run(line).expect(0);
    }
    // "now" is before everything that happened in this very second.
    let none = || auditor.run("log --prune --before now --dry-run").expect(0).out;
    while none().starts_with("no event") {
        thread::sleep(Duration::from_millis(100));
    }
    for line in [
        "verify alice",
        "unlock alice",
        "enrol carol --create --json",
        "log --prune --before now --yes",
    ] {
        let ran = auditor.call(line).input("123456").run().expect(NOT_PERMITTED);
        assert!(ran.err.contains("may not do this"), "{ran:?}");
    }
    assert_eq!(service.verify("bob", "123456").expect(1).outcome(), "rejected");
    let code = world.next(&mut seed);
    service.configure("[services.sshd]\nremember = \"12h\"\n");
    for typed in [code.as_str(), ""] {
        let call = service.call("verify --from pam --socket none").with("PAM_TYPE", "auth");
        let call = call.with("PAM_USER", "alice").with("PAM_SERVICE", "sshd");
        call.with("PAM_RHOST", "192.0.2.1").input(typed).run().expect(0);
    }
    let made = world.run("recovery-codes alice --json --reveal-secrets").expect(0).document();
    let spare = made["codes"][0].as_str().unwrap();
    assert_eq!(service.verify("alice", spare).expect(0).outcome(), "accepted");
    for line in [
        "edit-user alice --rename mallory",
        "edit-user alice --group admins",
        "add-user carol",
        "remove-user alice --yes",
    ] {
        let ran = service.run(line).expect(NOT_PERMITTED);
        assert!(ran.err.contains("may not do this"), "{ran:?}");
    }
    // A whole sign-in, with all that can be forced on somebody.
    owner.run("add-user erin").expect(0);
    owner.call("set-password erin").input("correct horse battery staple\n").run().expect(0);
    owner.run("force-new-password erin --yes --old-password-opens").expect(0);
    let sign_in = |line: &str| {
        let mut service = service.copy();
        service.address = Some(cluster.address().replace("postgres@", "a_service@"));
        service.configure("[policy]\nmfa = \"required\"\n[password]\nmemory = 19\n");
        let call = service.call("sign-in erin --json --reveal-secrets");
        call.input(format!("{line}\n")).run()
    };
    let ran = sign_in(
        r#"{"password":"correct horse battery staple","new_password":"violet umbrella at seven"}"#,
    );
    let ran = if ran.outcome() == "enrolment_required" {
        ran
    } else {
        sign_in(r#"{"password":"violet umbrella at seven"}"#)
    };
    assert_eq!(ran.outcome(), "enrolment_required", "{ran:?}");
    let secret = ran.document()["enrolment"]["secret"].as_str().unwrap().to_owned();
    let mut seed = Seed { base32: secret, spent: 0 };
    let code = world.next(&mut seed);
    let ran = sign_in(&format!(r#"{{"password":"violet umbrella at seven","code":"{code}"}}"#));
    assert_eq!(ran.expect(0).outcome(), "accepted");
    for line in [
        "add-user carol",
        "disable alice --yes",
        "reset alice --yes --no-enrol",
        "force-new-password alice --yes",
        "remove-user bob --erase --yes",
        "approve",
    ] {
        owner.run(line).expect(0);
    }
}
