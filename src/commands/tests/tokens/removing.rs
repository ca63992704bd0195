//! Tokens that come back, with their users or without.

use super::{HOTP, TOTP, TOUCHES, YUBIKEY, free, hotp, listed, of, outcome, sound, stocked, totp};
use crate::testing::World;

#[test]
fn a_token_comes_back_with_its_counter_and_goes_to_somebody_else() {
    let world = stocked();
    for (serial, used, next) in [
        (TOTP, totp(&world, 0), totp(&world, 1)),
        (HOTP, hotp(4), hotp(5)),
        (YUBIKEY, TOUCHES[1].to_owned(), TOUCHES[2].to_owned()),
    ] {
        let _ = world.run(&format!("assign {serial} alice --no-confirm")).ok();
        let _ = world.verify("alice", &used).ok();
        let ran = world.run(&format!("unassign {serial} --yes --json")).ok().json();
        assert_eq!((&ran["user"], &ran["serial"]), (&"alice".into(), &serial.into()), "{ran}");
        assert_eq!(ran["status"], "not_enabled");
        assert_eq!(listed(&world, serial), free());
        let again = world.run(&format!("unassign {serial} --yes --json")).ok().json();
        assert_eq!((&again["changed"], &again["user"]), (&false.into(), &serde_json::Value::Null));
        let _ = world.run(&format!("assign {serial} bob --no-confirm --device {serial}")).ok();
        assert_eq!(outcome(&world.verify("bob", &used)), "replayed", "{serial}");
        assert_eq!(outcome(&world.verify("bob", &next)), "confirmed", "{serial}");
        assert_ne!(world.verify("alice", &next).code, 0, "{serial}");
    }
    sound(&world);
}

#[test]
fn a_token_comes_back_in_every_state() {
    for (state, line) in [
        ("pending", ""),
        ("active", "verify"),
        ("disabled", "disable alice --yes"),
        ("revoked", "delete alice --yes"),
        ("revoked", "reset alice --yes --no-enrol"),
    ] {
        let world = stocked();
        let _ = world.run("assign MFA0001 alice --no-confirm").ok();
        match line {
            "" => {}
            "verify" => drop(world.verify("alice", &totp(&world, 0)).ok()),
            line => drop(world.run(line).ok()),
        }
        assert_eq!(listed(&world, TOTP), of("alice", state));
        assert_eq!(world.run("assign MFA0001 bob").code, 76, "{state}: still assigned");
        let mut world = world;
        world.answers = Some(vec!["n"]);
        assert_eq!(world.run("unassign MFA0001").code, 1);
        world.answers = Some(vec!["y"]);
        let ran = world.run("unassign MFA0001").ok();
        assert!(
            ran.prompts[0].contains(&format!("Their device token ({state}) is gone for good")),
            "{ran:?}"
        );
        assert_eq!(listed(&world, TOTP), free());
        sound(&world);
    }
}

#[test]
fn no_undo_brings_a_token_back() {
    let world = stocked();
    world.active("alice");
    let _ = world.run("assign MFA0001 alice --active --proof video").ok();
    let _ = world.run("delete alice --yes").ok();
    let _ = world.run("unassign MFA0001 --yes").ok();
    let _ = world.run("assign MFA0001 bob --active --proof video").ok();
    let undone = world.run("undo alice --yes --json").ok().json();
    assert_eq!(undone["restored"], serde_json::json!(["phone"]), "{undone}");
    assert_eq!(listed(&world, TOTP), of("bob", "active"));
    assert_ne!(world.verify("alice", &totp(&world, 0)).code, 0);
    sound(&world);
    // Where it was the only device, nothing is left to take back.
    let world = stocked();
    let _ = world.run("assign MFA0001 alice --active --proof video").ok();
    let _ = world.run("delete alice --yes").ok();
    let _ = world.run("unassign MFA0001 --yes").ok();
    assert_eq!(world.run("undo alice --yes").code, 76);
}

#[test]
fn an_undo_before_the_token_leaves_it_with_its_user() {
    let world = stocked();
    world.active("alice");
    let _ = world.run("reset alice --yes --no-enrol").ok();
    let _ = world.run("assign MFA0001 alice --no-confirm").ok();
    let _ = world.run("undo alice --yes").ok();
    assert_eq!(listed(&world, TOTP), of("alice", "revoked"), "pending, but not lost");
    let _ = world.run("unassign MFA0001 --yes").ok();
    assert_eq!(listed(&world, TOTP), free());
    sound(&world);
}

#[test]
fn a_revoked_token_outlives_the_undo_time_and_other_devices() {
    let world = stocked();
    let _ = world.run("assign MFA0001 alice --active --proof video").ok();
    let _ = world.run("delete alice --yes").ok();
    world.wait(40 * 24 * 3600);
    for _ in 0..20 {
        let _ = world.run("enrol alice --no-confirm --json").ok();
        let _ = world.run("delete alice --yes").ok();
    }
    assert_eq!(listed(&world, TOTP), of("alice", "revoked"));
    let _ = world.run("enrol alice --device token --no-confirm --json").ok();
    let _ = world.run("unassign MFA0001 --yes").ok();
    assert_eq!(listed(&world, TOTP), free());
    sound(&world);
}

#[test]
fn a_pending_token_is_replaced_by_no_enrolment() {
    let world = stocked();
    let _ = world.run("assign MFA0001 alice --no-confirm").ok();
    let ran = world.run("enrol alice --device token --no-confirm --json");
    assert_eq!((ran.code, ran.error().as_str()), (76, "already_enrolled"), "{ran:?}");
    world.wait(30 * 24 * 3600);
    for n in 0..8 {
        let _ = world.run(&format!("enrol alice --device p{n} --no-confirm --json"));
    }
    assert_eq!(listed(&world, TOTP), of("alice", "pending"), "expired, but not lost");
}

#[test]
fn the_tokens_of_a_removed_user_are_free_again() {
    for line in
        ["remove-user alice --yes", "remove-user alice --erase --yes", "remove-user --from - --yes"]
    {
        let world = stocked();
        let _ = world.run("assign MFA0001 alice --active --proof video").ok();
        let _ = world.run("assign MFA0002 alice --no-confirm --device second").ok();
        let dry = world.run_with(&format!("{line} --dry-run"), "alice\n").ok();
        let words = "the tokens MFA0001, MFA0002 go back to the inventory";
        assert!(dry.out.contains(words), "{dry:?}");
        let ran = world.run_with(&format!("{line} --json"), "alice\n").ok();
        assert!(ran.out.contains(words), "{ran:?}");
        for serial in [TOTP, HOTP] {
            assert_eq!(listed(&world, serial), free(), "{line}");
        }
        let _ = world.run("assign MFA0001 bob --no-confirm").ok();
        assert_eq!(outcome(&world.verify("bob", &totp(&world, 0))), "confirmed");
        sound(&world);
    }
}

#[test]
fn the_tokens_of_a_damaged_user_are_lost_and_can_be_removed_and_added_again() {
    let world = stocked();
    let _ = world.run("assign MFA0001 alice --active --proof video").ok();
    world.sql("UPDATE users SET email = 'x@y' WHERE name = 'alice'");
    assert_eq!(world.run("unassign MFA0001 --yes").code, 78);
    let ran = world.run("remove-user alice --damaged --yes").ok();
    assert!(ran.out.contains("given up"), "{ran:?}");
    assert_eq!(listed(&world, TOTP), ("lost".to_owned(), None));
    for line in ["assign MFA0001 bob", "unassign MFA0001 --yes"] {
        let ran = world.run(&format!("{line} --json"));
        assert_eq!((ran.code, ran.error().as_str()), (76, "token_lost"), "{line}: {ran:?}");
    }
    let doctor = world.run("doctor --json").json();
    let findings = doctor["findings"].as_array().unwrap();
    let tokens = findings.iter().find(|finding| finding["what"] == "tokens").unwrap();
    assert_eq!(tokens["state"], "warning", "{tokens}");
    assert!(
        tokens["words"]
            .as_str()
            .unwrap()
            .starts_with("1 of 5 tokens lost with their users: MFA0001;"),
        "{tokens}"
    );
    let ran = world.run("remove-token MFA0001 --yes --json").ok().json();
    assert_eq!(ran["state"], "lost");
    let doctor = world.run("doctor").out;
    assert!(doctor.contains("4 tokens, of which 4 are free"), "{doctor}");
    let file = "MFA0001,6d666163746c2d73616d706c652d616c69636521,totp,6,30\n";
    let _ = world.run_with("add-tokens - --yes", file).ok();
    assert_eq!(listed(&world, TOTP), free());
    let _ = world.run("assign MFA0001 bob --active --proof video").ok();
    assert_eq!(outcome(&world.verify("bob", &totp(&world, 0))), "replayed");
    sound(&world);
}

#[test]
fn no_code_comes_back_with_a_token_that_is_removed_and_added_again() {
    let world = stocked();
    let file = "NEW,6d666163746c2d73616d706c652d6361726f6c21,hotp,6\n";
    let _ = world.run("assign MFA0002 alice --active --proof video").ok();
    let _ = world.verify("alice", &hotp(4)).ok();
    let _ = world.run("unassign MFA0002 --yes").ok();
    let _ = world.run("remove-token MFA0002 --yes").ok();
    assert!(!world.run("list-tokens").ok().out.contains("MFA0002"));
    assert_eq!(world.run("assign MFA0002 bob").code, 67);
    let _ = world.run_with("add-tokens - --yes", file).ok();
    let _ = world.run("assign NEW bob --active --proof video").ok();
    for used in [0, 3, 4] {
        assert_eq!(world.verify("bob", &hotp(used)).code, 1, "{used}");
    }
    assert_eq!(outcome(&world.verify("bob", &hotp(5))), "accepted");
    sound(&world);
}

#[test]
fn a_lost_token_with_a_counter_is_not_added_again() {
    let world = stocked();
    let _ = world.run("assign MFA0002 alice --active --proof video").ok();
    let _ = world.verify("alice", &hotp(4)).ok();
    world.sql("UPDATE users SET email = 'x@y' WHERE name = 'alice'");
    let _ = world.run("remove-user alice --damaged --yes").ok();
    let _ = world.run("remove-token MFA0002 --yes").ok();
    let file = "MFA0002,6d666163746c2d73616d706c652d6361726f6c21,hotp,6\n";
    let ran = world.run_with("add-tokens - --yes", file);
    assert!(ran.code == 65 && ran.err.contains("was lost with its user"), "{ran:?}");
    let other = "MFA0002,6d666163746c2d73616d706c652d6361726f6c22,hotp,6\n";
    let _ = world.run_with("add-tokens - --yes", other).ok();
    sound(&world);
}

#[test]
fn a_device_whose_secret_was_altered_does_not_come_back() {
    let world = stocked();
    let _ = world.run("assign MFA0001 alice --active --proof video").ok();
    world.sql("UPDATE tokens SET model = 'x' WHERE serial = 'MFA0001'");
    assert_eq!(world.run("unassign MFA0001 --yes").code, 78);
    let _ = world.run("remove-user alice --yes").ok();
    assert_eq!(listed(&world, TOTP).0, "lost");
}

#[test]
fn a_token_is_removed_by_typing_its_serial() {
    let mut world = stocked();
    for (answer, code) in [("y", 1), ("MFA0002", 1), ("MFA0001", 0)] {
        world.answers = Some(vec![answer]);
        let ran = world.run("remove-token MFA0001");
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(
            ran.prompts[0],
            "To remove the token MFA0001 (totp) for ever, type the serial MFA0001"
        );
    }
    world.answers = None;
    assert_eq!(world.run("remove-token MFA0001 --yes").code, 67);
    assert_eq!(world.run("remove-token MFA0002").code, 64, "nobody to ask");
    assert_eq!(world.sql("SELECT count(*) FROM events WHERE verb = 'remove-token'"), "1");
    sound(&world);
}

#[test]
fn a_protected_user_needs_a_second_operator() {
    let world = stocked();
    let _ = world.run("assign MFA0002 alice --active --proof video").ok();
    let _ = world.run("edit-user alice --protected").ok();
    world.configure(
        "[roles]\nhelpdesk = [\"daemon\"]\nadmin = [\"sys\"]\nsecond_operator = [\"assign\", \"unassign\"]\n",
    );
    for (line, words) in [
        ("unassign MFA0002 --json", "unassign -- MFA0002"),
        ("assign MFA0001 alice --active --proof video --device desk --json", "-- MFA0001 alice"),
    ] {
        world.uid.set(1);
        let request = world.run(line).ok().json();
        assert_eq!(request["schema"], "mfactl.request/1", "{request}");
        world.uid.set(3);
        let listed = world.run("approve").ok();
        assert!(listed.out.contains(words), "{listed:?}");
        let _ = world.run(&format!("approve {} --yes", request["request"].as_str().unwrap())).ok();
    }
    assert_eq!(listed(&world, HOTP), free());
    assert_eq!(listed(&world, TOTP), of("alice", "active"));
    sound(&world);
}

#[test]
fn tokens_come_through_backup_restore_and_copy() {
    let world = stocked();
    let _ = world.run("assign MFA0001 alice --active --proof video").ok();
    let _ = world.run("assign MFA0002 bob --no-confirm").ok();
    let _ = world.run("unassign MFA0002 --yes").ok();
    let ran = world.run("show-qr alice --active --json --reveal-secrets");
    assert!(ran.code == 64 && ran.err.contains("unassign -- MFA0001"), "{ran:?}");
    assert!(ran.err.replace("\n  ", " ").contains("assign -- SERIAL alice"), "{ran:?}");
    let before = world.run("list-tokens --json").ok().out;
    let backup = world.folder.path().join("backup");
    let ran = world.run(&format!("backup {}", backup.display()));
    assert_eq!(ran.code, 0, "{ran:?}");
    let _ = world.run("unassign MFA0001 --yes").ok();
    let _ = world.run("remove-token MFA0003 --yes").ok();
    let ran = world.run(&format!("restore {} --yes --lose-newer", backup.display()));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(world.run("list-tokens --json").ok().out, before);
    assert_eq!(outcome(&world.verify("alice", &totp(&world, 0))), "accepted");
    let _ = world.run("unassign MFA0001 --yes").ok();
    sound(&world);
}

#[test]
fn reports_and_metrics_count_what_was_done_to_a_token_once() {
    let world = stocked();
    for line in [
        "assign MFA0001 alice --no-confirm --ticket T-1",
        "assign MFA0002 alice --no-confirm --device second",
        "assign ccccccnrhbfu bob --no-confirm",
        "unassign ccccccnrhbfu --yes",
        "remove-token ccccccnrhbfu --yes --ticket T-2",
        "remove-user alice --yes --ticket T-3",
    ] {
        let _ = world.run(line).ok();
    }
    let report = world.run("report --json").ok().json();
    let metrics = world.run("metrics --without-log").ok().out;
    let text = world.run("report").ok().out;
    for (verb, outcome, times, words) in [
        ("add-tokens", "done", 2, "2, none with a ticket"),
        ("assign", "pending", 3, "3, 1 with a ticket"),
        ("unassign", "done", 1, "1, none with a ticket"),
        ("remove-token", "done", 1, "1, 1 with a ticket"),
        ("remove-user", "done", 1, "1, 1 with a ticket"),
    ] {
        let counts = report["counts"].as_array().unwrap().iter().filter(|c| c["verb"] == verb);
        let counted: Vec<_> = counts.map(|c| (&c["outcome"], &c["events"])).collect();
        assert_eq!(counted, [(&outcome.into(), &times.into())], "{verb}: {report}");
        assert_eq!(report["changes"][verb]["total"], times, "{verb}");
        assert!(text.contains(&format!("{:<22}{words}\n", format!("{verb}:"))), "{verb}: {text}");
        let line = format!("mfactl_events_total{{event=\"{verb}\",outcome=\"");
        let lines: Vec<_> = metrics.lines().filter(|l| l.starts_with(&line)).collect();
        assert_eq!(lines, [format!("{line}{outcome}\"}} {times}")], "{metrics}");
    }
    sound(&world);
}

#[test]
fn a_token_that_the_user_has_is_not_assigned_again() {
    let world = stocked();
    let _ = world.run("assign MFA0001 alice --no-confirm").ok();
    let events = || world.sql("SELECT count(*) FROM events");
    let before = events();
    for line in ["", " --no-confirm", " --device token", " --dry-run"] {
        let again = world.run(&format!("assign mfa0001 alice --json{line}")).ok().json();
        assert_eq!(
            (&again["changed"], &again["device"]),
            (&false.into(), &"token".into()),
            "{again}"
        );
    }
    for line in ["bob", "alice --device other", "alice --active --proof in-person"] {
        assert_eq!(world.run(&format!("assign MFA0001 {line}")).code, 76, "{line}");
    }
    assert_eq!(events(), before);
    let _ = world.verify("alice", &totp(&world, 0)).ok();
    let again = world.run("assign MFA0001 alice --active --proof in-person").ok();
    assert!(again.out.contains("nothing to change"), "{again:?}");
    let _ = world.run("disable alice --yes").ok();
    assert_eq!(world.run("assign MFA0001 alice").code, 76);
    sound(&world);
}

#[test]
fn a_serial_is_suggested_as_it_is_listed() {
    let world = stocked();
    let ran = world.run("assign mfa00002 alice");
    assert!(ran.code == 66 || ran.code == 67, "{ran:?}");
    assert!(ran.err.contains("MFA0002") && !ran.err.contains("mfa0002"), "{ran:?}");
}

#[test]
fn backups_and_copies_say_how_many_tokens_they_have() {
    for (world, tokens, words) in
        [(stocked(), 5, ", 5 tokens and "), (World::new(), 0, " devices and ")]
    {
        let file = world.folder.path().join("b.backup");
        let ran = world.run(&format!("backup {}", file.display())).ok();
        assert!(ran.out.contains(words), "{ran:?}");
        let ran = world.run(&format!("restore {} --yes --dry-run", file.display())).ok();
        assert!(ran.out.contains(words), "{ran:?}");
        let again = world.folder.path().join("again.backup");
        let json = world.run(&format!("backup {} --json", again.display())).ok().json();
        assert_eq!(json["tokens"], tokens, "{json}");
    }
}
