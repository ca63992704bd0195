//! A login service waits for its answer while a notification hook hangs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::batch::Batch;
use super::by_pam_with;
use super::support::{World, has};

/// The limit is two seconds; this allows for a busy machine.
const IN_TIME: Duration = Duration::from_millis(2900);
const NOTICES: &str = "SELECT outcome FROM events WHERE verb = 'notify'";

/// A hook that a shell runs.
fn hooked(world: &World, script: &str) {
    let shell = fs::canonicalize("/bin/sh").unwrap();
    let hook = format!("hook = ['{}', '-c', '''{script}''']", shell.display());
    world.configure(&format!("[password]\nmemory = 19\n[notify]\n{hook}\n"));
}

fn assert_dead(pids: &Path) {
    let text = fs::read_to_string(pids).unwrap();
    assert_ne!(text.trim(), "", "the hook ran");
    for pid in text.split_whitespace() {
        // Nobody may have reaped it yet.
        let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(state.is_empty() || state.contains(") Z "), "{state}");
    }
}

#[test]
fn a_first_code_is_accepted_and_a_hanging_hook_is_killed_in_time() {
    let what = "a login and a hook that hangs";
    if !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    for options in ["", "--split last"] {
        let world = World::new();
        let pids = world.public().join("pids");
        hooked(&world, &format!("sleep 300 & echo $! $$ > {}; wait", pids.display()));
        let mut seed = world.pending("alice");
        let password = "correct horse battery";
        world.call("set-password alice").input(format!("{password}\n")).run().expect(0);
        let code = world.next(&mut seed);
        let typed = if options.is_empty() { code } else { format!("{password}{code}") };
        let ran = by_pam_with(&world, "alice", options).input(typed).run().expect(0);
        assert!(ran.took < IN_TIME, "{ran:?}");
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
        assert_eq!(world.sql(NOTICES), "failed");
        assert_dead(&pids);
    }
}

#[test]
fn a_batch_waits_once_for_a_hanging_hook() {
    let what = "a co-process and a hook that hangs";
    if !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    let runs = world.public().join("runs");
    hooked(&world, &format!("echo $$ >> {}; sleep 300", runs.display()));
    let mut seeds: Vec<_> = (0..3).map(|n| world.pending(&format!("user{n}"))).collect();
    let line = |(n, seed): (usize, _)| format!("user{n}\t{}\t{n}", world.next(seed));
    let lines: Vec<_> = seeds.iter_mut().enumerate().map(line).collect();
    let mut batch = Batch::start(&world);
    // Sent in one piece, the lines are one batch.
    batch.ask(&lines.join("\n"));
    for n in 0..3 {
        assert_eq!(batch.answer(), format!("{n} confirmed"));
    }
    batch.ask("nobody\t123456\t3");
    assert_eq!(batch.answer(), "3 user_not_found");
    assert_eq!(fs::read_to_string(&runs).unwrap().lines().count(), 1);
    assert_eq!(world.sql(NOTICES), "failed\nfailed\nfailed");
    assert_dead(&runs);
    batch.end();
}
