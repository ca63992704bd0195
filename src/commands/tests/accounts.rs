//! `add-user`, `edit-user`, `remove-user`, and the first use of a store.

use crate::testing::{START, World};

#[test]
fn a_user_is_added_with_everything_that_is_known() {
    let world = World::new();
    let _ = world
        .run("add-user Alice --display-name Alice --email alice@example.com --group staff --group admins --language fr --protected")
        .ok();
    let alice = world.run("show-user alice --json").ok().json();
    assert_eq!(alice["user"], "alice");
    assert_eq!(alice["email"], "alice@example.com");
    assert_eq!(alice["groups"], serde_json::json!(["admins", "staff"]));
    assert_eq!(
        (alice["language"].as_str(), alice["protected"].as_bool()),
        (Some("fr"), Some(true))
    );
    assert_eq!(alice["created_at"], "2026-01-01T00:00:00Z");
}

#[test]
fn another_spelling_is_the_same_user() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    for other in ["ALICE", "ａｌｉｃｅ"] {
        assert_eq!(world.run(&format!("add-user {other}")).code, 76, "{other}");
        assert_eq!(world.run(&format!("show-user {other}")).code, 0, "{other}");
    }
}

#[test]
fn fields_are_changed_and_cleared() {
    let world = World::new();
    let _ = world.run("add-user alice --email a@b.example --group staff").ok();
    let _ = world.run("edit-user alice --display-name Al --group x --group y").ok();
    let _ = world.run("edit-user alice --clear email").ok();
    let alice = world.listed("alice");
    assert_eq!(alice["display_name"], "Al");
    assert!(alice["email"].is_null());
    assert_eq!(alice["groups"], serde_json::json!(["x", "y"]));
    assert_eq!(world.run("edit-user alice").code, 64);
    let same = world.run("edit-user alice --display-name Al --json").ok().json();
    assert_eq!(same["changed"], false);
}

#[test]
fn a_renamed_user_keeps_devices_locks_and_used_codes() {
    let world = World::new();
    let secret = world.active("alice");
    let used = world.code(&secret, 0);
    let _ = world.run("edit-user alice --rename alice.martin").ok();
    assert_eq!(world.run("show-user alice").code, 67);
    assert_eq!(world.verify("alice.martin", &used).json()["outcome"], "replayed");
    world.wait(30);
    assert_eq!(world.verify("alice.martin", &world.code(&secret, 0)).code, 0);
    let _ = world.run("add-user bob").ok();
    assert_eq!(world.run("edit-user bob --rename Alice.Martin").code, 76);
}

#[test]
fn a_removed_user_who_is_added_again_is_a_new_user() {
    let world = World::new();
    let old = world.active("alice");
    let _ = world.run("remove-user alice --yes").ok();
    world.wait(30);
    assert_eq!(world.verify("alice", &world.code(&old, 0)).code, 67);
    let new = world.active("alice");
    world.wait(30);
    assert_eq!(world.verify("alice", &world.code(&old, 0)).json()["outcome"], "rejected");
    assert_eq!(world.verify("alice", &world.code(&new, 0)).code, 0);
    assert_eq!(world.sql("SELECT count(DISTINCT user_id) FROM events"), "2");
}

#[test]
fn an_erased_user_is_gone_and_the_log_still_verifies() {
    let world = World::new();
    let _ = world.run("add-user rumpelstiltskin --email gnome@example.com").ok();
    let line = "enrol rumpelstiltskin --no-confirm --json --device secretphone --reason spindle";
    let _ = world.run(line).ok();
    let hashes = "SELECT hash FROM events ORDER BY seq";
    let before = world.sql(hashes);
    let _ = world.run("remove-user rumpelstiltskin --erase --yes --reason straw").ok();
    assert!(world.sql(hashes).starts_with(&before), "a hash was changed");
    let rows = world.sql("SELECT * FROM events");
    let file = match &world.engine {
        crate::testing::Engine::Sqlite(path) => std::fs::read(path).unwrap(),
        // PostgreSQL keeps old row versions until the next vacuum; no mfactl backup contains them.
        crate::testing::Engine::Postgres { .. } => Vec::new(),
    };
    for word in ["rumpelstiltskin", "gnome@", "secretphone", "spindle", "straw"] {
        assert!(!file.windows(word.len()).any(|w| w == word.as_bytes()), "{word}");
        assert!(!rows.contains(word), "{word}");
    }
    assert_eq!(world.sql("SELECT count(*) FROM events"), "4");
}

#[test]
fn the_log_has_operator_verb_time_ticket_and_reason() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let line = "force-new-password alice --yes --ticket HELP-7 --reason lost --proof callback";
    let _ = world.run(line).ok();
    let shown = world.run("show-user alice --json").ok().json();
    let event = &shown["events"][0];
    assert_eq!(event["verb"], "force-new-password");
    assert_eq!(event["at"], "2026-01-01T00:00:00Z");
    assert_eq!(event["operator_uid"], 1000);
    assert_eq!(
        (event["ticket"].as_str(), event["reason"].as_str()),
        (Some("HELP-7"), Some("lost"))
    );
    assert_eq!(event["proof"], "callback");
    assert_eq!(shown["password_change_required"], true);
    assert_eq!(world.sql("SELECT at FROM events WHERE seq = 1"), START.to_string());
}

#[test]
fn a_user_has_eight_devices_at_most() {
    let world = World::new();
    for n in 0..8 {
        world.pending("alice", &format!("--device d{n}"));
    }
    let ran = world.run("enrol alice --no-confirm --json --device d8");
    assert_eq!((ran.code, ran.error().as_str()), (76, "too_many_devices"));
    let _ = world.run("enrol alice --no-confirm --json --device d7").ok();
    let ran = world.run("show-qr alice --json");
    assert_eq!((ran.code, ran.error().as_str()), (76, "ambiguous_device"));
    let _ = world.run("delete alice --yes --device d3").ok();
    let _ = world.run("enrol alice --no-confirm --json --device d8").ok();
}

#[test]
fn the_first_use_creates_the_store_and_reports_it() {
    for line in ["enrol alice --create --no-confirm --json", "add-user alice"] {
        let world = World::empty();
        if world.engine.is_postgres() {
            let ran = world.run(line);
            assert_eq!(ran.code, 69, "what a fleet shares is made by init alone: {ran:?}");
            assert!(ran.err.contains("mfactl init"), "{ran:?}");
            continue;
        }
        let ran = world.run(line).ok();
        assert!(ran.err.contains("made the store ") && ran.err.contains("made the key file "));
        assert_eq!(world.listed("alice")["user"], "alice");
        assert!(!world.run("add-user bob").ok().err.contains("made"));
    }
}

#[test]
fn other_verbs_report_a_missing_store_and_create_none() {
    let world = World::empty();
    for line in ["enrol alice --no-confirm --json", "list-status", "verify alice", "unlock alice"] {
        let ran = world.run(line);
        assert_eq!(ran.code, 69, "{line}: {ran:?}");
        assert!(ran.err.contains("mfactl init"), "{line}: {ran:?}");
    }
    assert!(!world.folder.path().join("store").exists());
}

#[test]
fn w15_each_machine_has_its_own_issuer_until_the_configuration_names_one() {
    let mut world = World::empty();
    world.host_name = "web1.example.com".to_owned();
    let init = world.run("init").ok().out;
    let line = "issuer:   web1 (this machine's name; phones show it; change it with issuer in [enrolment])";
    assert!(init.lines().any(|printed| printed == line), "{init}");
    assert_eq!(world.run("init --json").ok().json()["issuer"], "web1");
    let enrol = "enrol alice --create --no-confirm --json --reveal-secrets";
    let enrolled = world.run(enrol).ok().json();
    assert_eq!(enrolled["issuer"], "web1");
    assert!(enrolled["uri"].as_str().unwrap().contains("issuer=web1&"), "{enrolled}");

    world.host_name = "localhost".to_owned();
    let init = world.run("init").ok().out;
    assert!(init.contains("issuer:   mfactl (the default; phones show it; change it"), "{init}");

    world.configure("[enrolment]\nissuer = \"Example Corp\"\n");
    let init = world.run("init").ok().out;
    assert!(init.contains("\nissuer:   Example Corp (from the configuration)"), "{init}");
    assert_eq!(world.run("show-qr alice --json").ok().json()["issuer"], "Example Corp");
    // The code of a phone does not depend on what it shows.
    let secret = crate::testing::secret(&world.run("show-qr alice --json --reveal-secrets").ok());
    let _ = world.verify("alice", &world.code(&secret, 0)).ok();
}

#[test]
fn init_never_overwrites() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let again = world.run("init --json").ok().json();
    assert_eq!(again["changed"], false);
    assert_eq!(world.listed("alice")["user"], "alice");
    std::fs::remove_file(world.folder.path().join("key/mfactl.key")).unwrap();
    let ran = world.run("init --json");
    assert_eq!((ran.code, ran.error().as_str()), (78, "key"));
    assert!(!world.folder.path().join("key/mfactl.key").exists(), "a key that fits no store");
}

#[test]
fn contradictory_options_are_refused() {
    let world = World::new();
    let _ = world.active("alice");
    let ran = world.run("edit-user alice --email a@b.example --clear email");
    assert_eq!(ran.code, 64, "{ran:?}");
    assert!(ran.err.contains("can't be combined"), "{ran:?}");
}

#[test]
fn w11_the_hint_about_a_linked_side_file_can_be_followed() {
    let world = World::new();
    let crate::testing::Engine::Sqlite(path) = &world.engine else { return };
    let side_file = path.with_extension("db-wal");
    assert_eq!(path.extension().unwrap(), "db");
    let _ = std::fs::remove_file(&side_file);
    let elsewhere = world.folder.path().join("elsewhere");
    std::fs::write(&elsewhere, "").unwrap();
    std::os::unix::fs::symlink(&elsewhere, &side_file).unwrap();
    let ran = world.run("list-status");
    assert!(ran.code == 77 && ran.err.contains("is a symbolic link"), "{ran:?}");
    assert!(ran.err.contains("hint: move the file that it points to here"), "{ran:?}");
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&elsewhere, private).unwrap();
    std::fs::rename(&elsewhere, &side_file).unwrap();
    let _ = world.run("list-status").ok();
}
