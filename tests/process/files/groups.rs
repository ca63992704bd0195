//! Stores that a group shares, and files made with the rights of another.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::Command;

use super::{House, NOBODY, set_mode, tools};
use crate::support::{
    CANNOT_CREATE, Call, MFACTL, NOT_PERMITTED, Seed, World, has, is_root, leave_out,
};

/// The name of the group that the user `nobody` belongs to.
fn group() -> Option<String> {
    let line = Command::new("getent").args(["group", &NOBODY.to_string()]).output().ok()?;
    let line = String::from_utf8(line.stdout).ok()?;
    line.split(':').next().filter(|n| !n.is_empty()).map(str::to_owned)
}

/// A world shared with a group, and a copy of the program that everybody can run.
fn shared(config: &str) -> Option<World> {
    let what = "a store that a group shares";
    if !tools() || !is_root(what) || !has("setpriv", what) {
        return None;
    }
    let Some(group) = group() else {
        leave_out("there is no group 65534", what);
        return None;
    };
    let world = World::empty();
    set_mode(&world.path("."), 0o711);
    fs::create_dir(world.path("c")).unwrap();
    set_mode(&world.path("c"), 0o755);
    fs::write(world.path("c/config.toml"), config.replace("GROUP", &group)).unwrap();
    set_mode(&world.path("c/config.toml"), 0o644);
    fs::copy(MFACTL, world.path("c/mfactl")).unwrap();
    set_mode(&world.path("c/mfactl"), 0o755);
    Some(world)
}

impl World {
    fn configured(&self, line: &str) -> Call {
        let config = self.path("c/config.toml").into_os_string();
        let words = ["--config".into(), config];
        self.call_of(words.into_iter().chain(line.split(' ').map(Into::into)))
    }

    /// A run by the user `nobody`, who is in the group of the same id.
    fn as_nobody(&self, line: &str) -> Call {
        let id = NOBODY.to_string();
        let call = self.configured(line).program(self.path("c/mfactl"));
        call.under(["setpriv", "--reuid", &id, "--regid", &id, "--clear-groups"])
    }
}

#[test]
fn doctor_names_files_that_a_group_can_not_reach_and_the_remedy() {
    let config = "[store]\nwriters = \"GROUP\"\n[key]\ngroup = \"GROUP\"\n";
    let Some(world) = shared(config) else { return };
    world.call("init").run().expect(0);
    let mut seed = world.pending("alice");
    world.as_nobody("verify alice").input("000000").run().expect(NOT_PERMITTED);
    let sharing = || {
        let found = world.configured("doctor --json").run().document();
        let found = found["findings"].as_array().unwrap().clone();
        let row = found.into_iter().find(|f| f["what"] == "sharing").unwrap();
        (row["state"].clone(), row["words"].as_str().unwrap().to_owned())
    };
    let (state, words) = sharing();
    assert_eq!(state, "warning");
    let cure = words.split_once(": ").unwrap().1;
    let done = Command::new("sh").args(["-euc", cure]).status().unwrap();
    assert!(done.success(), "{cure}");
    assert_eq!(sharing().0, "good");
    let code = world.next(&mut seed);
    world.as_nobody("verify alice").input(&code).run().expect(0);
}

#[test]
fn an_auditor_of_the_readers_group_lists_without_the_key() {
    let Some(world) = shared("[store]\nreaders = \"GROUP\"\n") else { return };
    world.configured("init").run().expect(0);
    assert_eq!(fs::metadata(world.store()).unwrap().mode() & 0o777, 0o640);
    let line = "enrol alice --create --no-confirm --json --reveal-secrets";
    let secret = world.configured(line).run().expect(0).json("secret");
    let mut seed = Seed { base32: secret, spent: 0 };
    let listed = || world.as_nobody("list-status --json").run().expect(0).document();
    assert_eq!(listed()["users"][0]["status"], "pending");
    let code = world.next(&mut seed);
    world.configured("verify alice").input(&code).run().expect(0);
    assert_eq!(listed()["users"][0]["status"], "enabled", "the newest state, not the last copied");
    for line in [
        "show-user alice",
        "list-status --without-mfa",
        "list-status --at now",
        "changes --since yesterday",
        "log --user alice",
        "verify-log",
        "metrics",
    ] {
        world.as_nobody(line).run().expect(0);
    }
    let (state, events) = (world.state(), world.events());
    let code = world.next(&mut seed);
    for line in [
        "verify alice",
        "disable alice --yes",
        "reset alice --yes --json",
        "unlock alice",
        "add-user bob",
        "show-qr alice --active --json --reveal-secrets",
        "init",
    ] {
        let ran = world.as_nobody(line).input(&code).run().expect(NOT_PERMITTED);
        assert!(!ran.out.contains("secret"), "{ran:?}");
    }
    assert_eq!((world.state(), world.events()), (state, events));
    let answer = world.configured("verify --json alice").input(&code).run();
    assert_eq!(answer.outcome(), "accepted");
}

#[test]
fn a_service_in_the_writers_group_verifies_along_with_root() {
    let Some(world) = shared("[store]\nwriters = \"GROUP\"\n[key]\ngroup = \"GROUP\"\n") else {
        return;
    };
    world.configured("init").run().expect(0);
    set_mode(&world.path("k"), 0o711);
    let line = "enrol alice --create --no-confirm --json --reveal-secrets";
    let secret = world.configured(line).run().expect(0).json("secret");
    let mut seed = Seed { base32: secret, spent: 0 };
    // Each in turn uses the side files that the other made.
    for name in ["m.db-wal", "m.db-shm"] {
        let _ = fs::remove_file(world.path(&format!("s/{name}")));
    }
    let line = "enrol bob --create --no-confirm --json --reveal-secrets";
    let secret = world.as_nobody(line).run().expect(0).json("secret");
    let mut bob = Seed { base32: secret, spent: 0 };
    let secret = world.configured(line.replace("bob", "alice").as_str());
    seed.base32 = secret.run().expect(0).json("secret");
    for code in [world.next(&mut bob), world.next(&mut bob)] {
        let ran = world.as_nobody("verify --json bob").input(&code).run().expect(0);
        assert!(ran.err.is_empty(), "{ran:?}");
        world.configured("verify --json bob").input(&code).run().expect(1);
    }
    for code in [world.next(&mut seed), world.next(&mut seed)] {
        world.configured("verify alice").input(&code).run().expect(0);
        world.as_nobody("verify alice").input(&code).run().expect(1);
    }
    world.assert_sound();
}

#[test]
fn an_output_file_is_made_with_the_rights_of_the_user_behind_sudo() {
    if !tools() || !is_root("output files under sudo") {
        return;
    }
    let house = House::new();
    house.world.pending("bob");
    set_mode(&house.world.path("."), 0o711);
    fs::create_dir(house.world.path("n")).unwrap();
    chown(house.world.path("n"), Some(NOBODY), None).unwrap();
    let ask = |path: &Path| {
        let words = ["show-qr", "bob", "--output", path.to_str().unwrap()];
        let call = house.world.call_of(words).with("SUDO_UID", NOBODY.to_string());
        call.with("SUDO_USER", "nobody").run()
    };
    let own = house.world.path("n/bob.png");
    ask(&own).expect(0);
    let metadata = fs::metadata(&own).unwrap();
    assert_eq!((metadata.uid(), metadata.mode() & 0o777), (NOBODY, 0o600));
    for forbidden in ["s/bob.png", "k/bob.png", "c/bob.png", "bob.png"] {
        let path = house.world.path(forbidden);
        ask(&path).expect(CANNOT_CREATE);
        assert!(!path.exists());
    }
    let claim = "SELECT operator_uid, operator_claim FROM events ORDER BY seq DESC LIMIT 1";
    assert_eq!(house.world.sql(claim), "0|nobody");
}
