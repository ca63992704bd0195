//! What a change means for the user is said before it, after it, in JSON, in the plan and in the log.

use serde_json::json;

use crate::env::Size;
use crate::testing::World;

const STAFF: &str = "[policy]\nrequired_groups = [\"staff\"]\n";

#[test]
fn s11_groups_come_and_go_one_by_one_and_the_requirement_that_ends_is_named() {
    let world = World::new();
    world.configure(STAFF);
    let _ = world.run("add-user alice --group staff --group vpn").ok();
    let groups = || world.listed("alice")["groups"].clone();
    let _ = world.run("edit-user alice --add-group it --remove-group vpn").ok();
    assert_eq!(groups(), json!(["it", "staff"]));
    let ran = world.run("edit-user alice --group vpn --json").ok().json();
    let meaning = json!([
        "MFA is no longer required: left group staff",
        "left group it",
        "joined group vpn",
        "can sign in with the password alone",
    ]);
    assert_eq!((&ran["consequences"], &ran["required"]), (&meaning, &json!(false)));
    assert_eq!(groups(), json!(["vpn"]));
    let log = world.run("log --user alice --verb edit-user --last 1 --json").ok().json();
    assert_eq!(log["events"][0]["detail"]["consequences"], meaning);
    let text = world.run("log --user alice --verb edit-user --last 1").ok().out;
    assert!(text.contains("MFA is no longer required: left group staff"), "{text}");
    let back = world.run("edit-user alice --add-group staff --dry-run").ok().out;
    assert!(
        back.contains("MFA is required: joined group staff; is refused until enrolled"),
        "{back}"
    );
    for (line, field) in [
        ("edit-user alice --add-group x --remove-group x", "--add-group"),
        ("edit-user alice --add-group x --group y", "--group"),
        ("edit-user alice --add-group x --clear groups", "--clear groups"),
        ("edit-user alice --add-group a/b", "group"),
    ] {
        let ran = world.run(line);
        assert!(matches!(ran.code, 64 | 65) && ran.err.contains(field), "{line}: {ran:?}");
    }
    assert_eq!(groups(), json!(["vpn"]));
}

#[test]
fn s11_the_plan_of_a_list_counts_what_it_means() {
    let world = World::new();
    world.configure(STAFF);
    for name in ["alice", "bob"] {
        let _ = world.run(&format!("add-user {name} --group staff")).ok();
    }
    let plan = world.run_with("edit-user --from - --group vpn --dry-run", "alice\nbob\n").ok().out;
    assert!(plan.contains("\n2 users: MFA is no longer required: left group staff\n"), "{plan}");
    let json = world.run_with("edit-user --from - --group vpn --yes --json", "alice\nbob\n").ok();
    let said = json.json()["users"][1]["consequences"].clone();
    assert_eq!(said[0], "MFA is no longer required: left group staff");
    let log = world.run("log --user bob --verb edit-user --json").ok().json();
    assert_eq!(log["events"][0]["detail"]["consequences"], said);
}

#[test]
fn w6_lifting_a_requirement_that_the_configuration_has_says_so() {
    let world = World::new();
    world.configure(STAFF);
    let _ = world.run("add-user alice --group staff").ok();
    let lifted = world.run("require-mfa alice --not").ok().out;
    assert_eq!(lifted, "alice: MFA is required by the configuration only; nothing to change\n");
    let _ = world.run("require-mfa alice").ok();
    let lifted = world.run("require-mfa alice --not --json").ok().json();
    let stays = json!(["MFA stays required by the configuration", "is refused until enrolled"]);
    assert_eq!(lifted["required"], true);
    assert_eq!(lifted["consequences"][0], stays[0]);
    let _ = world.run("add-user bob").ok();
    let _ = world.run("require-mfa bob").ok();
    let lifted = world.run("require-mfa bob --not").ok().out;
    assert!(
        lifted.contains("requirement lifted; MFA is not enabled; MFA is no longer required"),
        "{lifted}"
    );
}

#[test]
fn w6_a_list_says_of_whom_the_configuration_still_requires_mfa() {
    let mut world = World::new();
    world.configure(STAFF);
    for line in ["alice --group staff", "bob --group staff", "carol", "dave"] {
        let _ = world.run(&format!("add-user {line}")).ok();
    }
    let _ = world.run("require-mfa alice").ok();
    let _ = world.run("require-mfa dave").ok();
    let names = "alice\nbob\ncarol\ndave\n";
    let only = "MFA is required by the configuration only";
    let counted = [
        "\n1 user: MFA stays required by the configuration\n".to_owned(),
        format!("\n1 user: {only}\n"),
        "\n1 user: has no requirement of their own\n".to_owned(),
    ];
    let plan = world.run_with("require-mfa --from - --not --dry-run", names).ok().out;
    assert!(counted.iter().all(|line| plan.contains(line)), "{plan}");
    let list = world.folder.path().join("names.txt");
    std::fs::write(&list, names).unwrap();
    world.answers = Some(vec!["no"]);
    let asked = world.run(&format!("require-mfa --from {} --not", list.display()));
    assert!(counted.iter().all(|line| asked.err.contains(line)), "{asked:?}");
    world.answers = None;
    let done = world.run_with("require-mfa --from - --not --yes --json", names).ok().json();
    let line = |n: usize| {
        let user = &done["users"][n];
        json!([user["result"], user["required"], user["reason"], user["consequences"]])
    };
    let stays = json!(["MFA stays required by the configuration"]);
    assert_eq!(line(0), json!(["changed", true, null, stays]));
    assert_eq!(line(1), json!(["already", true, only, []]));
    assert_eq!(line(2), json!(["already", false, "has no requirement of their own", []]));
    assert_eq!((&line(3)[0], &line(3)[1]), (&json!("changed"), &json!(false)));
    assert_eq!(done["summary"]["reasons"][only], 1);
    let group = world.run("require-mfa --group staff --not --yes").ok().out;
    assert!(group.contains(&format!("2 users: {only}")), "{group}");
    world.configure("[policy]\nrequired_groups = [\"staff\"]\nsince = \"2027-01-01\"\n");
    let later = world.run("require-mfa alice --not").ok().out;
    assert!(
        later.contains("required from 2027-01-01T00:00:00Z on by the configuration only"),
        "{later}"
    );
}

#[test]
fn codes_in_place_of_a_device_say_what_they_mean() {
    let world = World::new();
    world.configure("[policy]\nmfa = \"required\"\n");
    let _ = world.run("add-user alice").ok();
    let meaning = "needs a recovery or bypass code to sign in, until enrolled";
    let dry = world.run("bypass alice --for 1h --dry-run --json").ok().json();
    assert_eq!(dry["consequences"], json!([meaning]));
    let shown = world.run("bypass alice --for 1h --json --reveal-secrets").ok().json();
    assert_eq!((&shown["consequences"], &shown["changed"]), (&json!([meaning]), &json!(true)));
    let text = world.run("bypass alice --for 1h --reveal-secrets").ok().out;
    assert!(text.ends_with(&format!("the previous one is void; {meaning}\n")), "{text}");
    let dry = world.run("bypass alice --revoke --dry-run").ok().out;
    let revoked = "is refused until enrolled; the bypass code is void";
    assert_eq!(dry, format!("alice: dry run; would say: {revoked}\n"));
    assert_eq!(world.run("bypass alice --revoke").ok().out, format!("alice: {revoked}\n"));
    let again = world.run("bypass alice --revoke --json").ok().json();
    assert_eq!((&again["changed"], &again["consequences"]), (&json!(false), &json!([])));
    let _ = world.pending("alice", "");
    let meaning =
        "needs the new device's first code, or a recovery or bypass code, to sign in".to_owned();
    for more in ["--dry-run", "--reveal-secrets"] {
        let codes = world.run(&format!("recovery-codes alice --json {more}")).ok().json();
        assert_eq!((&codes["consequences"], &codes["changed"]), (&json!([meaning]), &json!(true)));
    }
    let text = world.run("recovery-codes alice --reveal-secrets").ok().out;
    assert!(text.ends_with(&format!("the earlier ones are void; {meaning}\n")), "{text}");
    let removed = world.run("remove-user alice --yes --json").ok().json();
    let log = world.run("log --user alice --verb remove-user --json").ok().json();
    assert_eq!(removed["consequences"], json!(["is refused as an unknown user"]));
    assert_eq!(log["events"][0]["detail"]["consequences"], removed["consequences"]);
}

#[test]
fn w13_how_long_things_live_is_said() {
    let world = World::new();
    world.configure("[password]\nmemory = 19\n");
    let enrolled = world.run("enrol alice --create --no-confirm --json").ok().json();
    assert_eq!(enrolled["expires_at"], "2026-01-04T00:00:00Z");
    let _ = world.run_with("set-password alice", "correct horse battery staple").ok();
    let forced = world.run("force-new-password alice --yes --json --reveal-secrets").ok().json();
    assert_eq!(forced["temporary_password_until"], "2026-01-02T00:00:00Z");
    let shown = world.run("show-user alice").ok().out;
    assert!(shown.contains("temporary password until 2026-01-02T00:00:00Z"), "{shown}");
    world.wait(2 * 24 * 3600);
    let shown = world.run("show-user alice").ok().out;
    assert!(shown.contains("temporary password expired 2026-01-02T00:00:00Z"), "{shown}");
    let password = forced["temporary_password"].as_str().unwrap();
    let sign_in = |password: &str, more: &str| {
        let line = json!({ "password": password, "new_password": "another horse battery staple" });
        world.run_with(&format!("sign-in alice {more}"), &format!("{line}\n"))
    };
    let wrong = sign_in("correct horse battery staple", "--json").json();
    assert_eq!((&wrong["outcome"], &wrong["reason"]), (&json!("rejected"), &json!(null)));
    for _ in 0..2 {
        let ran = sign_in(password, "--json");
        assert_eq!((ran.code, &ran.json()["outcome"]), (1, &"rejected".into()), "{ran:?}");
        assert_eq!(ran.json()["reason"], "temporary_password_expired");
    }
    let text = sign_in(password, "--format table").out;
    assert!(text.contains("has expired: ask the helpdesk for a new one"), "{text}");
    let log = world.run("log --user alice --verb sign-in").ok().out;
    assert!(log.contains("temporary password expired"), "{log}");
}

#[test]
fn w14_who_must_have_mfa_is_refused_after_a_reset_and_the_question_says_so() {
    let mut world = World::new();
    world.configure("[policy]\nmfa = \"required\"\n");
    let _ = world.active("alice");
    world.answers = Some(Vec::new());
    world.terminal = Some(Size { columns: 80, rows: 40 });
    for line in ["delete alice", "reset alice --no-enrol"] {
        let asked = world.run(line);
        assert_eq!(asked.prompts.len(), 1, "{asked:?}");
        let said = "\n  afterwards: is refused until an operator enrols them\n";
        assert!(asked.err.contains(said), "{asked:?}");
    }
    (world.answers, world.terminal) = (None, None);
    for _ in 0..5 {
        let _ = world.verify("alice", "000000").code;
    }
    let forced =
        world.run("force-new-password alice --yes --old-password-opens --json").ok().json();
    let said = forced["consequences"].to_string();
    assert!(said.contains("is locked until 2026-01-01T00:00:30Z"), "{said}");
    let deleted = world.run("reset alice --no-enrol --yes").ok().out;
    assert!(deleted.contains("is not locked any more"), "{deleted}");
}

#[test]
fn w13_what_is_over_is_no_deadline() {
    let world = World::new();
    let _ = world.run("enrol alice --create --no-confirm --json").ok();
    let _ = world.run("disable alice --yes").ok();
    world.wait(4 * 24 * 3600);
    let enabled = world.run("enable alice --json").ok().json();
    let said = enabled["consequences"].to_string();
    assert!(
        said.contains("phone was not confirmed in time") && !said.contains("by 2026"),
        "{said}"
    );
    let _ = world.run("require-mfa alice").ok();
    let codes = world.run("bypass alice --for 1h --json --reveal-secrets").ok().json();
    let log = world.run("log --user alice --verb bypass --json").ok().json();
    let said = log["events"][0]["detail"]["consequences"].clone();
    assert_eq!(said[0], "needs a recovery or bypass code to sign in, until enrolled");
    assert_eq!(world.verify("alice", codes["code"].as_str().unwrap()).code, 0);
}
