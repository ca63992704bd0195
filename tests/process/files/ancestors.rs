//! Folders further up than the one that a file is in.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use crate::support::{Call, NOT_PERMITTED, World, has, is_root};

fn set(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn s10_no_folder_above_store_key_or_configuration_may_be_anybodys() {
    let world = World::empty();
    let above = world.path("above");
    fs::create_dir_all(above.join("own")).unwrap();
    let run = |line: &str| -> Call {
        let at = |name: &str| above.join("own").join(name).into_os_string();
        let files =
            [("--store", "s/m.db"), ("--key-file", "k/m.key"), ("--config", "c/config.toml")];
        let files = files
            .into_iter()
            .filter(|(option, name)| *option != "--config" || Path::new(&at(name)).exists());
        let words = files.flat_map(|(option, name)| [option.into(), at(name)]);
        world.bare(words.chain(line.split(' ').map(Into::into)).collect::<Vec<_>>())
    };
    set(&above, 0o777);
    let ran = run("init").run().expect(NOT_PERMITTED);
    assert!(ran.err.contains(&format!("the folder {}", above.display())), "{}", ran.err);
    assert_eq!(fs::read_dir(above.join("own")).unwrap().count(), 0, "nothing was made");
    set(&above, 0o755);
    run("init").run().expect(0);
    fs::create_dir(above.join("own/c")).unwrap();
    fs::write(above.join("own/c/config.toml"), "").unwrap();
    for name in ["c", "c/config.toml"] {
        set(&above.join("own").join(name), 0o700);
    }
    set(&above.join("own/c/config.toml"), 0o600);
    for line in ["list-status", "add-user bob", "verify-log", "doctor"] {
        run(line).run().expect(0);
    }
    for (mode, code) in
        [(0o777, NOT_PERMITTED), (0o757, NOT_PERMITTED), (0o1777, 0), (0o775, 0), (0o711, 0)]
    {
        set(&above, mode);
        for line in ["list-status", "unlock bob"] {
            let ran = run(line).run().expect(code);
            assert!(code == 0 || ran.err.contains("is writable by everybody"), "{}", ran.err);
        }
    }
    set(&above, 0o755);
    // The name of the store may lead through a link, which is as good as its owner.
    symlink(&above, world.path("link")).unwrap();
    let through = |world: &World| {
        let at = |name: &str| world.path("link/own").join(name).into_os_string();
        world.bare([
            "--store".into(),
            at("s/m.db"),
            "--key-file".into(),
            at("k/m.key"),
            "unlock".into(),
            "bob".into(),
        ])
    };
    through(&world).run().expect(0);
    if is_root("folders of other users") {
        std::os::unix::fs::lchown(world.path("link"), Some(65534), None).unwrap();
        through(&world).run().expect(NOT_PERMITTED);
        chown(&above, Some(65534), None).unwrap();
        let ran = run("list-status").run().expect(NOT_PERMITTED);
        assert!(ran.err.contains("belongs to another user"), "{}", ran.err);
    }
}

#[test]
fn s10_a_thread_that_cannot_be_started_is_busy_and_no_bug() {
    let what = "a process without room for a thread";
    if !is_root(what) || !has("setpriv", what) || !has("prlimit", what) {
        return;
    }
    let world = World::empty();
    set(&world.path(""), 0o711);
    let program = world.path("mfactl");
    fs::copy(crate::support::MFACTL, &program).unwrap();
    set(&program, 0o755);
    // A uid of its own, whose one process is all it may have.
    let drop = [
        "prlimit",
        "--nproc=1",
        "setpriv",
        "--reuid",
        "64123",
        "--regid",
        "64123",
        "--clear-groups",
    ];
    for (service, more) in [("pam", ("PAM_TYPE", "auth")), ("radius", ("USER_NAME", "\"a\""))] {
        let call = world.bare(["verify", "--from", service]).program(&program).with(more.0, more.1);
        let ran = call.with("PAM_USER", "alice").under(drop).run();
        assert_eq!(ran.code, 75, "{service}: {ran:?}");
        assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""), "no word for the remote user");
    }
}
