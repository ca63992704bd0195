//! Finding people, seeing whom a verb changes, and being asked before it does.

use crate::env::Size;
use crate::testing::World;

const ALICE: &str = "alice, alice@example.com";

/// Alice with a phone, Bob and Carol with one address, and Hélène.
fn world() -> World {
    let world = World::new();
    let _ = world.active("alice");
    for line in [
        "edit-user alice --email alice@example.com",
        "add-user bob --email shared@example.com",
        "add-user carol --email Shared@Example.com --group martinis",
        "add-user helene --display-name Hélène --email h&h@example.com",
    ] {
        let _ = world.run(line).ok();
    }
    world.wait(30);
    world
}

fn at_a_terminal(mut world: World, answers: &[&'static str]) -> World {
    world.terminal = Some(Size { columns: 80, rows: 24 });
    world.answers = Some(answers.to_vec());
    world
}

fn found(world: &World, text: &str) -> Vec<String> {
    let ran = world.run(&format!("find --json {text}"));
    let json = ran.json();
    let users = json["users"].as_array().unwrap();
    assert_eq!(ran.code, u8::from(users.is_empty()), "{ran:?}");
    users.iter().map(|user| user["user"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn d6_find_needs_no_key_and_ranks_what_it_finds() {
    let world = world();
    std::fs::remove_dir_all(world.folder.path().join("key")).unwrap();
    let before = world.sql("SELECT count(*) FROM events");
    assert_eq!(found(&world, "alice"), ["alice"]);
    assert_eq!(found(&world, "SHARED@example.com"), ["bob", "carol"]);
    assert_eq!(found(&world, "HELENE"), ["helene"]);
    assert_eq!(found(&world, "martini"), ["carol"]);
    assert_eq!(found(&world, "bob carol"), [""; 0]);
    assert_eq!(
        found(&world, "l"),
        ["alice", "bob", "carol", "helene"],
        "by name where the rank is one"
    );
    assert_eq!(found(&world, "example b"), ["bob"]);
    let listed = world.run("list-status --json").ok().json();
    let line = world.run("find --json alice").ok().json()["users"][0].clone();
    assert_eq!(listed["users"][0], line, "as list-status has it");
    let limited = world.run("find --json --limit 1 e").ok().json();
    assert_eq!(
        (limited["summary"]["found"].as_u64(), limited["summary"]["shown"].as_u64()),
        (Some(4), Some(1))
    );
    assert_eq!(world.sql("SELECT count(*) FROM events"), before);
}

#[test]
fn d6_find_finds_nobody_in_an_empty_store_and_refuses_bad_text() {
    let world = World::new();
    let ran = world.run("find alice");
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert_eq!(ran.err, "mfactl: nobody is found by \"alice\"\n");
    assert_eq!(found(&world, "alice"), [""; 0]);
    for (line, code) in [("find", 64), ("find a\u{1b}[2J", 65), ("find --limit 0 a", 64)] {
        assert_eq!(world.run(line).code, code, "{line}");
    }
    assert_eq!(World::empty().run("find alice").code, 69);
    let ran = at_a_terminal(world, &["x"]).run("unlock");
    assert_eq!((ran.code, ran.prompts.len()), (67, 0), "{ran:?}");
}

#[test]
fn d6_hostile_text_in_the_store_is_escaped() {
    let world = world();
    world.sql("UPDATE users SET display_name = 'x\u{1b}[2J' WHERE name = 'bob'");
    let found = world.run("find bob").ok();
    assert!(found.out.contains("x\\u{1b}[2J"), "{found:?}");
    let world = at_a_terminal(world, &["bob"]);
    let ran = world.run("unlock");
    assert!(ran.prompts.iter().chain([&ran.err]).all(|text| !text.contains('\u{1b}')), "{ran:?}");
}

#[test]
fn d6_list_status_matches_as_find_does_and_with_other_filters() {
    let world = world();
    let names = |options: &str| {
        let json = world.run(&format!("list-status --json {options}")).ok().json();
        let users = json["users"].as_array().unwrap().clone();
        users.iter().map(|user| user["user"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("--match shared"), ["bob", "carol"]);
    assert_eq!(names("--match shared --group martinis"), ["carol"]);
    assert_eq!(names("--match helene --at 2026-01-01T00:00:30Z"), ["helene"]);
    assert_eq!(names("--match E --without-mfa --reverse"), ["helene", "carol", "bob"]);
    assert_eq!(world.run("list-status --match \u{301}").code, 64);
}

#[test]
fn d6_an_address_stands_for_its_one_user_after_a_question() {
    let world = at_a_terminal(world(), &["y"]);
    let ran = world.run("unlock ALICE@example.com").ok();
    assert_eq!(ran.prompts, ["\"ALICE@example.com\" is this user's e-mail address. Is it them?"]);
    assert!(ran.err.starts_with(ALICE) && ran.out.starts_with("alice: not locked"), "{ran:?}");
    // One question says who it is, the other what follows; the user is shown once.
    let world = at_a_terminal(world, &["y", "y"]);
    let ran = world.run("disable alice@example.com").ok();
    assert_eq!((ran.prompts.len(), ran.err.matches(ALICE).count()), (2, 1), "{ran:?}");
    assert_eq!(world.listed("alice")["status"], "disabled");
    // No name may have an &.
    let world = at_a_terminal(world, &["y"]);
    let ran = world.run("require-mfa h&h@example.com").ok();
    assert!(ran.out.starts_with("helene: "), "{ran:?}");
}

#[test]
fn d6_a_no_to_the_address_changes_nothing() {
    let world = at_a_terminal(world(), &["n"]);
    for verb in ["unlock", "disable", "remove-user", "reset --no-enrol", "enrol --device tablet"] {
        let before = world.sql("SELECT count(*) FROM events");
        let ran = world.run(&format!("{verb} alice@example.com"));
        assert_eq!((ran.code, ran.prompts.len()), (1, 1), "{verb}: {ran:?}");
        assert!(ran.err.ends_with("mfactl: nothing was changed\n"), "{ran:?}");
        assert_eq!(world.sql("SELECT count(*) FROM events"), before, "{verb}");
    }
}

#[test]
fn d6_where_nobody_is_asked_only_names_count_and_the_hint_names_the_user() {
    let mut world = world();
    let hint = "alice has this e-mail address: mfactl disable -- alice";
    let file = world.folder.path().join("names.txt");
    std::fs::write(&file, "alice@example.com\n").unwrap();
    for (answers, line) in [
        (None, "disable alice@example.com"),
        (None, "disable alice@example.com --yes"),
        (Some(vec!["y", "y"]), "disable alice@example.com --yes"),
        (Some(vec!["y", "y"]), "disable alice@example.com --json"),
        (Some(vec!["y", "y"]), "disable alice@example.com --no-input"),
    ] {
        world.answers = answers;
        let ran = world.run(line);
        assert!(ran.code == 67 && ran.err.contains(hint) && ran.prompts.is_empty(), "{ran:?}");
    }
    world.answers = None;
    let listed = world.run(&format!("disable --yes --from {}", file.display()));
    assert_eq!(listed.code, 67, "{listed:?}");
    assert_eq!(world.listed("alice")["status"], "enabled");
    for line in ["verify alice@example.com", "sign-in alice@example.com"] {
        let ran = world.run_with(line, "123456");
        assert!(ran.code != 0 && !ran.err.contains("has this e-mail"), "{ran:?}");
    }
    world.answers = Some(vec!["123456"]);
    let ran = world.run("verify alice@example.com");
    assert!(ran.code == 67 && ran.prompts.is_empty() && !ran.err.contains("has this"), "{ran:?}");
}

#[test]
fn d6_a_name_comes_before_an_address_and_looking_asks_nothing() {
    let world = world();
    let _ = world.run("add-user alice@example.com --display-name Other").ok();
    assert_eq!(
        world.run("show-user alice@example.com --json").ok().json()["user"],
        "alice@example.com"
    );
    let _ = world.run("unlock alice@example.com").ok();
    assert_eq!(world.run("show-user h&h@example.com --json").ok().json()["user"], "helene");
    let ran = world.run("show-user shared@example.com");
    let both = "bob, shared@example.com; carol, Shared@Example.com";
    assert!(ran.code == 67 && ran.err.contains(both), "{ran:?}");
    let ran = at_a_terminal(world, &["y"]).run("unlock shared@example.com");
    let unwrapped = ran.err.replace("\n  ", " ");
    assert!(ran.code == 67 && unwrapped.contains(both) && ran.prompts.is_empty(), "{ran:?}");
}

#[test]
fn d6_without_a_name_the_verbs_search_at_a_terminal() {
    let world = at_a_terminal(world(), &["shared>1", "y"]);
    let ran = world.run("unlock").ok();
    assert_eq!(
        ran.prompts,
        ["unlock whom?", "bob, shared@example.com", "carol, Shared@Example.com", "Is it them?"]
    );
    assert!(ran.err.starts_with("carol, Shared@Example.com\n"), "{ran:?}");
    assert!(ran.out.starts_with("carol: "), "{ran:?}");
    for verb in [
        "enrol",
        "reset",
        "disable",
        "enable",
        "delete",
        "force-new-password",
        "undo",
        "bypass --for 1h",
        "recovery-codes",
        "diagnose",
        "resync",
        "show-user",
        "show-qr",
        "edit-user --add-group x",
        "require-mfa",
        "remove-user",
        "set-password",
    ] {
        for answer in ["", "nobody-at-all"] {
            let world = at_a_terminal(World::new(), &[]);
            let _ = world.run("add-user alice").ok();
            let world = at_a_terminal(world, &[answer]);
            let before = world.sql("SELECT count(*) FROM events");
            let ran = world.run(verb);
            assert_eq!((ran.code, ran.prompts.len()), (1, 1), "{verb}: {ran:?}");
            assert!(ran.err.ends_with("mfactl: nothing was changed\n"), "{verb}: {ran:?}");
            assert_eq!(world.sql("SELECT count(*) FROM events"), before, "{verb}");
        }
        let mut world = World::new();
        world.answers = None;
        assert_eq!(world.run(verb).code, 64, "{verb}");
        let world = at_a_terminal(world, &["alice"]);
        let ran = world.run(&format!("{verb} --json"));
        assert!(ran.code == 64 && ran.prompts.is_empty(), "{verb}: {ran:?}");
    }
}

#[test]
fn d6_the_search_lists_twenty_and_counts_the_rest() {
    let world = World::new();
    for n in 0..25 {
        let _ = world.run(&format!("add-user user{n:02} --display-name Martin")).ok();
    }
    let world = at_a_terminal(world, &["martin>19"]);
    let ran = world.run("show-user --json");
    assert_eq!(ran.code, 64, "JSON is for programs");
    let ran = world.run("show-user").ok();
    assert_eq!(ran.prompts.len(), 1 + 20 + 1, "{ran:?}");
    assert_eq!(ran.prompts[21], "and 5 more");
    assert!(ran.out.starts_with("user19: "), "{ran:?}");
}

#[test]
fn d6_roles_that_may_not_find_neither_search_nor_use_addresses() {
    let world = at_a_terminal(world(), &["alice", "y"]);
    world.configure("[roles]\nhelpdesk = [\"daemon\"]\n[roles.verbs]\nfind = [\"auditor\"]\n");
    world.uid.set(1);
    assert_eq!(world.run("unlock").code, 64);
    let ran = world.run("unlock alice@example.com");
    assert!(ran.code == 67 && !ran.err.contains("alice has"), "{ran:?}");
}

#[test]
fn d6_a_protected_user_who_was_searched_for_needs_the_second_operator() {
    let world = world();
    let _ = world.run("edit-user alice --protected").ok();
    let world = at_a_terminal(world, &["alice@", "y"]);
    world.configure("[roles]\nhelpdesk = [\"daemon\"]\nsecond_operator = [\"disable\"]\n");
    world.uid.set(1);
    let ran = world.run("disable").ok();
    assert!(ran.out.starts_with("alice: protected, so nothing was changed yet"), "{ran:?}");
    assert_eq!(world.run("approve").ok().out.matches("alice").count(), 1);
    assert_eq!(world.listed("alice")["status"], "enabled");
}

#[test]
fn d7_every_verb_that_asks_shows_the_user_first() {
    for (verb, answer) in [
        ("reset --no-enrol", "y"),
        ("disable", "y"),
        ("delete", "y"),
        ("force-new-password", "y"),
        ("bypass --for 1h --uses 1", "y"),
        ("recovery-codes", "y"),
        ("edit-user --rename alicia", "y"),
        ("remove-user", "alice"),
    ] {
        let before = world();
        let events = before.sql("SELECT count(*) FROM events");
        let refused = at_a_terminal(before, &["n"]);
        let ran = refused.run(&format!("{verb} alice"));
        assert_eq!((ran.code, ran.prompts.len()), (1, 1), "{verb}: {ran:?}");
        let lines = format!(
            "{ALICE}\n  1 device: phone (active, last used 2026-01-01T00:00:00Z (30 s ago))\n"
        );
        assert!(ran.err.starts_with(&lines), "{verb}: {ran:?}");
        assert_eq!(refused.sql("SELECT count(*) FROM events"), events, "{verb}");
        let agreed = at_a_terminal(refused, &[answer]);
        let ran = agreed.run(&format!("{verb} alice")).ok();
        assert_eq!(ran.prompts.len(), 1, "{verb}: {ran:?}");
        assert_ne!(agreed.sql("SELECT count(*) FROM events"), events, "{verb}");
    }
}

#[test]
fn d7_scripts_of_bypass_recovery_codes_and_rename_are_not_asked() {
    let world = world();
    for line in [
        "bypass alice --for 1h --reveal-secrets",
        "bypass alice --revoke",
        "recovery-codes alice --reveal-secrets",
        "edit-user alice --rename alicia",
    ] {
        let _ = world.run(line).ok();
    }
    let world = at_a_terminal(world, &[]);
    for line in [
        "bypass alicia --for 1h --yes",
        "bypass alicia --revoke -y",
        "recovery-codes alicia --yes",
        "edit-user alicia --rename alice --yes",
    ] {
        assert!(world.run(line).ok().prompts.is_empty(), "{line}");
    }
}

#[test]
fn d7_what_a_yes_voids_is_said() {
    let world = world();
    let _ = world.run("recovery-codes alice --reveal-secrets").ok();
    let _ = world.run("bypass alice --for 1h --reveal-secrets").ok();
    let world = at_a_terminal(world, &[]);
    assert_eq!(
        world.run("recovery-codes alice").prompts,
        ["Make new recovery codes, and void the 10 codes of now?"]
    );
    let asked = world.run("bypass alice --for 2h --uses 3").prompts;
    assert_eq!(
        asked,
        [
            "Make a bypass code for 3 uses until 2026-01-01T02:00:30Z (in 2 hours), and void the one of now?"
        ]
    );
    assert_eq!(world.run("bypass alice --revoke").prompts, ["Revoke the bypass code?"]);
    assert!(world.run("bypass bob --revoke").ok().prompts.is_empty(), "nothing to revoke");
}

#[test]
fn d7_remove_user_takes_the_name_in_any_case_and_nothing_else() {
    let mut world = at_a_terminal(world(), &[]);
    for answer in ["y", "yes", "", "alic", "bob", "alice bob"] {
        world.answers = Some(vec![answer]);
        assert_eq!(world.run("remove-user alice").code, 1, "{answer:?}");
    }
    assert_eq!(world.listed("alice")["status"], "enabled");
    world.answers = Some(vec![" Alice "]);
    let _ = world.run("remove-user alice").ok();
    assert!(world.listed("alice").is_null());
}

#[test]
fn d7_verbs_that_ask_nothing_show_the_user_and_are_quiet_with_quiet() {
    let world = world();
    let _ = world.run("disable alice --yes").ok();
    let world = at_a_terminal(world, &[]);
    let ran = world.run("enable alice").ok();
    assert!(ran.prompts.is_empty() && ran.err.starts_with(ALICE), "{ran:?}");
    assert_eq!(world.run("enable alice").ok().err, "", "nothing to change");
    assert_eq!(world.run("require-mfa alice --quiet").ok().err, "");
    assert_eq!(world.run("require-mfa alice --not --json").ok().err, "");
}

#[test]
fn d7_the_lines_of_a_usual_user_fit_a_terminal() {
    let mut world = world();
    let _ = world.run("edit-user alice --display-name Alice --add-group staff --protected").ok();
    for device in ["tablet", "token", "spare"] {
        let _ = world.run(&format!("enrol alice --no-confirm --json --device {device}")).ok();
    }
    world.wait(30);
    for _ in 0..5 {
        let _ = world.verify("alice", "000000").code;
    }
    for columns in [80, 40] {
        world.terminal = Some(Size { columns, rows: 24 });
        world.answers = Some(Vec::new());
        let ran = world.run("reset alice --no-enrol");
        let rows = ran.err.lines().count();
        assert!(rows < if columns == 80 { 12 } else { 20 }, "{rows} rows: {}", ran.err);
        assert!(ran.err.lines().all(|line| line.chars().count() <= columns.into()), "{}", ran.err);
    }
}

#[test]
fn d14_a_user_who_is_made_is_named_and_a_similar_name_is_asked_about() {
    let world = world();
    let ran = world.run("enrol alicia --create --no-confirm").ok();
    assert!(ran.err.starts_with("mfactl: warning: alicia is a new user; there is also alice\n"));
    assert!(ran.err.contains("\nmfactl: made the user alicia\n"), "{ran:?}");
    let again = world.run("enrol alicia --create --no-confirm").ok();
    assert!(!again.err.contains("made") && !again.err.contains("warning"), "{again:?}");
    let dry = world.run("enrol dave --create --no-confirm --dry-run").ok();
    assert!(dry.out.starts_with("dave: would be made and enrolled"), "{dry:?}");
    let world = at_a_terminal(world, &["n"]);
    for line in ["enrol alicea --create --no-confirm", "add-user alicea"] {
        let ran = world.run(line);
        assert_eq!((ran.code, ran.prompts), (1, vec!["Make a new user alicea?".to_owned()]));
        assert!(ran.err.contains("  alice, alice@example.com\n  alicia\n"), "{}", ran.err);
        assert!(world.listed("alicea").is_null());
    }
    let world = at_a_terminal(world, &["y"]);
    let ran = world.run("enrol alicea --create --no-confirm").ok();
    assert!(ran.err.contains("made the user alicea"), "{ran:?}");
    assert!(world.run("add-user user17").ok().prompts.is_empty());
    assert!(world.run("add-user user18").ok().prompts.is_empty(), "another number is meant");
}

#[test]
fn d14_a_new_name_that_is_an_address_of_somebody_is_asked_about() {
    let world = at_a_terminal(world(), &["n"]);
    let ran = world.run("enrol alice@example.com --create --no-confirm");
    assert_eq!((ran.code, ran.prompts.len()), (1, 1), "{ran:?}");
    assert!(ran.err.contains(ALICE) && ran.prompts[0].starts_with("Make a new user"), "{ran:?}");
}
