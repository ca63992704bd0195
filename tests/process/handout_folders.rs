//! The folder of pages for a list in real processes: runs that are killed at every write, the order of syncs, a disk that
//! gets full, and whose the files are.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;

use super::kill::sweep;
use super::support::{CANNOT_CREATE, Disk, IO, Seed, World, has, is_root};

fn tools(what: &str) -> bool {
    has("strace", what) && has("oathtool", what) && has("sqlite3", what)
}

/// A list of this many users.
fn list(world: &World, users: u32) {
    let mut names = String::new();
    for n in 0..users {
        writeln!(names, "user{n:03}").unwrap();
    }
    fs::write(world.path("joiners"), names).unwrap();
}

fn line(world: &World, folder: &Path) -> String {
    let list = world.path("joiners");
    format!(
        "enrol --from {} --create --yes --form txt --handouts {}",
        list.display(),
        folder.display()
    )
}

/// The key on a page, which has eight groups of four letters.
fn seed(page: &Path) -> Option<Seed> {
    let page = fs::read_to_string(page).ok()?;
    let is_group = |word: &&str| {
        word.len() == 4 && word.bytes().all(|b| b.is_ascii_uppercase() || b"234567".contains(&b))
    };
    let words: Vec<_> = page.split_whitespace().collect();
    let key = words.windows(8).find(|words| words.iter().all(is_group))?;
    Some(Seed { base32: key.concat(), spent: 0 })
}

fn is_accepted(world: &World, user: &str, seed: &Seed) -> bool {
    world.verify(user, &seed.code(world.step())).code == 0
}

#[test]
fn a_killed_run_leaves_pages_without_effect_or_all_of_them_and_the_next_run_says_so() {
    if !tools("a folder of pages under the kill sweep") {
        return;
    }
    let template = World::new();
    let (left, done) = (Cell::new(0), Cell::new(0));
    let kills = sweep(
        || {
            let world = template.copy();
            list(&world, 2);
            world
        },
        |world| world.call(&line(world, &world.path("pages"))),
        |world| {
            world.assert_sound();
            let (folder, unfinished) = (world.path("pages"), world.path("pages.unfinished"));
            let is_done = world.events() == template.events() + 2;
            assert!(is_done || world.events() == template.events());
            assert!(is_done || !folder.exists(), "a folder has its name once it counts");
            let at = if folder.exists() { &folder } else { &unfinished };
            let old = seed(&at.join("user001.txt"));
            assert!(!is_done || old.is_some() && at.join("index.csv").exists(), "{}", at.display());
            if let Some(old) = old.as_ref().filter(|_| !is_done) {
                assert!(!is_accepted(world, "user001", old));
            }
            if folder.exists() {
                assert!(is_accepted(world, "user001", &old.unwrap()));
                done.set(done.get() + 1);
                return;
            }
            if unfinished.exists() {
                left.set(left.get() + 1);
                let ran = world.run(&line(world, &folder)).expect(CANNOT_CREATE);
                assert!(ran.err.contains("is left from a run that was interrupted"), "{ran:?}");
                fs::remove_dir_all(&unfinished).unwrap();
            }
            // As the hint says: the same run again, and nothing that was in that folder counts.
            world.run(&line(world, &folder)).expect(0);
            let new = seed(&folder.join("user001.txt")).unwrap();
            assert!(old.is_none_or(|old| !is_accepted(world, "user001", &old)));
            assert!(is_accepted(world, "user001", &new));
        },
    );
    assert!(kills >= 12, "{kills}");
    assert!(left.get() >= 5 && done.get() >= 1, "{left:?} {done:?}");
}

/// All pages, then one sync of the disk, then the commit, then the name that says that they count.
#[test]
fn pages_are_on_the_disk_before_they_count_by_one_sync() {
    if !tools("the order of syncs of a folder of pages") {
        return;
    }
    let world = World::new();
    list(&world, 150);
    let trace = world.path("trace");
    let calls = "trace=openat,write,fsync,fdatasync,syncfs,rename,renameat,renameat2";
    let strace = ["strace", "-f", "-y", "-e", calls, "-o", trace.to_str().unwrap()];
    // Another reader prevents a checkpoint at the end, which would hide the sync of the commit.
    let held = world.held_by("BEGIN; SELECT count(*) FROM users;");
    world.call(&line(&world, &world.path("pages"))).under(strace).run().expect(0);
    drop(held);
    let text = fs::read_to_string(&trace).unwrap();
    let places = |is_meant: &dyn Fn(&str) -> bool| -> Vec<usize> {
        text.lines().enumerate().filter(|(_, line)| is_meant(line)).map(|(at, _)| at).collect()
    };
    let page = places(&|line| line.contains(" write(") && line.contains("/user149.txt>"));
    let sync = places(&|line| line.contains("syncfs("));
    let commit = places(&|line| line.contains("sync(") && line.contains("-wal>"));
    let rename = places(&|line| line.contains(" rename") && line.contains("pages.unfinished"));
    let syncs_of_pages = places(&|line| line.contains("sync(") && line.contains(".txt>"));
    assert_eq!((sync.len(), rename.len(), syncs_of_pages.len()), (1, 1, 0), "{text}");
    assert!(page[0] < sync[0] && rename[0] > sync[0]);
    let between = commit.iter().filter(|at| sync[0] < **at && **at < rename[0]);
    assert!(between.count() >= 1, "{commit:?} {sync:?} {rename:?}");
}

#[test]
fn a_disk_that_gets_full_among_the_pages_is_74_and_changes_nothing() {
    let world = World::new();
    list(&world, 400);
    let Some(disk) = Disk::new(world, "o", 1, "a folder of pages on a full disk") else { return };
    let (before, folder) = (disk.events(), disk.path("o/pages"));
    let ran = disk.run(&line(&disk, &folder)).expect(IO);
    assert!(ran.err.contains("the disk is full") && ran.err.contains("df "), "{ran:?}");
    assert_eq!(fs::read_dir(disk.path("o")).unwrap().count(), 0, "{ran:?}");
    assert_eq!(disk.events(), before);
    assert_eq!(disk.status("user000"), "");
    list(&disk, 20);
    disk.run(&line(&disk, &folder)).expect(0);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 21);
}

const NOBODY: u32 = 65_534;

#[test]
fn pages_belong_to_whoever_called_sudo_and_are_made_where_they_may() {
    let what = "a folder of pages with another's rights";
    if !is_root(what) {
        return;
    }
    let world = World::new();
    list(&world, 2);
    chown(world.path("joiners"), Some(NOBODY), Some(NOBODY)).unwrap();
    let own = tempfile::Builder::new().prefix("mfactl-pages").tempdir_in("/tmp").unwrap();
    fs::copy(world.path("joiners"), own.path().join("joiners")).unwrap();
    for path in [own.path().to_owned(), own.path().join("joiners")] {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let line = |folder: &Path| {
        let list = own.path().join("joiners");
        let words = "--create --yes --form txt --group-by group --handouts";
        format!("enrol --from {} {words} {}", list.display(), folder.display())
    };
    let ran = world.call(&line(&world.path("pages"))).with("SUDO_UID", "65534").run();
    assert_eq!(ran.code, CANNOT_CREATE, "not their folder: {ran:?}");
    let folder = own.path().join("pages");
    world.call(&line(&folder)).with("SUDO_UID", "65534").run().expect(0);
    for name in ["", "index.csv", "no-group~", "no-group~/user001.txt"] {
        assert_eq!(folder.join(name).metadata().unwrap().uid(), NOBODY, "{name}");
    }
}
