//! What the time of a no says about a user, and what many of them cost.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::serving::{Verifier, connect, heard, listening, say};
use super::support::{USAGE, World, has};

/// A no is sent so long after its question, or after a multiple of that.
const EVERY: Duration = Duration::from_millis(50);
const UNKNOWN: &str = "SELECT count(*) FROM events WHERE outcome = 'unknown'";

fn question(user: &str, code: &str) -> String {
    format!(r#"{{"user":"{user}","code":"{code}","from":"pam"}}"#)
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how long an answer took")]
fn no_no_comes_before_its_time() {
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

/// A user who comes twice makes two rounds of one transaction.
#[test]
fn unknown_names_among_users_are_one_event_and_cost_nobody_their_code() {
    let what = "many unknown names";
    if !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    let mut alice = world.active("alice");
    let verifier = Verifier::start(&world);
    let code = world.next(&mut alice);
    let mut asked: Vec<_> = (0..40).map(|n| (format!("nobody{n}"), "000000")).collect();
    for (at, code) in [(35, code.as_str()), (20, "000000"), (5, code.as_str())] {
        asked.insert(at, ("alice".to_owned(), code));
    }
    let clients: Vec<_> = asked.iter().map(|_| connect(&verifier.path)).collect();
    // What has come by the time it goes on is decided together.
    verifier.signal(Signal::STOP);
    for (client, (user, code)) in clients.iter().zip(&asked) {
        assert!(say(client, question(user, code).as_bytes()));
    }
    verifier.signal(Signal::CONT);
    let answers: Vec<_> = clients.iter().map(|client| heard(client).unwrap()).collect();
    let is_in = |answer: &String| answer.contains("\"accepted\"");
    let accepted: Vec<_> =
        answers.iter().zip(&asked).filter(|(a, _)| is_in(a)).map(|(_, (user, _))| user).collect();
    assert_eq!(accepted, ["alice"], "once");
    assert_eq!(world.sql(UNKNOWN), "1");
    world.run("verify-log").expect(0);
    world.assert_sound();
}

#[test]
fn a_no_that_is_held_is_sent_before_the_end() {
    let what = "the end of a verifier that holds a no";
    if !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    let verifier = Verifier::start(&world);
    let client = connect(&verifier.path);
    for n in 0..3 {
        assert!(say(&client, question(&format!("nobody{n}"), "000000").as_bytes()));
    }
    assert_eq!(verifier.end(Signal::TERM), Some(0));
    for _ in 0..3 {
        assert!(heard(&client).unwrap().contains("\"rejected\""));
    }
    assert_eq!(heard(&client), None);
    assert_eq!(world.sql(UNKNOWN), "1");
}

/// More than a client may have open at once.
#[test]
fn an_end_answers_a_right_code_behind_many_noes() {
    let what = "the end of a verifier with many noes";
    if !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    let mut alice = world.active("alice");
    let verifier = Verifier::start(&world);
    let client = connect(&verifier.path);
    verifier.signal(Signal::STOP);
    for n in 0..150 {
        assert!(say(&client, question(&format!("nobody{n}"), "000000").as_bytes()));
    }
    assert!(say(&client, question("alice", &world.next(&mut alice)).as_bytes()));
    verifier.signal(Signal::TERM);
    verifier.signal(Signal::CONT);
    let answers: Vec<_> = std::iter::from_fn(|| heard(&client)).collect();
    let of = |word: &str| answers.iter().filter(|answer| answer.contains(word)).count();
    assert_eq!((of("\"rejected\""), of("\"accepted\"")), (150, 1), "{answers:?}");
    world.assert_sound();
}

#[test]
fn a_socket_that_is_handed_over_is_not_made_too() {
    let world = World::new();
    let socket = listening(&Verifier::place(&world, "handed"));
    let made = Verifier::place(&world, "made");
    let mut command = world.call(&format!("serve --socket {}", made.display())).command();
    let output = command.stdin(socket).output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(USAGE), "{error}");
    assert!(error.contains("--socket: the socket came on standard input"), "{error}");
    assert!(!made.exists());
}
