//! `verify --batch`: a co-process that runs along with others and survives the absence of its store.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Stdio};

use super::support::{World, has};

/// A co-process, asked a line at a time.
pub struct Batch {
    child: Child,
    answers: BufReader<ChildStdout>,
}

impl Batch {
    pub fn start(world: &World) -> Self {
        let mut command = world.call("verify --batch").command();
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    pub fn ask(&mut self, line: &str) {
        let pipe = self.child.stdin.as_mut().unwrap();
        pipe.write_all(line.as_bytes()).and_then(|()| pipe.write_all(b"\n")).unwrap();
    }

    /// The next answer: the id, and the outcome or the error code.
    pub fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let answer: serde_json::Value = serde_json::from_str(&line).unwrap();
        let word = answer["code"].as_str().or(answer["outcome"].as_str()).unwrap();
        format!("{} {word}", answer["id"].as_str().unwrap_or("-"))
    }

    pub fn end(mut self) {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        assert_eq!(self.answers.read_line(&mut rest).unwrap(), 0, "{rest}");
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn each_code_is_accepted_by_one_of_sixty_four_co_processes() {
    let what = "64 co-processes";
    if !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    let mut seeds: Vec<_> = (0..4).map(|n| world.active(&format!("user{n}"))).collect();
    let codes: Vec<_> = seeds.iter_mut().map(|seed| world.next(seed)).collect();
    let before = world.events();
    let mut all: Vec<_> = (0..64).map(|_| Batch::start(&world)).collect();
    for (n, batch) in all.iter_mut().enumerate() {
        for at in 0..4 {
            let user = (at + n) % 4;
            batch.ask(&format!("user{user}\t{}\tuser{user}", codes[user]));
        }
    }
    let mut accepted = Vec::new();
    for (n, batch) in all.iter_mut().enumerate() {
        for at in 0..4 {
            let answer = batch.answer();
            let user = (at + n) % 4;
            match answer.strip_prefix(&format!("user{user} ")) {
                Some("accepted") => accepted.push(user),
                Some("replayed" | "busy") => {}
                _ => panic!("{answer}"),
            }
        }
    }
    accepted.sort_unstable();
    assert_eq!(accepted, [0, 1, 2, 3]);
    assert!(world.events() > before + 4);
    all.into_iter().for_each(Batch::end);
    world.assert_sound();
}

#[test]
fn a_batch_answers_while_its_store_is_away_and_when_it_is_back() {
    let what = "a co-process and its store";
    if !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let mut batch = Batch::start(&world);
    batch.ask("alice\thunter2\t1");
    assert_eq!(batch.answer(), "1 rejected");
    let away = world.path("away");
    fs::rename(world.path("s"), &away).unwrap();
    batch.ask(&format!("alice\t{code}\t2"));
    batch.ask("nonsense");
    assert_eq!(batch.answer(), "2 store_unavailable");
    assert_eq!(batch.answer(), "- bad_input");
    fs::rename(&away, world.path("s")).unwrap();
    let held = world.held_by("BEGIN IMMEDIATE;");
    batch.ask(&format!("alice\t{code}\t3"));
    assert_eq!(batch.answer(), "3 busy");
    drop(held);
    batch.ask(&format!("alice\t{code}\t4"));
    assert_eq!(batch.answer(), "4 accepted");
    batch.end();
}

#[test]
fn an_erased_name_leaves_the_files_that_a_co_process_has_open() {
    let what = "erasing beside a co-process";
    if !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    world.active("alice");
    let mut batch = Batch::start(&world);
    batch.ask("alice\t000000\t1");
    assert_eq!(batch.answer(), "1 rejected");
    world.run("add-user zebra --email zebra@example.org").expect(0);
    let is_there = |name: &str| {
        let bytes = fs::read(world.path(name)).unwrap_or_default();
        bytes.windows(5).any(|word| word == b"zebra")
    };
    assert!(is_there("s/m.db-wal"));
    world.run("remove-user zebra --erase --yes").expect(0);
    for name in ["s/m.db", "s/m.db-wal"] {
        assert!(!is_there(name), "{name}");
    }
    batch.ask("alice\t\t2");
    assert_eq!(batch.answer(), "2 bad_input", "a missing code is not a wrong one");
    batch.end();
}

#[test]
fn an_answer_remains_valid_when_the_process_is_killed() {
    let what = "a co-process that is killed";
    if !has("oathtool", what) {
        return;
    }
    let world = World::new();
    let mut seed = world.active("alice");
    let code = world.next(&mut seed);
    let mut batch = Batch::start(&world);
    batch.ask(&format!("alice\t{code}\t1"));
    assert_eq!(batch.answer(), "1 accepted");
    batch.child.kill().unwrap();
    batch.child.wait().unwrap();
    assert_eq!(world.verify("alice", &code).outcome(), "replayed");
}
