//! Files that others could have written, or that belong to others: they are refused at once and left alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::{Call, Seed, World, has};

mod ancestors;
mod content;
mod elevated;
mod foreign;
mod groups;
mod trust;

/// The id of the user `nobody` on Linux.
const NOBODY: u32 = 65534;

fn tools() -> bool {
    let what = "files that are not trusted";
    has("sqlite3", what) && has("oathtool", what)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Runs a program of the system.
#[track_caller]
fn system(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A world with alice active and a configuration file.
struct House {
    world: World,
    alice: Seed,
}

impl House {
    fn new() -> Self {
        let world = World::new();
        let alice = world.active("alice");
        fs::create_dir(world.path("c")).unwrap();
        set_mode(&world.path("c"), 0o700);
        fs::write(world.path("c/config.toml"), "[policy]\nwindow = 1\n").unwrap();
        set_mode(&world.path("c/config.toml"), 0o600);
        Self { world, alice }
    }

    fn copy(&self) -> Self {
        Self { world: self.world.copy(), alice: self.alice.clone() }
    }

    fn place(&self, what: What) -> PathBuf {
        self.world.path(match what {
            What::Store => "s/m.db",
            What::Log => "s/m.db-wal",
            What::Index => "s/m.db-shm",
            What::Journal => "s/m.db-journal",
            What::Queue => "s/m.db-queue",
            What::Key => "k/m.key",
            What::Config => "c/config.toml",
        })
    }

    fn call(&self, line: &str) -> Call {
        let config = self.place(What::Config);
        let words = ["--config".into(), config.into_os_string()];
        self.world.call_of(words.into_iter().chain(line.split(' ').map(Into::into)))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Store,
    Log,
    Index,
    Journal,
    /// The file on which writers wait in a queue.
    Queue,
    Key,
    Config,
}

#[test]
fn files_are_private_under_every_umask() {
    if !tools() {
        return;
    }
    for umask in ["000", "022", "027", "777"] {
        let world = World::empty();
        let run = |call: Call| call.in_shell(&format!("umask {umask}"), "").run();
        run(world.call("init")).expect(0);
        let line = "enrol alice --create --no-confirm --json --reveal-secrets";
        let secret = run(world.call(line)).expect(0).json("secret");
        let mut seed = Seed { base32: secret, spent: 0 };
        run(world.call("verify alice").input(world.next(&mut seed))).expect(0);
        for name in ["a.png", "a.svg"] {
            let output = world.path(name);
            let words = ["show-qr", "alice", "--active", "--output", output.to_str().unwrap()];
            run(world.call_of(words)).expect(0);
        }
        run(world.call("list-status")).expect(0);
        let root = world.path(".");
        let loose = system("find", &[root.to_str().unwrap(), "-perm", "/077"]);
        assert_eq!(loose, "", "umask {umask}");
        assert_eq!(fs::metadata(world.store()).unwrap().mode() & 0o777, 0o600, "umask {umask}");
        assert_eq!(fs::metadata(world.path("k")).unwrap().mode() & 0o777, 0o700, "umask {umask}");
    }
}
