//! Who owns the files of a store that root has used.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};

use super::support::{DEFAULTS, STORE_UNAVAILABLE, World, has, is_root};

const USER: u32 = 65_534;
const AS_USER: [&str; 6] = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"];

#[test]
fn w11_a_store_of_root_in_the_folder_of_another_user_is_given_away_as_the_error_says() {
    let what = "a store of root in another's folder";
    if !(has("setpriv", what) && is_root(what)) {
        return;
    }
    let world = World::new();
    world.run("add-user bob").expect(0);
    for file in ["", "s", "k", "k/m.key", DEFAULTS] {
        let _ = chown(world.path(file), Some(USER), Some(USER));
    }
    for line in ["unlock bob", "doctor", "list-status"] {
        let ran = world.call(line).under(AS_USER).run().expect(STORE_UNAVAILABLE);
        assert!(ran.err.contains("m.db belongs to uid 0 with mode 0600"), "{ran:?}");
        let (_, fix) = ran.err.split_once("give it the owner of its folder: ").unwrap();
        assert!(fix.starts_with("chown --reference="), "{ran:?}");
        if line == "list-status" {
            let done = std::process::Command::new("sh").args(["-c", fix.trim()]).status();
            assert!(done.unwrap().success(), "{fix}");
        }
    }
    for entry in fs::read_dir(world.path("s")).unwrap() {
        assert_eq!(entry.unwrap().metadata().unwrap().uid(), USER);
    }
    let ran = world.call("list-status").under(AS_USER).run().expect(0);
    assert!(ran.out.contains("bob"), "{ran:?}");
    world.call("unlock bob").under(AS_USER).run().expect(0);
}

#[test]
fn w11_a_store_of_somebody_else_in_their_own_folder_is_left_to_them() {
    let what = "a store of root in root's folder";
    if !(has("setpriv", what) && is_root(what)) {
        return;
    }
    let world = World::new();
    world.run("add-user bob").expect(0);
    for (file, mode) in [("", 0o755), ("s", 0o755), (DEFAULTS, 0o644)] {
        fs::set_permissions(world.path(file), Permissions::from_mode(mode)).unwrap();
    }
    let ran = world.call("list-status").under(AS_USER).run().expect(STORE_UNAVAILABLE);
    assert!(ran.err.contains("run mfactl as uid 0"), "{ran:?}");
}
