//! The report that an auditor signs.

use serde_json::Value;

use crate::testing::World;

const DAY: i64 = 86_400;
const CONFIGURATION: &str =
    "[policy]\nmfa = \"required\"\nsince = \"2026-01-01\"\ngrace = \"10d\"\n";

fn report(world: &World, options: &str) -> Value {
    world.run(&format!("report --json {options}")).ok().json()
}

fn page(world: &World, options: &str) -> String {
    let file = world.folder.path().join("r.html");
    let _ = world.run(&format!("report {options} --output {}", file.display())).ok();
    std::fs::read_to_string(file).unwrap()
}

fn names(list: &Value) -> Vec<&str> {
    list["listed"].as_array().unwrap().iter().map(|user| user["user"].as_str().unwrap()).collect()
}

/// January, in which dora loses her device, and carol her account; February has one more change.
fn two_months() -> World {
    let world = World::new();
    for user in ["alice", "bob", "carol", "dora"] {
        let _ = world.active(user);
    }
    world.wait(20 * DAY);
    let _ = world.run("disable bob --ticket HR-1 --yes").ok();
    let _ = world.run("delete dora --yes").ok();
    let _ = world.run("remove-user carol --erase --ticket HR-2 --yes").ok();
    let _ = world.run("require-mfa bob").ok();
    let _ = world.run("require-mfa bob --not --ticket HR-3").ok();
    let _ = world.run("edit-user bob --email bob@example.com").ok();
    let _ = world.run("edit-user bob --group staff").ok();
    for _ in 0..7 {
        let _ = world.verify("alice", "123456");
    }
    world.wait(20 * DAY);
    let _ = world.run("disable alice --yes").ok();
    let _ = world.run("add-user eve").ok();
    world.configure(CONFIGURATION);
    world
}

#[test]
fn d20_a_month_is_as_it_was_at_its_end() {
    let world = two_months();
    let january = report(&world, "--since 2026-01-02 --until 2026-02");
    assert_eq!(january["at_start"]["users"], 4, "{january}");
    assert_eq!(january["at_start"]["coverage"], 100.0);
    assert_eq!((&january["users"], &january["coverage"]), (&3.into(), &33.33.into()));
    assert_eq!((&january["is_over"], &january["not_covered"]), (&true.into(), &Value::Null));
    assert_eq!(names(&january["overdue"]), ["bob", "dora"], "{january}");
    let changes = &january["changes"];
    let tickets = |verb: &str| changes[verb]["listed"][0]["ticket"].clone();
    assert_eq!((tickets("disable"), tickets("remove-user")), ("HR-1".into(), "HR-2".into()));
    assert_eq!((&changes["delete"]["total"], tickets("delete")), (&1.into(), Value::Null));
    assert_eq!(
        (&changes["require-mfa"]["total"], tickets("require-mfa")),
        (&1.into(), "HR-3".into())
    );
    assert_eq!(changes["edit-user"]["total"], 1, "an address is no change of protection");
    let attempts = &january["attempts"];
    assert_eq!((&attempts["wrong"], &attempts["locks"]), (&5.into(), &1.into()), "{attempts}");
    assert_eq!(attempts["refused"], 1, "the second one has no event yet: {attempts}");
    let february = report(&world, "--since 2026-02");
    assert_eq!(february["at_start"]["enabled"], 1, "{february}");
    assert_eq!((&february["users"], &february["at_end"]["enabled"]), (&4.into(), &0.into()));
    assert_eq!(february["changes"]["disable"]["total"], 1);
    assert_eq!(names(&february["exempt"]), ["eve"], "not required yet");
    // The same answer as list-status gives.
    let then = world.run("list-status --json --at 2026-01-31T23:59:59Z").ok().json();
    assert_eq!(then["summary"]["enabled"], january["summary"]["enabled"]);
    assert_eq!(then["summary"]["required_without_mfa"], january["overdue"]["total"]);
    let text = world.run("report --since 2026-01-02 --until 2026-02").ok().out;
    for there in [
        "coverage:             100.0% of 4 users at the beginning, 33.3% of 3 users at the end\n",
        "policy:               by the configuration, MFA is required of everybody, since 2026-01-01T00:00:00Z, with 10 days to enrol\n",
        "required, no MFA:     2: bob, dora\n",
        "disable:              1, 1 with a ticket\n",
        "delete:               1, none with a ticket\n",
        "mfactl log --since 2026-01-02T00:00:00Z --until 2026-02-01T00:00:00Z",
    ] {
        assert!(text.contains(there), "{there} is not in {text}");
    }
}

#[test]
fn the_page_proves_the_log_later() {
    let world = two_months();
    let page = page(&world, "--since 2026-01 --until 2026-02");
    for there in
        ["devices phone, HR-1", "uid 1000 on mfactl.example.com", "The log is intact", "Signature"]
    {
        assert!(page.contains(there), "{there} is not in {page}");
    }
    let verify = format!("verify-log --anchor {}", world.folder.path().join("r.html").display());
    assert!(world.run(&verify).ok().out.contains("the anchor matches"));
    let printed = world.run("report --output -").ok().out;
    assert!(printed.starts_with("<!DOCTYPE html>") && printed.ends_with("</html>\n"), "{printed}");
    let _ = world.run("unlock alice").ok();
    assert!(world.run(&verify).ok().out.contains("the anchor matches"), "the log may grow");
    // Without the key the report says what was not checked.
    std::fs::remove_file(world.folder.path().join("key/mfactl.key")).unwrap();
    let blind = report(&world, "");
    assert_eq!(
        (&blind["log"]["macs_checked"], &blind["log"]["outcome"]),
        (&false.into(), &"whole".into())
    );
    let text = world.run("report").ok().out;
    assert!(text.contains("MACs not checked: this needs the key"), "{text}");
    // Somebody rewrites an event: the report is written, and says so.
    world.sql("UPDATE events SET ticket = 'HR-9' WHERE ticket = 'HR-1'");
    let file = world.folder.path().join("r.html");
    let ran = world.run(&format!("report --quiet --output {}", file.display()));
    assert!(ran.code == 1 && ran.out.contains("the log is damaged"), "{ran:?}");
    let page = std::fs::read_to_string(file).unwrap();
    assert!(page.contains("<p class=\"notice\">The log is damaged"), "{page}");
    assert!(!page.contains("mfactl-anchor"), "{page}");
    let unproved = world.run("report --without-log --json").ok().json();
    assert_eq!(unproved["log"], Value::Null);
}

#[test]
fn what_a_report_does_not_cover_is_said() {
    let world = two_months();
    let young = report(&world, "--since 2025-12");
    assert!(
        young["not_covered"].as_str().unwrap().starts_with("the store was created at 2026-01-01")
    );
    assert_eq!(young["at_start"]["users"], 0);
    let _ = world.run("log --prune --before 2026-01-25 --yes").ok();
    let pruned = report(&world, "--since 2026-01-02 --until 2026-02");
    assert!(
        pruned["not_covered"].as_str().unwrap().starts_with("the log was pruned and begins at")
    );
    assert_eq!((&pruned["at_start"], &pruned["users"]), (&Value::Null, &3.into()));
    for (options, code, words) in [
        ("--since 2026-01-20 --until 2026-01-10", 65, "is not after"),
        ("--since 2026-02-01 --until 2026-02-01", 65, "is not after"),
        ("--until 2025-06", 65, "the store begins at"),
        ("--until 2026-01-05", 65, "the log was pruned"),
        ("--since 2027-01", 65, "is in the future"),
        ("--since 2026-13", 65, "is not a date"),
        ("--output - --json", 64, "no other format"),
        ("--output r.txt", 64, ".html or .svg"),
    ] {
        let ran = world.run(&format!("report {options}"));
        assert!(ran.code == code && ran.err.contains(words), "{options}: {ran:?}");
    }
    assert_eq!(report(&world, "--since 2026-02 --until 2026-03")["is_over"], false);
}

#[test]
fn d20_the_first_day_of_a_store_is_a_point_and_not_a_line() {
    let world = World::new();
    assert!(page(&world, "").contains("no users at 2026-01-01T00:00:00Z"));
    let _ = world.active("alice");
    let first = page(&world, "");
    assert!(first.contains("<circle") && !first.contains("<path"), "{first}");
    assert!(first.contains("100.0% of 1 user at 2026-01-01T00:00:00Z"), "{first}");
    world.wait(3 * 3600);
    let _ = world.run("add-user bob").ok();
    let second = page(&world, "");
    assert!(second.contains("<path") && second.contains("2026-01-01 01:00"), "{second}");
}

#[test]
fn hostile_words_do_nothing_on_the_page() {
    let world = World::new();
    let hostile = "<script>alert(1)</script>&\"'\u{202e}";
    let _ = world.run("add-user alice --group staff").ok();
    let _ = world.run("require-mfa alice").ok();
    let _ = world.run("require-mfa alice --not --ticket </td><script> --reason <img/src=x>").ok();
    // What the program itself would refuse, somebody may have written into the database.
    world.sql(&format!("UPDATE users SET display_name = '{}'", hostile.replace('\'', "''")));
    world.sql("UPDATE users SET groups = '<b>'");
    let file = world.folder.path().join("r.html");
    assert_eq!(world.run(&format!("report --output {}", file.display())).code, 1, "a wrong MAC");
    let page = std::fs::read_to_string(file).unwrap();
    for tag in ["<script", "<img", "<td><b>", "\u{202e}"] {
        assert!(!page.contains(tag), "{tag} is in {page}");
    }
    assert!(page.contains("<td>&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;"), "{page}");
    assert!(page.contains("&lt;/td&gt;&lt;script&gt;"), "{page}");
}
