//! `verify-log` detects events that were edited, removed, added, rewritten, truncated or replaced.

use std::collections::HashMap;

use serde_json::Value;

use crate::domain::audit::event::{EventFields, Head};
use crate::domain::audit::proved_event::EventProof;
use crate::domain::secret::Stamp;
use crate::files::file_trust::FilePolicy;
use crate::store::Access;
use crate::store::location::StoreLocation;
use crate::testing::World;

/// Ten events: init, two users, their codes.
fn ten() -> World {
    let world = World::new();
    for user in ["alice", "bob"] {
        let phone = world.active(user);
        world.wait(60);
        let _ = world.verify(user, &world.code(&phone, 0)).ok();
        let _ = world.run(&format!("disable {user} --yes --reason because")).ok();
    }
    let _ = world.run("unlock alice").ok();
    assert_eq!(world.sql("SELECT max(seq) FROM events"), "9");
    world
}

fn proved(world: &World, more: &str) -> (u8, Value) {
    let ran = world.run(&format!("verify-log --json {more}"));
    (ran.code, ran.json())
}

#[test]
fn an_untouched_log_verifies() {
    let world = ten();
    let (code, report) = proved(&world, "");
    assert_eq!((code, &report["outcome"], &report["events"]), (0, &"whole".into(), &9.into()));
    assert_eq!((&report["macs_checked"], &report["last_event"]), (&true.into(), &9.into()));
    let words = world.run("verify-log").ok().out;
    assert_eq!(
        words,
        "the log is intact: 9 events, 1 to 9; all hashes and MACs match; the records of 2 users agree with it\n"
    );
    assert_eq!(world.run("verify-log --quiet").ok().out, "");
}

/// The tampering, the first bad event, and whether it is detected without the key.
const EDITS: &[(&str, Option<u64>, bool)] = &[
    ("UPDATE events SET verb = 'enable' WHERE seq = 4", Some(4), true),
    ("UPDATE events SET at = at + 1 WHERE seq = 4", Some(4), true),
    ("UPDATE events SET outcome = 'accepted' WHERE seq = 2", Some(2), true),
    ("UPDATE events SET operator_uid = 0 WHERE seq = 5", Some(5), true),
    ("UPDATE events SET operator_claim = 'mallory' WHERE seq = 5", Some(5), true),
    ("UPDATE events SET \"user\" = 'mallory' WHERE seq = 3", Some(3), true),
    ("UPDATE events SET reason = NULL WHERE seq = 5", Some(5), true),
    ("UPDATE events SET detail = '{}' WHERE seq = 5", Some(5), true),
    ("UPDATE events SET was = NULL WHERE seq = 5", Some(5), true),
    ("UPDATE events SET was_status = NULL WHERE seq = 5", Some(5), true),
    ("UPDATE events SET salt = NULL WHERE seq = 5", Some(5), true),
    (
        "UPDATE events SET hash = (SELECT hash FROM events WHERE seq = 1) WHERE seq = 4",
        Some(4),
        true,
    ),
    ("UPDATE events SET personal = hash WHERE seq = 4", Some(4), true),
    ("UPDATE events SET mac = hash WHERE seq = 4", Some(4), false),
    ("DELETE FROM events WHERE seq = 1", Some(2), true),
    ("DELETE FROM events WHERE seq = 4", Some(5), true),
    ("DELETE FROM events WHERE seq IN (4, 5, 6)", Some(7), true),
    ("DELETE FROM events WHERE seq = 9", Some(9), true),
    ("DELETE FROM events WHERE seq > 6", Some(7), true),
    ("DELETE FROM events", Some(1), true),
    ("DELETE FROM audit_head", None, true),
    ("UPDATE audit_head SET mac = hash", None, false),
    (
        "UPDATE events SET seq = 100 WHERE seq = 4; UPDATE events SET seq = 4 WHERE seq = 5; \
         UPDATE events SET seq = 5 WHERE seq = 100",
        Some(4),
        true,
    ),
    (
        "DELETE FROM events WHERE seq = 9; \
         UPDATE audit_head SET seq = 8, hash = (SELECT hash FROM events WHERE seq = 8)",
        None,
        true,
    ),
    (
        "INSERT INTO log_start(one, seq, at, hash) SELECT 1, seq, at, hash FROM events \
         WHERE seq = 3; DELETE FROM events WHERE seq <= 3",
        None,
        true,
    ),
    (
        "INSERT INTO events(seq, at, verb, outcome, operator_uid, personal, hash, mac) \
         SELECT 10, at, verb, outcome, operator_uid, personal, hash, mac FROM events WHERE seq = 1",
        Some(10),
        true,
    ),
];

#[test]
fn every_edit_is_found_and_the_first_bad_event_is_named() {
    for (edit, first_bad, is_seen_without_key) in EDITS {
        let world = ten();
        world.sql(edit);
        let (code, report) = proved(&world, "");
        assert_eq!((code, &report["outcome"]), (1, &"damaged".into()), "{edit}");
        assert_eq!(report["first_bad_event"].as_u64(), *first_bad, "{edit}: {report}");
        let words = world.run("verify-log");
        assert!(words.code == 1 && words.out.starts_with("the log is damaged: "), "{edit}");
        assert!(!report["problem"].as_str().unwrap().is_empty());
        assert_eq!(world.run("check log").code, 2, "{edit}");
        // The auditor has no key.
        std::fs::remove_file(world.folder.path().join("key/mfactl.key")).unwrap();
        let (code, report) = proved(&world, "");
        assert_eq!(report["macs_checked"], false);
        assert_eq!(code == 1, *is_seen_without_key, "{edit}, without the key");
    }
}

#[test]
fn unreadable_events_are_damage_and_no_bug() {
    let world = ten();
    // A report needs the order of the events, and the end of the log, but not every field.
    let edits = [
        ("UPDATE events SET at = -5 WHERE seq = 4", Some(4), 0),
        ("UPDATE events SET operator_uid = -1 WHERE seq = 4", Some(4), 0),
        ("UPDATE events SET seq = -3 WHERE seq = 1", Some(1), 78),
        ("UPDATE audit_head SET seq = -1", None, 78),
        ("UPDATE events SET verb = CAST(x'fffe' AS TEXT) WHERE seq = 4", Some(4), 0),
    ];
    // PostgreSQL refuses invalid UTF-8.
    let edits = if world.engine.is_postgres() { &edits[..4] } else { &edits[..] };
    for (edit, first_bad, code_of_report) in edits {
        let world = ten();
        world.sql(edit);
        let (code, report) = proved(&world, "");
        assert_eq!((code, report["first_bad_event"].as_u64()), (1, *first_bad), "{edit}: {report}");
        let problem = report["problem"].as_str().unwrap();
        assert!(problem.contains("can't be read"), "{edit}: {problem}");
        assert_eq!(world.run("check log").code, 2, "{edit}");
        let numbers = world.run("metrics").ok().out;
        assert!(numbers.contains("\nmfactl_audit_chain_ok 0\n"), "{edit}: {numbers}");
        let report = world.folder.path().join("r.svg");
        let ran = world.run(&format!("report --output {}", report.display()));
        assert_eq!(ran.code, *code_of_report, "{edit}: {ran:?}");
        assert!(!ran.err.contains("clock"), "{edit}: {ran:?}");
    }
    world.wait(100);
    let _ = world.run("enable alice").ok();
    let _ = world.run("log --prune --before 50s --yes").ok();
    world.sql("UPDATE log_start SET at = -1");
    let (code, report) = proved(&world, "");
    let problem = report["problem"].as_str().unwrap();
    assert!(code == 1 && problem.contains("the beginning of the log can't be read"), "{problem}");
    for line in ["changes --since 1s", "list-status --at now"] {
        let ran = world.run(line);
        assert!(ran.code == 78 && ran.err.contains("table log_start, column at"), "{ran:?}");
    }
}

#[test]
fn an_anchor_reveals_a_truncated_or_rewritten_log_and_an_older_store() {
    let world = ten();
    let anchors = world.folder.path().join("anchors");
    let anchors = anchors.display();
    let old = world.folder.path().join("old");
    let _ = world.run(&format!("backup {}", old.display())).ok();
    let saved = world.run(&format!("verify-log --save-anchor {anchors}")).ok();
    assert!(saved.out.contains("intact"));
    world.wait(60);
    let _ = world.run("enable alice").ok();
    let printed = world.run("verify-log --save-anchor -").ok().out;
    assert!(printed.starts_with("mfactl-anchor 1 ") && printed.lines().count() == 1, "{printed}");
    let _ = world.run(&format!("verify-log --quiet --save-anchor {anchors}")).ok();
    assert_eq!(std::fs::read_to_string(anchors.to_string()).unwrap().lines().count(), 2);
    let (code, report) = proved(&world, &format!("--anchor {anchors}"));
    assert_eq!((code, &report["anchors"]), (0, &2.into()));
    // An older copy of the store, consistent in itself, with valid MACs.
    let _ = world.run(&format!("restore {} --lose-newer --yes", old.display())).ok();
    let (code, _) = proved(&world, "");
    assert_eq!(code, 0, "nothing shows it without an anchor");
    let (code, report) = proved(&world, &format!("--anchor {anchors}"));
    assert_eq!((code, &report["outcome"]), (1, &"damaged".into()), "{report}");
    let other = World::unrelated();
    let ran = other.run(&format!("verify-log --anchor {anchors}"));
    assert_eq!(ran.code, 65);
    assert!(ran.err.contains("belongs to another store"), "{}", ran.err);
    std::fs::write(anchors.to_string(), "nothing\n").unwrap();
    assert_eq!(world.run(&format!("verify-log --anchor {anchors}")).code, 65);
    assert_eq!(world.run("verify-log --anchor /nonexistent/x").code, 65);
    assert_eq!(world.run("verify-log --save-anchor /nonexistent/x").code, 73);
}

#[test]
fn a_pruned_log_still_verifies() {
    let world = ten();
    world.wait(100);
    let _ = world.run("enable alice").ok();
    let list = world.run("list-status --json --columns user,status,devices").ok();
    let dry = world.run("log --prune --before now --dry-run").ok();
    assert_eq!(
        dry.out,
        format!("would delete 9 events before {}; nothing was changed\n", now(&world))
    );
    assert_eq!(world.run("log --prune --before now").code, 64, "no prompt");
    let pruned = world.run("log --prune --before 50s --yes --ticket A-1 --json").ok().json();
    assert_eq!((&pruned["pruned"], &pruned["changed"]), (&9.into(), &true.into()));
    assert_eq!(world.sql("SELECT min(seq) FROM events"), "10");
    let (code, report) = proved(&world, "");
    assert_eq!((code, &report["events"], &report["first_event"]), (0, &3.into(), &10.into()));
    let newest = world.run("log --json --last 1").ok().json()["events"][0].clone();
    assert_eq!((&newest["verb"], &newest["outcome"]), (&"log".into(), &"pruned".into()));
    assert_eq!(newest["ticket"], "A-1");
    let after = world.run("list-status --json --columns user,status,devices").ok();
    assert_eq!(after.json()["users"], list.json()["users"]);
    let refused = world.run("list-status --at 2026-01-01");
    assert!(refused.code == 65 && refused.err.contains("was pruned"), "{refused:?}");
    assert_eq!(world.run("changes --since 2026-01-01").code, 65);
    let again = world.run("log --prune --before 50s --yes").ok();
    assert!(again.out.starts_with("no events before"), "{}", again.out);
    for edit in [
        "UPDATE log_start SET seq = 8",
        "UPDATE log_start SET at = at + 1",
        "UPDATE log_start SET hash = mac",
        "UPDATE log_start SET mac = NULL",
        "DELETE FROM log_start",
    ] {
        let before = world.sql("SELECT hash, mac FROM log_start");
        let (hash, mac) = before.split_once('|').unwrap();
        let at = world.sql("SELECT at FROM log_start");
        world.sql(edit);
        assert_eq!(proved(&world, "").0, 1, "{edit}");
        world.sql("DELETE FROM log_start");
        world.sql(&format!(
            "INSERT INTO log_start(one, seq, at, hash, mac) VALUES (1, 9, {at}, {}, {})",
            bytes(&world, hash),
            bytes(&world, mac)
        ));
        assert_eq!(proved(&world, "").0, 0, "{edit}, put right");
    }
    // A damaged log is not pruned: that would remove the evidence.
    world.wait(100);
    world.sql("UPDATE events SET reason = 'none' WHERE seq = 11");
    let refused = world.run("log --prune --before now --yes");
    assert_eq!(refused.code, 78, "{refused:?}");
}

/// An SQL literal for bytes.
fn bytes(world: &World, hex: &str) -> String {
    if world.engine.is_postgres() {
        format!("decode('{}', 'hex')", hex.trim_start_matches("\\x"))
    } else {
        format!("x'{hex}'")
    }
}

#[test]
fn an_anchor_reveals_a_log_truncated_together_with_its_head() {
    let world = ten();
    let guard = world.sql("SELECT seq, hash, mac FROM audit_head");
    let [seq, hash, mac] = guard.split('|').collect::<Vec<_>>()[..] else { panic!("{guard}") };
    // About no user: rows that are newer than the log would show that its end is gone.
    let _ = world.run("doctor --key-saved").ok();
    let anchors = world.folder.path().join("anchors");
    let anchor = world.run("verify-log --save-anchor -").ok().out;
    // As in a system log, among other lines.
    std::fs::write(&anchors, format!("sshd[1]: Accepted\nJan 1 mfactl: {anchor}cron[2]: x\n"))
        .unwrap();
    let line = format!("--anchor {}", anchors.display());
    assert_eq!(proved(&world, &line).0, 0);
    let (hash, mac) = (bytes(&world, hash), bytes(&world, mac));
    world.sql(&format!(
        "DELETE FROM events WHERE seq > {seq}; UPDATE audit_head SET seq = {seq}, hash = {hash}, mac = {mac}"
    ));
    assert_eq!(proved(&world, "").0, 0, "without an anchor nothing shows it");
    let (code, report) = proved(&world, &line);
    assert_eq!(code, 1);
    assert!(report["problem"].as_str().unwrap().contains("its end was cut off"), "{report}");
}

#[test]
fn a_rewritten_log_is_revealed_by_the_key_or_an_anchor() {
    let world = ten();
    let anchors = world.folder.path().join("anchors");
    let _ = world.run(&format!("verify-log --save-anchor {}", anchors.display())).ok();
    // An attacker without the key who knows the hash chain: changes the operator, recomputes every hash and
    // every stamp.
    world.sql("UPDATE events SET operator_uid = 4242 WHERE seq = 5");
    let location = StoreLocation::parse(&world.engine.location()).unwrap();
    let file_policy =
        FilePolicy { euid: rustix::process::geteuid().as_raw(), ..FilePolicy::default() };
    let mut store = location.open(Access::Read, &file_policy).unwrap();
    let (mut head, mut hashes, mut stamps) = (Head::START, Vec::new(), HashMap::new());
    let mut link = |entry: &EventFields<'_>, proof: &EventProof<'_>| {
        let stamp = entry.was_stamp.and_then(|old| stamps.get(old)).copied();
        let was_stamp = stamp.as_ref().map(|stamp: &[u8; 16]| &stamp[..]).or(entry.was_stamp);
        let entry = EventFields { was_stamp, ..*entry };
        let hash = entry.chain_hash(&head, proof.personal.try_into().unwrap());
        stamps.insert(proof.hash[..16].to_vec(), *Stamp::of(&hash).bytes());
        head = Head { seq: proof.seq, hash };
        hashes.push((proof.seq, hash));
        Ok(true)
    };
    store.read().unwrap().log().chain(&mut link).unwrap();
    drop(store);
    for (seq, hash) in &hashes {
        let hash = bytes(&world, &data_encoding::HEXLOWER.encode(hash));
        world.sql(&format!("UPDATE events SET hash = {hash} WHERE seq = {seq}"));
    }
    for (old, new) in &stamps {
        let [old, new] =
            [&old[..], new].map(|stamp| bytes(&world, &data_encoding::HEXLOWER.encode(stamp)));
        world.sql(&format!(
            "UPDATE events SET was_stamp = {new} WHERE was_stamp = {old}; \
             UPDATE users SET stamp = {new} WHERE stamp = {old}"
        ));
    }
    let last = bytes(&world, &data_encoding::HEXLOWER.encode(&hashes.last().unwrap().1));
    world.sql(&format!("UPDATE audit_head SET hash = {last}"));
    let (code, report) = proved(&world, "");
    assert_eq!((code, &report["first_bad_event"]), (1, &5.into()));
    std::fs::remove_file(world.folder.path().join("key/mfactl.key")).unwrap();
    assert_eq!(proved(&world, "").0, 0, "without the key all hashes match");
    let (code, report) = proved(&world, &format!("--anchor {}", anchors.display()));
    assert_eq!(code, 1);
    assert!(report["problem"].as_str().unwrap().contains("rewritten"), "{report}");
}

#[test]
fn an_anchor_from_pruned_events_is_reported_as_unusable() {
    let world = ten();
    let anchors = world.folder.path().join("anchors");
    let _ = world.run(&format!("verify-log --save-anchor {}", anchors.display())).ok();
    world.wait(100);
    let _ = world.run("enable alice").ok();
    let _ = world.run("enable bob").ok();
    world.wait(100);
    let _ = world.run("log --prune --before now --yes").ok();
    let line = format!("--anchor {}", anchors.display());
    let (code, report) = proved(&world, &line);
    let found = (code, &report["outcome"], &report["anchors"], &report["anchors_pruned"]);
    assert_eq!(found, (1, &"unanchored".into(), &0.into(), &1.into()));
    let quiet = world.run(&format!("verify-log --quiet {line}"));
    assert!(quiet.code == 1 && quiet.out.contains("save a new one"), "{quiet:?}");
    let _ = world.run(&format!("verify-log --save-anchor {}", anchors.display())).ok();
    assert_eq!(proved(&world, &line).0, 0, "one that fits is enough");
}

#[test]
fn damage_is_printed_under_quiet() {
    let world = ten();
    world.sql("UPDATE events SET reason = 'none' WHERE seq = 4");
    for line in ["verify-log --quiet", "verify-log --quiet --save-anchor -", "check log --quiet"] {
        let ran = world.run(line);
        assert!(ran.code > 0 && ran.out.contains("the log is damaged"), "{line}: {ran:?}");
        assert_eq!(ran.out.lines().count(), 1);
    }
    let missing = world.folder.path().join("typo");
    let ran = world.run(&format!("--key-file {} verify-log", missing.display()));
    assert!(ran.code == 78 && ran.err.contains("no key file"), "{ran:?}");
}

fn now(world: &World) -> String {
    crate::domain::time::Timestamp::from_unix(world.now.get()).unwrap().to_string()
}

#[test]
fn the_log_is_pruned_by_admins_only() {
    let world = ten();
    world.configure("[roles]\nauditor = [\"daemon\"]\nadmin = [\"bin\"]\n");
    world.uid.set(1);
    for line in
        ["log", "verify-log", "changes --since 1h", "metrics", "check locked", "list-status"]
    {
        let _ = world.run(line).ok();
    }
    let refused = world.run("log --prune --before now --yes");
    assert_eq!(refused.code, 77, "{refused:?}");
    world.uid.set(2);
    let _ = world.run("log --prune --before now --yes").ok();
}
