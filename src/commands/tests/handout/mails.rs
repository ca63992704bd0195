//! `handout --mail`: who may get which mail, how often, and what the log has of it. No server listens, so that whatever
//! may go out fails after its event; tests/process/notices has one.

use serde_json::json;

use super::super::kinds::pending_yubikey;
use super::{ADMIN, HELPDESK, events};
use crate::domain::time::Span;
use crate::testing::{CommandResult, World};

const PLAIN: &str = "[notify]\nsmtp = 'smtp://127.0.0.1:9'\nfrom = 'mfa@example.org'\n";
const TLS: &str = "[notify]\nsmtp = 'smtps://127.0.0.1:9'\nfrom = 'mfa@example.org'\n";
const SECRETS: &str = "[handout]\nmail_secrets = true\n";
const WEEK: i64 = 7 * 24 * 3600;

/// Alice with an address and a pending phone.
fn world(config: &str) -> World {
    let world = World::new();
    world.configure(config);
    let _ = world.run("add-user alice --email alice@example.com").ok();
    let _ = world.pending("alice", "");
    world
}

/// The same with an active phone, after so many seconds.
fn active_after(config: &str, seconds: i64) -> World {
    let world = World::new();
    let _ = world.run("add-user alice --email alice@example.com").ok();
    let _ = world.active("alice");
    world.wait(seconds);
    world.configure(config);
    world
}

/// Verb, outcome and detail of the newest events, the oldest first.
fn logged(world: &World, count: usize) -> String {
    let columns = "verb || ' ' || outcome || ' ' || coalesce(detail, '-')";
    let newest =
        format!("SELECT {columns} AS line, seq FROM events ORDER BY seq DESC LIMIT {count}");
    world.sql(&format!("SELECT line FROM ({newest}) AS newest ORDER BY seq"))
}

const FAILED: &str = r#"notify failed {"mail":"failed","of":"handout"}"#;

/// Runs a line that may send a mail, and returns the report.
#[track_caller]
fn passes(world: &World, line: &str) -> serde_json::Value {
    let ran = world.run(&format!("{line} --json")).ok();
    assert!(ran.err.contains("warning: alice got no page: mail: "), "{line}: {ran:?}");
    let report = ran.json();
    assert_eq!((&report["sent"], &report["output"]), (&json!(false), &json!(null)), "{report}");
    report
}

/// Runs a line that is refused with this exit code and word, and asserts that nothing was logged.
#[track_caller]
fn refused(world: &World, line: &str, code: u8, error: &str) -> CommandResult {
    let before = events(world);
    let ran = world.run(&format!("{line} --json"));
    assert_eq!((ran.code, ran.error().as_str()), (code, error), "{line}: {ran:?}");
    assert_eq!(events(world), before, "{line} was logged: {ran:?}");
    ran
}

#[test]
fn without_leave_for_secrets_a_mail_has_none_and_a_failure_is_said_and_logged() {
    let world = world(PLAIN);
    let report = passes(&world, "handout alice --mail --ticket HELP-7");
    assert_eq!(
        report,
        json!({
            "schema": "mfactl.handout/1", "user": "alice", "device": "phone", "kind": "totp",
            "state": "pending", "language": "en", "languages": ["en"], "form": null,
            "output": null, "email": "alice@example.com", "sent": false, "has_secret": false,
            "has_recovery_codes": false, "recovery_codes_left": 0, "changed": false,
            "consequences": [],
        })
    );
    let mailed = r#"handout mailed {"has_secret":false}"#;
    assert_eq!(logged(&world, 2), format!("{mailed}\n{FAILED}"));
    assert_eq!(world.sql("SELECT count(*) FROM events WHERE ticket = 'HELP-7'"), "2");
    let ran = world.run("handout alice --mail").ok();
    let words = "a mail that a page for phone is waiting was not sent to alice@example.com";
    assert!(ran.out.contains(words), "{ran:?}");
    let _ = world.run("verify-log").ok();
}

#[test]
fn with_leave_the_mail_has_the_secret_of_a_pending_device_and_with_its_option_of_an_active_one() {
    let pending = world(&format!("{TLS}{SECRETS}"));
    let report = passes(&pending, "handout alice --mail --lang both --form html");
    assert_eq!((&report["has_secret"], &report["form"]), (&json!(true), &json!("html")));
    assert_eq!(report["languages"], json!(["en", "fr"]));
    let mailed = r#"handout mailed {"has_secret":true}"#;
    assert_eq!(logged(&pending, 2), format!("{mailed}\n{FAILED}"));

    let active = active_after(&format!("{TLS}{SECRETS}"), 60);
    let _ = refused(&active, "handout alice --mail", 76, "not_pending");
    let report = passes(&active, "handout alice --mail --active");
    assert_eq!((&report["has_secret"], &report["form"]), (&json!(true), &json!("pdf")));
    let mailed = r#"handout mailed_active {"has_secret":true}"#;
    assert_eq!(logged(&active, 2), format!("{mailed}\n{FAILED}"));
    active.configure(PLAIN);
    assert_eq!(passes(&active, "handout alice --mail --active")["has_secret"], false);
    assert!(logged(&active, 2).starts_with("handout mailed {"), "no secret of it was shown");
}

#[test]
fn a_page_without_a_secret_is_attached_without_leave_and_without_tls() {
    let world = World::new();
    world.configure(PLAIN);
    let _ = world.run("add-user alice --email alice@example.com").ok();
    let _ = pending_yubikey(&world, "alice");
    let report = passes(&world, "handout alice --mail --form txt");
    assert_eq!((&report["has_secret"], &report["form"]), (&json!(false), &json!("txt")));
}

#[test]
fn what_fits_no_mail_is_misuse_and_no_server_is_a_configuration_error() {
    let world = world(PLAIN);
    let _ = refused(&world, "handout alice", 64, "usage");
    let file = world.folder.path().join("a.html");
    let line = format!("handout alice --form html --output {}", file.display());
    let ran = refused(&world, &line, 64, "usage");
    assert!(ran.err.contains("--form: "), "{ran:?}");
    let _ =
        refused(&world, &format!("handout alice --mail --output {}", file.display()), 64, "usage");
    assert!(!file.exists());
    let ran = refused(&world, "handout alice --mail --recovery-codes --yes", 64, "usage");
    assert!(ran.err.contains("--recovery-codes"), "{ran:?}");
    for config in ["", SECRETS, "[notify]\nhook = ['/bin/true']\n"] {
        world.configure(config);
        let ran = refused(&world, "handout alice --mail", 78, "config");
        assert!(ran.err.contains("notify.smtp: is missing"), "{config}: {ran:?}");
    }
}

#[test]
fn a_secret_goes_over_tls_only() {
    let world = world(&format!("{PLAIN}{SECRETS}"));
    let ran = refused(&world, "handout alice --mail", 78, "config");
    assert!(ran.err.contains("notify.smtp: has no TLS"), "{ran:?}");
    for scheme in ["smtps", "smtp+starttls"] {
        world.configure(&format!("{PLAIN}{SECRETS}").replace("smtp://", &format!("{scheme}://")));
        assert_eq!(passes(&world, "handout alice --mail")["has_secret"], true, "{scheme}");
    }
}

#[test]
fn a_user_without_an_address_or_with_mfa_switched_off_gets_no_mail() {
    for config in [PLAIN.to_owned(), format!("{TLS}{SECRETS}")] {
        let world = World::new();
        world.configure(&config);
        let _ = world.pending("alice", "");
        let ran = refused(&world, "handout alice --mail", 76, "no_address");
        assert!(ran.err.contains("email: alice has no e-mail address"), "{ran:?}");

        let world = active_after("", 60);
        let _ = world.run("disable alice --yes").ok();
        world.configure(&config);
        let _ = refused(&world, "handout alice --mail --active", 76, "disabled");
        let _ = world.run("enable alice --quiet").ok();
        let _ = passes(&world, "handout alice --mail --active");
    }
}

#[test]
fn a_secret_goes_to_no_address_that_was_changed_in_the_last_seven_days() {
    let config = format!("{TLS}{SECRETS}");
    let line = "handout alice --mail --active";
    for changes in [
        &["edit-user alice --email eve@example.com"][..],
        &["edit-user alice --email eve@example.com", "edit-user alice --email alice@example.com"],
        &["edit-user alice --rename eve --yes", "edit-user eve --rename alice --yes"],
    ] {
        let world = active_after(&config, 2 * WEEK);
        for change in changes {
            let _ = world.run(change).ok();
        }
        let ran = refused(&world, line, 76, "address_changed");
        assert!(ran.err.contains("in the last 7 days"), "{ran:?}");
        world.wait(WEEK - 60);
        let _ = refused(&world, line, 76, "address_changed");
        world.configure(TLS);
        assert_eq!(passes(&world, line)["has_secret"], false, "no secret, no rule");
        world.configure(&config);
        world.wait(120);
        assert_eq!(passes(&world, line)["has_secret"], true, "{changes:?}");
    }
    let world = active_after(&config, 2 * WEEK);
    let _ = world.run("edit-user alice --display-name Alice").ok();
    assert_eq!(passes(&world, line)["has_secret"], true, "another field");
}

#[test]
fn the_address_of_a_new_user_is_as_they_came_unless_somebody_had_their_name() {
    let config = format!("{TLS}{SECRETS}");
    let world = world(&config);
    assert_eq!(passes(&world, "handout alice --mail")["has_secret"], true);
    let _ = world.run("remove-user alice --yes").ok();
    let _ = world.run("add-user alice --email eve@example.com").ok();
    let _ = world.pending("alice", "");
    let ran = refused(&world, "handout alice --mail", 76, "address_changed");
    assert!(ran.err.contains("a name that another had"), "{ran:?}");
    // Made with an address later.
    let world = World::new();
    world.configure(&config);
    let _ = world.pending("alice", "");
    let _ = world.run("edit-user alice --email alice@example.com").ok();
    let _ = refused(&world, "handout alice --mail", 76, "address_changed");
}

#[test]
fn a_log_that_can_not_tell_is_no_proof_of_an_old_address() {
    let config = format!("{TLS}{SECRETS}");
    let line = "handout alice --mail --active";
    let world = active_after(&config, 2 * WEEK);
    let _ = world.run("edit-user alice --email eve@example.com").ok();
    world.wait(60);
    let _ = world.run("log --prune --before now --yes").ok();
    let ran = refused(&world, line, 76, "address_changed");
    assert!(ran.err.contains("the log begins at"), "{ran:?}");
    let world = active_after(&config, 2 * WEEK);
    let _ = world.run("edit-user alice --email eve@example.com").ok();
    let _ = world.run("add-user bob").ok();
    let _ = world.sql("DELETE FROM events WHERE verb = 'edit-user'");
    let ran = world.run(&format!("{line} --json"));
    assert_eq!((ran.code, ran.error().as_str()), (78, "tampered"), "{ran:?}");
}

#[test]
fn a_user_gets_three_mails_an_hour() {
    let world = world(PLAIN);
    let _ = world.run("add-user bob --email bob@example.com").ok();
    let _ = world.pending("bob", "");
    for _ in 0..3 {
        let _ = passes(&world, "handout alice --mail");
        world.wait(60);
    }
    let ran = refused(&world, "handout alice --mail", 76, "too_many_mails");
    assert!(ran.err.contains("2026-01-01T01:00:00Z"), "{ran:?}");
    let _ = refused(&world, "handout alice --mail --dry-run", 76, "too_many_mails");
    let ran = world.run("handout bob --mail").ok();
    assert!(ran.err.contains("bob got no page"), "another user waits for nobody: {ran:?}");
    world.wait(i64::try_from(Span::hours(1).0).unwrap() - 180);
    let _ = refused(&world, "handout alice --mail", 76, "too_many_mails");
    world.wait(1);
    let _ = passes(&world, "handout alice --mail");
    let _ = refused(&world, "handout alice --mail", 76, "too_many_mails");
}

#[test]
fn a_rehearsal_asks_every_rule_sends_nothing_and_logs_nothing() {
    let world = world(&format!("{TLS}{SECRETS}"));
    for _ in 0..5 {
        let before = events(&world);
        let ran = world.run("handout alice --mail --dry-run").ok();
        assert!(ran.out.contains("would go to alice@example.com; nothing was sent"), "{ran:?}");
        assert_eq!((events(&world), ran.err.as_str()), (before, ""));
    }
    let report = world.run("handout alice --mail --dry-run --json").ok().json();
    assert_eq!((&report["sent"], &report["dry_run"]), (&json!(false), &json!(true)));
    world.configure(&format!("{PLAIN}{SECRETS}"));
    let _ = refused(&world, "handout alice --mail --dry-run", 78, "config");
}

#[test]
fn what_the_helpdesk_needs_for_a_file_it_needs_for_a_mail() {
    let roles = "[roles]\nhelpdesk = ['daemon']\nadmin = ['sys']\n\
                 [roles.verbs]\nshow-qr = ['admin']\n[helpdesk]\nticket = ['show-qr']\n";
    let world = world("");
    world.configure(&format!("{PLAIN}{roles}"));
    world.uid.set(HELPDESK);
    let _ = refused(&world, "handout alice --mail", 77, "not_permitted");
    world.uid.set(ADMIN);
    let ran = world.run("handout alice --mail --json");
    assert_ne!(ran.code, 0, "no ticket: {ran:?}");
    let _ = passes(&world, "handout alice --mail --ticket HELP-7");
}
