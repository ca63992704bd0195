//! Somebody who can write the store's file but can't read the key.

use super::support::{CONFIG, Ran, Seed, World, has};

mod edits;
mod swaps;
mod words;

const USERS: &str = "users";

const DEVICES: &str = "devices";

fn tools() -> bool {
    let what = "changes to the store behind the program's back";
    has("sqlite3", what) && has("oathtool", what) && has("faketime", what)
}

/// Alice and bob, active; carol, disabled; dave, locked; eve, with a code that was used.
struct House {
    world: World,
    seeds: Vec<(&'static str, Seed)>,
}

const EVERYONE: [&str; 5] = ["alice", "bob", "carol", "dave", "eve"];

impl House {
    fn new() -> Self {
        let world = World::stopped();
        let mut seeds: Vec<_> = EVERYONE.map(|user| (user, world.active(user))).into();
        // Users differ in more than their names, so that a swap of two rows changes something.
        world
            .run("edit-user bob --display-name Bob --email bob@example.org --language fr")
            .expect(0);
        world.run("enrol bob --device tablet --no-confirm --json").expect(0);
        world.run("disable carol --yes").expect(0);
        let dave = &seeds[3].1;
        let wrong = dave.wrong(world.step());
        for _ in 0..5 {
            world.verify("dave", &wrong).expect(1);
        }
        let used = world.next(&mut seeds[4].1);
        world.verify("eve", &used).expect(0);
        Self { world, seeds }
    }

    /// The code of the next step: right for everybody, used by eve.
    fn code(&self, user: &str) -> String {
        let seed = &self.seeds.iter().find(|(u, _)| *u == user).unwrap().1;
        seed.code(self.world.step() + 1)
    }

    fn verify(&self, world: &World, user: &str) -> Ran {
        world.verify(user, &self.code(user))
    }

    /// The exit code of each user's right code in an unaltered store.
    fn baselines(&self) -> Vec<(&'static str, i32)> {
        EVERYONE.map(|user| (user, self.verify(&self.world.copy(), user).code)).into()
    }
}

/// The list needs no key and says nothing about MACs: it shows a store that was tampered with, and fails
/// only where a value can't be read, which `error` says.
#[track_caller]
fn assert_listed(world: &World, what: &str, error: &str) {
    let damaged = error == "damaged";
    for format in ["table", "json", "jsonl", "csv"] {
        let listed = world.run(&format!("list-status --format {format}"));
        assert_eq!(listed.code, if damaged { CONFIG } else { 0 }, "{what}: {listed:?}");
        assert_eq!(listed.err.contains("the store is damaged"), damaged, "{what}: {listed:?}");
        let output = format!("{}{}", listed.out, listed.err).to_lowercase();
        assert!(!output.contains("mac") && !output.contains("tamper"), "{what}: {listed:?}");
    }
}

#[test]
fn the_baselines_are_what_they_should_be() {
    if !tools() {
        return;
    }
    let expected = [("alice", 0), ("bob", 0), ("carol", 76), ("dave", 1), ("eve", 1)];
    assert_eq!(House::new().baselines(), expected);
}
