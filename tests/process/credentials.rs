//! Backup codes, passwords and resets under races and kills.

use std::collections::BTreeSet;
use std::fs::File;
use std::time::Duration;

use serde_json::json;

use super::kill::{old_or_new, sweep};
use super::race::at_once;
use super::support::{Call, Ran, Started, World, has};

const OLD: &str = "correct horse battery staple";
const NEW: &str = "vurmel taktor ninety-three";
const CHEAP: &str = "[password]\nmemory = 19\n";
/// The memory of one such hash, in KiB.
const HASH: u32 = 19 * 1024;

fn world(more: &str) -> World {
    let world = World::new();
    world.configure(&format!("{more}{CHEAP}"));
    world.run("add-user alice").expect(0);
    world.call("set-password alice").input(OLD).run().expect(0);
    world
}

impl World {
    fn sign_in(&self, line: &serde_json::Value) -> Call {
        self.call("sign-in --json --reveal-secrets alice").input(line.to_string())
    }
}

fn count(runs: &[Ran], outcome: &str) -> usize {
    runs.iter().filter(|r| r.outcome() == outcome).count()
}

#[test]
fn a_recovery_code_and_a_bypass_code_are_each_accepted_by_one_of_many_processes() {
    let world = World::new();
    world.active("alice");
    let made = world.run("recovery-codes alice --json --reveal-secrets").expect(0).document();
    let bypass = world.run("bypass alice --for 1h --json --reveal-secrets").expect(0);
    for code in [made["codes"][0].as_str().unwrap(), &bypass.json("code")] {
        let calls = (0..32).map(|_| world.call("verify --json alice").input(code)).collect();
        let runs = at_once(calls);
        assert_eq!(runs.iter().filter(|r| r.code == 0).count(), 1, "{runs:#?}");
        assert!(runs.iter().all(|r| r.code <= 1), "{runs:#?}");
        world.run("unlock alice").expect(0);
    }
}

#[test]
fn a_code_is_accepted_by_one_of_many_simultaneous_sign_ins() {
    if !has("oathtool", "sign-ins at once") {
        return;
    }
    let world = world("");
    let mut seed = world.active("alice");
    let line = json!({ "password": OLD, "code": world.next(&mut seed) });
    let runs = at_once((0..24).map(|_| world.sign_in(&line)).collect());
    assert_eq!(count(&runs, "accepted"), 1, "{runs:#?}");
    assert_eq!(count(&runs, "rejected"), 23, "{runs:#?}");
}

#[test]
fn password_hashes_are_computed_in_a_few_slots_only() {
    let world = world("");
    // As many as there are processors, two at least and eight at most.
    let count = std::thread::available_parallelism().unwrap().get().clamp(2, 8);
    let slots: Vec<File> = std::fs::read_dir(world.path("s"))
        .unwrap()
        .map(Result::unwrap)
        .filter(|file| file.file_name().to_string_lossy().contains("-slot"))
        .map(|file| File::open(file.path()).unwrap())
        .collect();
    assert_eq!(slots.len(), count);

    for slot in &slots {
        slot.try_lock().unwrap();
    }
    let waiting = SignIns::start(&world, 6);
    for _ in 0..20 {
        std::thread::sleep(Duration::from_millis(50));
        assert!(waiting.hashing().is_empty(), "a hash without a slot");
    }
    drop(slots);
    waiting.assert_rejected();

    let many = SignIns::start(&world, 24);
    let mut most = 0;
    while !many.have_ended() {
        // Each process computes one hash. Those that compute before and after the count did so during all of
        // it, so that these hashes were computed at the same time.
        let before = many.hashing();
        most = most.max(many.hashing().intersection(&before).count());
    }
    assert!((1..=count).contains(&most), "{most} hashes at once in {count} slots");
    many.assert_rejected();
}

/// Sign-ins of unknown users, whose passwords are hashed as well.
struct SignIns(Vec<Started>);

impl SignIns {
    fn start(world: &World, count: u32) -> Self {
        let line = json!({ "password": "wrong" }).to_string();
        let call = |n| world.call(&format!("sign-in --json nobody{n}")).input(&line);
        Self((0..count).map(|n| call(n).start_fed()).collect())
    }

    /// The private memory of each running process, in KiB.
    fn memory(&self) -> impl Iterator<Item = (u32, u32)> {
        self.0.iter().filter_map(|started| {
            let status = std::fs::read_to_string(format!("/proc/{}/status", started.id())).ok()?;
            let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
            Some((started.id(), line.trim().strip_suffix(" kB")?.parse().unwrap()))
        })
    }

    /// The processes that compute a hash, known by their memory.
    fn hashing(&self) -> BTreeSet<u32> {
        let mut hashing = BTreeSet::new();
        for (id, memory) in self.memory() {
            assert!(memory < 2 * HASH, "{memory} KiB");
            if memory > HASH * 3 / 4 {
                hashing.insert(id);
            }
        }
        hashing
    }

    fn have_ended(&self) -> bool {
        self.memory().next().is_none()
    }

    #[track_caller]
    fn assert_rejected(self) {
        let runs: Vec<Ran> = self.0.into_iter().map(Started::finish).collect();
        assert_eq!(count(&runs, "rejected"), runs.len(), "{runs:#?}");
    }
}

#[test]
fn simultaneous_resets_of_one_user_leave_one_new_device() {
    if !has("oathtool", "two resets at once") {
        return;
    }
    let world = World::new();
    world.active("alice");
    let line = "reset alice --yes --json --reveal-secrets";
    // No more wrong codes than are free of a delay.
    let runs = at_once((0..4).map(|_| world.call(line)).collect());
    assert!(runs.iter().all(|r| r.code == 0), "{runs:#?}");
    let right: Vec<_> = runs
        .iter()
        .filter(|ran| {
            let code = super::support::Seed { base32: ran.json("secret"), spent: 0 };
            world.verify("alice", &code.code(world.step())).code == 0
        })
        .collect();
    assert_eq!(right.len(), 1, "the last one's QR code, and no other");
    assert_eq!(world.status("alice"), "enabled");
}

#[test]
fn a_killed_password_change_leaves_the_temporary_password_or_the_new_one() {
    if !has("strace", "sign-in under the kill sweep") {
        return;
    }
    let template = world("[policy]\nmfa = \"required\"\n");
    let forced = template.run("force-new-password alice --yes --json --reveal-secrets").expect(0);
    let temporary = forced.json("temporary_password");
    let line = json!({ "password": temporary, "new_password": NEW });
    // A run that is not killed ends with exit code 1: a new device comes next.
    let kills = sweep(
        || template.copy(),
        |world| world.sign_in(&line),
        |world| {
            world.assert_sound();
            let with_old = world.sign_in(&json!({ "password": temporary })).run().outcome();
            let with_new = world.sign_in(&json!({ "password": NEW })).run().outcome();
            let outcomes = (with_old.as_str(), with_new.as_str());
            assert!(
                outcomes == ("password_change_required", "rejected")
                    || outcomes == ("rejected", "enrolment_required"),
                "{outcomes:?}"
            );
        },
    );
    assert!(kills > 5, "{kills}");
}

#[test]
fn a_killed_helpdesk_verb_is_carried_out_entirely_or_not_at_all() {
    let what = "the helpdesk under the kill sweep";
    if !has("strace", what) || !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let template = world("");
    template.active("alice");
    let made = template.run("recovery-codes alice --json --reveal-secrets").expect(0).document();
    let recovery = made["codes"][0].as_str().unwrap().to_owned();
    let bypass = template.run("bypass alice --for 1h --json --reveal-secrets").expect(0);
    let bypass = bypass.json("code");
    for (line, input, void) in [
        ("force-new-password alice --yes --json --reveal-secrets", "", vec![&recovery, &bypass]),
        ("recovery-codes alice --json --reveal-secrets", "", vec![&recovery]),
        ("bypass alice --for 2h --json --reveal-secrets", "", vec![&bypass]),
        ("set-password alice", NEW, vec![]),
    ] {
        let kills = sweep(
            || template.copy(),
            |world| world.call(line).input(input),
            |world| {
                let is_done = old_or_new(&template, world);
                for code in &void {
                    assert_eq!(world.verify("alice", code).code == 0, !is_done, "{line}");
                }
            },
        );
        assert!(kills > 3, "{line}: {kills}");
    }
    template.run("disable alice --yes").expect(0);
    let kills = sweep(
        || template.copy(),
        |world| world.call("undo alice --yes"),
        |world| {
            let is_done = old_or_new(&template, world);
            assert_eq!(world.status("alice"), if is_done { "enabled" } else { "disabled" });
        },
    );
    assert!(kills > 3, "{kills}");
}

#[test]
fn a_killed_enrolment_continues_at_the_next_sign_in() {
    let what = "enrolment at the sign-in under the kill sweep";
    if !has("strace", what) || !has("oathtool", what) || !has("sqlite3", what) {
        return;
    }
    let template = world("[policy]\nmfa = \"required\"\n");
    let line = json!({ "password": OLD });
    let kills = sweep(
        || template.copy(),
        |world| world.sign_in(&line),
        |world| {
            world.assert_sound();
            let given = world.sign_in(&line).run().document();
            assert_eq!(given["outcome"], "enrolment_required");
            let base32 = given["enrolment"]["secret"].as_str().unwrap().to_owned();
            let mut seed = super::support::Seed { base32, spent: 0 };
            let line = json!({ "password": OLD, "code": world.next(&mut seed) });
            assert_eq!(world.sign_in(&line).run().outcome(), "accepted");
            assert_eq!(world.sql("SELECT count(*) FROM devices"), "1");
        },
    );
    assert!(kills > 5, "{kills}");
}
