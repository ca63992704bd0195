//! Login services with a PostgreSQL server that hangs, stops or comes back.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::batch::Batch;
use super::serving::Verifier;
use super::{by_pam, by_pam_with};
use crate::fleet::fleet;
use crate::race::at_once;
use crate::support::{BUSY, STORE_UNAVAILABLE, Seed};

/// The limit is two seconds; this allows for a busy machine.
const IN_TIME: Duration = Duration::from_millis(2900);

#[test]
fn a_hanging_or_missing_server_is_an_error_in_time() {
    let Some((cluster, world)) = fleet("a login service and a PostgreSQL that hangs") else {
        return;
    };
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let server = Pid::from_raw(cluster.pid()).unwrap();
    kill_process(server, Signal::STOP).unwrap();
    let ran = by_pam(&world, "alice").input(&code).run();
    kill_process(server, Signal::CONT).unwrap();
    // On a busy machine the watchdog may end the run before the connection times out.
    assert!([BUSY, STORE_UNAVAILABLE].contains(&ran.code), "{ran:?}");
    assert!(ran.took < IN_TIME, "{ran:?}");
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
    cluster.off();
    let ran = by_pam(&world, "alice").input(&code).run().expect(STORE_UNAVAILABLE);
    assert!(ran.took < IN_TIME, "{ran:?}");
    cluster.on();
    by_pam(&world, "alice").input(&code).run().expect(0);
    by_pam(&world, "alice").input(&code).run().expect(1);
}

#[test]
fn a_batch_survives_a_restart_of_its_server() {
    let Some((cluster, world)) = fleet("a co-process and its PostgreSQL") else { return };
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let mut batches = [Batch::start(&world), Batch::start(&world)];
    for batch in &mut batches {
        batch.ask("alice\thunter2\t1");
        assert_eq!(batch.answer(), "1 rejected");
    }
    cluster.off();
    for batch in &mut batches {
        batch.ask(&format!("alice\t{code}\t2"));
        assert_eq!(batch.answer(), "2 store_unavailable");
    }
    cluster.on();
    for batch in &mut batches {
        batch.ask(&format!("alice\t{code}\t3"));
    }
    let mut answers = batches.each_mut().map(Batch::answer);
    answers.sort_unstable();
    assert_eq!(answers, ["3 accepted", "3 replayed"]);
    // A co-process whose connection is cut reconnects without an error.
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
    assert_eq!(cluster.sql("mfactl", cut), "2");
    for batch in &mut batches {
        batch.ask("alice\thunter2\t4");
        assert_eq!(batch.answer(), "4 rejected");
    }
    batches.into_iter().for_each(Batch::end);
}

/// Each code comes to two verifiers and to a process that asks none, all at once.
#[test]
fn verifiers_survive_restarts_of_their_server_and_accept_no_code_twice() {
    let Some((cluster, world)) = fleet("verifiers and their PostgreSQL") else { return };
    let verifiers = ["one", "two"].map(|name| {
        let path = Verifier::place(&world, name);
        let line = format!("serve --socket {}", path.display());
        Verifier::of(world.call(&line).command(), path)
    });
    let places = verifiers.each_ref().map(|verifier| verifier.path.display().to_string());
    let ways = [&places[0], &places[1], "none"].map(|place| format!("--socket {place}"));
    let mut opened_in_all = 0;
    for round in 0..6 {
        let mut users: Vec<(String, Seed)> = (0..4)
            .map(|n| format!("user{round}-{n}"))
            .map(|name| (name.clone(), world.pending(&name)))
            .collect();
        let mut calls = Vec::new();
        for (name, seed) in &mut users {
            let code = world.next(seed);
            calls.extend(ways.iter().map(|way| by_pam_with(&world, name, way).input(&code)));
        }
        let is_restarted = round % 2 == 1;
        let runs = std::thread::scope(|scope| {
            if is_restarted {
                scope.spawn(|| {
                    std::thread::sleep(Duration::from_millis(40 * round));
                    cluster.off();
                    cluster.on();
                });
            }
            at_once(calls)
        });
        for ((name, _), runs) in users.iter().zip(runs.chunks(ways.len())) {
            let opened = runs.iter().filter(|ran| ran.code == 0).count();
            assert!(opened == 1 || is_restarted && opened == 0, "{name}: {runs:#?}");
            opened_in_all += opened;
        }
        for (name, mut seed) in users {
            let code = world.next(&mut seed);
            by_pam_with(&world, &name, &ways[usize::from(is_restarted)])
                .input(&code)
                .run()
                .expect(0);
        }
    }
    assert!(opened_in_all >= 12, "{opened_in_all}");
    let accepted = "SELECT max(n) FROM (SELECT count(*) AS n FROM events \
                    WHERE outcome IN ('accepted', 'confirmed') GROUP BY \"user\") AS counts";
    assert_eq!(cluster.sql("mfactl", accepted), "2");
    for verifier in verifiers {
        assert_eq!(verifier.end(Signal::TERM), Some(0));
    }
    world.run("verify-log").expect(0);
}
