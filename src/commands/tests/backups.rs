//! `backup` and `restore`.

use std::path::PathBuf;

use crate::testing::{Engine, World};

impl World {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn back_up(&self, name: &str) -> serde_json::Value {
        self.run(&format!("backup --json {}", self.file(name).display())).ok().json()
    }

    fn restore(&self, name: &str, more: &str) -> crate::testing::CommandResult {
        self.run(&format!("restore --json {} {more}", self.file(name).display()))
    }
}

#[test]
fn a_restore_without_a_store_gives_the_same_store() {
    let mut world = World::new();
    let alice = world.active("alice");
    let _ = world.pending("bob", "--device tablet");
    let _ = world.run("add-user carol --group staff").ok();
    let before = world.run("list-status --json").ok().json();
    let report = world.back_up("a.backup");
    assert_eq!((report["users"].as_u64(), report["devices"].as_u64()), (Some(3), Some(2)));
    let text = std::fs::read_to_string(world.file("a.backup")).unwrap();
    let header: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(header["key"], report["key"]);
    assert_eq!((header["users"].as_u64(), header["head_seq"].as_u64()), (Some(3), Some(5)));
    assert_eq!(world.run(&format!("backup {}", world.file("a.backup").display())).code, 73);

    let target = Engine::new(&world.file("target"));
    let here = std::mem::replace(&mut world.engine, target);
    let _ = world.restore("a.backup", "").ok();
    assert_eq!(world.run("list-status --json").ok().json(), before);
    assert_eq!(world.verify("alice", &world.code(&alice, 0)).json()["outcome"], "replayed");
    assert_eq!(world.verify("alice", &world.code(&alice, 1)).json()["outcome"], "accepted");
    let _ = world.run("enrol dave --create --no-confirm --json").ok();
    assert_eq!(world.sql("SELECT verb FROM events WHERE seq = 6"), "restore");
    drop(here);
}

#[test]
fn a_newer_store_is_replaced_only_on_request_and_the_loss_is_named() {
    let world = World::new();
    let alice = world.active("alice");
    let _ = world.back_up("a.backup");
    // The only newer event is the backup itself.
    let ran = world.restore("a.backup", "--yes").ok();
    assert_eq!(ran.json()["lost_events"], 0);
    let _ = world.run("reset alice --no-enrol --yes").ok();
    let _ = world.run("add-user bob").ok();
    let before = world.run("list-status --json").ok().json();
    let ran = world.restore("a.backup", "--yes");
    assert_eq!((ran.code, ran.error().as_str()), (76, "store_newer"), "{ran:?}");
    for word in ["1 × reset", "1 × add-user", "alice, bob"] {
        assert!(ran.err.contains(word), "{word}: {ran:?}");
    }
    assert_eq!(world.restore("a.backup", "--lose-newer").code, 64, "no terminal");
    let dry = world.restore("a.backup", "--lose-newer --dry-run").ok().json();
    assert_eq!((dry["lost_events"].as_u64(), &dry["lost_users"][1]), (Some(3), &"bob".into()));
    assert_eq!(world.run("list-status --json").ok().json(), before);
    let _ = world.restore("a.backup", "--lose-newer --yes --ticket T-9").ok();
    assert_eq!(world.listed("alice")["status"], "enabled");
    assert_eq!(world.listed("bob"), serde_json::Value::Null);
    assert_eq!(world.verify("alice", &world.code(&alice, 1)).json()["outcome"], "accepted");
    assert!(world.sql("SELECT ticket FROM events WHERE verb = 'restore'").contains("T-9"));
}

#[test]
fn a_diverged_store_and_an_unrelated_store_are_not_replaced() {
    let mut world = World::new();
    let _ = world.active("alice");
    let _ = world.back_up("old.backup");
    let _ = world.run("add-user bob").ok();
    let _ = world.run("add-user carol").ok();
    let _ = world.back_up("new.backup");
    let _ = world.restore("old.backup", "--yes --lose-newer").ok();
    let _ = world.run("add-user dave").ok();
    let ran = world.restore("new.backup", "--yes");
    assert_eq!((ran.code, ran.error().as_str()), (76, "store_newer"), "{ran:?}");
    assert!(ran.err.contains("another way"), "{ran:?}");
    let _ = world.restore("new.backup", "--yes --lose-newer").ok();
    assert_eq!(world.listed("carol")["user"], "carol");

    let target = Engine::new(&world.file("target"));
    let _here = std::mem::replace(&mut world.engine, target);
    let _ = world.run("init").ok();
    let ran = world.restore("new.backup", "--yes --lose-newer");
    assert_eq!((ran.code, ran.error().as_str()), (73, "cannot_create"), "{ran:?}");
}

#[test]
fn a_truncated_or_altered_backup_is_refused_and_changes_nothing() {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.back_up("a.backup");
    let before = world.run("list-status --json").ok().json();
    let whole = std::fs::read_to_string(world.file("a.backup")).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let refused = |content: &str, code: u8, word: &str| {
        std::fs::write(world.file("bad.backup"), content).unwrap();
        let ran = world.restore("bad.backup", "--yes --lose-newer");
        assert_eq!((ran.code, ran.error().as_str()), (code, word), "{content}\n{ran:?}");
        assert_eq!(world.run("list-status --json").ok().json(), before);
    };
    for n in 0..lines.len() {
        refused(&(lines[..n].join("\n") + "\n"), 65, "bad_input");
    }
    refused(&whole[..whole.len() - 1], 65, "bad_input");
    refused(&format!("{whole}more\n"), 65, "bad_input");
    refused(&whole.replace("\"users\":1", "\"users\":2"), 78, "tampered");
    refused(&whole.replace("\"alice\"", "\"alicf\""), 78, "tampered");
    refused(&whole.replace("\"table\":\"events\"", "\"table\":\"event\""), 65, "bad_input");
    refused(&whole.replace("\"last_step\"", "\"last_stap\""), 65, "bad_input");
    refused(&whole.replace("mfactl_backup\":1", "mfactl_backup\":2"), 65, "bad_input");
    let key = lines[0].split("\"key\":\"").nth(1).unwrap().split('"').next().unwrap();
    refused(&whole.replace(key, "0123456789abcdef"), 78, "key");
    // One row is missing, another is duplicated.
    let row = lines.iter().position(|l| l.starts_with('[')).unwrap();
    let without = [&lines[..row], &lines[row + 1..]].concat().join("\n") + "\n";
    refused(&without, 78, "tampered");
    assert_eq!(world.restore("nowhere.backup", "").code, 65);
    assert_eq!(world.run(&format!("restore {}", world.folder.path().display())).code, 65);
}

#[test]
fn tampering_is_detected_by_backup_and_repaired_by_restore() {
    let world = World::new();
    let alice = world.active("alice");
    let _ = world.back_up("good.backup");
    let _ = world.sql("UPDATE users SET failures = 3");
    assert_eq!(world.verify("alice", &world.code(&alice, 1)).error(), "tampered");
    let _ = world.back_up("bad.backup");
    // A backup copies the rows unchanged; their own MACs reveal the tampering.
    assert_eq!(world.restore("bad.backup", "--yes --lose-newer").error(), "tampered");
    let _ = world.restore("good.backup", "--yes --lose-newer").ok();
    assert_eq!(world.verify("alice", &world.code(&alice, 1)).json()["outcome"], "accepted");
}
