//! Output formats: table, JSON, JSON lines, CSV; which stream gets what.

use crate::testing::{World, secret};

#[test]
fn json_begins_with_its_schema_and_is_one_line() {
    let world = World::new();
    world.active("alice");
    world.wait(30);
    for (line, name) in [
        ("show-user alice", "show-user"),
        ("disable alice --yes", "disable"),
        ("enable alice", "enable"),
        ("unlock alice", "unlock"),
        ("reset alice --yes", "reset"),
        ("show-qr alice", "show-qr"),
        ("enrol alice --no-confirm --device tablet", "enrol"),
        ("delete alice --yes", "delete"),
        ("force-new-password alice --yes", "force-new-password"),
        ("edit-user alice --email a@b", "edit-user"),
        ("remove-user alice --yes", "remove-user"),
        ("add-user alice", "add-user"),
        ("init", "init"),
    ] {
        let ran = world.run(&format!("{line} --json")).ok();
        let begin = format!("{{\"schema\":\"mfactl.{name}/1\",");
        assert!(ran.out.starts_with(&begin) && ran.out.ends_with("}\n"), "{line}: {}", ran.out);
        assert_eq!(ran.out.lines().count(), 1, "{line}");
    }
}

#[test]
fn the_answer_of_verify_has_its_six_fields() {
    let world = World::new();
    let key = world.pending("alice", "");
    let confirmed = world.verify("alice", &world.code(&key, 0)).ok();
    assert_eq!(
        confirmed.out,
        "{\"schema\":\"mfactl.verify/1\",\"user\":\"alice\",\"outcome\":\"confirmed\",\
         \"device\":\"phone\",\"factor\":\"totp\",\"locked_until\":null}\n"
    );
    for _ in 0..4 {
        assert!(world.verify("alice", "000000").json()["locked_until"].is_null());
    }
    let fifth = world.verify("alice", "000000").json();
    assert_eq!(
        (fifth["outcome"].as_str(), fifth["locked_until"].as_str()),
        (Some("rejected"), Some("2026-01-01T00:00:30Z"))
    );
    let sixth = world.verify("alice", "000000").json();
    assert_eq!((sixth["outcome"].as_str(), sixth["device"].as_str()), (Some("locked"), None));
}

#[test]
fn json_has_secrets_only_with_reveal_secrets() {
    let world = World::new();
    let quiet = world.run("enrol alice --create --no-confirm --json").ok().json();
    assert!(quiet.get("secret").is_none() && quiet.get("uri").is_none());
    assert_eq!(quiet["algorithm"], "SHA1");
    let key = secret(&world.run("show-qr alice --json --reveal-secrets").ok());
    let shown = world.run("show-qr alice --json").ok();
    assert!(!shown.out.contains(key.base32().as_str()));
    for line in [
        "list-status --json",
        "list-status --format csv",
        "list-status",
        "show-user alice",
        "show-user alice --json",
    ] {
        let ran = world.run(line).ok();
        assert!(!ran.out.contains(key.base32().as_str()), "{line}");
    }
}

#[test]
fn one_record_in_every_format() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    assert_eq!(world.run("unlock alice").ok().out, "alice: not locked; nothing to change\n");
    assert_eq!(world.run("unlock alice --quiet").ok().out, "");
    assert_eq!(
        world.run("unlock alice --format csv").ok().out,
        "user,status,devices,locked,password_change_required,changed,consequences\r\nalice,not_enabled,,false,false,false,\r\n"
    );
    assert_eq!(
        world.run("unlock alice --format jsonl").ok().out,
        world.run("unlock alice --json").ok().out
    );
}

#[test]
fn errors_are_one_line_and_one_hint_or_json() {
    let world = World::new();
    let _ = world.run("add-user alice").ok();
    let ran = world.run("show-user alcie");
    assert_eq!(
        ran.err,
        "mfactl: error: there is no user \"alcie\"\nmfactl: hint: did you mean alice?\n"
    );
    let ran = world.run("show-user alcie --json");
    assert_eq!(
        ran.err,
        "{\"error\":{\"code\":\"user_not_found\",\"message\":\"there is no user \\\"alcie\\\"\",\
         \"hint\":\"did you mean alice?\"}}\n"
    );
    assert_eq!((ran.code, ran.out.as_str()), (67, ""));
}

#[test]
fn usage_errors_exit_64_and_suggest_the_nearest_word() {
    let world = World::new();
    for (line, hint) in [
        ("verfy alice", "did you mean verify"),
        ("list-status --whitout-mfa", "did you mean --without-mfa? see: mfactl help list-status"),
        ("list-status --format xml", "table, json, jsonl, csv"),
        ("list-status --min-coverage 101", "from 0 to 100"),
        ("list-status --min-coverage -1", "'-1'"),
        ("list-status --quiet --json --format csv", "--json and --format"),
        ("list-status --store x", "before the verb"),
        ("list-status --quiet --quiet", "multiple times"),
        ("verify --help", "see: mfactl help verify"),
        ("verify -h", "see: mfactl help verify"),
        ("verify --version", "'--version'"),
        ("verify -V", "'-V'"),
        ("verify alice 123456", "never an argument"),
        ("verify", "<NAME>"),
        ("help vrify", "verify"),
        ("enrol alice --proof nothing", "callback"),
        ("reset alice --no-enrol --keep-until-confirmed", "cannot be used with"),
        ("enrol alice --digits 8", "--allow-incompatible"),
        ("enrol alice --digits -1", "'-1'"),
        ("enrol alice --digits 99999999999999999999", "too large"),
        ("completions tcsh", "bash"),
        ("man nothing", "mfactl help"),
    ] {
        let ran = world.run(line);
        assert_eq!(ran.code, 64, "{line}: {ran:?}");
        let begin = if line.contains("--json") { "{\"error\":" } else { "mfactl: error: " };
        assert!(ran.err.starts_with(begin) && ran.err.contains(hint), "{line}: {ran:?}");
        assert!(ran.out.is_empty() && ran.err.lines().count() <= 2, "{line}: {ran:?}");
    }
}

#[test]
fn user_names_like_options_never_end_in_an_accept() {
    let world = World::new();
    for name in ["--help", "-h", "--version", "-V", "-", "--"] {
        let ran = world.run_with(&format!("verify -- {name}"), "123456\n");
        assert_eq!((ran.code, ran.out.as_str()), (65, ""), "{name}: {ran:?}");
    }
    assert_eq!(world.run_with("verify -- help", "123456\n").code, 67);
}

#[test]
fn uncommon_settings_are_named_and_need_two_codes() {
    let world = World::new();
    let ran = world.run("enrol alice --create --no-confirm --algorithm SHA256");
    assert_eq!(ran.code, 64);
    assert!(ran.err.contains("Microsoft Authenticator"), "{}", ran.err);
    let key =
        world.pending("alice", "--algorithm sha256 --digits 8 --period 60 --allow-incompatible");
    let settings = crate::domain::factor::totp::Parameters {
        algorithm: crate::domain::factor::totp::Algorithm::Sha256,
        digits: 8,
        period: 60,
    };
    let code =
        |world: &World| crate::domain::factor::totp::code_at(&key, settings, world.now.get());
    let first = world.verify("alice", &code(&world));
    assert_eq!((first.code, first.json()["device"].as_str()), (1, Some("phone")));
    assert_eq!(world.listed("alice")["status"], "pending");
    world.wait(60);
    assert_eq!(world.verify("alice", &code(&world)).json()["outcome"], "confirmed");
    assert_eq!(world.listed("alice")["locked"], false);
}

#[test]
fn an_app_that_ignores_the_settings_is_reported() {
    let mut world = World::new();
    world.terminal = Some(crate::env::Size { columns: 100, rows: 50 });
    // The seeded random numbers give the same secret in a world of the same history.
    let twin = World::new();
    let key = twin.pending("alice", "--algorithm SHA256 --allow-incompatible");
    let code: &'static str = twin.code(&key, 0).leak();
    world.answers = Some(vec![code, code, code]);
    let ran = world.run("enrol alice --create --algorithm SHA256 --allow-incompatible");
    assert!(ran.err.contains("the app ignores these settings"), "{ran:?}");
}

#[test]
fn output_files_are_new_and_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::new();
    for name in ["a.png", "a.svg"] {
        let path = world.folder.path().join(name);
        let line = format!("enrol alice --create --no-confirm --output {}", path.display());
        let ran = world.run(&line).ok();
        assert!(!ran.out.contains("otpauth") && ran.err.contains("delete the file"), "{ran:?}");
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let events = world.sql("SELECT count(*) FROM events");
        assert_eq!(world.run(&line).code, 73, "it is there already");
        assert_eq!(world.sql("SELECT count(*) FROM events"), events);
    }
    assert_eq!(world.run("enrol bob --create --no-confirm --output x.jpg").code, 64);
    let missing = world.folder.path().join("no/such/x.png");
    let ran = world.run(&format!("enrol bob --create --no-confirm --output {}", missing.display()));
    assert_eq!(ran.code, 73);
    assert!(world.listed("bob").is_null());
    let dry = world.folder.path().join("dry.png");
    let _ = world.run(&format!("reset alice --dry-run --output {}", dry.display())).ok();
    assert!(!dry.exists());
}
