//! The answer comes after the commit, and the commit is on the disk.

use super::support::{World, has};

/// The calls that matter, in order, as `strace` saw them.
fn trace(world: &World, code: &str) -> Vec<String> {
    let path = world.path("trace");
    let calls = "trace=pwrite64,write,fsync,fdatasync,exit_group";
    let ran = world
        .call("verify --json alice")
        .input(code)
        .under(["strace", "-f", "-y", "-e", calls, "-o", path.to_str().unwrap()])
        .run();
    assert_eq!((ran.code, ran.outcome().as_str()), (0, "accepted"), "{ran:?}");
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn tools(what: &str) -> bool {
    has("strace", what) && has("oathtool", what) && has("sqlite3", what)
}

fn last(lines: &[String], words: &[&str]) -> usize {
    let found = lines.iter().rposition(|l| words.iter().all(|w| l.contains(w)));
    found.unwrap_or_else(|| panic!("{words:?} is not in {lines:#?}"))
}

#[test]
fn the_log_is_synced_after_its_last_write_and_before_the_answer() {
    if !tools("the order of writes") {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    // Another reader prevents a checkpoint at the end, which would hide the syncs of the commit.
    let held = world.held_by("BEGIN; SELECT count(*) FROM users;");
    let lines = trace(&world, &world.next(&mut seed));
    let written = last(&lines, &["pwrite64(", "-wal>"]);
    let synced = lines.iter().rposition(|l| l.contains("sync(") && l.contains("-wal>")).unwrap();
    let answered = last(&lines, &["write(1<"]);
    let ended = last(&lines, &["exit_group(0)"]);
    assert!(written < synced && synced < answered && answered < ended, "{lines:#?}");
    drop(held);
}

#[test]
fn a_verify_costs_two_syncs_at_most() {
    if !tools("counting syncs") {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let lines = trace(&world, &world.next(&mut seed));
    let syncs = lines.iter().filter(|l| l.contains("fsync(") || l.contains("fdatasync(")).count();
    assert!(syncs <= 2, "{lines:#?}");
}
