//! Many users at once: joiners, leavers, and changes that are taken back.

use crate::testing::{CommandResult, World};

const JOINERS: &str = "name,display_name,email,language,groups\n\
                       alice,Alice Martin,alice@example.com,fr,staff;vpn\n\
                       bob,,,,\n\
                       carol,\"Carol, C.\",carol@example.com,EN,staff\n";

const ROLES: &str = "[roles]\nhelpdesk = [\"daemon\"]\nadmin = [\"sys\"]\n";
const DAEMON: u32 = 1;

fn file(world: &World, name: &str, text: &str) -> String {
    let path = world.folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// The result and the reason of each user.
fn results(ran: &CommandResult) -> Vec<(String, String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let users = ran.json()["users"].as_array().cloned().unwrap();
    users.iter().map(|u| (text(&u["user"]), text(&u["result"]), text(&u["reason"]))).collect()
}

fn crowd(world: &World, users: u32) -> String {
    let names: Vec<_> = (0..users).map(|n| format!("user{n:02}\n")).collect();
    let list = names.concat();
    let _ = world.run_with("add-user --from - --yes --quiet", &list).ok();
    list
}

#[test]
fn d4_joiners_are_added_with_what_the_columns_say() {
    let is_shared = World::empty().engine.is_postgres();
    let world = if is_shared { World::new() } else { World::empty() };
    let ran = world.run_with("add-user --from - --yes --json --ticket HR-1", JOINERS).ok();
    assert!(is_shared || ran.err.contains("made the store"), "{ran:?}");
    let report = ran.json();
    assert_eq!(report["schema"], "mfactl.add-user/1");
    assert_eq!((&report["summary"]["changed"], &report["column"]), (&3.into(), &"name".into()));
    let alice = world.run("show-user alice --json").ok().json();
    assert_eq!(alice["display_name"], "Alice Martin", "{alice}");
    assert_eq!(world.listed("alice")["groups"], serde_json::json!(["staff", "vpn"]));
    assert_eq!(world.listed("carol")["display_name"], "Carol, C.");
    assert_eq!(world.sql("SELECT language FROM users WHERE name = 'alice'"), "fr");
    let events = "SELECT count(*) FROM events WHERE verb = 'add-user' AND outcome = 'done' AND ticket = 'HR-1'";
    assert_eq!(world.sql(events), "3");
    let _ = world.run("verify-log").ok();
}

#[test]
fn d4_who_exists_already_stays_as_they_are_and_the_plan_says_what_differs() {
    let world = World::new();
    let _ = world.run("add-user alice --email old@example.com --group staff --protected").ok();
    let _ = world.run("add-user bob").ok();
    let before = world.listed("alice");
    let ran = world.run_with("add-user --from - --yes --json", JOINERS).ok();
    let results = results(&ran);
    assert_eq!(results[0].1, "already");
    assert!(
        results[0].2.contains("with another display_name, email, language, groups"),
        "{results:?}"
    );
    assert_eq!((results[1].2.as_str(), results[2].1.as_str()), ("exists already", "changed"));
    assert_eq!(world.listed("alice"), before);
    let again = world.run_with("add-user --from - --yes", "carol\n").ok();
    assert!(again.out.contains("0 added, 1 already so, 0 refused"), "{again:?}");
}

#[test]
fn d4_a_bad_row_is_named_by_line_and_column_and_nothing_is_added() {
    let world = World::new();
    for (list, words) in [
        ("name,email\nalice,a@example.com\nbob,CANARY\n", "line 3, column email"),
        ("name,email\nalice,a@example.com\nCANARY/x,\n", "line 3, column name"),
        ("name,groups\nalice,staff\nbob,CAN/ARY\n", "line 3, column groups"),
        ("name,language\nalice,fr\nbob,canary\n", "line 3, column language"),
        ("name,display_name\nbob,B\ncanary,A\nCANARY,B\n", "lines 3 and 4"),
        ("name,CANARY\nalice,fr\n", "line 1"),
    ] {
        let path = file(&world, "joiners.csv", list);
        for line in ["--yes --json", "--dry-run --json"] {
            let ran = world.run(&format!("add-user --from {path} {line}"));
            assert_eq!((ran.code, ran.error().as_str()), (65, "bad_input"), "{list}: {ran:?}");
            assert!(ran.err.contains(words), "{list}: {ran:?}");
            assert!(!ran.err.to_lowercase().contains("canary"), "{list}: {ran:?}");
        }
        let typed = world.run_with("add-user --from - --yes", list);
        assert_eq!(typed.code, 65, "{typed:?}");
    }
    assert_eq!(world.sql("SELECT count(*) FROM users"), "0");
    let world = World::empty();
    assert_eq!(world.run_with("add-user --from - --yes", "name,x\na,b\n").code, 65);
    assert_eq!(world.run_with("add-user --from - --dry-run", "alice\n").code, 69);
    assert!(!world.folder.path().join("key").exists(), "a bad list makes no store");
}

#[test]
fn d4_new_users_do_not_count_against_the_limit_and_a_dry_run_adds_nobody() {
    let world = World::new();
    let names: Vec<_> = (0..40).map(|n| format!("user{n:02}\n")).collect();
    let names = names.concat();
    let dry = world.run_with("add-user --from - --dry-run", &names).ok();
    assert!(dry.out.contains("40 users: 40 would be added, 0 already so, 0 refused"), "{dry:?}");
    assert!(dry.out.contains("40 users: can sign in with the password alone"), "{dry:?}");
    assert_eq!(world.sql("SELECT count(*) FROM users"), "0");
    let _ = world.run_with("add-user --from - --yes", &names).ok();
    assert_eq!(world.sql("SELECT count(*) FROM users"), "40");
    for bad in ["alice", "--email a@example.com", "--group staff", "--display-name A"] {
        let ran = world.run_with(&format!("add-user --from - {bad}"), "x\n");
        assert_eq!(ran.code, 64, "{bad}: {ran:?}");
    }
}

#[test]
fn d4_the_plan_names_users_for_whom_a_new_name_could_be_a_slip() {
    let mut world = World::new();
    let _ = world.run("add-user alicia --email a.martin@example.com").ok();
    let list = "alicea\na.martin@example.com\nbob\nuser01\nuser02\n";
    let results = results(&world.run_with("add-user --from - --dry-run --json", list).ok());
    assert_eq!(results[0].2, "there is also alicia");
    assert_eq!(results[1].2, "there is also alicia", "by the address");
    assert!(results[2..].iter().all(|row| row.2.is_empty()), "{results:?}");
    world.answers = Some(vec!["5"]);
    let path = file(&world, "joiners", list);
    let ran = world.run(&format!("add-user --from {path}")).ok();
    assert!(ran.err.contains("there is also alicia"), "{ran:?}");
    assert!(ran.err.contains("2 users: may be another user's name with a slip"), "{ran:?}");
    assert!(ran.prompts[0].contains("5 of the 5 users named would be added. Type 5"), "{ran:?}");
    assert_eq!(world.sql("SELECT count(*) FROM users"), "6");
}

#[test]
fn d4_a_protected_user_can_be_in_the_list_of_joiners() {
    let world = World::new();
    let _ = world.run("add-user boss --protected").ok();
    world.configure(ROLES);
    world.uid.set(DAEMON);
    let ran = world.run_with("add-user --from - --yes --json", "boss\nalice\n").ok();
    assert_eq!(ran.json()["summary"]["already"], 1, "{ran:?}");
    let ran = world.run_with("disable --from - --yes --json", "alice\nboss\n");
    assert_eq!(ran.code, 77, "{ran:?}");
    assert_eq!(world.run_with("remove-user --from - --yes", "alice\n").code, 77);
}

#[test]
fn d4_leavers_are_removed_in_one_transaction_with_an_event_each() {
    let world = World::new();
    let list = crowd(&world, 12);
    let _ = world.active("user03");
    let ran = world.run_with("remove-user --from - --yes --json", &list);
    assert_eq!((ran.code, ran.error().as_str()), (76, "too_many_changes"), "{ran:?}");
    assert_eq!(results(&ran).len(), 12, "the plan is shown with the refusal");
    let dry = world.run_with("remove-user --from - --dry-run --max-changes 12", &list).ok();
    assert!(dry.out.contains("12 users: 12 would be removed"), "{dry:?}");
    assert!(dry.out.contains("12 users: is refused as an unknown user"), "{dry:?}");
    assert!(dry.out.contains("with 1 device"), "{dry:?}");
    assert_eq!(world.sql("SELECT count(*) FROM users"), "12");
    let unknown = world.run_with("remove-user --from - --yes", "user01\nnobody\n");
    assert_eq!(unknown.code, 67, "{unknown:?}");
    assert_eq!(world.sql("SELECT count(*) FROM users"), "12");
    let leavers = "user\nuser03\nuser04\n";
    let ran = world.run_with("remove-user --from - --yes --json --ticket HR-2", leavers).ok();
    assert!(results(&ran).iter().all(|row| row.1 == "changed"), "{ran:?}");
    assert_eq!(world.sql("SELECT count(*) FROM users"), "10");
    assert_eq!(world.sql("SELECT count(*) FROM devices"), "0");
    let events = "SELECT count(*) FROM events WHERE verb = 'remove-user' AND ticket = 'HR-2'";
    assert_eq!(world.sql(events), "2");
    let _ = world.run("verify-log").ok();
}

#[test]
fn d4_leavers_can_be_erased_from_the_log() {
    let world = World::new();
    let _ = crowd(&world, 3);
    let ran = world.run_with("remove-user --from - --erase --yes", "user00\nuser01\n").ok();
    assert!(ran.out.contains("2 users: the name is erased from the log"), "{ran:?}");
    assert_eq!(world.sql("SELECT count(*) FROM events WHERE outcome = 'erased'"), "2");
    let named = "SELECT count(*) FROM events WHERE \"user\" IN ('user00', 'user01')";
    assert_eq!(world.sql(named), "0");
    assert_ne!(world.sql("SELECT count(*) FROM events WHERE \"user\" = 'user02'"), "0");
    let _ = world.run("verify-log").ok();
    assert_eq!(world.run_with("remove-user --from - --damaged --yes", "user02\n").code, 64);
}

#[test]
fn d4_the_operator_types_the_number_of_leavers() {
    let mut world = World::new();
    let path = file(&world, "leavers", &crowd(&world, 2));
    world.answers = Some(vec!["user00"]);
    assert_eq!(world.run(&format!("remove-user --from {path}")).code, 1);
    assert_eq!(world.sql("SELECT count(*) FROM users"), "2");
    world.answers = Some(vec!["2"]);
    let ran = world.run(&format!("remove-user --from {path}")).ok();
    assert!(ran.prompts[0].contains("would be removed. Type 2 to continue"), "{ran:?}");
    assert_eq!(world.sql("SELECT count(*) FROM users"), "0");
    world.answers = None;
    let _ = crowd(&world, 2);
    assert_eq!(world.run(&format!("remove-user --from {path}")).code, 64, "nobody is asked");
}

#[test]
fn d4_the_newest_change_of_each_is_taken_back_and_the_plan_says_which() {
    let world = World::new();
    let (_, _) = (world.active("alice"), world.active("bob"));
    let _ = world.run("add-user carol").ok();
    let _ = world.run("disable alice --yes").ok();
    world.wait(60);
    let _ = world.run("reset bob --yes --no-enrol").ok();
    let list = "alice\nbob\ncarol\n";
    let dry = world.run_with("undo --from - --dry-run --json", list);
    assert_eq!(dry.code, 1, "{dry:?}");
    let planned = results(&dry);
    assert_eq!(planned[0].2, "disable of 2026-01-01T00:00:00Z taken back");
    assert_eq!(planned[1].2, "reset of 2026-01-01T00:01:00Z taken back");
    assert_eq!(planned[2].1, "refused");
    assert!(planned[2].2.contains("there is nothing to undo for carol"), "{planned:?}");
    assert_eq!(world.listed("alice")["status"], "disabled");
    let ran = world.run_with("undo --from - --yes --ticket T-1", list);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("1 user: disable taken back\n1 user: reset taken back"), "{ran:?}");
    assert!(ran.out.contains("3 users: 2 changed, 0 already so, 1 refused"), "{ran:?}");
    for user in ["alice", "bob"] {
        assert_eq!(world.listed(user)["status"], "enabled");
    }
    let detail = "SELECT detail FROM events WHERE verb = 'undo' AND \"user\" = 'bob'";
    let detail = world.sql(detail);
    assert!(detail.contains("\"undone\":\"reset\"") && detail.contains("phone"), "{detail}");
    for bad in ["--list", "--of=reset@2026-01-01T00:01:00Z", "alice"] {
        assert_eq!(world.run_with(&format!("undo --from - {bad}"), list).code, 64, "{bad}");
    }
}

#[test]
fn d4_an_undo_of_many_after_a_code_needs_an_admin() {
    let world = World::new();
    let _ = world.active("alice");
    let secret = {
        let ran = world.run("reset alice --yes --json --reveal-secrets").ok();
        crate::testing::secret(&ran)
    };
    world.wait(30);
    let _ = world.verify("alice", &world.code(&secret, 0)).ok();
    let line = "undo --from - --even-after-code --yes";
    assert_eq!(world.run_with("undo --from - --yes", "alice\n").code, 1);
    world.configure(ROLES);
    world.uid.set(DAEMON);
    let ran = world.run_with(line, "alice\n");
    assert!(ran.code == 77 && ran.err.contains("needs a second operator"), "{ran:?}");
    world.configure("");
    let ran = world.run_with(line, "alice\n").ok();
    assert!(ran.out.contains("1 user: reset taken back"), "{ran:?}");
}

#[test]
fn d4_a_list_with_a_protected_user_needs_what_the_single_verb_needs() {
    let world = World::new();
    let _ = crowd(&world, 2);
    let _ = world.run("edit-user user01 --protected").ok();
    world.configure(&format!("{ROLES}second_operator = [\"remove-user\"]\n"));
    let list = "user00\nuser01\n";
    world.uid.set(3);
    let ran = world.run_with("remove-user --from - --yes --json", list);
    assert_eq!((ran.code, ran.error().as_str()), (77, "not_permitted"), "{ran:?}");
    assert!(
        ran.err.contains("user01 is protected: remove-user needs a second operator"),
        "{ran:?}"
    );
    assert_eq!(world.sql("SELECT count(*) FROM users"), "2", "nobody is removed");
    let dry = world.run_with("remove-user --from - --dry-run --json", list);
    assert_eq!((dry.code, dry.error().as_str()), (77, "not_permitted"), "{dry:?}");
    let _ = world.run_with("remove-user --from - --yes", "user00\n").ok();
}

#[test]
fn d4_a_ticket_that_the_configuration_wants_is_wanted_for_lists() {
    let world = World::new();
    let _ = crowd(&world, 1);
    world.configure("[helpdesk]\nticket = [\"add-user\", \"remove-user\", \"undo\", \"bypass\"]\n");
    for verb in ["add-user", "remove-user", "undo", "bypass --revoke"] {
        let ran = world.run_with(&format!("{verb} --from - --yes"), "user00\n");
        assert!(ran.code == 64 && ran.err.contains("needs --ticket"), "{verb}: {ran:?}");
    }
    for ticket in ["T", "TT", "none"] {
        let ran = world.run(&format!("remove-user user00 --yes --ticket {ticket}"));
        let words = format!("--ticket: \"{ticket}\" names no ticket");
        assert!(ran.code == 64 && ran.err.contains(&words), "{ran:?}");
        assert!(ran.err.contains("remove-user --yes --ticket ID -- user00"), "{ran:?}");
    }
    let _ = world.run_with("remove-user --from - --yes --ticket HR-3", "user00\n").ok();
}
