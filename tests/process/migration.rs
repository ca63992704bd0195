//! A store of an older program, killed at every write of `init --migrate`: it is the old one or the new
//! one. The content of a migrated store is
//! tested in `src/commands/tests/migration.rs`.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::fleet::cluster::Cluster;
use super::kill::sweep;
use super::support::{CONFIG, Seed, World, has};

/// When the store was last used: 2026-03-02T12:00:40Z.
const MOMENT: i64 = 1_772_452_840;

fn kept(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/migration/schema-3").join(name)
}

/// Alice's secret, with the step that the old program accepted.
fn alice() -> Seed {
    let known = fs::read_to_string(kept("known")).unwrap();
    let base32 = known.lines().find_map(|line| line.strip_prefix("alice ")).unwrap().to_owned();
    Seed { base32, spent: MOMENT.cast_unsigned() / 30 }
}

/// The kept key, without a store.
fn keyed() -> World {
    let world = World::empty();
    put("mfactl.key", &world.key());
    world
}

fn put(file: &str, at: &Path) {
    let folder = at.parent().unwrap();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).unwrap();
    fs::copy(kept(file), at).unwrap();
    fs::set_permissions(at, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Asserts the old state or the new one. Returns whether the store was migrated.
#[track_caller]
fn old_or_new(world: &World) -> bool {
    let ran = world.run("list-status --json");
    let is_old = ran.code == CONFIG && ran.err.contains("init --migrate");
    assert!(is_old || ran.code == 0, "{ran:?}");
    world.run("init --migrate").expect(0);
    let log = world.run("verify-log").expect(0).out;
    assert!(log.contains("all hashes and MACs match"), "{log}");
    !is_old
}

#[test]
fn a_killed_migration_leaves_the_old_store_or_the_new_one() {
    let what = "init --migrate under the kill sweep";
    if !(has("strace", what) && has("oathtool", what) && has("sqlite3", what)) {
        return;
    }
    let fresh = || {
        let world = keyed();
        put("store.db", &world.store());
        world
    };
    let seed = alice();
    let spent = seed.code(seed.spent);
    let kills = sweep(
        fresh,
        |world| world.call("init --migrate"),
        |world| {
            old_or_new(world);
            assert_eq!(world.sql("PRAGMA integrity_check"), "ok");
            let mut then = world.copy();
            then.set_clock(MOMENT);
            let ran = then.verify("alice", &spent).expect(1);
            assert_eq!(ran.outcome(), "replayed", "{ran:?}");
        },
    );
    assert!(kills >= 5, "{kills}");
}

#[test]
fn a_killed_migration_leaves_the_old_database_or_the_new_one() {
    let what = "init --migrate of PostgreSQL under the kill sweep";
    if !(has("strace", what) && has("psql", what)) {
        return;
    }
    let Some(cluster) = Cluster::start(what) else { return };
    let dump = fs::read_to_string(kept("store.sql")).unwrap();
    cluster.sql("mfactl", &dump);
    cluster.sql("postgres", "ALTER DATABASE mfactl IS_TEMPLATE true");
    let mut world = keyed();
    let mut outcomes = Vec::new();
    for nth in 1.. {
        let name = format!("copy{nth}");
        cluster.sql("postgres", &format!("CREATE DATABASE {name} TEMPLATE mfactl"));
        world.address = Some(cluster.address().replace("/mfactl", &format!("/{name}")));
        let inject = format!("inject=sendto:signal=KILL:when={nth}");
        let strace =
            ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=sendto", "-e", &inject];
        let ran = world.call("init --migrate").under(strace).run();
        if ran.code == 0 {
            break;
        }
        assert_eq!(ran.code, 128 + 9, "{nth}: {ran:?}");
        outcomes.push(old_or_new(&world));
        cluster.sql("postgres", &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
    assert!(outcomes.len() >= 10, "{outcomes:?}");
}
