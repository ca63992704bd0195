//! `verify --batch`: a line of answer for each line, one commit for many.

use serde_json::Value;

use crate::testing::World;

fn batch(world: &World, lines: &str) -> Vec<Value> {
    let ran = world.run_with("verify --batch", lines).ok();
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn words(answers: &[Value]) -> Vec<String> {
    let word = |answer: &Value| match answer["code"].as_str() {
        Some(code) => format!("{} {code}", answer["id"]),
        None => format!("{} {}", answer["id"], answer["outcome"].as_str().unwrap()),
    };
    answers.iter().map(word).collect()
}

#[test]
fn each_line_has_its_answer_in_order() {
    let world = World::new();
    let (alice, bob) = (world.active("alice"), world.pending("bob", ""));
    let _ = world.run("add-user bare").ok();
    let _ = world.run("unlock alice").ok();
    world.wait(30);
    let (alice, bob) = (world.code(&alice, 0), world.code(&bob, 0));
    let lines = format!(
        "alice\t{alice}\t1\nalice\t{alice}\t2\nbob\t000000\t3\nbob\t{bob}\t4\nnobody\t123456\t5\n\
         {{\"user\":\"bare\",\"code\":\"123456\",\"id\":6}}\nwhat is this\nalice\thunter2"
    );
    let answers = batch(&world, &lines);
    assert_eq!(
        words(&answers),
        [
            "\"1\" accepted",
            "\"2\" replayed",
            "\"3\" rejected",
            "\"4\" confirmed",
            "\"5\" user_not_found",
            "6 not_enabled",
            "null bad_input",
            "null rejected",
        ]
    );
    assert_eq!(answers[0]["schema"], "mfactl.verify/1");
    assert_eq!(answers[3]["device"], "phone");
    assert_eq!(answers[4]["outcome"], "error");
    assert!(batch(&world, "").is_empty());
}

#[test]
fn an_id_comes_back_unchanged_and_escaped_for_a_terminal() {
    let world = World::new();
    let lines = "alice\t1\t\u{9b}31m\u{202e}\n\
                 {\"id\":{\"b\":1.10,\"a\":123456789012345678901234},\"user\":\"alice\",\"code\":\"1\"}\n";
    let ran = world.run_with("verify --batch", lines).ok();
    let harmful = |c: &char| *c != '\n' && crate::domain::text::is_harmful(*c);
    assert_eq!(ran.out.chars().find(harmful), None, "{}", ran.out);
    let (first, second) = ran.out.split_once('\n').unwrap();
    let first: Value = serde_json::from_str(first).unwrap();
    assert_eq!(first["id"], "\u{9b}31m\u{202e}");
    assert!(second.contains(r#""id":{"b":1.10,"a":123456789012345678901234},"#), "{second}");
}

#[test]
fn a_lock_begins_within_a_batch_and_a_code_is_accepted_once() {
    let world = World::new();
    let secret = world.active("alice");
    world.wait(30);
    let code = world.code(&secret, 0);
    let wrong = "alice\t000000\n".repeat(6);
    let answers = batch(&world, &format!("{wrong}alice\t{code}\n"));
    let expected = [&["null rejected"; 5][..], &["null locked"; 2]].concat();
    assert_eq!(words(&answers), expected);
    assert_eq!(answers[6]["locked_until"], "2026-01-01T00:01:00Z");
    let _ = world.run("unlock alice").ok();
    assert_eq!(words(&batch(&world, &format!("alice\t{code}\n"))), ["null accepted"]);
    assert_eq!(world.verify("alice", &code).json()["outcome"], "replayed");
}

#[test]
fn a_tampered_user_fails_only_that_line() {
    let world = World::new();
    let (alice, bob) = (world.active("alice"), world.active("bob"));
    world.wait(30);
    world.sql("UPDATE users SET failures = failures + 1 WHERE name = 'bob'");
    let (alice, bob) = (world.code(&alice, 0), world.code(&bob, 0));
    let answers = batch(&world, &format!("bob\t{bob}\t1\nalice\t{alice}\t2\n"));
    assert_eq!(words(&answers), ["\"1\" tampered", "\"2\" accepted"]);
}

#[test]
fn without_a_store_every_line_is_an_error() {
    let world = World::empty();
    let answers = batch(&world, "alice\t123456\t1\nwrong\nalice\t123456\t2\n");
    let away = if world.engine.is_postgres() { "damaged" } else { "store_unavailable" };
    let all = words(&answers);
    assert_eq!(all[1], "null bad_input");
    for (n, id) in [(0, "\"1\""), (2, "\"2\"")] {
        let is_away =
            all[n] == format!("{id} store_unavailable") || all[n] == format!("{id} {away}");
        assert!(is_away, "{all:?}");
    }
}

#[test]
fn a_batch_takes_no_name_and_a_service_is_named() {
    let world = World::new();
    for (line, other) in [
        ("verify --batch alice", "NAME"),
        ("verify --batch --from pam", "--from"),
        ("verify --batch --split last", "--split"),
        ("verify --batch --socket none", "--socket"),
        ("verify alice --socket /run/x", "--socket needs --from"),
        ("verify alice --split last", "--split needs --from"),
        ("verify alice --not-enabled accept", "--not-enabled needs --from"),
    ] {
        let ran = world.run_with(line, "");
        assert!(ran.code == 64 && ran.err.contains(other), "{line}: {ran:?}");
    }
}
