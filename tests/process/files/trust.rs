//! Links, kinds, modes and owners that are refused.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown, symlink};
use std::path::Path;
use std::time::Duration;

use super::{House, NOBODY, What, set_mode, system, tools};
use crate::support::{Call, NOT_PERMITTED, Ran, is_root};

const ALL: [What; 7] =
    [What::Store, What::Log, What::Index, What::Journal, What::Queue, What::Key, What::Config];

/// Asserts that every verb that needs the file refuses it at once, and that the code stays unused.
#[track_caller]
fn assert_refused(house: &House, what: What, how: &str) {
    let code = house.world.next(&mut house.alice.clone());
    let mut lines = vec![
        "verify alice",
        "init",
        "enrol carol --create --no-confirm",
        "reset alice --yes --json",
    ];
    // Listing needs no key.
    if what != What::Key {
        lines.push("list-status");
    }
    for line in lines {
        let ran = quick(&house.call(line).input(&code));
        assert_eq!(ran.code, NOT_PERMITTED, "{what:?} {how}: {ran:?}");
        assert_eq!(ran.out, "", "{what:?} {how}: {ran:?}");
        let has_error =
            ran.err.starts_with("mfactl: error: the ") || ran.error() == "not_permitted";
        assert!(has_error, "{what:?} {how}: {ran:?}");
    }
}

/// Asserts that the call ends within a second. It is tried three times, since the machine may be busy.
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

/// The metadata of a file, its change time included.
fn seen(path: &Path) -> (Vec<u8>, u32, u32, u64, i64, i64) {
    let m = fs::metadata(path).unwrap();
    let content = if m.is_file() { fs::read(path).unwrap() } else { Vec::new() };
    (content, m.mode(), m.uid(), m.nlink(), m.mtime(), m.mtime_nsec())
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
        // A dangling link must not lead to a new file.
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
