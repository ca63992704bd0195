//! Environment variables and configuration files.

use super::{House, is_raw, tools};
use crate::support::{CONFIG, NOT_PERMITTED, USAGE, World};

#[test]
fn odd_environment_variables_change_no_answer() {
    if !tools() {
        return;
    }
    let house = House::new();
    let (right, wrong) =
        (house.alice.code(house.world.step() + 1), house.alice.wrong(house.world.step()));
    for (name, value) in [
        ("TZ", ":/etc/passwd"),
        ("TZ", "nonsense\u{1b}[2J"),
        ("LANG", "xx_YY.garbage"),
        ("LC_ALL", "\u{1b}[2J"),
        ("COLUMNS", "0"),
        ("COLUMNS", "99999999999999"),
        ("LINES", "-1"),
        ("TERM", ""),
        ("TERM", "dumb"),
        ("NO_COLOR", ""),
        ("CLICOLOR_FORCE", "1"),
        ("HOME", "/nonexistent"),
        ("HOME", ""),
        ("HOME", "relative"),
        ("TMPDIR", "/nonexistent"),
        ("XDG_DATA_HOME", "relative"),
        ("XDG_CONFIG_HOME", "/dev/null"),
        ("RUST_BACKTRACE", "full"),
        ("RUST_LOG", "trace"),
        ("RUST_MIN_STACK", "1"),
        ("SQLITE_TMPDIR", "/nonexistent"),
        ("SSLKEYLOGFILE", "/dev/full"),
        ("PGHOST", "example.org"),
        ("MFACTL_STORE", "/nonexistent/m.db"),
        ("MFACTL_STORE", "postgres://u:hunter2@h/db"),
        ("MFACTL_KEY_FILE", "/nonexistent/m.key"),
        ("MFACTL_CONFIG", ""),
        ("MFACTL_NOW", "0"),
        ("MFACTL_CLOCK", "0"),
        ("MFACTL_TEST", "1"),
        ("SUDO_USER", "\u{1b}[2J"),
        ("SUDO_UID", "-1"),
        ("COMPLETE", "bash"),
        ("COMPLETE", "fish"),
        ("_CLAP_COMPLETE_INDEX", "1"),
        ("CREDENTIALS_DIRECTORY", "/nonexistent"),
        ("PATH", ""),
    ] {
        let world = house.world.copy();
        let ask =
            |code: &str| world.call("verify --json alice").with(name, value).input(code).run();
        let no = ask(&wrong);
        assert_eq!((no.code, &*no.outcome()), (1, "rejected"), "{name}={value}: {no:?}");
        let yes = ask(&right);
        assert_eq!((yes.code, &*yes.outcome()), (0, "accepted"), "{name}={value}: {yes:?}");
        let output = [&no.out, &no.err, &yes.out, &yes.err].map(String::as_str).concat();
        assert!(!output.contains(is_raw) && !output.contains("hunter2"), "{output}");
        world.call("list-status").with(name, value).run().expect(0);
    }
    for name in ["HOME", "PATH", "LANG"] {
        let world = house.world.copy();
        let call = world.call("verify --json alice").without(name).input(&right);
        assert_eq!(call.run().outcome(), "accepted", "without {name}");
    }
}

#[test]
fn an_invalid_value_of_a_variable_is_refused_by_name() {
    if !tools() {
        return;
    }
    let world = World::empty();
    let ask = |name: &str, value: &str| {
        let ran = world.bare(["list-status"]).with(name, value).run();
        assert!(!ran.err.contains(is_raw) && !ran.err.contains("hunter2"), "{ran:?}");
        assert!(ran.out.is_empty(), "{ran:?}");
        assert!(ran.code != USAGE || ran.err.contains("MFACTL_STORE: "), "{ran:?}");
        ran.code
    };
    assert_eq!(ask("MFACTL_STORE", "postgres://u:hunter2@h/db"), USAGE);
    assert_eq!(ask("MFACTL_STORE", "mysql://u:hunter2@h/db"), USAGE);
    assert_eq!(ask("MFACTL_STORE", "/nonexistent/\u{1b}[2J/m.db"), 69);
    assert_eq!(ask("MFACTL_STORE", "/dev/null"), NOT_PERMITTED);
    assert_eq!(ask("MFACTL_STORE", "/"), NOT_PERMITTED);
    let path = world.path("config.toml");
    std::fs::write(&path, "[store]\nlocation = \"postgres://u:hunter2@h/db\"\n").unwrap();
    let ran = world.bare(["--config", path.to_str().unwrap(), "list-status"]).run().expect(CONFIG);
    assert!(ran.err.contains("config.toml, line 2: store.location: an address"), "{ran:?}");
    assert_eq!(ask("MFACTL_CONFIG", "/nonexistent/\u{1b}[2J"), CONFIG);
    assert_eq!(ask("MFACTL_CONFIG", "/dev/zero"), NOT_PERMITTED);
}

#[test]
fn an_invalid_configuration_is_refused_with_its_line() {
    if !tools() {
        return;
    }
    let house = House::new();
    let code = house.alice.code(house.world.step() + 1);
    let large = format!("# {}\n", "x".repeat(10 << 20));
    for (content, words) in [
        ("[policy]\nwindw = 1\n", "line 2"),
        ("[policy]\nwindow = \"1\"\n", "line 2"),
        ("[policy]\nwindow = 1\nwindow = 1\n", "line 3"),
        ("[policy]\nwindow = -1\n", "window"),
        ("[policy]\nwindow = 3\n", "window"),
        ("[policy]\nwindow = 1000\n", "window"),
        ("[policy]\nwindow = 256\n", "window"),
        ("[policy]\nwindow = 1e3\n", "line 2"),
        ("[policy]\nwindow = 99999999999999999999\n", "line 2"),
        ("[policy]\nundo_for = \"0s\"\n", "undo_for"),
        ("[policy]\nundo_for = \"\"\n", "undo_for"),
        ("[policy]\nundo_for = 24\n", "line 2"),
        ("[policies]\n", "line 1"),
        ("[enrolment]\nexpires_after = \"-1h\"\n", "expires_after"),
        ("[enrolment]\nexpires_after = \"1y\"\n", "expires_after"),
        ("[enrolment]\nissuer = \"\"\n", "issuer"),
        ("[enrolment]\nissuer = \"a:b\"\n", "issuer"),
        ("[enrolment]\nissuer = \"a\\u001b[2J\"\n", "issuer"),
        ("[store]\nreaders = \"no such group \\u001b[2J\"\n", "store.readers"),
        ("[store]\nwriters = 0\n", "line 2"),
        ("[key]\ngroup = \"\"\n", "key.group"),
        ("nonsense", "line 1"),
        ("[policy\n", "line 1"),
        ("a = \u{1b}[2J\n", "line 1"),
        (large.as_str(), "larger"),
    ] {
        let path = house.world.path("config.toml");
        std::fs::write(&path, content).unwrap();
        for line in ["verify alice", "list-status", "reset alice --yes --no-enrol"] {
            let options = ["--config", path.to_str().unwrap()];
            let arguments = options.into_iter().chain(line.split(' '));
            house.refuses(house.world.call_of(arguments).input(&code), CONFIG, &[words]);
        }
    }
    let path = house.world.path("config.toml");
    for bytes in [&b"\xff\xfe[policy]"[..], b"[policy]\nwindow = \x00\n", b"\x80"] {
        std::fs::write(&path, bytes).unwrap();
        let call = house.world.call_of(["--config", path.to_str().unwrap(), "list-status"]);
        house.refuses(call, CONFIG, &["config.toml"]);
    }
    // An empty file sets nothing, and a byte order mark is ignored.
    for content in ["", "\n", "# only a remark\n", "\u{feff}[policy]\nwindow = 1\n"] {
        std::fs::write(&path, content).unwrap();
        house.world.call_of(["--config", path.to_str().unwrap(), "list-status"]).run().expect(0);
    }
}
