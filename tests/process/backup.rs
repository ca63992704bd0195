//! Backups as files: private, complete, consistent while others write, and restored entirely or not at all.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use super::kill::{sweep, template};
use super::support::{CANNOT_CREATE, IO, USER_NOT_FOUND, World, has};

#[test]
fn a_backup_is_private_and_contains_no_secret_and_no_key() {
    let world = World::new();
    let seed = world.active("alice");
    let call = world.call(&format!("backup {}", world.path("a.backup").display()));
    call.clone().in_shell("umask 000", "").run().expect(0);
    let mode = std::fs::metadata(world.path("a.backup")).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o600);
    call.run().expect(CANNOT_CREATE);
    let text = std::fs::read_to_string(world.path("a.backup")).unwrap().to_lowercase();
    let raw = data_encoding::BASE32_NOPAD.decode(seed.base32.as_bytes()).unwrap();
    let key = std::fs::read_to_string(world.key()).unwrap();
    for form in [
        seed.base32.clone(),
        data_encoding::HEXLOWER.encode(&raw),
        data_encoding::BASE64.encode(&raw),
        key.trim().rsplit(' ').next().unwrap().to_owned(),
    ] {
        assert!(!text.contains(&form.to_lowercase()));
    }
}

#[test]
fn a_backup_that_does_not_fit_on_the_disk_leaves_no_file_and_no_event() {
    let world = World::new();
    world.active("alice");
    let events = world.events();
    let file = world.path("a.backup");
    let limited = world.call(&format!("backup {}", file.display()));
    let ran = limited.in_shell("trap '' XFSZ; ulimit -f 1", "").run();
    assert!(ran.code == IO && !file.exists(), "{ran:?}");
    assert_eq!(world.events(), events);
}

#[test]
fn backups_taken_while_others_write_are_each_a_complete_store() {
    let world = World::new();
    thread::scope(|scope| {
        for writer in 0..3 {
            let world = &world;
            scope.spawn(move || {
                for n in 0..30 {
                    world.run(&format!("add-user u{writer}-{n} --quiet")).expect(0);
                }
            });
        }
        for n in 0..6 {
            world
                .run(&format!("backup {}", world.path(&format!("{n}.backup")).display()))
                .expect(0);
        }
    });
    for n in 0..6 {
        let mut there = World::empty();
        there.address = Some(there.store().to_str().unwrap().to_owned());
        std::fs::create_dir(there.path("k")).unwrap();
        std::fs::copy(world.key(), there.key()).unwrap();
        std::fs::set_permissions(there.path("k"), Permissions::from_mode(0o700)).unwrap();
        let file = world.path(&format!("{n}.backup"));
        let ran = there.run(&format!("restore --json {}", file.display())).expect(0);
        let users = ran.document()["users"].as_u64().unwrap();
        let listed = there.run("list-status --format jsonl").expect(0).out.lines().count();
        assert_eq!(listed as u64, users);
        there.run("add-user after").expect(0);
    }
}

#[test]
fn a_killed_restore_leaves_the_old_store_or_the_backed_up_one() {
    if !has("strace", "restore under the kill sweep") || !has("oathtool", "restore under kills") {
        return;
    }
    let (template, _) = template();
    let file = template.path("a.backup");
    template.run(&format!("backup {}", file.display())).expect(0);
    template.run("add-user carol").expect(0);
    let line = format!("restore {} --yes --lose-newer", file.display());
    let kills = sweep(
        || template.copy(),
        |world| world.call(&line),
        |world| {
            world.assert_sound();
            let shown = world.run("show-user carol");
            let is_old = shown.code == 0;
            assert!(is_old || shown.code == USER_NOT_FOUND, "{shown:?}");
            let events = if is_old { template.events() } else { template.events() - 1 };
            assert_eq!(world.events(), events);
            world.run("add-user dave").expect(0);
        },
    );
    assert!(kills > 5, "{kills}");
}
