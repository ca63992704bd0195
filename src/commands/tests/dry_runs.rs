//! A dry run, for one user and for a list, says what the real run does.

use serde_json::{Value, json};

use super::states::{cells, put};
use crate::testing::World;

const PASSWORD: &str = "granite walrus pickle tram\n";

/// Further states that the verbs treat differently, with the commands that lead from an enabled user to them.
const MORE: &[(&str, &[&str])] = &[
    ("has a password", &[]),
    ("forced", &["force-new-password alice --yes --json"]),
    ("forced, over", &["force-new-password alice --yes --json"]),
    ("old one opens", &["force-new-password alice --yes --old-password-opens"]),
    (
        "with codes",
        &[
            "recovery-codes alice --reveal-secrets --yes",
            "bypass alice --for 2h --reveal-secrets --yes",
        ],
    ),
    ("required", &["require-mfa alice"]),
    ("protected", &["edit-user alice --protected"]),
];

/// Puts alice into a state of the table of states or of [`MORE`].
fn put_more(world: &World, state: &str) {
    world.configure("[password]\nmemory = 19\n");
    let Some((_, lines)) = MORE.iter().find(|(name, _)| *name == state) else {
        put(world, state);
        return;
    };
    put(world, "enabled");
    if state.contains("password") || state.contains("forced") || state.contains("old") {
        let _ = world.run_with("set-password alice", PASSWORD).ok();
    }
    for line in *lines {
        let _ = world.run(line).ok();
    }
    if state == "forced, over" {
        world.wait(25 * 3600);
    }
}

fn meaning(one: &Value) -> Value {
    // Enrolling always changes something, and has no such field.
    json!([one["changed"].as_bool().unwrap_or(true), one["consequences"]])
}

/// The same of the only row of a list.
fn meaning_of_row(list: &Value) -> Value {
    let row = &list["users"][0];
    json!([matches!(row["result"].as_str(), Some("changed" | "would_change")), row["consequences"]])
}

/// The verbs of the table of states that have a dry run.
fn lines() -> Vec<&'static str> {
    let without =
        ["verify", "show-user", "show-qr", "diagnose", "resync", "set-password", "approve"];
    let unshown = ["force-new-password NAME --yes", "force-new-password NAME --yes --keep-mfa"];
    let mut lines: Vec<_> = cells().map(|(line, ..)| line).collect();
    lines.dedup();
    lines.extend(["edit-user NAME --add-group vpn", "edit-user NAME --rename alicia --yes"]);
    lines.push("force-new-password NAME --yes --reveal-secrets");
    lines.push("force-new-password NAME --yes --keep-mfa --reveal-secrets");
    lines.push("force-new-password NAME --yes --old-password-opens");
    lines.retain(|line| {
        !without.iter().any(|verb| line.starts_with(verb)) && !unshown.contains(line)
    });
    lines
}

#[test]
fn w8_a_dry_run_says_of_every_verb_and_state_what_the_real_run_does() {
    // Two stores for each verb and state take their time on a server, where three states have to do.
    if World::empty().engine.is_postgres() {
        assert!(compare(["pending", "enabled", "protected"], &lines()) > 40);
        return;
    }
    let states = ["not_enabled", "pending", "expired", "enabled", "disabled", "locked"];
    let states = states.into_iter().chain(["with codes", "required", "protected"]);
    assert!(compare(states, &lines()) > 150);
}

#[test]
fn w8_a_dry_run_says_of_every_verb_and_password_what_the_real_run_does() {
    let is_about_passwords = |line: &&str| line.starts_with("force-new-password");
    let about_passwords: Vec<_> = lines().into_iter().filter(is_about_passwords).collect();
    let states = ["has a password", "forced", "old one opens"];
    assert!(compare(states, &about_passwords) >= 9);
    // Each user costs slow hashes: one line of every verb.
    let mut one_each = lines();
    one_each.dedup_by_key(|line| line.split(' ').next().unwrap_or_default());
    assert!(compare(["forced, over"], &one_each) >= 8);
}

/// Compares both kinds of run for each state and line. Returns how many were compared.
fn compare(states: impl IntoIterator<Item = &'static str>, lines: &[&str]) -> usize {
    let (mut compared, mut wrong) = (0, Vec::new());
    for state in states {
        for line in lines {
            let [one_world, list_world] = [World::new(), World::new()];
            put_more(&one_world, state);
            put_more(&list_world, state);
            let one = line.replace("NAME", "alice");
            let list = line.replace("NAME", "--from -").replace(" --yes", "");
            let dry = one_world.run(&format!("{one} --dry-run --json"));
            let real = one_world.run(&format!("{one} --json"));
            let dry_list = list_world.run_with(&format!("{list} --dry-run --json"), "alice\n");
            let real_list = list_world.run_with(&format!("{list} --yes --json"), "alice\n");
            if (dry.code, dry_list.code) != (real.code, real_list.code) {
                wrong.push(format!(
                    "{line} on {state}: {dry:?} {real:?} {dry_list:?} {real_list:?}"
                ));
                continue;
            }
            let mut meanings = Vec::new();
            if real.code <= 1 {
                meanings.extend([meaning(&dry.json()), meaning(&real.json())]);
                compared += 1;
            }
            // Some options are for one user only.
            if real_list.code <= 1 && real.code <= 1 {
                meanings
                    .extend([meaning_of_row(&dry_list.json()), meaning_of_row(&real_list.json())]);
            }
            if meanings.windows(2).any(|pair| pair[0] != pair[1]) {
                wrong.push(format!("{line} on {state}: {meanings:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    compared
}

#[test]
fn w8_a_second_forced_password_voids_the_first_one_and_says_so_everywhere() {
    for hours in [1, 25] {
        let world = World::new();
        let _ = world.run("add-user alice").ok();
        let _ = world.run_with("set-password alice", PASSWORD).ok();
        let forced = |line: &str, input| world.run_with(line, input).ok().json();
        let _ = forced("force-new-password alice --yes --json", "");
        world.wait(hours * 3600);
        let until = format!(
            "temporary password good until {}",
            if hours == 1 { "2026-01-02T01:00:00Z" } else { "2026-01-03T01:00:00Z" }
        );
        let dry = forced("force-new-password alice --dry-run --json", "");
        assert_eq!(dry["changed"], true, "{dry}");
        assert!(dry["consequences"].to_string().contains(&until), "{dry}");
        let list = forced("force-new-password --from - --dry-run --json", "alice\n");
        assert_eq!(list["users"][0]["result"], "would_change", "{list}");
        assert_eq!(list["users"][0]["consequences"], dry["consequences"]);
        let real = forced("force-new-password --from - --yes --json --reveal-secrets", "alice\n");
        assert_eq!(real["users"][0]["consequences"], dry["consequences"]);
        let first = real["users"][0]["temporary_password"].as_str().unwrap().to_owned();
        let real = forced("force-new-password alice --yes --json --reveal-secrets", "");
        assert_eq!((&real["changed"], &real["consequences"]), (&json!(true), &dry["consequences"]));
        let second = real["temporary_password"].as_str().unwrap();
        for (password, outcome) in
            [(first.as_str(), "rejected"), (second, "password_change_required")]
        {
            let input = json!({ "password": password }).to_string();
            let ran = world.run_with("sign-in alice --json", &input);
            assert_eq!(ran.json()["outcome"], outcome, "{ran:?}");
        }
    }
}

#[test]
fn w8_a_second_forced_password_is_asked_for_at_a_terminal() {
    let mut world = World::new();
    let _ = world.run("add-user alice").ok();
    let _ = world.run_with("set-password alice", PASSWORD).ok();
    let _ = world.run("force-new-password alice --yes --json").ok();
    let before = world.sql("SELECT count(*) FROM events");
    world.terminal = Some(crate::env::Size { columns: 80, rows: 40 });
    world.answers = Some(vec!["n"]);
    let ran = world.run("force-new-password alice");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(world.sql("SELECT count(*) FROM events"), before);
}
