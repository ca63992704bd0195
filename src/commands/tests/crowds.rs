//! Changes of many users with `--from`.

use crate::testing::World;

fn world(users: u32) -> World {
    let world = World::new();
    for n in 0..users {
        let _ = world.run(&format!("enrol user{n:02} --create --no-confirm --json")).ok();
    }
    world
}

fn names(range: std::ops::Range<u32>) -> String {
    let names: Vec<_> = range.map(|n| format!("user{n:02}")).collect();
    names.join("\n") + "\n"
}

#[test]
fn a_list_is_changed_in_one_transaction_with_a_result_and_an_event_each() {
    let world = world(4);
    let _ = world.run("disable user01 --yes").ok();
    let _ = world.run("add-user nobody").ok();
    let list = format!("{}nobody\n", names(0..3));
    let ran = world.run_with("disable --from - --yes --json --ticket T-1", &list);
    assert_eq!(ran.code, 1, "one of them was refused: {ran:?}");
    let report = ran.json();
    let results: Vec<_> =
        report["users"].as_array().unwrap().iter().map(|u| &u["result"]).collect();
    assert_eq!(results, ["changed", "already", "changed", "refused"]);
    assert_eq!(report["summary"]["changed"], 2);
    assert_eq!(world.sql("SELECT count(*) FROM events WHERE ticket = 'T-1'"), "2");
    assert_eq!(world.listed("user03")["status"], "pending");
    let _ = world.run_with("enable --from - --yes", &names(0..3)).ok();
    let csv = world.run_with("delete --from - --yes --format csv", "group,user\nx,user00\n").ok();
    assert_eq!(
        csv.out,
        "user,status,result,reason,consequences\r\nuser00,not_enabled,changed,,can sign in with the password alone\r\n"
    );
    let _ = world.run_with("undo user00 --yes", "").ok();
    let _ = world.run_with("edit-user --from - --yes --group staff", &names(0..4)).ok();
    assert_eq!(world.listed("user03")["groups"][0], "staff");
    let _ = world.run_with("unlock --from - --yes", &names(0..4)).ok();
    let _ = world.run_with("reset --from - --yes --no-enrol", &names(0..2)).ok();
    assert_eq!(world.run_with("reset --from - --yes", &names(0..2)).code, 64);
    let _ = world.run_with("force-new-password --from - --yes", &names(0..2)).ok();
}

#[test]
fn an_unknown_name_or_too_many_changes_stop_the_whole_list() {
    let world = world(12);
    let ran = world.run_with("disable --from - --yes --json", "user00\nuser0\n");
    assert_eq!((ran.code, ran.error().as_str()), (67, "user_not_found"), "{ran:?}");
    assert!(ran.err.contains("user0"), "{ran:?}");
    let ran = world.run_with("disable --from - --yes --json", &names(0..11));
    assert_eq!((ran.code, ran.error().as_str()), (76, "too_many_changes"), "{ran:?}");
    assert_eq!(world.listed("user00")["status"], "pending", "nothing was changed");
    assert_eq!(world.run_with("disable --from - --yes --max-changes 50%", &names(0..11)).code, 76);
    for bad in ["0", "0%", "101%", "-1", "x", "", "1e3"] {
        let line = format!("disable --from - --yes --max-changes={bad}");
        let ran = world.run_with(&line, &names(0..1));
        assert_eq!(ran.code, 65, "{bad}: {ran:?}");
        assert!(ran.err.contains("error: --max-changes: "), "{bad}: {ran:?}");
    }
    assert_eq!(world.listed("user00")["status"], "pending", "nothing was changed");
    let dry = world.run_with("disable --from - --max-changes 11 --dry-run --json", &names(0..11));
    assert_eq!(dry.ok().json()["users"][0]["result"], "would_change");
    let _ = world.run_with("disable --from - --yes --max-changes 100%", &names(0..11)).ok();
    assert_eq!(world.run("disable --from /nowhere/list --yes").code, 65);
    assert_eq!(world.run_with("disable --from - user00", "user01\n").code, 64);
}

#[test]
fn the_table_has_a_row_a_user_and_the_total() {
    let mut world = world(3);
    let _ = world.run("add-user none").ok();
    let _ = world.run("disable user01 --yes").ok();
    let list = format!("{}none\n", names(0..3));
    let dry = world.run_with("disable --from - --dry-run", &list);
    assert!(dry.out.contains("would change"), "{dry:?}");
    let counts = "4 users: 2 would change, 1 already so, 1 refused\n\
                  2 users: can sign in with the password alone\n";
    assert!(dry.out.ends_with(counts), "{dry:?}");
    let json = world.run_with("disable --from - --dry-run --json", &list).json();
    assert_eq!(json["dry_run"], true);
    let ran = world.run_with("disable --from - --yes", &list);
    let rows: Vec<Vec<&str>> = ran.out.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..4], ["USER", "RESULT", "STATUS", "REASON"], "{ran:?}");
    assert_eq!(rows[1][..5], ["user00", "changed", "disabled", "can", "sign"]);
    assert_eq!(rows[4][..5], ["none", "refused", "not", "enabled", "none"]);
    assert_eq!(ran.out.lines().rev().nth(1), Some("4 users: 2 changed, 1 already so, 1 refused"));
    for columns in [40, 100] {
        world.terminal = Some(crate::env::Size { columns, rows: 24 });
        let ran = world.run_with("enable --from - --yes", "user00\n").ok();
        assert!(ran.out.contains("user00") && ran.out.contains("1 user: "), "{ran:?}");
    }
    let quiet = world.run_with("enable --from - --yes --quiet", "user01\nnone\n");
    assert!(quiet.out.contains("none") && !quiet.out.contains("user01"), "{quiet:?}");
}

#[test]
fn the_operator_types_the_number_of_changes() {
    let mut world = world(3);
    let _ = world.run("add-user none").ok();
    let _ = world.run("enrol other --create --no-confirm --json").ok();
    let _ = world.run("disable other --yes").ok();
    let file = world.folder.path().join("list");
    std::fs::write(&file, names(0..3) + "none\nother\n").unwrap();
    let line = format!("disable --from {}", file.display());
    world.answers = Some(vec!["y"]);
    let ran = world.run(&line);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(ran.err.contains("user02") && ran.err.contains("none has no device"), "{ran:?}");
    assert!(!ran.err.contains("other"), "unchanged users are only counted: {ran:?}");
    assert!(ran.err.contains("5 users: 3 would change, 1 already so, 1 refused"), "{ran:?}");
    assert_eq!(world.listed("user00")["status"], "pending");
    world.answers = Some(vec!["3"]);
    let ran = world.run(&line);
    assert_eq!(ran.code, 1, "one was refused");
    assert!(ran.prompts[0].contains("Type 3"), "{ran:?}");
    assert_eq!(world.listed("user00")["status"], "disabled");
    world.answers = None;
    let ran = world.run(&line.replace("disable", "enable --json"));
    assert_eq!((ran.code, ran.error().as_str()), (64, "usage"), "no terminal: {ran:?}");
}

#[test]
fn bulk_temporary_passwords_go_to_a_file_and_each_is_accepted() {
    let world = world(2);
    world.configure("[password]\nmemory = 19\n");
    let _ = world.run_with("set-password user00", "correct horse battery staple").ok();
    assert_eq!(world.run_with("force-new-password --from - --yes", &names(0..2)).code, 64);
    assert_eq!(world.listed("user01")["password_change_required"], false);
    let file = world.folder.path().join("passwords");
    let line = format!("force-new-password --from - --yes --output {}", file.display());
    let _ = world.run_with(&line, &names(0..2)).ok();
    let text = std::fs::read_to_string(&file).unwrap();
    let (header, rows) = text.split_once("\r\n").unwrap();
    assert_eq!(header, "user,display_name,email,temporary_password");
    let (user, password) = rows.trim_end().split_once(",,,").unwrap();
    assert_eq!((user, rows.lines().count()), ("user00", 1), "user01 has no password");
    let line = serde_json::json!({ "password": password }).to_string();
    let ran = world.run_with("sign-in --json user00", &line);
    assert_eq!(ran.json()["outcome"], "password_change_required", "{ran:?}");
}
