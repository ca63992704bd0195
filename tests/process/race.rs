//! Processes that compete for the same code, user or file.

use std::sync::Barrier;
use std::thread;

use super::factors::{Button, YubiKey};
use super::support::{Call, Ran, World, has};

/// Starts all calls, and gives them their input only when all of them run.
pub fn at_once(calls: Vec<Call>) -> Vec<Ran> {
    let gate = Barrier::new(calls.len());
    thread::scope(|scope| {
        let runs: Vec<_> = calls
            .into_iter()
            .map(|call| {
                let started = call.start();
                let gate = &gate;
                scope.spawn(move || {
                    gate.wait();
                    started.finish()
                })
            })
            .collect();
        runs.into_iter().map(|r| r.join().unwrap()).collect()
    })
}

fn submitting(world: &World, user: &str, code: &str) -> Call {
    world.call(&format!("verify --json {user}")).input(code)
}

fn count(runs: &[Ran], outcome: &str) -> usize {
    runs.iter().filter(|r| r.outcome() == outcome).count()
}

fn tools(what: &str) -> bool {
    has("oathtool", what) && has("sqlite3", what)
}

#[test]
fn one_right_code_submitted_sixty_four_times_at_once_is_accepted_once() {
    if !tools("the race for one code") {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let runs = at_once(vec![submitting(&world, "alice", &code); 64]);
    let accepted: Vec<_> = runs.iter().filter(|r| r.code == 0).collect();
    assert_eq!(accepted.len(), 1, "{runs:#?}");
    assert_eq!(accepted[0].outcome(), "accepted");
    assert_eq!(count(&runs, "replayed"), 63, "{runs:#?}");
    assert!(runs.iter().all(|r| r.code <= 1), "nobody got an error: {runs:#?}");
    let written = |outcome: &str| {
        let about = format!("verb = 'verify' AND outcome = '{outcome}'");
        world.sql(&format!("SELECT count(*) FROM events WHERE {about}"))
    };
    assert_eq!((written("accepted"), written("replayed")), ("1".into(), "63".into()));
    world.assert_sound();
}

#[test]
fn one_code_of_a_printed_list_submitted_sixty_four_times_at_once_is_accepted_once() {
    if !tools("the race for one code of a list") {
        return;
    }
    let world = World::new();
    let made = world.run("enrol alice --create --kind paper --json --reveal-secrets");
    let made: serde_json::Value = serde_json::from_str(&made.out).unwrap();
    let codes: Vec<&str> =
        made["codes"].as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect();
    for (code, outcome) in [(codes[6], "confirmed"), (codes[2], "accepted")] {
        assert_one_of_sixty_four(&world, code, outcome);
    }
    let left = world.run("list-status --json");
    assert!(left.out.contains("\"codes_left\":48"), "{left:?}");
    world.assert_sound();
}

/// The outcomes of 64 simultaneous submissions of this code: one acceptance, and replays, in the answers and in the log.
#[track_caller]
fn assert_one_of_sixty_four(world: &World, code: &str, outcome: &str) {
    let (events, replays) = (world.events(), logged(world, "replayed"));
    let runs = at_once(vec![submitting(world, "alice", code); 64]);
    assert_eq!(runs.iter().filter(|r| r.code == 0).count(), 1, "{runs:#?}");
    assert_eq!((count(&runs, outcome), count(&runs, "replayed")), (1, 63), "{runs:#?}");
    assert_eq!((logged(world, outcome), logged(world, "replayed") - replays), (1, 63));
    assert_eq!(world.events() - events, 64);
}

/// The verifications in the log with this outcome.
fn logged(world: &World, outcome: &str) -> u32 {
    let about = format!("verb = 'verify' AND outcome = '{outcome}'");
    world.sql(&format!("SELECT count(*) FROM events WHERE {about}")).parse().unwrap()
}

#[test]
fn one_counted_code_submitted_sixty_four_times_at_once_is_accepted_once() {
    if !tools("the race for one counted code") {
        return;
    }
    let world = World::new();
    let made = world.run("enrol alice --create --no-confirm --kind hotp --json --reveal-secrets");
    let mut button = Button::new(made.expect(0).json("secret"), 0);
    assert_one_of_sixty_four(&world, &button.next(), "confirmed");
    // The last code that is near enough.
    button.press(8);
    assert_one_of_sixty_four(&world, &button.next(), "accepted");
    world.verify("alice", &button.next()).expect(0);
    world.assert_sound();
}

#[test]
fn one_code_of_a_yubikey_submitted_sixty_four_times_at_once_is_accepted_once() {
    if !tools("the race for one code of a YubiKey") {
        return;
    }
    let world = World::new();
    let line = "enrol alice --create --no-confirm --kind yubikey --json --reveal-secrets";
    let mut key = YubiKey::of_document(&world.run(line).expect(0).document());
    assert_one_of_sixty_four(&world, &key.next(), "confirmed");
    let skipped = key.next();
    assert_one_of_sixty_four(&world, &key.next(), "accepted");
    assert_eq!(world.verify("alice", &skipped).outcome(), "replayed", "counters only go forward");
    world.verify("alice", &key.next()).expect(0);
    world.assert_sound();
}

#[test]
fn a_confirming_code_confirms_once() {
    if !tools("the race for a confirmation") {
        return;
    }
    let world = World::new();
    let mut seed = world.pending("alice");
    let code = world.next(&mut seed);
    let runs = at_once(vec![submitting(&world, "alice", &code); 16]);
    assert_eq!(count(&runs, "confirmed"), 1, "{runs:#?}");
    assert_eq!(count(&runs, "replayed"), 15, "{runs:#?}");
    assert_eq!(runs.iter().filter(|r| r.code == 0).count(), 1);
}

#[test]
fn of_two_hundred_simultaneous_wrong_codes_five_are_evaluated() {
    if !tools("guessing in parallel") {
        return;
    }
    let world = World::new();
    let seed = world.active("alice");
    let wrong = seed.wrong(world.step());
    let runs = at_once(vec![submitting(&world, "alice", &wrong); 200]);
    assert!(runs.iter().all(|r| r.code == 1), "{runs:#?}");
    assert_eq!(count(&runs, "rejected") + count(&runs, "locked"), 200, "{runs:#?}");
    let evaluated = "SELECT count(*) FROM events WHERE verb = 'verify' AND outcome = 'rejected'";
    assert_eq!(world.sql(evaluated), "5");
    assert_eq!(count(&runs, "rejected"), 5);
    let summed = "SELECT count(*) FROM events WHERE outcome = 'locked'";
    let summed: u32 = world.sql(summed).parse().unwrap();
    assert!((1..=3).contains(&summed), "locked attempts are summed by the minute: {summed}");
    world.assert_sound();
}

#[test]
fn the_right_code_among_a_few_wrong_ones_is_accepted_once() {
    if !tools("a right code and a few wrong ones at once") {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let (right, wrong) = (world.next(&mut seed), seed.wrong(world.step()));
    // Four wrong codes cause no lock, so that every right code is evaluated.
    let calls =
        (0..60).map(|i| submitting(&world, "alice", if i % 15 == 0 { &wrong } else { &right }));
    let runs = at_once(calls.collect());
    assert_eq!(count(&runs, "accepted"), 1, "{runs:#?}");
    assert_eq!(count(&runs, "replayed"), 55, "{runs:#?}");
    assert_eq!(count(&runs, "rejected"), 4, "{runs:#?}");
    world.assert_sound();
}

/// Whether the lock or the acceptance comes first is chance; together with a later attempt the code is
/// accepted exactly once.
#[test]
fn the_right_code_among_many_wrong_ones_is_accepted_once_in_all() {
    if !tools("right and wrong codes at once") {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let (right, wrong) = (world.next(&mut seed), seed.wrong(world.step()));
    let calls =
        (0..60).map(|i| submitting(&world, "alice", if i % 3 == 0 { &right } else { &wrong }));
    let runs = at_once(calls.collect());
    let accepted = count(&runs, "accepted");
    assert_eq!(accepted, runs.iter().filter(|r| r.code == 0).count(), "{runs:#?}");
    let others = ["rejected", "replayed", "locked"].map(|outcome| count(&runs, outcome));
    assert_eq!(accepted + others.iter().sum::<usize>(), 60, "{runs:#?}");
    // Before the acceptance at most five, after it at most five more.
    let evaluated = "SELECT count(*) FROM events WHERE verb = 'verify' AND outcome = 'rejected'";
    assert!(world.sql(evaluated).parse::<u32>().unwrap() <= 10);
    world.run("unlock alice").expect(0);
    let later = world.verify("alice", &right);
    let expected = if accepted == 0 { "accepted" } else { "replayed" };
    assert_eq!((accepted <= 1, &*later.outcome()), (true, expected), "{runs:#?}");
}

#[test]
fn eight_users_at_once_are_all_accepted() {
    if !tools("several users at once") {
        return;
    }
    let world = World::new();
    let calls: Vec<Call> = (0..8)
        .map(|i| {
            let user = format!("user{i}");
            let mut seed = world.active(&user);
            submitting(&world, &user, &world.next(&mut seed))
        })
        .collect();
    let runs = at_once(calls);
    assert_eq!(count(&runs, "accepted"), 8, "{runs:#?}");
    assert!(runs.iter().all(|r| r.code == 0), "{runs:#?}");
}

#[test]
fn disable_and_verify_at_once_accept_the_code_once_at_most() {
    if !tools("disable against verify") {
        return;
    }
    for _ in 0..8 {
        let world = World::new();
        let mut seed = world.active("alice");
        let code = world.next(&mut seed);
        let runs =
            at_once(vec![submitting(&world, "alice", &code), world.call("disable alice --yes")]);
        assert_eq!(runs[1].code, 0, "{runs:#?}");
        assert!(matches!(runs[0].code, 0 | 76), "{runs:#?}");
        assert_eq!(world.status("alice"), "disabled");
        world.verify("alice", &code).expect(76);
        world.run("enable alice").expect(0);
        let (again, first) = (world.verify("alice", &code), runs[0].code);
        assert_eq!(again.code == 0, first != 0, "once in all: {again:?}");
    }
}

#[test]
fn two_first_runs_make_one_store_and_one_key() {
    for _ in 0..8 {
        let world = World::empty();
        let runs = at_once(vec![world.call("init --json"); 4]);
        assert!(runs.iter().all(|r| r.code == 0), "{runs:#?}");
        let made = |what: &str| runs.iter().filter(|r| r.document()[what] == true).count();
        assert_eq!((made("store_is_new"), made("key_is_new")), (1, 1), "{runs:#?}");
        assert_files(&world);
        world.run("enrol alice --create --no-confirm --json").expect(0);
    }
}

#[test]
fn two_first_enrolments_make_one_store_and_one_key() {
    for _ in 0..8 {
        let world = World::empty();
        let line = |user: &str| format!("enrol {user} --create --no-confirm --json");
        let runs = at_once(vec![
            world.call(&line("alice")),
            world.call(&line("bob")),
            world.call("add-user carol"),
        ]);
        assert!(runs.iter().all(|r| r.code == 0), "{runs:#?}");
        assert_files(&world);
        let list = world.run("list-status --json").expect(0).document();
        assert_eq!(list["summary"]["users"], 3, "{list}");
        world.run("show-qr alice --json").expect(0);
        world.run("show-qr bob --json").expect(0);
    }
}

/// Asserts that there are a store and a key, and no temporary files.
#[track_caller]
fn assert_files(world: &World) {
    let names = |folder: &str| {
        let entries = std::fs::read_dir(world.path(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|n| !matches!(n.as_str(), "m.db-wal" | "m.db-shm" | "m.db-queue"));
        names
    };
    assert_eq!(names("s"), ["m.db"]);
    assert_eq!(names("k"), ["m.key"]);
}
