//! What the time of a no says about a user, and what many of them cost.

use std::time::{Duration, Instant};

use super::serving::{Verifier, connect, heard, say};
use super::support::{World, has};

/// A no leaves a multiple of this after its question.
const EVERY: Duration = Duration::from_millis(5);
const UNKNOWN: &str = "SELECT count(*) FROM events WHERE outcome = 'unknown'";

fn question(user: &str, code: &str) -> String {
    format!(r#"{{"user":"{user}","code":"{code}","from":"pam"}}"#)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long an answer took")]
fn no_user_gets_a_no_sooner_than_another() {
    let what = "the time of a no";
    if !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    for user in ["alice", "off"] {
        world.active(user);
    }
    world.run("add-user bare").expect(0);
    world.run("disable off --yes").expect(0);
    let verifier = Verifier::start(&world);
    let client = connect(&verifier.path);
    // The sixth wrong code meets a lock, and the second unknown name within a minute is no event.
    for user in ["alice", "nobody", "off", "bare"].into_iter().cycle().take(40) {
        let asked = Instant::now();
        assert!(say(&client, question(user, "000000").as_bytes()));
        let answer = heard(&client).unwrap();
        let took = asked.elapsed();
        assert!(answer.contains("\"rejected\""), "{user}: {answer}");
        assert!(took >= EVERY, "{user}: {took:?}");
    }
    world.run("verify-log").expect(0);
}

#[test]
fn a_crowd_of_unknown_names_is_one_event_and_keeps_nobody_else_out() {
    let what = "many unknown names";
    if !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    let mut alice = world.active("alice");
    let verifier = Verifier::start(&world);
    let client = connect(&verifier.path);
    let code = world.next(&mut alice);
    // Sent at once, they are decided together.
    for n in 0..30 {
        assert!(say(&client, question(&format!("nobody{n}"), "000000").as_bytes()));
    }
    assert!(say(&client, question("alice", &code).as_bytes()));
    let answers: Vec<_> = (0..31).map(|_| heard(&client).unwrap()).collect();
    let of = |word: &str| answers.iter().filter(|answer| answer.contains(word)).count();
    assert_eq!((of("\"rejected\""), of("\"accepted\"")), (30, 1), "{answers:?}");
    assert_eq!(world.sql(UNKNOWN), "1");
    assert!(say(&client, question("alice", &code).as_bytes()));
    assert!(heard(&client).unwrap().contains("\"rejected\""), "a code is accepted once");
    world.run("verify-log").expect(0);
    world.assert_sound();
}
