//! Codes and devices for many users at once: where the secrets go, and that nothing is in force before they are there.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::testing::World;

/// Three users with a device, and one without.
fn world() -> World {
    let world = World::new();
    for user in ["alice", "bob", "carol"] {
        let _ = world.active(user);
    }
    let _ = world.run("edit-user alice --email alice@example.com --display-name =Alice").ok();
    let _ = world.run("add-user nobody").ok();
    world
}

const LIST: &str = "alice\nbob\ncarol\nnobody\n";
/// Each verb with what it needs beside the list, and how many of the four get something.
const VERBS: [(&str, usize); 2] = [("recovery-codes", 3), ("bypass --for 1h --uses 2", 4)];

fn events(world: &World, verb: &str) -> String {
    let verb = verb.split(' ').next().unwrap();
    world.sql(&format!("SELECT count(*) FROM events WHERE verb = '{verb}'"))
}

fn output(world: &World) -> std::path::PathBuf {
    world.folder.path().join("codes.csv")
}

/// The cells of the file, which needs no quotes here.
fn rows(world: &World) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(output(world)).unwrap();
    assert!(!text.contains('"'), "{text}");
    text.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect()
}

fn accepted(world: &World, user: &str, code: &str) -> bool {
    world.verify(user, code).json()["outcome"] == "accepted"
}

#[test]
fn d4_the_codes_of_a_list_go_to_one_new_private_file_and_each_is_accepted() {
    for (verb, given) in VERBS {
        let world = world();
        let line = format!("{verb} --from - --yes --output {}", output(&world).display());
        let ran = world.run_with(&line, LIST);
        assert_eq!(ran.code, u8::from(given < 4), "nobody has no device: {ran:?}");
        assert!(ran.out.contains(&format!("4 users: {given} changed")), "{ran:?}");
        assert!(ran.err.contains("wrote it to"), "{ran:?}");
        let mode = std::fs::metadata(output(&world)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let rows = rows(&world);
        assert_eq!(rows[0][..3], ["user", "display_name", "email"]);
        assert_eq!(rows.len(), given + 1);
        assert_eq!(rows[1][..3], ["alice", "'=Alice", "alice@example.com"]);
        for row in &rows[1..] {
            let code = row[3].split(' ').next_back().unwrap();
            assert!(accepted(&world, &row[0], code), "{row:?}");
        }
        assert!(!accepted(&world, "alice", rows[2][3].split(' ').next().unwrap()), "it is bob's");
        assert!(!ran.out.contains(&rows[1][3]) && !ran.err.contains(&rows[1][3]), "{ran:?}");
        assert_eq!(events(&world, verb), given.to_string());
        let again = world.run_with(&line, LIST);
        assert_eq!(again.code, 73, "{again:?}");
        assert_eq!(events(&world, verb), given.to_string(), "nothing was changed");
        let _ = world.run("verify-log").ok();
    }
}

#[test]
fn d4_codes_without_a_place_are_refused_before_any_change() {
    for (verb, _) in VERBS {
        let world = world();
        for more in ["", "--json", "--reveal-secrets", "--format csv --reveal-secrets"] {
            let ran = world.run_with(&format!("{verb} --from - --yes {more}"), LIST);
            assert_eq!(ran.code, 64, "{more}: {ran:?}");
            assert!(ran.err.contains("--output FILE.csv"), "{more}: {ran:?}");
        }
        assert_eq!(events(&world, verb), "0");
    }
}

#[test]
fn d4_the_codes_of_a_list_are_in_the_json_with_reveal_secrets() {
    for (verb, given) in VERBS {
        let world = world();
        let line = format!("{verb} --from - --yes --json --reveal-secrets");
        let report = world.run_with(&line, LIST).json();
        let users = report["users"].as_array().unwrap();
        assert_eq!((report["dry_run"] == false, users.len()), (true, 4));
        assert_eq!(report["summary"]["changed"], given);
        let bob = &users[1];
        assert_eq!(bob["result"], "changed");
        let code = bob["code"].as_str().or(bob["codes"][9].as_str()).unwrap();
        assert!(accepted(&world, "bob", code), "{bob}");
        assert_eq!(bob["uses"], if verb.starts_with("bypass") { 2.into() } else { Value::Null });
        let dry = world.run_with(&format!("{line} --dry-run"), LIST);
        assert_eq!(events(&world, verb), given.to_string());
        let user = &dry.json()["users"][0];
        assert_eq!(user["result"], "would_change");
        assert!(user.get("code").is_none() && user.get("codes").is_none(), "{user}");
    }
}

#[test]
fn d4_the_plan_of_codes_says_what_becomes_void_and_a_no_leaves_no_file() {
    let mut world = world();
    let _ = world.run("recovery-codes alice --json --reveal-secrets").ok();
    let _ = world.run("bypass bob --for 1h --json --reveal-secrets").ok();
    let path = world.folder.path().join("list");
    std::fs::write(&path, LIST).unwrap();
    for (verb, given) in VERBS {
        let line = format!("{verb} --from {}", path.display());
        let dry = world.run(&format!("{line} --dry-run"));
        let words = match given {
            3 => "1 user: the earlier recovery codes are void",
            _ => "4 users: a code for 2 uses until 2026-01-01T01:00:00Z",
        };
        assert!(dry.out.contains(words), "{dry:?}");
        let events_before = events(&world, verb);
        world.answers = Some(vec!["no"]);
        let ran = world.run(&format!("{line} --output {}", output(&world).display()));
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.prompts[0].contains(&format!("Type {given} to continue")), "{ran:?}");
        assert!(!output(&world).exists() && events(&world, verb) == events_before);
        let ran =
            world.run(&format!("{line} --max-changes 2 --output {}", output(&world).display()));
        assert_eq!(ran.code, 76, "{ran:?}");
        assert!(ran.out.contains(words), "the plan is shown: {ran:?}");
        assert!(!output(&world).exists() && events(&world, verb) == events_before);
        world.answers = None;
    }
}

#[test]
fn d4_bypass_codes_of_a_list_are_revoked() {
    let world = world();
    let _ = world.run("bypass bob --for 1h --json --reveal-secrets").ok();
    let ran = world.run_with("bypass --from - --revoke --yes --json", LIST).ok();
    let results: Vec<_> =
        ran.json()["users"].as_array().unwrap().iter().map(|u| u["result"].clone()).collect();
    assert_eq!(results, ["already", "changed", "already", "already"]);
    assert_eq!(world.listed("bob")["bypass"], false);
    let _ = world.run("disable carol --yes").ok();
    let line = format!("bypass --from - --for 1h --yes --output {}", output(&world).display());
    let ran = world.run_with(&line, "carol\nalice\n");
    assert_eq!(ran.code, 1, "a disabled user is refused: {ran:?}");
    assert_eq!(rows(&world).len(), 2);
    assert_eq!(world.run_with("bypass --from - --for 25h --yes", LIST).code, 65);
    assert_eq!(world.run_with("bypass --from - --yes", LIST).code, 64);
}

#[test]
fn d4_a_list_is_enrolled_and_new_users_are_made() {
    let world = World::new();
    let _ = world.active("alice");
    let _ = world.run("enrol bob --create --no-confirm --json").ok();
    let unknown = world.run_with("enrol --from - --no-confirm --yes", "alice\nbob\ncarol\n");
    assert_eq!(unknown.code, 67, "{unknown:?}");
    let line = "enrol --from - --no-confirm --create --yes --ticket HR-1";
    let ran = world.run_with(line, "alice\nbob\ncarol\n");
    assert_eq!(ran.code, 1, "alice has a device: {ran:?}");
    assert!(ran.out.contains("3 users: 2 enrolled, 0 already so, 1 refused"), "{ran:?}");
    assert!(ran.out.contains("1 user: the earlier QR code is void"), "{ran:?}");
    assert!(ran.err.contains("mfactl show-qr -- NAME"), "{ran:?}");
    assert_eq!(world.listed("carol")["status"], "pending");
    let event = "SELECT outcome, device, factor, ticket FROM events \
                 WHERE verb = 'enrol' AND \"user\" = 'carol'";
    assert_eq!(world.sql(event), "pending|phone|totp|HR-1");
    let _ = world.run("show-qr carol --json").ok();
    let csv = "name,display_name,groups,department\ndave,Dave D.,staff,IT\nbob,Bob,vpn,IT\n";
    let ran = world.run_with(line, csv).ok();
    assert!(ran.err.contains("these columns of the list are not read: department"), "{ran:?}");
    assert_eq!(world.listed("dave")["groups"], serde_json::json!(["staff"]));
    assert_eq!(world.listed("dave")["display_name"], "Dave D.");
    assert_eq!(world.listed("bob")["groups"], serde_json::json!([]), "bob exists already");
    let _ = world.run("verify-log").ok();
}

#[test]
fn d4_the_secrets_of_enrolled_users_are_in_the_json_only_when_asked_for() {
    let world = World::new();
    let line = "enrol --from - --no-confirm --create --yes --json";
    let ran = world.run_with(line, "alice\n").ok();
    assert!(!ran.out.contains("otpauth") && !ran.out.contains("secret"), "{ran:?}");
    let ran = world.run_with(&format!("{line} --reveal-secrets"), "alice\nbob\n").ok();
    let user = &ran.json()["users"][1];
    assert!(user["uri"].as_str().unwrap().starts_with("otpauth://totp/"), "{user}");
    let base32 = user["secret"].as_str().unwrap().as_bytes();
    let bytes = data_encoding::BASE32_NOPAD.decode(base32).unwrap();
    let secret = crate::domain::secret::Secret::new(zeroize::Zeroizing::new(bytes));
    assert_eq!(world.verify("bob", &world.code(&secret, 0)).ok().json()["outcome"], "confirmed");
}

#[test]
fn d4_what_an_enrolment_of_many_cannot_do_is_misuse() {
    let world = World::new();
    for (more, words) in [
        ("--create --yes", "add --no-confirm"),
        ("--no-confirm --create --output a.png", "leave --output out"),
        ("--no-confirm --create --reveal-secrets", "add --json"),
    ] {
        let ran = world.run_with(&format!("enrol --from - {more}"), "alice\n");
        assert!(ran.code == 64 && ran.err.contains(words), "{more}: {ran:?}");
    }
    let names: Vec<_> = (0..40).map(|n| format!("user{n:02}\n")).collect();
    let names = names.concat();
    let line = "enrol --from - --no-confirm --create --json";
    let dry = world.run_with(&format!("{line} --dry-run"), &names).ok();
    assert_eq!(dry.json()["summary"]["changed"], 40);
    assert_eq!(world.sql("SELECT count(*) FROM users"), "0");
    let _ = world.run_with(&format!("{line} --yes"), &names).ok();
    let ran = world.run_with(&format!("{line} --yes"), &names);
    assert_eq!(ran.code, 76, "a new QR code for 40 users who exist: {ran:?}");
    let _ = world.run("enrol alicia --create --no-confirm --json").ok();
    let similar = world.run_with(&format!("{line} --dry-run"), "alicea\n").ok();
    assert!(similar.out.contains("there is also alicia"), "{similar:?}");
}
