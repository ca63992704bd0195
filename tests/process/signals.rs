//! Signals: at a prompt, and in the middle of a transaction.

use std::collections::BTreeSet;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::screen::Screen;
use super::support::{World, children, has};

/// The names of all files of a world.
fn files(world: &World) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for folder in [".", "s", "k"] {
        for entry in std::fs::read_dir(world.path(folder)).unwrap() {
            names.insert(format!("{folder}/{}", entry.unwrap().file_name().display()));
        }
    }
    names
}

#[test]
fn a_signal_at_a_prompt_restores_the_terminal_and_leaves_no_partial_change() {
    let what = "signals at a prompt";
    if !(has("tmux", what) && has("oathtool", what) && has("sqlite3", what)) {
        return;
    }
    let world = World::new();
    world.active("alice");
    for (signal, user) in [(Signal::TERM, "tom"), (Signal::HUP, "hugh"), (Signal::INT, "ina")] {
        let enrol = format!("enrol {user} --create");
        for (line, prompt, stands) in [
            (&*enrol, "The 6 digits", "device phone is pending"),
            ("verify alice", "Code of alice", "nothing was changed"),
            ("reset alice", "Cut off 1 device (phone)?", "nothing was changed"),
        ] {
            let (state, before) = (world.state(), files(&world));
            let screen = Screen::new(&world, 100, 45);
            let modes = screen.modes();
            screen.line(&format!("$M {line}"));
            screen.until(prompt);
            kill_process(screen.child(), signal).unwrap();
            let shown = screen.until("interrupted: ");
            assert!(shown.contains(stands), "{line}: {shown}");
            let kept = screen.everything();
            assert!(!kept.contains(['█', '▀', '▄']), "{signal:?}: {line}: {kept}");
            assert_eq!(screen.left(), ("130".into(), true), "{signal:?}: {line}");
            assert_eq!(screen.modes(), modes, "{signal:?}: {line}");
            assert!(screen.has_cursor(), "{signal:?}: {line}");
            assert_eq!(files(&world), before, "{signal:?}: {line}");
            assert!(line.starts_with("enrol") || world.state() == state, "{signal:?}: {line}");
            world.assert_sound();
        }
        assert_eq!(world.status(user), "pending", "{signal:?}");
    }
    assert_eq!(world.status("alice"), "enabled");
}

/// The state of a process as the kernel names it: `T` and `t` are stopped.
fn is_stopped(process: Pid) -> bool {
    let path = format!("/proc/{}/stat", process.as_raw_nonzero());
    let stat = std::fs::read_to_string(path).unwrap_or_default();
    stat.rsplit(") ").next().is_some_and(|s| s.starts_with(['T', 't']))
}

#[test]
fn a_verify_stopped_while_it_holds_the_lock_continues_after_it() {
    let what = "a verify that is stopped";
    if !(has("strace", what) && has("oathtool", what) && has("sqlite3", what)) {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    // It is stopped after its first sync: its change is in the write-ahead log, and it holds the lock.
    let syncs = "fsync,fdatasync";
    let (trace, inject) = (format!("trace={syncs}"), format!("inject={syncs}:signal=STOP:when=1"));
    let stopped = world
        .call("verify --json alice")
        .input(&code)
        .under(["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject])
        .start_fed();
    let mut looks = 0;
    let process = loop {
        let found = children(stopped.id()).into_iter().find(|p| is_stopped(*p));
        // Under strace every call stops it for a moment.
        if let Some(process) = found {
            sleep(Duration::from_millis(200));
            if is_stopped(process) {
                break process;
            }
        }
        looks += 1;
        assert!(looks < 400, "it never stopped");
        sleep(Duration::from_millis(25));
    };
    // A second process with the same code waits for the first.
    let second = world.call("verify --json alice").input(&code).start_fed();
    sleep(Duration::from_secs(2));
    assert!(is_stopped(process));
    kill_process(process, Signal::CONT).unwrap();
    assert_eq!(stopped.finish().expect(0).outcome(), "accepted");
    let second = second.finish();
    assert!(second.outcome() == "replayed" || second.error() == "busy", "{second:?}");
    assert!(second.took.as_secs() < 10, "{second:?}");
    assert_eq!(world.verify("alice", &code).outcome(), "replayed");
    world.assert_sound();
}
