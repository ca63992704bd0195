//! Runs that are killed at every write, or whose system calls fail: the state is the old one or the new
//! one, and no code is accepted twice.

use super::support::{BUSY, CANNOT_CREATE, CONFIG, Call, IO, NOT_PERMITTED, Ran, Seed, World, has};

/// Calls that change something on disk. `fsync` and `rename` have two names each.
const WRITES: [&str; 7] = [
    "pwrite64",
    "write",
    "fsync,fdatasync,syncfs",
    "ftruncate",
    "unlink,unlinkat",
    "rename,renameat,renameat2",
    "mkdir,mkdirat,chmod,fchmod,fchmodat",
];
/// More calls of one kind than any verb makes.
const MOST: u32 = 200;

fn tools(what: &str) -> bool {
    has("strace", what) && has("oathtool", what) && has("sqlite3", what)
}

/// A world with alice enrolled and active, and bob pending.
pub fn template() -> (World, Seed) {
    let world = World::new();
    let seed = world.active("alice");
    world.pending("bob");
    (world, seed)
}

impl Call {
    /// Under `strace`, which injects this fault at these system calls.
    fn injecting(self, calls: &str, fault: &str) -> Self {
        let inject = format!("inject={calls}:{fault}");
        let trace = format!("trace={calls}");
        self.under(["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject])
    }
}

/// Runs a verb again and again on fresh copies, killed at its first, second, … call of each kind,
/// until it succeeds; `check` examines the world after each kill. Returns the number of kills.
pub fn sweep(
    fresh: impl Fn() -> World,
    call: impl Fn(&World) -> Call,
    check: impl Fn(&World),
) -> u32 {
    let mut kills = 0;
    for calls in WRITES {
        for nth in 1..=MOST {
            assert!(nth < MOST, "{calls} never ends");
            let world = fresh();
            let ran = call(&world).injecting(calls, &format!("signal=KILL:when={nth}")).run();
            if ran.code <= 1 {
                break;
            }
            assert_eq!(ran.code, 128 + 9, "{calls} {nth}: {ran:?}");
            kills += 1;
            check(&world);
        }
    }
    kills
}

/// Asserts the old state without a new event, or a new state with one. Returns whether the change was made.
#[track_caller]
pub fn old_or_new(template: &World, world: &World) -> bool {
    world.assert_sound();
    let carried_out = world.events() == template.events() + 1;
    assert!(carried_out || world.events() == template.events());
    assert_eq!(world.state() != template.state(), carried_out, "half a change");
    world.run("list-status --json").expect(0);
    carried_out
}

#[test]
fn a_killed_verify_spends_the_code_entirely_or_not_at_all() {
    if !tools("verify under the kill sweep") {
        return;
    }
    let (template, seed) = template();
    let verified = |code: &str| {
        let kills = sweep(
            || template.copy(),
            |world| world.call("verify alice").input(code),
            |world| {
                let spent = old_or_new(&template, world);
                let next = world.verify("alice", code);
                let expected = if spent { (1, "replayed") } else { (0, "accepted") };
                assert_eq!((next.code, &*next.outcome()), expected, "{next:?}");
                assert_eq!(world.verify("alice", code).outcome(), "replayed");
            },
        );
        assert!(kills >= 5, "{kills}");
    };
    verified(&template.next(&mut seed.clone()));
}

#[test]
fn a_killed_login_remembers_its_host_exactly_where_the_code_is_used_up() {
    if !tools("a remembered login under the kill sweep") {
        return;
    }
    let (template, seed) = template();
    template.configure("[services.sshd]\nremember = \"12h\"\n");
    let code = template.next(&mut seed.clone());
    let login = |world: &World, typed: &str| {
        let call = world.call("verify --from pam --socket none").with("PAM_TYPE", "auth");
        let call = call.with("PAM_USER", "alice").with("PAM_SERVICE", "sshd");
        call.with("PAM_RHOST", "192.0.2.1").input(typed)
    };
    let kills = sweep(
        || template.copy(),
        |world| login(world, &code),
        |world| {
            let spent = old_or_new(&template, world);
            let is_remembered = login(world, "").run().code == 0;
            assert_eq!(is_remembered, spent);
        },
    );
    assert!(kills >= 5, "{kills}");
}

#[test]
fn a_kill_while_the_log_is_copied_into_the_store_loses_nothing() {
    if !tools("verify with a checkpoint under the kill sweep") {
        return;
    }
    let (template, seed) = template();
    let log = template.path("s/m.db-wal");
    // 128 pages of 4 KiB, then the next commit copies them.
    for n in 0.. {
        if log.metadata().unwrap().len() > 126 * 4120 {
            break;
        }
        template.run(&format!("add-user user{n}")).expect(0);
    }
    let code = template.next(&mut seed.clone());
    let kills = sweep(
        || template.copy(),
        |world| world.call("verify alice").input(&code),
        |world| {
            let spent = old_or_new(&template, world);
            assert_eq!(world.verify("alice", &code).code, i32::from(spent));
        },
    );
    assert!(kills >= 20, "the pages were copied: {kills}");
}

#[test]
fn a_killed_enrolment_leaves_no_incomplete_user() {
    if !tools("enrol under the kill sweep") {
        return;
    }
    let (template, _) = template();
    let line = "enrol carol --create --no-confirm --json --reveal-secrets";
    let kills = sweep(
        || template.copy(),
        |world| world.call(line),
        |world| {
            let made = old_or_new(&template, world);
            let status = world.status("carol");
            assert_eq!(status, if made { "pending" } else { "" });
            let secret = world.run(line).expect(0).json("secret");
            let mut seed = Seed { base32: secret, spent: 0 };
            let code = world.next(&mut seed);
            assert_eq!(world.verify("carol", &code).expect(0).outcome(), "confirmed");
        },
    );
    assert!(kills >= 5, "{kills}");
}

#[test]
fn a_killed_reset_revokes_all_devices_or_none() {
    if !tools("reset under the kill sweep") {
        return;
    }
    let (template, seed) = template();
    let code = template.next(&mut seed.clone());
    let kills = sweep(
        || template.copy(),
        |world| world.call("reset alice --yes --no-enrol"),
        |world| {
            let cut_off = old_or_new(&template, world);
            let code = world.verify("alice", &code).code;
            assert_eq!(code, if cut_off { 76 } else { 0 });
            world.run("reset alice --yes --no-enrol").expect(0);
            assert_eq!(world.status("alice"), "not_enabled");
        },
    );
    assert!(kills >= 5, "{kills}");
}

#[test]
fn a_killed_init_can_be_run_again() {
    if !tools("init under the kill sweep") {
        return;
    }
    let kills = sweep(
        World::empty,
        |world| world.call("init"),
        |world| {
            if world.store().exists() {
                world.assert_sound();
                world.run("list-status").expect(0);
            }
            let key = std::fs::read(world.key()).ok();
            world.run("init").expect(0);
            if let Some(key) = key {
                assert_eq!(std::fs::read(world.key()).unwrap(), key, "a key is never made anew");
            }
            world.run("enrol alice --create --no-confirm --json").expect(0);
            world.assert_sound();
        },
    );
    assert!(kills >= 10, "{kills}");
}

#[test]
fn a_killed_first_enrolment_can_be_run_again() {
    if !tools("enrol on a missing store under the kill sweep") {
        return;
    }
    let line = "enrol alice --create --no-confirm --json";
    let kills = sweep(
        World::empty,
        |world| world.call(line),
        |world| {
            world.run(line).expect(0);
            assert_eq!(world.status("alice"), "pending");
            world.assert_sound();
        },
    );
    assert!(kills >= 10, "{kills}");
}

/// Asserts that nothing was changed if the message says so.
#[track_caller]
fn assert_unchanged_if_it_says_so(template: &World, world: &World, ran: &Ran) {
    if ran.err.contains("nothing was changed") {
        assert_eq!(world.state(), template.state(), "{ran:?}");
        assert_eq!(world.events(), template.events(), "{ran:?}");
    }
}

#[test]
fn a_disk_that_fails_every_time_changes_nothing() {
    if !tools("verify on a failing disk") {
        return;
    }
    let (template, seed) = template();
    let code = template.next(&mut seed.clone());
    for (calls, error) in
        [("pwrite64", "EIO"), ("pwrite64", "ENOSPC"), ("pread64", "EIO"), ("getrandom", "EIO")]
    {
        let world = template.copy();
        let call = world.call("verify --json alice").input(&code);
        let call = call.injecting(calls, &format!("error={error}"));
        // Only reads of the store fail, because the dynamic linker uses the same call.
        let ran = if calls == "pread64" { call.of_files(&world).run() } else { call.run() };
        assert_eq!(ran.code, IO, "{ran:?}");
        assert_eq!(ran.out, "", "{ran:?}");
        assert!(!old_or_new(&template, &world), "{ran:?}");
        let again = world.verify("alice", &code);
        assert_eq!(again.outcome(), "accepted", "{calls} {error}: the code was used up by {ran:?}");
    }
}

#[test]
fn without_a_successful_sync_no_code_is_accepted_and_the_message_is_true() {
    if !tools("verify without a sync") {
        return;
    }
    let (template, seed) = template();
    let code = template.next(&mut seed.clone());
    for line in [
        "verify --json alice",
        "verify alice",
        "disable alice --yes",
        "reset alice --yes --no-enrol",
    ] {
        let world = template.copy();
        let call = world.call(line).input(&code);
        let ran = call.injecting("fsync,fdatasync", "error=EIO").run().expect(IO);
        assert_eq!(ran.out, "", "{ran:?}");
        // The next reader of the write-ahead log may find the change, but then all of it.
        let stands = old_or_new(&template, &world);
        assert_unchanged_if_it_says_so(&template, &world, &ran);
        let once = world.verify("alice", &code).code == 0;
        assert!(!(once && stands), "{ran:?}");
    }
}

#[test]
fn a_disk_that_fails_once_never_yields_a_second_acceptance() {
    if !tools("verify on a disk that fails once") {
        return;
    }
    let (template, seed) = template();
    let code = template.next(&mut seed.clone());
    // The codes beside 0 that the contract has for the fault, wherever it strikes: the store, the key
    // file, or a page that SQLite takes for damage.
    for (calls, error, codes) in [
        ("fsync,fdatasync", "EIO", &[IO][..]),
        ("pwrite64", "ENOSPC", &[IO]),
        ("pread64", "EIO", &[IO, CONFIG]),
        ("openat", "EMFILE", &[NOT_PERMITTED, CONFIG]),
        ("getrandom", "EIO", &[IO]),
        ("read", "EIO", &[IO, CONFIG]),
        ("ftruncate", "EIO", &[IO]),
        ("fcntl", "EINTR", &[IO, BUSY]),
    ] {
        for nth in 1..=MOST {
            assert!(nth < MOST, "{calls} never ends");
            let world = template.copy();
            let call = world.call("verify --json alice").input(&code);
            let trace = world.path("trace");
            let ran = call.counting(calls, &format!("error={error}:when={nth}"), &trace).run();
            if !std::fs::read_to_string(&trace).unwrap().contains("(INJECTED)") {
                ran.expect(0);
                break;
            }
            let expected = ran.code == 0 || codes.contains(&ran.code) || is_loader(&ran);
            assert!(expected, "{calls} {error} {nth}: {ran:?}");
            old_or_new(&template, &world);
            assert_unchanged_if_it_says_so(&template, &world, &ran);
            let again = world.verify("alice", &code);
            if ran.code == 0 {
                assert_eq!(again.outcome(), "replayed", "{calls} {error} {nth}");
            } else {
                assert!(again.code <= 1, "{calls} {error} {nth}: {again:?}");
                assert_eq!(world.verify("alice", &code).outcome(), "replayed");
            }
        }
    }
}

/// The dynamic linker's own complaint, before the program begins.
fn is_loader(ran: &Ran) -> bool {
    ran.code == 127 && ran.err.contains("error while loading shared libraries")
}

impl Call {
    /// Traces only calls on the store and its side files; call it after [`Call::injecting`].
    fn of_files(self, world: &World) -> Self {
        let store = world.store().canonicalize().unwrap().into_os_string();
        let with = |suffix: &str| {
            let mut path = store.clone();
            path.push(suffix);
            path
        };
        self.tracing(["", "-wal", "-shm"].into_iter().flat_map(|s| ["-P".into(), with(s)]))
    }

    /// As [`Call::injecting`], with a trace in which an injected fault is marked.
    fn counting(self, calls: &str, fault: &str, trace: &std::path::Path) -> Self {
        let (only, inject) = (format!("trace={calls}"), format!("inject={calls}:{fault}"));
        let trace = trace.to_str().unwrap().to_owned();
        self.under(["strace", "-f", "-qq", "-o", &trace, "-e", &only, "-e", &inject])
    }
}

#[test]
fn without_random_numbers_nobody_is_enrolled() {
    if !tools("enrolment without random numbers") {
        return;
    }
    let (template, _) = template();
    for line in ["enrol carol --create --no-confirm --json", "reset alice --yes --json"] {
        let world = template.copy();
        let ran = world.call(line).injecting("getrandom", "error=EIO").run().expect(IO);
        assert!(ran.err.contains("no random numbers"), "{ran:?}");
        assert_eq!(world.state(), template.state(), "{ran:?}");
        assert_eq!(world.events(), template.events(), "{ran:?}");
    }
    let world = World::empty();
    let ran = world.call("init").injecting("getrandom", "error=EIO").run().expect(IO);
    assert!(ran.err.contains("no random numbers"), "{ran:?}");
    assert!(!world.store().exists() && !world.key().exists());
}

#[test]
fn a_disk_that_fails_while_the_store_is_made_leaves_none() {
    if !tools("init on a failing disk") {
        return;
    }
    for (calls, error, code) in [
        // The key file comes first; the store is written with `pwrite64` alone.
        ("fsync,fdatasync", "EIO", CANNOT_CREATE),
        ("pwrite64", "ENOSPC", IO),
        ("write", "ENOSPC", IO),
        ("renameat2", "EIO", CANNOT_CREATE),
        ("mkdir", "ENOSPC", IO),
    ] {
        let world = World::empty();
        let ran = world.call("init").injecting(calls, &format!("error={error}")).run();
        // The message is not asserted: one of the faults hits standard error too.
        assert_eq!(ran.code, code, "{calls}: {ran:?}");
        assert!(!world.store().exists(), "{calls}: {ran:?}");
        world.run("init").expect(0);
    }
}
