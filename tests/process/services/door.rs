//! Logins that every login service must accept, and logins that it must refuse.

use std::fs;

use super::support::{Seed, World};

/// A login through a real service.
pub trait Door {
    /// Whether the login succeeds; also asserts that the output gives no reason for a refusal.
    fn opens(&self, user: &str, typed: &[u8]) -> bool;
}

/// Names that no user has. A service may refuse some of them before it runs mfactl.
pub const NOBODY: &[&str] = &[
    "nobody",
    "--help",
    "-V",
    "--version",
    "$(id)",
    "`id`",
    "a b",
    "\u{e9}",
    "../alice",
    "alice'--",
    "\u{8}\r\u{7f}INCORRECT",
];

/// Malformed codes, among them some that could confuse a parser.
const JUNK: &[&[u8]] = &[
    b"",
    b"hunter2",
    b"--help",
    b"123456\x00",
    b"\x08\r\x7fINCORRECT",
    b"\xff\xfe\xfd",
    b"$(id)",
    b"p\"w\\ '\xc3\xa9$()",
    b"SCRV1::",
];

/// Asserts that the output gives no reason for a refusal.
#[track_caller]
pub fn assert_gives_no_reason(shown: &str) {
    for word in ["mfactl", "reject", "locked", "unknown", "exit code", "replay", "disabled"] {
        assert!(!shown.contains(word), "{shown}");
    }
}

/// Asserts that right codes are accepted and nothing else is, also after many refusals.
pub fn accepts_right_codes_of(alice: &mut Seed, world: &World, door: &impl Door) {
    let wrong = alice.wrong(world.step());
    let code = world.next(alice);
    assert!(!door.opens("alice", wrong.as_bytes()), "wrong");
    assert!(door.opens("alice", code.as_bytes()), "right");
    assert!(!door.opens("alice", code.as_bytes()), "replayed");
    world.run("add-user bare").expect(0);
    assert!(!door.opens("bare", b"123456"), "without a device");
    let long = "a".repeat(300);
    for name in NOBODY.iter().chain([&long.as_str()]) {
        assert!(!door.opens(name, b"123456"), "{name:?}");
    }
    let mut carol = world.pending("carol");
    for typed in JUNK {
        assert!(!door.opens("carol", typed), "{typed:?}");
        world.run("unlock carol").expect(0);
    }
    assert!(!door.opens("carol", &[b'1'; 300]), "300 bytes");
    let code = world.next(&mut carol);
    assert!(door.opens("carol", code.as_bytes()), "the confirming code");

    world.run("disable carol --yes").expect(0);
    let code = world.next(&mut carol);
    assert!(!door.opens("carol", code.as_bytes()), "disabled");
    world.run("enable carol --yes").expect(0);
    assert!(door.opens("carol", code.as_bytes()), "enabled again");
    world.assert_sound();
}

/// Asserts that a lock and a missing store refuse every login, and that logins work again afterwards.
pub fn survives_a_lock_and_a_missing_store(world: &World, door: &impl Door) {
    let mut dave = world.pending("dave");
    let wrong = dave.wrong(world.step());
    for _ in 0..5 {
        assert!(!door.opens("dave", wrong.as_bytes()));
    }
    let code = world.next(&mut dave);
    assert!(!door.opens("dave", code.as_bytes()), "locked");
    world.run("unlock dave").expect(0);
    let away = world.path("away");
    fs::rename(world.store(), &away).unwrap();
    assert!(!door.opens("dave", code.as_bytes()), "no store");
    fs::rename(&away, world.store()).unwrap();
    assert!(door.opens("dave", code.as_bytes()), "the store is back");
    let accepted = "SELECT count(*) FROM events WHERE outcome IN ('accepted', 'confirmed') \
                    AND \"user\" = 'dave'";
    assert_eq!(world.sql(accepted), "1");
}
