//! `init --migrate` on stores that the mfactl of an older schema wrote, kept in `tests/migration`: everything in them
//! is valid afterwards, and nothing that was used up can be used again.

use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::json;
use zeroize::Zeroizing;

use crate::domain::factor::totp::{Algorithm, Parameters, code_at};
use crate::domain::secret::Secret;
use crate::testing::{Engine, World};

/// When the last command of `tests/migration/make` ran: 2026-03-02T12:00:40Z.
const MOMENT: i64 = 1_772_452_840;

const SHA512: Parameters = Parameters { algorithm: Algorithm::Sha512, ..Parameters::COMMON };
const EIGHT_DIGITS: Parameters = Parameters { algorithm: Algorithm::Sha256, digits: 8, period: 60 };

/// The kept stores, by schema.
const STORES: [Kept; 2] = [Kept(3), Kept(5)];

/// The folder of the store that the program of one schema wrote.
#[derive(Clone, Copy)]
struct Kept(u32);

impl Kept {
    fn file(self, name: &str) -> PathBuf {
        let folder = format!("tests/migration/schema-{}", self.0);
        Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(name)
    }

    /// The value of a name in the file `known`.
    fn known(self, name: &str) -> String {
        let all = fs::read_to_string(self.file("known")).unwrap();
        let value = all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap().to_owned()
    }

    fn put(self, file: &str, at: &Path) {
        let folder = at.parent().unwrap();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).unwrap();
        fs::copy(self.file(file), at).unwrap();
        fs::set_permissions(at, fs::Permissions::from_mode(0o600)).unwrap();
    }
}

/// A world with the key and the clock of the kept store, and root as the operator, but without a store.
fn world_without_store(kept: Kept) -> World {
    let world = World::empty();
    world.now.set(MOMENT);
    world.uid.set(0);
    kept.put("mfactl.key", &world.folder.path().join("key/mfactl.key"));
    kept.put("config.toml", &world.folder.path().join("config.toml"));
    world
}

/// The same with the kept store, not migrated yet.
fn old_world(kept: Kept) -> World {
    let world = world_without_store(kept);
    match &world.engine {
        Engine::Sqlite(path) => kept.put("store.db", path),
        Engine::Postgres { .. } => {
            world.sql(&fs::read_to_string(kept.file("store.sql")).unwrap());
        }
    }
    world
}

fn migrated(kept: Kept) -> World {
    let world = old_world(kept);
    let report = world.run("init --migrate --json").ok().json();
    assert_eq!(report["changed"], true, "{report}");
    world
}

impl World {
    /// The outcome of the code that a secret has `seconds` from now.
    #[track_caller]
    fn outcome_at(&self, user: &str, base32: &str, parameters: Parameters, seconds: i64) -> String {
        let bytes = data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).unwrap();
        let secret = Secret::new(Zeroizing::new(bytes));
        self.outcome(user, &code_at(&secret, parameters, self.now.get() + seconds))
    }

    #[track_caller]
    fn outcome(&self, user: &str, code: &str) -> String {
        let ran = self.verify(user, code);
        if !ran.error().is_empty() {
            return ran.error();
        }
        let outcome = ran.json()["outcome"].as_str().unwrap().to_owned();
        let lets_in = matches!(&*outcome, "accepted" | "confirmed");
        assert_eq!(ran.code, u8::from(!lets_in), "{ran:?}");
        outcome
    }
}

/// Asserts that every MAC and every hash of the log is valid.
#[track_caller]
fn assert_proved(world: &World) {
    let log = world.run("verify-log --json").ok().json();
    assert_eq!((&log["outcome"], &log["macs_checked"]), (&json!("whole"), &json!(true)), "{log}");
    let found = world.run("doctor --json").json();
    for part in ["records", "log"] {
        let findings = found["findings"].as_array().unwrap();
        let finding = findings.iter().find(|f| f["what"] == part).unwrap();
        assert_eq!(finding["state"], "good", "{found}");
    }
}

/// Asserts that all users are as the old program left them.
#[track_caller]
fn assert_as_it_was(world: &World, kept: Kept) {
    assert_proved(world);
    let common = Parameters::COMMON;
    for (user, used_at) in
        [("alice", 0), ("alice", -30), ("bert", -30), ("tess", -30), ("vera", -30), ("anna", -30)]
    {
        assert_eq!(
            world.outcome_at(user, &kept.known(user), common, used_at),
            "replayed",
            "{user}"
        );
    }
    assert_eq!(world.outcome_at("nina", &kept.known("nina"), SHA512, 0), "replayed");
    assert_eq!(world.outcome_at("luke", &kept.known("luke"), common, 0), "locked");
    assert_eq!(world.outcome_at("dora", &kept.known("dora"), common, 0), "disabled");
    assert_eq!(world.outcome_at("rita", &kept.known("rita"), common, 0), "not_enabled");
    assert_eq!(world.outcome_at("nora", &kept.known("erin"), common, 0), "not_enabled");
    assert_eq!(world.outcome("alice", &kept.known("recovery-used")), "rejected");
    assert_eq!(world.outcome("alice", &kept.known("recovery-used-up")), "rejected");
    assert_eq!(world.outcome("alice", &kept.known("recovery-fresh")), "accepted");
    assert_eq!(world.outcome("alice", &kept.known("recovery-fresh")), "rejected");
    for expected in ["accepted", "accepted", "rejected"] {
        assert_eq!(world.outcome("bert", &kept.known("bypass")), expected);
    }
    // The first of two successive codes was given to the old program.
    assert_eq!(world.outcome_at("ursula", &kept.known("ursula"), EIGHT_DIGITS, 0), "replayed");
    assert_eq!(world.outcome_at("ursula", &kept.known("ursula"), EIGHT_DIGITS, 60), "confirmed");
    assert_eq!(world.outcome_at("paul", &kept.known("paul"), common, 0), "confirmed");
    assert_eq!(world.outcome_at("anna", &kept.known("anna-new"), common, 0), "confirmed");
    assert_eq!(
        world.outcome_at("anna", &kept.known("anna"), common, 30),
        "rejected",
        "replaced by the new one"
    );
    assert_eq!(world.outcome_at("alice", &kept.known("alice"), common, 30), "accepted");
    assert_eq!(world.outcome_at("alice", &kept.known("alice"), common, 30), "replayed");

    let sign_in = |line: serde_json::Value| {
        let ran = world.run_with("sign-in --json tess", &format!("{line}\n"));
        ran.json()["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(sign_in(json!({ "password": "correct horse battery staple" })), "rejected");
    let temporary = kept.known("temporary-password");
    assert_eq!(sign_in(json!({ "password": temporary })), "password_change_required");
    let undone = world.run("undo rita --yes --json").ok().json();
    assert_eq!(undone["status"], "enabled");
    assert_eq!(world.outcome_at("rita", &kept.known("rita"), common, 0), "accepted");
    let requests = world.run("approve --json").ok().json().to_string();
    assert!(requests.contains(&kept.known("request")) && requests.contains("vera"), "{requests}");
    let _ = world.run(&format!("approve {} --alone --yes", kept.known("request"))).ok();
    assert_eq!(world.outcome_at("vera", &kept.known("vera"), common, 0), "disabled");
    let log = world.run("log --json").ok().out;
    assert!(!log.contains("erin"), "the erased name");
    assert_proved(world);
}

#[test]
fn after_the_migration_everything_is_valid_and_nothing_is_unused_again() {
    for kept in STORES {
        let world = migrated(kept);
        let again = world.run("init --migrate --json").ok().json();
        assert_eq!(again["changed"], false, "{again}");
        assert_as_it_was(&world, kept);
    }
}

#[test]
fn an_old_backup_is_restored() {
    for kept in STORES {
        let world = world_without_store(kept);
        let backup = world.folder.path().join("old.backup");
        kept.put("store.backup", &backup);
        let _ = world.run(&format!("restore --json {}", backup.display())).ok();
        assert_as_it_was(&world, kept);
        // The backup is also restored over its own store, which has newer events by now.
        let line = format!("restore --json --yes {}", backup.display());
        assert_eq!(world.run(&line).code, 76);
        let _ = world.run(&format!("{line} --lose-newer")).ok();
        assert_proved(&world);
    }
}

#[test]
fn before_the_migration_every_verb_says_what_to_do() {
    let world = old_world(STORES[0]);
    let before = world.sql("SELECT max(seq) FROM events");
    for line in [
        "verify alice",
        "sign-in alice",
        "enrol alice --device new --no-confirm",
        "add-user zoe",
        "edit-user alice --email a@example.org",
        "remove-user alice --yes",
        "set-password alice",
        "show-user alice",
        "show-qr paul --reveal-secrets",
        "reset alice --yes",
        "disable alice --yes",
        "enable dora",
        "delete alice --yes",
        "force-new-password alice --yes",
        "unlock luke",
        "undo rita --yes",
        "recovery-codes alice --reveal-secrets",
        "bypass alice --for 1h --reveal-secrets",
        "require-mfa alice",
        "approve",
        "diagnose alice",
        "list-status",
        "changes --since 1h",
        "log",
        "verify-log",
        "report --output FOLDER/page.html",
        "metrics",
        "backup FOLDER/a.backup",
        "copy-store --to FOLDER/copy.db",
        "doctor",
        "init",
    ] {
        let line = line.replace("FOLDER", world.folder.path().to_str().unwrap());
        let ran = world.run_with(&line, "123456\n");
        assert_eq!(ran.code, 78, "{line}: {ran:?}");
        assert!(ran.err.contains("mfactl init --migrate"), "{line}: {ran:?}");
    }
    let checked = world.run("check");
    assert_eq!((checked.code, checked.out.contains("older")), (3, true), "{checked:?}");
    assert_eq!(world.sql("SELECT max(seq) FROM events"), before);
}

#[test]
fn all_verbs_read_a_migrated_store() {
    for kept in STORES {
        let world = migrated(kept);
        for line in [
            "list-status --json",
            "list-status --at 2026-02-01T00:00:00Z",
            "changes --since 2026-02-15T00:00:00Z",
            "log --json",
            "metrics",
            "show-user alice",
            "show-user rita --json",
            "approve",
            "doctor",
            "verify-log",
        ] {
            let _ = world.run(line).ok();
        }
        for line in [
            "enable dora",
            "unlock luke",
            "disable alice --yes",
            "enable alice",
            "edit-user alice --rename alicia",
            "reset bert --yes --no-enrol",
            "undo bert --yes",
            "delete tess --yes",
            "remove-user anna --erase --yes",
            "force-new-password nina --yes --json",
            "log --prune --before 2026-03-02T12:00:20Z --yes",
        ] {
            let _ = world.run(line).ok();
        }
        assert_proved(&world);
    }
}
