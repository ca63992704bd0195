//! Pages for users in real processes: runs that are killed at every write, the order of syncs, and disks that fail.

use std::path::{Path, PathBuf};

use super::kill::sweep;
use super::support::{Disk, IO, World, has};

fn tools(what: &str) -> bool {
    has("strace", what) && has("oathtool", what) && has("sqlite3", what)
}

fn page(world: &World) -> PathBuf {
    world.path("alice.txt")
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Codes in groups of this length and number, each of which stands alone on its line.
fn codes(page: &str, groups: usize, length: usize) -> Vec<String> {
    let is_code = |line: &&str| {
        let parts: Vec<_> = line.split('-').collect();
        parts.len() == groups
            && parts.iter().all(|part| part.len() == length)
            && line.bytes().all(|b| b == b'-' || b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    let words = page.split_whitespace();
    words.filter(|word| is_code(word)).map(str::to_owned).collect()
}

/// Whether there is a key that is to be typed: eight groups of four letters.
fn has_key(page: &str) -> bool {
    let is_group = |word: &&str| {
        word.len() == 4 && word.bytes().all(|b| b.is_ascii_uppercase() || b"234567".contains(&b))
    };
    let words: Vec<_> = page.split_whitespace().collect();
    words.windows(8).any(|words| words.iter().all(is_group))
}

/// Alice with a phone and recovery codes, of which this is one.
fn with_codes() -> (World, String) {
    let world = World::new();
    world.active("alice");
    let made = world.run("recovery-codes alice --json --reveal-secrets").expect(0).document();
    (world, made["codes"][0].as_str().unwrap().to_owned())
}

#[test]
fn a_killed_page_with_recovery_codes_leaves_the_old_set_or_the_new_one() {
    if !tools("a page with recovery codes under the kill sweep") {
        return;
    }
    let (template, old) = with_codes();
    let kills = sweep(
        || template.copy(),
        |world| {
            let file = page(world).display().to_string();
            world.call(&format!("handout alice --active --recovery-codes --output {file}"))
        },
        |world| {
            world.assert_sound();
            let more = world.events() - template.events();
            assert!(more <= 2, "{more}");
            let (is_shown, is_done) = (more >= 1, more == 2);
            let text = text(&page(world));
            let new = codes(&text, 4, 4);
            assert!(is_shown || text.is_empty(), "no secret without an event: {text}");
            assert!(
                !is_done || new.len() == 10,
                "the page has all codes before they count: {text}"
            );
            assert_eq!(world.verify("alice", &old).outcome() == "accepted", !is_done);
            for code in new.first().into_iter().chain(new.last()) {
                assert_eq!(world.verify("alice", code).outcome() == "accepted", is_done, "{code}");
            }
        },
    );
    assert!(kills >= 8, "{kills}");
}

#[test]
fn a_killed_reset_with_a_page_cuts_nobody_off_who_has_none() {
    if !tools("a reset with a page under the kill sweep") {
        return;
    }
    let template = World::new();
    let mut seed = template.active("alice");
    let code = template.next(&mut seed);
    let kills = sweep(
        || template.copy(),
        |world| world.call(&format!("reset alice --yes --handout {}", page(world).display())),
        |world| {
            world.assert_sound();
            let is_done = world.events() == template.events() + 1;
            assert!(is_done || world.events() == template.events());
            let has_key = has_key(&text(&page(world)));
            assert!(!is_done || has_key, "the old phone is cut off, and there is no page");
            assert_eq!(world.verify("alice", &code).outcome() == "accepted", !is_done);
        },
    );
    assert!(kills >= 8, "{kills}");
}

#[test]
fn a_killed_list_on_a_page_is_complete_if_it_counts() {
    if !tools("a printed list on a page under the kill sweep") {
        return;
    }
    let template = World::new();
    template.run("add-user alice").expect(0);
    let kills = sweep(
        || template.copy(),
        |world| {
            let file = page(world).display().to_string();
            world.call(&format!("enrol alice --kind paper --handout {file}"))
        },
        |world| {
            world.assert_sound();
            let is_done = world.events() == template.events() + 1;
            let codes = codes(&text(&page(world)), 2, 5);
            assert!(!is_done || codes.len() == 50, "{codes:?}");
            if let Some(code) = codes.first() {
                assert_eq!(world.verify("alice", code).code == 0, is_done, "{code}");
            }
        },
    );
    assert!(kills >= 8, "{kills}");
}

/// First the event that the secret is shown, then the file with its folder, then the new codes.
#[test]
fn a_page_is_on_the_disk_after_its_event_and_before_its_codes_count() {
    if !tools("the order of syncs of a page") {
        return;
    }
    let (world, _) = with_codes();
    let (trace, file) = (world.path("trace"), page(&world));
    let strace =
        ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync", "-o", trace.to_str().unwrap()];
    // Another reader prevents a checkpoint at the end, which would hide the syncs of the commits.
    let held = world.held_by("BEGIN; SELECT count(*) FROM users;");
    let line = format!("handout alice --active --recovery-codes --output {}", file.display());
    world.call(&line).under(strace).run().expect(0);
    drop(held);
    let text = text(&trace);
    let places = |end: &str| -> Vec<usize> {
        let lines = text.lines().enumerate();
        lines.filter(|(_, line)| line.contains(end)).map(|(at, _)| at).collect()
    };
    let folder = format!("{}>", file.parent().unwrap().display());
    let (commits, file, folder) = (places("-wal>"), places("alice.txt>"), places(&folder));
    assert_eq!((commits.len(), file.len()), (2, 1), "{text}");
    let folder = *folder.iter().find(|at| **at > file[0]).unwrap();
    assert!(commits[0] < file[0] && file[0] < folder && folder < commits[1], "{text}");
}

#[test]
fn a_page_on_a_full_disk_is_74_and_changes_nothing() {
    let what = "a page on a full disk";
    if !has("oathtool", what) {
        return;
    }
    let (world, old) = with_codes();
    let Some(disk) = Disk::new(world, "o", 1, what) else { return };
    disk.fill();
    let file = disk.path("o/alice.txt");
    for line in [
        "handout alice --active --recovery-codes --output",
        "reset alice --yes --handout",
        "enrol alice --device list --kind paper --handout",
    ] {
        let ran = disk.run(&format!("{line} {}", file.display())).expect(IO);
        assert!(!file.exists(), "{line}: {ran:?}");
    }
    assert_eq!(disk.status("alice"), "enabled");
    assert_eq!(disk.verify("alice", &old).outcome(), "accepted");
    disk.empty();
    let line = format!("handout alice --active --output {}", file.display());
    disk.run(&line).expect(0);
    assert!(has_key(&text(&file)));
}

/// An interrupt at each sync: there is a word for each, no page is left that counts for nothing, and no set of codes is
/// lost with one that counts.
#[test]
fn an_interrupt_says_what_is_in_force_and_leaves_no_page_that_is_void() {
    if !tools("interrupts while a page is written") {
        return;
    }
    let (template, old) = with_codes();
    let (mut removed, mut kept) = (0, 0);
    for sync in 1.. {
        let world = template.copy();
        let file = page(&world);
        let inject = format!("inject=fsync,fdatasync:signal=INT:when={sync}");
        // A job in the background ignores interrupts, and so would this.
        let default = ["env", "--default-signal=INT"];
        let trace = world.path("trace").display().to_string();
        let traced = ["strace", "-f", "-o", &trace, "-e", "trace=fsync,fdatasync", "-e"];
        let under = default.into_iter().chain(traced).chain([inject.as_str()]);
        let line = format!("handout alice --active --recovery-codes --output {}", file.display());
        let ran = world.call(&line).under(under).run();
        if !text(world.path("trace").as_path()).contains("SIGINT") {
            ran.expect(0);
            break;
        }
        // The run may be over before the interrupt counts.
        if ran.code != 0 {
            assert_eq!(ran.code, 130, "{sync}: {ran:?}");
            assert!(ran.err.contains("mfactl: interrupted: "), "{sync}: {ran:?}");
        }
        let accepts = |code: &str| world.verify("alice", code).outcome() == "accepted";
        if file.exists() {
            kept += 1;
            assert!(
                ran.code == 0 || ran.err.contains(&file.display().to_string()),
                "{sync}: {ran:?}"
            );
            let new = codes(&text(&file), 4, 4);
            let is_new_in_force = new.first().is_some_and(|code| accepts(code));
            assert!(is_new_in_force || accepts(&old), "{sync}: {ran:?}");
        } else {
            removed += 1;
            assert!(ran.err.contains("alice.txt was removed"), "{sync}: {ran:?}");
            assert!(accepts(&old), "{sync}: {ran:?}");
        }
    }
    assert!(removed > 1 && kept > 0, "{removed} removed, {kept} kept");
}
