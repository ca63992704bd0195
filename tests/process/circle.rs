//! Spare codes, passwords and resets under races and kills.

use std::os::unix::fs::MetadataExt as _;

use serde_json::json;

use super::kill::{old_or_new, sweep};
use super::race::at_once;
use super::support::{Call, Ran, World, has};

const OLD: &str = "correct horse battery staple";
const NEW: &str = "vurmel taktor ninety-three";
const CHEAP: &str = "[password]\nmemory = 19\n";

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
fn of_many_processes_one_takes_a_recovery_code_and_one_a_bypass_code() {
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
fn of_many_sign_ins_at_once_one_takes_the_code_and_the_memory_stays_bounded() {
    if !has("oathtool", "sign-ins at once") {
        return;
    }
    let world = world("");
    let mut seed = world.active("alice");
    let line = json!({ "password": OLD, "code": world.next(&mut seed) });
    let runs = at_once((0..24).map(|_| world.sign_in(&line)).collect());
    assert_eq!(count(&runs, "accepted"), 1, "{runs:#?}");
    assert_eq!(count(&runs, "rejected"), 23, "{runs:#?}");
    // As many hashes at once as there are processors, and eight at the most.
    let inodes: Vec<String> = std::fs::read_dir(world.path("s"))
        .unwrap()
        .map(Result::unwrap)
        .filter(|file| file.file_name().to_string_lossy().contains("-slot"))
        .map(|file| format!(":{} 0 EOF", file.metadata().unwrap().ino()))
        .collect();
    let slots = std::thread::available_parallelism().unwrap().get().clamp(2, 8);
    assert_eq!(inodes.len(), slots);
    let runs = std::thread::scope(|scope| {
        let line = json!({ "password": "wrong" });
        let calls: Vec<_> = (0..24).map(|_| world.sign_in(&line)).collect();
        let watched = scope.spawn(move || at_once(calls));
        let mut most = 0;
        while !watched.is_finished() {
            let locks = std::fs::read_to_string("/proc/locks").unwrap();
            let is_slot =
                |line: &&str| line.contains("FLOCK") && inodes.iter().any(|i| line.ends_with(i));
            most = most.max(locks.lines().filter(is_slot).count());
        }
        assert!(most >= 1, "each hash holds one of them");
        watched.join().unwrap()
    });
    assert_eq!(count(&runs, "rejected"), 24, "{runs:#?}");
}

#[test]
fn two_operators_who_reset_one_user_leave_one_new_device() {
    if !has("oathtool", "two resets at once") {
        return;
    }
    let world = World::new();
    world.active("alice");
    let line = "reset alice --yes --json --reveal-secrets";
    // No more than wrong codes are free.
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
fn a_killed_change_of_password_leaves_the_temporary_one_or_the_new_one() {
    if !has("strace", "sign-in under the kill sweep") {
        return;
    }
    let template = world("[policy]\nmfa = \"required\"\n");
    let forced = template.run("force-new-password alice --yes --json --reveal-secrets").expect(0);
    let temporary = forced.json("temporary_password");
    let line = json!({ "password": temporary, "new_password": NEW });
    // It gets through to exit code 1, which says what comes next: a new device.
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
fn what_the_helpdesk_does_is_done_wholly_or_not_at_all_when_it_is_killed() {
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
fn a_killed_enrolment_at_the_sign_in_goes_on_at_the_next_one() {
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
