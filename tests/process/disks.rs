//! A disk that is full or read-only is named with its folder, and with a command that works there.

use std::fs;
use std::process::Command;

use super::support::{CANNOT_CREATE, Disk, IO, NOT_PERMITTED, Ran, STORE_UNAVAILABLE, World};

/// Runs the command at the end of the hint.
#[track_caller]
fn assert_hint_works(ran: &Ran, command: &str) {
    let hint = format!("is shown by: {command} ");
    let (_, folder) = ran.err.split_once(&hint).unwrap_or_else(|| panic!("{ran:?}"));
    let line = format!("{command} {}", folder.trim_end());
    let done = Command::new("sh").args(["-c", &line]).output().unwrap();
    assert!(done.status.success() && !done.stdout.is_empty(), "{line}: {done:?}");
}

/// A store on a small disk, without the files beside it.
fn bare(what: &str) -> Option<Disk> {
    let disk = Disk::new(World::empty(), "s", 1, what)?;
    disk.run("init").expect(0);
    disk.run("add-user alice").expect(0);
    disk.alter("PRAGMA wal_checkpoint(TRUNCATE);");
    for suffix in ["-wal", "-shm", "-queue"] {
        let _ = fs::remove_file(disk.path(&format!("s/m.db{suffix}")));
    }
    Some(disk)
}

#[test]
fn w10_the_hint_of_a_full_disk_works_on_it() {
    let Some(disk) = bare("a full disk without side files") else { return };
    disk.fill();
    for line in ["list-status", "doctor", "add-user bob", "show-user alice"] {
        let ran = disk.run(line).expect(IO);
        assert!(ran.err.contains("the disk of the store is full"), "{ran:?}");
        assert_hint_works(&ran, "df");
    }
    disk.empty();
    disk.run("list-status").expect(0);
}

#[test]
fn w10_a_full_disk_is_no_fault_of_rights_where_a_file_is_made() {
    let what = "files on a full disk";
    let world = World::new();
    world.run("add-user alice").expect(0);
    let Some(disk) = Disk::new(world, "o", 1, what) else { return };
    disk.fill();
    for line in ["metrics --output", "report --output", "changes --state", "backup"] {
        let name = if line.starts_with("report") { "new.html" } else { "new.txt" };
        let path = disk.path("o").join(name);
        let mut words: Vec<_> = line.split(' ').map(Into::into).collect();
        words.push(path.into_os_string());
        let ran = disk.call_of(words).run().expect(IO);
        let is_named = ran.err.contains("the disk is full") || ran.err.contains("No space left");
        assert!(is_named, "{line}: {ran:?}");
        assert!(!ran.err.contains("name a regular file"), "{line}: {ran:?}");
    }
    let Some(disk) = Disk::new(World::empty(), "k", 1, what) else { return };
    disk.fill();
    let ran = disk.run("init").expect(IO);
    assert!(ran.err.contains("m.key can't be written: the disk is full"), "{ran:?}");
    assert_hint_works(&ran, "df");
    disk.empty();
    disk.run("init").expect(0);
}

#[test]
fn w10_a_disk_that_is_mounted_read_only_is_named() {
    let what = "a read-only disk";
    let Some(disk) = Disk::new(World::empty(), "s", 1, what) else { return };
    disk.run("init").expect(0);
    disk.run("add-user alice").expect(0);
    disk.remount("ro");
    let ran = disk.run("add-user bob").expect(NOT_PERMITTED);
    let at = fs::canonicalize(disk.path("s")).unwrap();
    let words =
        format!("the store is read-only: the disk of {} is mounted read-only", at.display());
    assert!(ran.err.contains(&words), "{ran:?}");
    assert_hint_works(&ran, "findmnt -T");
    disk.run("list-status").expect(0);
    disk.remount("rw");
    disk.alter("PRAGMA wal_checkpoint(TRUNCATE);");
    for suffix in ["-wal", "-shm", "-queue"] {
        let _ = fs::remove_file(disk.path(&format!("s/m.db{suffix}")));
    }
    disk.remount("ro");
    let ran = disk.run("add-user bob").expect(STORE_UNAVAILABLE);
    assert!(ran.err.contains("is mounted read-only") && !ran.err.contains("chown"), "{ran:?}");
    let mut words: Vec<_> = ["metrics", "--output"].map(Into::into).into();
    words.push(disk.path("s").join("new.txt").into_os_string());
    let ran = disk.call_of(words).run().expect(CANNOT_CREATE);
    assert!(ran.err.contains("new.txt can't be written: the disk is mounted read-only"), "{ran:?}");
    disk.remount("rw");
    disk.run("add-user bob").expect(0);
}
