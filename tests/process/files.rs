//! Files that others could have written, or that are not ours: refused at once, and left alone.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::support::{
    CANNOT_CREATE, CONFIG, Call, MFACTL, NOT_PERMITTED, Ran, STORE_UNAVAILABLE, Seed, World, has,
    is_root, leave_out,
};

/// Nobody, on every Linux.
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
    /// Where writers stand in line.
    Queue,
    Key,
    Config,
}

const ALL: [What; 7] =
    [What::Store, What::Log, What::Index, What::Journal, What::Queue, What::Key, What::Config];

/// Refused by every verb that needs the file, at once; the code is not burnt.
#[track_caller]
fn assert_refused(house: &House, what: What, how: &str) {
    let code = house.world.next(&mut house.alice.clone());
    let mut lines = vec![
        "verify alice",
        "init",
        "enrol carol --create --no-confirm",
        "reset alice --yes --json",
    ];
    // Who only looks needs no key.
    if what != What::Key {
        lines.push("list-status");
    }
    for line in lines {
        let ran = quick(&house.call(line).input(&code));
        assert_eq!(ran.code, NOT_PERMITTED, "{what:?} {how}: {ran:?}");
        assert_eq!(ran.out, "", "{what:?} {how}: {ran:?}");
        let told = ran.err.starts_with("mfactl: error: the ") || ran.error() == "not_permitted";
        assert!(told, "{what:?} {how}: {ran:?}");
    }
}

/// Ends within a second; a machine that was busy gets two more tries, a hang never ends.
fn quick(call: &Call) -> Ran {
    let runs = (0..3).map(|_| call.clone().run());
    let second = Duration::from_secs(1);
    let mut slow = None;
    for ran in runs {
        if ran.took < second {
            return ran;
        }
        slow = Some(ran);
    }
    panic!("longer than a second: {slow:?}");
}

/// What can be seen of a file from outside, its time of change included.
fn seen(path: &Path) -> (Vec<u8>, u32, u32, u64, i64, i64) {
    let m = fs::metadata(path).unwrap();
    let content = if m.is_file() { fs::read(path).unwrap() } else { Vec::new() };
    (content, m.mode(), m.uid(), m.nlink(), m.mtime(), m.mtime_nsec())
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

#[test]
fn a_symbolic_link_is_refused_and_its_target_left_alone() {
    if !tools() {
        return;
    }
    let house = House::new();
    for what in ALL {
        let house = house.copy();
        let (path, target) = (house.place(what), house.world.path("target"));
        if path.exists() {
            fs::rename(&path, &target).unwrap();
        } else {
            fs::write(&target, "precious").unwrap();
            set_mode(&target, 0o600);
        }
        symlink(&target, &path).unwrap();
        let before = seen(&target);
        assert_refused(&house, what, "symbolic link");
        assert_eq!(seen(&target), before, "{what:?}");
        // One that points nowhere must not be followed to a new file.
        fs::remove_file(&target).unwrap();
        assert_refused(&house, what, "dangling link");
        assert!(!target.exists(), "{what:?}");
    }
}

#[test]
fn a_hard_link_is_refused() {
    if !tools() {
        return;
    }
    let house = House::new();
    for what in ALL {
        let house = house.copy();
        let (path, other) = (house.place(what), house.world.path("other"));
        if !path.exists() {
            fs::write(&path, "").unwrap();
            set_mode(&path, 0o600);
        }
        fs::hard_link(&path, &other).unwrap();
        let before = seen(&other);
        assert_refused(&house, what, "hard link");
        assert_eq!(seen(&other), before, "{what:?}");
    }
}

#[test]
fn a_fifo_a_folder_and_a_device_are_refused_at_once() {
    if !tools() {
        return;
    }
    let house = House::new();
    for what in ALL {
        let house = house.copy();
        let path = house.place(what);
        let _ = fs::remove_file(&path);
        system("mkfifo", &["-m", "600", path.to_str().unwrap()]);
        assert_refused(&house, what, "fifo");
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        set_mode(&path, 0o700);
        assert_refused(&house, what, "folder");
    }
    for device in [What::Store, What::Key, What::Config] {
        let options =
            [("--store", What::Store), ("--key-file", What::Key), ("--config", What::Config)];
        let places = options.map(|(option, what)| {
            let path = if what == device { "/dev/zero".into() } else { house.place(what) };
            [option.into(), path.into_os_string()]
        });
        let words = places.into_iter().flatten().chain(["verify".into(), "alice".into()]);
        let ran = quick(&house.world.bare(words).input("123456"));
        assert_eq!(ran.code, NOT_PERMITTED, "{device:?}: {ran:?}");
    }
}

#[test]
fn a_mode_that_is_too_loose_is_refused() {
    if !tools() {
        return;
    }
    let house = House::new();
    for what in ALL {
        let house = house.copy();
        let path = house.place(what);
        if !path.exists() {
            fs::write(&path, "").unwrap();
        }
        let loose: &[u32] = match what {
            What::Config => &[0o664, 0o646, 0o666, 0o622, 0o755, 0o4644],
            _ => &[0o640, 0o604, 0o644, 0o660, 0o666, 0o601, 0o700, 0o4600],
        };
        for mode in loose {
            set_mode(&path, *mode);
            let before = seen(&path);
            assert_refused(&house, what, &format!("mode {mode:o}"));
            assert_eq!(seen(&path), before, "{what:?} {mode:o}");
        }
    }
}

#[test]
fn a_folder_that_others_can_write_to_is_refused() {
    if !tools() {
        return;
    }
    let house = House::new();
    for what in [What::Store, What::Key, What::Config] {
        let house = house.copy();
        let folder = house.place(what).parent().unwrap().to_owned();
        for mode in [0o777, 0o1777, 0o702, 0o770, 0o2770] {
            set_mode(&folder, mode);
            assert_refused(&house, what, &format!("folder {mode:o}"));
        }
        set_mode(&folder, 0o755);
        house.call("list-status").run().expect(0);
    }
}

#[test]
fn a_foreign_owner_is_refused() {
    if !tools() || !is_root("files and folders of a foreign owner") {
        return;
    }
    let house = House::new();
    for what in ALL {
        let house = house.copy();
        let path = house.place(what);
        if !path.exists() {
            fs::write(&path, "").unwrap();
            set_mode(&path, 0o600);
        }
        chown(&path, Some(NOBODY), None).unwrap();
        let before = seen(&path);
        assert_refused(&house, what, "owner");
        assert_eq!(seen(&path), before, "{what:?}");
        chown(&path, Some(0), None).unwrap();
        chown(path.parent().unwrap(), Some(NOBODY), None).unwrap();
        assert_refused(&house, what, "owner of the folder");
    }
}

/// Files that are no store of ours, each made from a copy of a good one.
fn strangers(house: &House) -> Vec<(&'static str, World)> {
    let with = |name, content: &[u8]| {
        let world = house.world.copy();
        for suffix in ["-wal", "-shm"] {
            let _ = fs::remove_file(world.path(&format!("s/m.db{suffix}")));
        }
        fs::write(world.store(), content).unwrap();
        (name, world)
    };
    let altered = |name, sql: &str| {
        let world = house.world.copy();
        world.alter(sql);
        (name, world)
    };
    let other = World::new();
    other.alter("PRAGMA wal_checkpoint(TRUNCATE);");
    let mut other = fs::read(other.store()).unwrap();
    other.truncate(4096 * 3);
    let foreign = World::new();
    fs::remove_file(foreign.store()).unwrap();
    foreign.alter("CREATE TABLE notes(text); INSERT INTO notes VALUES ('precious');");
    let foreign = fs::read(foreign.store()).unwrap();
    let mut all = vec![
        with("nothing", b""),
        with("one byte", b"\n"),
        with("text", b"user,code\nalice,123456\n"),
        with("zeros", &[0; 8192]),
        with("a header only", b"SQLite format 3\0"),
        with("another program's database", &foreign),
        with("a torn store", &other),
        altered("a newer schema", "PRAGMA user_version = 999;"),
        altered("an older schema", "PRAGMA user_version = 0;"),
        altered("a schema from the future", "PRAGMA user_version = -1;"),
        altered("another application", "PRAGMA application_id = 1;"),
    ];
    for (name, sql) in HOSTILE_SCHEMAS {
        all.push(altered(name, sql));
    }
    all
}

/// What somebody could plant in a store to make it lie.
const HOSTILE_SCHEMAS: &[(&str, &str)] = &[
    (
        "a trigger",
        "CREATE TRIGGER t AFTER UPDATE ON devices BEGIN
         UPDATE devices SET last_step = NULL WHERE n = new.n; END;",
    ),
    (
        "a trigger before",
        "CREATE TRIGGER t BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END;",
    ),
    ("a view", "CREATE VIEW v AS SELECT * FROM users;"),
    ("a view for a table", "ALTER TABLE users RENAME TO x; CREATE VIEW users AS SELECT * FROM x;"),
    ("an index", "CREATE INDEX i ON users(email);"),
    ("an index on an expression", "CREATE INDEX i ON users(abs(rev));"),
    ("a table", "CREATE TABLE more(x);"),
    ("a virtual table", "CREATE VIRTUAL TABLE more USING fts5(x);"),
    ("a column", "ALTER TABLE users ADD COLUMN admin INTEGER;"),
    ("a column of another name", "ALTER TABLE users RENAME COLUMN required TO requires;"),
    ("a table less", "DROP TABLE audit_head;"),
    ("an index less", "DROP INDEX devices_of_user;"),
    (
        "a check",
        "PRAGMA writable_schema = 1;
         UPDATE sqlite_schema SET sql = replace(sql, 'rev INTEGER NOT NULL',
         'rev INTEGER NOT NULL CHECK (rev < 2)') WHERE name = 'users';",
    ),
    (
        "no uniqueness",
        "PRAGMA writable_schema = 1;
         UPDATE sqlite_schema SET sql = replace(sql, 'name TEXT NOT NULL UNIQUE',
         'name TEXT NOT NULL') WHERE name = 'users';",
    ),
    ("statistics", "ANALYZE;"),
];

#[test]
fn a_file_that_is_no_store_of_ours_is_refused_and_never_written_over() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.world.next(&mut house.alice.clone());
    let mut wrong = Vec::new();
    for (name, world) in strangers(&house) {
        let before = fs::read(world.store()).unwrap();
        for line in [
            "init",
            "verify alice",
            "list-status",
            "enrol carol --create --no-confirm --json",
            "add-user carol",
            "reset alice --yes --no-enrol",
        ] {
            let ran = world.call(line).input(&code).run();
            let told = ran.err.starts_with("mfactl: error: ") || ran.err.starts_with("{\"error\"");
            if ran.code != CONFIG || !told || !ran.out.is_empty() {
                wrong.push((name, line, ran));
            }
        }
        assert_eq!(fs::read(world.store()).unwrap(), before, "{name}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_an_earlier_run_left_behind_hinders_nobody() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.world.next(&mut house.alice.clone());
    for name in ["m.db-journal", ".m.db.0011223344556677.new", "m.db~", "m.db.bak"] {
        for content in [&b""[..], b"torn", &[0; 4096]] {
            let world = house.world.copy();
            let path = world.path(&format!("s/{name}"));
            fs::write(&path, content).unwrap();
            set_mode(&path, 0o600);
            assert_eq!(world.verify("alice", &code).expect(0).outcome(), "accepted", "{name}");
        }
    }
    // The index of the log is made anew.
    let world = house.world.copy();
    fs::write(world.path("s/m.db-shm"), vec![0xff; 32768]).unwrap();
    set_mode(&world.path("s/m.db-shm"), 0o600);
    assert_eq!(world.verify("alice", &code).expect(0).outcome(), "accepted");
}

#[test]
fn a_key_that_is_missing_torn_or_of_another_store_burns_no_code() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.world.next(&mut house.alice.clone());
    let text = fs::read_to_string(house.world.key()).unwrap();
    let line = text.lines().find(|l| l.starts_with("v1 ")).unwrap();
    let secret = line.split(' ').next_back().unwrap();
    let other = fs::read_to_string(World::new().key()).unwrap();
    let short = format!("{}\n", &line[..line.len() - 8]);
    let long = line.replace('=', "AAAA");
    let flipped = if line.ends_with("A=") { line.replace("A=", "E=") } else { swap_last(line) };
    for content in [
        None,
        Some(""),
        Some("\n"),
        Some("# nothing\n"),
        Some(&*short),
        Some(&*long),
        Some(&*other),
        Some(&*flipped),
        Some("v1 0011223344556677 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"),
        Some(&*"x".repeat(1 << 20)),
    ] {
        let world = house.world.copy();
        let (state, events) = (world.state(), world.events());
        match content {
            Some(content) => fs::write(world.key(), content).unwrap(),
            None => fs::remove_file(world.key()).unwrap(),
        }
        for line in ["verify alice", "init", "reset alice --yes --json", "enrol alice --create"] {
            let ran = world.call(line).input(&code).run();
            // What enrol would show has nowhere to go; that is found out first.
            let early = line.starts_with("enrol") && ran.code == 64;
            assert!(ran.code == CONFIG || early, "{content:?}: {ran:?}");
            assert!(!ran.err.contains(secret), "{ran:?}");
        }
        assert_eq!((world.state(), world.events()), (state, events), "{content:?}");
        assert_eq!(world.key().exists(), content.is_some(), "no key is made for an old store");
        world.run("list-status").expect(0);
        fs::write(world.key(), &text).unwrap();
        set_mode(&world.key(), 0o600);
        assert_eq!(world.verify("alice", &code).expect(0).outcome(), "accepted");
    }
}

/// The line with two characters of the key in each other's place.
fn swap_last(line: &str) -> String {
    let (head, tail) = line.split_at(line.len() - 6);
    let mut letters: Vec<char> = tail.chars().collect();
    let odd = if letters[0] == 'Q' { 'R' } else { 'Q' };
    letters[0] = odd;
    format!("{head}{}", letters.into_iter().collect::<String>())
}

#[test]
fn no_store_is_no_store_and_none_is_made_by_looking() {
    if !tools() {
        return;
    }
    let world = World::empty();
    for line in [
        "list-status",
        "verify alice",
        "reset alice --yes --json",
        "disable alice --yes",
        "show-user alice",
        "show-qr alice --json",
        "enrol alice --no-confirm --json",
        "unlock alice",
    ] {
        world.call(line).input("123456").run().expect(STORE_UNAVAILABLE);
    }
    assert!(!world.path("s").exists() && !world.path("k").exists());
}

/// The name of a group that nobody on this machine relies on.
fn group() -> Option<String> {
    let line = Command::new("getent").args(["group", &NOBODY.to_string()]).output().ok()?;
    let line = String::from_utf8(line.stdout).ok()?;
    line.split(':').next().filter(|n| !n.is_empty()).map(str::to_owned)
}

/// A world that a group shares, with a program that everybody can run.
fn shared(config: &str) -> Option<World> {
    let what = "a store that a group shares";
    if !tools() || !is_root(what) || !has("setpriv", what) {
        return None;
    }
    let Some(group) = group() else {
        leave_out("there is no group 65534", what);
        return None;
    };
    let world = World::empty();
    set_mode(&world.path("."), 0o711);
    fs::create_dir(world.path("c")).unwrap();
    set_mode(&world.path("c"), 0o755);
    fs::write(world.path("c/config.toml"), config.replace("GROUP", &group)).unwrap();
    set_mode(&world.path("c/config.toml"), 0o644);
    fs::copy(MFACTL, world.path("c/mfactl")).unwrap();
    set_mode(&world.path("c/mfactl"), 0o755);
    Some(world)
}

impl World {
    fn configured(&self, line: &str) -> Call {
        let config = self.path("c/config.toml").into_os_string();
        let words = ["--config".into(), config];
        self.call_of(words.into_iter().chain(line.split(' ').map(Into::into)))
    }

    /// Run by nobody, who is in the group of the same number.
    fn by_nobody(&self, line: &str) -> Call {
        let id = NOBODY.to_string();
        let call = self.configured(line).program(self.path("c/mfactl"));
        call.under(["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups"])
    }
}

#[test]
fn an_auditor_of_the_readers_group_lists_without_the_key() {
    let Some(world) = shared("[store]\nreaders = \"GROUP\"\n") else { return };
    world.configured("init").run().expect(0);
    assert_eq!(fs::metadata(world.store()).unwrap().mode() & 0o777, 0o640);
    let line = "enrol alice --create --no-confirm --json --reveal-secrets";
    let secret = world.configured(line).run().expect(0).json("secret");
    let mut seed = Seed { base32: secret, spent: 0 };
    let listed = || world.by_nobody("list-status --json").run().expect(0).document();
    assert_eq!(listed()["users"][0]["status"], "pending");
    let code = world.next(&mut seed);
    world.configured("verify alice").input(&code).run().expect(0);
    assert_eq!(listed()["users"][0]["status"], "enabled", "the newest state, not the last copied");
    world.by_nobody("show-user alice").run().expect(0);
    let (state, events) = (world.state(), world.events());
    let code = world.next(&mut seed);
    for line in [
        "verify alice",
        "disable alice --yes",
        "reset alice --yes --json",
        "unlock alice",
        "add-user bob",
        "show-qr alice --active --json --reveal-secrets",
        "init",
    ] {
        let ran = world.by_nobody(line).input(&code).run();
        assert!([NOT_PERMITTED, CONFIG].contains(&ran.code), "{ran:?}");
        assert!(!ran.out.contains("secret"), "{ran:?}");
    }
    assert_eq!((world.state(), world.events()), (state, events));
    let answer = world.configured("verify --json alice").input(&code).run();
    assert_eq!(answer.outcome(), "accepted");
}

#[test]
fn a_service_of_the_writers_group_verifies_beside_root() {
    let Some(world) = shared("[store]\nwriters = \"GROUP\"\n[key]\ngroup = \"GROUP\"\n") else {
        return;
    };
    world.configured("init").run().expect(0);
    set_mode(&world.path("k"), 0o711);
    let line = "enrol alice --create --no-confirm --json --reveal-secrets";
    let secret = world.configured(line).run().expect(0).json("secret");
    let mut seed = Seed { base32: secret, spent: 0 };
    // First the one, then the other, each over the side files that the other made.
    for name in ["m.db-wal", "m.db-shm"] {
        let _ = fs::remove_file(world.path(&format!("s/{name}")));
    }
    let line = "enrol bob --create --no-confirm --json --reveal-secrets";
    let secret = world.by_nobody(line).run().expect(0).json("secret");
    let mut bob = Seed { base32: secret, spent: 0 };
    let secret = world.configured(line.replace("bob", "alice").as_str());
    seed.base32 = secret.run().expect(0).json("secret");
    for code in [world.next(&mut bob), world.next(&mut bob)] {
        let ran = world.by_nobody("verify --json bob").input(&code).run().expect(0);
        assert!(ran.err.is_empty(), "{ran:?}");
        world.configured("verify --json bob").input(&code).run().expect(1);
    }
    for code in [world.next(&mut seed), world.next(&mut seed)] {
        world.configured("verify alice").input(&code).run().expect(0);
        world.by_nobody("verify alice").input(&code).run().expect(1);
    }
    world.assert_sound();
}

#[test]
fn an_output_is_made_with_the_rights_of_whom_sudo_acts_for() {
    if !tools() || !is_root("output files under sudo") {
        return;
    }
    let house = House::new();
    house.world.pending("bob");
    set_mode(&house.world.path("."), 0o711);
    fs::create_dir(house.world.path("n")).unwrap();
    chown(house.world.path("n"), Some(NOBODY), None).unwrap();
    let ask = |path: &Path| {
        let words = ["show-qr", "bob", "--output", path.to_str().unwrap()];
        let call = house.world.call_of(words).with("SUDO_UID", NOBODY.to_string());
        call.with("SUDO_USER", "nobody").run()
    };
    let own = house.world.path("n/bob.png");
    ask(&own).expect(0);
    let metadata = fs::metadata(&own).unwrap();
    assert_eq!((metadata.uid(), metadata.mode() & 0o777), (NOBODY, 0o600));
    for forbidden in ["s/bob.png", "k/bob.png", "c/bob.png", "bob.png"] {
        let path = house.world.path(forbidden);
        ask(&path).expect(CANNOT_CREATE);
        assert!(!path.exists());
    }
    let claim = "SELECT operator_uid, operator_claim FROM events ORDER BY seq DESC LIMIT 1";
    assert_eq!(house.world.sql(claim), "0|nobody");
}
