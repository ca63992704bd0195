//! Lists that mfactl wrote, with names that mean other users today.

use crate::testing::World;

/// Verbs that take such a list.
const VERBS: [&str; 6] = [
    "disable",
    "delete",
    "remove-user",
    "require-mfa",
    "edit-user --language en",
    "force-new-password --old-password-opens",
];

/// Refused by this line, and nothing is changed; in a file without the name.
#[track_caller]
fn refused(world: &World, list: &str, line: &str, words: &str) {
    let events = world.sql("SELECT count(*) FROM events");
    let path = world.folder.path().join("list.csv");
    std::fs::write(&path, list).unwrap();
    for verb in VERBS {
        let ran = world.run_with(&format!("{verb} --from - --yes --json"), list);
        assert_eq!((ran.code, ran.error().as_str()), (65, "bad_input"), "{verb}: {ran:?}");
        assert!(ran.err.contains(&format!("line {line}: {words}")), "{verb}: {ran:?}");
        let ran = world.run(&format!("{verb} --from {} --yes", path.display()));
        assert!(ran.code == 65 && ran.err.contains(&format!("line {line} may mean")), "{ran:?}");
        assert!(!ran.err.contains("alice") && !ran.err.contains("bob"), "{verb}: {ran:?}");
    }
    for verb in ["enrol --create --no-confirm", "add-user"] {
        assert_eq!(world.run_with(&format!("{verb} --from - --yes"), list).code, 65, "{verb}");
    }
    assert_eq!(world.sql("SELECT count(*) FROM events"), events, "nothing was changed");
}

#[test]
fn w1_rows_of_the_log_mean_the_users_of_their_events() {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.run("edit-user alice --rename alice.martin --yes").ok();
    let csv = world.run("log --user alice.martin --format csv").ok().out;
    // Nobody has the old name.
    refused(&world, &csv, "2", "alice was the name of the user who is alice.martin today");
    let _ = world.active("alice");
    refused(&world, &csv, "2", "alice was the name of the user who is alice.martin today");
    // Written anew by a spreadsheet, with capitals.
    refused(&world, &csv.replacen("user", "User", 1), "2", "alice was the name of the user who is");
    // The events of the new alice are hers.
    let later = world.sql("SELECT max(seq) FROM events WHERE verb = 'edit-user'");
    let csv = world.run("log --format csv").ok().out;
    let is_later = |line: &&str| {
        let seq = line.split(',').next().unwrap();
        seq.parse::<u64>().map_or(true, |seq| seq >= later.parse().unwrap())
    };
    let csv = csv.lines().filter(is_later).collect::<Vec<_>>().join("\n");
    let ran = world.run_with("disable --from - --yes --json", &csv).ok().json();
    let users: Vec<_> = ran["users"].as_array().unwrap().iter().map(|u| &u["user"]).collect();
    assert_eq!(users, ["alice.martin", "alice"]);
    let another = csv.replace(&format!("\n{later},"), "\n999999,");
    let ran = world.run_with("delete --from - --yes", &another);
    assert!(ran.code == 65 && ran.err.contains("line 2 is about an event"), "{ran:?}");
}

#[test]
fn w1_an_earlier_list_of_users_means_nobody_who_has_the_name_since() {
    let world = World::new();
    let _ = world.active("bob");
    let _ = world.active("carol");
    let then = world.now.get();
    world.wait(60);
    let _ = world.run("edit-user bob --rename rob --yes").ok();
    let list = |columns: &str| {
        let at = crate::domain::time::Timestamp::from_unix(then).unwrap();
        world.run(&format!("list-status --at {at} --format csv{columns}")).ok().out
    };
    let words = "bob was the name of the user who is rob today";
    for columns in ["", " --columns user", " --columns status,user,email"] {
        refused(&world, &list(columns), "2", words);
    }
    let _ = world.active("bob");
    for columns in ["", " --columns user", " --columns status,user,email"] {
        refused(&world, &list(columns), "2", words);
    }
    // A user who kept their name is meant, and so is the user of a name in a list without a header.
    let kept =
        list("").lines().filter(|line| !line.starts_with("bob")).collect::<Vec<_>>().join("\n");
    let ran = world.run_with("disable --from - --yes --json", &kept).ok().json();
    assert_eq!(ran["users"][0]["user"], "carol");
    let ran = world.run_with("disable --from - --yes --json", "bob\n").ok().json();
    assert_eq!(ran["users"][0]["user"], "bob");
}

#[test]
fn w1_a_removed_user_is_not_the_one_who_was_added_since() {
    let world = World::new();
    let _ = world.active("bob");
    let csv = world.run("list-status --format csv").ok().out;
    let log = world.run("log --user bob --format csv").ok().out;
    let _ = world.run("remove-user bob --yes").ok();
    // Nobody has the name, so the list can make the user anew.
    assert_eq!(world.run_with("delete --from - --yes", &csv).code, 67);
    let _ = world.run_with("add-user --from - --yes", &csv).ok();
    let words = "bob was the name of a user who was removed, and is another user today";
    refused(&world, &csv, "2", words);
    refused(&world, &log, "2", words);
}
