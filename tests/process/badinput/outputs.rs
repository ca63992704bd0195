//! Output files: existing files, files of mfactl, and the files of a run that fails.

use std::ffi::OsString;
use std::os::unix::fs::symlink;

use super::{House, tools};
use crate::support::{
    BAD_INPUT, CANNOT_CREATE, DEVICE_NOT_FOUND, REFUSED, USAGE, USER_NOT_FOUND, World,
};

#[test]
fn an_existing_output_file_is_left_alone() {
    if !tools() {
        return;
    }
    let house = House::new();
    let world = &house.world;
    let path = |name: &str| world.path(name);
    std::fs::write(path("there.png"), "precious").unwrap();
    std::fs::hard_link(path("there.png"), path("hard.png")).unwrap();
    symlink(path("there.png"), path("link.png")).unwrap();
    symlink(path("nowhere.png"), path("dangling.png")).unwrap();
    std::fs::create_dir(path("folder.png")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(path("fifo.png")).status().unwrap();
    assert!(made.success());
    symlink(world.store(), path("store.png")).unwrap();
    symlink(world.key(), path("key.svg")).unwrap();
    for name in [
        "there.png",
        "hard.png",
        "link.png",
        "dangling.png",
        "folder.png",
        "fifo.png",
        "store.png",
        "key.svg",
        "there.png/x.png",
        "missing/x.png",
    ] {
        for words in [
            vec!["enrol", "carol", "--create", "--no-confirm", "--output"],
            vec!["reset", "alice", "--yes", "--output"],
            vec!["show-qr", "bob", "--output"],
        ] {
            let words = words.into_iter().map(OsString::from);
            let call = world.call_of(words.chain([path(name).into_os_string()]));
            house.refuses(call, CANNOT_CREATE, &["--output"]);
        }
    }
    assert_eq!(std::fs::read_to_string(path("there.png")).unwrap(), "precious");
    assert!(!path("nowhere.png").exists());
    for name in ["/dev/stdout", "/dev/null", "-", "", "x", "x.jpg", "x.png.txt", ".png/", "/"] {
        let words = ["enrol", "carol", "--create", "--no-confirm", "--output", name];
        house.refuses(world.call_of(words), USAGE, &["--output"]);
    }
    let call = world.call_of(["show-qr", "bob", "--output", "/proc/self/x.png"]);
    house.refuses(call, CANNOT_CREATE, &["--output"]);
}

#[test]
fn an_output_over_store_or_key_is_refused() {
    if !tools() {
        return;
    }
    let world = World::empty();
    let (store, key) = (world.path("s/m.png"), world.path("k/m.svg"));
    let call = |words: &[&str], output: &std::path::Path| {
        let files = ["--store".into(), store.clone(), "--key-file".into(), key.clone()];
        let words = words.iter().map(Into::into).chain(["--output".into(), output.to_owned()]);
        world.bare(files.into_iter().chain(words)).run()
    };
    // Without a store yet: the image must not take its place, nor be left behind.
    let enrol = ["enrol", "alice", "--create", "--no-confirm"];
    for output in [&store, &key] {
        std::fs::create_dir_all(output.parent().unwrap()).unwrap();
        call(&enrol, output).expect(CANNOT_CREATE);
    }
    let files = ["--store".into(), store.clone(), "--key-file".into(), key.clone()];
    world.bare(files.into_iter().chain(["init".into()])).run().expect(0);
    for output in [&store, &key] {
        let before = std::fs::read(output).unwrap();
        call(&enrol, output).expect(CANNOT_CREATE);
        assert_eq!(std::fs::read(output).unwrap(), before);
    }
}

#[test]
fn no_output_overwrites_the_files_of_mfactl() {
    if !tools() {
        return;
    }
    let house = House::new();
    let world = &house.world;
    world.configure("");
    let sidecar = |suffix: &str| format!("{}{suffix}", world.store().display()).into();
    let own = [
        world.store(),
        sidecar("-wal"),
        sidecar("-journal"),
        sidecar("-queue"),
        world.key(),
        world.configuration(),
    ];
    for file in own {
        let before = std::fs::read(&file).ok();
        for words in [
            &["changes", "--since", "yesterday", "--state"][..],
            &["metrics", "--output"],
            &["verify-log", "--save-anchor"],
            &["recovery-codes", "bob", "--output"],
            &["backup"],
        ] {
            // Two verbs read the file before they write it; `verify-log` takes an empty file for a new one.
            let read_first = match words[0] {
                "changes" => before.is_some(),
                "verify-log" => before.as_ref().is_some_and(|content| !content.is_empty()),
                _ => false,
            };
            let code = if read_first { BAD_INPUT } else { CANNOT_CREATE };
            let words = words.iter().map(OsString::from).chain([file.clone().into_os_string()]);
            let ran = world.call_of(words).run().expect(code);
            assert_eq!(std::fs::read(&file).ok(), before, "{ran:?}");
        }
    }
    // Files of other programs are not overwritten either.
    let precious = world.path("precious");
    std::fs::write(&precious, "mine\n").unwrap();
    for line in ["verify-log --save-anchor", "changes --since yesterday --state"] {
        world.call(&format!("{line} {}", precious.display())).run().expect(BAD_INPUT);
        assert_eq!(std::fs::read_to_string(&precious).unwrap(), "mine\n", "{line}");
    }
    for line in ["verify-log --save-anchor", "changes --since yesterday --state"] {
        let file = world.path("remembered");
        for _ in 0..2 {
            world.call(&format!("{line} {}", file.display())).run().expect(0);
        }
        std::fs::remove_file(&file).unwrap();
    }
}

#[test]
fn a_run_that_fails_leaves_no_output_file() {
    if !tools() {
        return;
    }
    let house = House::new();
    let output = house.world.path("new.png");
    for (line, code) in [
        ("enrol alice --no-confirm", REFUSED),
        ("enrol nobody --no-confirm", USER_NOT_FOUND),
        ("enrol alice --device -x", USAGE),
        ("enrol carol --create --digits 9 --allow-incompatible", BAD_INPUT),
        ("reset nobody --yes", USER_NOT_FOUND),
        ("reset alice --yes --device tablet", DEVICE_NOT_FOUND),
        ("reset alice", USAGE),
        ("show-qr alice", REFUSED),
        ("show-qr nobody", USER_NOT_FOUND),
        ("enrol carol --create --no-confirm --dry-run", 0),
    ] {
        let words = line.split(' ').map(OsString::from);
        let call = house.world.call_of(words.chain(["--output".into(), output.clone().into()]));
        let ran = call.run().expect(code);
        assert!(!output.exists(), "{ran:?}");
        assert_eq!((house.world.state(), house.world.events()), house.before, "{ran:?}");
    }
}
