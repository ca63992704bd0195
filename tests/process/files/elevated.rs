//! Copies of the program that run with the rights of somebody else.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::{Call, MFACTL, NOT_PERMITTED, World, has, is_root};

const NOBODY: &str = "65534";

/// Runs a copy as a user who is neither root nor in the group of the copy.
fn as_nobody(world: &World, line: &str) -> Call {
    let drop = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
    world.call(line).program(world.path("mfactl")).under(drop)
}

#[test]
fn s5_a_setuid_or_setgid_copy_or_one_with_capabilities_refuses_everything() {
    let what = "setuid and setgid copies";
    if !is_root(what) || !has("setpriv", what) || !has("sqlite3", what) {
        return;
    }
    let world = World::new();
    world.run("add-user bob").expect(0);
    world
        .configure("[store]\nwriters = \"games\"\nreaders = \"games\"\n[key]\ngroup = \"games\"\n");
    let sh = |commands: &str| {
        let commands = format!("cd '{}'\n{commands}", world.path("").display());
        let output = Command::new("sh").args(["-euc", &commands, "sh", MFACTL]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    };
    // As far as file modes go, the group may do all there is to do.
    sh("chmod 0711 .; chgrp -R games s k; chmod 2770 s; chmod 0750 k; chmod 0660 s/*; chmod 0640 k/m.key
        chmod 0644 k/config.toml");
    let disable = "remove-user bob --yes --dry-run";
    let copy = |install: &str| sh(&format!("rm -f mfactl; install {install} \"$1\" mfactl"));
    copy("-m 0755");
    as_nobody(&world, "--version").run().expect(0);
    as_nobody(&world, disable).run().expect(NOT_PERMITTED);
    let in_group = ["setpriv", "--reuid", NOBODY, "--regid", "games", "--clear-groups"];
    world.call(disable).program(world.path("mfactl")).under(in_group).run().expect(0);
    let events = world.events();
    let mut copies = vec!["-m 2755 -g games", "-m 4755", "-m 6755 -g games", "-m 4755 -o games"];
    if has("setcap", what) {
        copies.push("-m 0755");
    }
    for install in copies {
        copy(install);
        if install == "-m 0755" {
            sh("setcap cap_dac_override+ep mfactl");
        }
        for line in
            [disable, "list-status", "verify --from pam", "--version", "help", "init", "-- x"]
        {
            let ran = as_nobody(&world, line).with("COMPLETE", "bash").run().expect(NOT_PERMITTED);
            assert_eq!(ran.out, "", "{install}: {line}");
            assert!(
                ran.err.contains("use a sudo rule, or a service"),
                "{install}: {line}: {}",
                ran.err
            );
        }
        let ran = as_nobody(&world, "list-status --json").run().expect(NOT_PERMITTED);
        assert_eq!(ran.error(), "not_permitted");
    }
    assert_eq!(world.events(), events);
    let mode = fs::metadata(world.store()).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o660);
}

#[test]
fn s5_capabilities_of_a_service_are_no_capabilities_of_the_file() {
    let what = "ambient capabilities";
    if !is_root(what) || !has("setpriv", what) {
        return;
    }
    let world = World::empty();
    let sets = ["--inh-caps", "+chown", "--ambient-caps", "+chown"];
    let drop = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"];
    let call = world.bare(["--version"]);
    call.under(drop.into_iter().chain(sets)).run().expect(0);
}
