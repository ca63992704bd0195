//! A row that can't be read names its user, whatever reads it.

use crate::testing::World;

/// Makes a row of this user unreadable.
fn damages(name: &str) -> Vec<String> {
    let of = format!("\"user\" = (SELECT n FROM users WHERE name = '{name}')");
    vec![
        format!("UPDATE users SET undo = '{{bad' WHERE name = '{name}'"),
        format!("UPDATE users SET language = 'xx' WHERE name = '{name}'"),
        format!("UPDATE users SET created_at = 9223372036854775807 WHERE name = '{name}'"),
        format!("UPDATE devices SET state = 'foo' WHERE {of}"),
        format!("UPDATE devices SET last_step = -9 WHERE {of}"),
    ]
}

const WAY_OUT: &str = "or give the user up: mfactl remove-user --damaged -- bob";

#[test]
fn w17_an_unreadable_row_names_its_user_in_every_verb() {
    for damage in damages("bob") {
        let world = World::new();
        for name in ["alice", "bob", "carol"] {
            let _ = world.active(name);
        }
        world.sql(&damage);
        for verb in [
            "list-status",
            "list-status --at 2026-01-01T00:00:00Z",
            "list-status --json",
            "check coverage",
            "report",
            "show-user bob",
            "undo bob --list",
            "delete bob --yes",
            "verify-log",
        ] {
            let ran = world.run(verb);
            assert_ne!(ran.code, 0, "{damage}: {verb}: {ran:?}");
            let said = ran.out + &ran.err;
            assert!(said.contains("the record of bob can't be read: table "), "{verb}: {said}");
            let says_more = !verb.starts_with("check") && verb != "verify-log";
            assert_eq!(said.contains(WAY_OUT), says_more, "{verb}: {said}");
        }
        let _ = world.run("show-user alice").ok();
        let _ = world.run("remove-user bob --damaged --yes").ok();
        let _ = world.run("list-status").ok();
        let _ = world.run("verify-log").ok();
    }
}

#[test]
fn w17_doctor_names_every_damaged_user() {
    let world = World::new();
    let names: Vec<_> = (0..6).map(|n| format!("user{n}")).collect();
    for name in &names {
        let _ = world.active(name);
    }
    let more = ["UPDATE users SET email = 'x@example.com' WHERE name = 'user5'".to_owned()];
    let mut bad = Vec::new();
    for (name, n) in names.iter().zip(0..) {
        world.sql(damages(name).get(n).unwrap_or(&more[0]));
        bad.push(name);
    }
    let _ = world.active("whole");
    let report = world.run("doctor --json");
    assert_eq!(report.code, 1);
    let report = report.json();
    let findings = report["findings"].as_array().unwrap();
    let of_records: Vec<_> = findings
        .iter()
        .filter(|finding| finding["what"] == "records")
        .map(|finding| finding["words"].as_str().unwrap())
        .collect();
    assert_eq!(of_records.len(), bad.len(), "{of_records:?}");
    for (words, name) in of_records.iter().zip(bad) {
        assert!(words.starts_with(&format!("the record of {name} ")), "{words}");
        assert!(words.ends_with(&format!("mfactl remove-user --damaged -- {name}")), "{words}");
    }
    for name in &names {
        let _ = world.run(&format!("remove-user {name} --damaged --yes")).ok();
    }
    let _ = world.run("verify-log").ok();
}

#[test]
fn w17_doctor_names_twenty_damaged_users_and_counts_the_others() {
    let world = World::new();
    for n in 0..23 {
        let _ = world.run(&format!("add-user user{n:02}")).ok();
    }
    world.sql("UPDATE users SET language = 'xx'");
    let report = world.run("doctor").out;
    assert_eq!(report.matches("column language; restore a backup").count(), 20, "{report}");
    assert!(report.contains("3 other users are damaged too"), "{report}");
}
