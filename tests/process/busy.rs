//! Waiting for a store that another program has locked.

use std::thread;
use std::time::Duration;

use super::support::{World, has};

fn tools(what: &str) -> bool {
    has("oathtool", what) && has("sqlite3", what)
}

#[test]
fn a_store_locked_by_another_program_is_busy_after_a_bounded_wait() {
    if !tools("a store that another program holds") {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let held = world.held_by("BEGIN IMMEDIATE;");
    let ran = world.verify("alice", &code).expect(75);
    assert_eq!(ran.error(), "busy");
    assert!(ran.took < Duration::from_secs(7), "{ran:?}");
    world.run("list-status").expect(0);
    drop(held);
    assert_eq!(world.verify("alice", &code).expect(0).outcome(), "accepted");
}

#[test]
fn a_late_process_waits_for_a_locked_store_no_longer_than_an_early_one() {
    if !tools("a queue before a store that another program holds") {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let _held = world.held_by("BEGIN IMMEDIATE;");
    let early = world.call("verify --json alice").input(&code).start();
    // The early process is ahead in the queue for two seconds more. The late one's time limit must not start
    // again when it reaches the head of the queue.
    thread::sleep(Duration::from_secs(3));
    let late = world.call("verify --json alice").input(&code).run().expect(75);
    assert!(late.took < Duration::from_secs(7), "{late:?}");
    early.finish().expect(75);
}

#[test]
fn the_write_ahead_log_stays_short_when_every_process_writes_once() {
    if !tools("the length of the write-ahead log") {
        return;
    }
    let world = World::new();
    let log = world.path("s/m.db-wal");
    let mut shortened = 0;
    let mut before = 0;
    for n in 0..120 {
        world.run(&format!("add-user user{n}")).expect(0);
        let length = log.metadata().unwrap().len();
        assert!(length < 160 * 4120, "{n}: {length}");
        shortened += u32::from(length < before);
        before = length;
    }
    assert!((1..40).contains(&shortened), "now and then: {shortened}");
    world.assert_sound();
}
