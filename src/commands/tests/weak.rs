//! Users whose devices are all of weak kinds: enabled, named by lists and checks, and let in as ever.

use serde_json::{Value, json};

use crate::testing::World;

const KEYS: &str = "[policy]\nstrong = [\"yubikey\"]\n";
const KEYS_FOR_ADMINS: &str = "[policy]\nstrong_by_group = { admins = [\"yubikey\"] }\n";

/// alice and carol have a phone, carol is in the group admins, and bob has no device.
fn three() -> World {
    let world = World::new();
    world.active("alice");
    let _ = world.run("add-user bob").ok();
    world.active("carol");
    let _ = world.run("edit-user carol --group Admins").ok();
    world
}

fn names(list: &Value) -> Vec<&str> {
    let names = list.as_array().unwrap().iter().map(|line| line["user"].as_str().unwrap());
    names.collect()
}

fn listed(world: &World, filters: &str) -> Vec<String> {
    let list = world.run(&format!("list-status --json {filters}")).ok().json();
    // Without a summary the store filters too.
    let lines = world.run(&format!("list-status --format jsonl {filters}")).ok().out;
    assert_eq!(lines.lines().count(), names(&list["users"]).len(), "{filters}: {lines}");
    names(&list["users"]).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_user_with_weak_kinds_only_is_enabled_with_a_flag() {
    let world = three();
    for (configuration, weak, coverage) in [
        ("", &[][..], 66.66),
        ("[policy]\nstrong = [\"totp\"]\n", &[], 66.66),
        (KEYS, &["alice", "carol"], 0.0),
        (KEYS_FOR_ADMINS, &["carol"], 33.33),
        (
            "[policy]\nstrong = [\"yubikey\"]\n[policy.strong_by_group]\nadmins = [\"totp\"]\n",
            &["alice"],
            33.33,
        ),
    ] {
        world.configure(configuration);
        assert_eq!(listed(&world, "--weak"), weak, "{configuration}");
        assert_eq!(listed(&world, "--weak --status enabled"), weak);
        assert_eq!(listed(&world, "--weak --without-mfa"), [""; 0]);
        assert_eq!(listed(&world, "--weak --status disabled"), [""; 0]);
        assert_eq!(listed(&world, "--without-mfa"), ["bob"]);
        let summary = world.run("list-status --json").ok().json()["summary"].clone();
        let numbers = [&summary["enabled"], &summary["weak"], &summary["coverage"]];
        assert_eq!(numbers, [&json!(2), &json!(weak.len()), &json!(coverage)], "{configuration}");
        for name in ["alice", "bob", "carol"] {
            let line = world.listed(name);
            assert_eq!(line["weak"], weak.contains(&name), "{line}");
            assert_eq!(line["status"], if name == "bob" { "not_enabled" } else { "enabled" });
        }
    }
}

#[test]
fn weak_users_are_named_for_people_and_in_csv() {
    let world = three();
    world.configure(KEYS_FOR_ADMINS);
    let table = world.run("list-status").ok().out;
    let ending =
        "3 users: 2 enabled (1 weak), 0 pending, 0 disabled, 1 not enabled; coverage 33.3%\n";
    assert!(table.ends_with(ending), "{table}");
    assert_eq!(table.lines().filter(|line| line.contains(" weak ")).count(), 1, "{table}");
    let csv = world.run("list-status --columns user,weak --format csv").ok().out;
    assert_eq!(csv.replace('\r', ""), "user,weak\nalice,false\nbob,false\ncarol,true\n");
    let groups = world.run("list-status --group-by group --format csv").ok().out;
    assert!(groups.contains("admins,1,1,0,0,0,0,0,0,1"), "{groups}");
    let groups = world.run("list-status --group-by group").ok().out;
    assert!(groups.contains("WEAK"), "{groups}");
    let shown = world.run("show-user carol").ok().out;
    let why = "  weak         no active device of a strong kind: yubikey\n";
    assert!(shown.starts_with("carol: enabled\n") && shown.contains(why), "{shown}");
    let shown = world.run("show-user carol --json").ok().json();
    assert_eq!((&shown["weak"], &shown["strong_kinds"]), (&json!(true), &json!(["yubikey"])));
    let shown = world.run("show-user alice").ok().out;
    assert!(!shown.contains("weak"), "{shown}");
    let _ = world.run("edit-user carol --add-group kiosk").ok();
    world.configure(
        "[policy.strong_by_group]\nadmins = [\"yubikey\"]\nkiosk = [\"paper\", \"totp\"]\n",
    );
    let shown = world.run("show-user carol").ok().out;
    assert!(shown.contains("no kind of device is strong in every one of these groups"), "{shown}");
}

#[test]
fn a_requirement_is_met_by_a_strong_kind_and_a_weak_one_still_signs_in() {
    let world = World::new();
    let secret = world.active("alice");
    world.configure("[policy]\nmfa = \"required\"\nstrong = [\"yubikey\"]\n");
    assert_eq!(listed(&world, "--overdue"), ["alice"]);
    assert_eq!(listed(&world, "--overdue --without-mfa"), [""; 0]);
    world.wait(30);
    let ran = world.verify("alice", &world.code(&secret, 0));
    assert_eq!(ran.code, 0, "{ran:?}");
    let due = "[policy]\nmfa = \"required\"\nsince = \"2026-01-01\"\ngrace = \"9d\"\n";
    world.configure(&format!("{due}strong = [\"yubikey\"]\n"));
    assert_eq!(listed(&world, "--due"), ["alice"]);
    assert_eq!(world.listed("alice")["due_at"], "2026-01-10T00:00:00Z");
    world.configure(due);
    assert_eq!(listed(&world, "--due"), [""; 0]);
    world.configure(KEYS);
    assert_eq!(listed(&world, "--overdue"), [""; 0], "required of nobody");
    let _ = world.run("require-mfa alice").ok();
    assert_eq!(listed(&world, "--overdue"), ["alice"]);
    world.configure("");
    assert_eq!(listed(&world, "--overdue"), [""; 0], "met by a phone");
}

#[test]
fn a_weak_user_who_must_have_mfa_is_asked_for_a_code_and_let_in() {
    let world = World::new();
    let secret = world.active("alice");
    let cheap = "[password]\nmemory = 19\n";
    world.configure(cheap);
    let password = "correct horse battery staple";
    let _ = world.run_with("set-password alice", password).ok();
    world.configure(&format!("[policy]\nmfa = \"required\"\nstrong = [\"yubikey\"]\n{cheap}"));
    assert_eq!(listed(&world, "--overdue --weak"), ["alice"]);
    world.wait(30);
    let sign_in = |line: &Value| {
        world.run_with("sign-in --json alice", &format!("{line}\n")).json()["outcome"].clone()
    };
    assert_eq!(sign_in(&json!({ "password": password })), "code_required");
    let code = world.code(&secret, 0);
    assert_eq!(sign_in(&json!({ "password": password, "code": code })), "accepted");
    assert_eq!(sign_in(&json!({ "password": password, "code": code })), "rejected", "used");
}

#[test]
fn checks_and_metrics_count_weak_users_apart() {
    let world = three();
    let checked = |line: &str| world.run(&format!("check {line}"));
    assert!(checked("coverage").out.starts_with("MFA CRITICAL - 66.6% of 3 users | "));
    assert!(checked("weak").ok().out.starts_with("MFA OK - 0 of 3 users have weak kinds"));
    world.configure(&format!("{KEYS}mfa = \"required\"\n"));
    for (line, code, out) in [
        (
            "coverage",
            2,
            "MFA CRITICAL - 0.0% of 3 users; 2 more by weak kinds of devices only | \
             coverage=0%;95:;90:;0;100\n",
        ),
        ("weak", 0, "MFA OK - 2 of 3 users have weak kinds of devices only | weak=2;5;20;0;3\n"),
        (
            "weak --warning 0 --critical 1 --not-group admins",
            1,
            "MFA WARNING - 1 of 2 users have weak kinds of devices only | weak=1;0;1;0;2\n",
        ),
        (
            "overdue",
            2,
            "MFA CRITICAL - 3 of 3 users must have MFA and have none, or weak kinds only | \
             overdue=3;0;0;0;3\n",
        ),
    ] {
        let ran = checked(line);
        assert_eq!((ran.code, ran.out.as_str()), (code, out), "{line}");
    }
    let metrics = |world: &World| world.run("metrics --without-log").ok().out;
    let page = metrics(&world);
    for line in [
        "mfactl_users{state=\"enabled\"} 2",
        "mfactl_users_weak 2",
        "mfactl_users_overdue 3",
        "mfactl_coverage_ratio 0",
    ] {
        assert!(page.lines().any(|l| l == line), "{line} is not in {page}");
    }
    world.configure("");
    assert!(metrics(&world).contains("mfactl_users_weak 0\n"));
}

#[test]
fn the_report_names_weak_users_and_the_strong_kinds() {
    let world = three();
    let report = |line: &str| world.run(&format!("report --without-log {line}")).ok();
    let strong = report("--json").json();
    assert_eq!((&strong["weak"]["total"], &strong["coverage"]), (&json!(0), &json!(66.66)));
    assert!(!report("").out.contains("weak"));
    assert!(!report("--output -").out.contains("weak"));
    world.configure(&format!("{KEYS_FOR_ADMINS}mfa = \"required\"\n"));
    let document = report("--json").json();
    assert_eq!(names(&document["weak"]["listed"]), ["carol"]);
    assert_eq!(names(&document["overdue"]["listed"]), ["bob", "carol"]);
    assert_eq!(document["summary"]["required_without_mfa"], document["overdue"]["total"]);
    assert_eq!((&document["coverage"], &document["summary"]["weak"]), (&json!(33.33), &json!(1)));
    let course = document["course"].as_array().unwrap();
    for at_end in [&document["at_end"], course.last().unwrap()] {
        let numbers = [&at_end["enabled"], &at_end["covered"], &at_end["coverage"]];
        assert_eq!(numbers, [&json!(2), &json!(1), &json!(33.33)]);
    }
    let file = world.folder.path().join("c.svg");
    let chart = report(&format!("--json --output {}", file.display())).json();
    let percent = chart["coverage"].as_f64().unwrap();
    assert!((33.3..33.4).contains(&percent), "{chart}");
    assert!(std::fs::read_to_string(file).unwrap().contains("33.3% of 3 users"));
    let words = "by the configuration, MFA is required of everybody; strong kinds of devices: \
                 totp, hotp, yubikey; for the group \"admins\": yubikey";
    assert_eq!(document["policy"], words);
    let text = report("").out;
    for there in [
        "33.3% of 3 users at the end (not counted, as their devices are of weak kinds only: 1)\n",
        "required, unmet:      2: bob, carol\n",
        "weak kinds only:      1: carol\n",
    ] {
        assert!(text.contains(there), "{there} is not in {text}");
    }
    let page = report("--output -").out;
    for there in [
        "<b>33.3%</b><span>coverage</span>",
        "<b>1</b><span>weak</span>",
        "<h2>Without MFA: 1; with weak kinds only: 1</h2>",
        "<h3>Required, but missing or weak: 2</h3>",
        "<h3>Enabled, but by weak kinds of devices only: 1</h3>",
        "<td>enabled (weak)</td>",
    ] {
        assert!(page.contains(there), "{there} is not in {page}");
    }
    // A period that is over is judged by the devices of that time.
    world.wait(3 * 86_400);
    let _ = world.run("delete carol --yes").ok();
    let over = report("--since 2026-01-01 --until 2026-01-02 --json").json();
    assert_eq!((names(&over["weak"]["listed"]), &over["coverage"]), (vec!["carol"], &json!(33.33)));
    let now = report("--since 2026-01-02 --json").json();
    assert_eq!(now["weak"]["total"], 0);
    // carol was weak until she lost her device.
    for point in now["course"].as_array().unwrap() {
        assert_eq!((&point["covered"], &point["coverage"]), (&json!(1), &json!(33.33)), "{now}");
    }
    assert_eq!((&now["at_start"]["enabled"], &now["at_end"]["enabled"]), (&json!(2), &json!(1)));
}

#[test]
fn turning_weak_by_a_change_of_the_user_is_a_change() {
    let world = three();
    world.configure(KEYS_FOR_ADMINS);
    world.wait(3 * 86_400);
    let changes = || world.run("changes --since 1d").ok().out;
    assert_eq!(changes(), "", "both times are judged by the present configuration");
    let _ = world.run("edit-user alice --add-group admins").ok();
    let listed = changes();
    assert!(listed.starts_with("alice: weak kinds of devices only; edit-user by "), "{listed}");
    let _ = world.run("edit-user alice --remove-group admins").ok();
    assert_eq!(changes(), "");
}

#[test]
fn lists_of_strong_kinds_are_read_strictly() {
    let world = three();
    let kinds = "totp, hotp, yubikey, paper or external";
    for (text, problem) in [
        ("strong = []", format!("line 2: policy.strong: names no kind; name {kinds}")),
        (
            "strong = [\"sms\"]",
            format!("line 2: policy.strong: \"sms\" is not a kind; name {kinds}"),
        ),
        ("strong = [\"TOTP\"]", "policy.strong: \"TOTP\" is not a kind; write totp".to_owned()),
        ("strong = [\"totp\", \"totp\"]", "policy.strong: names totp twice".to_owned()),
        ("strong = \"totp\"", "line 2: policy.strong: invalid type".to_owned()),
        ("strong_by_group = { it = [] }", "line 2: policy.strong_by_group.it: names no".to_owned()),
        (
            "[policy.strong_by_group]\nit = [\"totp\"]\nhr = [\"totp\", \"face\"]",
            "line 4: policy.strong_by_group.hr: \"face\" is not a kind".to_owned(),
        ),
        (
            "strong_by_group = { \"a b\" = [\"totp\"] }",
            "line 2: policy.strong_by_group: has a character".to_owned(),
        ),
        (
            "strong_by_group = { it = [\"totp\"], IT = [\"hotp\"] }",
            "line 2: policy.strong_by_group: names the group \"it\" twice".to_owned(),
        ),
    ] {
        world.configure(&format!("[policy]\n{text}\n"));
        let ran = world.run("list-status");
        assert_eq!((ran.code, ran.out.as_str()), (78, ""), "{text}: {ran:?}");
        assert!(ran.err.contains(&problem), "{text}: {ran:?}");
    }
}

#[test]
fn a_group_with_strong_kinds_of_its_own_is_known_and_doctor_says_that_it_is_empty() {
    let world = three();
    world.configure("[policy]\nstrong_by_group = { admin = [\"yubikey\"] }\n");
    let found = world.run("doctor").out;
    let words = "\"admin\" has strong kinds of its own, but nobody is in it; did you mean admins?";
    assert!(found.contains(words), "{found}");
    let _ = world.run("list-status --group admin").ok();
    world.configure(KEYS_FOR_ADMINS);
    assert!(!world.run("doctor").out.contains("nobody is in it"));
}
