//! What each test starts from: a private folder with a store, and real processes.

use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

mod call;
mod dice;
mod disk;
mod outside;
mod tools;

pub use call::{Call, Ran, Started};
pub use dice::Dice;
pub use disk::Disk;
pub use outside::{faked_by, faketime, remove_files_of_dead_processes};
pub use tools::{children, has, is_harmful, is_root, leave_out, now};

use outside::{faked, sqlite3};

/// The program under test.
pub const MFACTL: &str = env!("CARGO_BIN_EXE_mfactl");
/// Seconds of a time step.
pub const PERIOD: u64 = 30;
/// The moment of a stopped clock: 2026-01-01T00:00:10Z, ten seconds into a step.
pub const MOMENT: i64 = 1_767_225_610;

/// Exit codes of the contract.
pub const USAGE: i32 = 64;
pub const BAD_INPUT: i32 = 65;
pub const USER_NOT_FOUND: i32 = 67;
pub const DEVICE_NOT_FOUND: i32 = 67;
pub const STORE_UNAVAILABLE: i32 = 69;
pub const CANNOT_CREATE: i32 = 73;
pub const IO: i32 = 74;
pub const BUSY: i32 = 75;
pub const REFUSED: i32 = 76;
pub const NOT_PERMITTED: i32 = 77;
pub const CONFIG: i32 = 78;

/// A configuration that sets nothing, so that the one of this machine counts for no test.
pub const DEFAULTS: &str = "defaults.toml";

/// A private folder with a store and a key in two folders of it.
pub struct World {
    folder: TempDir,
    clock: Option<Clock>,
    /// The address of the store, unless it is the file in this folder.
    pub address: Option<String>,
}

/// A clock that `libfaketime` shows to the program.
#[derive(Clone, Copy)]
pub struct Clock {
    /// Seconds since 1970.
    pub at: i64,
}

/// A secret in base32, and the last time step that was spent.
#[derive(Clone)]
pub struct Seed {
    pub base32: String,
    pub spent: u64,
}

impl World {
    /// A world without a store.
    pub fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("mfactl-process").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o700)).unwrap();
        let defaults = folder.path().join(DEFAULTS);
        std::fs::write(&defaults, "").unwrap();
        std::fs::set_permissions(defaults, Permissions::from_mode(0o600)).unwrap();
        Self { folder, clock: None, address: None }
    }

    /// A world with an empty store.
    pub fn new() -> Self {
        let world = Self::empty();
        world.run("init").expect(0);
        world
    }

    /// A world whose clock stands still at [`MOMENT`].
    pub fn stopped() -> Self {
        let world = Self { clock: Some(Clock { at: MOMENT }), ..Self::empty() };
        world.run("init").expect(0);
        world
    }

    /// Moves the stopped clock.
    pub fn set_clock(&mut self, at: i64) {
        self.clock = Some(Clock { at });
    }

    /// The same files under another folder; links, owners and modes are kept.
    pub fn copy(&self) -> Self {
        let copy = Self { clock: self.clock, address: self.address.clone(), ..Self::empty() };
        let from = self.path(".");
        let done = Command::new("cp").arg("-a").arg(from).arg(copy.folder.path()).status();
        assert!(done.unwrap().success());
        copy
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn store(&self) -> PathBuf {
        self.path("s/m.db")
    }

    pub fn key(&self) -> PathBuf {
        self.path("k/m.key")
    }

    /// Where the store is, as `--store` takes it.
    pub fn place(&self) -> String {
        self.address.clone().unwrap_or_else(|| self.store().to_str().unwrap().to_owned())
    }

    /// A folder that everybody can write to: a hook is run as the system user, where there is one.
    pub fn public(&self) -> PathBuf {
        let public = self.path("public");
        std::fs::create_dir_all(&public).unwrap();
        for (folder, mode) in [(self.folder.path(), 0o711), (&*public, 0o777)] {
            std::fs::set_permissions(folder, Permissions::from_mode(mode)).unwrap();
        }
        public
    }

    pub fn configuration(&self) -> PathBuf {
        self.path("k/config.toml")
    }

    /// Writes the configuration that later runs use.
    pub fn configure(&self, text: &str) {
        std::fs::write(self.configuration(), text).unwrap();
    }

    /// A run of a command line, split at blanks, on this world's store and key.
    pub fn call(&self, line: &str) -> Call {
        self.call_of(line.split_whitespace())
    }

    /// A run with these arguments as they are.
    pub fn call_of(&self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Call {
        let mut files: Vec<OsString> =
            vec!["--store".into(), self.place().into(), "--key-file".into(), self.key().into()];
        if self.configuration().exists() {
            files.extend(["--config".into(), self.configuration().into()]);
        }
        let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
        // A login service's run believes no variable.
        let says = |word: &str| args.iter().any(|arg| arg == word);
        let is_login = says("verify") && says("--from");
        if is_login && !self.configuration().exists() && !says("--config") {
            files.extend(["--config".into(), self.path(DEFAULTS).into()]);
        }
        self.bare(files.into_iter().chain(args)).with("MFACTL_CONFIG", self.path(DEFAULTS))
    }

    /// A run without options that name a store and a key.
    pub fn bare(&self, args: impl IntoIterator<Item = impl Into<OsString>>) -> Call {
        let mut variables: Vec<(OsString, OsString)> =
            vec![("HOME".into(), self.folder.path().into())];
        for (name, value) in
            [("TZ", "UTC"), ("LANG", "C"), ("PATH", "/usr/local/bin:/usr/bin:/bin")]
        {
            variables.push((name.into(), value.into()));
        }
        if let Some(clock) = self.clock {
            variables.extend(faked(clock));
        }
        Call::new(args, variables)
    }

    /// Runs a command line with nothing on standard input.
    pub fn run(&self, line: &str) -> Ran {
        self.call(line).run()
    }

    /// Verifies a code.
    pub fn verify(&self, user: &str, code: &str) -> Ran {
        self.call(&format!("verify --json {user}")).input(code).run()
    }

    /// Enrols, and leaves the device pending.
    pub fn pending(&self, user: &str) -> Seed {
        let line = format!("enrol {user} --create --no-confirm --json --reveal-secrets");
        Seed { base32: self.run(&line).expect(0).json("secret"), spent: 0 }
    }

    /// Enrols, and confirms with the code of the present step.
    pub fn active(&self, user: &str) -> Seed {
        let mut seed = self.pending(user);
        self.verify(user, &self.next(&mut seed)).expect(0);
        seed
    }

    /// An unused code that is right now and for some seconds more.
    ///
    /// It belongs to the present step, or to the one after the last used step. Both are right until the next
    /// step ends, so that no test depends on the second in which it begins. Two such codes can follow each
    /// other; a third may be ahead of the window.
    pub fn next(&self, seed: &mut Seed) -> String {
        let step = self.step().max(seed.spent + 1);
        seed.spent = step;
        seed.code(step)
    }

    /// Waits until the code that was made last is in the window.
    pub fn wait_for(&self, seed: &Seed) {
        assert!(self.clock.is_none(), "time stands still");
        while self.step() + 1 < seed.spent {
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// The step that the program's clock is in.
    pub fn step(&self) -> u64 {
        let at = self.clock.map_or_else(now, |c| c.at);
        at.max(0).cast_unsigned() / PERIOD
    }

    /// The result of an SQL query, read without changing the store.
    pub fn sql(&self, query: &str) -> String {
        let output = sqlite3(&self.store(), &["-readonly"], query);
        assert!(output.status.success(), "{query}: {}", text(&output.stderr));
        text(&output.stdout).trim_end().to_owned()
    }

    /// Changes the store with SQL, without the program.
    pub fn alter(&self, statements: &str) {
        // Somebody who can write to the file can switch constraints off.
        let statements = format!(
            ".dbconfig defensive off\n.dbconfig no_ckpt_on_close on\n\
             PRAGMA ignore_check_constraints=1;\n{statements}"
        );
        let output = sqlite3(&self.store(), &["-bail"], &statements);
        assert!(output.status.success(), "{statements}: {}", text(&output.stderr));
    }

    /// All rows of users and devices.
    pub fn state(&self) -> String {
        self.sql(".mode quote\nSELECT * FROM users ORDER BY n;\nSELECT * FROM devices ORDER BY n;")
    }

    /// The number of events.
    pub fn events(&self) -> u32 {
        self.sql("SELECT count(*) FROM events").parse().unwrap()
    }

    /// Asserts that the file passes SQLite's check and that the log has no gap.
    #[track_caller]
    pub fn assert_sound(&self) {
        let head = "(SELECT seq FROM audit_head) = (SELECT max(seq) FROM events)";
        let whole = "(SELECT count(*) FROM events) = (SELECT max(seq) FROM events)";
        let query = format!("PRAGMA integrity_check; SELECT {head} AND {whole}");
        assert_eq!(self.sql(&query), "ok\n1");
    }

    /// The status of a user in the list.
    pub fn status(&self, user: &str) -> String {
        let list = self.run("list-status --json").expect(0).document();
        let users = list["users"].as_array().unwrap();
        let found = users.iter().find(|u| u["user"] == user);
        found.map_or_else(String::new, |u| u["status"].as_str().unwrap().to_owned())
    }
}

impl Seed {
    /// The code of a step, computed by `oathtool`.
    pub fn code(&self, step: u64) -> String {
        let output = Command::new("oathtool")
            .args(["--totp", "-b", "-N", &format!("@{}", step * PERIOD), &self.base32])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }

    /// Six digits that are right at none of the steps around this one.
    pub fn wrong(&self, step: u64) -> String {
        let right: Vec<String> = (step.saturating_sub(5)..step + 6).map(|s| self.code(s)).collect();
        (0..100).map(|n| format!("{n:06}")).find(|c| !right.contains(c)).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
