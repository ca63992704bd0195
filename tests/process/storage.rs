//! Faults of storage: kills at random times, a full or read-only disk, flipped bits, and copies without the
//! write-ahead log.

use std::fs;
use std::path::Path;

use super::kill::{old_or_new, template};
use super::support::{
    DEFAULTS, Dice, Disk, IO, NOT_PERMITTED, Ran, STORE_UNAVAILABLE, Seed, World, has, is_root,
};

/// How many random kills; a third of them each verb.
const KILLS: u64 = 60;
const FLIPS: u64 = 300;

fn tools(what: &str) -> bool {
    has("sqlite3", what) && has("oathtool", what)
}

/// Asserts that the run ended without a panic (101), a signal, or an internal error (70).
#[track_caller]
fn assert_no_crash(ran: &Ran, what: &str) {
    assert!(matches!(ran.code, 0 | 1 | 64..=69 | 71..=78), "{what}: {ran:?}");
}

#[test]
fn a_kill_at_any_moment_leaves_the_old_state_or_the_new_one() {
    let what = "kills at random moments";
    if !(tools(what) && has("timeout", what)) {
        return;
    }
    let (template, seed) = template();
    let code = template.next(&mut seed.clone());
    let mut dice = Dice::new();
    let mut killed = 0;
    for line in
        ["enrol carol --create --no-confirm --json", "reset alice --yes --no-enrol", "verify alice"]
    {
        let whole = template.copy().call(line).input(&code).run().expect(0).took.as_micros();
        let whole = u64::try_from(whole).unwrap();
        for _ in 0..KILLS / 3 {
            let world = template.copy();
            let after = 1000 + dice.below(whole);
            let limit = format!("{}.{:06}", after / 1_000_000, after % 1_000_000);
            let ran = world.call(line).input(&code).under(["timeout", "-s", "KILL", &limit]).run();
            assert!([0, 128 + 9].contains(&ran.code), "{limit} s: {ran:?}");
            killed += u32::from(ran.code != 0);
            let done = old_or_new(&template, &world);
            assert!(done || ran.code != 0, "an answer before the commit: {ran:?}");
            let verb = line.split(' ').next().unwrap();
            match verb {
                "enrol" => assert_eq!(world.status("carol"), if done { "pending" } else { "" }),
                "reset" => {
                    let status = if done { "not_enabled" } else { "enabled" };
                    assert_eq!(world.status("alice"), status);
                }
                _ => assert_eq!(world.verify("alice", &code).code, i32::from(done), "{limit} s"),
            }
            // The next run finds neither a lock nor a partial change.
            world.run(line.replace("verify", "unlock").as_str()).expect(0);
            world.assert_sound();
        }
    }
    assert!(killed >= 5, "{killed}");
}

/// A store with alice active on a disk of its own, and her next code.
fn house(what: &str) -> Option<(Disk, String)> {
    let disk = tools(what).then(|| Disk::new(World::empty(), "s", 1, what))??;
    disk.run("init").expect(0);
    let mut seed: Seed = disk.active("alice");
    let code = disk.next(&mut seed);
    Some((disk, code))
}

#[test]
fn a_full_disk_uses_up_no_code() {
    let Some((disk, code)) = house("a full disk") else { return };
    let before = (disk.state(), disk.events());
    disk.fill();
    for line in [
        "verify --json alice",
        "enrol carol --create --no-confirm --json",
        "reset alice --yes --no-enrol",
        "disable alice --yes",
    ] {
        let ran = disk.call(line).input(&code).run().expect(IO);
        assert!(ran.err.contains("the disk of the store is full; nothing was changed"), "{ran:?}");
        assert_eq!(ran.out, "", "{ran:?}");
    }
    assert_eq!(disk.status("alice"), "enabled", "who only looks can still look");
    disk.empty();
    disk.assert_sound();
    assert_eq!((disk.state(), disk.events()), before);
    assert_eq!(disk.verify("alice", &code).expect(0).outcome(), "accepted");
    assert_eq!(disk.verify("alice", &code).expect(1).outcome(), "replayed");
}

#[test]
fn w10_doctor_tells_the_room_that_is_left() {
    let Some((disk, _)) = house("little room") else { return };
    let ran = disk.run("doctor");
    assert!(ran.out.contains("are left on the disk of"), "{ran:?}");
    disk.remount("ro");
    let ran = disk.run("doctor").expect(1);
    assert!(ran.out.contains("is read-only"), "{ran:?}");
    disk.remount("rw");
}

/// Root without `CAP_CHOWN` leaves side files that the owner of the store can't open.
#[test]
fn w11_a_side_file_of_somebody_else_is_named() {
    let what = "a side file of root";
    if !(tools(what) && has("setpriv", what) && is_root(what)) {
        return;
    }
    let world = World::new();
    world.run("add-user bob").expect(0);
    let user = 65_534;
    for file in ["", "s", "s/m.db", "s/m.db-wal", "s/m.db-queue", "k", "k/m.key", DEFAULTS] {
        let _ = std::os::unix::fs::chown(world.path(file), Some(user), Some(user));
    }
    // As the failing chown of SQLite leaves it.
    let shm = world.path("s/m.db-shm");
    if !shm.exists() {
        fs::write(&shm, []).unwrap();
    }
    std::os::unix::fs::chown(&shm, Some(0), Some(0)).unwrap();
    fs::set_permissions(&shm, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    for line in ["unlock bob", "doctor", "list-status"] {
        let ran = world
            .call(line)
            .under(["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"])
            .run()
            .expect(STORE_UNAVAILABLE);
        assert!(ran.err.contains("m.db-shm belongs to uid 0 with mode 0600"), "{ran:?}");
        assert!(ran.err.contains("chown --reference="), "{ran:?}");
    }
}

#[test]
fn w11_doctor_tells_rights_and_owners_of_side_files() {
    let what = "side files";
    if !tools(what) {
        return;
    }
    let world = World::new();
    world.run("add-user bob").expect(0);
    let good = world.run("doctor").expect(0);
    assert!(good.out.contains("m.db-wal (") && good.out.contains("mode 0600"), "{good:?}");
    let queue = world.path("s/m.db-queue");
    fs::set_permissions(queue, std::os::unix::fs::PermissionsExt::from_mode(0o400)).unwrap();
    let bad = world.run("doctor").expect(1);
    assert!(bad.out.contains("m.db-queue has mode 0400"), "{bad:?}");
}

#[test]
fn a_qr_image_that_a_full_disk_refuses_activates_no_device() {
    let world = World::new();
    let what = "a picture on a full disk";
    if !tools(what) {
        return;
    }
    let Some(disk) = Disk::new(world, "o", 1, what) else { return };
    let mut seed = disk.active("alice");
    let code = disk.next(&mut seed);
    disk.fill();
    for line in ["enrol bob --create --no-confirm", "reset alice --yes"] {
        for name in ["new.png", "new.svg"] {
            let output = disk.path("o").join(name).into_os_string();
            let words = line.split(' ').map(Into::into).chain(["--output".into(), output.clone()]);
            let ran = disk.call_of(words).run().expect(IO);
            assert!(ran.err.contains("is pending"), "the message says what stands: {ran:?}");
            assert!(!Path::new(&output).exists(), "torn: {ran:?}");
        }
    }
    assert_eq!((disk.status("alice"), disk.status("bob")), ("pending".into(), "pending".into()));
    disk.assert_sound();
    let left: Vec<_> = fs::read_dir(&disk.at).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["ballast"], "nothing beside it either");
    assert_eq!(
        disk.verify("alice", &code).expect(1).outcome(),
        "rejected",
        "the old device is out"
    );
}

#[test]
fn a_read_only_disk_allows_reading_and_uses_up_no_code() {
    let Some((disk, code)) = house("a read-only disk") else { return };
    let before = (disk.state(), disk.events());
    disk.remount("ro");
    let changes = ["reset alice --yes --no-enrol", "enrol carol --create --no-confirm --json"];
    for ran in [disk.verify("alice", &code)].into_iter().chain(changes.map(|line| disk.run(line))) {
        let ran = ran.expect(NOT_PERMITTED);
        assert!(ran.err.contains("the store is read-only"), "{ran:?}");
        assert_eq!(ran.out, "", "{ran:?}");
    }
    for line in ["list-status --json", "show-user alice --json"] {
        let ran = disk.run(line).expect(0);
        assert!(ran.out.contains("\"enabled\""), "the newest state: {ran:?}");
    }
    disk.remount("rw");
    assert_eq!((disk.state(), disk.events()), before);
    assert_eq!(disk.verify("alice", &code).expect(0).outcome(), "accepted");
}

#[test]
fn a_read_only_disk_without_side_files_allows_reading() {
    let Some((disk, code)) = house("a bare read-only disk") else { return };
    disk.alter("PRAGMA wal_checkpoint(TRUNCATE);");
    for suffix in ["-wal", "-shm", "-queue"] {
        let _ = fs::remove_file(disk.path(&format!("s/m.db{suffix}")));
    }
    disk.remount("ro");
    let ran = disk.verify("alice", &code).expect(STORE_UNAVAILABLE);
    assert_eq!(ran.error(), "store_unavailable", "{ran:?}");
    assert_eq!(disk.status("alice"), "enabled");
    disk.remount("rw");
    assert_eq!(disk.verify("alice", &code).expect(0).outcome(), "accepted");
}

/// Codes of alice.
struct Codes {
    spent: String,
    fresh: String,
    wrong: String,
}

/// Copies the write-ahead log into the store's main file.
fn settled(world: &World, seed: &Seed) -> Codes {
    world.alter("PRAGMA wal_checkpoint(TRUNCATE);");
    let step = world.step();
    Codes { spent: seed.code(step), fresh: seed.code(step + 1), wrong: seed.wrong(step) }
}

/// Flips one bit of one file.
fn flip(path: &Path, bit: u64) {
    let mut bytes = fs::read(path).unwrap();
    bytes[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
    fs::write(path, bytes).unwrap();
}

/// Flips single bits of a file: nothing crashes or hangs, and no wrong or used code is accepted. Returns how
/// often the fresh code was refused, and how often accepted.
fn flips(world: &World, name: &str, refused: &[&str], fresh: &str, times: u64) -> (u64, u64) {
    let mut dice = Dice::new();
    let length = fs::metadata(world.path(name)).unwrap().len();
    let (mut seen, mut harmless) = (0, 0);
    for _ in 0..times {
        let bit = dice.below(length * 8);
        let what = format!("{name}, bit {bit}");
        let copy = world.copy();
        flip(&copy.path(name), bit);
        for code in refused {
            let ran = copy.call("verify alice").input(code).run();
            assert_no_crash(&ran, &what);
            assert_ne!(ran.code, 0, "{what}: {ran:?}");
        }
        assert_no_crash(&copy.run("list-status"), &what);
        let ran = copy.verify("alice", fresh);
        assert_no_crash(&ran, &what);
        if ran.code == 0 {
            harmless += 1;
            assert_ne!(copy.verify("alice", fresh).code, 0, "{what}: twice");
        } else {
            seen += 1;
        }
    }
    (seen, harmless)
}

#[test]
fn a_flipped_bit_in_the_store_accepts_no_wrong_code_and_crashes_nothing() {
    let what = "flipped bits";
    if !(tools(what) && has("faketime", what)) {
        return;
    }
    let world = World::stopped();
    let seed = world.active("alice");
    world.pending("bob");
    let codes = settled(&world, &seed);
    let (refused, harmless) =
        flips(&world, "s/m.db", &[&codes.spent, &codes.wrong], &codes.fresh, FLIPS * 4 / 5);
    assert!(refused > 0 && harmless > 0, "{refused} refused, {harmless} harmless");
}

#[test]
fn a_flipped_bit_in_the_write_ahead_log_accepts_no_wrong_code_and_crashes_nothing() {
    let what = "flipped bits in the log";
    if !(tools(what) && has("faketime", what)) {
        return;
    }
    let world = World::stopped();
    let seed = world.active("alice");
    let codes = settled(&world, &seed);
    for n in 0..3 {
        world.run(&format!("add-user user{n}")).expect(0);
    }
    // SQLite ignores the write-ahead log from the flipped bit on, so later commits are lost. Codes used up in
    // the main file stay used.
    let (_, harmless) =
        flips(&world, "s/m.db-wal", &[&codes.spent, &codes.wrong], &codes.fresh, FLIPS / 5);
    assert!(harmless > 0);
}

/// A copy with a truncated write-ahead log is the store as it was after one of its commits. Only an anchor
/// elsewhere shows which one; codes that were used since are unused in such a copy. See README, Keep the key.
#[test]
fn a_store_copied_with_a_part_of_its_write_ahead_log_is_sound_and_older() {
    let what = "a store without its log";
    if !(tools(what) && has("faketime", what)) {
        return;
    }
    let world = World::stopped();
    let seed = world.active("alice");
    let codes = settled(&world, &seed);
    let old = (world.state(), world.events());
    world.run("add-user bob").expect(0);
    assert_eq!(world.verify("alice", &codes.fresh).expect(0).outcome(), "accepted");
    let spent_at = world.events();
    world.run("add-user carol").expect(0);
    let log = fs::read(world.path("s/m.db-wal")).unwrap();
    let cuts = (0..=16).map(|n| log.len() * n / 16).chain([1, 31, 32, 56, log.len() - 1]);
    let (mut older, mut newer) = (0, 0);
    for cut in [None].into_iter().chain(cuts.map(Some)) {
        for index in [true, false] {
            let copy = world.copy();
            let path = copy.path("s/m.db-wal");
            match cut {
                None => fs::remove_file(&path).unwrap(),
                Some(cut) => fs::write(&path, &log[..cut]).unwrap(),
            }
            if !index {
                fs::remove_file(copy.path("s/m.db-shm")).unwrap();
            }
            let what = format!("cut at {cut:?}, -shm: {index}");
            assert_eq!(copy.run("list-status").code, 0, "{what}");
            let wrong = copy.copy().verify("alice", &codes.wrong);
            assert_eq!((wrong.code, &*wrong.outcome()), (1, "rejected"), "{what}: {wrong:?}");
            copy.assert_sound();
            let events = copy.events();
            assert!((old.1..=world.events()).contains(&events), "{what}");
            assert!(events > old.1 || copy.state() == old.0, "{what}: half a commit");
            // A used code stays used, and so does one whose commit is in the remaining log.
            assert_eq!(copy.verify("alice", &codes.spent).outcome(), "replayed", "{what}");
            let ran = copy.verify("alice", &codes.fresh);
            let expected = if events >= spent_at { "replayed" } else { "accepted" };
            assert_eq!(ran.outcome(), expected, "{what}: {ran:?}");
            if events >= spent_at {
                newer += 1;
            } else {
                older += 1;
            }
            assert_eq!(copy.verify("alice", &codes.fresh).outcome(), "replayed", "{what}");
        }
    }
    assert!(older > 5 && newer > 5, "{older} older, {newer} newer");
}
