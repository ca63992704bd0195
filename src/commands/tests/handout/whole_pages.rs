//! Whole pages as their users read them, in each language: the files in `tests/samples/handout`.
//!
//! `UPDATE=1 cargo test --lib whole_pages` renews them. Nothing in them is anybody's: random numbers are seeded here.

use std::path::Path;

use super::page;
use crate::testing::World;

const CONFIGURATION: &str = "[enrolment]\nissuer = \"Example Corp\"\n[site]\ncontact = \"extension 4711, helpdesk@example.org\"\n";
const PASSWORD: &str = "granite walrus pickle tram";

#[track_caller]
fn is_as_committed(world: &World, line: &str, story: &str) {
    for language in ["en", "fr", "both"] {
        let name = format!("{story}.{language}.txt");
        let (_, text) = page(world, &format!("handout alice --lang {language} {line}"), &name);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples/handout").join(&name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "{name} is stale, UPDATE=1 renews it; the page is now:\n{text}");
    }
}

/// Alice with a name and a password.
fn world() -> World {
    let world = World::new();
    world.configure(CONFIGURATION);
    let people = "name,display_name\nalice,Alice Martin\n";
    let _ = world.run_with("add-user --from - --yes", people).ok();
    let _ = world.run_with("set-password alice", &format!("{PASSWORD}\n")).ok();
    world
}

#[test]
fn a_phone_is_to_be_set_up() {
    let world = world();
    let _ = world.pending("alice", "");
    is_as_committed(&world, "--app google --ticket HELP-1250", "alice");
}

#[test]
fn a_phone_is_set_up_at_the_sign_in() {
    let world = world();
    let _ = world.run("require-mfa alice").ok();
    let _ = world.run("force-new-password alice --yes --json --reveal-secrets").ok();
    is_as_committed(&world, "--app microsoft", "sign-in");
}

#[test]
fn the_second_factor_is_switched_off() {
    let world = world();
    let _ = world.active("alice");
    let _ = world.run("disable alice --yes").ok();
    is_as_committed(&world, "", "disabled");
}
