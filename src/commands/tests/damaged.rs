//! One user whose rows don't prove is given up, and everything else goes on.

use super::table_copy::Copy;
use crate::testing::World;

const GIVE_UP: &str = "remove-user alice --damaged --yes --json --ticket HR-7";

/// alice and bob with a phone each, and a copy of the time before alice's phone was reset; a minute later.
fn stolen(world: &World) -> (Copy<'_>, String) {
    let phone = world.active("alice");
    let _ = world.active("bob");
    let copy = Copy::of(world);
    let _ = world.run("reset alice --no-enrol --yes").ok();
    let _ = world.active("alice");
    world.wait(60);
    (copy, world.code(&phone, 0))
}

/// Whether `verify-log` and `doctor` find the store whole.
fn is_whole(world: &World) -> bool {
    let doctor = world.run("doctor --json").json();
    let findings = doctor["findings"].as_array().unwrap();
    let is_good = |what| findings.iter().any(|f| f["what"] == what && f["state"] == "good");
    world.run("verify-log").code == 0 && is_good("records") && is_good("log")
}

/// What was done to the rows, in SQL, and the name under which they are then.
const DAMAGES: &[&str] = &[
    "UPDATE users SET email = 'mallory@example.com' WHERE name = 'alice'",
    "UPDATE users SET protected = 1, required = 0 WHERE name = 'alice'",
    "UPDATE users SET language = 'xx' WHERE name = 'alice'",
    "UPDATE users SET created_at = -5 WHERE name = 'alice'",
    "UPDATE users SET rev = rev + 40 WHERE name = 'alice'",
    "UPDATE users SET mac = id WHERE name = 'alice'",
    "UPDATE users SET stamp = NULL WHERE name = 'alice'",
    "UPDATE users SET id = mac WHERE name = 'alice'",
    "UPDATE users SET name = 'zed' WHERE name = 'alice'",
    "UPDATE devices SET label = 'other' WHERE \"user\" = (SELECT n FROM users WHERE name = 'alice')",
    "UPDATE devices SET state = 'nonsense' WHERE \"user\" = (SELECT n FROM users WHERE name = 'alice')",
    "DELETE FROM devices WHERE \"user\" = (SELECT n FROM users WHERE name = 'alice')",
    "DELETE FROM devices WHERE \"user\" = (SELECT n FROM users WHERE name = 'alice'); \
     DELETE FROM users WHERE name = 'alice'",
    "put back",
];

#[test]
fn w17_whatever_is_wrong_with_one_user_they_are_given_up() {
    for damage in DAMAGES {
        let world = World::new();
        let (copy, code) = stolen(&world);
        match *damage {
            "put back" => copy.put_back("alice"),
            sql => copy.sql(sql),
        }
        assert!(!is_whole(&world), "{damage}");
        let refused = world.verify("alice", &code);
        let is_gone = damage.contains("DELETE FROM users") || damage.contains("'zed'");
        if !is_gone {
            assert_eq!(refused.code, 78, "{damage}");
            assert!(
                refused.err.contains("mfactl remove-user --damaged -- alice"),
                "{damage}: {refused:?}"
            );
        }
        let dry = world.run("remove-user alice --damaged --dry-run").ok();
        assert!(
            dry.out
                .contains("would be given up; is refused as an unknown user; nothing was changed"),
            "{damage}: {dry:?}"
        );
        assert!(!is_whole(&world), "{damage}");

        let given_up = world.run(GIVE_UP).ok().json();
        assert!(!given_up["problem"].as_str().unwrap().is_empty(), "{damage}");
        assert!(is_whole(&world), "{damage}: {:?}", world.run("verify-log --json"));
        assert_eq!(world.sql("SELECT name FROM users"), "bob", "{damage}");
        assert_eq!(world.sql("SELECT count(*) FROM devices"), "1", "{damage}");
        assert_eq!(world.run("remove-user alice --damaged --yes").code, 67, "{damage}");

        // The name is free for another user, who has no device of the old one.
        let _ = world.pending("alice", "");
        assert_ne!(world.verify("alice", &code).code, 0, "{damage}");
        assert!(is_whole(&world), "{damage}");
    }
}

#[test]
fn w17_the_log_has_what_was_seen() {
    let world = World::new();
    let _ = stolen(&world);
    let before = world.now.get();
    world.wait(60);
    world.sql("UPDATE users SET email = 'mallory@example.com' WHERE name = 'alice'");
    let text = world.run("remove-user alice --damaged --yes --ticket HR-7").ok().out;
    assert_eq!(
        text,
        "alice: given up, with 2 devices; is refused as an unknown user; check the rest with: mfactl verify-log\n"
    );
    let log = world.run("log --user alice --last 1 --json").ok().json();
    let event = &log["events"][0];
    assert_eq!((&event["verb"], &event["outcome"]), (&"remove-user".into(), &"given_up".into()));
    assert_eq!((&event["ticket"], &event["user"]), (&"HR-7".into(), &"alice".into()));
    assert_eq!(event["detail"]["devices"], 2);
    let problem = event["detail"]["problem"].as_str().unwrap();
    assert_eq!(problem, "the record of alice was altered outside of mfactl");

    let changes = world.run("changes --since 30s --json").ok().json();
    let change = &changes["changes"][0];
    assert_eq!((&change["user"], &change["changes"][0]), (&"alice".into(), &"removed".into()));
    assert_eq!(change["verb"], "remove-user");
    // Nobody knows what she had then, and the list says that she is missing.
    let at = crate::domain::time::Timestamp::from_unix(before).unwrap();
    let then = world.run(&format!("list-status --json --at {at}")).ok().json();
    assert_eq!(then["users"].as_array().unwrap().len(), 1);
    assert_eq!(then["summary"]["nameless"], 1, "{then}");
    let now = world.run("list-status --json").ok().json();
    assert!(now["summary"]["nameless"].is_null());
    let report = world.folder.path().join("report.html");
    let _ = world.run(&format!("report --output {}", report.display())).ok();
}

#[test]
fn w17_a_user_who_proves_is_not_given_up() {
    let world = World::new();
    let _ = stolen(&world);
    let events = world.sql("SELECT count(*) FROM events");
    for line in [GIVE_UP, "remove-user alice --damaged --dry-run"] {
        let refused = world.run(line);
        assert_eq!(refused.code, 64, "{refused:?}");
        assert!(refused.err.contains("the record of alice is not damaged"), "{refused:?}");
    }
    assert_eq!(world.run("remove-user nobody --damaged --yes").code, 67);
    assert_eq!(world.run("remove-user alice --damaged --erase --yes").code, 64);
    assert_eq!(world.run("remove-user alice --damaged").code, 64, "no prompt");
    assert_eq!(world.sql("SELECT count(*) FROM events"), events);
    assert!(is_whole(&world));
}

#[test]
fn w17_rows_of_a_removed_user_are_given_up_again() {
    for erase in ["", "--erase"] {
        let world = World::new();
        let (copy, code) = stolen(&world);
        let _ = world.run(&format!("remove-user alice --yes {erase}")).ok();
        copy.put_back("alice");
        assert_eq!(world.verify("alice", &code).code, 78);
        assert!(!is_whole(&world));
        let _ = world.run(GIVE_UP).ok();
        assert!(is_whole(&world), "{erase}: {:?}", world.run("verify-log --json"));
        assert_eq!(world.sql("SELECT name FROM users"), "bob");
        assert_eq!(world.sql("SELECT count(*) FROM events WHERE outcome = 'given_up'"), "1");
        let names = "SELECT count(*) FROM events WHERE detail LIKE '%alice%'";
        assert!(erase.is_empty() || world.sql(names) == "0", "an erased name is in the log again");
    }
}

/// Rows that are put back after the user was given up are refused, and so is a row that the log never had.
#[test]
fn w17_a_user_who_was_given_up_does_not_come_back() {
    let world = World::new();
    let (_, code) = stolen(&world);
    let newest = Copy::named(&world, "newest");
    world.sql("UPDATE users SET language = 'xx' WHERE name = 'alice'");
    let _ = world.run(GIVE_UP).ok();
    newest.put_back("alice");
    assert_eq!(world.verify("alice", &code).code, 78);
    assert!(!is_whole(&world));
    let _ = world.run(GIVE_UP).ok();
    assert!(is_whole(&world));
    newest.put_back("alice");
    newest.sql("UPDATE users SET id = mac WHERE name = 'alice'");
    assert_eq!(world.verify("alice", &code).code, 78);
    let _ = world.run(GIVE_UP).ok();
    assert!(is_whole(&world));
    let log = world.run("log --outcome given_up --last 1 --json").ok().json();
    assert_eq!(log["events"][0]["detail"]["user"], "alice");
}

/// Names that were exchanged: each of the two is given up, and the log ends both.
#[test]
fn w17_exchanged_names_are_given_up_one_by_one() {
    let world = World::new();
    let _ = stolen(&world);
    let _ = world.active("carol");
    for sql in [
        "UPDATE users SET name = 'x' WHERE name = 'alice'",
        "UPDATE users SET name = 'alice' WHERE name = 'bob'",
        "UPDATE users SET name = 'bob' WHERE name = 'x'",
    ] {
        world.sql(sql);
    }
    let _ = world.run(GIVE_UP).ok();
    assert!(!is_whole(&world), "bob is still to be given up");
    let _ = world.run("remove-user bob --damaged --yes").ok();
    assert!(is_whole(&world), "{:?}", world.run("verify-log --json"));
    assert_eq!(world.sql("SELECT name FROM users"), "carol");
}

#[test]
fn w17_a_damaged_log_is_no_ground_to_give_a_user_up() {
    let world = World::new();
    let (copy, _) = stolen(&world);
    copy.put_back("alice");
    world.sql("DELETE FROM events WHERE verb = 'reset'");
    let refused = world.run(GIVE_UP);
    assert_eq!((refused.code, refused.error()), (78, "tampered".to_owned()));
    assert!(refused.err.contains("the log is damaged as well"), "{refused:?}");
    assert_eq!(world.sql("SELECT count(*) FROM users"), "2");
}

#[test]
fn w17_only_an_admin_gives_a_user_up() {
    let world = World::new();
    let _ = stolen(&world);
    world.sql("UPDATE users SET protected = 1 WHERE name = 'alice'");
    world.configure(
        "[roles]\nhelpdesk = [\"daemon\"]\nadmin = [\"bin\"]\nsecond_operator = [\"remove-user\"]\n\
         [roles.verbs]\nremove-user = [\"helpdesk\"]\n",
    );
    world.uid.set(1);
    let refused = world.run(GIVE_UP);
    assert_eq!(refused.code, 77, "{refused:?}");
    world.uid.set(2);
    let _ = world.run(GIVE_UP).ok();
    assert!(is_whole(&world));
}

#[test]
fn w17_requests_about_the_user_go_with_them() {
    let mut world = World::new();
    let _ = stolen(&world);
    let _ = world.run("edit-user alice --protected").ok();
    world.configure(
        "[roles]\nhelpdesk = [\"daemon\"]\nadmin = [\"bin\"]\nsecond_operator = [\"reset\"]\n",
    );
    world.uid.set(1);
    let _ = world.run("reset alice --yes --no-enrol").ok();
    assert_eq!(world.sql("SELECT count(*) FROM requests"), "1");
    world.uid.set(2);
    world.sql("UPDATE users SET language = 'xx' WHERE name = 'alice'");
    world.answers = Some(vec!["n"]);
    let asked = world.run("remove-user alice --damaged");
    assert!(asked.prompts.join("").contains("To give up alice"), "{asked:?}");
    assert_eq!(world.sql("SELECT count(*) FROM users"), "2");
    world.answers = Some(vec!["alice"]);
    let _ = world.run("remove-user alice --damaged").ok();
    assert_eq!(world.sql("SELECT count(*) FROM requests"), "0");
    assert!(is_whole(&world));
}
